//! Wishes of a walk about how and to whom photos show: behind the PIN, edited, by links. What a rule refuses
//! is a step, too.

use anyhow::{Context as _, ensure};
use calotype_tests::Client;
use calotype_tests::phone::Phone;
use rand::Rng as _;
use rand::seq::IndexedRandom as _;
use reqwest::Method;
use serde_json::{Value, json};

use super::walk::People;

/// The PIN of everybody.
const PIN: &str = "123456";
/// Fields of an edit that are the same in both.
const EDIT_FIELDS: [&str; 3] = ["id", "action", "parameters"];

/// Gives somebody the PIN that all sessions of theirs are opened with.
pub(super) async fn set_pin(client: &Client) -> anyhow::Result<()> {
    client.post("/api/auth/pin-code", &json!({ "pinCode": PIN })).await?.expect(204).map(drop)
}

/// Opens what is behind the PIN to a session.
pub(super) async fn unlock(client: &Client) -> anyhow::Result<()> {
    let pin = json!({ "pinCode": PIN });
    client.post("/api/auth/session/unlock", &pin).await?.expect(204).map(drop)
}

impl People {
    /// Something about what is behind the PIN.
    pub(super) async fn lock(&mut self, who: usize) -> anyhow::Result<()> {
        let Some(id) = self.some_asset(who) else { return Ok(()) };
        let client = &self.people[who].client;
        let path = format!("/api/assets/{id}");
        match self.random.random_range(0..4) {
            0 => client.post("/api/auth/session/lock", &json!({})).await.map(drop),
            1 => {
                unlock(client).await?;
                client.put(&path, &json!({ "visibility": "timeline" })).await.map(drop)
            }
            _ => client.put(&path, &json!({ "visibility": "locked" })).await.map(drop),
        }
    }

    /// Something about edits.
    pub(super) async fn edit(&mut self, who: usize) -> anyhow::Result<()> {
        let Some(id) = self.some_asset(who) else { return Ok(()) };
        let angle = [90, 180, 270][self.random.random_range(0..3)];
        let axis = ["horizontal", "vertical"][self.random.random_range(0..2)];
        let turn = json!({ "action": "rotate", "parameters": { "angle": angle } });
        let mirror = json!({ "action": "mirror", "parameters": { "axis": axis } });
        let client = &self.people[who].client;
        let path = format!("/api/assets/{id}/edits");
        match self.random.random_range(0..4) {
            0 => client.delete(&path, &json!({})).await.map(drop),
            1 => client.put(&path, &json!({ "edits": [turn, mirror] })).await.map(drop),
            2 => client.put(&path, &json!({ "edits": [mirror] })).await.map(drop),
            _ => client.put(&path, &json!({ "edits": [turn] })).await.map(drop),
        }
    }

    /// Something about shared links, also as a visitor.
    pub(super) async fn link(&mut self, who: usize) -> anyhow::Result<()> {
        let Some(id) = self.some_asset(who) else { return Ok(()) };
        let album = self.albums.choose(&mut self.random).cloned();
        let known = self.links.choose(&mut self.random).cloned();
        let flag = self.random.random::<bool>();
        let client = self.people[who].client.clone();
        match (self.random.random_range(0..10), known, album) {
            (0, Some((link, _)), _) => {
                client.delete(&format!("/api/shared-links/{link}"), &json!({})).await.map(drop)
            }
            (1 | 2, Some((link, _)), _) => {
                let path = format!("/api/shared-links/{link}/assets");
                let method = if flag { Method::PUT } else { Method::DELETE };
                client.call(method, &path, &json!({ "assetIds": [id] })).await.map(drop)
            }
            (3, Some((link, _)), _) => {
                let change = json!({ "description": "changed", "allowDownload": flag });
                let path = format!("/api/shared-links/{link}");
                client.call(Method::PATCH, &path, &change).await.map(drop)
            }
            (4 | 5, Some((_, key)), _) => {
                let path = format!("/api/shared-links/me?key={key}");
                client.anonymous().get(&path).await.map(drop)
            }
            (6, _, Some(album)) => {
                self.share_by_link(&client, &json!({ "type": "ALBUM", "albumId": album })).await
            }
            _ => {
                let individual = json!({ "type": "INDIVIDUAL", "assetIds": [id] });
                self.share_by_link(&client, &individual).await
            }
        }
    }

