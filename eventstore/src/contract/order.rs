//! The order of the whole log.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use futures::future::join_all;

use super::sample::{append, envelope, event, event_id};
use crate::event::Recorded;
use crate::selection::Selection;
use crate::store::EventStore;
use crate::stream::ExpectedRevision::{Any, NoStream};
use crate::stream::{GlobalPosition, Revision, StreamId};

const SOON: Duration = Duration::from_secs(20);

/// Appends events 0 to `count` from as many writers to seven streams, and waits until they have positions.
async fn append_many(store: &impl EventStore, count: u128) {
    let attempts = (0..count).map(|number| async move {
        let key = (number % 7).to_string();
        let appended =
            store.append(vec![append(&key, Any, vec![event(number)])], envelope()).await?;
        Ok::<_, crate::AppendError>(appended[0].last_event_id)
    });
    for event_id in join_all(attempts).await {
        let event_id = event_id.expect("an append");
        let position = store.wait_sequenced(event_id, SOON).await.expect("a position");
        assert!(position.is_some(), "{event_id} has no position");
    }
}

async fn read_everything(store: &impl EventStore, piece: u32) -> Vec<Recorded> {
    let mut events = Vec::new();
    let mut after = GlobalPosition::START;
    loop {
        let read = store.read_all(after, piece).await.expect("the log");
        let Some(last) = read.last() else { return events };
        after = last.position.expect("what is read from the log has a position");
        events.extend(read);
    }
}

pub(super) async fn positions_rise_without_gaps(store: &impl EventStore) {
    append_many(store, 100).await;

    let events = read_everything(store, 1_000).await;

    let positions: Vec<i64> =
        events.iter().filter_map(|event| event.position).map(GlobalPosition::get).collect();
    assert_eq!(positions, (1..=100).collect::<Vec<_>>());
    assert_eq!(store.head().await.expect("the head"), GlobalPosition::new(100));
    for event in &events {
        let position = store.position_of(event.event_id).await.expect("a position");
        assert_eq!(position, event.position);
    }
}

pub(super) async fn events_of_a_stream_keep_their_order(store: &impl EventStore) {
    append_many(store, 100).await;

    let mut next = HashMap::new();
    for event in read_everything(store, 1_000).await {
        let revision = next.entry(event.stream_id.clone()).or_insert(0);
        assert_eq!(event.revision.get(), *revision, "{}", event.stream_id);
        *revision += 1;
    }
}

pub(super) async fn the_log_is_read_in_pieces(store: &impl EventStore) {
    append_many(store, 50).await;

    let at_once = read_everything(store, 1_000).await;

    assert_eq!(at_once.len(), 50);
    assert_eq!(read_everything(store, 7).await, at_once);
    assert!(store.read_all(GlobalPosition::new(50), 7).await.expect("the end").is_empty());
}

pub(super) async fn what_a_request_did_is_found(store: &impl EventStore) {
    append_many(store, 20).await;
    let other = crate::event::Envelope { correlation_id: event_id(1_000), ..envelope() };
    let theirs = vec![append("other", Any, vec![event(100), event(101)])];
    store.append(theirs, other.clone()).await.expect("an append");

    let found = store.read_correlated(other.correlation_id, 100).await.expect("the events");

    let ids: Vec<_> = found.iter().map(|event| event.event_id).collect();
    assert_eq!(ids, [event_id(100), event_id(101)]);
    let some = store.read_correlated(envelope().correlation_id, 7).await.expect("the events");
    assert_eq!(some.len(), 7);
    assert!(store.read_correlated(event_id(2_000), 7).await.expect("nothing").is_empty());
}

