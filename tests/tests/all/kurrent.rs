//! The log in KurrentDB: the contract that every store keeps, what only this one can show, and a whole server with
//! it. KurrentDB is a double that speaks its protocol; nothing here ran against the real one.

#![expect(clippy::expect_used, reason = "these are tests")]

use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_eventstore::contract::{
    self, append, envelope, event, event_id, sealed_event, stream_id,
};
use calotype_eventstore::testing::{TestDatabase, database};
use calotype_eventstore::{
    AppendError, EventStore as _, ExpectedRevision, GlobalPosition, Keyring, KurrentFollower,
    KurrentOptions, KurrentStore, Log, NewEvent, Orderer as _, PostgresOptions, PostgresStore,
    Revision, Sequencer, StoreError,
};
use calotype_tests::kurrent::Kurrent;
use calotype_tests::media::media;
use calotype_tests::server::Victim;
use calotype_tests::waiting::until;
use calotype_tests::{Options, story};
use serde_json::json;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

const SOON: Duration = Duration::from_secs(120);

/// A KurrentDB and a database beside it.
struct World {
    kurrent: Kurrent,
    database: TestDatabase,
}

/// A store that a task copies, until it is dropped.
struct Running {
    store: KurrentStore,
    _stop: DropGuard,
}

impl World {
    async fn new() -> Self {
        Self { kurrent: Kurrent::start().await.expect("a double"), database: database().await }
    }

    async fn postgres(&self) -> PostgresStore {
        let keyring = Keyring::from_bytes([7; 32]);
        PostgresStore::connect(self.database.pool.clone(), keyring, PostgresOptions::default())
            .await
            .expect("a store over a migrated database")
    }

    /// A store as another process would have it. Nothing copies, so its answers do not wait for that.
    async fn store(&self) -> KurrentStore {
        let options = KurrentOptions { copied_wait: Duration::ZERO, ..KurrentOptions::default() };
        KurrentStore::connect(self.postgres().await, &self.kurrent.url(), options)
            .await
            .expect("a store over KurrentDB")
    }

    async fn running(&self) -> Running {
        let options = KurrentOptions::default();
        let store = KurrentStore::connect(self.postgres().await, &self.kurrent.url(), options)
            .await
            .expect("a store over KurrentDB");
        let stop = CancellationToken::new();
        let (follower, until) = (KurrentFollower::new(&store), stop.clone());
        TaskTracker::new().spawn(async move { follower.run(until).await });
        Running { store, _stop: stop.drop_guard() }
    }

    async fn unfinished(&self) -> i64 {
        sqlx::query_scalar("select count(*) from log.kurrent_calls")
            .fetch_one(&self.database.pool)
            .await
            .expect("the unfinished appends")
    }
}

async fn copy_all(follower: &KurrentFollower) {
    while follower.step().await.expect("a step") > 0 {}
}

async fn ids_of(store: &KurrentStore, key: &str) -> Vec<Uuid> {
    let events = store.read_stream(&stream_id(key), Revision::FIRST, 100).await.expect("a stream");
    events.iter().map(|event| event.event_id).collect()
}

async fn log_of(store: &KurrentStore) -> Vec<(i64, Uuid)> {
    let events = store.read_all(GlobalPosition::START, 1_000).await.expect("the log");
    let place = |position: GlobalPosition| position.get();
    events.iter().map(|event| (event.position.map_or(0, place), event.event_id)).collect()
}

