//! Asking services in order, until one answers rightly.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Cursor;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use image::ImageEncoder as _;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use reqwest::{Client, StatusCode, Url, multipart, redirect};
use serde_json::Value;

use crate::config::MlConfig;
use crate::error::MlError;
use crate::model::{ModelKind, ModelRef};
use crate::pixels::Pixels;
use crate::services::{Checks, STAND_INS_HEADER, Services};

/// Services that may be named.
const REMOTES_MAX: usize = 16;
/// Names of models whose identity is remembered; where there are more, all are forgotten.
const TOLD_MAX: usize = 64;
/// The longest answer that is read, in bytes: 256 faces take 3 MB.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// The longest answer to a ping.
const PONG_BYTES_MAX: usize = 64;

/// What is sent to be looked at.
#[derive(Debug, Clone)]
pub(crate) enum Payload {
    /// A picture as PNG, which loses nothing and is quick to make.
    Image(Vec<u8>),
    /// Words.
    Text(String),
}

impl Payload {
    /// A picture, packed away from the threads that others wait on: a large one takes tens of milliseconds.
    pub(crate) async fn of(pixels: &Pixels) -> Result<Self, MlError> {
        let pixels = pixels.clone();
        let packing = tokio::task::spawn_blocking(move || Self::image(&pixels));
        packing.await.map_err(|_ended| MlError::GivenUp)?
    }

    fn image(pixels: &Pixels) -> Result<Self, MlError> {
        let mut bytes = Cursor::new(Vec::new());
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Sub)
            .write_image(
                pixels.rgb(),
                pixels.width(),
                pixels.height(),
                image::ExtendedColorType::Rgb8,
            )
            .map_err(|error| MlError::BadPixels { reason: error.to_string() })?;
        Ok(Self::Image(bytes.into_inner()))
    }
}

/// Services in order.
#[derive(Debug)]
pub(crate) struct Remotes {
    client: Client,
    services: Vec<Service>,
    timeout: Duration,
    ping_timeout: Duration,
    retry_after: Duration,
    /// Whether services are watched.
    is_checked: bool,
    /// Whether this machine does the work where no service does.
    has_stand_in: bool,
    /// Which model services said that they have under a name.
    told: Mutex<HashMap<(ModelKind, String), ModelRef>>,
}

#[derive(Debug)]
struct Service {
    url: Url,
    health: Mutex<Health>,
}

/// What is known of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    Unknown,
    Good,
    FailedAt(Instant),
}

impl Remotes {
    pub(crate) fn new(urls: &[String], config: &MlConfig) -> Result<Self, MlError> {
        if urls.len() > REMOTES_MAX {
            let reason = format!("it is one of more than {REMOTES_MAX}");
            return Err(MlError::BadUrl { url: urls[REMOTES_MAX].clone(), reason });
        }
        let services = urls.iter().map(|url| Service::new(url)).collect::<Result<_, _>>()?;
        let checks = Checks { timeout: config.ping_timeout, interval: config.retry_after };
        Self::of(services, Some(checks), config)
    }

    /// Of what an administrator wrote: what is no address is passed over, and so is what is too much.
    pub(crate) fn passing_over(services: &Services, config: &MlConfig) -> Result<Self, MlError> {
        let mut usable = Vec::new();
        for url in &services.urls {
            match Service::new(url) {
                Ok(service) if usable.len() < REMOTES_MAX => usable.push(service),
                Ok(service) => {
                    tracing::warn!(service = service.name(), "too many services: not asked");
                }
                // The address may hold a password.
                Err(_) => tracing::warn!("an address of a machine-learning service is none"),
            }
        }
        Self::of(usable, services.checks, config)
    }

