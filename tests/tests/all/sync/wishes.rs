//! Wishes of a walk about what people share, organize and name. What a rule refuses is a step, too.

use anyhow::Context as _;
use calotype_tests::Client;
use rand::Rng as _;
use rand::seq::IndexedRandom as _;
use reqwest::Method;
use serde_json::{Value, json};

use super::walk::People;

/// Years that memories are of.
const YEARS: std::ops::Range<u16> = 1990..2020;

/// Posts a wish; the id of what it made, where it was granted.
async fn make(client: &Client, path: &str, body: &Value) -> anyhow::Result<Option<String>> {
    let answer = client.post(path, body).await?;
    if answer.status != 201 {
        return Ok(None);
    }
    Ok(Some(answer.json()?["id"].as_str().context("no id")?.to_owned()))
}

impl People {
    fn some_assets(&mut self, who: usize, count: usize) -> Vec<String> {
        let assets = &self.people[who].assets;
        assets.choose_multiple(&mut self.random, count).cloned().collect()
    }

    /// Something about albums or partners.
    pub(super) async fn share(&mut self, who: usize) -> anyhow::Result<()> {
        let other = self.random.random_range(0..self.people.len());
        let other = self.people[other].phone.user_id().to_owned();
        let album = self.albums.choose(&mut self.random).cloned();
        let some: Vec<String> =
            self.people[who].assets.choose_multiple(&mut self.random, 3).cloned().collect();
        let client = &self.people[who].client;
        let name = format!("Album {}", self.random.random::<u8>());
        match (self.random.random_range(0..14), album) {
            (0 | 1, _) | (2..=8, None) => {
                let body = json!({ "albumName": name, "assetIds": some });
                let answer = client.post("/api/albums", &body).await?.expect(201)?.json()?;
                self.albums.push(answer["id"].as_str().context("no id")?.to_owned());
            }
            (2 | 3, Some(id)) => {
                let body = json!({ "albumUsers": [{ "userId": other, "role": "editor" }] });
                client.put(&format!("/api/albums/{id}/users"), &body).await?;
            }
            (4, Some(id)) => {
                let path = format!("/api/albums/{id}/user/{other}");
                client.delete(&path, &json!({})).await?;
            }
            (5 | 6, Some(id)) => {
                let path = format!("/api/albums/{id}/assets");
                client.put(&path, &json!({ "ids": some })).await?;
            }
            (7, Some(id)) => {
                let path = format!("/api/albums/{id}/assets");
                client.delete(&path, &json!({ "ids": some })).await?;
            }
            (8, Some(id)) if self.random.random_bool(0.3) => {
                client.delete(&format!("/api/albums/{id}"), &json!({})).await?;
            }
            (8, Some(id)) => {
                let body = json!({ "albumName": name, "isActivityEnabled": false });
                client.call(Method::PATCH, &format!("/api/albums/{id}"), &body).await?;
            }
            (9 | 10, _) => {
                client.post("/api/partners", &json!({ "sharedWithId": other })).await?;
            }
            (11, _) => {
                client.delete(&format!("/api/partners/{other}"), &json!({})).await?;
            }
            _ => {
                let body = json!({ "inTimeline": self.random.random::<bool>() });
                client.put(&format!("/api/partners/{other}"), &body).await?;
            }
        }
        Ok(())
    }

