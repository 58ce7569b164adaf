//! A phone with Immich's app, as far as its sync goes: it keeps what `/sync/stream` tells it, acknowledges
//! as the app does, and knows nothing else.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail, ensure};
use rand::Rng as _;
use rand::rngs::StdRng;
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::Client;

/// What the app of today asks a server of 3.1 for.
pub const TYPES: [&str; 22] = [
    "AuthUsersV1",
    "UsersV1",
    "AssetsV2",
    "AssetExifsV1",
    "AssetEditsV1",
    "AssetMetadataV1",
    "AssetOcrV1",
    "PartnersV1",
    "PartnerAssetsV2",
    "PartnerAssetExifsV1",
    "PartnerStacksV1",
    "AlbumsV2",
    "AlbumUsersV1",
    "AlbumAssetsV2",
    "AlbumAssetExifsV1",
    "AlbumToAssetsV1",
    "MemoriesV1",
    "MemoryToAssetsV1",
    "StacksV1",
    "UserMetadataV1",
    "PeopleV1",
    "AssetFacesV2",
];
/// What a phone keeps, by the names of its tables.
pub const TABLES: [&str; 17] = [
    "auth_user",
    "user",
    "user_metadata",
    "partner",
    "asset",
    "exif",
    "edit",
    "metadata",
    "ocr",
    "stack",
    "album",
    "album_user",
    "album_asset",
    "memory",
    "memory_asset",
    "person",
    "face",
];
/// Lines after which a connection breaks off at the latest, where it does.
const LINES_BEFORE_BREAK_MAX: usize = 60;

/// What a line does to a phone's tables: where it is kept, which of its fields name it, and whether it
/// puts or takes.
struct Effect {
    table: &'static str,
    key: &'static [&'static str],
    takes: bool,
}

