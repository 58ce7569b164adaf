//! What every request and answer of tus has, and the headers it speaks in.

use axum::body::Body;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use calotype_commands::incoming::UploadRow;
use calotype_media::blob::PieceDigest;
use chrono::{DateTime, Utc};

use crate::problem::Problem;
use crate::state::Api;

/// The only version that is spoken.
const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
/// The version of a request or an answer.
const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
/// The versions that are spoken.
const VERSIONS: HeaderName = HeaderName::from_static("tus-version");
/// The length of a whole file in bytes.
pub(super) const LENGTH: HeaderName = HeaderName::from_static("upload-length");
/// Said by a client that does not know the length yet.
pub(super) const DEFER_LENGTH: HeaderName = HeaderName::from_static("upload-defer-length");
/// Bytes that have come.
pub(super) const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
/// What the client says of the file.
pub(super) const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
/// The digest of a piece.
const CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");
/// When an upload is forgotten.
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
/// The asset that a file became, or that had its bytes. Ours, not of tus.
const ASSET_ID: HeaderName = HeaderName::from_static("calotype-asset-id");
/// `created` or `duplicate`. Ours, not of tus.
const ASSET_STATUS: HeaderName = HeaderName::from_static("calotype-asset-status");
/// What pieces are sent as.
const PIECE_TYPE: &str = "application/offset+octet-stream";
/// A piece whose digest is another one.
const CHECKSUM_MISMATCH: u16 = 460;

/// A request of a client that speaks the same version. Those who may not ask at all hear that first.
pub(super) struct Spoken;

impl FromRequestParts<Api> for Spoken {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        if parts.headers.get(RESUMABLE) == Some(&VERSION) {
            return Ok(Self);
        }
        Err(Problem::new(StatusCode::PRECONDITION_FAILED, "Tus-Resumable must be 1.0.0 here"))
    }
}

/// The layer: every answer says which version is spoken.
pub(super) async fn speak(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.status() == StatusCode::PRECONDITION_FAILED {
        response.headers_mut().insert(VERSIONS, VERSION);
    }
    response.headers_mut().insert(RESUMABLE, VERSION);
    response
}

/// A number in a header; none where it is missing.
///
/// # Errors
/// 400 for what is no number.
pub(super) fn number(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let text = value.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = text.and_then(|text| text.parse().ok());
    number.map(Some).ok_or_else(|| Problem::bad_request(format!("Invalid {name}")))
}

/// Whether a body is a piece of a file.
pub(super) fn is_piece(headers: &HeaderMap) -> bool {
    let told = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    told.is_some_and(|told| told.trim().eq_ignore_ascii_case(PIECE_TYPE))
}

/// 415 for a body that is no piece.
pub(super) fn no_piece() -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("Content-Type must be {PIECE_TYPE}"))
}

/// What a client says the digest of a piece is.
pub(super) struct Checksum {
    /// Takes in what comes.
    pub(super) digest: PieceDigest,
    /// What it should be.
    pub(super) expected: Vec<u8>,
}

/// The digest of a piece, where one is told.
///
/// # Errors
/// 400 for an algorithm that is not known, and for what is no digest.
pub(super) fn checksum(headers: &HeaderMap) -> Result<Option<Checksum>, Problem> {
    let Some(value) = headers.get(CHECKSUM) else { return Ok(None) };
    let bad = || Problem::bad_request("Upload-Checksum must be sha1 or sha256 and a digest");
    let (name, digest) =
        value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(bad)?;
    let expected = STANDARD.decode(digest.trim()).map_err(|_| bad())?;
    let (digest, length) = match name {
        "sha1" => (PieceDigest::sha1(), 20),
        "sha256" => (PieceDigest::sha256(), 32),
        _ => return Err(bad()),
    };
    if expected.len() != length {
        return Err(bad());
    }
    Ok(Some(Checksum { digest, expected }))
}

/// 460 for a piece that is not what it was said to be.
pub(super) fn mismatch() -> Problem {
    let status = StatusCode::from_u16(CHECKSUM_MISMATCH).unwrap_or(StatusCode::BAD_REQUEST);
    Problem::new(status, "The piece has another digest")
}

/// An answer without a body that says how an upload stands.
pub(super) fn told(status: StatusCode, row: &UploadRow) -> Response {
    let mut response = (status, Body::empty()).into_response();
    let headers = response.headers_mut();
    headers.insert(OFFSET, row.offset_bytes.into());
    if let Ok(expires) = HeaderValue::from_str(&http_date(row.expires_at)) {
        headers.insert(EXPIRES, expires);
    }
    if let Some(asset_id) = row.asset_id
        && let Ok(asset_id) = HeaderValue::from_str(&asset_id.to_string())
    {
        headers.insert(ASSET_ID, asset_id);
        headers.insert(ASSET_STATUS, HeaderValue::from_static(became(row)));
    }
    response
}

/// What became of a file that is an asset.
pub(super) const fn became(row: &UploadRow) -> &'static str {
    if matches!(row.is_new, Some(true)) { "created" } else { "duplicate" }
}

/// As RFC 9110 (5.6.7) writes times.
fn http_date(at: DateTime<Utc>) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// What can be done here.
pub(super) fn abilities(bytes_max: u64) -> Response {
    let mut response = (StatusCode::NO_CONTENT, Body::empty()).into_response();
    let headers = response.headers_mut();
    headers.insert(VERSIONS, VERSION);
    headers.insert(HeaderName::from_static("tus-max-size"), bytes_max.into());
    headers.insert(
        HeaderName::from_static("tus-extension"),
        HeaderValue::from_static("creation,creation-with-upload,checksum,termination,expiration"),
    );
    headers.insert(
        HeaderName::from_static("tus-checksum-algorithm"),
        HeaderValue::from_static("sha1,sha256"),
    );
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name.clone(), value.parse().unwrap())])
    }

    #[test]
    fn numbers_are_digits_alone() {
        assert_eq!(number(&headers(&LENGTH, "42"), &LENGTH).unwrap(), Some(42));
        assert_eq!(number(&HeaderMap::new(), &LENGTH).unwrap(), None);
        for bad in ["", "-1", "+1", "1.5", "4 2", "99999999999999999999999"] {
            assert!(number(&headers(&LENGTH, bad), &LENGTH).is_err(), "{bad}");
        }
    }

    #[test]
    fn digests_are_of_known_kinds_and_lengths() {
        let sha1 = STANDARD.encode([1; 20]);
        let told = checksum(&headers(&CHECKSUM, &format!("sha1 {sha1}"))).unwrap().unwrap();
        assert_eq!(told.expected, [1; 20]);
        let sha256 = STANDARD.encode([1; 32]);
        for bad in [format!("md5 {sha1}"), format!("sha256 {sha1}"), format!("sha1{sha256}")] {
            assert!(checksum(&headers(&CHECKSUM, &bad)).is_err(), "{bad}");
        }
        assert_eq!(mismatch().status().as_u16(), CHECKSUM_MISMATCH);
    }

    #[test]
    fn times_are_as_http_writes_them() {
        let at = "1994-11-06T08:49:37Z".parse().unwrap();
        assert_eq!(http_date(at), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