    fn of(
        services: Vec<Service>,
        checks: Option<Checks>,
        config: &MlConfig,
    ) -> Result<Self, MlError> {
        let Checks { timeout: ping_timeout, interval: retry_after } =
            checks.unwrap_or(Checks { timeout: config.ping_timeout, interval: config.retry_after });
        let client = Client::builder()
            // A service that sends elsewhere is none: pictures go where an administrator said.
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(ping_timeout)
            .build()
            .map_err(|error| MlError::BadUrl { url: "any".to_owned(), reason: chain(&error) })?;
        Ok(Self {
            client,
            services,
            timeout: config.remote_timeout,
            ping_timeout,
            retry_after,
            is_checked: checks.is_some(),
            has_stand_in: config.local,
            told: Mutex::default(),
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.services.is_empty()
    }

    /// Which model services last said that they have under a name.
    pub(crate) fn told(&self, kind: ModelKind, name: &str) -> Option<ModelRef> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.get(&(kind, name.to_owned())).cloned()
    }

    /// Remembers what a service said.
    pub(crate) fn tell(&self, kind: ModelKind, name: &str, model: &ModelRef) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= TOLD_MAX {
            told.clear();
        }
        told.insert((kind, name.to_owned()), model.clone());
    }

    /// Asks those that are well in order, then those that failed lately, until one answers with what `read`
    /// takes. Nobody waits for those that failed lately where this machine does the work instead.
    pub(crate) async fn ask<T>(
        &self,
        entries: &Value,
        payload: &Payload,
        read: impl Fn(&Value) -> Result<T, String>,
    ) -> Result<T, MlError> {
        let now = Instant::now();
        let failed_lately =
            |service: &&Service| self.is_checked && service.failed_lately(now, self.retry_after);
        let (last, first): (Vec<_>, Vec<_>) = self.services.iter().partition(failed_lately);
        let (mut tried, mut is_reached) = (Vec::new(), false);
        let last = if self.has_stand_in { Vec::new() } else { last };
        for service in first.into_iter().chain(last) {
            let answer = self.predict(service, entries, payload).await.and_then(|answer| {
                read(&answer).map_err(|reason| Unanswered::wrongly(format!("answered {reason}")))
            });
            match answer {
                Ok(answer) => {
                    service.set(Health::Good);
                    return Ok(answer);
                }
                Err(Unanswered { reason, was_there, is_ill }) => {
                    is_reached |= was_there;
                    // What it says no to may be this picture alone: it is asked for the next.
                    let failed = Health::FailedAt(Instant::now());
                    service.set(if is_ill { failed } else { Health::Good });
                    tracing::warn!(service = service.name(), "machine-learning service {reason}");
                    tried.push(format!("{} {reason}", service.name()));
                }
            }
        }
        Err(MlError::NoService { tried, is_reached })
    }

    async fn predict(
        &self,
        service: &Service,
        entries: &Value,
        payload: &Payload,
    ) -> Result<Value, Unanswered> {
        if self.is_checked && service.health() != Health::Good {
            self.ping(service).await.map_err(Unanswered::before)?;
        }
        let form = multipart::Form::new().text("entries", entries.to_string());
        let form = match payload {
            Payload::Text(text) => form.text("text", text.clone()),
            Payload::Image(bytes) => {
                let part = multipart::Part::bytes(bytes.clone()).file_name("picture.png");
                form.part("image", part)
            }
        };
        let url = service.at("predict");
        let asked = self.client.post(url).header(STAND_INS_HEADER, "1");
        let asked = asked.multipart(form).timeout(self.timeout);
        let bytes = read_whole(asked, ANSWER_BYTES_MAX).await?;
        let read = serde_json::from_slice(&bytes);
        read.map_err(|_| Unanswered::wrongly("answered something that is no JSON".to_owned()))
    }

    async fn ping(&self, service: &Service) -> Result<(), String> {
        let asked = self.client.get(service.at("ping")).timeout(self.ping_timeout);
        let answer = read_whole(asked, PONG_BYTES_MAX).await.map_err(|error| error.reason)?;
        if answer == b"pong" { Ok(()) } else { Err("did not answer pong to a ping".to_owned()) }
    }
}

/// Why there is no answer.
struct Unanswered {
    reason: String,
    /// Whether the service was there at all.
    was_there: bool,
    /// Whether it would answer nothing else either, as far as can be told: then it is left alone for a while.
    is_ill: bool,
}

impl Unanswered {
    /// It did not even say that it is there.
    const fn before(reason: String) -> Self {
        Self { reason, was_there: false, is_ill: true }
    }

