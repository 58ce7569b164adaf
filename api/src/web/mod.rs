//! The pages: the built-in one or a configured single-page client, and the explorer beside either; whatever is
//! not `/api` ends here.

mod builtin;
mod explorer;
mod folder;
mod index;
mod preview;

use std::convert::Infallible;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::peer::Peer;
use crate::problem::Problem;
use crate::router::missing;
use crate::state::Api;

/// Answers what no route answers: a file, or the page itself so that it can find its own way.
pub(crate) async fn page(
    State(api): State<Api>,
    Ok(peer): Result<Peer, Infallible>,
    request: Request,
) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return missing(request).await;
    }
    let path = request.uri().path().to_owned();
    let headers = request.headers().clone();
    if let Some(below) = explorer::below(&path) {
        let found = explorer::answer(below, &headers);
        return match found {
            Some(found) => found,
            None => missing(request).await,
        };
    }
    let file = match &api.config.web {
        Some(folder) => folder::file(folder, request).await,
        None => builtin::file(&path, &headers),
    };
    if let Some(file) = file {
        return file;
    }
    if !accepts_html(&headers) {
        return not_acceptable();
    }
    let shown = match preview::of(&api, peer, &path, &headers).await {
        Ok(shown) => shown,
        Err(problem) => return problem.into_response(),
    };
    match &api.config.web {
        Some(folder) => match folder::index(folder).await {
            Some(html) => index::respond(&html, &shown, index::FOREIGN_POLICY),
            None => missing_index(),
        },
        None => match builtin::index() {
            Some(html) => index::respond(html, &shown, index::OWN_POLICY),
            None => missing_index(),
        },
    }
}

fn missing_index() -> Response {
    Problem::not_found("There is no index.html to show").into_response()
}

fn not_acceptable() -> Response {
    Problem::new(StatusCode::NOT_ACCEPTABLE, "Not Acceptable").into_response()
}

fn accepts_html(headers: &HeaderMap) -> bool {
    let Some(accept) = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()) else {
        return true;
    };
    accept.split(',').any(|range| {
        let media_type = range.split(';').next().unwrap_or_default().trim();
        matches!(media_type, "text/html" | "text/*" | "*/*" | "application/xhtml+xml")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_takes_html_gets_the_page() {
        let accepting = |value: &str| {
            accepts_html(&HeaderMap::from_iter([(header::ACCEPT, value.parse().unwrap())]))
        };
        assert!(accepts_html(&HeaderMap::new()));
        assert!(accepting("text/html,application/xml;q=0.9"));
        assert!(accepting("*/*"));
        assert!(!accepting("application/json"));
    }
}
