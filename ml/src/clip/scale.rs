//! Making pictures larger and smaller as Pillow does: filters that widen where a picture becomes smaller.
//!
//! Models were trained on pictures that Pillow made; another filter moves their answers.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use crate::error::MlError;
use crate::pixels::Pixels;

/// Pillow's filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filter {
    Nearest,
    Bilinear,
    Bicubic,
    Lanczos,
}

/// A picture at another size.
pub(crate) fn scale(
    pixels: &Pixels,
    width: u32,
    height: u32,
    filter: Filter,
) -> Result<Pixels, MlError> {
    if (width, height) == (pixels.width(), pixels.height()) {
        return Ok(pixels.clone());
    }
    let failed = |error: String| MlError::BadPixels { reason: error };
    let from = ImageRef::new(pixels.width(), pixels.height(), pixels.rgb(), PixelType::U8x3)
        .map_err(|error| failed(error.to_string()))?;
    let mut scaled = Pixels::filled(width.max(1), height.max(1), 0);
    let mut to =
        Image::from_slice_u8(width.max(1), height.max(1), scaled.rgb_mut(), PixelType::U8x3)
            .map_err(|error| failed(error.to_string()))?;
    let algorithm = match filter {
        Filter::Nearest => ResizeAlg::Nearest,
        Filter::Bilinear => ResizeAlg::Convolution(FilterType::Bilinear),
        // Pillow's bicubic has -0.5 where OpenCV's has -0.75: that is Catmull's and Rom's.
        Filter::Bicubic => ResizeAlg::Convolution(FilterType::CatmullRom),
        Filter::Lanczos => ResizeAlg::Convolution(FilterType::Lanczos3),
    };
    Resizer::new()
        .resize(&from, &mut to, &ResizeOptions::new().resize_alg(algorithm))
        .map_err(|error| failed(error.to_string()))?;
    Ok(scaled)
}
