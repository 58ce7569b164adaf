//! A square cut out of a picture round a box in it: the picture of a face.

use serde::{Deserialize, Serialize};

use super::{
    Colorspace, Decoded, Picture, colour,
    encode::{Written, jpeg},
    orient::upright,
    raster::Raster,
    resize::resize,
};
use crate::decoder::DecodeError;

/// How much longer the square's side is than the box's longer one, where the picture has room.
const MARGIN: f64 = 1.2;

/// What to cut out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CropWish {
    /// Left edge of the box, as a fraction (0 to 1) of the upright picture's width.
    pub left: f64,
    /// Its upper edge, of the height.
    pub top: f64,
    /// Its right edge.
    pub right: f64,
    /// Its lower edge.
    pub bottom: f64,
    /// Side of the square that is made, in pixels; small boxes are enlarged.
    pub side_px: u32,
    /// Quality of the JPEG, 1 to 100.
    pub quality: u8,
}

/// Cuts the square out and makes a JPEG of it.
pub(crate) fn crop(decoded: Decoded, wish: CropWish) -> Result<Picture, DecodeError> {
    let Decoded { raster, orientation, icc } = decoded;
    let raster = upright(colour::convert(raster, icc.as_deref(), Colorspace::Srgb).0, orientation)?;
    let square = Square::around(wish, raster.width, raster.height)
        .ok_or_else(|| DecodeError::corrupt("box lies outside the picture"))?;
    let cut = square.cut_out_of(&raster)?;
    let made = Written { quality: wish.quality, progressive: false, is_p3: false };
    jpeg(resize(&cut, wish.side_px, wish.side_px)?, made)
}

/// A square of whole pixels inside a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Square {
    x: u32,
    y: u32,
    side: u32,
}

impl Square {
    /// The square round the middle of the box: larger than the box by the margin, moved and made smaller
    /// where the picture ends. `None` when the box has no size.
    fn around(wish: CropWish, width: u32, height: u32) -> Option<Self> {
        let (across, down) = (f64::from(width), f64::from(height));
        let box_width = (wish.right - wish.left) * across;
        let box_height = (wish.bottom - wish.top) * down;
        if !(box_width > 0.0 && box_height > 0.0) || width == 0 || height == 0 {
            return None;
        }
        let side = whole(box_width.max(box_height) * MARGIN).clamp(1, width.min(height));
        let start = |from: f64, to: f64, length: u32| {
            let middle = f64::midpoint(from, to) * f64::from(length);
            whole(middle - f64::from(side) / 2.0).min(length - side)
        };
        Some(Self {
            x: start(wish.left, wish.right, width),
            y: start(wish.top, wish.bottom, height),
            side,
        })
    }

    fn cut_out_of(self, raster: &Raster) -> Result<Raster, DecodeError> {
        raster.part((self.x, self.y), (self.side, self.side))
    }
}

/// The nearest whole number of pixels; what is negative or no number is 0.
pub(super) fn whole(value: f64) -> u32 {
    // Sides of pictures are below 65,536, so text is exact; a cast would have to be excused.
    format!("{:.0}", value.max(0.0)).parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::{orient::Orientation, raster::Layout};
    use super::*;

    fn wish(left: f64, top: f64, right: f64, bottom: f64) -> CropWish {
        CropWish { left, top, right, bottom, side_px: 250, quality: 80 }
    }

    #[test]
    fn square_has_the_box_in_its_middle() {
        let found = Square::around(wish(0.4, 0.4, 0.6, 0.5), 1_000, 1_000);
        assert_eq!(found, Some(Square { x: 380, y: 330, side: 240 }));
    }

    #[test]
    fn square_stays_inside_the_picture() {
        let corner = Square::around(wish(0.9, 0.9, 1.0, 1.0), 1_000, 500);
        assert_eq!(corner, Some(Square { x: 880, y: 380, side: 120 }));
        let all = Square::around(wish(0.0, 0.0, 1.0, 1.0), 1_000, 500);
        assert_eq!(all, Some(Square { x: 250, y: 0, side: 500 }));
        assert_eq!(Square::around(wish(0.5, 0.5, 0.5, 0.6), 100, 100), None);
        assert_eq!(Square::around(wish(f64::NAN, 0.5, 0.5, 0.6), 100, 100), None);
    }

    #[test]
    fn picture_of_a_small_box_has_the_wanted_side() {
        let raster = Raster::new(40, 30, Layout::Rgb).unwrap();
        let decoded = Decoded { raster, orientation: Orientation::from_exif(6), icc: None };
        let picture = crop(decoded, wish(0.1, 0.1, 0.4, 0.4)).unwrap();
        assert_eq!((picture.width, picture.height), (250, 250));
        assert!(picture.bytes.starts_with(&[0xff, 0xd8]));
    }
}
