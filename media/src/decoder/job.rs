//! One job, done in the child: one read, one decode, everything that is wanted.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::DecodeError;
use crate::{
    image::{self, CropWish, Derived, ImageWish, Orientation, Picture},
    kind::{Family, Sniffed, sniff},
    limits::{HEAD_BYTES, PICTURE_FILE_BYTES_MAX, SIDE_PX_MAX, XMP_BYTES_MAX},
    metadata::{self, Facts},
    video,
};

/// What to do with one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The file. Its name is not trusted to tell its type.
    pub source: PathBuf,
    /// An XMP file that says more about it, and is believed over it. A damaged one is passed over.
    pub sidecar: Option<PathBuf>,
    /// What is wanted.
    pub want: Want,
}

/// What is wanted of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Want {
    /// Facts beyond type and size.
    pub metadata: bool,
    /// Thumbnail, preview and thumbhash.
    pub images: Option<ImageWish>,
}

/// What came of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// What is known about the file.
    pub facts: Facts,
    /// The pictures, or why there are none. `None` when none were wanted.
    pub images: Option<Result<Derived, DecodeError>>,
}

/// What the child makes of a file: a report, or word that it is a film and thus not its work.
pub(super) enum Outcome {
    Picture(Box<Report>),
    Film { mime: &'static str },
    Cut(Picture),
}

/// Does a picture's job in this process, without limits: for tools and measurements only.
///
/// # Errors
/// [`DecodeError::Unsupported`] for films; otherwise as the decoders say.
pub fn process(job: &Job) -> Result<Report, DecodeError> {
    match work(&job.source, job.sidecar.as_deref(), job.want)? {
        Outcome::Picture(report) => Ok(*report),
        Outcome::Film { mime } => Err(DecodeError::Unsupported { what: mime.to_owned() }),
        Outcome::Cut(_) => Err(DecodeError::corrupt("nothing was to be cut out")),
    }
}

pub(super) fn work(
    source: &Path,
    sidecar: Option<&Path>,
    want: Want,
) -> Result<Outcome, DecodeError> {
    match read(source)? {
        Read::Picture { bytes, kind } => {
            Ok(Outcome::Picture(Box::new(picture(&bytes, kind, sidecar, want))))
        }
        Read::Film { mime } => Ok(Outcome::Film { mime }),
    }
}

/// A square cut out of a picture.
pub(super) fn crop(source: &Path, wish: CropWish) -> Result<Picture, DecodeError> {
    let (bytes, kind) = match read(source)? {
        Read::Picture { bytes, kind } => (bytes, kind),
        Read::Film { mime } => return Err(DecodeError::Unsupported { what: mime.to_owned() }),
    };
    let (blocks, facts) = metadata::gather(&bytes, kind);
    let orientation = Orientation::from_exif(facts.orientation.unwrap_or(1));
    // As large as it is: the box may be a small part of it.
    let whole = ImageWish { preview_px: SIDE_PX_MAX, ..ImageWish::default() };
    image::crop(image::decode(&bytes, kind, &blocks, orientation, whole)?, wish)
}

/// What a file turned out to be.
enum Read {
    Picture { bytes: Vec<u8>, kind: Sniffed },
    Film { mime: &'static str },
}

fn read(source: &Path) -> Result<Read, DecodeError> {
    let mut file = File::open(source).map_err(|error| unreadable(&error))?;
    let mut bytes = Vec::new();
    let head = u64::try_from(HEAD_BYTES).unwrap_or(u64::MAX);
    io::Read::by_ref(&mut file)
        .take(head)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(&error))?;
    if bytes.is_empty() {
        return Err(DecodeError::corrupt("file is empty"));
    }
    let kind = sniff(&bytes)
        .ok_or_else(|| DecodeError::Unsupported { what: "unknown kind of bytes".to_owned() })?;
    if kind.family() == Family::Video {
        return Ok(Read::Film { mime: kind.mime() });
    }
    let length = file.metadata().map_err(|error| unreadable(&error))?.len();
    if length > PICTURE_FILE_BYTES_MAX {
        return Err(DecodeError::TooLarge { what: format!("picture file of {length} bytes") });
    }
    bytes.reserve_exact(usize::try_from(length).unwrap_or(0).saturating_sub(bytes.len()));
    file.take(PICTURE_FILE_BYTES_MAX)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(&error))?;
    Ok(Read::Picture { bytes, kind })
}

fn picture(bytes: &[u8], kind: Sniffed, sidecar: Option<&Path>, want: Want) -> Report {
    let (blocks, mut facts) = metadata::gather(bytes, kind);
    let orientation = Orientation::from_exif(facts.orientation.unwrap_or(1));
    lay_sidecar_over(&mut facts, sidecar, want);
    let images = want.images.map(|wish| {
        let decoded = image::decode(bytes, kind, &blocks, orientation, wish)?;
        image::derive(decoded, wish)
    });
    Report { facts, images }
}

/// What a film says in boxes that ffprobe passes over. A film that cannot be read says nothing.
pub(super) fn complete_film(facts: &mut Facts, film: Option<&Path>, want: Want) {
    if let Some(Ok(mut file)) = film.filter(|_| want.metadata).map(File::open) {
        video::complete(&mut file, facts);
    }
}

/// The pictures of a film from a raw frame of it.
pub(super) fn frame(bytes: &[u8], mut facts: Facts, sidecar: Option<&Path>, want: Want) -> Report {
    lay_sidecar_over(&mut facts, sidecar, want);
    let images = want.images.map(|wish| image::derive(image::decode_frame(bytes)?, wish));
    Report { facts, images }
}

fn lay_sidecar_over(facts: &mut Facts, sidecar: Option<&Path>, want: Want) {
    let Some(path) = sidecar.filter(|_| want.metadata) else {
        return;
    };
    let limit = u64::try_from(XMP_BYTES_MAX).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
    if read.is_ok() {
        metadata::read_sidecar(&bytes, facts);
    }
}

fn unreadable(error: &io::Error) -> DecodeError {
    DecodeError::Unreadable { reason: error.kind().to_string() }
}
