//! Access that is taken away is gone when the change answers, also from every answer that was kept for the
//! one who lost it: months and buckets, pictures by their tags, map, search, counts and the phone's sync.

use std::process::Stdio;

use anyhow::{Context as _, ensure};
use calotype_tests::client::{PASSWORD, WORK_LIMIT};
use calotype_tests::media::{media, workspace};
use calotype_tests::phone::Phone;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, TestServer, database, story};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

/// A photo with a place.
const PHOTO: &str = "photos/edge/gps_south_west.jpg";
/// How often the kept answers are asked for before access is lost: the first time they are made.
const WARM: usize = 3;

/// Somebody who sees an asset, and what they asked before.
pub(crate) struct Watcher {
    client: Client,
    asset: String,
    /// Goes behind every address: a link's key.
    credential: Option<String>,
    /// Tags of the pictures, by address.
    etags: Vec<(String, String)>,
    /// Lists that hold the asset while it may be seen; addresses with what to send.
    lists: Vec<(Method, String, Value)>,
    /// Lists that may hold it then.
    others: Vec<(Method, String, Value)>,
}

impl Watcher {
    pub(crate) async fn new(
        client: Client,
        asset: &str,
        credential: Option<&str>,
    ) -> anyhow::Result<Self> {
        let mut watcher = Self {
            client,
            asset: asset.to_owned(),
            credential: credential.map(str::to_owned),
            etags: Vec::new(),
            lists: Vec::new(),
            others: Vec::new(),
        };
        for path in ["thumbnail", "thumbnail?size=preview", "original"] {
            let path = watcher.address(&format!("/api/assets/{asset}/{path}"));
            let answer = watcher.client.get(&path).await?.expect(200)?;
            watcher.etags.push((path, answer.header("etag").to_owned()));
        }
        Ok(watcher)
    }

    /// Who watches.
    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    fn address(&self, path: &str) -> String {
        let sign = if path.contains('?') { '&' } else { '?' };
        match &self.credential {
            Some(key) => format!("{path}{sign}key={key}"),
            None => path.to_owned(),
        }
    }

    /// With one more list that holds the asset.
    pub(crate) fn list(mut self, method: Method, path: &str, body: Value) -> Self {
        self.lists.push((method, self.address(path), body));
        self
    }

    /// With one more list that may hold the asset, now or in a later release.
    fn maybe(mut self, method: Method, path: &str, body: Value) -> Self {
        self.others.push((method, self.address(path), body));
        self
    }

    pub(crate) fn get(self, path: &str) -> Self {
        self.list(Method::GET, path, Value::Null)
    }

    /// Asks for everything, so that all of it is kept, and refuses when something does not show.
    pub(crate) async fn warm(&self) -> anyhow::Result<()> {
        for _ in 0..WARM {
            let info = self.address(&format!("/api/assets/{}", self.asset));
            self.client.get(&info).await?.expect(200)?;
            for (path, etag) in &self.etags {
                let asked = self.client.request(Method::GET, path).header("if-none-match", etag);
                self.client.send(asked).await?.expect(304)?;
            }
            for (method, path, body) in &self.lists {
                let answer = self.client.call(method.clone(), path, body).await?;
                let shows = answer.status < 300 && answer.shows(&self.asset);
                ensure!(shows, "{path} does not show it before: {}", answer.shown());
            }
            for (method, path, body) in &self.others {
                self.client.call(method.clone(), path, body).await?;
            }
        }
        Ok(())
    }

    /// Refuses when anything still shows.
    pub(crate) async fn ensure_lost(&self) -> anyhow::Result<()> {
        let info = self.address(&format!("/api/assets/{}", self.asset));
        let answer = self.client.get(&info).await?;
        ensure!(matches!(answer.status, 400 | 401), "{info} still answers {}", answer.status);
        for (path, etag) in &self.etags {
            let asked = self.client.request(Method::GET, path).header("if-none-match", etag);
            let answer = self.client.send(asked).await?;
            ensure!(
                matches!(answer.status, 400 | 401 | 404),
                "{path} still answers {}",
                answer.status
            );
        }
        for (method, path, body) in self.lists.iter().chain(&self.others) {
            let answer = self.client.call(method.clone(), path, body).await?;
            ensure!(!answer.shows(&self.asset), "{path} still shows it: {}", answer.shown());
        }
        Ok(())
    }
}

pub(crate) async fn photo(owner: &Client) -> anyhow::Result<String> {
    let asset = owner.upload_file(&media(PHOTO)?).await?;
    owner.wait_until_idle().await?;
    Ok(asset)
}

