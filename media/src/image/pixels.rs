//! A picture as bare pixels, for models that look at it.

use serde::{Deserialize, Serialize};

use super::{
    Colorspace, Decoded, Picture, colour,
    orient::upright,
    resize::{fit_inside, resize},
};
use crate::decoder::DecodeError;

/// A picture as bare pixels.
#[derive(Clone, PartialEq, Eq)]
pub struct Pixels {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Red, green and blue of each pixel, rows from the top, without padding.
    pub rgb: Vec<u8>,
}

impl Pixels {
    /// Of what a child answered; nothing where there are not as many bytes as pixels want.
    pub(crate) fn of(width: u32, height: u32, rgb: Vec<u8>) -> Option<Self> {
        let wanted = u64::from(width) * u64::from(height) * 3;
        (wanted > 0 && u64::try_from(rgb.len()) == Ok(wanted)).then_some(Self {
            width,
            height,
            rgb,
        })
    }
}

impl std::fmt::Debug for Pixels {
    /// Without the bytes, which would flood a log.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Pixels({}x{})", self.width, self.height)
    }
}

/// How large pixels are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PixelsWish {
    /// The most that the longer side has, in pixels.
    pub side_px_max: u32,
    /// What the shorter side is going to be made, in pixels, where that is known: a JPEG that has enough for it is
    /// decoded at a fraction of its size, with at least twice as many on its shorter side.
    pub short_px: Option<u32>,
}

impl PixelsWish {
    /// The whole picture, its longer side at most so many pixels.
    #[must_use]
    pub const fn whole(side_px_max: u32) -> Self {
        Self { side_px_max, short_px: None }
    }
}

/// The picture upright, in sRGB, its longer side at most so many pixels. Its bytes are red, green and blue of
/// each pixel, rows from the top, without padding.
pub(crate) fn pixels(decoded: Decoded, side_px_max: u32) -> Result<Picture, DecodeError> {
    let Decoded { raster, orientation, icc } = decoded;
    let raster = upright(colour::convert(raster, icc.as_deref(), Colorspace::Srgb).0, orientation)?;
    let (width, height) = fit_inside(raster.width, raster.height, side_px_max);
    let raster = if (width, height) == (raster.width, raster.height) {
        raster
    } else {
        resize(&raster, width, height)?
    };
    Ok(Picture { width, height, bytes: raster.into_rgb().data })
}

#[cfg(test)]
mod tests {
    use super::super::{
        orient::Orientation,
        raster::{Layout, Raster},
    };
    use super::*;

    #[test]
    fn pixels_are_upright_and_no_more_than_wanted() {
        let decoded = |orientation| Decoded {
            raster: Raster::new(40, 30, Layout::Rgba).unwrap(),
            orientation: Orientation::from_exif(orientation),
            icc: None,
        };
        let whole = pixels(decoded(1), 100).unwrap();
        assert_eq!((whole.width, whole.height, whole.bytes.len()), (40, 30, 40 * 30 * 3));
        assert!(whole.bytes.iter().all(|byte| *byte == u8::MAX));
        let turned = pixels(decoded(6), 20).unwrap();
        assert_eq!((turned.width, turned.height, turned.bytes.len()), (15, 20, 15 * 20 * 3));
    }

    #[test]
    fn pixels_are_as_many_as_their_sides_say() {
        assert!(Pixels::of(2, 1, vec![0; 6]).is_some());
        assert!(Pixels::of(2, 1, vec![0; 5]).is_none());
        assert!(Pixels::of(0, 1, vec![]).is_none());
    }
}
