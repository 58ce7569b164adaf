//! The log's tables: who may do what, and what they hold.

use calotype_eventstore::contract::{append, envelope, event, event_id, sealed_event};
use calotype_eventstore::testing::database;
use calotype_eventstore::{EventStore, ExpectedRevision, Revision};
use serde_json::json;
use sqlx::PgConnection;

use crate::support::store_over;

async fn error_code(connection: &mut PgConnection, statement: &'static str) -> Option<String> {
    let error = sqlx::raw_sql(statement).execute(connection).await.err()?;
    Some(error.as_database_error()?.code()?.to_string())
}

#[tokio::test]
async fn nobody_changes_or_deletes_events() {
    let database = database().await;
    let store = store_over(&database.pool).await;
    store
        .append(vec![append("a", ExpectedRevision::NoStream, vec![event(1)])], envelope())
        .await
        .expect("an append");

    let mut connection = database.pool.acquire().await.expect("a connection");
    for role in ["reset role", "set role calotype_app"] {
        sqlx::raw_sql(role).execute(&mut *connection).await.expect(role);
        for statement in [
            "update log.events set payload = '{}'",
            "delete from log.events",
            "truncate log.events",
        ] {
            let code = error_code(&mut connection, statement).await;
            assert_eq!(code.as_deref(), Some("42501"), "{role}: {statement}");
        }
    }
    assert_eq!(
        error_code(&mut connection, "update log.positions set position = 9").await.as_deref(),
        Some("42501")
    );
}

#[tokio::test]
async fn the_role_that_serves_can_append_sequence_and_forget() {
    let database = database().await;
    let options = database.pool.connect_options();
    let app = options.as_ref().clone().options([("role", "calotype_app")]);
    let pool = sqlx::postgres::PgPoolOptions::new().connect_lazy_with(app);
    let store = store_over(&pool).await;

    store
        .append(
            vec![append("a", ExpectedRevision::NoStream, vec![sealed_event(1, &json!("Ada"))])],
            envelope(),
        )
        .await
        .expect("the role appends");
    crate::support::sequence_all(&calotype_eventstore::Sequencer::new(store.clone())).await;
    store.forget("thing-a").await.expect("the role forgets");

    let read = crate::support::read_everything(&store).await;
    assert_eq!(read[0].payload.to_value().unwrap()["name"], json!({"$forgotten": true}));
}

#[tokio::test]
async fn sealed_values_are_nowhere_in_clear() {
    let database = database().await;
    let store = store_over(&database.pool).await;
    store
        .append(
            vec![append(
                "a",
                ExpectedRevision::NoStream,
                vec![sealed_event(1, &json!("Lovelace"))],
            )],
            envelope(),
        )
        .await
        .expect("an append");

    let stored: String = sqlx::query_scalar("select e::text from log.events e")
        .fetch_one(&database.pool)
        .await
        .expect("the row");

    assert!(stored.contains("$sealed") && !stored.contains("Lovelace"), "{stored}");
}

#[tokio::test]
async fn another_process_forgets_too() {
    let database = database().await;
    let [here, elsewhere] = [store_over(&database.pool).await, store_over(&database.pool).await];
    let sealed = append("a", ExpectedRevision::NoStream, vec![sealed_event(1, &json!("Ada"))]);
    here.append(vec![sealed], envelope()).await.expect("an append");
    let stream_id = calotype_eventstore::contract::stream_id("a");
    let read = elsewhere.read_stream(&stream_id, Revision::FIRST, 1).await.expect("a stream");
    assert_eq!(read[0].payload.to_value().unwrap()["name"], json!({"$seal": "Ada"}));

    here.forget("thing-a").await.expect("forgetting");

    let forgotten = tokio::time::timeout(crate::support::SOON, async {
        loop {
            let read = elsewhere.read_stream(&stream_id, Revision::FIRST, 1).await.expect("it");
            if read[0].payload.to_value().unwrap()["name"] == json!({"$forgotten": true}) {
                return;
            }
            tokio::task::yield_now().await;
        }
    });
    forgotten.await.expect("the other process is told");
}

#[tokio::test]
async fn one_unacceptable_append_does_not_stop_its_neighbours() {
    let database = database().await;
    let store = store_over(&database.pool).await;
    let mut zero_byte = envelope();
    zero_byte.client = Some("\0".to_owned());

    let neighbours = (0..20).map(|number| {
        let appends =
            vec![append(&format!("n{number}"), ExpectedRevision::NoStream, vec![event(number)])];
        store.append(appends, if number == 10 { zero_byte.clone() } else { envelope() })
    });
    let results = futures::future::join_all(neighbours).await;

    for (number, result) in results.into_iter().enumerate() {
        assert_eq!(result.is_ok(), number != 10, "{number}: {result:?}");
    }
    assert!(store.position_of(event_id(10)).await.expect("an answer").is_none());
}
