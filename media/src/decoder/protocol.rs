//! How parent and child talk: a JSON part and a bytes part, each with its length before it.
//!
//! Encoded pictures come back through the pipe instead of through files: half a megabyte costs
//! 0.1 ms there, and a child that needs no file to write to can be forbidden to write any.

use std::io;

use serde::{Deserialize, Serialize};

use super::{DecodeError, Report, Walls, Want};
use crate::{
    image::{CropWish, Derived, Picture, PixelsWish},
    limits::{FRAME_BLOB_BYTES_MAX, FRAME_JSON_BYTES_MAX},
    metadata::Facts,
    sidecar::SidecarWords,
};

/// Bytes before each message: length of the JSON part, then of the bytes part, little-endian.
pub(super) const HEADER_BYTES: usize = 8;

/// What the child says before its first job.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Hello {
    /// Whether the seccomp filter is in force; some containers refuse it.
    pub(super) filtered: bool,
    /// How much of Landlock is.
    pub(super) walls: Walls,
}

/// A question to the child. Its files are handed over with it, in the order of the fields.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// Read a file, which always comes, with the sidecar over it.
    File { has_sidecar: bool, want: Want },
    /// Cut a square out of a picture, which always comes.
    Crop { wish: CropWish },
    /// Tell the pixels of a picture, which always comes.
    Pixels { wish: PixelsWish },
    /// Put words into a sidecar, or into a new one.
    Sidecar { has_existing: bool, words: Box<SidecarWords> },
    /// Tell what to send of a file, which always comes, so that it says nothing about itself.
    Strip,
    /// Make pictures of the raw frame in the bytes part; complete the facts from the film itself.
    Frame { facts: Box<Facts>, has_film: bool, has_sidecar: bool, want: Want },
}

/// The child's answer; the bytes part holds thumbnail, then preview, then the picture at full size, or what was cut
/// out or written, or pixels.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    Report {
        facts: Box<Facts>,
        images: Option<Result<Pictures, DecodeError>>,
    },
    Film {
        mime: String,
    },
    Cut {
        width: u32,
        height: u32,
    },
    Written,
    /// The plan is in the bytes part, where there is one.
    Told {
        has_plan: bool,
    },
    Failed(DecodeError),
}

/// Sizes of the pictures in the bytes part.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Pictures {
    thumbnail: (u32, u32, usize),
    preview: (u32, u32, usize),
    full: Option<(u32, u32, usize)>,
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
            let Derived { thumbnail, preview, full, thumbhash } = derived;
            let sizes = |it: &Picture| (it.width, it.height, it.bytes.len());
            let pictures = Pictures {
                thumbnail: sizes(&thumbnail),
                preview: sizes(&preview),
                full: full.as_ref().map(sizes),
                thumbhash,
            };
            blob = thumbnail.bytes;
            blob.extend_from_slice(&preview.bytes);
            if let Some(full) = full {
                blob.extend_from_slice(&full.bytes);
            }
            pictures
        })
    });
    (Answer::Report { facts: Box::new(report.facts), images }, blob)
}

/// Puts the pictures of an answer together again. `None` when the lengths do not fit.
pub(super) fn unpack(pictures: Pictures, mut blob: Vec<u8>) -> Option<Derived> {
    let Pictures { thumbnail, preview, full, thumbhash } = pictures;
    let behind_thumbnail = thumbnail.2;
    let behind_preview = behind_thumbnail.checked_add(preview.2)?;
    if blob.len() != behind_preview.checked_add(full.map_or(0, |it| it.2))? {
        return None;
    }
    let picture = |(width, height, _), bytes| Picture { width, height, bytes };
    let full_bytes = blob.split_off(behind_preview);
    let preview_bytes = blob.split_off(behind_thumbnail);
    Some(Derived {
        thumbnail: picture(thumbnail, blob),
        preview: picture(preview, preview_bytes),
        full: full.map(|full| picture(full, full_bytes)),
        thumbhash,
    })
}
