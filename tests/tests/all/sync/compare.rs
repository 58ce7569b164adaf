//! Whether a phone has what REST shows to the same person.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use calotype_tests::phone::Phone;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{organized, shared, shown};

/// Fields of an asset that are the same in both.
const ASSET_FIELDS: [&str; 13] = [
    "ownerId",
    "originalFileName",
    "fileCreatedAt",
    "fileModifiedAt",
    "localDateTime",
    "type",
    "isFavorite",
    "visibility",
    "duration",
    "livePhotoVideoId",
    "checksum",
    "thumbhash",
    "isEdited",
];
/// Fields of what a file says that are the same in both.
const EXIF_FIELDS: [&str; 19] = [
    "description",
    "exifImageWidth",
    "exifImageHeight",
    "fileSizeInByte",
    "orientation",
    "timeZone",
    "latitude",
    "longitude",
    "projectionType",
    "city",
    "state",
    "country",
    "make",
    "model",
    "lensModel",
    "fNumber",
    "focalLength",
    "iso",
    "rating",
];
/// Fields of the own account that are the same in both.
const ACCOUNT_FIELDS: [&str; 8] = [
    "name",
    "email",
    "avatarColor",
    "profileChangedAt",
    "isAdmin",
    "storageLabel",
    "quotaSizeInBytes",
    "quotaUsageInBytes",
];

/// Refuses a phone that has anything else than REST shows.
pub(super) async fn ensure_shows_what_rest_shows(phone: &Phone) -> anyhow::Result<()> {
    ensure_accounts(phone).await.context("accounts")?;
    ensure_assets(phone).await.context("assets")?;
    shared::ensure_albums(phone).await.context("albums")?;
    shared::ensure_partners(phone).await.context("partners")?;
    organized::ensure_stacks(phone).await.context("stacks")?;
    organized::ensure_memories(phone).await.context("memories")?;
    organized::ensure_key_values(phone).await.context("values of programs")?;
    organized::ensure_people(phone).await.context("people")?;
    shown::ensure_edits(phone).await.context("edits")
}

async fn ensure_accounts(phone: &Phone) -> anyhow::Result<()> {
    let me = phone.client().get_json("/api/users/me").await?;
    let own = phone.table("auth_user");
    ensure!(own.len() == 1, "{} own accounts", own.len());
    let own = own.get(phone.user_id()).context("the account is another's")?;
    same(&ACCOUNT_FIELDS, own, &me)?;

    let shown = phone.client().get_json("/api/users").await?;
    let shown = ids(&shown);
    let active = phone.table("user").into_iter().filter(|(_, row)| row["deletedAt"].is_null());
    let active: BTreeSet<String> = active.map(|(id, _)| id).collect();
    ensure!(active == shown, "the phone has {active:?}, REST shows {shown:?}");

    let onboarding = phone.client().get_json("/api/users/me/onboarding").await?;
    let key = format!("{} onboarding", phone.user_id());
    let held = phone.table("user_metadata").get(&key).map(|row| row["value"].clone());
    let is_onboarded = held.map_or(json!(false), |value| value["isOnboarded"].clone());
    ensure!(is_onboarded == onboarding["isOnboarded"], "{is_onboarded} and {onboarding}");
    Ok(())
}

async fn ensure_assets(phone: &Phone) -> anyhow::Result<()> {
    let (assets, exifs) = (phone.table("asset"), phone.table("exif"));
    let own: Vec<&Value> =
        assets.values().filter(|row| row["ownerId"] == json!(phone.user_id())).collect();
    for visibility in ["timeline", "archive"] {
        for is_trashed in [false, true] {
            let filter = format!("visibility={visibility}&isTrashed={is_trashed}");
            let shown: BTreeSet<String> =
                phone.client().timeline(&filter).await?.into_iter().collect();
            let held: BTreeSet<String> = own
                .iter()
                .filter(|row| row["visibility"] == json!(visibility))
                .filter(|row| row["deletedAt"].is_null() != is_trashed)
                .filter_map(|row| row["id"].as_str().map(str::to_owned))
                .collect();
            ensure!(held == shown, "{filter}: the phone has {held:?}, REST shows {shown:?}");
        }
    }
    for row in assets.values() {
        // Locked ones open only to a session that gave the PIN.
        if row["visibility"] == json!("locked") {
            continue;
        }
        let id = row["id"].as_str().context("no id")?;
        let shown = phone.client().get_json(&format!("/api/assets/{id}")).await;
        let shown = shown.with_context(|| format!("the phone has {row}"))?;
        same(&ASSET_FIELDS, row, &shown).with_context(|| id.to_owned())?;
        ensure!(row["deletedAt"].is_null() != (shown["isTrashed"] == json!(true)), "{id}: trash");
        if row["ownerId"] == json!(phone.user_id()) {
            let stack = shown["stack"].get("id").cloned().unwrap_or_default();
            ensure!(row["stackId"] == stack, "{id}: stacks {} and {stack}", row["stackId"]);
        }
        ensure!(row["width"] == shown["width"], "{id}: {} and {}", row["width"], shown["width"]);
        let exif = exifs.get(id).with_context(|| format!("{id} has no exif"))?;
        same(&EXIF_FIELDS, exif, &shown["exifInfo"]).with_context(|| id.to_owned())?;
        let date = |row: &Value| -> anyhow::Result<Option<DateTime<Utc>>> {
            let text = row["dateTimeOriginal"].as_str();
            Ok(text.map(DateTime::parse_from_rfc3339).transpose()?.map(|date| date.to_utc()))
        };
        ensure!(date(exif)? == date(&shown["exifInfo"])?, "{id}: dates differ");
    }
    ensure!(exifs.keys().eq(assets.keys()), "exifs of assets that are gone");
    Ok(())
}

/// The ids in a list.
pub(super) fn ids(list: &Value) -> BTreeSet<String> {
    let rows = list.as_array().into_iter().flatten();
    rows.filter_map(|row| row["id"].as_str().map(str::to_owned)).collect()
}

fn same(fields: &[&str], held: &Value, shown: &Value) -> anyhow::Result<()> {
    for field in fields {
        let (held, shown) = (&held[*field], &shown[*field]);
        ensure!(held == shown, "{field}: the phone has {held}, REST shows {shown}");
    }
    Ok(())
}
