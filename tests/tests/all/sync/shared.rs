//! Whether a phone has of albums and partners what REST shows.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use calotype_tests::phone::Phone;
use serde_json::{Value, json};

use super::compare::ids;

/// Fields of an album: the phone's name, and that of REST.
const ALBUM_FIELDS: [(&str, &str); 7] = [
    ("name", "albumName"),
    ("description", "description"),
    ("createdAt", "createdAt"),
    ("updatedAt", "updatedAt"),
    ("thumbnailAssetId", "albumThumbnailAssetId"),
    ("isActivityEnabled", "isActivityEnabled"),
    ("order", "order"),
];

/// Albums with their members and what is in them.
pub(super) async fn ensure_albums(phone: &Phone) -> anyhow::Result<()> {
    let albums = phone.table("album");
    let shown = phone.client().get_json("/api/albums").await?;
    let held: BTreeSet<String> = albums.keys().cloned().collect();
    ensure!(held == ids(&shown), "the phone has {held:?}, REST shows {:?}", ids(&shown));
    for shown in shown.as_array().into_iter().flatten() {
        let id = shown["id"].as_str().context("no id")?;
        let held = &albums[id];
        ensure_album(phone, id, held, shown).await.with_context(|| format!("album {id}"))?;
    }
    for of in ["album_user", "album_asset"] {
        let orphan = phone
            .table(of)
            .values()
            .any(|row| !albums.contains_key(row["albumId"].as_str().unwrap_or_default()));
        ensure!(!orphan, "{of} of an album that is gone");
    }
    Ok(())
}

async fn ensure_album(phone: &Phone, id: &str, held: &Value, shown: &Value) -> anyhow::Result<()> {
    for (field, other) in ALBUM_FIELDS {
        let (held, shown) = (&held[field], &shown[other]);
        ensure!(held == shown, "{field}: the phone has {held}, REST shows {shown}");
    }
    let role = |row: &Value, user: &Value| {
        (user.as_str().unwrap_or_default().to_owned(), row["role"].as_str().map(str::to_owned))
    };
    let held: BTreeSet<_> = phone
        .table("album_user")
        .values()
        .filter(|row| row["albumId"] == json!(id))
        .map(|row| role(row, &row["userId"]))
        .collect();
    let users = shown["albumUsers"].as_array().context("no members")?;
    let shown: BTreeSet<_> = users.iter().map(|row| role(row, &row["user"]["id"])).collect();
    ensure!(held == shown, "members: the phone has {held:?}, REST shows {shown:?}");

    let assets = phone.table("asset");
    let held: BTreeSet<String> = phone
        .table("album_asset")
        .values()
        .filter(|row| row["albumId"] == json!(id))
        .filter_map(|row| row["assetId"].as_str().map(str::to_owned))
        .filter(|id| assets.get(id).is_some_and(|row| row["visibility"] != json!("hidden")))
        .collect();
    let shown: BTreeSet<String> =
        phone.client().timeline(&format!("albumId={id}")).await?.into_iter().collect();
    ensure!(held == shown, "assets: the phone has {held:?}, REST shows {shown:?}");
    Ok(())
}

/// Partners and what they share.
pub(super) async fn ensure_partners(phone: &Phone) -> anyhow::Result<()> {
    let partners = phone.table("partner");
    for (direction, mine, theirs) in
        [("shared-with", "sharedWithId", "sharedById"), ("shared-by", "sharedById", "sharedWithId")]
    {
        let path = format!("/api/partners?direction={direction}");
        let shown = ids(&phone.client().get_json(&path).await?);
        let held: BTreeSet<String> = partners
            .values()
            .filter(|row| row[mine] == json!(phone.user_id()))
            .filter_map(|row| row[theirs].as_str().map(str::to_owned))
            .collect();
        ensure!(held == shown, "{direction}: the phone has {held:?}, REST shows {shown:?}");
        if direction == "shared-by" {
            continue;
        }
        for id in held {
            let shown: BTreeSet<String> = phone
                .client()
                .timeline(&format!("userId={id}&visibility=timeline"))
                .await?
                .into_iter()
                .collect();
            let held: BTreeSet<String> = phone
                .table("asset")
                .values()
                .filter(|row| row["ownerId"] == json!(id) && row["visibility"] == json!("timeline"))
                .filter_map(|row| row["id"].as_str().map(str::to_owned))
                .collect();
            ensure!(held == shown, "assets of {id}: {held:?}, REST shows {shown:?}");
        }
    }
    Ok(())
}
