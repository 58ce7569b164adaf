//! Waiting for a condition, with a limit and a name for what did not happen.

use std::time::Duration;

use anyhow::bail;
use tokio::time::Instant;

/// How often a condition is looked at.
const POLL: Duration = Duration::from_millis(25);

/// Looks again and again until there is something, and returns it.
///
/// # Errors
/// What looking said, or that nothing came within the limit.
pub async fn until<T>(
    what: &str,
    limit: Duration,
    mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if Instant::now() > deadline {
            bail!("waited {} s in vain for {what}", limit.as_secs());
        }
        tokio::time::sleep(POLL).await;
    }
}
