//! `POST /calotype/testing/reset`: an empty server between two runs of a suite.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;

use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, not_an_option, wrong_type};

/// The aggregates that can be forgotten apart from the others.
const AGGREGATES: [&str; 15] = [
    "user",
    "session",
    "api_key",
    "asset",
    "album",
    "tag",
    "stack",
    "activity",
    "person",
    "library",
    "shared_link",
    "memory",
    "partner",
    "notification",
    "config",
];

/// Forgets everything, or the aggregates that `only` names. Needs no credentials.
pub(super) async fn reset(State(api): State<Api>, body: Bytes) -> Result<StatusCode, Problem> {
    let only = parse(&body)?;
    let reset = api
        .reset
        .clone()
        .ok_or_else(|| Problem::not_found("Cannot POST /api/calotype/testing/reset"))?;
    reset.reset(only.as_deref()).await.map_err(|error| Problem::internal(&*error))?;
    api.callers.forget_all();
    api.logins.clear();
    api.link_views.clear();
    api.admin_views.clear();
    Ok(StatusCode::NO_CONTENT)
}

fn parse(body: &Bytes) -> Result<Option<Vec<String>>, Problem> {
    let mut fields = Fields::json(body)?;
    let Some(value) = fields.take("only") else { return Ok(None) };
    let Some(values) = value.as_array() else {
        return Err(Problem::validation(vec![wrong_type("array", Some(&value), &["only"])]));
    };
    let mut only = Vec::new();
    for value in values {
        match value.as_str().filter(|name| AGGREGATES.contains(name)) {
            Some(name) => only.push(name.to_owned()),
            None => fields.issue(not_an_option(&AGGREGATES, &["only"])),
        }
    }
    fields.finish()?;
    Ok(Some(only))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_or_known_aggregates() {
        let parse = |text: &'static str| parse(&Bytes::from_static(text.as_bytes()));
        assert_eq!(parse("{}").unwrap(), None);
        assert_eq!(parse("").unwrap(), None);
        assert_eq!(parse(r#"{"only":["asset"]}"#).unwrap(), Some(vec!["asset".to_owned()]));
        assert!(parse(r#"{"only":["house"]}"#).is_err());
    }
}
