//! Lets the log follow what administrators set, at once and without a restart.

use calotype_domain::catalogue::AnyEvent;
use calotype_projections::{Applied, Queries};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::telemetry::LogFilter;

/// Follows the settings until cancelled.
pub(crate) async fn follow(
    filter: LogFilter,
    queries: Queries,
    mut applied: broadcast::Receiver<Applied>,
    cancel: CancellationToken,
) {
    apply(&filter, &queries).await;
    while !cancel.is_cancelled() {
        let changed = tokio::select! {
            () = cancel.cancelled() => return,
            batch = applied.recv() => match batch {
                Ok(batch) => batch.events.iter().any(|it| matches!(it.what, AnyEvent::Config(_))),
                // What was missed may have been about settings.
                Err(RecvError::Lagged(_)) => true,
                Err(RecvError::Closed) => return,
            },
        };
        if changed {
            apply(&filter, &queries).await;
        }
    }
}

async fn apply(filter: &LogFilter, queries: &Queries) {
    let followed = match queries.settings().await {
        Ok(settings) => {
            filter.follow(!settings.is_on("logging.enabled"), settings.own_text("logging.level"))
        }
        Err(error) => Err(error.into()),
    };
    if let Err(error) = followed {
        warn!(error = %error, "the log does not follow the settings now");
    }
}
