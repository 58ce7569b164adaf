//! The page as an answer, with what previews of shared links need.

use axum::http::header;
use axum::response::{IntoResponse, Response};

/// What the built-in page may load: its own files and nothing else.
pub(super) const OWN_POLICY: &str = "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; \
     style-src 'self'; script-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'self'; \
     form-action 'self'; frame-ancestors 'none'";
/// What is kept from a foreign client: it brings scripts, maps and workers of its own.
pub(super) const FOREIGN_POLICY: &str =
    "object-src 'none'; base-uri 'self'; frame-ancestors 'self'";

/// What previews of shared links show; they name neither the album nor its owner.
const PREVIEW: &str = "<meta property=\"og:type\" content=\"website\">\
     <meta property=\"og:title\" content=\"Shared photos\">\
     <meta property=\"og:description\" content=\"Somebody shared photos with you.\">\
     <meta name=\"twitter:card\" content=\"summary\">";

/// The page for a path.
pub(super) fn respond(html: &str, path: &str, policy: &'static str) -> Response {
    let body = if is_shared_link(path) {
        html.replacen("</head>", &format!("{PREVIEW}</head>"), 1)
    } else {
        html.to_owned()
    };
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    (headers, body).into_response()
}

fn is_shared_link(path: &str) -> bool {
    ["/share/", "/s/"]
        .into_iter()
        .filter_map(|prefix| path.strip_prefix(prefix))
        .any(|rest| !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_links_are_told_from_other_pages() {
        assert!(is_shared_link("/share/abc"));
        assert!(is_shared_link("/s/holidays"));
        assert!(!is_shared_link("/s/"));
        assert!(!is_shared_link("/photos"));
    }
}
