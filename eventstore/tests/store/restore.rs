//! The order survives a dump, and a restore into another database.

use std::process::Command;

use calotype_eventstore::contract::{append, envelope, event, sealed_event};
use calotype_eventstore::testing::{empty_database, postgres_program};
use calotype_eventstore::{EventStore, ExpectedRevision, GlobalPosition, Sequencer};
use serde_json::json;

use crate::support::{read_everything, sequence_all, sequenced, store_over};

fn run(program: &str, arguments: &[&str]) {
    let output =
        Command::new(postgres_program(program)).args(arguments).output().expect("it starts");
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn the_order_survives_dump_and_restore() {
    let here = sequenced().await;
    for number in 0..20 {
        let key = (number % 3).to_string();
        let events = vec![event(number), sealed_event(100 + number, &json!("Ada"))];
        here.store
            .append(vec![append(&key, ExpectedRevision::Any, events)], envelope())
            .await
            .expect("an append");
    }
    let last = calotype_eventstore::contract::event_id(119);
    here.store.wait_sequenced(last, crate::support::SOON).await.expect("positions");
    let dump = tempfile::NamedTempFile::new().expect("a file");
    let dump_path = dump.path().to_str().expect("a path in UTF-8");

    let empty = empty_database().await;
    run("pg_dump", &["-Fc", "-f", dump_path, &here.database.url]);
    run("pg_restore", &["--exit-on-error", "-d", &empty.url, dump_path]);
    let restored = store_over(&empty.pool).await;
    restored
        .append(vec![append("0", ExpectedRevision::Any, vec![event(500)])], envelope())
        .await
        .expect("an append after the restore");
    sequence_all(&Sequencer::new(restored.clone())).await;

    let before = read_everything(&here.store).await;
    let after = read_everything(&restored).await;
    assert_eq!(before.len(), 40);
    assert_eq!(after[..40], before);
    assert_eq!(after[40].position, Some(GlobalPosition::new(41)));
}
