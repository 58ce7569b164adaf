//! Preview as JPEG, thumbnail as WebP, and the thumbhash.

use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};
use webp::{PixelLayout, WebPConfig};

use super::{
    Picture,
    raster::{Layout, Raster},
    resize::{fit_inside, resize},
};
use crate::decoder::DecodeError;

/// Effort of libwebp, 0 to 6. Against 4 (what sharp uses) 2 saves 3 to 5 ms a thumbnail and costs
/// 2 to 3 % of its size and 0.1 to 0.4 dB.
const WEBP_METHOD: i32 = 2;

/// Longest side of the picture that is hashed, in pixels; more is of no use to seven waves.
const THUMBHASH_SIDE_PX: u32 = 100;

/// JPEG, 4:2:0. Translucent pixels are laid over white.
pub(super) fn jpeg(raster: Raster, quality: u8) -> Result<Picture, DecodeError> {
    let raster = match raster.layout {
        Layout::Rgb | Layout::Rgbx => raster,
        Layout::Rgba | Layout::CmykInverted => raster.into_rgb(),
    };
    let format = if raster.layout == Layout::Rgbx { PixelFormat::RGBX } else { PixelFormat::RGB };
    let failed = |error: turbojpeg::Error| DecodeError::corrupt(&format!("JPEG encoder: {error}"));
    let mut compressor = Compressor::new().map_err(|_| DecodeError::OutOfMemory)?;
    compressor.set_quality(i32::from(quality)).map_err(failed)?;
    compressor.set_subsamp(Subsamp::Sub2x2).map_err(failed)?;
    let image = Image {
        pixels: raster.data.as_slice(),
        width: side(raster.width),
        pitch: raster.pitch(),
        height: side(raster.height),
        format,
    };
    let bytes = compressor.compress_to_vec(image).map_err(failed)?;
    Ok(Picture { width: raster.width, height: raster.height, bytes })
}

/// Lossy WebP; alpha is kept when some pixel uses it.
pub(super) fn webp(raster: Raster, quality: u8) -> Result<Picture, DecodeError> {
    let raster = if raster.is_translucent() { raster } else { raster.into_rgb() };
    let failed = || DecodeError::corrupt("WebP encoder refused the picture");
    let mut config = WebPConfig::new().map_err(|()| failed())?;
    config.quality = f32::from(quality);
    config.method = WEBP_METHOD;
    config.alpha_compression = 1;
    let layout = if raster.layout == Layout::Rgba { PixelLayout::Rgba } else { PixelLayout::Rgb };
    let encoder = webp::Encoder::new(&raster.data, layout, raster.width, raster.height);
    let bytes = encoder.encode_advanced(&config).map_err(|_| failed())?.to_vec();
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
