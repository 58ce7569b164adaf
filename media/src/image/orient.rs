//! The eight EXIF orientations, and turning pixels upright.

use super::raster::Raster;
use crate::decoder::DecodeError;

/// Side of the squares that are turned one after another, in pixels: 4 KiB of source and of target.
const SQUARE_PX: usize = 32;

/// How a stored picture must be turned to stand upright (EXIF 2.32, tag 0x0112).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Orientation {
    Upright,
    MirroredLeftRight,
    Turned180,
    MirroredTopBottom,
    /// Mirrored over the diagonal from the top left.
    Transposed,
    /// Must be turned 90 degrees clockwise.
    Turned90,
    /// Mirrored over the other diagonal.
    Transversed,
    /// Must be turned 270 degrees clockwise.
    Turned270,
}

impl Orientation {
    /// Values outside 1 to 8 count as upright.
    pub(crate) fn from_exif(value: u16) -> Self {
        match value {
            2 => Self::MirroredLeftRight,
            3 => Self::Turned180,
            4 => Self::MirroredTopBottom,
            5 => Self::Transposed,
            6 => Self::Turned90,
            7 => Self::Transversed,
            8 => Self::Turned270,
            _ => Self::Upright,
        }
    }

    /// Whether width and height change places.
    pub(crate) fn swaps_sides(self) -> bool {
        match self {
            Self::Transposed | Self::Turned90 | Self::Transversed | Self::Turned270 => true,
            Self::Upright | Self::MirroredLeftRight | Self::Turned180 | Self::MirroredTopBottom => {
                false
            }
        }
    }

    /// Size of the upright picture.
    pub(crate) fn upright_size(self, width: u32, height: u32) -> (u32, u32) {
        if self.swaps_sides() { (height, width) } else { (width, height) }
    }
}

/// Turns a picture upright.
pub(crate) fn upright(source: Raster, orientation: Orientation) -> Result<Raster, DecodeError> {
    if orientation == Orientation::Upright {
        return Ok(source);
    }
    let (width, height) = orientation.upright_size(source.width, source.height);
    let mut target = Raster::new(width, height, source.layout)?;
    match source.layout.bytes_per_pixel() {
        3 => turn::<3>(&source, &mut target, orientation),
        _ => turn::<4>(&source, &mut target, orientation),
    }
    Ok(target)
}

fn turn<const BYTES: usize>(source: &Raster, target: &mut Raster, orientation: Orientation) {
    let (from, _) = source.data.as_chunks::<BYTES>();
    let (source_width, source_height) = (side(source.width), side(source.height));
    let width = side(target.width);
    let (to, _) = target.data.as_chunks_mut::<BYTES>();
    let all_at_once = width.max(1);
    // Where a row of the target is a column of the source, small squares keep both in the cache.
    let square = if orientation.swaps_sides() { SQUARE_PX } else { all_at_once };
    for (band, rows) in to.chunks_mut(width * square).enumerate() {
        for left in (0..width).step_by(square) {
            for (offset, row) in rows.chunks_exact_mut(width).enumerate() {
                let y = band * square + offset;
                // Where the row starts in the source, and how far apart its pixels lie there.
                let (start, step_forward, step) = match orientation {
                    Orientation::Upright => (y * source_width, true, 1),
                    Orientation::MirroredLeftRight => ((y + 1) * source_width - 1, false, 1),
                    Orientation::Turned180 => ((source_height - y) * source_width - 1, false, 1),
                    Orientation::MirroredTopBottom => {
                        ((source_height - 1 - y) * source_width, true, 1)
                    }
                    Orientation::Transposed => (y, true, source_width),
                    Orientation::Turned90 => {
                        ((source_height - 1) * source_width + y, false, source_width)
                    }
                    Orientation::Transversed => {
                        (source_height * source_width - 1 - y, false, source_width)
                    }
                    Orientation::Turned270 => (source_width - 1 - y, true, source_width),
                };
                let right = (left + square).min(width);
                for (x, pixel) in (left..right).zip(&mut row[left..right]) {
                    let index = if step_forward { start + x * step } else { start - x * step };
                    *pixel = from[index];
                }
            }
        }
    }
}

fn side(pixels: u32) -> usize {
    usize::try_from(pixels).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::{super::raster::Layout, *};

    /// Pixels are numbered; the stored picture is 3 wide, 2 high: `0 1 2 / 3 4 5`.
    fn turned(value: u16) -> (u32, Vec<u8>) {
        let data = (0..6).flat_map(|i| [i, i, i]).collect();
        let source = Raster::from_data(3, 2, Layout::Rgb, data).unwrap();
        let raster = upright(source, Orientation::from_exif(value)).unwrap();
        (raster.width, raster.data.chunks_exact(3).map(|it| it[0]).collect())
    }

    #[test]
    fn every_orientation_turns_as_exif_says() {
        assert_eq!(turned(0), (3, vec![0, 1, 2, 3, 4, 5]));
        assert_eq!(turned(1), (3, vec![0, 1, 2, 3, 4, 5]));
        assert_eq!(turned(2), (3, vec![2, 1, 0, 5, 4, 3]));
        assert_eq!(turned(3), (3, vec![5, 4, 3, 2, 1, 0]));
        assert_eq!(turned(4), (3, vec![3, 4, 5, 0, 1, 2]));
        assert_eq!(turned(5), (2, vec![0, 3, 1, 4, 2, 5]));
        assert_eq!(turned(6), (2, vec![3, 0, 4, 1, 5, 2]));
        assert_eq!(turned(7), (2, vec![5, 2, 4, 1, 3, 0]));
        assert_eq!(turned(8), (2, vec![2, 5, 1, 4, 0, 3]));
        assert_eq!(turned(9), (3, vec![0, 1, 2, 3, 4, 5]));
    }
}
