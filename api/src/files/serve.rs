//! One blob as an answer: validators, 304, 206, 416, and the bytes, small files in one piece and large ones in chunks.
//!
//! Opening, asking for size and time, and reading a small file happen in one hop to the blocking pool.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::time::SystemTime;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse as _;
use calotype_media::blob::{Area, BlobKey, BlobStore, Location, RemoteBlob, is_whole};
use calotype_media::decoder::DecoderPool;
use calotype_media::strip::Stripped;
use chrono::{DateTime, Utc};
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;

use super::bare::open_bare;
use super::pump::pumped;
use super::range::{Wanted, parse};
use crate::problem::Problem;

/// Files up to this size are read in one go.
const WHOLE_BYTES_MAX: u64 = 256 * 1024;
/// Larger ones are sent in pieces of this size.
const CHUNK_BYTES: usize = 256 * 1024;
/// How long clients keep a file of an asset, in Immich's words.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static(
    "private, max-age=86400, no-transform, stale-while-revalidate=2592000, stale-if-error=2592000",
);

/// What to serve and under which name.
pub(crate) struct Served<'a> {
    /// The blob.
    pub(crate) key: &'a str,
    /// Its type.
    pub(crate) mime: &'a str,
    /// The name it is saved under.
    pub(crate) file_name: &'a str,
    /// When it was last changed, where that is not the blob's own time.
    pub(crate) modified: Option<DateTime<Utc>>,
    /// Leaves out what the file says about itself, by a decoder for the files of its owner; what cannot be told
    /// apart is not served.
    pub(crate) bare: Option<DecoderPool>,
}

/// An opened blob; small ones are read already.
struct Opened {
    size_bytes: u64,
    modified: DateTime<Utc>,
    content: Content,
}

enum Content {
    Read(Vec<u8>),
    File(File),
    Remote(RemoteBlob),
    Stripped(Stripped),
}

/// Answers with a blob; `None` when there is none under the key, or only a piece of a picture that was made, or
/// none that says nothing about itself.
///
/// # Errors
/// 500 when the key is no key or the disk refuses, 503 when the bucket is out of reach.
pub(crate) async fn serve(
    blobs: &BlobStore,
    served: Served<'_>,
    request: &HeaderMap,
) -> Result<Option<Response<Body>>, Problem> {
    let lies = Location::parse(served.key).map_err(|error| Problem::internal(&error))?;
    let opened = match &served.bare {
        Some(decoders) => bare(blobs, decoders, served.key).await?,
        None => open(blobs, &lies).await?,
    };
    let Some(opened) = opened else { return Ok(None) };
    // When the file was made is one of the things that it says.
    let told = served.modified.filter(|_| served.bare.is_none());
    let modified = told.unwrap_or(opened.modified);
    let bare = if served.bare.is_some() { "-bare" } else { "" };
    let etag = format!("W/\"{:x}-{:x}{bare}\"", opened.size_bytes, modified.timestamp_millis());
    let last_modified = modified.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, CACHE_CONTROL);
    headers.insert(header::CONTENT_TYPE, value(served.mime)?);
    headers.insert(header::CONTENT_DISPOSITION, super::inline(served.file_name));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::LAST_MODIFIED, value(&last_modified)?);
    headers.insert(header::ETAG, value(&etag)?);
    if is_fresh(request, &etag, modified) {
        headers.remove(header::CONTENT_TYPE);
        headers.remove(header::CONTENT_DISPOSITION);
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(Some(response));
    }
    let wanted = match text(request, &header::RANGE) {
        Some(range) if range_holds(request, &etag, modified) => parse(range, opened.size_bytes),
        _ => Wanted::Whole,
    };
    let (status, first, length) = match wanted {
        Wanted::Whole => (StatusCode::OK, 0, opened.size_bytes),
        Wanted::Part { first, last } => {
            let range = format!("bytes {first}-{last}/{}", opened.size_bytes);
            headers.insert(header::CONTENT_RANGE, value(&range)?);
            (StatusCode::PARTIAL_CONTENT, first, last - first + 1)
        }
        Wanted::Unsatisfiable => {
            let mut refusal =
                Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "Range Not Satisfiable")
                    .into_response();
            let range = format!("bytes */{}", opened.size_bytes);
            refusal.headers_mut().insert(header::CONTENT_RANGE, value(&range)?);
            return Ok(Some(refusal));
        }
    };
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    *response.status_mut() = status;
    *response.body_mut() = body(opened, first, length);
    Ok(Some(response))
}

