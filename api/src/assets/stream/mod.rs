//! Films streamed while they are encoded: playlists, segments, and the end of a session.

mod end_session;
mod get_main_playlist;
mod get_media_playlist;
mod get_segment;

pub(super) use end_session::{__path_end_session, end_session};
pub(super) use get_main_playlist::{__path_get_main_playlist, get_main_playlist};
pub(super) use get_media_playlist::{__path_get_media_playlist, get_media_playlist};
pub(super) use get_segment::{__path_get_segment, get_segment};

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use calotype_domain::permission::Permission;
use calotype_media::blob::{LocalFile, Location};
use calotype_media::hls::StreamError;
use uuid::Uuid;

use super::cache::{AssetFiles, allowed_files};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// The type of playlists.
const PLAYLIST: HeaderValue = HeaderValue::from_static("application/vnd.apple.mpegurl");
/// Both playlists and segments belong to a session that ends.
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
/// The largest whole number that JavaScript is sure of.
const SAFE_INTEGER_MAX: i64 = 9_007_199_254_740_991;
/// Seconds after which a player may try again.
const RETRY_AFTER_S: u32 = 5;
/// Words of a query that say who asks; players leave them out of the addresses in playlists.
const CREDENTIALS: [&str; 4] = ["apiKey", "key", "sessionKey", "slug"];

/// The film that the caller may watch, while administrators want films to be streamed.
///
/// # Errors
/// 400 without access, when nothing is streamed, and for a picture.
async fn film(api: &Api, caller: &Caller, id: Uuid) -> Result<Arc<AssetFiles>, Problem> {
    let files = allowed_files(api, caller, Permission::AssetView, id).await?;
    if !api.queries.settings().await?.is_on("ffmpeg.realtime.enabled") {
        return Err(Problem::bad_request("Real-time transcoding is not enabled"));
    }
    if !files.is_video {
        return Err(Problem::bad_request("Asset is not a video"));
    }
    Ok(files)
}

/// Where a film is read.
///
/// # Errors
/// 503 when its file is not there.
async fn source(api: &Api, files: &AssetFiles) -> Result<LocalFile, Problem> {
    let lies = Location::parse(&files.original_key).map_err(|error| Problem::internal(&error))?;
    let source = api.blobs.readable(&lies).await.map_err(|error| Problem::internal(&error))?;
    source.ok_or_else(Problem::unavailable)
}

/// The part of a query that says who asks.
fn credentials(query: Option<&str>) -> Option<String> {
    let kept: Vec<&str> = query?
        .split('&')
        .filter(|pair| pair.split_once('=').is_some_and(|(name, _)| CREDENTIALS.contains(&name)))
        .collect();
    (!kept.is_empty()).then(|| kept.join("&"))
}

/// A number in a path or a header, at least 0.
fn whole(name: &str, text: &str) -> Result<u64, Problem> {
    let mut fields = Fields::query(Some(&format!("{name}={text}")));
    let number = fields.integer(name, 0, SAFE_INTEGER_MAX);
    fields.finish()?;
    Ok(number.and_then(|number| u64::try_from(number).ok()).unwrap_or_default())
}

/// A header's text.
fn said<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn playlist(text: String) -> Response {
    ([(header::CONTENT_TYPE, PLAYLIST), (header::CACHE_CONTROL, NO_CACHE)], text).into_response()
}

fn problem(error: &StreamError) -> Problem {
    match error {
        StreamError::NotFound => Problem::not_found("Streaming session not found"),
        StreamError::NoFilm => Problem::bad_request("Video cannot be streamed"),
        StreamError::Busy => Problem::too_many("Too many videos are streamed", RETRY_AFTER_S),
        StreamError::NotMade | StreamError::Io(_) => Problem::internal(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_carry_who_asks_and_nothing_else() {
        assert_eq!(credentials(Some("c=1&key=a%2Fb&slug=x")).as_deref(), Some("key=a%2Fb&slug=x"));
        assert_eq!(credentials(Some("c=1")), None);
        assert_eq!(credentials(None), None);
    }

    #[test]
    fn numbers_are_whole_and_not_below_zero() {
        assert_eq!(whole("variantIndex", "3").unwrap(), 3);
        for text in ["-1", "x", "1.5"] {
            assert_eq!(whole("variantIndex", text).unwrap_err().status().as_u16(), 400, "{text}");
        }
    }
}
