//! How parent and child talk: a JSON part and a bytes part, each with its length before it.
//!
//! Encoded pictures come back through the pipe instead of through files: half a megabyte costs
//! 0.1 ms there, and a child that needs no file to write to can be forbidden to write any.

use std::{io, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::{DecodeError, Report, Want};
use crate::{
    image::{CropWish, Derived, Picture},
    limits::{FRAME_BLOB_BYTES_MAX, FRAME_JSON_BYTES_MAX},
    metadata::Facts,
};

/// Bytes before each message: length of the JSON part, then of the bytes part, little-endian.
pub(super) const HEADER_BYTES: usize = 8;

/// What the child says before its first job.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Hello {
    /// Whether the seccomp filter is in force; some containers refuse it.
    pub(super) filtered: bool,
}

/// A question to the child.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// Open a file.
    File { source: PathBuf, sidecar: Option<PathBuf>, want: Want },
    /// Cut a square out of a picture.
    Crop { source: PathBuf, wish: CropWish },
    /// Make pictures of the raw frame in the bytes part; complete the facts from the film itself.
    Frame { facts: Box<Facts>, film: Option<PathBuf>, sidecar: Option<PathBuf>, want: Want },
}

/// The child's answer; the bytes part holds thumbnail, then preview, or what was cut out.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    Report { facts: Box<Facts>, images: Option<Result<Pictures, DecodeError>> },
    Film { mime: String },
    Cut { width: u32, height: u32 },
    Failed(DecodeError),
}

/// Sizes of the pictures in the bytes part.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Pictures {
    thumbnail: (u32, u32, usize),
    preview: (u32, u32, usize),
    thumbhash: Vec<u8>,
}

/// Lengths of the two parts of a message, checked.
pub(super) fn lengths(header: [u8; HEADER_BYTES]) -> io::Result<(usize, usize)> {
    let [a, b, c, d, e, f, g, h] = header;
    let json = usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(usize::MAX);
    let blob = usize::try_from(u32::from_le_bytes([e, f, g, h])).unwrap_or(usize::MAX);
    if json > FRAME_JSON_BYTES_MAX || blob > FRAME_BLOB_BYTES_MAX {
        return Err(io::Error::other("message is longer than allowed"));
    }
    Ok((json, blob))
}

/// Header and JSON part of a message whose bytes part has the given length.
pub(super) fn head(message: &impl Serialize, blob_bytes: usize) -> io::Result<Vec<u8>> {
    let json = serde_json::to_vec(message)?;
    let length = |bytes: usize| u32::try_from(bytes).map_err(io::Error::other);
    let mut head = Vec::with_capacity(HEADER_BYTES + json.len());
    head.extend(length(json.len())?.to_le_bytes());
    head.extend(length(blob_bytes)?.to_le_bytes());
    head.extend(json);
    Ok(head)
}

/// Splits a report into an answer and the bytes behind it.
pub(super) fn pack(report: Report) -> (Answer, Vec<u8>) {
    let mut blob = Vec::new();
    let images = report.images.map(|images| {
        images.map(|derived| {
            let Derived { thumbnail, preview, thumbhash } = derived;
            let sizes = |it: &Picture| (it.width, it.height, it.bytes.len());
            let pictures =
                Pictures { thumbnail: sizes(&thumbnail), preview: sizes(&preview), thumbhash };
            blob = thumbnail.bytes;
            blob.extend_from_slice(&preview.bytes);
            pictures
        })
    });
    (Answer::Report { facts: Box::new(report.facts), images }, blob)
}

/// Puts the pictures of an answer together again. `None` when the lengths do not fit.
pub(super) fn unpack(pictures: Pictures, mut blob: Vec<u8>) -> Option<Derived> {
    let (width, height, bytes) = pictures.thumbnail;
    if bytes > blob.len() || blob.len() - bytes != pictures.preview.2 {
        return None;
    }
    let preview = blob.split_off(bytes);
    let thumbnail = Picture { width, height, bytes: blob };
    let (width, height, _) = pictures.preview;
    let preview = Picture { width, height, bytes: preview };
    Some(Derived { thumbnail, preview, thumbhash: pictures.thumbhash })
}
