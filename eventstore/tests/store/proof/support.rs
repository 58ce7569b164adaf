//! A log of some events with its tree, and somebody who may do everything to its tables.

use std::path::PathBuf;

use calotype_eventstore::contract::{append, envelope, event, sealed_event};
use calotype_eventstore::proof::{Finding, FindingKind, Note, Report};
use calotype_eventstore::testing::{TestDatabase, database};
use calotype_eventstore::{EventStore as _, ExpectedRevision, PostgresStore, ProofLog, Sequencer};
use serde_json::json;
use sqlx::AssertSqlSafe;
use tempfile::TempDir;
use uuid::Uuid;

use crate::support::{sequence_all, store_over};

/// A log with a tree over it.
pub(crate) struct Proven {
    pub(crate) database: TestDatabase,
    pub(crate) store: PostgresStore,
    pub(crate) log: ProofLog,
    pub(crate) folder: TempDir,
    appended: u64,
}

impl Proven {
    /// An empty log.
    pub(crate) async fn new() -> Self {
        let database = database().await;
        let store = store_over(&database.pool).await;
        let folder = tempfile::tempdir().expect("a folder");
        let keys = folder.path().join("keys");
        let log = ProofLog::new(database.pool.clone(), keys, folder.path().join("proof/heads"));
        Self { database, store, log, folder, appended: 0 }
    }

    /// A log of some events, all of them signed.
    pub(crate) async fn of(count: u64) -> Self {
        let mut proven = Self::new().await;
        proven.append(count).await;
        proven.sign().await;
        proven
    }

    /// Appends events of two each to streams of their own; the second of each is sealed.
    pub(crate) async fn append(&mut self, count: u64) {
        let first = self.appended;
        self.appended += count;
        let mut numbers = (first..self.appended).peekable();
        let mut appends = Vec::new();
        while let Some(number) = numbers.next() {
            let mut events = vec![event(u128::from(number))];
            events.extend(
                numbers.next().map(|number| sealed_event(u128::from(number), &json!("Ada"))),
            );
            appends.push(append(&format!("n{number}"), ExpectedRevision::NoStream, events));
        }
        self.store.append(appends, envelope()).await.expect("an append");
        sequence_all(&Sequencer::new(self.store.clone())).await;
    }

    pub(crate) async fn sign(&self) -> Note {
        self.log.sign().await.expect("it can be signed").expect("there are events").note
    }

    pub(crate) async fn verify(&self) -> Report {
        self.log.verify("", &[]).await.expect("the log can be read")
    }

    /// Does to the tables whatever a superuser can.
    pub(crate) async fn tamper(&self, statements: &str) {
        let all =
            format!("begin; set local session_replication_role = replica; {statements}; commit");
        sqlx::raw_sql(AssertSqlSafe(all))
            .execute(&self.database.pool)
            .await
            .expect("a superuser may do this");
    }

    /// What stands at a position.
    pub(crate) async fn event_at(&self, position: i64) -> Uuid {
        sqlx::query_scalar("select event_id from log.positions where position = $1")
            .bind(position)
            .fetch_one(&self.database.pool)
            .await
            .expect("a position")
    }

    pub(crate) fn keys_dir(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    pub(crate) fn heads_file(&self) -> PathBuf {
        self.folder.path().join("proof/heads")
    }
}

/// The findings that name an event, and not only heads.
pub(crate) fn of_events(report: &Report) -> Vec<&Finding> {
    report.findings.iter().filter(|it| it.kind != FindingKind::Head).collect()
}