    /// Something about stacks, memories, or values that programs keep with assets.
    pub(super) async fn organize(&mut self, who: usize) -> anyhow::Result<()> {
        let some = self.some_assets(who, 3);
        let Some(one) = some.first().cloned() else { return Ok(()) };
        let year = self.random.random_range(YEARS);
        let flag = self.random.random::<bool>();
        let key = ["mobile-app", "other"][usize::from(flag)];
        let person = &mut self.people[who];
        let stack = person.stacks.choose(&mut self.random).cloned();
        let memory = person.memories.choose(&mut self.random).cloned();
        let client = person.client.clone();
        match (self.random.random_range(0..14), stack, memory) {
            (0 | 1, ..) | (2..=4, None, _) => {
                let made = make(&client, "/api/stacks", &json!({ "assetIds": some })).await?;
                person.stacks.extend(made);
            }
            (2, Some(id), _) => {
                let body = json!({ "primaryAssetId": one });
                client.put(&format!("/api/stacks/{id}"), &body).await?;
            }
            (3, Some(id), _) => {
                client.delete(&format!("/api/stacks/{id}/assets/{one}"), &json!({})).await?;
            }
            (4, Some(id), _) => {
                let stack = client.get(&format!("/api/stacks/{id}")).await?;
                let answer = client.delete(&format!("/api/stacks/{id}"), &json!({})).await?;
                if answer.status == 204 && flag {
                    let stack = stack.json()?;
                    take_back(&client, &stack["primaryAssetId"]).await?;
                }
            }
            (5 | 6, ..) | (7..=10, _, None) => {
                let body = json!({
                    "type": "on_this_day", "data": { "year": year }, "isSaved": flag,
                    "memoryAt": format!("{year}-05-06T00:00:00.000Z"), "assetIds": some,
                });
                person.memories.extend(make(&client, "/api/memories", &body).await?);
            }
            (7, _, Some(id)) => {
                let body = json!({ "isSaved": flag, "seenAt": "2026-11-22T08:24:13.688Z" });
                client.put(&format!("/api/memories/{id}"), &body).await?;
            }
            (8, _, Some(id)) => {
                client.put(&format!("/api/memories/{id}/assets"), &json!({ "ids": some })).await?;
            }
            (9, _, Some(id)) => {
                let path = format!("/api/memories/{id}/assets");
                client.delete(&path, &json!({ "ids": some })).await?;
            }
            (10, _, Some(id)) => {
                client.delete(&format!("/api/memories/{id}"), &json!({})).await?;
            }
            (11 | 12, ..) => {
                let items = json!({ "items": [{ "key": key, "value": { "year": year } }] });
                client.put(&format!("/api/assets/{one}/metadata"), &items).await?;
            }
            _ => {
                client.delete(&format!("/api/assets/{one}/metadata/{key}"), &json!({})).await?;
            }
        }
        Ok(())
    }

    /// Something about people and faces.
    pub(super) async fn name_people(&mut self, who: usize) -> anyhow::Result<()> {
        let Some(asset) = self.some_asset(who) else { return Ok(()) };
        let name = format!("Person {}", self.random.random::<u8>());
        let (x, flag) = (self.random.random_range(0..50), self.random.random::<bool>());
        let person = &mut self.people[who];
        let face = person.faces.choose(&mut self.random).cloned();
        let other = person.named.choose(&mut self.random).cloned();
        let client = person.client.clone();
        let Some(one) = person.named.choose(&mut self.random).cloned() else {
            let made = make(&client, "/api/people", &json!({ "name": name })).await?;
            person.named.extend(made);
            return Ok(());
        };
        match (self.random.random_range(0..12), face, other) {
            (0 | 1, ..) => {
                let body = json!({ "name": name, "birthDate": "1990-05-01", "isHidden": flag });
                person.named.extend(make(&client, "/api/people", &body).await?);
            }
            (2 | 3, ..) => {
                let body = json!({ "name": name, "isFavorite": flag, "color": "#aabbcc" });
                client.put(&format!("/api/people/{one}"), &body).await?;
            }
            (7, Some(face), _) => {
                client.put(&format!("/api/faces/{one}"), &json!({ "id": face })).await?;
            }
            (8, Some(face), _) => {
                client.delete(&format!("/api/faces/{face}"), &json!({ "force": true })).await?;
            }
            (9, _, Some(other)) => {
                let path = format!("/api/people/{one}/merge");
                client.post(&path, &json!({ "ids": [other] })).await?;
            }
            (10, ..) if flag => {
                client.delete(&format!("/api/people/{one}"), &json!({})).await?;
            }
            _ => {
                let body = json!({
                    "assetId": asset, "personId": one, "imageWidth": 100, "imageHeight": 100,
                    "x": x, "y": x, "width": 20, "height": 30,
                });
                client.post("/api/faces", &body).await?;
                let faces = client.get(&format!("/api/faces?id={asset}")).await?;
                if faces.status == 200 {
                    let faces = faces.json()?;
                    let ids = faces.as_array().into_iter().flatten();
                    person
                        .faces
                        .extend(ids.filter_map(|row| row["id"].as_str()).map(str::to_owned));
                }
            }
        }
        Ok(())
    }
}

/// Takes back the last request about an asset.
async fn take_back(client: &Client, asset: &Value) -> anyhow::Result<()> {
    let history = client.history(asset.as_str().context("no asset")?).await?;
    let id = history.last().context("no history")?["correlationId"].clone();
    client.post("/api/calotype/undo", &json!({ "commandId": id })).await.map(drop)
}
