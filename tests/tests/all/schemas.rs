//! The published shapes of events, and what stored payloads of every version become.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use calotype_domain::DomainEvent;
use calotype_domain::catalogue::{self, AnyEvent};
use calotype_tests::media::{read_json, workspace};
use calotype_tests::schemas;
use serde_json::Value;

#[test]
fn published_shapes_are_those_of_the_code() -> anyhow::Result<()> {
    for (name, text) in schemas::generate()? {
        let path = workspace().join("schemas/events").join(&name);
        let published = std::fs::read_to_string(&path)
            .with_context(|| format!("{name} is missing: cargo xtask schemas --write"))?;
        ensure!(published == text, "{name} is out of date: cargo xtask schemas --write");
    }
    Ok(())
}

#[test]
fn stored_payloads_of_every_version_decode_to_what_they_mean() -> anyhow::Result<()> {
    let aggregates: BTreeMap<&str, &str> =
        catalogue::schemas().into_iter().map(|(aggregate, name, ..)| (name, aggregate)).collect();
    let folder = workspace().join("schemas/events/samples");
    let mut checked = 0;
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(kind) = name.strip_suffix(".json").filter(|kind| !kind.ends_with(".expected"))
        else {
            continue;
        };
        let (event_type, version) = kind.rsplit_once(".v").context("no version in the name")?;
        let aggregate = aggregates.get(event_type).context("no event of this name")?;
        let payload_text = std::fs::read_to_string(&path)?;
        let event = catalogue::decode(aggregate, event_type, version.parse()?, &payload_text)?;
        let expected = read_json(&folder.join(format!("{kind}.expected.json")))?;
        ensure!(payload(&event)? == expected, "{kind} decodes to {}", payload(&event)?);
        checked += 1;
    }
    ensure!(checked >= 10, "only {checked} samples were found");
    Ok(())
}

/// The newest version of a decoded event, as it would be stored.
fn payload(event: &AnyEvent) -> anyhow::Result<Value> {
    let raw = match event {
        AnyEvent::Activity(event) => event.to_raw(),
        AnyEvent::AdminView(event) => event.to_raw(),
        AnyEvent::Album(event) => event.to_raw(),
        AnyEvent::ApiKey(event) => event.to_raw(),
        AnyEvent::Asset(event) => event.to_raw(),
        AnyEvent::AssetTrial(event) => event.to_raw(),
        AnyEvent::ModelTrial(event) => event.to_raw(),
        AnyEvent::Batch(event) => event.to_raw(),
        AnyEvent::Erasure(event) => event.to_raw(),
        AnyEvent::Hold(event) => event.to_raw(),
        AnyEvent::Partner(event) => event.to_raw(),
        AnyEvent::Faces(event) => event.to_raw(),
        AnyEvent::Person(event) => event.to_raw(),
        AnyEvent::Integrity(event) => event.to_raw(),
        AnyEvent::Library(event) => event.to_raw(),
        AnyEvent::LinkView(event) => event.to_raw(),
        AnyEvent::Config(event) => event.to_raw(),
        AnyEvent::Notification(event) => event.to_raw(),
        AnyEvent::Queue(event) => event.to_raw(),
        AnyEvent::Reservation(event) => event.to_raw(),
        AnyEvent::Session(event) => event.to_raw(),
        AnyEvent::SharedLink(event) => event.to_raw(),
        AnyEvent::Memory(event) => event.to_raw(),
        AnyEvent::Stack(event) => event.to_raw(),
        AnyEvent::Tag(event) => event.to_raw(),
        AnyEvent::User(event) => event.to_raw(),
    };
    Ok(raw?.payload)
}