/// The months of an asset's timeline, and its bucket.
pub(crate) async fn bucket(client: &Client, filter: &str) -> anyhow::Result<String> {
    let months = client.get_json(&format!("/api/timeline/buckets?{filter}")).await?;
    let month = months[0]["timeBucket"].as_str().context("no month")?;
    Ok(format!("/api/timeline/bucket?timeBucket={month}&{filter}"))
}

pub(crate) async fn made(client: &Client, path: &str, body: Value) -> anyhow::Result<String> {
    let made = client.post(path, &body).await?.expect(201)?.json()?;
    made["id"].as_str().map(str::to_owned).context("no id")
}

#[tokio::test]
async fn taken_out_of_an_album() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let friend = owner.create_user("friend@example.com").await?;
        let friend_id = friend.my_id().await?;
        let asset = photo(&owner).await?;
        let body = json!({ "albumName": "A", "assetIds": [asset] });
        let album = made(&owner, "/api/albums", body).await?;
        let part = json!({ "albumUsers": [{ "userId": friend_id, "role": "viewer" }] });
        owner.put(&format!("/api/albums/{album}/users"), &part).await?.expect(200)?;

        let in_bucket = bucket(&friend, &format!("albumId={album}")).await?;
        let watcher = Watcher::new(friend.clone(), &asset, None)
            .await?
            .get(&in_bucket)
            .maybe(Method::GET, "/api/map/markers?withSharedAlbums=true", Value::Null)
            .get(&format!("/api/albums/{album}/map-markers"))
            .get("/api/albums")
            .maybe(Method::POST, "/api/search/metadata", json!({ "albumIds": [album] }));
        watcher.warm().await?;
        // What others share does not reach phones yet; what reached them must go.
        let mut phone = Phone::of(friend.clone()).await?;
        phone.sync_whole().await?;

        owner
            .delete(&format!("/api/albums/{album}/user/{friend_id}"), &json!({}))
            .await?
            .expect(204)?;

        watcher.ensure_lost().await?;
        phone.sync_whole().await?;
        ensure!(!phone.table("asset").contains_key(&asset), "the phone still has it");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_partner_removed() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let friend = owner.create_user("friend@example.com").await?;
        let (owner_id, friend_id) = (owner.my_id().await?, friend.my_id().await?);
        let asset = photo(&owner).await?;
        owner.post("/api/partners", &json!({ "sharedWithId": friend_id })).await?.expect(201)?;
        let wish = json!({ "inTimeline": true });
        friend.put(&format!("/api/partners/{owner_id}"), &wish).await?.expect(200)?;

        let theirs = bucket(&friend, &format!("userId={owner_id}")).await?;
        let both = bucket(&friend, "visibility=timeline&withPartners=true").await?;
        let watcher = Watcher::new(friend.clone(), &asset, None)
            .await?
            .get(&theirs)
            .get(&both)
            .maybe(Method::GET, "/api/map/markers?withPartners=true", Value::Null)
            .maybe(Method::POST, "/api/search/metadata", json!({}));
        watcher.warm().await?;
        // What others share does not reach phones yet; what reached them must go.
        let mut phone = Phone::of(friend.clone()).await?;
        phone.sync_whole().await?;

        owner.delete(&format!("/api/partners/{friend_id}"), &json!({})).await?.expect(204)?;

        watcher.ensure_lost().await?;
        phone.sync_whole().await?;
        ensure!(!phone.table("asset").contains_key(&asset), "the phone still has it");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn locked_away() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let friend = owner.create_user("friend@example.com").await?;
        let friend_id = friend.my_id().await?;
        let asset = photo(&owner).await?;
        owner.post("/api/auth/pin-code", &json!({ "pinCode": "123456" })).await?.expect(204)?;
        let body = json!({ "albumName": "A", "assetIds": [asset] });
        let album = made(&owner, "/api/albums", body).await?;
        let part = json!({ "albumUsers": [{ "userId": friend_id, "role": "viewer" }] });
        owner.put(&format!("/api/albums/{album}/users"), &part).await?.expect(200)?;
        let link = json!({ "type": "INDIVIDUAL", "assetIds": [asset] });
        let link = owner.post("/api/shared-links", &link).await?.expect(201)?.json()?;
        let key = link["key"].as_str().context("no key")?;

        let own = bucket(&owner, "visibility=timeline").await?;
        let shared = bucket(&friend, &format!("albumId={album}")).await?;
        let watchers = [
            Watcher::new(owner.clone(), &asset, None)
                .await?
                .get(&own)
                .get("/api/map/markers")
                .list(Method::POST, "/api/search/metadata", json!({})),
            Watcher::new(friend.clone(), &asset, None).await?.get(&shared).maybe(
                Method::GET,
                "/api/map/markers?withSharedAlbums=true",
                Value::Null,
            ),
            Watcher::new(owner.anonymous(), &asset, Some(key)).await?.get("/api/shared-links/me"),
        ];
        for watcher in &watchers {
            watcher.warm().await?;
        }
        let before = owner.get_json("/api/assets/statistics?visibility=timeline").await?;
        ensure!(before["total"] == 1, "{before}");

        let wish = json!({ "visibility": "locked" });
        owner.put(&format!("/api/assets/{asset}"), &wish).await?.expect(200)?;

        for watcher in &watchers {
            watcher.ensure_lost().await?;
        }
        let after = owner.get_json("/api/assets/statistics?visibility=timeline").await?;
        ensure!(after["total"] == 0, "it still counts: {after}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn locked_away_while_it_is_shown_to_more() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let owner = server.client().sign_up().await?;
        let asset = photo(&owner).await?;
        owner.post("/api/auth/pin-code", &json!({ "pinCode": "123456" })).await?.expect(204)?;
        let album = made(&owner, "/api/albums", json!({ "albumName": "A" })).await?;
        let (locked, shown) = (json!({ "visibility": "locked" }), json!({ "ids": [asset] }));
        let (path, holds) = (format!("/api/assets/{asset}"), format!("/api/albums/{album}/assets"));
        // The read models stand still, so that whoever adds to albums does not see the lock.
        let pool = database::connect(&server.data()).await?;
        let mut held = pool.begin().await?;
        sqlx::query("select from work.checkpoints for update").execute(&mut *held).await?;
        owner.put(&path, &locked).await?.expect(503)?;

        owner.put(&holds, &shown).await?.expect(503)?;
        let both = json!({ "albumIds": [album], "assetIds": [asset] });
        owner.put("/api/albums/assets", &both).await?.expect(503)?;

        held.rollback().await?;
        pool.close().await;
        // Asked again, as the answer wants it, the lock finds what was put in.
        let pin = json!({ "pinCode": "123456" });
        owner.post("/api/auth/session/unlock", &pin).await?.expect(204)?;
        until("the lock to be answered", WORK_LIMIT, async || {
            let answer = owner.put(&path, &locked).await?;
            ensure!(matches!(answer.status, 200 | 503), "{}", answer.shown());
            Ok((answer.status == 200).then_some(()))
        })
        .await?;
        let told = owner.get_json(&format!("/api/albums/{album}")).await?;
        ensure!(told["assetCount"] == 0, "it is in the album: {told}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_link_ended_or_closed_with_a_password() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let asset = photo(&owner).await?;
        let album = json!({ "albumName": "A", "assetIds": [asset] });
        let album = made(&owner, "/api/albums", album).await?;
        let past = json!({ "expiresAt": "2020-01-01T00:00:00.000Z" });
        let changes = [
            (Method::DELETE, Value::Null),
            (Method::PATCH, past),
            (Method::PATCH, json!({ "password": "another" })),
        ];
        for (method, change) in changes {
            let link = json!({ "type": "ALBUM", "albumId": album });
            let link = owner.post("/api/shared-links", &link).await?.expect(201)?.json()?;
            let key = link["key"].as_str().context("no key")?;
            let filter = format!("albumId={album}");
            let months = owner.anonymous();
            let in_bucket = bucket(&months, &format!("{filter}&key={key}")).await?;
            let in_bucket = in_bucket.replace(&format!("&key={key}"), "");
            let watcher = Watcher::new(owner.anonymous(), &asset, Some(key))
                .await?
                .get(&in_bucket)
                .get(&format!("/api/albums/{album}"));
            watcher.warm().await?;
            let path = format!("/api/shared-links/{}", link["id"].as_str().context("no id")?);

            let answer = owner.call(method.clone(), &path, &change).await?;

            ensure!(answer.status < 300, "{}", answer.shown());
            watcher.ensure_lost().await.with_context(|| format!("{method} {change}"))?;
        }
        Ok(())
    })
    .await
}

