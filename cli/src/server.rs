//! Asking the server: what was lost on the way is asked again for a while, what was refused is told.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use futures::stream::BoxStream;
use reqwest::header::{CONTENT_LENGTH, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use crate::args::ServerArgs;
use crate::content::Content;
use crate::reader;

/// How long a connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How long an answer may be silent.
const SILENCE_MAX: Duration = Duration::from_secs(120);
/// The slowest that a file is sent before it is given up, in bytes a second.
const SEND_BYTES_A_SECOND_MIN: u64 = 16 * 1024;
/// The first pause before a request is repeated; each further one is twice as long.
const PAUSE_MIN: Duration = Duration::from_millis(250);
/// The longest pause, also where the server wishes for a longer one.
const PAUSE_MAX: Duration = Duration::from_secs(15);

/// Why a request was not answered as it should be.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Nothing further can be done: the key is refused, the disk or quota is full, the server stays away.
    Fatal(anyhow::Error),
    /// Something on the way takes no body of this length.
    TooLarge,
    /// This request was refused.
    Refused(String),
}

impl Trouble {
    /// The same as an error.
    pub(crate) fn into_error(self) -> anyhow::Error {
        match self {
            Self::Fatal(error) => error,
            Self::TooLarge => anyhow::anyhow!("the request is too large for the server"),
            Self::Refused(message) => anyhow::anyhow!("the server refused: {message}"),
        }
    }
}

/// What one attempt came to.
enum Attempt {
    Answered(Value),
    Again { why: String, pause: Option<Duration> },
    Failed(Trouble),
}

/// A server, asked over HTTP with a key.
pub(crate) struct Server {
    client: reqwest::Client,
    /// For bodies of files: the other's limit on silence counts from when a request begins.
    uploads: reqwest::Client,
    base: String,
    api_key: String,
    patience: Duration,
}

impl Server {
    /// Asks nothing yet.
    ///
    /// # Errors
    /// When TLS cannot be set up, or nobody said which server and as whom.
    pub(crate) fn try_new(args: &ServerArgs) -> anyhow::Result<Self> {
        anyhow::ensure!(
            !args.server.is_empty(),
            "which server? say --server URL or CALOTYPE_SERVER"
        );
        anyhow::ensure!(!args.api_key.is_empty(), "as whom? say --api-key KEY or CALOTYPE_API_KEY");
        let builder = || {
            reqwest::Client::builder()
                .connect_timeout(CONNECT_MAX)
                .user_agent(concat!("calotype-import/", env!("CARGO_PKG_VERSION")))
        };
        let client =
            builder().read_timeout(SILENCE_MAX).build().context("failed to set up HTTP")?;
        let uploads = builder().build().context("failed to set up HTTP")?;
        let base = format!("{}/api", args.server.trim_end_matches('/').trim_end_matches("/api"));
        let patience = Duration::from_secs(args.patience);
        Ok(Self { client, uploads, base, api_key: args.api_key.clone(), patience })
    }

