//! A map's answer made of finished sheets: sent one after the other, plain or compressed, never copied.
//!
//! Each sheet is compressed once by itself, as blocks of one gzip stream (RFC 1951 and 1952) that end on a
//! whole byte, so that sheets can be put one behind the other; the checksum of the whole is combined from
//! theirs. What stands between them are stored blocks of one letter.

use std::sync::{Arc, OnceLock};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use calotype_projections::search::Marker;
use chrono::NaiveDate;
use flate2::{Compress, Compression, Crc, FlushCompress, Status};

use crate::files::matches_any;
use crate::finished::takes_gzip;
use crate::json::Json;
use crate::problem::Problem;

/// About what one marker takes in the answer, in bytes.
const MARKER_BYTES: usize = 155;
/// What a sheet takes beside its bytes.
const SHEET_BYTES: usize = 256;
/// Shorter answers are sent as they are.
const GZIP_BYTES_MIN: usize = 1_024;
/// How hard sheets are pressed: fast, they are made while somebody waits.
const GZIP_LEVEL: u32 = 1;
/// Room for compressed bytes that is added at once.
const PRESSED_STEP_BYTES: usize = 64 * 1024;
/// The head of a gzip stream: deflate, no name, no time, unknown system.
const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// An empty last block.
const GZIP_LAST: [u8; 2] = [0x03, 0x00];

/// A month's markers as JSON, without the brackets around.
pub(super) struct FinishedSheet {
    pub(super) month: NaiveDate,
    pub(super) digest: i64,
    plain: Bytes,
    pressed: OnceLock<Pressed>,
}

struct Pressed {
    bytes: Bytes,
    crc: Crc,
}

impl FinishedSheet {
    pub(super) fn new(month: NaiveDate, digest: i64, markers: &[Marker]) -> Self {
        let mut json = Json::with_capacity(markers.len() * MARKER_BYTES);
        for (index, marker) in markers.iter().enumerate() {
            json.raw(if index == 0 { "{\"id\":" } else { ",{\"id\":" });
            json.uuid(marker.asset_id);
            json.raw(",\"lat\":");
            json.number(marker.latitude);
            json.raw(",\"lon\":");
            json.number(marker.longitude);
            for (name, word) in [
                (",\"city\":", &marker.city),
                (",\"state\":", &marker.state),
                (",\"country\":", &marker.country),
            ] {
                json.raw(name);
                match word {
                    Some(word) => json.text(word),
                    None => json.null(),
                }
            }
            json.raw("}");
        }
        json.0.shrink_to_fit();
        Self { month, digest, plain: json.0.into(), pressed: OnceLock::new() }
    }

    /// Markers that the projection keeps no digest of.
    fn of(month: NaiveDate, markers: &[Marker]) -> Self {
        let mut sheet = Self::new(month, 0, markers);
        let digest = blake3::hash(&sheet.plain);
        let (first, _) = digest.as_bytes().split_first_chunk().unwrap_or((&[0; 8], &[]));
        sheet.digest = i64::from_le_bytes(*first);
        sheet
    }

    fn pressed(&self) -> &Pressed {
        self.pressed
            .get_or_init(|| Pressed { bytes: press(&self.plain).into(), crc: crc(&self.plain) })
    }
}

/// A person's whole map.
pub(super) struct FinishedMap {
    /// The newest first.
    sheets: Vec<Arc<FinishedSheet>>,
    pub(super) etag: String,
}

impl FinishedMap {
    pub(super) fn new(mut sheets: Vec<Arc<FinishedSheet>>) -> Self {
        let mut hasher = blake3::Hasher::new();
        for sheet in &sheets {
            hasher.update(sheet.month.to_string().as_bytes());
            hasher.update(&sheet.digest.to_le_bytes());
            hasher.update(&sheet.plain.len().to_le_bytes());
        }
        let digest = hasher.finalize().to_hex();
        let length: usize = sheets.iter().map(|sheet| sheet.plain.len()).sum();
        let etag = format!("\"{length:x}-{}\"", digest.get(..27).unwrap_or_default());
        sheets.sort_unstable_by_key(|sheet| std::cmp::Reverse(sheet.month));
        Self { sheets, etag }
    }