/// A session or a key of the second account.
struct Credential {
    client: Client,
    /// Its id.
    id: String,
    /// The header that shows it.
    header: (&'static str, String),
}

/// A web socket opened with a credential: it is connected when this returns.
async fn listen(server: &TestServer, (name, value): &(&str, String)) -> anyhow::Result<Child> {
    let variable =
        |name: &str| std::env::var(name).context("run ./dev test, which fetches clients");
    let connected = server.scratch().join("connected");
    let mut command = Command::new(variable("CALOTYPE_TEST_NODE")?);
    command
        .arg(workspace().join("tests/clients/listen.mjs"))
        .arg(server.url())
        .args([name, value.as_str()]);
    let child = command.arg(&connected).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    until("a web socket", WORK_LIMIT, async || Ok(connected.exists().then_some(()))).await?;
    Ok(child)
}

/// Takes something away from whoever holds a credential of the second account.
async fn credential_lost(
    server: &TestServer,
    credential: impl AsyncFn(&Client) -> anyhow::Result<Credential>,
    lose: impl AsyncFn(&Client, &Client, &str) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let admin = server.client().sign_up().await?;
    let owner = admin.create_user("owner@example.com").await?;
    let asset = owner.upload_file(&media(PHOTO)?).await?;
    admin.wait_until_idle().await?;
    let held = credential(&owner).await?;
    let own = bucket(&held.client, "visibility=timeline").await?;
    let watcher = Watcher::new(held.client, &asset, None)
        .await?
        .get(&own)
        .get("/api/map/markers")
        .list(Method::POST, "/api/search/metadata", json!({}));
    watcher.warm().await?;
    let listening = listen(server, &held.header).await?;

    lose(&admin, &owner, &held.id).await?;

    watcher.ensure_lost().await?;
    let refused = watcher.client.get("/api/assets/statistics").await?;
    ensure!(refused.status == 401, "statistics still answer {}", refused.status);
    let refused =
        watcher.client.post("/api/sync/stream", &json!({ "types": ["AssetsV2"] })).await?;
    ensure!(refused.status == 401, "sync still answers {}", refused.status);
    let heard = listening.wait_with_output().await?;
    let heard: Value = serde_json::from_slice(&heard.stdout)?;
    ensure!(heard["cutOff"] == true, "the web socket is still open");
    Ok(())
}

async fn session(owner: &Client) -> anyhow::Result<Credential> {
    let body = json!({ "email": "owner@example.com", "password": PASSWORD });
    let login = owner.anonymous().post("/api/auth/login", &body).await?.expect(201)?.json()?;
    let token = login["accessToken"].as_str().context("no token")?;
    let client = owner.with_token(token);
    let sessions = client.get_json("/api/sessions").await?;
    let mut sessions = sessions.as_array().into_iter().flatten();
    let current = sessions.find(|it| it["current"] == true).context("no session")?;
    let id = current["id"].as_str().context("no id")?.to_owned();
    Ok(Credential { client, id, header: ("Authorization", format!("Bearer {token}")) })
}

async fn api_key(owner: &Client) -> anyhow::Result<Credential> {
    let body = json!({ "name": "k", "permissions": ["all"] });
    let made = owner.post("/api/api-keys", &body).await?.expect(201)?.json()?;
    let secret = made["secret"].as_str().context("no secret")?;
    let id = made["apiKey"]["id"].as_str().context("no id")?.to_owned();
    Ok(Credential { client: owner.with_key(secret), id, header: ("x-api-key", secret.to_owned()) })
}

#[tokio::test]
async fn a_session_ended() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        credential_lost(server, session, async |_, owner, id| {
            owner.delete(&format!("/api/sessions/{id}"), &json!({})).await?.expect(204).map(drop)
        })
        .await
    })
    .await
}

