//! The relay into a real JetStream.

use std::collections::BTreeSet;

use async_nats::jetstream::{self, consumer::PullConsumer};
use calotype_eventstore::contract::{append, envelope, event, event_id};
use calotype_eventstore::testing::{TestNats, nats};
use calotype_eventstore::{EventStore, ExpectedRevision, PostgresStore, Relay};
use futures::StreamExt;
use serde_json::Value;

use crate::support::{SOON, Sequenced, sequenced};

struct Relayed {
    here: Sequenced,
    nats: TestNats,
    jetstream: jetstream::Context,
    relay: Relay,
}

async fn relayed() -> Relayed {
    let here = sequenced().await;
    let nats = nats().await;
    let jetstream = nats.jetstream().await;
    let relay = Relay::new(here.store.clone(), jetstream.clone(), nats.relay_options());
    Relayed { here, nats, jetstream, relay }
}

async fn append_one(store: &PostgresStore, number: u128) {
    let key = (number % 3).to_string();
    store
        .append(vec![append(&key, ExpectedRevision::Any, vec![event(number)])], envelope())
        .await
        .expect("an append");
    let position = store.wait_sequenced(event_id(number), SOON).await.expect("a position");
    assert!(position.is_some(), "event {number} has a position");
}

impl Relayed {
    /// Steps until nothing is new; a step after a lost stream may fail once and makes the stream again.
    async fn relay_all(&self) {
        let stepping = async {
            let mut failures = 0;
            loop {
                match self.relay.step().await {
                    Ok(0) => return,
                    Ok(_) => {}
                    Err(error) => {
                        failures += 1;
                        assert!(failures < 3, "{error:?}");
                    }
                }
            }
        };
        tokio::time::timeout(SOON, stepping).await.expect("the relay comes to an end");
    }

    async fn messages(&self) -> Vec<(String, Option<String>, Value)> {
        let stream = self.jetstream.get_stream(&self.nats.stream).await.expect("the stream");
        let config = jetstream::consumer::pull::Config::default();
        let consumer: PullConsumer = stream.create_consumer(config).await.expect("a consumer");
        let mut batch = consumer.fetch().max_messages(10_000).messages().await.expect("messages");
        let mut messages = Vec::new();
        while let Some(message) = batch.next().await {
            let message = message.expect("a message");
            let id = message.headers.as_ref().and_then(|headers| headers.get("Nats-Msg-Id"));
            messages.push((
                message.subject.to_string(),
                id.map(ToString::to_string),
                serde_json::from_slice(&message.payload).expect("JSON"),
            ));
        }
        messages
    }
}

#[tokio::test]
async fn every_event_rings_once_in_order() {
    let relayed = relayed().await;
    for number in 0..30 {
        append_one(&relayed.here.store, number).await;
    }

    relayed.relay_all().await;
    relayed.relay_all().await;

    let messages = relayed.messages().await;
    assert_eq!(messages.len(), 30);
    for (number, (subject, id, body)) in (0..).zip(&messages) {
        let key = number % 3;
        assert_eq!(*subject, format!("{}.thing.ThingHappened.{key}", relayed.nats.prefix));
        assert_eq!(*id, Some(event_id(number).to_string()));
        assert_eq!(body["position"], u64::try_from(number + 1).expect("small"));
        assert_eq!(body["stream_id"], format!("thing-{key}"));
        assert_eq!(body["type"], "ThingHappened");
    }
}

#[tokio::test]
async fn a_new_relay_goes_on_where_the_old_one_stopped() {
    let relayed = relayed().await;
    append_one(&relayed.here.store, 1).await;
    relayed.relay_all().await;
    let Relayed { here, nats, jetstream, relay } = relayed;
    drop(relay);

    append_one(&here.store, 2).await;
    let relay = Relay::new(here.store.clone(), jetstream.clone(), nats.relay_options());
    tokio::time::timeout(SOON, async {
        while relay.step().await.expect("a step") == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the new relay leads once the old one's session is gone");

    let relayed = Relayed { here, nats, jetstream, relay };
    assert_eq!(relayed.messages().await.len(), 2);
}

#[tokio::test]
async fn a_deleted_stream_is_made_again_and_later_events_ring() {
    let relayed = relayed().await;
    for number in 0..5 {
        append_one(&relayed.here.store, number).await;
    }
    relayed.relay_all().await;

    relayed.jetstream.delete_stream(&relayed.nats.stream).await.expect("it is deleted");
    for number in 5..10 {
        append_one(&relayed.here.store, number).await;
    }
    relayed.relay_all().await;

    let ids: BTreeSet<Option<String>> =
        relayed.messages().await.into_iter().map(|(_, id, _)| id).collect();
    let expected = (5..10).map(|number| Some(event_id(number).to_string())).collect();
    assert_eq!(ids, expected);
}
