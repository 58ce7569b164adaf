//! One job, done in the child: one read, one decode, everything that is wanted.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _},
    path::PathBuf,
};

use serde::{Deserialize, Serialize};

use super::DecodeError;
use crate::{
    image::{self, CropWish, Derived, ImageWish, Orientation, Picture, PixelsWish},
    kind::{Family, Sniffed, sniff},
    limits::{HEAD_BYTES, PICTURE_FILE_BYTES_MAX, SIDE_PX_MAX, XMP_BYTES_MAX},
    metadata::{self, Facts},
    sidecar::{self, SidecarWords},
    strip, video,
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
    Sidecar(Vec<u8>),
    Strip(Option<Vec<u8>>),
}

/// Does a picture's job in this process, without limits: for tools and measurements only.
///
/// # Errors
/// [`DecodeError::Unsupported`] for films; otherwise as the decoders say.
pub fn process(job: &Job) -> Result<Report, DecodeError> {
    let source = File::open(&job.source).map_err(|error| unreadable(&error))?;
    let sidecar = job.sidecar.as_ref().and_then(|it| File::open(it).ok());
    match work(source, sidecar, job.want)? {
        Outcome::Picture(report) => Ok(*report),
        Outcome::Film { mime } => Err(DecodeError::Unsupported { what: mime.to_owned() }),
        Outcome::Cut(_) | Outcome::Sidecar(_) | Outcome::Strip(_) => {
            Err(DecodeError::corrupt("nothing else was wanted"))
        }
    }
}

pub(super) fn work(
    source: File,
    sidecar: Option<File>,
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
pub(super) fn crop(source: File, wish: CropWish) -> Result<Picture, DecodeError> {
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

/// A picture as bare pixels.
pub(super) fn pixels(source: File, wish: PixelsWish) -> Result<Picture, DecodeError> {
    let PixelsWish { side_px_max, .. } = wish;
    let (bytes, kind) = match read(source)? {
        Read::Picture { bytes, kind } => (bytes, kind),
        Read::Film { mime } => return Err(DecodeError::Unsupported { what: mime.to_owned() }),
    };
    let (blocks, facts) = metadata::gather(&bytes, kind);
    let orientation = Orientation::from_exif(facts.orientation.unwrap_or(1));
    let wish = match wish.short_px {
        // Decoded at a fraction of its size, a JPEG keeps twice as many.
        Some(short_px) if kind == Sniffed::Jpeg => ImageWish {
            preview_px: short_px.min(side_px_max),
            thumbnail_px: short_px,
            ..ImageWish::default()
        },
        _ => ImageWish { preview_px: side_px_max, ..ImageWish::default() },
    };
    image::pixels(image::decode(&bytes, kind, &blocks, orientation, wish)?, side_px_max)
}

/// A sidecar with words in it, made of the one that is there.
pub(super) fn sidecar(
    existing: Option<File>,
    words: &SidecarWords,
) -> Result<Vec<u8>, DecodeError> {
    let Some(mut file) = existing else {
        return sidecar::merge(None, words);
    };
    // Handed over a second time, it is where the first child left it.
    file.rewind().map_err(|error| unreadable(&error))?;
    let mut bytes = Vec::new();
    // One more than may be, so that more is noticed.
    let limit = u64::try_from(XMP_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    sidecar::merge(Some(&bytes), words)
}

/// What to send of a file so that it says nothing about itself, for [`strip::Plan::from_bytes`].
pub(super) fn strip(file: &File) -> Result<Option<Vec<u8>>, DecodeError> {
    let plan = strip::plan(file).map_err(|error| unreadable(&error))?;
    plan.map(|plan| plan.to_bytes())
        .transpose()
        .map_err(|error| DecodeError::corrupt(&error.to_string()))
}

/// What a file turned out to be.
enum Read {
    Picture { bytes: Vec<u8>, kind: Sniffed },
    Film { mime: &'static str },
}

fn read(mut file: File) -> Result<Read, DecodeError> {
    // Handed over a second time, it is where the first child left it.
    file.rewind().map_err(|error| unreadable(&error))?;
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

fn picture(bytes: &[u8], kind: Sniffed, sidecar: Option<File>, want: Want) -> Report {
    let (blocks, mut facts) = metadata::gather(bytes, kind);
    let orientation = Orientation::from_exif(facts.orientation.unwrap_or(1));
    lay_sidecar_over(&mut facts, sidecar, want);
    let images = want.images.map(|wish| {
        let decoded = image::decode(bytes, kind, &blocks, orientation, wish)?;
        let mut derived = image::derive(decoded, wish)?;
        if wish.edit.is_none() && orientation == Orientation::Upright {
            // A part that was cut out, or turned, is no longer the part of the sphere that the file names.
            let size = (facts.width.unwrap_or_default(), facts.height.unwrap_or_default());
            image::keep_panorama(&mut derived, &blocks, size);
        }
        Ok(derived)
    });
    Report { facts, images }
}

/// What a film says in boxes that ffprobe passes over. A film that cannot be read says nothing.
pub(super) fn complete_film(facts: &mut Facts, film: Option<File>, want: Want) {
    if let Some(mut file) = film.filter(|_| want.metadata) {
        video::complete(&mut file, facts);
    }
}

/// The pictures of a film from a raw frame of it.
pub(super) fn frame(bytes: &[u8], mut facts: Facts, sidecar: Option<File>, want: Want) -> Report {
    lay_sidecar_over(&mut facts, sidecar, want);
    let images = want.images.map(|wish| image::derive(image::decode_frame(bytes)?, wish));
    Report { facts, images }
}

fn lay_sidecar_over(facts: &mut Facts, sidecar: Option<File>, want: Want) {
    let Some(mut file) = sidecar.filter(|_| want.metadata) else {
        return;
    };
    let limit = u64::try_from(XMP_BYTES_MAX).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let read = file.rewind().and_then(|()| file.take(limit).read_to_end(&mut bytes));
    if read.is_ok() {
        metadata::read_sidecar(&bytes, facts);
    }
}

pub(super) fn unreadable(error: &io::Error) -> DecodeError {
    DecodeError::Unreadable { reason: error.kind().to_string() }
}
