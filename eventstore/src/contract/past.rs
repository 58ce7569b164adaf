//! The log as it was.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::sample::{append, envelope, event, event_id, sealed_event, stream_id};
use crate::event::{Actor, Envelope, NewEvent};
use crate::past::Until;
use crate::store::EventStore;
use crate::stream::ExpectedRevision::Any;
use crate::stream::GlobalPosition;

const SOON: Duration = Duration::from_secs(120);

fn second(number: i64) -> DateTime<Utc> {
    envelope().recorded_at + TimeDelta::seconds(number)
}

/// Appends one event a second to streams in turn, and waits until the last has its position, which is its number.
async fn append_each(store: &impl EventStore, events: Vec<(&str, NewEvent, Option<Actor>)>) {
    for (number, (key, event, actor)) in (1..).zip(events) {
        let event_id = event.event_id;
        let actor = actor.unwrap_or_else(|| envelope().actor);
        let envelope = Envelope { recorded_at: second(number), actor, ..envelope() };
        store.append(vec![append(key, Any, vec![event])], envelope).await.expect("an append");
        store.wait_sequenced(event_id, SOON).await.expect("a wait").expect("a position");
    }
}

/// The event of another type.
fn other(number: u128) -> NewEvent {
    NewEvent { event_type: "ThingChanged".to_owned(), ..event(number) }
}

pub(super) async fn streams_are_read_up_to_a_position(store: &impl EventStore) {
    let sealed = sealed_event(1, &json!("Ada"));
    let given = sealed.payload.clone();
    let all = vec![
        ("b", sealed, None),
        ("a", event(2), None),
        ("b", other(3), None),
        ("c", event(4), None),
        ("a", event(5), None),
        ("b", event(6), None),
    ];
    append_each(store, all).await;
    store.skip(event_id(2), "nonsense", "an operator").await.expect("skipping");
    let streams = [stream_id("b"), stream_id("a")];
    let read = async |position, types: Option<&[&str]>, is_opened, max| {
        let until = Until { position: GlobalPosition::new(position), types, is_opened };
        store.read_until(&streams, &until, max).await.expect("the events")
    };
    let ids = async |position, types: Option<&[&str]>, max| {
        let found = read(position, types, true, max).await;
        found.into_iter().map(|event| event.event_id).collect::<Vec<_>>()
    };

    assert_eq!(ids(5, None, 9).await, [event_id(5), event_id(1), event_id(3)]);
    assert_eq!(ids(5, None, 2).await, [event_id(5), event_id(1)]);
    assert_eq!(ids(5, Some(&["ThingHappened"]), 9).await, [event_id(5), event_id(1)]);
    assert_eq!(ids(1, None, 9).await, [event_id(1)]);
    assert!(ids(0, None, 9).await.is_empty());
    let opened = read(1, None, true, 9).await;
    assert_eq!(opened[0].payload.to_value().expect("JSON"), given);
}

pub(super) async fn the_last_of_some_types_is_found(store: &impl EventStore) {
    let all = vec![
        ("a", event(1), None),
        ("b", event(2), None),
        ("a", other(3), None),
        ("b", event(4), None),
        ("c", other(5), None),
    ];
    append_each(store, all).await;
    store.skip(event_id(4), "nonsense", "an operator").await.expect("skipping");
    let streams = ["a", "b", "c", "nobody"].map(stream_id);

    let mut last = store.last_of(&streams, &["ThingHappened"]).await.expect("the last");

    last.sort_by(|one, other| one.stream_id.cmp(&other.stream_id));
    let last: Vec<(&str, i64, Option<i64>)> = last
        .iter()
        .map(|it| (it.stream_id.key(), it.revision.get(), it.position.map(GlobalPosition::get)))
        .collect();
    assert_eq!(last, [("a", 0, Some(1)), ("b", 0, Some(2))]);
}

pub(super) async fn what_was_done_in_between_is_found(store: &impl EventStore) {
    let nobody = Actor { user_id: None, ..envelope().actor };
    let all = vec![
        ("a", event(1), None),
        ("b", event(2), Some(nobody)),
        ("a", event(3), None),
        ("b", event(4), None),
        ("c", event(5), None),
    ];
    append_each(store, all).await;
    store.skip(event_id(4), "nonsense", "an operator").await.expect("skipping");
    let deeds = async |after, until| {
        let (after, until) = (GlobalPosition::new(after), GlobalPosition::new(until));
        let deeds = store.deeds(after, until).await.expect("the deeds");
        deeds.into_iter().map(|deed| (deed.position.get(), deed.recorded_at)).collect::<Vec<_>>()
    };

    assert_eq!(deeds(1, 5).await, [(3, second(3)), (5, second(5))]);
    assert_eq!(deeds(0, 2).await, [(1, second(1))]);
    assert!(deeds(5, 9).await.is_empty());
    assert!(deeds(3, 2).await.is_empty());
}

pub(super) async fn an_instant_is_a_position(store: &impl EventStore) {
    let all = (1..=20).map(|number| ("a", event(number), None)).collect();
    append_each(store, all).await;
    let at = async |instant| store.position_at(instant).await.expect("a position").get();

    assert_eq!(at(second(0)).await, 0);
    assert_eq!(at(second(1)).await, 1);
    assert_eq!(at(second(7) + TimeDelta::milliseconds(500)).await, 7);
    assert_eq!(at(second(20)).await, 20);
    assert_eq!(at(second(10_000)).await, 20);
}