#[tokio::test]
async fn an_api_key_deleted() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        credential_lost(server, api_key, async |_, owner, id| {
            owner.delete(&format!("/api/api-keys/{id}"), &json!({})).await?.expect(204).map(drop)
        })
        .await
    })
    .await
}

#[tokio::test]
async fn a_key_that_may_not_read_assets_any_more_hears_of_none() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let held = api_key(&admin).await?;
        let path = format!("/api/api-keys/{}", held.id);
        let listening = listen(server, &held.header).await?;
        // Less than everything, but still what a socket asks for.
        let body = json!({ "permissions": ["asset.read", "asset.view"] });
        admin.put(&path, &body).await?.expect(200)?;
        held.client.get("/api/assets/statistics").await?.expect(403)?;

        let body = json!({ "permissions": ["asset.view"] });
        admin.put(&path, &body).await?.expect(200)?;

        let heard = listening.wait_with_output().await?;
        let heard: Value = serde_json::from_slice(&heard.stdout)?;
        ensure!(heard["cutOff"] == true, "the web socket is still open");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_account_deleted() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        credential_lost(server, session, async |admin, owner, _| {
            let id = owner.my_id().await?;
            admin.delete(&format!("/api/admin/users/{id}"), &json!({})).await?.expect(200).map(drop)
        })
        .await
    })
    .await
}
