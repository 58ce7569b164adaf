//! A part of a picture, turned: what an edited photo shows.

use serde::{Deserialize, Serialize};

use super::{Decoded, orient::Orientation, orient::upright};
use crate::decoder::DecodeError;

/// What of a picture is kept, and how it is turned then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditWish {
    /// Left edge of the part, in pixels of the upright picture of size `of`.
    pub x: u32,
    /// Its upper edge.
    pub y: u32,
    /// Its width.
    pub width: u32,
    /// Its height.
    pub height: u32,
    /// Width and height that the pixels are counted in. A picture that is decoded at another size, like the
    /// one inside a RAW file, is cut at the same fractions.
    pub of: (u32, u32),
    /// The EXIF orientation (1 to 8) that asks for the turn.
    pub orientation: u16,
}

/// Cuts the part out; the turn is left to be done, on as few pixels as are needed.
pub(super) fn apply(decoded: Decoded, wish: EditWish) -> Result<Decoded, DecodeError> {
    let Decoded { raster, orientation, icc } = decoded;
    let raster = upright(raster, orientation)?;
    let (left, width) = part((wish.x, wish.width), wish.of.0, raster.width);
    let (top, height) = part((wish.y, wish.height), wish.of.1, raster.height);
    let raster = if (width, height) == (raster.width, raster.height) {
        raster
    } else {
        raster.part((left, top), (width, height))?
    };
    Ok(Decoded { raster, orientation: Orientation::from_exif(wish.orientation), icc })
}

/// Start and length of a part of a side, on another scale: at least a pixel, and inside the side.
fn part((start, length): (u32, u32), of: u32, side: u32) -> (u32, u32) {
    let scaled = |at: u32| {
        let of = u64::from(of.max(1));
        let scaled = (u64::from(at) * u64::from(side) + of / 2) / of;
        u32::try_from(scaled).unwrap_or(u32::MAX).min(side)
    };
    let start_scaled = scaled(start).min(side.saturating_sub(1));
    let end = scaled(start.saturating_add(length)).max(start_scaled + 1).min(side);
    (start_scaled, end - start_scaled)
}

#[cfg(test)]
mod tests {
    use super::super::raster::{Layout, Raster};
    use super::*;

    /// Pixels are numbered; the picture is 3 wide, 2 high: `0 1 2 / 3 4 5`.
    fn edited(wish: EditWish) -> (u32, Vec<u8>) {
        let data = (0..6).flat_map(|i| [i, i, i]).collect();
        let raster = Raster::from_data(3, 2, Layout::Rgb, data).unwrap();
        let decoded = Decoded { raster, orientation: Orientation::Upright, icc: None };
        let Decoded { raster, orientation, .. } = apply(decoded, wish).unwrap();
        let raster = upright(raster, orientation).unwrap();
        (raster.width, raster.data.chunks_exact(3).map(|it| it[0]).collect())
    }

    #[test]
    fn part_is_cut_before_it_is_turned() {
        let wish = EditWish { x: 1, y: 0, width: 2, height: 2, of: (3, 2), orientation: 1 };
        assert_eq!(edited(wish), (2, vec![1, 2, 4, 5]));
        assert_eq!(edited(EditWish { orientation: 6, ..wish }), (2, vec![4, 1, 5, 2]));
        assert_eq!(edited(EditWish { orientation: 2, ..wish }), (2, vec![2, 1, 5, 4]));
    }

    #[test]
    fn part_follows_the_scale_of_the_decoded_picture() {
        assert_eq!(part((1_000, 2_000), 4_000, 1_440), (360, 720));
        assert_eq!(part((0, 4_000), 4_000, 1_440), (0, 1_440));
        assert_eq!(part((3_999, 1), 4_000, 40), (39, 1));
        assert_eq!(part((10, 10), 0, 40), (39, 1));
    }
}
