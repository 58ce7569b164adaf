//! The log of a running server, written beside it: events that no release can read.

use anyhow::Context as _;
use calotype_domain::IdGen as _;
use calotype_eventstore::{
    Actor, ActorKind, Append, Envelope, EventStore as _, ExpectedRevision, Keyring, NewEvent,
    PostgresOptions, PostgresStore, StreamId,
};
use chrono::DateTime;
use serde_json::json;
use sqlx::postgres::PgPoolOptions;

use crate::client::WORK_LIMIT;
use crate::database;
use crate::ids::{SeededIds, any_seed};
use crate::server::TestServer;
use crate::waiting::until;

/// Connections to the database beside the server's own: one listens, the others read and write.
const CONNECTIONS: u32 = 4;

/// Appends an event of a type whose payload says nothing to a stream (`asset-<id>`), and waits until the read
/// models have put it aside.
///
/// # Errors
/// The log cannot be reached, or the event is not put aside.
pub async fn append_unreadable(
    server: &TestServer,
    stream: &str,
    event_type: &str,
) -> anyhow::Result<()> {
    let small = database::connect(&server.data()).await?;
    let options = small.connect_options().as_ref().clone();
    small.close().await;
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect_with(options).await?;
    let keyring = Keyring::open(server.data().join("keys"))?;
    let store = PostgresStore::connect(pool.clone(), keyring, PostgresOptions::default()).await?;
    let ids = SeededIds::new(any_seed());
    let (aggregate, key) = stream.split_once('-').context("no stream")?;
    let event = NewEvent {
        event_id: ids.v4(),
        event_type: event_type.into(),
        version: 1,
        payload: json!("nothing that fits"),
        attachments: Vec::new(),
    };
    let append = Append {
        stream_id: StreamId::new(aggregate, key),
        expected: ExpectedRevision::Any,
        subject: None,
        events: vec![event],
    };
    let envelope = Envelope {
        actor: Actor { kind: ActorKind::System, id: "test".into(), user_id: None },
        client: None,
        correlation_id: ids.v4(),
        causation_id: None,
        recorded_at: DateTime::UNIX_EPOCH,
    };
    store.append(vec![append], envelope).await?;
    let waits = "select exists (select from work.parked where stream_id = $1)";
    until(&format!("{event_type} to be put aside"), WORK_LIMIT, async || {
        let waits: bool = sqlx::query_scalar(waits).bind(stream).fetch_one(&pool).await?;
        Ok(waits.then_some(()))
    })
    .await?;
    store.close().await;
    pool.close().await;
    Ok(())
}
