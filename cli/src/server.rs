//! Asking the server: what was lost on the way is asked again for a while, what was refused is told.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use futures::stream::BoxStream;
use reqwest::header::{CONTENT_LENGTH, HeaderMap, RANGE, RETRY_AFTER};
use reqwest::multipart::{Form, Part};
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
pub(crate) const PAUSE_MIN: Duration = Duration::from_millis(250);
/// The longest pause, unless the server wishes for a longer one.
pub(crate) const PAUSE_MAX: Duration = Duration::from_secs(15);
/// The longest pause that a server may wish for.
const WISHED_PAUSE_MAX: Duration = Duration::from_secs(300);

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

/// That the key may not do something.
#[derive(Debug)]
struct Forbidden(String);

impl std::fmt::Display for Forbidden {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "the server answered 403 Forbidden: {}", self.0)
    }
}

impl std::error::Error for Forbidden {}

impl Trouble {
    /// Whether the key may not do what was asked for.
    pub(crate) fn is_forbidden(&self) -> bool {
        matches!(self, Self::Fatal(error) if error.is::<Forbidden>())
    }

    /// The same as an error.
    pub(crate) fn into_error(self) -> anyhow::Error {
        match self {
            Self::Fatal(error) => error,
            Self::TooLarge => anyhow::anyhow!("the request is too large for the server"),
            Self::Refused(message) => anyhow::anyhow!("the server refused: {message}"),
        }
    }
}

/// What a server answered.
enum Answer {
    Json(Value),
    /// Its body is not read yet.
    Body(Response),
}

/// What is to become of the body of an answer.
#[derive(Clone, Copy)]
enum Wish {
    Json,
    Body,
}

/// What one attempt came to.
pub(crate) enum Once<T> {
    /// It was answered.
    Answered(T),
    /// It may be made again, after the pause that the server wishes for.
    Again {
        /// What failed.
        why: String,
        /// How long the server wants to be left alone.
        pause: Option<Duration>,
    },
    /// It would fail again.
    Failed(Trouble),
}

/// One attempt, and what it was answered with.
type Attempt = Once<(HeaderMap, Answer)>;

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
        self.asked(|| self.request(Method::GET, path), || None).await.map(|(_, answer)| answer)
    }

    /// Sends JSON.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Trouble> {
        let asked = self.asked(|| self.request(Method::POST, path).json(body), || None).await;
        asked.map(|(_, answer)| answer)
    }

    /// Replaces something by JSON.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub(crate) async fn put(&self, path: &str, body: &Value) -> Result<Value, Trouble> {
        let asked = self.asked(|| self.request(Method::PUT, path).json(body), || None).await;
        asked.map(|(_, answer)| answer)
    }

    /// Changes something by JSON.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Result<Value, Trouble> {
        let asked = self.asked(|| self.request(Method::PATCH, path).json(body), || None).await;
        asked.map(|(_, answer)| answer)
    }

    /// Begins to read a body, from a place in it on where the server can do that; otherwise the answer has status 200
    /// and the whole body.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub(crate) async fn open(&self, path: &str, from: u64) -> Result<Response, Trouble> {
        let request = || {
            let request = self.request(Method::GET, path);
            if from == 0 { request } else { request.header(RANGE, format!("bytes={from}-")) }
        };
        match self.patiently(request, || None, Wish::Body).await?.1 {
            Answer::Body(response) => Ok(response),
            Answer::Json(_) => Err(Trouble::Refused("another answer was expected".into())),
        }
    }

    /// Sends nothing under a name of its own, so that it happens once however often it is sent.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub(crate) async fn post_once(&self, path: &str, key: &str) -> Result<Value, Trouble> {
        let request = || self.request(Method::POST, path).header("idempotency-key", key);
        self.asked(request, || None).await.map(|(_, answer)| answer)
    }

    /// Asks for something whose answer stands in its headers.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub(crate) async fn headers(
        &self,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<HeaderMap, Trouble> {
        self.asked(request, || None).await.map(|(headers, _)| headers)
    }

    /// Asks once.
    pub(crate) async fn once(&self, request: RequestBuilder) -> Once<(HeaderMap, Value)> {
        match attempt(request, Wish::Json).await {
            Once::Answered((headers, Answer::Json(answer))) => Once::Answered((headers, answer)),
            Once::Answered((headers, Answer::Body(_))) => Once::Answered((headers, Value::Null)),
            Once::Again { why, pause } => Once::Again { why, pause },
            Once::Failed(trouble) => Once::Failed(trouble),
        }
    }

    /// A request in the words of tus.
    pub(crate) fn tus(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path).header("tus-resumable", "1.0.0")
    }

    /// A chunk of so many bytes in the words of tus.
    pub(crate) fn tus_upload(&self, path: &str, size_bytes: u64) -> RequestBuilder {
        let sending = Duration::from_secs(size_bytes / SEND_BYTES_A_SECOND_MIN);
        self.with_key(&self.uploads, Method::PATCH, path)
            .header("tus-resumable", "1.0.0")
            .timeout(SILENCE_MAX.saturating_add(sending))
    }

    /// Whether it is worth trying again what has failed since then.
    ///
    /// # Errors
    /// When patience is over.
    pub(crate) fn be_patient(&self, since: Instant, why: &str) -> Result<(), Trouble> {
        if since.elapsed() < self.patience {
            return Ok(());
        }
        let waited = since.elapsed().as_secs();
        Err(Trouble::Fatal(anyhow::anyhow!(
            "the server gave no answer for {waited} seconds: {why}"
        )))
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
    ) -> Result<Value, Trouble> {
        let broken = Arc::new(OnceLock::new());
        let body = || reader::body(content, size_bytes, Arc::clone(&broken));
        self.put_body(path, size_bytes, body, &broken).await
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
        self.asked(request, || broken.get().cloned()).await.map(|(_, answer)| answer)
    }

    /// Sends a form with a file in it, under the SHA-1 of its bytes.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub(crate) async fn post_form(
        &self,
        path: &str,
        (sha1, content, size_bytes): (&str, &Content, u64),
        form: impl Fn(Part) -> Form,
    ) -> Result<Value, Trouble> {
        let sending = Duration::from_secs(size_bytes / SEND_BYTES_A_SECOND_MIN);
        let broken = Arc::new(OnceLock::new());
        let request = || {
            let body = reader::body(content, size_bytes, Arc::clone(&broken));
            let part = Part::stream_with_length(reqwest::Body::wrap_stream(body), size_bytes);
            self.with_key(&self.uploads, Method::POST, path)
                .header("x-immich-checksum", sha1)
                .timeout(SILENCE_MAX.saturating_add(sending))
                .multipart(form(part))
        };
        self.asked(request, || broken.get().cloned()).await.map(|(_, answer)| answer)
    }

    /// A request with the key.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.with_key(&self.client, method, path)
    }

    fn with_key(&self, client: &reqwest::Client, method: Method, path: &str) -> RequestBuilder {
        client.request(method, format!("{}{path}", self.base)).header("x-api-key", &self.api_key)
    }

    async fn asked(
        &self,
        request: impl Fn() -> RequestBuilder,
        why_not: impl Fn() -> Option<String>,
    ) -> Result<(HeaderMap, Value), Trouble> {
        match self.patiently(request, why_not, Wish::Json).await? {
            (headers, Answer::Json(answer)) => Ok((headers, answer)),
            (headers, Answer::Body(_)) => Ok((headers, Value::Null)),
        }
    }

    /// Asks until there is an answer, or patience is over, or there is a reason why not to ask again.
    async fn patiently(
        &self,
        request: impl Fn() -> RequestBuilder,
        why_not: impl Fn() -> Option<String>,
        wish: Wish,
    ) -> Result<(HeaderMap, Answer), Trouble> {
        // Patience begins with the first failure: what was sent before took its own time.
        let mut failing: Option<Instant> = None;
        let mut pause = PAUSE_MIN;
        loop {
            let (why, wished) = match attempt(request(), wish).await {
                Attempt::Answered(answer) => return Ok(answer),
                Attempt::Failed(trouble) => return Err(trouble),
                Attempt::Again { why, pause } => (why, pause),
            };
            if let Some(why_not) = why_not() {
                return Err(Trouble::Refused(why_not));
            }
            self.be_patient(*failing.get_or_insert_with(Instant::now), &why)?;
            tokio::time::sleep(wished.unwrap_or(pause)).await;
            pause = pause.saturating_mul(2).min(PAUSE_MAX);
        }
    }
}

