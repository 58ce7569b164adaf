//! Several processes (stores) that append at once, and answers that get lost.

use calotype_eventstore::contract::{append, envelope, event, stream_id};
use calotype_eventstore::testing::database;
use calotype_eventstore::{AppendError, EventStore, ExpectedRevision, Revision};
use futures::future::join_all;

use crate::support::{SOON, read_everything, sequenced, store_over, texts};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_writers_in_two_processes_one_wins_each_revision() {
    let database = database().await;
    let [one, other] = [store_over(&database.pool).await, store_over(&database.pool).await];

    for round in 0..30_u32 {
        let expected = match round.checked_sub(1) {
            None => ExpectedRevision::NoStream,
            Some(last) => ExpectedRevision::Exact(Revision::new(last.into())),
        };
        let attempts = (0..8_u128).map(|writer| {
            let store = if writer % 2 == 0 { &one } else { &other };
            let number = u128::from(round) * 8 + writer;
            let bystander = format!("bystander-{number}");
            let race = store.append(vec![append("a", expected, vec![event(number)])], envelope());
            let beside = store.append(
                vec![append(&bystander, ExpectedRevision::NoStream, vec![event(10_000 + number)])],
                envelope(),
            );
            async move {
                let (race, beside) = tokio::join!(race, beside);
                beside.expect("who does not race is not disturbed");
                race
            }
        });
        let results = join_all(attempts).await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
        for result in results {
            assert!(
                matches!(result, Ok(_) | Err(AppendError::WrongExpectedRevision { .. })),
                "{result:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_whose_connection_breaks_is_written_once() {
    let here = sequenced().await;
    let pool = &here.database.pool;
    // After each append the writers' connections are broken, while the next one is under way.
    let (written, mut counted) = tokio::sync::watch::channel(0_u128);
    let breaking = async {
        while counted.changed().await.is_ok() {
            sqlx::raw_sql(
                "select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and application_name = 'calotype append'",
            )
            .execute(pool)
            .await
            .expect("the owner may end sessions");
        }
    };
    let store = &here.store;
    let writing = async move {
        for number in 0..200_u128 {
            let key = (number % 5).to_string();
            let wish = vec![append(&key, ExpectedRevision::Any, vec![event(number)])];
            loop {
                match store.append(wish.clone(), envelope()).await {
                    Ok(_) => break,
                    Err(AppendError::Unavailable(_) | AppendError::Unknown(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            written.send_replace(number);
        }
        Ok(())
    };

    let ((), written) = tokio::join!(breaking, writing);

    written.expect("every append in the end");
    for key in 0..5 {
        let stream = stream_id(&key.to_string());
        let events = store.read_stream(&stream, Revision::FIRST, 1_000).await.expect("a stream");
        let last = events.last().expect("forty events").event_id;
        store.wait_sequenced(last, SOON).await.expect("a position");
        let numbers =
            texts(events.iter().map(|event| event.payload.to_value().unwrap()["number"].clone()));
        assert_eq!(numbers, texts((0..40).map(|i| i * 5 + key)));
    }
    assert_eq!(read_everything(store).await.len(), 200);
}

#[tokio::test]
async fn a_closed_store_writes_what_waits_and_takes_no_more() {
    let database = database().await;
    let store = store_over(&database.pool).await;
    let wish = |number| vec![append("a", ExpectedRevision::Any, vec![event(number)])];
    let waiting = join_all((0..50).map(|number| store.append(wish(number), envelope())));

    let (results, ()) = tokio::join!(waiting, store.close());
    let late = store.append(wish(99), envelope()).await;

    let written = results.iter().filter(|result| result.is_ok()).count();
    assert!(matches!(late, Err(AppendError::Unavailable(_))), "{late:?}");
    let events = store.read_stream(&stream_id("a"), Revision::FIRST, 100).await.expect("a stream");
    assert_eq!(events.len(), written);
}
