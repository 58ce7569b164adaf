//! Both servers together: started side by side, watched, stopped in order.

use std::sync::Arc;

use super::error::EmbeddedError;
use super::folder::DataFolder;
use super::launcher::Launcher;
use super::nats::NatsAccess;
use super::postgres::PostgresAccess;
use super::supervisor::Supervisor;
use super::{nats, postgres};

/// Which servers are wanted; the others are somewhere else already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// No `DATABASE_URL` is set.
    pub postgres: bool,
    /// No `NATS_URL` is set.
    pub nats: bool,
}

/// The running servers. Call [`Embedded::stop`]; merely dropping the value ends them hard and
/// blocks until they are gone.
pub struct Embedded {
    // nats-server first, here as in `stop`: it must not outlive the log that it rings for.
    nats: Option<(Supervisor, NatsAccess)>,
    postgres: Option<(Supervisor, PostgresAccess)>,
}

impl Embedded {
    /// Starts what is needed and waits until it answers. The data folder stays locked as long
    /// as any clone of the `Arc` lives; keep one until after [`Embedded::stop`].
    ///
    /// # Errors
    /// Anything in [`EmbeddedError`] but `AlreadyOpen`; nothing is left running then.
    pub async fn start(data: &Arc<DataFolder>, needs: Needs) -> Result<Self, EmbeddedError> {
        let launcher = blocking(Launcher::new).await?;
        if launcher.account.is_other && (needs.postgres || needs.nats) {
            let account = &launcher.account;
            tracing::info!(
                "started as root: the embedded servers run as {} (uid {})",
                account.name,
                account.uid
            );
        }
        let starting_postgres = async {
            if !needs.postgres {
                return Ok(None);
            }
            Box::pin(postgres::start(Arc::clone(data), launcher.clone())).await.map(Some)
        };
        let starting_nats = async {
            if !needs.nats {
                return Ok(None);
            }
            nats::start(Arc::clone(data), launcher.clone()).await.map(Some)
        };
        let (postgres, nats) = tokio::try_join!(starting_postgres, starting_nats)?;
        Ok(Self { nats, postgres })
    }

    /// The embedded PostgreSQL, if it was needed.
    #[must_use]
    pub fn postgres(&self) -> Option<&PostgresAccess> {
        self.postgres.as_ref().map(|(_, access)| access)
    }

    /// The embedded nats-server, if it was needed.
    #[must_use]
    pub fn nats(&self) -> Option<&NatsAccess> {
        self.nats.as_ref().map(|(_, access)| access)
    }

    /// Comes back only when a server was given up, with the reason; the caller should stop then.
    pub async fn given_up(&mut self) -> EmbeddedError {
        let Self { nats, postgres } = self;
        tokio::select! {
            error = given_up(nats) => error,
            error = given_up(postgres) => error,
        }
    }

    /// Stops nats-server, then PostgreSQL, each in order and hard if that takes too long.
    pub async fn stop(self) {
        if let Some((supervisor, _)) = self.nats {
            supervisor.stop().await;
        }
        if let Some((supervisor, _)) = self.postgres {
            supervisor.stop().await;
        }
    }
}

async fn given_up<T>(server: &mut Option<(Supervisor, T)>) -> EmbeddedError {
    match server {
        Some((supervisor, _)) => supervisor.given_up().await,
        None => std::future::pending().await,
    }
}

/// Runs blocking file work off the async threads.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, EmbeddedError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| EmbeddedError::Interrupted)
}
