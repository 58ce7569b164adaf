//! Sealing, and forgetting.

use bytes::Bytes;
use futures::future::join_all;
use serde_json::{Value, json};

use super::sample::{append, envelope, event, event_id, sealed_event, stream_id};
use crate::error::AppendError;
use crate::event::NewEvent;
use crate::store::EventStore;
use crate::stream::ExpectedRevision::{Any, Exact, NoStream};
use crate::stream::Revision;

async fn payloads_of(store: &impl EventStore, key: &str) -> Vec<Value> {
    let events = store.read_stream(&stream_id(key), Revision::FIRST, 100).await.expect("a stream");
    events.into_iter().map(|event| event.payload.to_value().expect("JSON")).collect()
}

pub(super) async fn sealed_values_come_back(store: &impl EventStore) {
    let events =
        vec![sealed_event(1, &json!("Ada")), event(2), sealed_event(3, &json!({"a": [1.5]}))];
    let given: Vec<Value> = events.iter().map(|event| event.payload.clone()).collect();
    store.append(vec![append("a", NoStream, events)], envelope()).await.expect("an append");
    let later = sealed_event(4, &json!(null));
    let appended = append("a", Exact(Revision::new(2)), vec![later.clone()]);
    store.append(vec![appended], envelope()).await.expect("an append under the same key");

    let read = payloads_of(store, "a").await;

    assert_eq!(read[..3], given);
    assert_eq!(read[3], later.payload);
}

pub(super) async fn forgotten_values_are_gone_and_the_rest_stays(store: &impl EventStore) {
    for key in ["a", "b"] {
        let number = u128::from(key.as_bytes()[0]);
        let events = vec![sealed_event(number, &json!("Ada"))];
        store.append(vec![append(key, NoStream, events)], envelope()).await.expect("an append");
    }

    store.forget("thing-a").await.expect("forgetting");
    store.forget("thing-a").await.expect("forgetting twice");

    let forgotten = json!({"name": {"$forgotten": true}, "open": [1, null, {"a": 0.5}]});
    assert_eq!(payloads_of(store, "a").await, [forgotten]);
    assert_eq!(payloads_of(store, "b").await, [sealed_event(0, &json!("Ada")).payload]);
}

pub(super) async fn nothing_is_sealed_for_a_forgotten_subject(store: &impl EventStore) {
    let first = append("a", NoStream, vec![sealed_event(1, &json!("Ada"))]);
    store.append(vec![first.clone()], envelope()).await.expect("an append");
    store.forget("thing-a").await.expect("forgetting");
    store.forget("thing-b").await.expect("forgetting before anything was sealed");

    for (key, expected) in [("a", Exact(Revision::FIRST)), ("b", NoStream)] {
        let sealing = append(key, expected, vec![sealed_event(2, &json!("Eve"))]);
        let together = append("c", NoStream, vec![event(3)]);
        let refused = store.append(vec![together, sealing], envelope()).await;
        let Err(AppendError::SubjectForgotten { subject }) = refused else { panic!("{refused:?}") };
        assert_eq!(subject, format!("thing-{key}"));
    }
    assert!(payloads_of(store, "c").await.is_empty());
    let open = append("a", Exact(Revision::FIRST), vec![event(4)]);
    store.append(vec![open], envelope()).await.expect("what seals nothing is still recorded");
    store.append(vec![first], envelope()).await.expect("a repeated append is no new one");
}

pub(super) async fn attachments_are_read_until_forgotten(store: &impl EventStore) {
    let vectors = Bytes::from_static(&[0, 1, 254, 255]);
    let attachments =
        vec![("vectors".to_owned(), vectors.clone()), ("boxes".to_owned(), Bytes::new())];
    let events = vec![NewEvent { attachments, ..event(1) }, event(2)];
    store.append(vec![append("a", NoStream, events)], envelope()).await.expect("an append");

    let read = store.attachments(event_id(1)).await.expect("attachments");
    let none = store.attachments(event_id(2)).await.expect("no attachments");
    store.forget("thing-a").await.expect("forgetting");
    let gone = store.attachments(event_id(1)).await.expect("no attachments any more");

    assert_eq!(read, [("boxes".to_owned(), Bytes::new()), ("vectors".to_owned(), vectors)]);
    assert!(none.is_empty() && gone.is_empty());
}

pub(super) async fn concurrent_first_seals_can_all_be_read(store: &impl EventStore) {
    let attempts = (0..20).map(|number| {
        let mut append =
            append(&format!("s{number}"), Any, vec![sealed_event(number, &json!("Ada"))]);
        append.subject = Some("user-1".to_owned());
        store.append(vec![append], envelope())
    });
    for result in join_all(attempts).await {
        result.expect("an append");
    }

    for number in 0..20 {
        let read = payloads_of(store, &format!("s{number}")).await;
        assert_eq!(read, [sealed_event(0, &json!("Ada")).payload]);
    }
}