    /// Reads something.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Trouble> {
        self.asked(|| self.request(Method::GET, path), || None).await
    }

    /// Sends JSON.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Trouble> {
        self.asked(|| self.request(Method::POST, path).json(body), || None).await
    }

    /// Sends nothing under a name of its own, so that it happens once however often it is sent.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub(crate) async fn post_once(&self, path: &str, key: &str) -> Result<Value, Trouble> {
        let request = || self.request(Method::POST, path).header("idempotency-key", key);
        self.asked(request, || None).await
    }

    /// Sends a file as the whole body.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub(crate) async fn put_file(
        &self,
        path: &str,
        content: &Content,
        size_bytes: u64,
    ) -> Result<(), Trouble> {
        let broken = Arc::new(OnceLock::new());
        let body = || reader::body(content, size_bytes, Arc::clone(&broken));
        self.put_body(path, size_bytes, body, &broken).await.map(drop)
    }

    /// Sends bytes that are made anew for each attempt. What is wrong with them, and not with the network, is told in
    /// `broken`.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub(crate) async fn put_body(
        &self,
        path: &str,
        size_bytes: u64,
        body: impl Fn() -> BoxStream<'static, std::io::Result<Bytes>>,
        broken: &OnceLock<String>,
    ) -> Result<Value, Trouble> {
        let sending = Duration::from_secs(size_bytes / SEND_BYTES_A_SECOND_MIN);
        let request = || {
            let body = reqwest::Body::wrap_stream(body());
            self.with_key(&self.uploads, Method::PUT, path)
                .header(CONTENT_LENGTH, size_bytes)
                .timeout(SILENCE_MAX.saturating_add(sending))
                .body(body)
        };
        // A body that broke off because of the file breaks off again.
        self.asked(request, || broken.get().cloned()).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.with_key(&self.client, method, path)
    }

    fn with_key(&self, client: &reqwest::Client, method: Method, path: &str) -> RequestBuilder {
        client.request(method, format!("{}{path}", self.base)).header("x-api-key", &self.api_key)
    }

    /// Asks until there is an answer, or patience is over, or there is a reason why not to ask again.
    async fn asked(
        &self,
        request: impl Fn() -> RequestBuilder,
        why_not: impl Fn() -> Option<String>,
    ) -> Result<Value, Trouble> {
        // Patience begins with the first failure: what was sent before took its own time.
        let mut failing: Option<Instant> = None;
        let mut pause = PAUSE_MIN;
        loop {
            let (why, wished) = match attempt(request()).await {
                Attempt::Answered(answer) => return Ok(answer),
                Attempt::Failed(trouble) => return Err(trouble),
                Attempt::Again { why, pause } => (why, pause),
            };
            if let Some(why_not) = why_not() {
                return Err(Trouble::Refused(why_not));
            }
            let begun = *failing.get_or_insert_with(Instant::now);
            if begun.elapsed() >= self.patience {
                let waited = begun.elapsed().as_secs();
                return Err(Trouble::Fatal(anyhow::anyhow!(
                    "the server gave no answer for {waited} seconds: {why}"
                )));
            }
            tokio::time::sleep(wished.map_or(pause, |wished| wished.min(PAUSE_MAX))).await;
            pause = pause.saturating_mul(2).min(PAUSE_MAX);
        }
    }
}

async fn attempt(request: RequestBuilder) -> Attempt {
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_builder() => return Attempt::Failed(Trouble::Fatal(error.into())),
        Err(error) => return Attempt::Again { why: chain(&error), pause: None },
    };
    let status = response.status();
    let pause = retry_after(&response);
    let text = match response.text().await {
        Ok(text) => text,
        Err(error) => return Attempt::Again { why: chain(&error), pause },
    };
    if status.is_success() {
        return match serde_json::from_str(&text) {
            Ok(answer) => Attempt::Answered(answer),
            Err(_) if text.is_empty() => Attempt::Answered(Value::Null),
            Err(_) => Attempt::Failed(Trouble::Fatal(anyhow::anyhow!(
                "what answers there is no Calotype server"
            ))),
        };
    }
    let answer: Value = serde_json::from_str(&text).unwrap_or_default();
    let message = answer["message"].as_str().unwrap_or("no reason given");
    judge(status, message, pause)
}

fn judge(status: StatusCode, message: &str, pause: Option<Duration>) -> Attempt {
    match status {
        StatusCode::REQUEST_TIMEOUT
        | StatusCode::CONFLICT
        | StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => {
            Attempt::Again { why: format!("{status}: {message}"), pause }
        }
        StatusCode::PAYLOAD_TOO_LARGE => Attempt::Failed(Trouble::TooLarge),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::INSUFFICIENT_STORAGE => {
            Attempt::Failed(Trouble::Fatal(anyhow::anyhow!(
                "the server answered {status}: {message}"
            )))
        }
        StatusCode::BAD_REQUEST if message.starts_with("Quota") => {
            Attempt::Failed(Trouble::Fatal(anyhow::anyhow!("{message}")))
        }
        _ => Attempt::Failed(Trouble::Refused(format!("{status}: {message}"))),
    }
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, message: &str) -> Attempt {
        judge(StatusCode::from_u16(status).unwrap(), message, None)
    }

    #[test]
    fn what_is_lost_on_the_way_is_asked_again_and_what_is_refused_is_not() {
        for status in [408, 409, 429, 502, 503, 504] {
            assert!(matches!(judged(status, ""), Attempt::Again { .. }), "{status}");
        }
        assert!(matches!(judged(413, ""), Attempt::Failed(Trouble::TooLarge)));
        assert!(matches!(judged(400, "no"), Attempt::Failed(Trouble::Refused(_))));
        for (status, message) in [(401, ""), (507, ""), (400, "Quota has been exceeded!")] {
            assert!(
                matches!(judged(status, message), Attempt::Failed(Trouble::Fatal(_))),
                "{status}"
            );
        }
    }
}
