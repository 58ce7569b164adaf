//! `/calotype`: the explorer, for who looks after the server. Its files lie below it and are the program's own, also
//! where another client takes the place of the first page, so that neither hides the other's.

use axum::http::HeaderMap;
use axum::response::Response;

use super::index::{self, OWN_POLICY};
use super::preview::Shown;
use super::{accepts_html, builtin, not_acceptable};

/// Where it lies.
const ROOT: &str = "/calotype";

/// What a path names below the explorer; nothing below it is the page itself.
pub(super) fn below(path: &str) -> Option<&str> {
    let rest = path.strip_prefix(ROOT)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

/// The page or one of its files, unless the path names none.
pub(super) fn answer(below: &str, headers: &HeaderMap) -> Option<Response> {
    if !below.is_empty() {
        return builtin::file(below, headers);
    }
    if !accepts_html(headers) {
        return Some(not_acceptable());
    }
    builtin::explorer().map(|html| index::respond(html, &Shown::Page, OWN_POLICY))
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    fn status(path: &str) -> Option<StatusCode> {
        let below = below(path)?;
        Some(answer(below, &HeaderMap::new()).map_or(StatusCode::NOT_FOUND, |found| found.status()))
    }

    #[test]
    fn the_page_has_two_addresses_and_its_files_lie_below() {
        for path in ["/calotype", "/calotype/", "/calotype/style.css", "/calotype/js/api.js"] {
            assert_eq!(status(path), Some(StatusCode::OK), "{path}");
        }
        assert_eq!(status("/calotype/photos"), Some(StatusCode::NOT_FOUND));
        assert_eq!(status("/calotype/calotype.html"), Some(StatusCode::NOT_FOUND));
    }

    #[test]
    fn other_paths_are_not_the_explorers() {
        for path in ["/", "/calotypes", "/photos/calotype", "/Calotype"] {
            assert_eq!(status(path), None, "{path}");
        }
    }
}
