//! JPEG through libjpeg-turbo.

use turbojpeg::{Colorspace, Decompressor, Image, PixelFormat, ScalingFactor};

use super::{
    ImageWish, check_size,
    formats::check_pixels,
    raster::{Layout, Raster},
};
use crate::{decoder::DecodeError, limits::JPEG_SCANS_MAX};

/// The scaled picture must be at least this many times the preview. Scaled decoding is a box
/// filter: at 1.4 times the preview it costs 12 dB against a full decode, from twice on the
/// Lanczos step after it makes up for it.
const SCALED_OVER_PREVIEW: u32 = 2;

/// Beginnings of libjpeg's warnings. After one of these the pixels that could be decoded are
/// there, and the rest is grey: a picture cut short by a broken copy is still a picture.
const WARNINGS: [&str; 8] = [
    "Premature end of JPEG file",
    "Corrupt JPEG data",
    "Invalid SOS parameters",
    "Inconsistent progression",
    "Unknown Adobe color transform",
    "Warning: unknown JFIF revision",
    "Application transferred too many scanlines",
    "Premature end of input file",
];

/// Decodes, at a fraction of the size where that is still well above the preview.
pub(super) fn decode(bytes: &[u8], wish: ImageWish) -> Result<Raster, DecodeError> {
    let mut decompressor = Decompressor::new().map_err(|_| DecodeError::OutOfMemory)?;
    decompressor.set_scan_limit(JPEG_SCANS_MAX).map_err(refused)?;
    let header = decompressor.read_header(bytes).map_err(refused)?;
    let (width, height) = (narrow(header.width)?, narrow(header.height)?);
    let (format, layout) = match header.colorspace {
        Colorspace::CMYK | Colorspace::YCCK => (PixelFormat::CMYK, Layout::CmykInverted),
        _ => (PixelFormat::RGBX, Layout::Rgbx),
    };
    check_pixels(width, height)?;
    let factor = if header.is_lossless { ScalingFactor::ONE } else { scaling(width, height, wish) };
    let (width, height) =
        (narrow(factor.scale(header.width))?, narrow(factor.scale(header.height))?);
    check_size(width, height, layout.bytes_per_pixel())?;
    decompressor.set_scaling_factor(factor).map_err(refused)?;
    // Where the picture is halved anyway, smooth chroma between pixels is thrown away again.
    let is_halved = width.max(height) >= wish.decoded_px().saturating_mul(2);
    decompressor.set_fast_upsample(is_halved).map_err(refused)?;
    let mut raster = Raster::new(width, height, layout)?;
    let pitch = raster.pitch();
    let output = Image {
        pixels: raster.data.as_mut_slice(),
        width: factor.scale(header.width),
        pitch,
        height: factor.scale(header.height),
        format,
    };
    match decompressor.decompress(bytes, output) {
        Ok(()) => Ok(raster),
        Err(turbojpeg::Error::TurboJpegError(message)) if is_warning(&message) => Ok(raster),
        Err(error) => Err(refused(error)),
    }
}

/// The smallest of 1/1, 1/2, 1/4, 1/8 (those with fast code) that keeps enough pixels.
fn scaling(width: u32, height: u32, wish: ImageWish) -> ScalingFactor {
    let (long, short) = (width.max(height), width.min(height));
    let (long_min, short_min) =
        (wish.decoded_px() * SCALED_OVER_PREVIEW, wish.thumbnail_px * SCALED_OVER_PREVIEW);
    let enough =
        |denominator: u32| long / denominator >= long_min && short / denominator >= short_min;
    if enough(8) {
        ScalingFactor::ONE_EIGHTH
    } else if enough(4) {
        ScalingFactor::ONE_QUARTER
    } else if enough(2) {
        ScalingFactor::ONE_HALF
    } else {
        ScalingFactor::ONE
    }
}

fn is_warning(message: &str) -> bool {
    WARNINGS.iter().any(|it| message.contains(it))
}

fn narrow(side: usize) -> Result<u32, DecodeError> {
    u32::try_from(side).map_err(|_| DecodeError::TooLarge { what: "picture side".to_owned() })
}

/// libjpeg's messages name markers and numbers, never files.
fn refused(error: turbojpeg::Error) -> DecodeError {
    match error {
        turbojpeg::Error::TurboJpegError(message) if message.contains("nsupported") => {
            DecodeError::Unsupported { what: format!("JPEG: {message}") }
        }
        turbojpeg::Error::TurboJpegError(message) => {
            DecodeError::corrupt(&format!("JPEG: {message}"))
        }
        turbojpeg::Error::Null => DecodeError::OutOfMemory,
        other => DecodeError::corrupt(&format!("JPEG: {other}")),
    }
}
