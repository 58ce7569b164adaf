//! Stopping: the first signal asks every task to finish, the second does not wait.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Cancels `soft` at the first SIGTERM or SIGINT, and `hard` at the second.
///
/// # Errors
/// When the signals cannot be listened to.
pub fn on_signals(soft: CancellationToken, hard: CancellationToken) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let listen = async move {
        for (count, token) in [soft, hard].into_iter().enumerate() {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if count == 0 {
                info!("stopping, one moment; a second signal stops at once");
            } else {
                warn!("stopping at once");
            }
            token.cancel();
        }
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "it ends with the process, nothing waits for it"
    )]
    drop(tokio::spawn(listen));
    Ok(())
}
