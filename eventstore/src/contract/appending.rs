//! Appending, and reading one stream.

use futures::future::join_all;
use serde_json::json;

use super::sample::{append, envelope, event, event_id, stream_id};
use crate::error::AppendError;
use crate::event::{Append, Appended, NewEvent};
use crate::store::EventStore;
use crate::stream::ExpectedRevision::{Any, Exact, NoStream};
use crate::stream::{GlobalPosition, Revision};

async fn revisions_of(store: &impl EventStore, key: &str) -> Vec<i64> {
    let events =
        store.read_stream(&stream_id(key), Revision::FIRST, 1_000).await.expect("a stream");
    events.iter().map(|event| event.revision.get()).collect()
}

pub(super) async fn revisions_count_from_zero(store: &impl EventStore) {
    let first =
        store.append(vec![append("a", NoStream, vec![event(1), event(2)])], envelope()).await;
    let next =
        store.append(vec![append("a", Exact(Revision::new(1)), vec![event(3)])], envelope()).await;

    let appended = |revision, number| Appended {
        stream_id: stream_id("a"),
        last_revision: Revision::new(revision),
        last_event_id: event_id(number),
    };
    assert_eq!(first.expect("a new stream"), [appended(1, 2)]);
    assert_eq!(next.expect("the next event"), [appended(2, 3)]);
    assert_eq!(revisions_of(store, "a").await, [0, 1, 2]);
    assert!(revisions_of(store, "b").await.is_empty());
}

pub(super) async fn what_was_given_is_read(store: &impl EventStore) {
    let mut anonymous = envelope();
    anonymous.client = None;
    anonymous.causation_id = None;
    anonymous.actor.user_id = None;
    let mut without_subject = append("b", Any, vec![event(2)]);
    without_subject.subject = None;

    store.append(vec![append("a", NoStream, vec![event(1)])], envelope()).await.expect("an append");
    store.append(vec![without_subject], anonymous.clone()).await.expect("an append");

    let a = store.read_stream(&stream_id("a"), Revision::FIRST, 10).await.expect("a stream");
    let [read] = a.as_slice() else { panic!("one event in {a:?}") };
    let given = event(1);
    assert_eq!(read.event_id, given.event_id);
    assert_eq!(read.stream_id, stream_id("a"));
    assert_eq!(read.event_type, given.event_type);
    assert_eq!(read.version, given.version);
    assert_eq!(read.payload.to_value().expect("JSON"), given.payload);
    assert_eq!(read.subject.as_deref(), Some("thing-a"));
    assert_eq!(read.envelope, envelope());
    let b = store.read_stream(&stream_id("b"), Revision::FIRST, 10).await.expect("a stream");
    assert_eq!(b[0].envelope, anonymous);
    assert_eq!(b[0].subject, None);
}

pub(super) async fn a_demand_that_does_not_hold_writes_nothing(store: &impl EventStore) {
    store.append(vec![append("a", NoStream, vec![event(1)])], envelope()).await.expect("an append");

    for (key, expected, actual) in [
        ("a", NoStream, Some(Revision::FIRST)),
        ("a", Exact(Revision::new(1)), Some(Revision::FIRST)),
        ("b", Exact(Revision::FIRST), None),
    ] {
        let refused = store.append(vec![append(key, expected, vec![event(2)])], envelope()).await;
        let Err(AppendError::WrongExpectedRevision { stream_id: there, expected: e, actual: a }) =
            refused
        else {
            panic!("{expected} of {key}: {refused:?}")
        };
        assert_eq!((there, e, a), (stream_id(key), expected, actual));
    }
    assert_eq!(revisions_of(store, "a").await, [0]);
    assert!(revisions_of(store, "b").await.is_empty());
}

