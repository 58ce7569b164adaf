//! The page as an answer, with what previews of shared links need; 404 for a link that opens nothing.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::preview::Shown;

/// What the built-in page may load: its own files and nothing else.
pub(super) const OWN_POLICY: &str = "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; \
     style-src 'self'; script-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'self'; \
     form-action 'self'; frame-ancestors 'none'";
/// What is kept from a foreign client: it brings scripts, maps and workers of its own.
pub(super) const FOREIGN_POLICY: &str =
    "object-src 'none'; base-uri 'self'; frame-ancestors 'self'";

/// The page, with what a preview shows.
pub(super) fn respond(html: &str, shown: &Shown, policy: &'static str) -> Response {
    let (status, body) = match shown {
        Shown::Page => (StatusCode::OK, html.to_owned()),
        Shown::NoLink => (StatusCode::NOT_FOUND, html.to_owned()),
        Shown::Link(preview) => {
            let head = format!("{}</head>", preview.tags());
            (StatusCode::OK, html.replacen("</head>", &head, 1))
        }
    };
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    (status, headers, body).into_response()
}