async fn attempt(request: RequestBuilder, wish: Wish) -> Attempt {
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_builder() => return Attempt::Failed(Trouble::Fatal(error.into())),
        Err(error) => return Attempt::Again { why: chain(&error), pause: None },
    };
    let (status, headers) = (response.status(), response.headers().clone());
    let pause = retry_after(&headers);
    if status.is_success() && matches!(wish, Wish::Body) {
        return Attempt::Answered((headers, Answer::Body(response)));
    }
    let text = match response.text().await {
        Ok(text) => text,
        Err(error) => return Attempt::Again { why: chain(&error), pause },
    };
    if status.is_success() {
        return match serde_json::from_str(&text) {
            Ok(answer) => Attempt::Answered((headers, Answer::Json(answer))),
            Err(_) if text.is_empty() => Attempt::Answered((headers, Answer::Json(Value::Null))),
            Err(_) => Attempt::Failed(Trouble::Fatal(anyhow::anyhow!(
                "what answers there is no such server"
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
        | StatusCode::LOCKED
        | StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => {
            Attempt::Again { why: format!("{status}: {message}"), pause }
        }
        StatusCode::PAYLOAD_TOO_LARGE => Attempt::Failed(Trouble::TooLarge),
        StatusCode::FORBIDDEN => {
            Attempt::Failed(Trouble::Fatal(Forbidden(message.to_owned()).into()))
        }
        StatusCode::UNAUTHORIZED | StatusCode::INSUFFICIENT_STORAGE => Attempt::Failed(
            Trouble::Fatal(anyhow::anyhow!("the server answered {status}: {message}")),
        ),
        StatusCode::BAD_REQUEST if message.starts_with("Quota") => {
            Attempt::Failed(Trouble::Fatal(anyhow::anyhow!("{message}")))
        }
        _ => Attempt::Failed(Trouble::Refused(format!("{status}: {message}"))),
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(WISHED_PAUSE_MAX))
}

/// An error with all its causes.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
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
        for status in [408, 409, 423, 429, 502, 503, 504] {
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