fn numbered(event_ids: Vec<Uuid>) -> Vec<(i64, Uuid)> {
    (1..).zip(event_ids).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_on_kurrentdb_keeps_the_contract() {
    // What the test before had ends when the next one begins.
    let world: Mutex<Option<(World, Running)>> = Mutex::default();

    contract::check(|| async {
        let new = World::new().await;
        let running = new.running().await;
        let store = running.store.clone();
        drop(world.lock().expect("no test has failed").replace((new, running)));
        store
    })
    .await;
}

#[tokio::test]
async fn places_are_counted_in_the_order_of_the_whole_log() {
    let world = World::new().await;
    let store = world.store().await;
    for number in 0..20 {
        let key = (number % 3).to_string();
        let appends = vec![append(&key, ExpectedRevision::Any, vec![event(number)])];
        store.append(appends, envelope()).await.expect("an append");
    }

    let first = KurrentFollower::new(&store);
    copy_all(&first).await;
    let half = log_of(&store).await;
    // Another process takes over where the first one stopped.
    drop(first);
    let appends = vec![append("0", ExpectedRevision::Any, vec![event(20), event(21)])];
    store.append(appends, envelope()).await.expect("an append");
    let second = KurrentFollower::new(&world.store().await);
    until("the second to lead", SOON, async || {
        copy_all(&second).await;
        Ok((store.head().await? == GlobalPosition::new(22)).then_some(()))
    })
    .await
    .expect("the rest of the log");

    let all = log_of(&store).await;
    assert_eq!(half, all[..20]);
    assert_eq!(all, numbered(world.kurrent.event_ids()));
}

#[tokio::test]
async fn an_append_whose_answers_were_lost_is_written_once() {
    let world = World::new().await;
    let store = world.store().await;
    world.kurrent.lose_answers(2);

    let appends = vec![append("a", ExpectedRevision::NoStream, vec![event(1), event(2)])];
    let appended = store.append(appends, envelope()).await.expect("an answer at last");

    assert_eq!(appended[0].last_revision, Revision::new(1));
    assert_eq!(world.kurrent.event_ids(), [event_id(1), event_id(2)]);
}

#[tokio::test]
async fn an_append_whose_every_answer_was_lost_may_be_repeated() {
    let world = World::new().await;
    let store = world.store().await;
    world.kurrent.lose_answers(1_000);
    let appends = vec![append("a", ExpectedRevision::NoStream, vec![event(1)])];

    let unknown = store.append(appends.clone(), envelope()).await;
    world.kurrent.lose_answers(0);
    let repeated = store.append(appends, envelope()).await.expect("the same again");

    assert!(matches!(unknown, Err(AppendError::Unknown(_))), "{unknown:?}");
    assert_eq!(repeated[0].last_revision, Revision::FIRST);
    assert_eq!(world.kurrent.event_ids(), [event_id(1)]);
}

/// An append to two streams of which the second takes nothing.
async fn half_written(world: &World, store: &KurrentStore) {
    let open = append("b", ExpectedRevision::NoStream, vec![event(1)]);
    store.append(vec![open], envelope()).await.expect("an append");
    world.kurrent.close_stream("thing-b");
    let unknown = store.append(both(), envelope()).await;
    assert!(matches!(unknown, Err(AppendError::Unknown(_))), "{unknown:?}");
    assert_eq!(world.kurrent.stream_ids("thing-a"), [event_id(2)]);
    assert_eq!(world.unfinished().await, 1);
}

fn both() -> Vec<calotype_eventstore::Append> {
    vec![
        append("a", ExpectedRevision::NoStream, vec![sealed_event(2, &json!("Ada"))]),
        append("b", ExpectedRevision::Exact(Revision::FIRST), vec![event(3), event(4)]),
    ]
}

#[tokio::test]
async fn what_one_decided_the_next_writer_finishes() {
    let world = World::new().await;
    half_written(&world, &world.store().await).await;
    let other = world.store().await;
    let next = vec![append("b", ExpectedRevision::Any, vec![event(5)])];

    // While it cannot be finished nobody writes after it.
    let refused = other.append(next.clone(), envelope()).await;
    world.kurrent.open_streams();
    other.append(next, envelope()).await.expect("an append");
    let repeated = other.append(both(), envelope()).await.expect("the first one again");

    assert!(matches!(refused, Err(AppendError::Unavailable(_))), "{refused:?}");
    assert_eq!(ids_of(&other, "b").await, [1, 3, 4, 5].map(event_id));
    assert_eq!(ids_of(&other, "a").await, [event_id(2)]);
    let last: Vec<i64> = repeated.iter().map(|it| it.last_revision.get()).collect();
    assert_eq!(last, [0, 2]);
    assert_eq!(world.unfinished().await, 0);
}

#[tokio::test]
async fn what_nobody_touches_again_the_copier_finishes() {
    let world = World::new().await;
    let store = world.store().await;
    half_written(&world, &store).await;
    world.kurrent.open_streams();
    sqlx::query("update log.kurrent_calls set decided_at = decided_at - interval '1 minute'")
        .execute(&world.database.pool)
        .await
        .expect("a minute");

    let follower = KurrentFollower::new(&store);
    copy_all(&follower).await;
    copy_all(&follower).await;

    assert_eq!(log_of(&store).await, numbered([1, 2, 3, 4].map(event_id).to_vec()));
    assert_eq!(world.unfinished().await, 0);
}

#[tokio::test]
async fn what_was_decided_is_whole_though_a_stranger_came_between() {
    let world = World::new().await;
    let store = world.store().await;
    half_written(&world, &store).await;
    world.kurrent.intrude("thing-b", event_id(90));
    world.kurrent.open_streams();

    let repeated = store.append(both(), envelope()).await.expect("the same again");

    assert_eq!(world.kurrent.stream_ids("thing-b"), [1, 90, 3, 4].map(event_id));
    assert_eq!(repeated[1].last_revision, Revision::new(3));
    assert_eq!(world.unfinished().await, 0);
}

#[tokio::test]
async fn what_is_larger_than_one_write_is_written_whole() {
    let world = World::new().await;
    let store = world.store().await;
    let large =
        |number| NewEvent { payload: json!({ "text": "x".repeat(400_000) }), ..event(number) };
    let appends = vec![append("a", ExpectedRevision::NoStream, (0..5).map(large).collect())];

    let appended = store.append(appends, envelope()).await.expect("an append");
    let refused = NewEvent { payload: json!({ "text": "x".repeat(2_000_000) }), ..event(9) };
    let refused = vec![append("b", ExpectedRevision::NoStream, vec![refused])];
    let refused = store.append(refused, envelope()).await;

    assert_eq!(appended[0].last_revision, Revision::new(4));
    assert_eq!(ids_of(&store, "a").await, [0, 1, 2, 3, 4].map(event_id));
    assert!(matches!(refused, Err(AppendError::Invalid(_))), "{refused:?}");
    assert_eq!(world.unfinished().await, 0);
}

#[tokio::test]
async fn while_kurrentdb_is_away_nothing_is_written_and_then_it_goes_on() {
    let world = World::new().await;
    let store = world.store().await;
    world.kurrent.set_away(true);
    let appends = vec![
        append("a", ExpectedRevision::NoStream, vec![event(1)]),
        append("b", ExpectedRevision::NoStream, vec![event(2)]),
    ];

    let refused = store.append(appends.clone(), envelope()).await;
    let follower = KurrentFollower::new(&store);
    let stuck = follower.step().await;
    let unfinished = world.unfinished().await;
    world.kurrent.set_away(false);
    store.append(appends, envelope()).await.expect("an append");
    copy_all(&follower).await;

    assert!(matches!(refused, Err(AppendError::Unavailable(_))), "{refused:?}");
    assert!(matches!(stuck, Err(StoreError::Database { .. })), "{stuck:?}");
    assert_eq!(unfinished, 0);
    assert_eq!(log_of(&store).await, numbered(vec![event_id(1), event_id(2)]));
}

#[tokio::test]
async fn a_log_goes_on_only_where_it_began() {
    let here = World::new().await;
    let postgres = here.postgres().await;
    let appends = vec![append("a", ExpectedRevision::NoStream, vec![event(1)])];
    postgres.append(appends.clone(), envelope()).await.expect("an append");
    let sequencer = Sequencer::new(postgres.clone());
    while sequencer.step().await.expect("a step") > 0 {}
    let moved = Log::open(&postgres, Some(&here.kurrent.url())).await;

    let there = World::new().await;
    there.store().await.append(appends, envelope()).await.expect("an append");
    let left = Log::open(&there.postgres().await, None).await;

    let wrong = Log::open(&there.postgres().await, Some("kurrentdb://secret@:x")).await;

    assert!(matches!(moved, Err(StoreError::OtherLog(_))), "{moved:?}");
    assert!(matches!(left, Err(StoreError::OtherLog(_))), "{left:?}");
    assert!(matches!(wrong, Err(StoreError::Address { .. })), "{wrong:?}");
}

#[tokio::test]
async fn another_kurrentdb_is_not_copied_over_the_first() {
    let mut world = World::new().await;
    let store = world.store().await;
    let one = |number| vec![append("a", ExpectedRevision::Any, vec![event(number)])];
    store.append(one(1), envelope()).await.expect("an append");
    copy_all(&KurrentFollower::new(&store)).await;
    world.kurrent = Kurrent::start().await.expect("another double");
    let other = world.store().await;

    let follower = KurrentFollower::new(&other);
    let refused = until("the other to lead", SOON, async || {
        Ok(follower.step().await.err().map(|error| error.to_string()))
    })
    .await
    .expect("a refusal");

    assert!(refused.contains("not the one that was copied"), "{refused}");
    assert_eq!(log_of(&other).await, numbered(vec![event_id(1)]));
}

#[tokio::test]
async fn a_server_whose_log_is_in_kurrentdb_survives_a_kill() -> anyhow::Result<()> {
    let kurrent = Kurrent::start().await?;
    let options = Options {
        testing: false,
        environment: vec![("CALOTYPE_EVENT_STORE".to_owned(), kurrent.url())],
        ..Options::default()
    };
    story(options, async |server| {
        let admin = server.client().sign_up().await?;
        let asset = admin.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
        admin.wait_for_thumbnail(&asset).await?;
        let favorite = json!({ "isFavorite": true, "description": "by the sea" });
        admin.put(&format!("/api/assets/{asset}"), &favorite).await?.expect(200)?;
        let before = admin.timeline("").await?;
        ensure!(before == [asset.clone()], "{before:?}");
        let written = kurrent.event_ids().len();
        ensure!(written > 4, "{written} events in KurrentDB");

        server.kill(Victim::Server).await?;
        server.go_on().await?;

        let admin = server.client().login(calotype_tests::client::ADMIN_EMAIL).await?;
        ensure!(admin.timeline("").await? == before, "the timeline is another one");
        admin.wait_for_thumbnail(&asset).await?;
        let told = admin.get_json(&format!("/api/assets/{asset}")).await?;
        ensure!(told["isFavorite"] == true, "{told}");
        ensure!(told["exifInfo"]["description"] == "by the sea", "{told}");
        let log = server.log();
        ensure!(!log.contains("changeit"), "the log tells the password of KurrentDB");
        let ids = kurrent.event_ids();
        ensure!(ids.len() > written, "nothing was written after the kill");
        let mut once = ids.clone();
        once.sort_unstable();
        once.dedup();
        ensure!(once.len() == ids.len(), "an event was written twice");
        Ok(())
    })
    .await
    .context("a server whose log is in KurrentDB")
}
