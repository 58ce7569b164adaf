//! The map of the log: questions pass over pieces that cannot hold an answer, and only over those.

use calotype_eventstore::contract::{append, envelope, event};
use calotype_eventstore::testing::database;
use calotype_eventstore::{
    EventStore as _, ExpectedRevision, GlobalPosition, ProofLog, Prover, ProverOptions, Selection,
    Sequencer,
};

use crate::support::{sequence_all, store_over};

/// Positions of one piece.
const PIECE: u64 = 10_000;
/// Events of one stream.
const STREAM_EVENTS: u64 = 500;

#[tokio::test]
async fn questions_pass_over_pieces_in_which_nothing_of_that_happened() {
    let database = database().await;
    let store = store_over(&database.pool).await;
    let folder = tempfile::tempdir().expect("a folder");
    for first in (0..=PIECE).step_by(usize::try_from(STREAM_EVENTS).expect("small")) {
        let events = (first..first + STREAM_EVENTS).map(|n| event(u128::from(n))).collect();
        let stream = append(&format!("n{first}"), ExpectedRevision::NoStream, events);
        store.append(vec![stream], envelope()).await.expect("an append");
    }
    sequence_all(&Sequencer::new(store.clone())).await;
    let head = store.head().await.expect("the head");
    let first = store.read_all(GlobalPosition::START, 1).await.expect("the first event").remove(0);
    let of = |event_type: &str| Selection {
        event_type: Some(event_type.to_owned()),
        ..Selection::default()
    };
    let looked = async |event_type: &str| {
        let some = store.read_selected(GlobalPosition::START, &of(event_type), 1).await;
        some.expect("an answer")
    };
    let own = [first.stream_id.aggregate()];
    let read = async |aggregates: &[&str]| {
        let some = store.read_aggregates(GlobalPosition::START, aggregates, 10).await;
        some.expect("an answer")
    };
    assert_eq!(looked(&first.event_type).await.events.len(), 1, "without a map");

    let log =
        ProofLog::new(database.pool.clone(), folder.path().into(), folder.path().join("heads"));
    let prover = Prover::new(store.clone(), log, ProverOptions::default());
    while prover.step().await.expect("a step").is_some_and(|waiting| waiting > 0) {}
    assert!(prover.map_once().await.expect("a piece"), "the first piece is not on the map");
    assert!(!prover.map_once().await.expect("no piece"), "a piece that the log has not passed");

    let found = looked(&first.event_type).await;
    assert_eq!(found.events, std::slice::from_ref(&first));
    assert_eq!(read(&own).await.events.len(), 10);
    let none = looked("NeverHappened").await;
    assert!(none.events.is_empty() && none.looked_to == head, "{none:?}");
    let none = read(&["nobody"]).await;
    assert!(none.events.is_empty() && none.looked_to == head, "{none:?}");

    // What the map does not say is not looked for: it is what decides.
    sqlx::query("update work.log_blocks set types = '{}', aggregates = '{}'")
        .execute(&database.pool)
        .await
        .expect("another map");
    let behind = i64::try_from(PIECE).expect("small");
    let found = looked(&first.event_type).await;
    assert!(found.events[0].position > Some(GlobalPosition::new(behind)), "{found:?}");
    assert!(read(&own).await.events[0].position > Some(GlobalPosition::new(behind)));
}
