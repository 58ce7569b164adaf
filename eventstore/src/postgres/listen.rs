//! Hears what other processes did: moved the log on, appended something, destroyed a key.
//!
//! A notification says "look now". After a gap in hearing, everything is looked at again.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgListener, PgNotification};
use tokio_util::sync::CancellationToken;

use super::read;
use super::store::Shared;
use crate::stream::GlobalPosition;

const CHANNEL_POSITIONS: &str = "calotype_positions";
const CHANNEL_OUTBOX: &str = "calotype_outbox";
const CHANNEL_FORGOTTEN: &str = "calotype_forgotten";
/// How long to wait before listening again after a failure.
const RETRY_WAIT: Duration = Duration::from_secs(1);

/// Listens until `stop`.
pub(super) async fn run(shared: Arc<Shared>, stop: CancellationToken) {
    loop {
        let heard = tokio::select! {
            heard = listen(&shared) => heard,
            () = stop.cancelled() => return,
        };
        if let Err(error) = heard {
            tracing::debug!(error = %error, "failed to listen to the database, trying again");
        }
        tokio::select! {
            () = tokio::time::sleep(RETRY_WAIT) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Listens until the connection is lost.
async fn listen(shared: &Shared) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(&shared.pool).await?;
    listener.eager_reconnect(false);
    listener.listen_all([CHANNEL_POSITIONS, CHANNEL_OUTBOX, CHANNEL_FORGOTTEN]).await?;
    shared.keys.drop_all_cached();
    shared.outbox.notify_one();
    match read::head(&shared.pool).await {
        Ok(head) => shared.raise(head),
        Err(error) => tracing::debug!(error = %error, "failed to read the head while listening"),
    }
    while let Some(notification) = listener.try_recv().await? {
        hear(shared, &notification);
    }
    Ok(())
}

fn hear(shared: &Shared, notification: &PgNotification) {
    match notification.channel() {
        CHANNEL_POSITIONS => {
            if let Ok(position) = notification.payload().parse() {
                shared.raise(GlobalPosition::new(position));
            }
        }
        CHANNEL_OUTBOX => shared.outbox.notify_one(),
        CHANNEL_FORGOTTEN => shared.keys.mark_destroyed(notification.payload()),
        _ => {}
    }
}
