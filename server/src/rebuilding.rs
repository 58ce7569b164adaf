//! Making read models anew beside requests: on a thread of its own, and over connections of its own, that both give
//! way to whoever answers.
//!
//! Priorities are wishes to the operating system. Where it refuses them, rebuilds go on as they are.

use std::sync::Arc;

use calotype_projections::Queries;
use calotype_projections::rebuild::CONNECTIONS_MAX;
use rustix::process::{Pid, setpriority_process};
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgConnection, PgPool};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// By how much others go first: a tenth of a busy processor is left, so that what holds a lock for a moment gets on.
const NICE: i32 = 10;

/// Works on rebuilds until cancelled. `is_own` says that the database's processes run on this machine, as children of
/// this server.
pub(crate) async fn rebuilding(
    queries: Queries,
    pool: PgPool,
    is_own: bool,
    cancel: CancellationToken,
) {
    let (handle, (ended, end)) = (Handle::current(), oneshot::channel::<()>());
    let (aside, stop) = (queries.clone(), cancel.clone());
    let begun = std::thread::Builder::new().name("rebuilds".to_owned()).spawn(move || {
        give_way(None);
        handle.block_on(async {
            if is_own {
                let own = connections(&pool);
                aside.keep_rebuilding_over(own.clone(), stop).await;
                own.close().await;
            } else {
                aside.keep_rebuilding(stop).await;
            }
        });
        drop(ended);
    });
    if let Err(error) = begun {
        warn!(error = &error as &dyn std::error::Error, "rebuilds have no thread of their own");
        queries.keep_rebuilding(cancel).await;
    } else {
        // Nothing is sent: it is over when the thread lets go.
        end.await.unwrap_or_default();
    }
}

/// Connections whose processes in the own PostgreSQL give way.
fn connections(pool: &PgPool) -> PgPool {
    let options = Arc::unwrap_or_clone(pool.connect_options());
    PgPoolOptions::new()
        .max_connections(CONNECTIONS_MAX)
        .after_connect(|db, _| Box::pin(lower(db)))
        .connect_lazy_with(options.application_name("calotype rebuilds"))
}

async fn lower(db: &mut PgConnection) -> Result<(), sqlx::Error> {
    let process: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(db).await?;
    give_way(Pid::from_raw(process));
    Ok(())
}

/// Lets a process give way to others, or without one the calling thread.
fn give_way(process: Option<Pid>) {
    if let Err(error) = setpriority_process(process, NICE) {
        debug!(error = &error as &dyn std::error::Error, "a rebuild cannot give way");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_thread_gives_way() {
        let before = rustix::process::getpriority_process(None).unwrap();
        let aside = std::thread::spawn(|| {
            give_way(None);
            rustix::process::getpriority_process(None).unwrap()
        });
        assert_eq!(aside.join().unwrap(), before.max(NICE));
        assert_eq!(rustix::process::getpriority_process(None).unwrap(), before);
    }
}
