//! How long a body may take to come: whoever drips it holds memory and a connection meanwhile. Uploads are large and
//! have a pace of their own (`assets/pace.rs`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use futures::stream::{self, Stream};
use tokio::time::Instant;

use crate::problem::Problem;

/// Within this the whole body must have come. Ten megabytes, the most that a body may have, come at 170 kB a second.
const BODY_WITHIN: Duration = Duration::from_secs(60);
/// Where files come.
const UPLOADS: (Method, &str) = (Method::POST, "/api/assets");
/// Where files of batches come: under `<batch>/files/<digest>`.
const BATCH_UPLOADS: (Method, &str) = (Method::PUT, "/api/calotype/batches/");
/// Where files in pieces come: a first piece here, further ones under their ids.
const PIECES: &str = "/api/calotype/uploads";

/// The layer.
pub(crate) async fn end_slow_bodies(request: Request, next: Next) -> Response {
    if is_upload(request.method(), request.uri().path()) || request.body().is_end_stream() {
        return next.run(request).await;
    }
    let is_late = Arc::new(AtomicBool::new(false));
    let request = request.map(|body| within(body, BODY_WITHIN, Arc::clone(&is_late)));
    let response = next.run(request).await;
    // Extractors call any body that breaks off a bad request.
    if is_late.load(Ordering::Relaxed) && response.status().is_client_error() {
        return Problem::new(StatusCode::REQUEST_TIMEOUT, "The request took too long")
            .into_response();
    }
    response
}

fn is_upload(method: &Method, path: &str) -> bool {
    (method == UPLOADS.0 && path == UPLOADS.1)
        || (method == BATCH_UPLOADS.0 && path.starts_with(BATCH_UPLOADS.1))
        || ((method == Method::POST || method == Method::PATCH) && path.starts_with(PIECES))
}

/// The same body, which breaks off when it has not come whole in time.
fn within(body: Body, limit: Duration, is_late: Arc<AtomicBool>) -> Body {
    Body::from_stream(in_time(body, Instant::now() + limit, is_late))
}

fn in_time(
    body: Body,
    deadline: Instant,
    is_late: Arc<AtomicBool>,
) -> impl Stream<Item = Result<Bytes, axum::BoxError>> {
    stream::unfold(Some(body.into_data_stream()), move |chunks| {
        let is_late = Arc::clone(&is_late);
        async move {
            let mut chunks = chunks?;
            match tokio::time::timeout_at(deadline, chunks.next()).await {
                Ok(Some(Ok(chunk))) => Some((Ok(chunk), Some(chunks))),
                Ok(Some(Err(error))) => Some((Err(error.into()), None)),
                Ok(None) => None,
                Err(late) => {
                    is_late.store(true, Ordering::Relaxed);
                    Some((Err(late.into()), None))
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    fn drips(parts: usize, pause: Duration) -> Body {
        Body::from_stream(stream::unfold(parts, move |left| async move {
            let left = left.checked_sub(1)?;
            tokio::time::sleep(pause).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b"drop")), left))
        }))
    }

    #[tokio::test]
    async fn body_that_drips_breaks_off() {
        let is_late = Arc::new(AtomicBool::new(false));
        let limit = Duration::from_millis(100);
        let body = within(drips(1_000, Duration::from_millis(20)), limit, Arc::clone(&is_late));
        assert!(to_bytes(body, usize::MAX).await.is_err());
        assert!(is_late.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn body_that_comes_in_time_is_as_it_was() {
        let is_late = Arc::new(AtomicBool::new(false));
        let body = within(drips(3, Duration::ZERO), BODY_WITHIN, Arc::clone(&is_late));
        assert_eq!(to_bytes(body, usize::MAX).await.unwrap(), "dropdropdrop");
        assert!(!is_late.load(Ordering::Relaxed));
    }
}