    /// It answered, and nothing that can be used.
    const fn wrongly(reason: String) -> Self {
        Self { reason, was_there: true, is_ill: false }
    }

    /// The connection could not be made, broke off, or nothing came in time.
    fn broken(error: &reqwest::Error) -> Self {
        Self { reason: why(error), was_there: !error.is_connect(), is_ill: true }
    }

    /// It answered with a status that is none of success.
    fn refused(status: StatusCode) -> Self {
        let reason = format!("answered {}", status.as_u16());
        // A refusal is of this request, unless the service says that it has too many of them.
        let is_busy = matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
        Self { reason, was_there: true, is_ill: !status.is_client_error() || is_busy }
    }
}

impl Service {
    fn new(text: &str) -> Result<Self, MlError> {
        let refuse =
            |reason: &str| MlError::BadUrl { url: text.to_owned(), reason: reason.to_owned() };
        let mut url = Url::parse(text.trim()).map_err(|error| refuse(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(refuse("it does not begin with http:// or https://"));
        }
        url.set_query(None);
        url.set_fragment(None);
        Ok(Self { url, health: Mutex::new(Health::Unknown) })
    }

    fn at(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        let below = format!("{}/{path}", url.path().trim_end_matches('/'));
        url.set_path(&below);
        url
    }

    /// Without path and password.
    fn name(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    fn health(&self) -> Health {
        *self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, health: Health) {
        *self.health.lock().unwrap_or_else(PoisonError::into_inner) = health;
    }

    fn failed_lately(&self, now: Instant, lately: Duration) -> bool {
        match self.health() {
            Health::Unknown | Health::Good => false,
            Health::FailedAt(at) => now.saturating_duration_since(at) < lately,
        }
    }
}

/// An answer that is a success, and no longer than it may be.
async fn read_whole(
    asked: reqwest::RequestBuilder,
    bytes_max: usize,
) -> Result<Vec<u8>, Unanswered> {
    let mut answer = asked.send().await.map_err(|error| Unanswered::broken(&error))?;
    if !answer.status().is_success() {
        return Err(Unanswered::refused(answer.status()));
    }
    let mut bytes = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(|error| Unanswered::broken(&error))? {
        if bytes.len() + part.len() > bytes_max {
            return Err(Unanswered::wrongly(format!("answered more than {bytes_max} bytes")));
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

fn why(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        "did not answer in time".to_owned()
    } else if error.is_connect() {
        "cannot be reached".to_owned()
    } else {
        format!("failed: {}", chain(error))
    }
}

/// An error and what it comes from, without the address, which may hold a password.
fn chain(error: &reqwest::Error) -> String {
    let mut text = String::from("request failed");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let _written = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remotes(urls: &[&str]) -> Result<Remotes, MlError> {
        let urls: Vec<String> = urls.iter().map(ToString::to_string).collect();
        Remotes::new(&urls, &MlConfig::new(Vec::new(), Vec::new()))
    }

    #[test]
    fn addresses_that_are_none_are_refused() {
        for url in ["", "here", "ftp://there", "http://", "/predict", "file:///etc/passwd"] {
            assert!(matches!(remotes(&[url]), Err(MlError::BadUrl { .. })), "{url}");
        }
        assert!(remotes(&["http://there"; REMOTES_MAX + 1]).is_err());
    }

    #[test]
    fn paths_are_below_the_address_and_passwords_are_not_named() {
        let remotes = remotes(&["http://me:secret@there:3003/ml/?x=1"]).unwrap();
        let service = &remotes.services[0];
        assert_eq!(service.at("ping").as_str(), "http://me:secret@there:3003/ml/ping");
        assert_eq!(service.name(), "http://there:3003");
    }

    #[test]
    fn picture_is_sent_as_it_is() {
        let pixels = Pixels::new(2, 1, vec![1, 2, 3, 250, 251, 252]).unwrap();
        let Payload::Image(bytes) = Payload::image(&pixels).unwrap() else { panic!("no image") };
        let read = image::load_from_memory(&bytes).unwrap().into_rgb8();
        assert_eq!(read.into_raw(), pixels.rgb());
    }
}
