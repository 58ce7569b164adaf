//! Work that is looked for whenever the read models have moved.

use std::time::Duration;

use calotype_eventstore::GlobalPosition;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::error::ProcessorError;
use crate::gate::Gate;

/// How often a look is taken while the log stands still.
const EVERY: Duration = Duration::from_secs(5);
/// Between two looks, however fast the log grows.
const PAUSE: Duration = Duration::from_millis(100);

/// Looks whenever the read models have moved, and every few seconds, until cancelled; at once again where a look
/// says that there is more. Each look is inside the gate and is told up to where every read model has applied the
/// log; `complaint` is logged of one that fails.
pub(crate) async fn look_at_each_move<F, Looking>(
    gate: &Gate,
    mut applied: watch::Receiver<GlobalPosition>,
    cancel: &CancellationToken,
    complaint: &'static str,
    look: F,
) where
    F: Fn(GlobalPosition) -> Looking,
    Looking: Future<Output = Result<bool, ProcessorError>>,
{
    while !cancel.is_cancelled() {
        let Some(inside) = gate.enter_unless(cancel).await else { break };
        let position = *applied.borrow_and_update();
        let looked = tokio::select! {
            () = cancel.cancelled() => break,
            looked = look(position) => looked,
        };
        drop(inside);
        let has_more = looked.unwrap_or_else(|error| {
            warn!(error = &error as &dyn std::error::Error, "{complaint}");
            false
        });
        if has_more {
            continue;
        }
        tokio::select! {
            () = cancel.cancelled() => break,
            () = tokio::time::sleep(PAUSE) => {}
        }
        tokio::select! {
            () = cancel.cancelled() => {}
            _ = applied.changed() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}