    /// Markers that the projection keeps no sheets of, on one.
    ///
    /// # Errors
    /// 500 when it cannot be made.
    pub(super) async fn of(markers: Vec<Marker>) -> Result<Self, Problem> {
        let month = markers.first().map(|marker| marker.month).unwrap_or_default();
        tokio::task::spawn_blocking(move || {
            Self::new(vec![FinishedSheet::of(month, &markers).into()])
        })
        .await
        .map_err(|error| Problem::internal(&error))
    }

    pub(super) fn sheet(&self, month: NaiveDate) -> Option<Arc<FinishedSheet>> {
        self.sheets
            .binary_search_by_key(&std::cmp::Reverse(month), |sheet| std::cmp::Reverse(sheet.month))
            .ok()
            .and_then(|index| self.sheets.get(index))
            .cloned()
    }

    /// Plain bytes, and a fifth of them for the compressed ones.
    pub(super) fn weight_bytes(&self) -> usize {
        let plain: usize = self.sheets.iter().map(|sheet| sheet.plain.len()).sum();
        plain + plain / 5 + self.sheets.len() * SHEET_BYTES
    }
}

/// Sends maps as one list: 304 when the client has it, compressed when the client takes that.
///
/// # Errors
/// 500 when the sheets cannot be compressed.
pub(super) async fn answer(
    maps: &[Arc<FinishedMap>],
    request: &HeaderMap,
) -> Result<Response, Problem> {
    let etag = match maps {
        [one] => one.etag.clone(),
        many => {
            let tags: Vec<&str> = many.iter().map(|map| map.etag.as_str()).collect();
            let digest = blake3::hash(tags.concat().as_bytes()).to_hex();
            format!("\"{}\"", digest.get(..32).unwrap_or_default())
        }
    };
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    let value = HeaderValue::from_str(&etag).map_err(|error| Problem::internal(&error))?;
    headers.insert(header::ETAG, value);
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    let text = |name| request.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let anew = text(header::CACHE_CONTROL).is_some_and(|line| line.contains("no-cache"));
    if !anew && text(header::IF_NONE_MATCH).is_some_and(|line| matches_any(line, &etag)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    headers
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    let sheets: Vec<Arc<FinishedSheet>> = maps
        .iter()
        .flat_map(|map| map.sheets.iter().filter(|sheet| !sheet.plain.is_empty()).cloned())
        .collect();
    let length: usize = sheets.iter().map(|sheet| sheet.plain.len()).sum();
    let parts = if length >= GZIP_BYTES_MIN && takes_gzip(request) {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        tokio::task::spawn_blocking(move || pressed(&sheets))
            .await
            .map_err(|error| Problem::internal(&error))?
    } else {
        plain(&sheets)
    };
    let length: usize = parts.iter().map(Bytes::len).sum();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    let parts = parts.into_iter().map(Ok::<Bytes, std::convert::Infallible>);
    *response.body_mut() = Body::from_stream(futures::stream::iter(parts));
    Ok(response)
}

/// The list in parts.
fn plain(sheets: &[Arc<FinishedSheet>]) -> Vec<Bytes> {
    let mut parts = Vec::with_capacity(2 * sheets.len() + 2);
    parts.push(Bytes::from_static(b"["));
    for (index, sheet) in sheets.iter().enumerate() {
        if index > 0 {
            parts.push(Bytes::from_static(b","));
        }
        parts.push(sheet.plain.clone());
    }
    parts.push(Bytes::from_static(b"]"));
    parts
}

/// The list in parts of one gzip stream.
fn pressed(sheets: &[Arc<FinishedSheet>]) -> Vec<Bytes> {
    let mut parts = Vec::with_capacity(2 * sheets.len() + 4);
    let mut whole = Crc::new();
    let letter = |parts: &mut Vec<Bytes>, whole: &mut Crc, letter: u8| {
        parts.push(stored(letter));
        whole.update(&[letter]);
    };
    parts.push(Bytes::from_static(&GZIP_HEAD));
    letter(&mut parts, &mut whole, b'[');
    for (index, sheet) in sheets.iter().enumerate() {
        if index > 0 {
            letter(&mut parts, &mut whole, b',');
        }
        let pressed = sheet.pressed();
        parts.push(pressed.bytes.clone());
        whole.combine(&pressed.crc);
    }
    letter(&mut parts, &mut whole, b']');
    let mut tail = GZIP_LAST.to_vec();
    tail.extend(whole.sum().to_le_bytes());
    tail.extend(whole.amount().to_le_bytes());
    parts.push(tail.into());
    parts
}

/// A stored block of one letter: not the last, length 1, its complement.
fn stored(letter: u8) -> Bytes {
    Bytes::copy_from_slice(&[0, 1, 0, 0xfe, 0xff, letter])
}

/// Raw blocks that end on a whole byte.
fn press(plain: &[u8]) -> Vec<u8> {
    let mut deflate = Compress::new(Compression::new(GZIP_LEVEL), false);
    let mut pressed = Vec::with_capacity(plain.len() / 4 + PRESSED_STEP_BYTES);
    loop {
        let taken = usize::try_from(deflate.total_in()).unwrap_or(plain.len());
        let rest = plain.get(taken..).unwrap_or_default();
        pressed.reserve(PRESSED_STEP_BYTES);
        let status = deflate.compress_vec(rest, &mut pressed, FlushCompress::Full);
        let taken = usize::try_from(deflate.total_in()).unwrap_or(plain.len());
        let is_written = pressed.len() < pressed.capacity();
        if !matches!(status, Ok(Status::Ok)) || (taken >= plain.len() && is_written) {
            break;
        }
    }
    pressed.shrink_to_fit();
    pressed
}

fn crc(plain: &[u8]) -> Crc {
    let mut crc = Crc::new();
    crc.update(plain);
    crc
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use uuid::Uuid;

    use super::*;

    fn sheet(month: &str, count: u128) -> Arc<FinishedSheet> {
        let month: NaiveDate = month.parse().unwrap();
        let markers: Vec<Marker> = (0..count)
            .map(|number| Marker {
                month,
                asset_id: Uuid::from_u128(number * 7_919),
                latitude: 39.115,
                longitude: -108.400_968,
                city: Some("Palisade".into()),
                state: Some("Colorado".into()),
                country: Some("United States of America".into()),
            })
            .collect();
        Arc::new(FinishedSheet::new(month, 1, &markers))
    }

    #[test]
    fn marker_is_written_as_immich_writes_it() {
        let one = sheet("2022-01-01", 1);
        let recorded = concat!(
            r#"{"id":"00000000-0000-0000-0000-000000000000","lat":39.115,"lon":-108.400968,"#,
            r#""city":"Palisade","state":"Colorado","country":"United States of America"}"#,
        );
        assert_eq!(one.plain, recorded.as_bytes());
    }

    #[test]
    fn sheets_make_one_list_plain_and_compressed() {
        for counts in [&[][..], &[1], &[3, 1], &[20_000, 1, 700]] {
            let sheets: Vec<_> = counts.iter().map(|count| sheet("2022-01-01", *count)).collect();
            let plain = plain(&sheets).concat();
            let list: Vec<serde_json::Value> = serde_json::from_slice(&plain).unwrap();
            let count: u128 = counts.iter().sum();
            assert_eq!(u128::try_from(list.len()).unwrap(), count);
            let mut unpacked = Vec::new();
            let pressed = pressed(&sheets).concat();
            flate2::read::GzDecoder::new(&pressed[..]).read_to_end(&mut unpacked).unwrap();
            assert_eq!(unpacked, plain);
        }
    }
}
