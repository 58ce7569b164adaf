//! An answer of the server, read whole.

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use reqwest::header::HeaderMap;
use serde_json::Value;
use sha1::{Digest as _, Sha1};

/// The most of a body that an error message shows, in characters.
const SHOWN_CHARS_MAX: usize = 600;

/// Status, headers and body, with the request for messages.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Method and path.
    pub request: String,
    /// HTTP status.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// Refuses any other status, naming request and body.
    ///
    /// # Errors
    /// The status is another one.
    pub fn expect(self, status: u16) -> anyhow::Result<Self> {
        ensure!(
            self.status == status,
            "{} answered {} instead of {status}: {}",
            self.request,
            self.status,
            self.shown()
        );
        Ok(self)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// It is none.
    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body)
            .with_context(|| format!("{} answered no JSON: {}", self.request, self.shown()))
    }

    /// A header as text; empty when it is missing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The `message` of an error.
    ///
    /// # Errors
    /// The body is no JSON or has none.
    pub fn message(&self) -> anyhow::Result<String> {
        let message = self.json()?["message"].as_str().map(str::to_owned);
        message.with_context(|| format!("{} gave no message: {}", self.request, self.shown()))
    }

    /// Whether the body holds a text, whole.
    #[must_use]
    pub fn shows(&self, text: &str) -> bool {
        self.body.windows(text.len()).any(|part| part == text.as_bytes())
    }

    /// SHA-1 of the body, lower-case hex.
    #[must_use]
    pub fn sha1(&self) -> String {
        sha1_hex(&self.body)
    }

    /// The body's beginning, for messages.
    #[must_use]
    pub fn shown(&self) -> String {
        match std::str::from_utf8(&self.body) {
            Ok(text) => text.chars().take(SHOWN_CHARS_MAX).collect(),
            Err(_) => format!("{} bytes", self.body.len()),
        }
    }
}

/// SHA-1, lower-case hex.
#[must_use]
pub fn sha1_hex(bytes: &[u8]) -> String {
    Sha1::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
