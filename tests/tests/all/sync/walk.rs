//! Several people change things at random while their phones sync, break off and lose acks; read models are
//! made anew in between. At the end every phone has what REST shows, and a new phone has the same.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::ids::any_seed;
use calotype_tests::jpeg::with_comment;
use calotype_tests::media::media;
use calotype_tests::phone::{Ended, Phone};
use calotype_tests::{Client, Options, Upload, story};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::json;

use super::compare::ensure_shows_what_rest_shows;

/// Looks at whether a phone has everything, and the time between two of them.
const SETTLE_TRIES: u32 = 20;
const SETTLE_PAUSE: Duration = Duration::from_millis(500);
/// Wishes of one walk.
const STEPS: u32 = 300;
/// Steps between two rebuilds of the change log.
const REBUILD_EVERY: u32 = 60;
/// A walk that has found something before, or that everybody takes.
const SEED: u64 = 1;

/// Walks at most: two, and more where those did not come to everything.
const WALKS_MAX: u32 = 6;

/// Types of lines that phones hear of, or hardly anything was walked over.
const HEARD: [&str; 14] = [
    "AssetV2",
    "AssetExifV1",
    "AssetMetadataV1",
    "PartnerV1",
    "PartnerAssetV2",
    "AlbumV2",
    "AlbumUserV1",
    "AlbumAssetCreateV2",
    "AlbumToAssetV1",
    "StackV1",
    "MemoryV1",
    "MemoryToAssetV1",
    "PersonV1",
    "AssetFaceV2",
];

type Heard = Arc<Mutex<BTreeSet<String>>>;

/// Somebody with a phone.
pub(super) struct Person {
    pub(super) client: Client,
    pub(super) phone: Phone,
    pub(super) assets: Vec<String>,
    pub(super) stacks: Vec<String>,
    pub(super) memories: Vec<String>,
    pub(super) named: Vec<String>,
    pub(super) faces: Vec<String>,
}

/// Everybody.
pub(super) struct People {
    pub(super) random: StdRng,
    pub(super) people: Vec<Person>,
    pub(super) albums: Vec<String>,
    /// Shared links that somebody made, each with its key.
    pub(super) links: Vec<(String, String)>,
    picture: Vec<u8>,
    made: u32,
}

#[tokio::test]
async fn phones_end_with_what_rest_shows() -> anyhow::Result<()> {
    let heard: Heard = Arc::default();
    let mut missing = Vec::new();
    for walk in 0..WALKS_MAX {
        let seed = if walk == 0 { SEED } else { any_seed() };
        take(seed, Arc::clone(&heard)).await.with_context(|| format!("seed {seed}"))?;
        let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        missing = HEARD.iter().filter(|kind| !heard.contains(**kind)).collect();
        if walk > 0 && missing.is_empty() {
            break;
        }
    }
    ensure!(missing.is_empty(), "no phone heard of {missing:?}");
    Ok(())
}

async fn take(seed: u64, heard: Heard) -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let mut people = People::gather(&admin, seed).await?;
        for step in 0..STEPS {
            people.step().await.with_context(|| format!("step {step}"))?;
            if step % REBUILD_EVERY == REBUILD_EVERY - 1 {
                admin
                    .post("/api/calotype/projections/sync/rebuild", &json!({}))
                    .await?
                    .expect(200)?;
            }
        }
        admin.wait_until_idle().await?;
        people.ensure_all_agree().await?;
        let phones = people.people.iter().map(|person| &person.phone);
        heard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(phones.flat_map(|phone| phone.heard().clone()));
        Ok(())
    })
    .await
}

/// Syncs until the phone has what REST shows: people's pictures are made without a queue that tells of them.
pub(super) async fn settle(phone: &mut Phone) -> anyhow::Result<()> {
    for _ in 1..SETTLE_TRIES {
        phone.sync_whole().await?;
        if ensure_shows_what_rest_shows(phone).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(SETTLE_PAUSE).await;
    }
    phone.sync_whole().await?;
    ensure_shows_what_rest_shows(phone).await
}

impl People {
    /// Somebody who administers, two others, and a phone for each.
    pub(super) async fn gather(admin: &Client, seed: u64) -> anyhow::Result<Self> {
        let mut clients = vec![admin.clone()];
        for name in ["second", "third"] {
            clients.push(admin.create_user(&format!("{name}@example.com")).await?);
        }
        let mut people = Vec::new();
        for client in clients {
            let phone = Phone::of(client.clone()).await?;
            people.push(Person {
                client,
                phone,
                assets: Vec::new(),
                stacks: Vec::new(),
                memories: Vec::new(),
                named: Vec::new(),
                faces: Vec::new(),
            });
        }
        Ok(Self {
            random: StdRng::seed_from_u64(seed),
            people,
            albums: Vec::new(),
            links: Vec::new(),
            picture: std::fs::read(media("photos/edge/rating_1.jpg")?)?,
            made: 0,
        })
    }