const fn puts(table: &'static str, key: &'static [&'static str]) -> Effect {
    Effect { table, key, takes: false }
}

const fn takes(table: &'static str, key: &'static [&'static str]) -> Effect {
    Effect { table, key, takes: true }
}

/// What lines of a type do. The app throws on a type that it does not know, and so does this.
fn effect(kind: &str) -> anyhow::Result<Effect> {
    Ok(match kind {
        "AuthUserV1" => puts("auth_user", &["id"]),
        "UserV1" => puts("user", &["id"]),
        "UserDeleteV1" => takes("user", &["userId"]),
        "UserMetadataV1" => puts("user_metadata", &["userId", "key"]),
        "UserMetadataDeleteV1" => takes("user_metadata", &["userId", "key"]),
        "PartnerV1" => puts("partner", &["sharedById", "sharedWithId"]),
        "PartnerDeleteV1" => takes("partner", &["sharedById", "sharedWithId"]),
        "AssetV2"
        | "PartnerAssetV2"
        | "PartnerAssetBackfillV2"
        | "AlbumAssetCreateV2"
        | "AlbumAssetUpdateV2"
        | "AlbumAssetBackfillV2" => puts("asset", &["id"]),
        "AssetDeleteV1" | "PartnerAssetDeleteV1" => takes("asset", &["assetId"]),
        "AssetExifV1"
        | "PartnerAssetExifV1"
        | "PartnerAssetExifBackfillV1"
        | "AlbumAssetExifCreateV1"
        | "AlbumAssetExifUpdateV1"
        | "AlbumAssetExifBackfillV1" => puts("exif", &["assetId"]),
        "AssetEditV1" => puts("edit", &["id"]),
        "AssetEditDeleteV1" => takes("edit", &["editId"]),
        "AssetMetadataV1" => puts("metadata", &["assetId", "key"]),
        "AssetMetadataDeleteV1" => takes("metadata", &["assetId", "key"]),
        "AssetOcrV1" => puts("ocr", &["id"]),
        "AssetOcrDeleteV1" => takes("ocr", &["id"]),
        "StackV1" | "PartnerStackV1" | "PartnerStackBackfillV1" => puts("stack", &["id"]),
        "StackDeleteV1" | "PartnerStackDeleteV1" => takes("stack", &["stackId"]),
        "AlbumV2" => puts("album", &["id"]),
        "AlbumDeleteV1" => takes("album", &["albumId"]),
        "AlbumUserV1" | "AlbumUserBackfillV1" => puts("album_user", &["albumId", "userId"]),
        "AlbumUserDeleteV1" => takes("album_user", &["albumId", "userId"]),
        "AlbumToAssetV1" | "AlbumToAssetBackfillV1" => puts("album_asset", &["albumId", "assetId"]),
        "AlbumToAssetDeleteV1" => takes("album_asset", &["albumId", "assetId"]),
        "MemoryV1" => puts("memory", &["id"]),
        "MemoryDeleteV1" => takes("memory", &["memoryId"]),
        "MemoryToAssetV1" => puts("memory_asset", &["memoryId", "assetId"]),
        "MemoryToAssetDeleteV1" => takes("memory_asset", &["memoryId", "assetId"]),
        "PersonV1" => puts("person", &["id"]),
        "PersonDeleteV1" => takes("person", &["personId"]),
        "AssetFaceV2" => puts("face", &["id"]),
        "AssetFaceDeleteV1" => takes("face", &["assetFaceId"]),
        other => bail!("a line of the type {other}, which was not asked for"),
    })
}

/// Of what hangs on something: the table, the field that names it, and where that stands. It goes
/// together with it, as the app's database does it.
const CHILDREN: [(&str, &str, &str); 13] = [
    ("exif", "assetId", "asset"),
    ("edit", "assetId", "asset"),
    ("metadata", "assetId", "asset"),
    ("ocr", "assetId", "asset"),
    ("face", "assetId", "asset"),
    ("album_asset", "assetId", "asset"),
    ("memory_asset", "assetId", "asset"),
    ("album_user", "albumId", "album"),
    ("album_asset", "albumId", "album"),
    ("memory_asset", "memoryId", "memory"),
    ("user_metadata", "userId", "user"),
    ("album_user", "userId", "user"),
    ("asset", "ownerId", "user"),
];

/// One phone.
#[derive(Debug)]
pub struct Phone {
    client: Client,
    user_id: String,
    tables: BTreeMap<&'static str, BTreeMap<String, Value>>,
    heard: BTreeSet<String>,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With everything.
    Whole,
    /// In the middle.
    BrokenOff,
    /// The phone was told to start anew, and did.
    Reset,
}

impl Phone {
    /// Of a client's session.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn of(client: Client) -> anyhow::Result<Self> {
        let user_id = client.my_id().await?;
        Ok(Self { client, user_id, tables: BTreeMap::new(), heard: BTreeSet::new() })
    }

    /// The person's other client, for looking.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Whose it is.
    #[must_use]
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// What it keeps of a kind, by key.
    #[must_use]
    pub fn table(&self, name: &str) -> BTreeMap<String, Value> {
        self.tables.get(name).cloned().unwrap_or_default()
    }

    /// The types of all lines that it ever took.
    #[must_use]
    pub const fn heard(&self) -> &BTreeSet<String> {
        &self.heard
    }

    /// Takes a stream. With `random` it may break off anywhere, and some acks get lost.
    ///
    /// # Errors
    /// The server refuses, or says what the app would throw on.
    pub async fn sync(&mut self, mut random: Option<&mut StdRng>) -> anyhow::Result<Ended> {
        let break_after = random.as_mut().and_then(|random| {
            random.random_bool(0.4).then(|| random.random_range(0..LINES_BEFORE_BREAK_MAX))
        });
        let (lines, is_whole) = self.lines(break_after).await?;
        // The app acknowledges the last line of each run of lines of one type.
        let mut run: Option<(String, String)> = None;
        let mut ended = if is_whole { Ended::Whole } else { Ended::BrokenOff };
        for line in lines {
            let kind = line["type"].as_str().context("a line without a type")?.to_owned();
            let ack = line["ack"].as_str().context("a line without an ack")?.to_owned();
            if let Some((last, held)) = run.take()
                && last != kind
            {
                self.acknowledge(&held, &mut random).await?;
            }
            self.heard.insert(kind.clone());
            match kind.as_str() {
                "SyncAckV1" => {}
                "SyncCompleteV1" => self.prune(),
                "SyncResetV1" => {
                    self.tables.clear();
                    ended = Ended::Reset;
                }
                _ => self.take(&kind, &line["data"])?,
            }
            run = Some((kind, ack));
        }
        if let Some((_, held)) = run
            && (is_whole || random.as_mut().is_none_or(|random| random.random()))
        {
            self.acknowledge(&held, &mut random).await?;
        }
        Ok(ended)
    }

    /// Syncs until a stream was whole.
    ///
    /// # Errors
    /// See [`Phone::sync`].
    pub async fn sync_whole(&mut self) -> anyhow::Result<()> {
        while self.sync(None).await? != Ended::Whole {}
        Ok(())
    }

    /// The lines of a stream up to where it breaks off, and whether it did not.
    async fn lines(&self, break_after: Option<usize>) -> anyhow::Result<(Vec<Value>, bool)> {
        let request = self.client.request(Method::POST, "/api/sync/stream");
        let mut response = request.json(&json!({ "types": TYPES })).send().await?;
        ensure!(response.status() == 200, "the stream answered {}", response.status());
        let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok());
        ensure!(kind == Some("application/jsonlines+json"), "lines of the type {kind:?}");
        let mut text = Vec::new();
        let is_enough = |text: &[u8]| {
            break_after.is_some_and(|lines| text.split(|sign| *sign == b'\n').count() > lines + 1)
        };
        while let Some(chunk) = response.chunk().await? {
            text.extend_from_slice(&chunk);
            if is_enough(&text) {
                break;
            }
        }
        let text = String::from_utf8(text)?;
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        let lines = whole.lines().take(break_after.unwrap_or(usize::MAX));
        let lines: Vec<Value> = lines
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()
            .context("a line is no JSON")?;
        let last = lines.last().and_then(|line| line["type"].as_str());
        let is_whole = matches!(last, Some("SyncCompleteV1" | "SyncResetV1"));
        ensure!(is_whole || break_after.is_some(), "a stream without an end: {last:?}");
        Ok((lines, is_whole))
    }

    async fn acknowledge(&self, ack: &str, random: &mut Option<&mut StdRng>) -> anyhow::Result<()> {
        // An ack that got lost: the app does not know.
        if !ack.starts_with("SyncResetV1")
            && random.as_mut().is_some_and(|random| random.random_bool(0.1))
        {
            return Ok(());
        }
        self.client.post("/api/sync/ack", &json!({ "acks": [ack] })).await?.expect(204).map(drop)
    }

    fn take(&mut self, kind: &str, data: &Value) -> anyhow::Result<()> {
        let effect = effect(kind)?;
        let parts: Vec<&str> = effect
            .key
            .iter()
            .map(|field| data[*field].as_str().with_context(|| format!("{kind} without {field}")))
            .collect::<Result<_, _>>()?;
        let key = parts.join(" ");
        if !effect.takes {
            self.tables.entry(effect.table).or_default().insert(key, data.clone());
        } else if self.tables.entry(effect.table).or_default().remove(&key).is_some() {
            self.remove_children(effect.table, &key);
        }
        Ok(())
    }

    fn remove_children(&mut self, parent: &str, id: &str) {
        for (table, field, _) in CHILDREN.iter().filter(|(.., of)| *of == parent) {
            let rows = self.tables.entry(table).or_default();
            let gone: Vec<String> = rows
                .iter()
                .filter(|(_, row)| row[*field] == json!(id))
                .map(|(key, _)| key.clone())
                .collect();
            for key in &gone {
                rows.remove(key);
            }
            for key in gone {
                self.remove_children(table, &key);
            }
        }
    }

    /// Forgets other people's assets that nothing shows any more, as the app does when a sync is whole, and
    /// their stacks, which show nothing without assets.
    fn prune(&mut self) {
        let partners: Vec<Value> =
            self.table("partner").values().map(|row| row["sharedById"].clone()).collect();
        let user_id = json!(self.user_id);
        let is_kept = |owner: &Value| *owner == user_id || partners.contains(owner);
        self.tables.entry("stack").or_default().retain(|_, row| is_kept(&row["ownerId"]));
        let in_albums: Vec<Value> =
            self.table("album_asset").values().map(|row| row["assetId"].clone()).collect();
        let gone: Vec<String> = self
            .table("asset")
            .values()
            .filter(|row| {
                row["ownerId"] != json!(self.user_id)
                    && !partners.contains(&row["ownerId"])
                    && !in_albums.contains(&row["id"])
            })
            .filter_map(|row| row["id"].as_str().map(str::to_owned))
            .collect();
        for id in gone {
            self.tables.entry("asset").or_default().remove(&id);
            self.remove_children("asset", &id);
        }
    }
}