    /// Something about tags, or what is said about an album.
    pub(super) async fn tag_or_say(&mut self, who: usize) -> anyhow::Result<()> {
        let Some(id) = self.some_asset(who) else { return Ok(()) };
        let album = self.albums.choose(&mut self.random).cloned();
        let value = ["a", "a/b", "c"][self.random.random_range(0..3)];
        let wish = self.random.random_range(0..8);
        let client = &self.people[who].client;
        let ids = json!({ "ids": [id] });
        match (wish, album) {
            (0 | 1, Some(album)) => {
                let said = json!({ "albumId": album, "type": "comment", "comment": value });
                client.post("/api/activities", &said).await.map(drop)
            }
            (2, Some(album)) => {
                let liked = json!({ "albumId": album, "assetId": id, "type": "like" });
                client.post("/api/activities", &liked).await.map(drop)
            }
            _ => {
                let tags = client.put("/api/tags", &json!({ "tags": [value] })).await?;
                let tags = tags.expect(200)?.json()?;
                let tag = tags[0]["id"].as_str().context("no tag")?;
                match wish {
                    3 => client.delete(&format!("/api/tags/{tag}"), &json!({})).await.map(drop),
                    4 => {
                        let path = format!("/api/tags/{tag}/assets");
                        client.delete(&path, &ids).await.map(drop)
                    }
                    _ => client.put(&format!("/api/tags/{tag}/assets"), &ids).await.map(drop),
                }
            }
        }
    }

    /// Takes something back, or empties the trash.
    pub(super) async fn take_back_or_empty(&mut self, who: usize) -> anyhow::Result<()> {
        let Some(id) = self.some_asset(who) else { return Ok(()) };
        let wish = self.random.random_range(0..4);
        let client = &self.people[who].client;
        match wish {
            0 => client.post("/api/trash/empty", &json!({})).await.map(drop),
            _ => {
                let path = format!("/api/calotype/assets/{id}/history");
                let history = client.get(&path).await?;
                if history.status != 200 {
                    return Ok(());
                }
                let history = history.json()?;
                let last = history.as_array().and_then(|events| events.last());
                let Some(last) = last else { return Ok(()) };
                let wish = json!({ "commandId": last["correlationId"] });
                client.post("/api/calotype/undo", &wish).await.map(drop)
            }
        }
    }

    async fn share_by_link(&mut self, client: &Client, wish: &Value) -> anyhow::Result<()> {
        let answer = client.post("/api/shared-links", wish).await?;
        if answer.status == 201 {
            let link = answer.json()?;
            let word = |name: &str| link[name].as_str().map(str::to_owned).context("no link");
            self.links.push((word("id")?, word("key")?));
        }
        Ok(())
    }
}

/// The edits of the own photos, in their order. What is behind the PIN has to be open.
pub(super) async fn ensure_edits(phone: &Phone) -> anyhow::Result<()> {
    let edits = phone.table("edit");
    let mut found = 0;
    for (id, asset) in phone.table("asset") {
        if asset["ownerId"] != json!(phone.user_id()) {
            continue;
        }
        let shown = phone.client().get_json(&format!("/api/assets/{id}/edits")).await?;
        for (place, shown) in shown["edits"].as_array().into_iter().flatten().enumerate() {
            let held = edits.get(shown["id"].as_str().context("no id")?).context("no such edit")?;
            ensure!(held["assetId"] == json!(id) && held["sequence"] == json!(place), "{held}");
            for field in EDIT_FIELDS {
                ensure!(held[field] == shown[field], "{field}: {held} and {shown}");
            }
            found += 1;
        }
    }
    ensure!(found == edits.len(), "REST shows {found} of {edits:?}");
    Ok(())
}