pub(super) async fn several_streams_are_read_at_once(store: &impl EventStore) {
    append_many(store, 50).await;
    store.skip(event_id(8), "nonsense", "an operator").await.expect("skipping");
    let stream_ids: Vec<StreamId> = read_everything(store, 1_000)
        .await
        .into_iter()
        .map(|event| event.stream_id)
        .filter(|stream_id| ["1", "4"].contains(&stream_id.key()))
        .collect();
    let mut expected = Vec::new();
    for stream_id in stream_ids.iter().collect::<BTreeSet<_>>() {
        let stream = store.read_stream(stream_id, Revision::FIRST, 100).await.expect("a stream");
        expected.extend(stream.into_iter().map(|event| (event.event_id, event.revision)));
    }

    let read = store.read_streams(&stream_ids, 1_000).await.expect("the streams");

    let read: Vec<_> = read.into_iter().map(|event| (event.event_id, event.revision)).collect();
    assert_eq!(read.len(), 13);
    assert_eq!(read, expected);
    let some = store.read_streams(&stream_ids, 9).await.expect("some events");
    let some: Vec<_> = some.into_iter().map(|event| (event.event_id, event.revision)).collect();
    assert_eq!(some, expected[..9]);
    assert!(store.read_streams(&[], 9).await.expect("nothing").is_empty());
}

pub(super) async fn waiting_ends_with_the_position(store: &impl EventStore) {
    let mut positions = store.positions();
    positions.mark_unchanged();
    let waiting = store.wait_sequenced(event_id(1), SOON);
    let appending = store.append(vec![append("a", NoStream, vec![event(1)])], envelope());

    let (position, appended) = tokio::join!(waiting, appending);

    appended.expect("an append");
    assert_eq!(position.expect("a position"), Some(GlobalPosition::new(1)));
    assert!(*positions.borrow_and_update() >= GlobalPosition::new(1));
    let known = store.wait_sequenced(event_id(1), Duration::ZERO).await;
    assert!(known.is_ok());
}

pub(super) async fn waiting_for_nothing_ends_in_time(store: &impl EventStore) {
    let position = store.wait_sequenced(event_id(1), Duration::from_millis(30)).await;

    assert_eq!(position.expect("an answer"), None);
    assert_eq!(store.position_of(event_id(1)).await.expect("an answer"), None);
}

pub(super) async fn a_skipped_event_is_not_read(store: &impl EventStore) {
    append_many(store, 15).await;

    store.skip(event_id(7), "nonsense", "an operator").await.expect("skipping");
    store.skip(event_id(7), "again", "another").await.expect("skipping twice");

    let all = read_everything(store, 4).await;
    assert_eq!(all.len(), 14);
    assert!(all.iter().all(|event| event.event_id != event_id(7)));
    let stream_id = all.iter().find(|event| event.event_id == event_id(0)).map(|e| &e.stream_id);
    let stream_id = stream_id.expect("the first event's stream");
    let stream = store.read_stream(stream_id, Revision::FIRST, 10).await.expect("a stream");
    assert_eq!(stream.len(), 2);
}

pub(super) async fn what_is_asked_for_is_found_piece_by_piece(store: &impl EventStore) {
    append_many(store, 40).await;
    let by = |actor: &str| Selection { actor: Some(actor.to_owned()), ..Selection::default() };
    let of_things = Selection {
        aggregate: Some("thing".to_owned()),
        event_type: Some("ThingHappened".to_owned()),
        from: Some(envelope().recorded_at),
        ..by(&envelope().actor.id)
    };
    let user_id = envelope().actor.user_id.expect("a user").to_string();
    let nothing = [
        by("somebody else"),
        Selection { aggregate: Some("thin".to_owned()), ..Selection::default() },
        Selection { event_type: Some("Thing".to_owned()), ..Selection::default() },
        Selection { to: Some(envelope().recorded_at), ..Selection::default() },
    ];

    let (mut found, mut after) = (Vec::new(), GlobalPosition::START);
    loop {
        let some = store.read_selected(after, &of_things, 7).await.expect("the log");
        assert!(some.events.len() <= 7);
        if some.looked_to <= after {
            break;
        }
        after = some.looked_to;
        found.extend(some.events);
    }

    assert_eq!(found, read_everything(store, 1_000).await);
    let all = store.read_selected(GlobalPosition::START, &by(&user_id), 1_000).await;
    assert_eq!(all.expect("the log").events.len(), 40);
    for selection in nothing {
        let none = store.read_selected(GlobalPosition::START, &selection, 10).await;
        let none = none.expect("the log");
        assert!(none.events.is_empty(), "{selection:?}");
        assert_eq!(none.looked_to, GlobalPosition::new(40));
    }
}
