//! Pixels: decoding of pictures and the smaller pictures made of them.
//!
//! Runs inside decoder children only. One decode serves preview, thumbnail and thumbhash.

mod colour;
mod crop;
mod derive;
mod edit;
mod encode;
mod formats;
mod hdr;
mod heif;
mod jp2;
mod jpeg;
mod jxl;
mod orient;
mod panorama;
mod pixels;
mod ppm;
mod profile;
mod psd;
mod raster;
mod resize;
mod svg;

use serde::{Deserialize, Serialize};

pub use crop::CropWish;
pub(crate) use crop::crop;
pub(crate) use derive::derive;
pub use edit::EditWish;
pub(crate) use formats::{check_size, size as image_size};
pub(crate) use heif::{HeifFile, Item as HeifItem};
pub(crate) use jp2::size as jp2_size;
pub(crate) use jxl::JxlFile;
pub(crate) use orient::Orientation;
pub(crate) use panorama::keep as keep_panorama;
pub(crate) use pixels::pixels;
pub use pixels::{Pixels, PixelsWish};
pub(crate) use raster::Raster;
pub(crate) use svg::size as svg_size;

use crate::{
    decoder::DecodeError, kind::Sniffed, limits::SIDE_PX_MAX, metadata::Blocks, transcode::ToneMap,
};

/// Length of the name for a set of options.
const RECIPE_CHARS: usize = 10;

/// How a picture that is made is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageFormat {
    /// JPEG, 4:2:0, sRGB.
    Jpeg,
    /// WebP with losses.
    Webp,
}

/// In which colours the pictures that are made are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Colorspace {
    /// What every client shows without asking.
    #[default]
    Srgb,
    /// Display P3 for pictures that have another space than sRGB, named by a profile inside.
    P3,
}

/// How the picture at full size is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FullWish {
    /// How it is written.
    pub format: ImageFormat,
    /// Quality, 1 to 100, on the scale of its format's library.
    pub quality: u8,
    /// Whether a JPEG is built up in several passes.
    pub progressive: bool,
    /// Whether the picture inside a RAW file is good enough, so that the file is not developed.
    pub extract_embedded: bool,
}

/// Sizes, formats and quality of the pictures that are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageWish {
    /// Short side of the thumbnail, in pixels (it may be smaller, never enlarged).
    pub thumbnail_px: u32,
    /// Square into which the preview fits, in pixels (never enlarged).
    pub preview_px: u32,
    /// How the thumbnail is written.
    pub thumbnail_format: ImageFormat,
    /// How the preview is written.
    pub preview_format: ImageFormat,
    /// Quality of the thumbnail, 1 to 100, on the scale of its format's library.
    pub thumbnail_quality: u8,
    /// Quality of the preview, 1 to 100, on the scale of its format's library.
    pub preview_quality: u8,
    /// Whether a thumbnail that is a JPEG is built up in several passes.
    pub thumbnail_progressive: bool,
    /// Whether a preview that is a JPEG is.
    pub preview_progressive: bool,
    /// The colours.
    pub colorspace: Colorspace,
    /// How frames of HDR films become SDR.
    pub tone_map: ToneMap,
    /// Whether a picture at full size is made, too, and how.
    pub full: Option<FullWish>,
    /// Which part of the picture is shown, turned how; the whole as it is where nothing is said.
    pub edit: Option<EditWish>,
}

impl ImageWish {
    /// The longest side in pixels that decoders must keep.
    pub(crate) fn decoded_px(&self) -> u32 {
        if self.full.is_some() || self.edit.is_some() { SIDE_PX_MAX } else { self.preview_px }
    }

    /// Whether RAW files are developed even if they have a picture inside.
    pub(crate) fn develops_raw(&self) -> bool {
        self.edit.is_none() && self.full.is_some_and(|full| !full.extract_embedded)
    }