    pub(super) async fn step(&mut self) -> anyhow::Result<()> {
        let who = self.random.random_range(0..self.people.len());
        match self.random.random_range(0..100) {
            0..15 => self.upload(who).await,
            15..25 => self.change_assets(who).await,
            25..30 => self.trash_or_restore(who).await,
            30..33 => self.delete(who).await,
            33..35 => self.change_account(who).await,
            35..50 => self.share(who).await,
            50..60 => self.organize(who).await,
            60..70 => self.name_people(who).await,
            _ => self.sync(who).await,
        }
    }

    async fn sync(&mut self, who: usize) -> anyhow::Result<()> {
        let random = Some(&mut self.random);
        self.people[who].phone.sync(random).await.map(drop)
    }

    async fn upload(&mut self, who: usize) -> anyhow::Result<()> {
        self.made += 1;
        let bytes = with_comment(&self.picture, &format!("{who} {}", self.made));
        let visibility = ["timeline", "timeline", "archive", "hidden"];
        let visibility = visibility[self.random.random_range(0..visibility.len())];
        let upload = Upload::new(&format!("{}.jpg", self.made), bytes)
            .field("visibility", visibility)
            .field("isFavorite", if self.random.random() { "true" } else { "false" });
        let person = &mut self.people[who];
        person.assets.push(person.client.upload(&upload).await?);
        Ok(())
    }

    pub(super) fn some_asset(&mut self, who: usize) -> Option<String> {
        self.people[who].assets.choose(&mut self.random).cloned()
    }

    async fn change_assets(&mut self, who: usize) -> anyhow::Result<()> {
        let Some(id) = self.some_asset(who) else { return Ok(()) };
        let visibility = ["timeline", "archive", "hidden"][self.random.random_range(0..3)];
        let wish = match self.random.random_range(0..6) {
            0 => json!({ "isFavorite": self.random.random::<bool>() }),
            1 => json!({ "description": format!("words {}", self.random.random::<u8>()) }),
            2 => {
                json!({ "visibility": visibility })
            }
            3 => json!({ "rating": self.random.random_range(1..=5) }),
            4 => json!({ "dateTimeOriginal": "2019-03-04T05:06:07.000Z" }),
            _ => json!({ "latitude": 12.5, "longitude": -7.25 }),
        };
        // What is in the trash may refuse.
        self.people[who].client.put(&format!("/api/assets/{id}"), &wish).await.map(drop)
    }

    async fn trash_or_restore(&mut self, who: usize) -> anyhow::Result<()> {
        let Some(id) = self.some_asset(who) else { return Ok(()) };
        let client = &self.people[who].client;
        if self.random.random() {
            client.delete("/api/assets", &json!({ "ids": [id] })).await.map(drop)
        } else {
            client.post("/api/trash/restore/assets", &json!({ "ids": [id] })).await.map(drop)
        }
    }

    async fn delete(&mut self, who: usize) -> anyhow::Result<()> {
        let Some(id) = self.some_asset(who) else { return Ok(()) };
        let body = json!({ "ids": [id], "force": true });
        let answer = self.people[who].client.delete("/api/assets", &body).await?;
        if answer.status == 204 {
            self.people[who].assets.retain(|asset| *asset != id);
        }
        Ok(())
    }

    async fn change_account(&mut self, who: usize) -> anyhow::Result<()> {
        let client = &self.people[who].client;
        match self.random.random_range(0..3) {
            0 => {
                let name = format!("Name {}", self.random.random::<u8>());
                client.put("/api/users/me", &json!({ "name": name })).await?.expect(200)?;
            }
            1 => {
                let wish = json!({ "memories": { "enabled": self.random.random::<bool>() } });
                client.put("/api/users/me/preferences", &wish).await?.expect(200)?;
            }
            _ => {
                let wish = json!({ "isOnboarded": self.random.random::<bool>() });
                client.put("/api/users/me/onboarding", &wish).await?.expect(200)?;
            }
        }
        Ok(())
    }

    async fn ensure_all_agree(&mut self) -> anyhow::Result<()> {
        for person in &mut self.people {
            settle(&mut person.phone)
                .await
                .with_context(|| format!("the phone of {}", person.phone.user_id()))?;
            ensure!(person.phone.sync(None).await? == Ended::Whole, "a reset for nothing");

            // A phone that starts now has the same.
            let email = person.client.get_json("/api/users/me").await?;
            let email = email["email"].as_str().context("no e-mail")?.to_owned();
            let mut fresh = Phone::of(person.client.login(&email).await?).await?;
            fresh.sync_whole().await?;
            ensure_shows_what_rest_shows(&fresh).await.context("a new phone")?;
            for table in calotype_tests::phone::TABLES {
                let (old, new) = (person.phone.table(table), fresh.table(table));
                ensure!(old == new, "{table}: an old phone has {old:#?}, a new one {new:#?}");
            }
        }
        Ok(())
    }
}
