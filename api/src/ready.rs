//! `GET /health`, `/ready` and `/metrics`: for the machines that watch. None tells anything about people or secrets.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures::future::BoxFuture;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::state::{Api, MetricsText};

/// How a part of the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PartState {
    /// It does its work.
    Ok,
    /// It does not, and requests are answered all the same.
    Degraded,
    /// It does not, and requests cannot be answered rightly.
    Failing,
}

/// A part of the server, with what was measured of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its name in the answer.
    pub name: &'static str,
    /// How it is.
    pub state: PartState,
    /// Numbers and words about it; nothing secret, for everybody may ask.
    pub measured: Map<String, Value>,
}

impl Part {
    /// A part with what was measured of it, an object.
    #[must_use]
    pub fn new(name: &'static str, state: PartState, measured: Value) -> Self {
        let measured = match measured {
            Value::Object(measured) => measured,
            _ => Map::new(),
        };
        Self { name, state, measured }
    }
}

/// Every part that this process has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ready {
    /// In the order in which they are told.
    pub parts: Vec<Part>,
}

impl Ready {
    /// Whether requests are answered rightly.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.worst() < PartState::Failing
    }

    fn worst(&self) -> PartState {
        self.parts.iter().map(|part| part.state).max().unwrap_or(PartState::Ok)
    }

    /// The answer's body: one word for the whole, and each part under its name.
    #[must_use]
    pub fn document(&self) -> Value {
        let status = match self.worst() {
            PartState::Ok => "ready",
            PartState::Degraded => "degraded",
            PartState::Failing => "not ready",
        };
        let mut parts = Map::new();
        for part in &self.parts {
            let mut told = Map::from_iter([("state".to_owned(), json!(part.state))]);
            told.extend(part.measured.clone());
            parts.insert(part.name.to_owned(), Value::Object(told));
        }
        json!({ "status": status, "parts": parts })
    }
}

/// Looks at every part; answers `GET /ready`.
pub type Readiness = Arc<dyn Fn() -> BoxFuture<'static, Ready> + Send + Sync>;

/// The process lives.
pub(crate) async fn health() -> Response {
    Json(json!({ "status": "ok" })).into_response()
}

/// How every part is; 503 where requests cannot be answered rightly.
pub(crate) async fn ready(State(api): State<Api>) -> Response {
    told(&(api.ready)().await)
}

/// Every measurement.
pub(crate) async fn metrics(State(api): State<Api>) -> Response {
    written((api.metrics)())
}

fn told(ready: &Ready) -> Response {
    let status = if ready.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(ready.document())).into_response()
}

fn written(metrics: String) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics).into_response()
}

/// The three routes for the machines that watch, for a listener that answers nothing else.
#[must_use]
pub fn watched(readiness: Readiness, text: MetricsText) -> Router {
    let ready = move || {
        let asked = readiness();
        async move { told(&asked.await) }
    };
    Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/metrics", get(move || std::future::ready(written(text()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(states: &[PartState]) -> Ready {
        let part = |state| Part::new("part", state, json!({ "freeBytes": 1 }));
        Ready { parts: states.iter().copied().map(part).collect() }
    }

    #[test]
    fn worst_part_decides() {
        for (states, word, is_ready) in [
            (&[][..], "ready", true),
            (&[PartState::Ok][..], "ready", true),
            (&[PartState::Degraded, PartState::Ok][..], "degraded", true),
            (&[PartState::Ok, PartState::Failing, PartState::Degraded][..], "not ready", false),
        ] {
            let ready = of(states);
            assert_eq!((&ready.document()["status"], ready.is_ready()), (&json!(word), is_ready));
        }
    }

    #[test]
    fn part_tells_its_state_and_what_was_measured() {
        let told = of(&[PartState::Degraded]).document();
        assert_eq!(told["parts"]["part"], json!({ "state": "degraded", "freeBytes": 1 }));
    }
}
