//! One leader among all processes: a session that holds an advisory lock for as long as it lives.
//!
//! The leader's work runs in the same session as its lock, so work of a leader that lost its lock fails.

use std::time::Duration;

use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

const TRY_LOCK: &str = "select pg_try_advisory_lock($1)";

/// What is led. The numbers are advisory lock keys of the database: never reused for another thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeaderLock {
    /// The sequencer.
    Sequencer,
    /// The relay.
    Relay,
    /// The prover.
    Prover,
}

impl LeaderLock {
    /// ASCII `calo` and a number.
    const fn key(self) -> i64 {
        match self {
            Self::Sequencer => 0x6361_6c6f_0000_0001,
            Self::Relay => 0x6361_6c6f_0000_0002,
            Self::Prover => 0x6361_6c6f_0000_0003,
        }
    }
}

/// A session that leads or tries to.
#[derive(Debug)]
pub(crate) struct Leadership {
    lock: LeaderLock,
    options: PgConnectOptions,
    session: Option<Session>,
}

#[derive(Debug)]
struct Session {
    connection: PgConnection,
    leads: bool,
}

impl Leadership {
    /// Commits of this session are not waited for: what it writes can be made again from the log, and
    /// the WAL is sequential, so nothing that was read from them can outlive them.
    pub(crate) fn new(lock: LeaderLock, options: &PgConnectOptions) -> Self {
        let options = options.clone().application_name("calotype leader").options([
            ("synchronous_commit", "off"),
            // A leader whose machine is gone must not keep its lock: another takes over within ten seconds.
            ("tcp_keepalives_idle", "4"),
            ("tcp_keepalives_interval", "2"),
            ("tcp_keepalives_count", "2"),
            ("tcp_user_timeout", "8000"),
        ]);
        Self { lock, options, session: None }
    }

    /// The leader's session and whether it has just become the leader; none while another process leads.
    pub(crate) async fn lead(&mut self) -> Result<Option<(&mut PgConnection, bool)>, sqlx::Error> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => {
                let connecting = PgConnection::connect_with(&self.options);
                let connection = tokio::time::timeout(CONNECT_TIMEOUT, connecting)
                    .await
                    .unwrap_or(Err(sqlx::Error::PoolTimedOut))?;
                Session { connection, leads: false }
            }
        };
        let led_before = session.leads;
        if !led_before {
            session.leads = sqlx::query_scalar(TRY_LOCK)
                .bind(self.lock.key())
                .fetch_one(&mut session.connection)
                .await?;
        }
        let session = self.session.insert(session);
        Ok(session.leads.then_some((&mut session.connection, !led_before)))
    }

    /// Drops the session after a failure: whether it still leads is not known.
    pub(crate) fn resign(&mut self) {
        self.session = None;
    }
}