async fn open(blobs: &BlobStore, lies: &Location) -> Result<Option<Opened>, Problem> {
    let failed = |error: io::Error| Problem::internal(&error);
    if let Location::Stored(key) = lies
        && blobs.is_remote()
    {
        return open_remote(blobs, key).await;
    }
    let local = match lies {
        Location::Stored(key) => blobs.local_path(key).map(|path| (path, key.clone())),
        Location::External(_) => None,
    };
    let opened = if let Some((path, key)) = local {
        tokio::task::spawn_blocking(move || match File::open(path) {
            Ok(file) => read_if_whole(&key, file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
        .await
    } else {
        let file = blobs.open_at(lies).await.map_err(|error| Problem::internal(&error))?;
        let Some(file) = file else { return Ok(None) };
        let (file, _kept) = file.into_parts();
        tokio::task::spawn_blocking(move || read_small(file).map(Some)).await
    };
    opened.map_err(|error| Problem::internal(&error))?.map_err(failed)
}

/// A blob of the bucket; what is made of originals is there whole, or empty.
async fn open_remote(blobs: &BlobStore, key: &BlobKey) -> Result<Option<Opened>, Problem> {
    let found = blobs.open_remote(key).await.map_err(|error| Problem::internal(&error))?;
    let found = found.filter(|found| found.size_bytes > 0 || key.area() == Area::Library);
    Ok(found.map(|found| Opened {
        size_bytes: found.size_bytes,
        modified: found.modified.into(),
        content: Content::Remote(found),
    }))
}

async fn bare(
    blobs: &BlobStore,
    decoders: &DecoderPool,
    key: &str,
) -> Result<Option<Opened>, Problem> {
    let bare = open_bare(blobs, decoders, key).await.map_err(|error| Problem::internal(&error))?;
    Ok(bare.map(|bare| Opened {
        size_bytes: bare.length,
        modified: bare.modified,
        content: Content::Stripped(bare.reader),
    }))
}

fn read_if_whole(key: &BlobKey, mut file: File) -> io::Result<Option<Opened>> {
    if is_whole(key, &mut file)? { read_small(file).map(Some) } else { Ok(None) }
}

fn read_small(mut file: File) -> io::Result<Opened> {
    let found = file.metadata()?;
    let size_bytes = found.len();
    let modified = DateTime::<Utc>::from(found.modified().unwrap_or(SystemTime::UNIX_EPOCH));
    let content = if size_bytes <= WHOLE_BYTES_MAX {
        let mut bytes = vec![0; usize::try_from(size_bytes).unwrap_or_default()];
        file.read_exact(&mut bytes)?;
        Content::Read(bytes)
    } else {
        Content::File(file)
    };
    Ok(Opened { size_bytes, modified, content })
}

fn body(opened: Opened, first: u64, length: u64) -> Body {
    let mut file = match opened.content {
        Content::Read(bytes) => {
            let bytes = bytes::Bytes::from(bytes);
            let from = usize::try_from(first).unwrap_or_default().min(bytes.len());
            let to = usize::try_from(first + length).unwrap_or_default().clamp(from, bytes.len());
            return Body::from(bytes.slice(from..to));
        }
        Content::Stripped(mut stripped) => {
            return pumped(move |pump| {
                stripped.skip(first);
                io::copy(&mut stripped.take(length), pump).map(drop)
            });
        }
        Content::Remote(blob) => return Body::from_stream(blob.stream(first, length)),
        Content::File(file) => file,
    };
    // Setting the position of an open file does not touch the disk.
    if let Err(error) = file.seek(SeekFrom::Start(first)) {
        return Body::from_stream(futures::stream::once(async move {
            Err::<bytes::Bytes, io::Error>(error)
        }));
    }
    let reader = tokio::fs::File::from_std(file).take(length);
    Body::from_stream(ReaderStream::with_capacity(reader, CHUNK_BYTES))
}

/// Whether the client's copy is still right: RFC 9110, 13.2.2, with weak comparison.
fn is_fresh(request: &HeaderMap, etag: &str, modified: DateTime<Utc>) -> bool {
    if text(request, &header::CACHE_CONTROL).is_some_and(|line| line.contains("no-cache")) {
        return false;
    }
    if let Some(line) = text(request, &header::IF_NONE_MATCH) {
        return matches_any(line, etag);
    }
    text(request, &header::IF_MODIFIED_SINCE)
        .and_then(http_date)
        .is_some_and(|since| modified.timestamp() <= since.timestamp())
}

/// Whether a list of entity tags holds one, weakly compared.
pub(crate) fn matches_any(line: &str, etag: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let wanted = bare(etag);
    line.trim() == "*" || line.split(',').any(|tag| bare(tag) == wanted)
}

/// Whether a range may be answered: without `If-Range`, or when that names the file as it is.
fn range_holds(request: &HeaderMap, etag: &str, modified: DateTime<Utc>) -> bool {
    match text(request, &header::IF_RANGE) {
        None => true,
        Some(line) if line.contains('"') => matches_any(line, etag),
        Some(line) => {
            http_date(line).is_some_and(|since| modified.timestamp() <= since.timestamp())
        }
    }
}

fn http_date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text).ok().map(|date| date.with_timezone(&Utc))
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn value(text: &str) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(text).map_err(|error| Problem::internal(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    fn modified() -> DateTime<Utc> {
        "2024-01-02T03:04:05.500Z".parse().unwrap()
    }

    #[test]
    fn same_tag_is_fresh() {
        let etag = "W/\"cb09-18cc820d888\"";
        assert!(is_fresh(
            &asking(header::IF_NONE_MATCH, "\"x\", W/\"cb09-18cc820d888\""),
            etag,
            modified()
        ));
        assert!(is_fresh(&asking(header::IF_NONE_MATCH, "*"), etag, modified()));
        assert!(!is_fresh(&asking(header::IF_NONE_MATCH, "\"x\""), etag, modified()));
    }

    #[test]
    fn date_counts_in_whole_seconds() {
        let same = asking(header::IF_MODIFIED_SINCE, "Tue, 02 Jan 2024 03:04:05 GMT");
        let older = asking(header::IF_MODIFIED_SINCE, "Tue, 02 Jan 2024 03:04:04 GMT");
        assert!(is_fresh(&same, "W/\"x\"", modified()));
        assert!(!is_fresh(&older, "W/\"x\"", modified()));
    }

    #[test]
    fn range_of_another_version_is_not_answered() {
        assert!(range_holds(&HeaderMap::new(), "W/\"x\"", modified()));
        assert!(!range_holds(&asking(header::IF_RANGE, "\"y\""), "W/\"x\"", modified()));
    }

    #[tokio::test]
    async fn part_of_a_large_blob_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = BlobStore::open(folder.path()).await.unwrap();
        let key = BlobKey::encoded_video(uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(600_000).collect();
        blobs.put_derived(&key, bytes.clone().into()).await.unwrap();
        let served = || Served {
            key: key.as_str(),
            mime: "video/mp4",
            file_name: "a.mp4",
            modified: Some(modified()),
            bare: None,
        };
        let request = asking(header::RANGE, "bytes=100-499999");
        let response = serve(&blobs, served(), &request).await.unwrap().unwrap();
        assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
        assert_eq!(response.headers()[header::CONTENT_RANGE], "bytes 100-499999/600000");
        assert_eq!(response.headers()[header::ETAG], "W/\"927c0-18cc820da7c\"");
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        assert_eq!(body, bytes[100..500_000]);
        let request = asking(header::RANGE, "bytes=600000-");
        let response = serve(&blobs, served(), &request).await.unwrap().unwrap();
        assert_eq!(response.status(), StatusCode::RANGE_NOT_SATISFIABLE);
        assert_eq!(response.headers()[header::CONTENT_RANGE], "bytes */600000");
    }
}
