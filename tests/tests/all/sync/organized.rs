//! Whether a phone has of stacks, memories, programs' values, people and faces what REST shows.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};
use calotype_tests::phone::Phone;
use serde_json::{Value, json};

use super::compare::ids;

/// Fields of a memory that are the same in both.
const MEMORY_FIELDS: [&str; 10] = [
    "createdAt",
    "updatedAt",
    "ownerId",
    "type",
    "data",
    "isSaved",
    "memoryAt",
    "seenAt",
    "showAt",
    "hideAt",
];
/// Fields of a person that are the same in both.
const PERSON_FIELDS: [&str; 5] = ["name", "isHidden", "isFavorite", "color", "updatedAt"];
/// Fields of a face that are the same in both.
const FACE_FIELDS: [&str; 7] = [
    "imageWidth",
    "imageHeight",
    "boundingBoxX1",
    "boundingBoxY1",
    "boundingBoxX2",
    "boundingBoxY2",
    "sourceType",
];

/// Assets of the phone that show in places of these kinds.
fn shown_assets(phone: &Phone, visibilities: &[&str]) -> BTreeMap<String, Value> {
    let shows = |row: &Value| {
        row["deletedAt"].is_null()
            && row["visibility"].as_str().is_some_and(|word| visibilities.contains(&word))
    };
    phone.table("asset").into_iter().filter(|(_, row)| shows(row)).collect()
}

/// Refuses fields that differ; what REST leaves out is `null` to a phone.
fn ensure_same(fields: &[&str], held: &Value, shown: &Value) -> anyhow::Result<()> {
    for field in fields {
        let (held, shown) = (&held[*field], &shown[*field]);
        ensure!(held == shown, "{field}: the phone has {held}, REST shows {shown}");
    }
    Ok(())
}

/// The own stacks with their assets.
pub(super) async fn ensure_stacks(phone: &Phone) -> anyhow::Result<()> {
    let stacks: BTreeMap<String, Value> = phone
        .table("stack")
        .into_iter()
        .filter(|(_, row)| row["ownerId"] == json!(phone.user_id()))
        .collect();
    let shown = phone.client().get_json("/api/stacks").await?;
    let held: BTreeSet<String> = stacks.keys().cloned().collect();
    ensure!(held == ids(&shown), "the phone has {held:?}, REST shows {:?}", ids(&shown));
    let assets = shown_assets(phone, &["timeline", "archive"]);
    for stack in shown.as_array().into_iter().flatten() {
        let id = stack["id"].as_str().context("no id")?;
        ensure!(stacks[id]["primaryAssetId"] == stack["primaryAssetId"], "{id}: primary assets");
        let inside = assets.iter().filter(|(_, row)| row["stackId"] == json!(id));
        let inside: BTreeSet<String> = inside.map(|(id, _)| id.clone()).collect();
        let shown = ids(&stack["assets"]);
        ensure!(inside == shown, "{id}: the phone has {inside:?}, REST shows {shown:?}");
    }
    Ok(())
}

/// Memories with their assets.
pub(super) async fn ensure_memories(phone: &Phone) -> anyhow::Result<()> {
    let (memories, inside) = (phone.table("memory"), phone.table("memory_asset"));
    let shown = phone.client().get_json("/api/memories").await?;
    let held: BTreeSet<String> = memories.keys().cloned().collect();
    ensure!(held == ids(&shown), "the phone has {held:?}, REST shows {:?}", ids(&shown));
    let assets = shown_assets(phone, &["timeline"]);
    for memory in shown.as_array().into_iter().flatten() {
        let id = memory["id"].as_str().context("no id")?;
        ensure_same(&MEMORY_FIELDS, &memories[id], memory).with_context(|| id.to_owned())?;
        let held: BTreeSet<String> = inside
            .values()
            .filter(|row| row["memoryId"] == json!(id))
            .filter_map(|row| row["assetId"].as_str().map(str::to_owned))
            .filter(|id| assets.contains_key(id))
            .collect();
        let shown = ids(&memory["assets"]);
        ensure!(held == shown, "{id}: the phone has {held:?}, REST shows {shown:?}");
    }
    let orphan =
        |row: &&Value| !memories.contains_key(row["memoryId"].as_str().unwrap_or_default());
    ensure!(!inside.values().any(|row| orphan(&row)), "assets of a memory that is gone");
    Ok(())
}

/// Values that programs keep with the own assets.
pub(super) async fn ensure_key_values(phone: &Phone) -> anyhow::Result<()> {
    let values = phone.table("metadata");
    let mut found = 0;
    for id in own_assets(phone) {
        let shown = phone.client().get_json(&format!("/api/assets/{id}/metadata")).await?;
        for entry in shown.as_array().into_iter().flatten() {
            let key = entry["key"].as_str().context("no key")?;
            let held = values.get(&format!("{id} {key}")).with_context(|| format!("{id} {key}"))?;
            ensure!(held["value"] == entry["value"], "{id} {key}: {held} and {entry}");
            found += 1;
        }
    }
    ensure!(found == values.len(), "REST shows {found} of {values:?}");
    Ok(())
}

/// People, and the faces on the own photos.
pub(super) async fn ensure_people(phone: &Phone) -> anyhow::Result<()> {
    let (people, faces) = (phone.table("person"), phone.table("face"));
    let listed = phone.client().get_json("/api/people?withHidden=true&size=1000").await?;
    let listed = ids(&listed["people"]);
    ensure!(listed.iter().all(|id| people.contains_key(id)), "people are missing: {listed:?}");
    for (id, held) in &people {
        let shown = phone.client().get_json(&format!("/api/people/{id}")).await?;
        ensure_same(&PERSON_FIELDS, held, &shown).with_context(|| id.clone())?;
        let born = held["birthDate"].as_str().map(|date| &date[..10]);
        ensure!(born == shown["birthDate"].as_str(), "{id}: born {born:?}");
    }
    let edits = phone.table("edit");
    let edited: BTreeSet<String> =
        edits.values().filter_map(|row| row["assetId"].as_str().map(str::to_owned)).collect();
    let mut found = 0;
    for id in own_assets(phone) {
        let shown = phone.client().get_json(&format!("/api/faces?id={id}")).await?;
        for face in shown.as_array().into_iter().flatten() {
            let held = faces.get(face["id"].as_str().context("no id")?).context("no such face")?;
            // A phone has them as they lie in the file, and turns them itself; REST shows them turned.
            if !edited.contains(&id) {
                ensure_same(&FACE_FIELDS, held, face).with_context(|| held.to_string())?;
            }
            let person = face["person"].get("id").cloned().unwrap_or_default();
            ensure!(held["personId"] == person, "{held} is said to be {person}");
            found += 1;
        }
    }
    ensure!(found == faces.len(), "REST shows {found} of {faces:?}");
    Ok(())
}

fn own_assets(phone: &Phone) -> Vec<String> {
    let own = json!(phone.user_id());
    let assets = phone.table("asset");
    assets.into_iter().filter(|(_, row)| row["ownerId"] == own).map(|(id, _)| id).collect()
}