    /// A name for the options, and for the release of the program that obeys them: other options have another
    /// one. 10 hexadecimal digits.
    #[must_use]
    pub fn recipe(&self, version: u32) -> String {
        let written = serde_json::to_vec(&(version, self)).unwrap_or_default();
        blake3::hash(&written).to_hex().chars().take(RECIPE_CHARS).collect()
    }
}

impl Default for ImageWish {
    fn default() -> Self {
        Self {
            thumbnail_px: 250,
            preview_px: 1_440,
            thumbnail_format: ImageFormat::Webp,
            preview_format: ImageFormat::Jpeg,
            thumbnail_quality: 80,
            preview_quality: 80,
            thumbnail_progressive: false,
            preview_progressive: false,
            colorspace: Colorspace::Srgb,
            full: None,
            edit: None,
            tone_map: ToneMap::Hable,
        }
    }
}

/// The pictures made of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derived {
    /// In the format that was wished.
    pub thumbnail: Picture,
    /// In the format that was wished.
    pub preview: Picture,
    /// At full size, where that was wished.
    pub full: Option<Picture>,
    /// Thumbhash (evanw/thumbhash) of the upright picture, about 25 bytes.
    pub thumbhash: Vec<u8>,
}

/// One encoded picture.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The encoded file.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    /// Without the bytes, which would flood a log.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { width, height, bytes } = self;
        write!(out, "Picture({width}x{height}, {} bytes)", bytes.len())
    }
}

/// A decoded picture, with what still has to be done to it.
pub(crate) struct Decoded {
    pub(crate) raster: Raster,
    pub(crate) orientation: Orientation,
    pub(crate) icc: Option<Vec<u8>>,
}

/// Decodes a whole file held in memory, not larger than `wish` needs.
pub(crate) fn decode(
    bytes: &[u8],
    kind: Sniffed,
    blocks: &Blocks,
    orientation: Orientation,
    wish: ImageWish,
) -> Result<Decoded, DecodeError> {
    let icc = blocks.icc.clone();
    match kind {
        Sniffed::Jpeg => {
            let raster = jpeg::decode(bytes, wish)?;
            Ok(Decoded { raster, orientation, icc })
        }
        Sniffed::Heic | Sniffed::Avif => heif::decode(bytes, wish),
        Sniffed::Raw(_) => raw_preview(bytes, blocks, orientation, wish),
        // DNG and other RAW look like TIFF; their real picture is the embedded JPEG.
        Sniffed::Tiff if blocks.is_raw => raw_preview(bytes, blocks, orientation, wish),
        Sniffed::Jxl => jxl::decode(bytes),
        Sniffed::Jp2 => jp2::decode(bytes, orientation, wish),
        Sniffed::Psd => psd::decode(bytes, orientation, icc),
        Sniffed::Svg => svg::decode(bytes, wish),
        Sniffed::Png
        | Sniffed::Gif
        | Sniffed::Webp
        | Sniffed::Bmp
        | Sniffed::Tiff
        | Sniffed::BigTiff => {
            let (raster, own_icc) = formats::decode(bytes, kind)?;
            Ok(Decoded { raster, orientation, icc: own_icc.or(icc) })
        }
        Sniffed::Video(_) => Err(DecodeError::Unsupported { what: kind.mime().to_owned() }),
    }
}

/// A raw frame as a film's decoder gives it.
pub(crate) fn decode_frame(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    let raster = ppm::decode(bytes)?;
    Ok(Decoded { raster, orientation: Orientation::Upright, icc: None })
}

fn raw_preview(
    bytes: &[u8],
    blocks: &Blocks,
    orientation: Orientation,
    wish: ImageWish,
) -> Result<Decoded, DecodeError> {
    let jpeg =
        blocks.embedded_jpeg.clone().and_then(|range| bytes.get(range)).ok_or_else(|| {
            DecodeError::Unsupported { what: "RAW without an embedded JPEG".to_owned() }
        })?;
    let raster = jpeg::decode(jpeg, wish)?;
    Ok(Decoded { raster, orientation, icc: None })
}
