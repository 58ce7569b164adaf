//! A page of found assets put together of finished pieces, as [`SearchResponseDto`] would be written.
//!
//! [`SearchResponseDto`]: super::dto::SearchResponseDto

use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;

use crate::json::Json;

/// Room for what stands around the pieces.
const AROUND_BYTES: usize = 512;

/// The page as an answer.
pub(super) fn answer(
    pieces: &[Bytes],
    next_page: Option<&str>,
    next_cursor: Option<&str>,
) -> Response {
    let json = write(pieces, next_page, next_cursor);
    ([(header::CONTENT_TYPE, "application/json")], json).into_response()
}

fn write(pieces: &[Bytes], next_page: Option<&str>, next_cursor: Option<&str>) -> Vec<u8> {
    let length: usize = pieces.iter().map(|piece| piece.len() + 1).sum();
    let mut json = Json::with_capacity(length + AROUND_BYTES);
    let count = i64::try_from(pieces.len()).unwrap_or(i64::MAX);
    json.raw(r#"{"albums":{"total":0,"count":0,"items":[],"facets":[]},"assets":{"total":"#);
    json.integer(count);
    json.raw(r#","count":"#);
    json.integer(count);
    json.raw(r#","items":["#);
    for (index, piece) in pieces.iter().enumerate() {
        if index > 0 {
            json.raw(",");
        }
        json.0.extend_from_slice(piece);
    }
    json.raw(r#"],"facets":[],"nextPage":"#);
    for (name, word) in [("", next_page), (r#","nextCursor":"#, next_cursor)] {
        json.raw(name);
        match word {
            Some(word) => json.text(word),
            None => json.null(),
        }
    }
    json.raw("}}");
    json.0
}

#[cfg(test)]
mod tests {
    use super::super::dto::{FoundAssetDto, SearchResponseDto};
    use super::*;
    use crate::assets::dto::AssetResponseDto;
    use crate::assets::dto::tests::row;

    #[test]
    fn page_is_written_as_its_description_would_be() {
        for (count, next) in [(0, None), (1, None), (3, Some("a\"b"))] {
            let shown = || AssetResponseDto::listed(row(), true);
            let pieces: Vec<Bytes> =
                (0..count).map(|_| serde_json::to_vec(&shown()).unwrap().into()).collect();
            let items = (0..count).map(|_| FoundAssetDto::open(shown())).collect();
            let next_owned = next.map(str::to_owned);
            let described = SearchResponseDto::of(items, next_owned.clone(), next_owned);
            let described = serde_json::to_string(&described).unwrap();
            assert_eq!(String::from_utf8(write(&pieces, next, next)).unwrap(), described);
        }
    }
}
