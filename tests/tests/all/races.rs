//! What must be unique, wanted by fifty clients at once: one gets it, the others hear what the contract says,
//! and what is there afterwards is one thing.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};
use calotype_tests::media::media;
use calotype_tests::{Answer, Client, Options, Upload, story};
use futures::future::try_join_all;
use reqwest::Method;
use serde_json::{Value, json};

/// Clients that race.
const RACING: usize = 50;
/// How often an asset is locked and put into an album at once.
const LOCK_ROUNDS: usize = 10;
const PICTURES: [&str; 2] = ["photos/edge/rating_1.jpg", "photos/edge/gps_south_west.jpg"];

/// What fifty clients were answered.
struct Race(Vec<Answer>);

impl Race {
    /// Fifty times the same.
    async fn run(client: &Client, method: Method, path: &str, body: Value) -> anyhow::Result<Self> {
        Self::each(client, method, path, |_| body.clone()).await
    }

    /// Fifty bodies.
    async fn each(
        client: &Client,
        method: Method,
        path: &str,
        body: impl Fn(usize) -> Value,
    ) -> anyhow::Result<Self> {
        let bodies: Vec<Value> = (0..RACING).map(body).collect();
        let asked = bodies.iter().map(|body| client.call(method.clone(), path, body));
        Ok(Self(try_join_all(asked).await?))
    }

    /// Refuses other counts of answers.
    fn ensure(&self, wanted: &[(u16, usize)]) -> anyhow::Result<&Self> {
        let mut counts = BTreeMap::new();
        for answer in &self.0 {
            *counts.entry(answer.status).or_insert(0) += 1;
        }
        let wanted: BTreeMap<u16, usize> = wanted.iter().copied().collect();
        let odd = self.0.iter().find(|answer| !wanted.contains_key(&answer.status));
        ensure!(counts == wanted, "{counts:?}, and {:?}", odd.map(Answer::shown));
        Ok(self)
    }

    /// Refuses other words for those who were refused.
    fn ensure_message(&self, message: &str) -> anyhow::Result<()> {
        for answer in self.0.iter().filter(|answer| answer.status >= 400) {
            ensure!(answer.message()? == message, "{}", answer.shown());
        }
        Ok(())
    }

    /// What bulk answers say of their only item: how often it was done, and what else was said.
    fn ensure_done_once(&self, otherwise: &str) -> anyhow::Result<()> {
        let mut done = 0;
        for answer in &self.0 {
            let items = answer.clone().expect(200)?.json()?;
            match items[0]["success"].as_bool() {
                Some(true) => done += 1,
                _ => ensure!(items[0]["error"] == otherwise, "{items}"),
            }
        }
        ensure!(done == 1, "done {done} times");
        Ok(())
    }
}

fn id(value: &Value) -> anyhow::Result<String> {
    value["id"].as_str().map(str::to_owned).with_context(|| format!("no id in {value}"))
}

#[tokio::test]
async fn there_is_one_first_administrator() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let nobody = server.client();
        let body = |number| {
            json!({ "email": format!("{number}@example.com"), "password": "password", "name": "A" })
        };
        let race = Race::each(&nobody, Method::POST, "/api/auth/admin-sign-up", body).await?;
        race.ensure(&[(201, 1), (400, RACING - 1)])?;
        race.ensure_message("The server already has an admin")
    })
    .await
}