pub(super) async fn several_streams_are_written_together_or_not_at_all(store: &impl EventStore) {
    store.append(vec![append("taken", NoStream, vec![event(1)])], envelope()).await.expect("one");

    let refused = store
        .append(
            vec![
                append("new", NoStream, vec![event(2)]),
                append("taken", NoStream, vec![event(3)]),
            ],
            envelope(),
        )
        .await;
    let written = store
        .append(
            vec![
                append("new", NoStream, vec![event(4)]),
                append("taken", Exact(Revision::FIRST), vec![event(5), event(6)]),
            ],
            envelope(),
        )
        .await
        .expect("both streams");

    let Err(AppendError::WrongExpectedRevision { stream_id: to_blame, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(to_blame, stream_id("taken"));
    assert_eq!(written[0].last_event_id, event_id(4));
    assert_eq!(written[1].last_revision, Revision::new(2));
    assert_eq!(revisions_of(store, "new").await, [0]);
    assert_eq!(revisions_of(store, "taken").await, [0, 1, 2]);
}

pub(super) async fn repeating_an_append_is_answered_as_the_first_time(store: &impl EventStore) {
    let wish = vec![
        append("a", NoStream, vec![event(1), event(2)]),
        append("b", NoStream, vec![event(3)]),
    ];
    let first = store.append(wish.clone(), envelope()).await.expect("the first time");
    let later = append("a", Exact(Revision::new(1)), vec![event(4)]);
    store.append(vec![later], envelope()).await.expect("something later");

    let again = store.append(wish, envelope()).await.expect("the second time");

    assert_eq!(again, first);
    assert_eq!(revisions_of(store, "a").await, [0, 1, 2]);
    assert_eq!(revisions_of(store, "b").await, [0]);
}

pub(super) async fn repeating_without_a_demand_is_answered_as_the_first_time(
    store: &impl EventStore,
) {
    let wish = vec![append("a", Any, vec![event(1)])];
    let first = store.append(wish.clone(), envelope()).await.expect("the first time");
    let again = store.append(wish, envelope()).await.expect("the second time");

    assert_eq!(again, first);
    assert_eq!(revisions_of(store, "a").await, [0]);
}

pub(super) async fn an_event_id_is_given_once(store: &impl EventStore) {
    store.append(vec![append("a", NoStream, vec![event(1)])], envelope()).await.expect("an append");

    for appends in [
        vec![append("b", NoStream, vec![event(1)])],
        vec![append("b", Any, vec![event(1), event(2)])],
        vec![append("a", Exact(Revision::FIRST), vec![event(1), event(2)])],
    ] {
        let refused = store.append(appends.clone(), envelope()).await;
        assert!(matches!(refused, Err(AppendError::Invalid(_))), "{appends:?}: {refused:?}");
    }
    assert!(revisions_of(store, "b").await.is_empty());
    assert_eq!(revisions_of(store, "a").await, [0]);
}

pub(super) async fn senseless_appends_are_refused(store: &impl EventStore) {
    let sealing = NewEvent { payload: json!({"a": {"$seal": 1}}), ..event(1) };
    let unnamed = NewEvent { event_type: String::new(), ..event(1) };
    let forged = NewEvent { payload: json!([{"$sealed": "AAAA"}]), ..event(1) };
    let without_subject = |events| Append { subject: None, ..append("a", NoStream, events) };
    for appends in [
        vec![],
        vec![append("a", NoStream, vec![])],
        vec![append("a", NoStream, vec![event(1)]), append("a", Any, vec![event(2)])],
        vec![append("a", NoStream, vec![event(1), event(1)])],
        vec![append("a", NoStream, vec![unnamed])],
        vec![append("a", NoStream, vec![forged])],
        vec![without_subject(vec![sealing])],
    ] {
        let refused = store.append(appends.clone(), envelope()).await;
        assert!(matches!(refused, Err(AppendError::Invalid(_))), "{appends:?}: {refused:?}");
    }
    assert_eq!(store.head().await.expect("the head"), GlobalPosition::START);
}

pub(super) async fn a_stream_is_read_in_pieces(store: &impl EventStore) {
    let events = (0..7).map(event).collect();
    store.append(vec![append("a", NoStream, events)], envelope()).await.expect("an append");

    let piece = store.read_stream(&stream_id("a"), Revision::new(2), 3).await.expect("a piece");
    let end = store.read_stream(&stream_id("a"), Revision::new(6), 3).await.expect("the end");

    assert_eq!(piece.iter().map(|e| e.event_id).collect::<Vec<_>>(), [2, 3, 4].map(event_id));
    assert_eq!(end.iter().map(|e| e.event_id).collect::<Vec<_>>(), [event_id(6)]);
}

pub(super) async fn of_concurrent_writers_one_wins_each_revision(store: &impl EventStore) {
    const WRITERS: u128 = 16;
    const ROUNDS: i64 = 10;

    for round in 0..ROUNDS {
        let expected = if round == 0 { NoStream } else { Exact(Revision::new(round - 1)) };
        let attempts = (0..WRITERS).map(|writer| {
            let number = u128::from(round.unsigned_abs()) * WRITERS + writer;
            store.append(vec![append("a", expected, vec![event(number)])], envelope())
        });
        let results = join_all(attempts).await;

        let winners = results.iter().filter(|result| result.is_ok()).count();
        let refused = |result: &&Result<_, _>| {
            matches!(result, Err(AppendError::WrongExpectedRevision { .. }))
        };
        assert_eq!(winners, 1, "round {round}: {results:?}");
        assert_eq!(results.iter().filter(refused).count(), results.len() - 1, "{results:?}");
    }
    assert_eq!(revisions_of(store, "a").await, (0..ROUNDS).collect::<Vec<_>>());
}

pub(super) async fn concurrent_writers_without_a_demand_all_win(store: &impl EventStore) {
    let attempts = (0..50).map(|number| {
        let other = format!("other-{number}");
        let appends = vec![
            append("a", Any, vec![event(number)]),
            append(&other, NoStream, vec![event(1_000 + number)]),
        ];
        store.append(appends, envelope())
    });

    for result in join_all(attempts).await {
        result.expect("everybody wins");
    }
    assert_eq!(revisions_of(store, "a").await, (0..50).collect::<Vec<_>>());
}
