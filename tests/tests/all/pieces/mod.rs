//! Files that come in pieces, in the words of tus 1.0.

mod crashes;
mod protocol;
mod rights;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use calotype_tests::jpeg::with_comment;
use calotype_tests::media::media;
use calotype_tests::{Answer, Client};
use reqwest::{Method, RequestBuilder};

/// Where uploads begin.
const UPLOADS: &str = "/api/calotype/uploads";
/// What pieces are sent as.
const PIECE: &str = "application/offset+octet-stream";

/// A photo of about this many bytes that no other number has: what follows a picture's end is no part of it.
fn photo(number: u32, padding_bytes: usize) -> anyhow::Result<Vec<u8>> {
    let bytes = std::fs::read(media("photos/edge/rating_1.jpg")?)?;
    let mut photo = with_comment(&bytes, &format!("in pieces {number}"));
    photo.resize(photo.len() + padding_bytes, 7);
    Ok(photo)
}

/// `Upload-Metadata` of these pairs.
fn metadata(pairs: &[(&str, &str)]) -> String {
    let pair = |(key, value): &(&str, &str)| format!("{key} {}", STANDARD.encode(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join(",")
}

/// A request in the words of tus.
fn tus(client: &Client, method: Method, path: &str) -> RequestBuilder {
    client.request(method, path).header("tus-resumable", "1.0.0")
}

fn beginning(client: &Client, length: usize, said: &str) -> RequestBuilder {
    tus(client, Method::POST, UPLOADS)
        .header("upload-length", length)
        .header("upload-metadata", said)
}

/// Begins an upload; says where it goes on.
async fn begin(client: &Client, length: usize, said: &str) -> anyhow::Result<String> {
    let begun = client.send(beginning(client, length, said)).await?.expect(201)?;
    let place = begun.header("location").to_owned();
    Ok(Some(place).filter(|place| !place.is_empty()).context("no location")?)
}

fn piece(client: &Client, place: &str, offset: usize, bytes: &[u8]) -> RequestBuilder {
    tus(client, Method::PATCH, place)
        .header("content-type", PIECE)
        .header("upload-offset", offset)
        .body(bytes.to_vec())
}

async fn append(
    client: &Client,
    place: &str,
    offset: usize,
    bytes: &[u8],
) -> anyhow::Result<Answer> {
    client.send(piece(client, place, offset, bytes)).await
}

/// How much of an upload the server says is there.
async fn offset(client: &Client, place: &str) -> anyhow::Result<usize> {
    let told = client.send(tus(client, Method::HEAD, place)).await?.expect(200)?;
    told.header("upload-offset").parse().context("no offset")
}
