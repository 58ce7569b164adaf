//! Preview as JPEG, thumbnail as WebP, and the thumbhash.

use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};
use webp::{PixelLayout, WebPConfig};

use super::{
    ImageFormat, Picture, colour, profile,
    raster::{Layout, Raster},
    resize::{fit_inside, resize},
};
use crate::decoder::DecodeError;

/// Effort of libwebp, 0 to 6. Against 4 (what sharp uses) 2 saves 3 to 5 ms a thumbnail and costs
/// 2 to 3 % of its size and 0.1 to 0.4 dB.
const WEBP_METHOD: i32 = 2;

/// Longest side that the format can hold, in pixels (RFC 9649, 2.7).
const WEBP_SIDE_PX_MAX: u32 = 16_383;

/// Longest side of the picture that is hashed, in pixels; more is of no use to seven waves.
const THUMBHASH_SIDE_PX: u32 = 100;

/// How a picture is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written {
    /// 1 to 100, on the scale of the format's library.
    pub(super) quality: u8,
    /// Whether a JPEG is built up in several passes.
    pub(super) progressive: bool,
    /// Whether its colours are Display P3.
    pub(super) is_p3: bool,
}

/// In a format.
pub(super) fn encode(
    raster: Raster,
    format: ImageFormat,
    written: Written,
) -> Result<Picture, DecodeError> {
    match format {
        ImageFormat::Jpeg => jpeg(raster, written),
        ImageFormat::Webp => webp(raster, written),
    }
}

/// JPEG, 4:2:0. Translucent pixels are laid over white.
pub(super) fn jpeg(raster: Raster, written: Written) -> Result<Picture, DecodeError> {
    let raster = match raster.layout {
        Layout::Rgb | Layout::Rgbx => raster,
        Layout::Rgba | Layout::CmykInverted => raster.into_rgb(),
    };
    let format = if raster.layout == Layout::Rgbx { PixelFormat::RGBX } else { PixelFormat::RGB };
    let failed = |error: turbojpeg::Error| DecodeError::corrupt(&format!("JPEG encoder: {error}"));
    let mut compressor = Compressor::new().map_err(|_| DecodeError::OutOfMemory)?;
    compressor.set_quality(i32::from(written.quality)).map_err(failed)?;
    compressor.set_progressive(written.progressive).map_err(failed)?;
    compressor.set_subsamp(Subsamp::Sub2x2).map_err(failed)?;
    let image = Image {
        pixels: raster.data.as_slice(),
        width: side(raster.width),
        pitch: raster.pitch(),
        height: side(raster.height),
        format,
    };
    let mut bytes = compressor.compress_to_vec(image).map_err(failed)?;
    if let Some(icc) = written.is_p3.then(colour::p3_profile).flatten() {
        bytes = profile::into_jpeg(bytes, &icc);
    }
    Ok(Picture { width: raster.width, height: raster.height, bytes })
}

/// Lossy WebP; alpha is kept when some pixel uses it.
pub(super) fn webp(raster: Raster, written: Written) -> Result<Picture, DecodeError> {
    if raster.width.max(raster.height) > WEBP_SIDE_PX_MAX {
        let what = format!("WebP of {} x {} pixels", raster.width, raster.height);
        return Err(DecodeError::TooLarge { what });
    }
    let raster = if raster.is_translucent() { raster } else { raster.into_rgb() };
    let failed = || DecodeError::corrupt("WebP encoder refused the picture");
    let mut config = WebPConfig::new().map_err(|()| failed())?;
    config.quality = f32::from(written.quality);
    config.method = WEBP_METHOD;
    config.alpha_compression = 1;
    let layout = if raster.layout == Layout::Rgba { PixelLayout::Rgba } else { PixelLayout::Rgb };
    let encoder = webp::Encoder::new(&raster.data, layout, raster.width, raster.height);
    let mut bytes = encoder.encode_advanced(&config).map_err(|_| failed())?.to_vec();
    if let Some(icc) = written.is_p3.then(colour::p3_profile).flatten() {
        bytes = profile::into_webp(bytes, &icc, (raster.width, raster.height));
    }
    Ok(Picture { width: raster.width, height: raster.height, bytes })
}

/// Thumbhash of an upright picture.
pub(super) fn thumbhash(raster: &Raster) -> Result<Vec<u8>, DecodeError> {
    let (width, height) = fit_inside(raster.width, raster.height, THUMBHASH_SIDE_PX);
    let small = resize(raster, width, height)?;
    let rgba: Vec<u8> = match small.layout {
        Layout::Rgba => small.data,
        Layout::Rgbx => {
            small.data.chunks_exact(4).flat_map(|it| [it[0], it[1], it[2], 255]).collect()
        }
        Layout::Rgb => {
            small.data.chunks_exact(3).flat_map(|it| [it[0], it[1], it[2], 255]).collect()
        }
        Layout::CmykInverted => {
            let rgb = small.into_rgb();
            rgb.data.chunks_exact(3).flat_map(|it| [it[0], it[1], it[2], 255]).collect()
        }
    };
    Ok(thumbhash::rgba_to_thumb_hash(side(width), side(height), &rgba))
}

fn side(pixels: u32) -> usize {
    usize::try_from(pixels).unwrap_or(usize::MAX)
}
