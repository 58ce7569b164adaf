//! How slowly a form may be sent: whoever is silent, or drips, gives the turn to somebody else.

use std::time::Duration;

use axum::body::{BodyDataStream, Bytes};
use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError};
use axum::http::StatusCode;
use futures::StreamExt as _;
use tokio::time::Instant;

use crate::problem::Problem;

/// How long a client may send nothing.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// Of each so long that is spent waiting for a client,
const WINDOW: Duration = Duration::from_secs(60);
/// this much must come: about one kilobyte a second. The worst mobile networks carry ten times that.
const WINDOW_BYTES_MIN: usize = 64 * 1024;

/// Watches how fast a form comes. Only the time that is spent waiting for the client counts, so that a slow disk
/// ends no upload.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    waited: Duration,
    came_bytes: usize,
}

impl Pace {
    /// The next part of a form.
    ///
    /// # Errors
    /// 408 for a client that is too slow, 400 and 413 for a form that cannot be read.
    pub(super) async fn part<'a>(
        &mut self,
        parts: &'a mut Multipart,
    ) -> Result<Option<Field<'a>>, Problem> {
        self.wait(parts.next_field(), |_| 0).await
    }

    /// The next bytes of a part.
    ///
    /// # Errors
    /// As [`Pace::part`].
    pub(super) async fn chunk(&mut self, part: &mut Field<'_>) -> Result<Option<Bytes>, Problem> {
        self.wait(part.chunk(), |chunk| chunk.as_ref().map_or(0, Bytes::len)).await
    }

    /// The next bytes of a body that is a file and nothing else.
    ///
    /// # Errors
    /// 408 for a client that is too slow, 400 for a body that breaks off.
    pub(crate) async fn body_chunk(
        &mut self,
        body: &mut BodyDataStream,
    ) -> Result<Option<Bytes>, Problem> {
        let begun = Instant::now();
        let read = tokio::time::timeout(IDLE_MAX, body.next())
            .await
            .map_err(|_| stalled())?
            .transpose()
            .map_err(|_| Problem::bad_request("The body broke off"))?;
        let came_bytes = read.as_ref().map_or(0, Bytes::len);
        if self.is_kept(begun.elapsed(), came_bytes) { Ok(read) } else { Err(stalled()) }
    }

    async fn wait<T>(
        &mut self,
        reading: impl Future<Output = Result<T, MultipartError>>,
        size_bytes: impl Fn(&T) -> usize,
    ) -> Result<T, Problem> {
        let begun = Instant::now();
        let read = tokio::time::timeout(IDLE_MAX, reading)
            .await
            .map_err(|_| stalled())?
            .map_err(|error| Problem::new(error.status(), error.body_text()))?;
        if self.is_kept(begun.elapsed(), size_bytes(&read)) {
            return Ok(read);
        }
        Err(stalled())
    }

    /// Counts what came after a wait; says whether that is fast enough.
    fn is_kept(&mut self, waited: Duration, came_bytes: usize) -> bool {
        self.waited += waited;
        self.came_bytes = self.came_bytes.saturating_add(came_bytes);
        if self.waited < WINDOW {
            return true;
        }
        let is_enough = self.came_bytes >= WINDOW_BYTES_MIN;
        *self = Self::default();
        is_enough
    }
}

fn stalled() -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT, "The upload stalled")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many waits of `seconds`, each for `came_bytes`, are borne; at most 1,000.
    fn borne(seconds: u64, came_bytes: usize) -> usize {
        let mut pace = Pace::default();
        (0..1_000).take_while(|_| pace.is_kept(Duration::from_secs(seconds), came_bytes)).count()
    }

    #[test]
    fn who_drips_is_ended_within_a_window() {
        assert_eq!(borne(10, 1), 5);
        assert_eq!(borne(59, 1), 1);
    }

    #[test]
    fn slow_line_that_goes_on_is_borne() {
        assert_eq!(borne(10, 16 * 1024), 1_000);
        assert_eq!(borne(59, 32 * 1024), 1_000);
    }

    #[test]
    fn much_at_the_beginning_buys_no_time_later() {
        let mut pace = Pace::default();
        assert!(pace.is_kept(Duration::from_secs(1), 1_000_000_000));
        assert!(pace.is_kept(Duration::from_secs(59), 1));
        assert!((0..5).all(|_| pace.is_kept(Duration::from_secs(10), 1)));
        assert!(!pace.is_kept(Duration::from_secs(10), 1));
    }
}
