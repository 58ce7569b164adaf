//! Reading an upload's form: files go to the blob store as they come, fields are gathered. Nothing is visible yet.

use std::io;

use axum::extract::Multipart;
use axum::extract::multipart::Field;
use axum::http::{StatusCode, header};
use calotype_media::blob::{BlobError, StagedBlob};
use calotype_media::kind::Family;
use serde_json::{Map, Value};

use super::names;
use super::pace::Pace;
use crate::problem::Problem;
use crate::state::Api;

/// The largest file taken, 64 GiB.
pub(crate) const UPLOAD_BYTES_MAX: u64 = 64 * 1024 * 1024 * 1024;
/// The largest sidecar taken, 16 MiB.
const SIDECAR_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// The largest text field.
const FIELD_BYTES_MAX: usize = 1024 * 1024;
/// The most parts in a form.
const PARTS_MAX: usize = 100;
/// What an upload's form held.
#[derive(Default)]
pub(super) struct Received {
    /// The picture or film.
    pub(super) original: Option<StagedBlob>,
    /// The name its part carried, cleaned.
    pub(super) part_name: String,
    /// An XMP file beside it.
    pub(super) sidecar: Option<StagedBlob>,
    /// The text fields.
    pub(super) fields: Map<String, Value>,
}

/// Reads the whole form. `room_bytes` is what the quota leaves for the file.
///
/// # Errors
/// 400 for what the form should not hold, 408 for a client that fell silent or drips, 413 for too much,
/// 507 when the disk is full. Then nothing is kept.
pub(super) async fn receive(
    api: &Api,
    parts: &mut Multipart,
    room_bytes: Option<u64>,
) -> Result<Received, Problem> {
    let mut received = Received::default();
    let mut count = 0;
    let mut pace = Pace::default();
    while let Some(part) = pace.part(parts).await? {
        count += 1;
        if count > PARTS_MAX {
            return Err(Problem::bad_request("Too many parts"));
        }
        let name = part.name().unwrap_or_default().to_owned();
        let file_name = part
            .headers()
            .get(header::CONTENT_DISPOSITION)
            .and_then(|value| names::of_part(value.as_bytes()));
        match (name.as_str(), file_name) {
            ("assetData", Some(file_name)) => {
                if received.original.is_some() {
                    return Err(Problem::bad_request("Unexpected field"));
                }
                received.part_name = names::clean(&file_name);
                let told = received.fields.get("filename").and_then(Value::as_str);
                let deciding = told.map_or_else(|| received.part_name.clone(), names::clean);
                match names::file_type(&deciding).map(|it| it.family) {
                    Some(Family::Image | Family::Video) => {}
                    Some(Family::Sidecar) | None => return Err(unsupported(&deciding)),
                }
                let original = store(api, part, &mut pace, UPLOAD_BYTES_MAX, room_bytes).await?;
                received.original = Some(original);
            }
            ("sidecarData", Some(file_name)) => {
                let file_name = names::clean(&file_name);
                if received.sidecar.is_some() {
                    return Err(Problem::bad_request("Unexpected field"));
                }
                if names::file_type(&file_name).map(|it| it.family) != Some(Family::Sidecar) {
                    return Err(unsupported(&file_name));
                }
                let sidecar = store(api, part, &mut pace, SIDECAR_BYTES_MAX, None).await?;
                // Some clients send the part although there is nothing in it.
                received.sidecar = Some(sidecar).filter(|sidecar| sidecar.size_bytes > 0);
            }
            // Another file is read past.
            (_, Some(_)) => {
                let mut part = part;
                while pace.chunk(&mut part).await?.is_some() {}
            }
            (_, None) => {
                let value = text(part, &mut pace).await?;
                received.fields.insert(name, Value::String(value));
            }
        }
    }
    Ok(received)
}

fn unsupported(file_name: &str) -> Problem {
    Problem::bad_request(format!("Unsupported file type {file_name}"))
}

/// Writes a part to the blob store while it is read.
async fn store(
    api: &Api,
    mut part: Field<'_>,
    pace: &mut Pace,
    bytes_max: u64,
    room_bytes: Option<u64>,
) -> Result<StagedBlob, Problem> {
    let mut writer = api.blobs.begin().await.map_err(|error| storage(&error))?;
    let mut size_bytes: u64 = 0;
    while let Some(chunk) = pace.chunk(&mut part).await? {
        size_bytes += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        if size_bytes > bytes_max {
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "File too large"));
        }
        if room_bytes.is_some_and(|room| size_bytes > room) {
            return Err(Problem::bad_request("Quota has been exceeded!"));
        }
        writer.write(&chunk).await.map_err(|error| storage(&error))?;
    }
    writer.finish().await.map_err(|error| storage(&error))
}

async fn text(mut part: Field<'_>, pace: &mut Pace) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = pace.chunk(&mut part).await? {
        if bytes.len() + chunk.len() > FIELD_BYTES_MAX {
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "Field value too long"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What a client hears when the disk refuses.
pub(crate) fn storage(error: &BlobError) -> Problem {
    let full = |source: &io::Error| {
        matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    };
    match error {
        BlobError::Write { source } | BlobError::Commit { source, .. } if full(source) => {
            tracing::error!(error = error as &dyn std::error::Error, "the disk is full");
            no_space()
        }
        _ => Problem::internal(error),
    }
}

/// 507, nothing was kept.
pub(crate) fn no_space() -> Problem {
    Problem::new(
        StatusCode::INSUFFICIENT_STORAGE,
        "Not enough free space on the server, the file was not stored",
    )
}
