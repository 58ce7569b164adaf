//! Several people do at random what REST lets them: behind the PIN, with edits, links, albums, partners, people,
//! tags, stacks, memories and the trash, and take things back. At the end their phones have what REST shows, and
//! every read model that is made anew has the rows that it had.
//!
//! `./dev soak rest` takes many such walks, and longer ones.

use anyhow::{Context as _, ensure};
use calotype_tests::client::WORK_LIMIT;
use calotype_tests::ids::any_seed;
use calotype_tests::phone::{Ended, Phone};
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, TestServer, database, story};
use rand::Rng as _;
use serde_json::json;

use super::compare::ensure_shows_what_rest_shows;
use super::shown::{set_pin, unlock};
use super::walk::{People, settle};

/// Wishes of one walk, where the soak does not want more.
const STEPS: u32 = 250;
/// Steps between two rebuilds of the change log.
const REBUILD_EVERY: u32 = 100;
/// Rebuilds of everything until nothing happens during one.
const QUIET_TRIES: u32 = 5;
/// Types of events that any walk leaves in the log.
const TYPES_MIN: usize = 40;
/// How the soak says which walk it wants, and of how many wishes.
const SEED_VARIABLE: &str = "CALOTYPE_WALK_SEED";
const STEPS_VARIABLE: &str = "CALOTYPE_WALK_STEPS";

fn wanted<T: std::str::FromStr>(variable: &str) -> Option<T> {
    std::env::var(variable).ok()?.parse().ok()
}

#[tokio::test]
async fn what_is_rebuilt_is_what_was_there() -> anyhow::Result<()> {
    let seed = wanted(SEED_VARIABLE).unwrap_or_else(any_seed);
    let steps = wanted(STEPS_VARIABLE).unwrap_or(STEPS);
    take(seed, steps).await.with_context(|| format!("seed {seed}, {steps} steps"))
}

async fn take(seed: u64, steps: u32) -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let mut people = People::gather(&admin, seed).await?;
        for person in &people.people {
            set_pin(&person.client).await?;
        }
        for step in 0..steps {
            people.any_step().await.with_context(|| format!("step {step}"))?;
            if step % REBUILD_EVERY == REBUILD_EVERY - 1 {
                admin
                    .post("/api/calotype/projections/sync/rebuild", &json!({}))
                    .await?
                    .expect(200)?;
            }
        }
        admin.wait_until_idle().await?;
        ensure_much_happened(server).await?;
        ensure_phones_agree(&mut people).await?;
        ensure_rebuilt_is_the_same(server, &admin).await?;
        // Numbers of changes are the same: nobody hears of anything twice.
        for person in &mut people.people {
            ensure!(person.phone.sync(None).await? == Ended::Whole, "a reset for nothing");
            ensure_shows_what_rest_shows(&person.phone).await.context("after a rebuild")?;
        }
        Ok(())
    })
    .await
}

impl People {
    async fn any_step(&mut self) -> anyhow::Result<()> {
        let who = self.random.random_range(0..self.people.len());
        match self.random.random_range(0..100) {
            0..9 => self.lock(who).await,
            9..17 => self.edit(who).await,
            17..26 => self.link(who).await,
            26..34 => self.tag_or_say(who).await,
            34..39 => self.take_back_or_empty(who).await,
            _ => self.step().await,
        }
    }
}

/// Refuses a walk of which hardly anything was granted.
async fn ensure_much_happened(server: &TestServer) -> anyhow::Result<()> {
    let pool = database::connect(&server.data()).await?;
    let types = "select array_agg(distinct type order by type) from log.events";
    let types: Vec<String> = sqlx::query_scalar(types).fetch_one(&pool).await?;
    ensure!(types.len() >= TYPES_MIN, "only {} types of events: {types:?}", types.len());
    Ok(())
}

/// Every phone has what REST shows behind the PIN and before it, and one that begins now has the same.
async fn ensure_phones_agree(people: &mut People) -> anyhow::Result<()> {
    for person in &mut people.people {
        unlock(&person.client).await?;
        settle(&mut person.phone)
            .await
            .with_context(|| format!("the phone of {}", person.phone.user_id()))?;
        let account = person.client.get_json("/api/users/me").await?;
        let email = account["email"].as_str().context("no e-mail")?;
        let session = person.client.login(email).await?;
        unlock(&session).await?;
        let mut fresh = Phone::of(session).await?;
        fresh.sync_whole().await?;
        for table in calotype_tests::phone::TABLES {
            let (old, new) = (person.phone.table(table), fresh.table(table));
            ensure!(old == new, "{table}: an old phone has {old:#?}, a new one {new:#?}");
        }
    }
    Ok(())
}

/// Makes every read model anew, as soon as nothing is left to do: each has the rows that it had. Where
/// something happens meanwhile, such as that a session is noted to be in use, it is done again.
async fn ensure_rebuilt_is_the_same(server: &TestServer, admin: &Client) -> anyhow::Result<()> {
    let pool = database::connect(&server.data()).await?;
    let head = async || -> anyhow::Result<i64> {
        Ok(sqlx::query_scalar("select position from log.head").fetch_one(&pool).await?)
    };
    let projections = admin.get_json("/api/calotype/projections").await?;
    let projections = projections.as_array().context("no projections")?;
    ensure!(!projections.is_empty(), "there are no read models");
    for _ in 0..QUIET_TRIES {
        until("errands to be done", WORK_LIMIT, async || {
            let is_done: bool = sqlx::query_scalar(
                "select not exists (select from work.errands)
                    and exists (select from work.checkpoints, log.head
                                 where name = 'errands' and checkpoints.position >= head.position)",
            )
            .fetch_one(&pool)
            .await?;
            Ok(is_done.then_some(()))
        })
        .await?;
        let before = head().await?;
        let live = database::read_rows(&pool).await?;
        for projection in projections {
            let name = projection["name"].as_str().context("no name")?;
            let path = format!("/api/calotype/projections/{name}/rebuild");
            admin.post(&path, &json!({})).await?.expect(200)?;
        }
        let anew = database::read_rows(&pool).await?;
        if head().await? == before {
            return database::ensure_same(&live, &anew).context("made anew");
        }
    }
    anyhow::bail!("something happened during {QUIET_TRIES} rebuilds")
}
