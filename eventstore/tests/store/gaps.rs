//! The order of the log while writers are slow, sequencers compete and events are skipped.

use calotype_eventstore::contract::{append, envelope, event, event_id};
use calotype_eventstore::testing::database;
use calotype_eventstore::{EventStore, ExpectedRevision, GlobalPosition, Revision, Sequencer};

use crate::support::{SOON, read_everything, sequence_all, sequenced, store_over, texts};

/// `log.append` with one event, as a slow writer would call it.
const APPEND_ONE: &str = "
    select log.append(
        false, array[1], array[$1], array[-1::bigint], array[null::text], null,
        array[1], array[0], array[$2::uuid], array[$1], array['ThingHappened'], array[1::smallint],
        array['{}'], array[null::text], array['system'], array['test'], array[null::uuid],
        array[null::text], array[$2::uuid], array[null::uuid], array[now()],
        null, null, null, null, null
    )";

#[tokio::test]
async fn a_slow_writer_hides_nothing_from_a_reader() {
    let database = database().await;
    let store = store_over(&database.pool).await;
    let sequencer = Sequencer::new(store.clone());
    let mut slow = database.pool.begin().await.expect("a transaction");
    sqlx::query(APPEND_ONE)
        .bind("thing-slow")
        .bind(event_id(1))
        .execute(&mut *slow)
        .await
        .expect("an append that is not committed");

    store
        .append(vec![append("fast", ExpectedRevision::NoStream, vec![event(2)])], envelope())
        .await
        .expect("a fast append");
    sequence_all(&sequencer).await;
    let seen = read_everything(&store).await;
    slow.commit().await.expect("the slow commit");
    sequence_all(&sequencer).await;
    let after = store.read_all(GlobalPosition::new(1), 10).await.expect("what came after");

    assert_eq!(texts(seen.iter().map(|event| event.event_id)), texts([event_id(2)]));
    assert_eq!(texts(after.iter().map(|event| event.event_id)), texts([event_id(1)]));
    assert_eq!(after[0].position, Some(GlobalPosition::new(2)));
}

#[tokio::test]
async fn one_of_two_sequencers_leads_and_the_other_takes_over() {
    let database = database().await;
    let store = store_over(&database.pool).await;
    let [first, second] = [Sequencer::new(store.clone()), Sequencer::new(store.clone())];
    assert_eq!(first.step().await.expect("the first leads"), 0);
    store
        .append(vec![append("a", ExpectedRevision::NoStream, vec![event(1)])], envelope())
        .await
        .expect("an append");

    assert_eq!(second.step().await.expect("the second does not lead"), 0);
    assert_eq!(first.step().await.expect("the first moves"), 1);
    drop(first);
    store
        .append(vec![append("b", ExpectedRevision::NoStream, vec![event(2)])], envelope())
        .await
        .expect("another append");
    let taken_over = tokio::time::timeout(SOON, async {
        while second.step().await.expect("a step") == 0 {
            tokio::task::yield_now().await;
        }
    });

    taken_over.await.expect("the second takes over");
    assert_eq!(store.head().await.expect("the head"), GlobalPosition::new(2));
}

#[tokio::test]
async fn another_process_is_told_where_the_log_stands() {
    let here = sequenced().await;
    let elsewhere = store_over(&here.database.pool).await;
    let mut positions = elsewhere.positions();

    let appended = elsewhere
        .append(vec![append("a", ExpectedRevision::NoStream, vec![event(1)])], envelope())
        .await
        .expect("an append");
    let last_event_id = appended[0].last_event_id;
    let position = elsewhere.wait_sequenced(last_event_id, SOON).await.expect("a position");

    assert_eq!(position, Some(GlobalPosition::new(1)));
    tokio::time::timeout(SOON, positions.wait_for(|head| *head >= GlobalPosition::new(1)))
        .await
        .expect("a notification in time")
        .expect("the store is open");
}

#[tokio::test]
async fn a_skipped_event_is_ignored_and_the_stream_goes_on() {
    let here = sequenced().await;
    let first = append("a", ExpectedRevision::NoStream, vec![event(1), event(2)]);
    here.store.append(vec![first], envelope()).await.expect("an append");
    here.store.wait_sequenced(event_id(2), SOON).await.expect("positions");

    sqlx::query("insert into log.skipped (event_id, reason, skipped_by) values ($1, 'a', 'b')")
        .bind(event_id(2))
        .execute(&here.database.pool)
        .await
        .expect("an operator skips the second event");
    let expected = ExpectedRevision::Exact(Revision::FIRST);
    let next = here
        .store
        .append(vec![append("a", expected, vec![event(3)])], envelope())
        .await
        .expect("who sees one event demands one event");
    here.store.wait_sequenced(event_id(3), SOON).await.expect("positions");

    assert_eq!(next[0].last_revision, Revision::new(2));
    let all = read_everything(&here.store).await;
    let piece = here.store.read_all(GlobalPosition::new(1), 1).await.expect("a piece");
    assert_eq!(texts(all.iter().map(|e| e.event_id)), texts([event_id(1), event_id(3)]));
    assert_eq!(texts(piece.iter().map(|e| e.event_id)), texts([event_id(3)]));
}

#[tokio::test]
async fn positions_are_not_given_again_after_a_reset() {
    let here = sequenced().await;
    let store = &here.store;
    store
        .append(vec![append("a", ExpectedRevision::NoStream, vec![event(1)])], envelope())
        .await
        .expect("an append");
    store.wait_sequenced(event_id(1), SOON).await.expect("a position");

    sqlx::raw_sql(
        "begin;
        set local session_replication_role = replica;
        truncate log.events, log.positions, log.outbox;
        commit",
    )
    .execute(&here.database.pool)
    .await
    .expect("the owner resets test data");
    store.drop_caches();
    store
        .append(vec![append("a", ExpectedRevision::NoStream, vec![event(1)])], envelope())
        .await
        .expect("the same append is new again");

    let position = store.wait_sequenced(event_id(1), SOON).await.expect("a position");
    assert_eq!(position, Some(GlobalPosition::new(2)));
}
