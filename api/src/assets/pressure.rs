//! When new uploads are asked to come later. They never wait for what is made of them: pictures, vectors and copies
//! may wait in their queues for as long as they like. What an answer needs is a read model that shows it, so uploads
//! wait while those are far behind the log.

use crate::problem::Problem;
use crate::state::Api;

/// Events that the read models may be behind. They take in some thousand a second.
const EVENTS_BEHIND_MAX: u64 = 100_000;
/// When a client is asked to come again, in seconds.
const AGAIN_AFTER_S: u32 = 10;

/// Lets an upload begin.
///
/// # Errors
/// 503 with `Retry-After` while the read models are far behind the log.
pub(super) async fn require_calm(api: &Api) -> Result<(), Problem> {
    let cache = &api.uploads.behind;
    let behind = match cache.get(&()) {
        Some(behind) => behind,
        None => {
            let behind = api.progress.behind().await;
            cache.insert((), behind);
            behind
        }
    };
    judge(behind)
}

fn judge(events_behind: u64) -> Result<(), Problem> {
    if events_behind <= EVENTS_BEHIND_MAX {
        return Ok(());
    }
    tracing::warn!(lag.events = events_behind, "uploads are asked to come later");
    Err(Problem::unavailable_for(
        "The server has much to catch up with, try again later",
        AGAIN_AFTER_S,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_are_asked_to_come_later_only_when_much_is_behind() {
        assert!(judge(0).is_ok() && judge(EVENTS_BEHIND_MAX).is_ok());
        let problem = judge(EVENTS_BEHIND_MAX + 1).unwrap_err();
        assert_eq!(problem.status(), http::StatusCode::SERVICE_UNAVAILABLE);
    }
}
