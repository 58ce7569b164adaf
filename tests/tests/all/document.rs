//! Our OpenAPI document beside Immich's: what is served is described as there, but for the differences of
//! `document_differences.txt`, each with its reason; and every operation of 3.1 and of the later releases is
//! accounted for.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};
use calotype_tests::media::{read_json, shared, workspace};
use calotype_tests::{document, facts, spec};
use serde_json::Value;

/// Operations of Immich 3.1.
const OPERATIONS: usize = 254;
/// Operations that came after 3.1.
const LATER_OPERATIONS: usize = 25;

/// The committed document, which `cargo xtask ci` compares with what the server prints.
fn ours() -> anyhow::Result<Value> {
    read_json(&workspace().join("schemas/openapi.json"))
}

fn reference() -> anyhow::Result<Value> {
    read_json(&workspace().join("schemas/immich/openapi.json"))
}

/// Lines `key: reason` of a list beside the tests.
pub(crate) fn listed(text: &'static str) -> anyhow::Result<BTreeMap<&'static str, &'static str>> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once(": ").with_context(|| format!("no reason: {line}"))).collect()
}

#[test]
fn what_is_served_is_described_as_immich_describes_it() -> anyhow::Result<()> {
    let listed = listed(include_str!("../document_differences.txt"))?;
    let found = document::differences(&reference()?, &ours()?)?;
    // A line stands for its place and everything below it.
    let covers = |place: &str, difference: &str| {
        difference.strip_prefix(place).is_some_and(|rest| rest.starts_with([':', '.', '[', ' ']))
    };
    let mut wrong: Vec<String> = found
        .iter()
        .filter(|difference| !listed.keys().any(|place| covers(place, difference)))
        .cloned()
        .collect();
    wrong.extend(
        listed
            .keys()
            .filter(|place| !found.iter().any(|difference| covers(place, difference)))
            .map(|place| format!("{place} is listed and does not differ")),
    );
    ensure!(wrong.is_empty(), "document_differences.txt is wrong:\n{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn facts_are_those_of_the_reference() -> anyhow::Result<()> {
    let committed = read_json(&workspace().join("api/src/document/facts.json"))?;
    ensure!(
        committed == facts::generate()?,
        "cargo run -p calotype-tests --bin schemas -- . --facts api/src/document/facts.json"
    );
    Ok(())
}

#[test]
fn every_operation_is_accounted_for() -> anyhow::Result<()> {
    let says = listed(include_str!("../operations.txt"))?;
    let later = listed(include_str!("../later_operations.txt"))?;
    let served: BTreeSet<String> =
        spec::operations_of(&ours()?)?.into_iter().map(|operation| operation.id).collect();
    let known: BTreeSet<String> = spec::operations()?.into_iter().map(|it| it.id).collect();
    ensure!(known.len() == OPERATIONS, "the reference has {} operations", known.len());
    let wrong: Vec<&String> = known
        .iter()
        .filter(|id| {
            says.get(id.as_str()).map(|says| *says == "served") != Some(served.contains(*id))
        })
        .collect();
    ensure!(wrong.is_empty(), "not as operations.txt says: {wrong:?}");
    let unknown: Vec<_> = says.keys().filter(|id| !known.contains(**id)).collect();
    ensure!(unknown.is_empty(), "no operations of 3.1: {unknown:?}");

    let derived = read_json(&shared().join("immich/openapi-3.3.5-derived.json"))?;
    let newer: BTreeSet<String> = spec::operations_of(&derived)?
        .into_iter()
        .map(|operation| operation.id)
        .filter(|id| !known.contains(id))
        .collect();
    ensure!(newer.len() == LATER_OPERATIONS, "{} operations are new", newer.len());
    for id in &newer {
        let says = later.get(id.as_str()).with_context(|| format!("{id} is not accounted for"))?;
        ensure!(served.contains(id) == (*says == "served"), "{id} is listed as {says}");
    }
    let unknown: Vec<_> = later.keys().filter(|id| !newer.contains(**id)).collect();
    ensure!(unknown.is_empty(), "no later operations: {unknown:?}");
    Ok(())
}
