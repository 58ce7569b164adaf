//! Making pictures smaller, and the sizes to make them.

use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};

use super::raster::{Layout, Raster};
use crate::{decoder::DecodeError, limits::THUMBNAIL_SIDE_PX_MAX};

/// Largest size with the same shape that fits into a square of `side` pixels, never enlarged.
pub(super) fn fit_inside(width: u32, height: u32, side: u32) -> (u32, u32) {
    let long = width.max(height);
    if long <= side { (width, height) } else { scaled(width, height, side, long) }
}

/// Smallest size with the same shape that covers a square of `side` pixels, never enlarged,
/// and with a limit on the long side.
pub(super) fn fit_outside(width: u32, height: u32, side: u32) -> (u32, u32) {
    let short = width.min(height);
    let (width, height) =
        if short <= side { (width, height) } else { scaled(width, height, side, short) };
    fit_inside(width, height, THUMBNAIL_SIDE_PX_MAX)
}

/// Resizes with a Lanczos filter, as libvips does for Immich.
pub(super) fn resize(source: &Raster, width: u32, height: u32) -> Result<Raster, DecodeError> {
    let kind = match source.layout {
        Layout::Rgb => PixelType::U8x3,
        Layout::Rgbx | Layout::Rgba | Layout::CmykInverted => PixelType::U8x4,
    };
    let failed = |_| DecodeError::corrupt("picture has a size that cannot be resized");
    let from = ImageRef::new(source.width, source.height, &source.data, kind).map_err(failed)?;
    let mut target = Raster::new(width, height, source.layout)?;
    let mut to = Image::from_slice_u8(width, height, &mut target.data, kind).map_err(failed)?;
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
        .use_alpha(source.layout == Layout::Rgba);
    Resizer::new()
        .resize(&from, &mut to, &options)
        .map_err(|_| DecodeError::corrupt("picture cannot be resized"))?;
    Ok(target)
}

fn scaled(width: u32, height: u32, numerator: u32, denominator: u32) -> (u32, u32) {
    let scale = |side: u32| {
        let product = u64::from(side) * u64::from(numerator) + u64::from(denominator) / 2;
        u32::try_from(product / u64::from(denominator.max(1))).unwrap_or(u32::MAX).max(1)
    };
    (scale(width), scale(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_never_enlarged() {
        assert_eq!(fit_inside(4000, 3000, 1440), (1440, 1080));
        assert_eq!(fit_inside(3000, 4000, 1440), (1080, 1440));
        assert_eq!(fit_inside(800, 600, 1440), (800, 600));
        assert_eq!(fit_outside(4000, 3000, 250), (333, 250));
        assert_eq!(fit_outside(512, 848, 250), (250, 414));
        assert_eq!(fit_outside(100, 75, 250), (100, 75));
    }

    #[test]
    fn extreme_shapes_keep_a_pixel_and_a_limit() {
        assert_eq!(fit_inside(3000, 10, 1440), (1440, 5));
        assert_eq!(fit_inside(30000, 1, 1440), (1440, 1));
        assert_eq!(fit_outside(60000, 500, 250), (4096, 34));
    }
}