#[tokio::test]
async fn an_address_and_a_label_have_one_account() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let users = "/api/admin/users";
        let body = json!({ "email": "one@example.com", "password": "password", "name": "One" });
        let race = Race::run(&admin, Method::POST, users, body).await?;
        race.ensure(&[(201, 1), (400, RACING - 1)])?.ensure_message("User exists")?;
        let body = |number| {
            json!({
                "email": format!("{number}@example.com"), "password": "password", "name": "N",
                "storageLabel": "attic",
            })
        };
        let race = Race::each(&admin, Method::POST, users, body).await?;
        let taken = "Storage label already in use by another account";
        race.ensure(&[(201, 1), (400, RACING - 1)])?.ensure_message(taken)?;
        let all = admin.get_json(users).await?;
        ensure!(all.as_array().map(Vec::len) == Some(3), "{all}");

        // An address that several want to change to.
        let two = admin.create_user("two@example.com").await?;
        let one = admin.login("one@example.com").await?;
        let wish = json!({ "email": "both@example.com" });
        let asked = (0..RACING)
            .map(|number| if number % 2 == 0 { &one } else { &two })
            .map(|client| client.put("/api/users/me", &wish));
        let race = Race(try_join_all(asked).await?);
        race.ensure(&[(200, RACING / 2), (400, RACING / 2)])?;
        let all = admin.get_json(users).await?;
        let have = all.as_array().into_iter().flatten().filter(|it| it["email"] == wish["email"]);
        ensure!(have.count() == 1, "{all}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_same_bytes_are_one_asset_of_each_owner() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let other = admin.create_user("other@example.com").await?;
        for client in [&admin, &other] {
            let upload = Upload::of(&media(PICTURES[0])?)?;
            let asked = (0..RACING).map(|_| client.send_upload(&upload));
            let race = Race(try_join_all(asked).await?);
            race.ensure(&[(201, 1), (200, RACING - 1)])?;
            let ids: BTreeSet<String> =
                race.0.iter().map(|it| id(&it.json()?)).collect::<anyhow::Result<_>>()?;
            ensure!(ids.len() == 1, "{ids:?}");
            let counted = client.get_json("/api/assets/statistics").await?;
            ensure!(counted["total"] == 1, "{counted}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn names_and_parts_are_given_once() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let friend = owner.create_user("friend@example.com").await?.my_id().await?;
        let asset = owner.upload_file(&media(PICTURES[0])?).await?;

        let album = id(&owner.post("/api/albums", &json!({ "albumName": "A" })).await?.json()?)?;
        let part = json!({ "albumUsers": [{ "userId": friend, "role": "viewer" }] });
        let path = format!("/api/albums/{album}/users");
        let race = Race::run(&owner, Method::PUT, &path, part).await?;
        race.ensure(&[(200, RACING)])?;
        let shown = owner.get_json(&format!("/api/albums/{album}")).await?;
        ensure!(shown["albumUsers"].as_array().map(Vec::len) == Some(2), "{shown}");

        let race = Race::run(&owner, Method::POST, "/api/tags", json!({ "name": "trip" })).await?;
        race.ensure(&[(201, 1), (400, RACING - 1)])?;
        let path = json!({ "tags": ["trip/sea/blue"] });
        let race = Race::run(&owner, Method::PUT, "/api/tags", path).await?;
        race.ensure(&[(200, RACING)])?;
        let tags = owner.get_json("/api/tags").await?;
        ensure!(tags.as_array().map(Vec::len) == Some(3), "{tags}");

        let link = json!({ "type": "INDIVIDUAL", "assetIds": [asset], "slug": "sea" });
        let race = Race::run(&owner, Method::POST, "/api/shared-links", link).await?;
        let taken = "Shared link with this slug already exists";
        race.ensure(&[(201, 1), (400, RACING - 1)])?.ensure_message(taken)?;
        let links = owner.get_json("/api/shared-links").await?;
        ensure!(links.as_array().map(Vec::len) == Some(1), "{links}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_asset_is_put_somewhere_once() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let first = owner.upload_file(&media(PICTURES[0])?).await?;
        let asset = owner.upload_file(&media(PICTURES[1])?).await?;

        let tag = id(&owner.post("/api/tags", &json!({ "name": "t" })).await?.json()?)?;
        let memory = json!({
            "type": "on_this_day", "memoryAt": "2021-01-01T00:00:00.000Z", "data": { "year": 2021 },
        });
        let memory = id(&owner.post("/api/memories", &memory).await?.expect(201)?.json()?)?;
        for path in [format!("/api/tags/{tag}/assets"), format!("/api/memories/{memory}/assets")] {
            let ids = json!({ "ids": [asset] });
            let race = Race::run(&owner, Method::PUT, &path, ids.clone()).await?;
            race.ensure_done_once("duplicate").context(path.clone())?;
            let race = Race::run(&owner, Method::DELETE, &path, ids).await?;
            race.ensure_done_once("not_found").context(path)?;
        }
        let link = json!({ "type": "INDIVIDUAL", "assetIds": [first] });
        let link = id(&owner.post("/api/shared-links", &link).await?.expect(201)?.json()?)?;
        let path = format!("/api/shared-links/{link}/assets");
        let race = Race::run(&owner, Method::PUT, &path, json!({ "assetIds": [asset] })).await?;
        race.ensure_done_once("duplicate")?;

        // Each of them makes a stack, and the last one has the assets: an asset is in one stack. Whose stack
        // came along with another's before it was shown hears that it is not there.
        let both = json!({ "assetIds": [first, asset] });
        for _ in 0..2 {
            owner.post("/api/stacks", &both).await?.expect(201)?;
        }
        let race = Race::run(&owner, Method::POST, "/api/stacks", both).await?;
        ensure!(race.0.iter().any(|answer| answer.status == 201), "nobody made a stack");
        ensure!(race.0.iter().all(|answer| matches!(answer.status, 201 | 400)), "other answers");
        race.ensure_message("Not found or no stack.read access")?;
        let stacks = owner.get_json("/api/stacks").await?;
        ensure!(stacks.as_array().map(Vec::len) == Some(1), "{stacks}");
        ensure!(stacks[0]["assets"].as_array().map(Vec::len) == Some(2), "{stacks}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_face_is_one_persons() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let asset = owner.upload_file(&media(PICTURES[0])?).await?;
        let mut people = Vec::new();
        for name in ["Anna", "Carl"] {
            let person = owner.post("/api/people", &json!({ "name": name })).await?.expect(201)?;
            people.push(id(&person.json()?)?);
        }
        let face = json!({
            "assetId": asset, "personId": people[0], "imageWidth": 100, "imageHeight": 100,
            "x": 10, "y": 10, "width": 20, "height": 20,
        });
        owner.post("/api/faces", &face).await?.expect(201)?;
        let faces = owner.get_json(&format!("/api/faces?id={asset}")).await?;
        let face = json!({ "id": id(&faces[0])? });
        let asked = (0..RACING).map(async |number| {
            owner.put(&format!("/api/faces/{}", people[number % 2]), &face).await
        });
        Race(try_join_all(asked).await?).ensure(&[(200, RACING)])?;
        let mut assets = 0;
        for person in &people {
            let counted = owner.get_json(&format!("/api/people/{person}/statistics")).await?;
            assets += counted["assets"].as_u64().unwrap_or_default();
        }
        ensure!(assets == 1, "the face is on {assets} people");
        let faces = owner.get_json(&format!("/api/faces?id={asset}")).await?;
        ensure!(faces.as_array().map(Vec::len) == Some(1), "{faces}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_locked_while_it_is_put_into_an_album_is_in_none() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let asset = owner.upload_file(&media(PICTURES[0])?).await?;
        owner.wait_until_idle().await?;
        // A session that may take the lock back.
        let pin = json!({ "pinCode": "123456" });
        owner.post("/api/auth/pin-code", &pin).await?.expect(204)?;
        owner.post("/api/auth/session/unlock", &pin).await?.expect(204)?;
        let database = calotype_tests::database::connect(&server.data()).await?;
        for round in 0..LOCK_ROUNDS {
            let made = owner.post("/api/albums", &json!({ "albumName": "A" })).await?;
            let album = format!("/api/albums/{}", id(&made.expect(201)?.json()?)?);
            let put = format!("{album}/assets");
            let one = format!("/api/assets/{asset}");
            let (lock, ids) = (json!({ "visibility": "locked" }), json!({ "ids": [asset] }));
            let (locked, added) = tokio::join!(owner.put(&one, &lock), owner.put(&put, &ids));
            locked?.expect(200)?;
            ensure!(matches!(added?.status, 200 | 400), "round {round}");
            let left: i64 = sqlx::query_scalar(
                "select count(*) from read.album_assets_v1 where asset_id::text = $1",
            )
            .bind(&asset)
            .fetch_one(&database)
            .await?;
            ensure!(left == 0, "round {round}: {left} albums keep a locked asset");
            let open = json!({ "visibility": "timeline" });
            owner.put(&one, &open).await?.expect(200)?;
            // Taking the lock back puts it into no album again.
            let album = owner.get_json(&album).await?;
            ensure!(album["assetCount"] == 0, "round {round}: {album}");
        }
        Ok(())
    })
    .await
}
