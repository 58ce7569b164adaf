//! A decoded picture in memory.

use crate::decoder::DecodeError;

/// What the bytes of one pixel mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue, and a byte without meaning: resizing is faster on four bytes.
    Rgbx,
    /// Red, green, blue, straight alpha.
    Rgba,
    /// Cyan, magenta, yellow, black as Adobe stores them: 255 means no ink.
    CmykInverted,
}

impl Layout {
    pub(crate) const fn bytes_per_pixel(self) -> u32 {
        match self {
            Self::Rgb => 3,
            Self::Rgbx | Self::Rgba | Self::CmykInverted => 4,
        }
    }
}

/// Rows of 8-bit pixels from the top, without padding.
#[derive(Debug, Clone)]
pub(crate) struct Raster {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) layout: Layout,
    pub(crate) data: Vec<u8>,
}

impl Raster {
    /// A black (or transparent) picture. The size must have been checked against the limits.
    pub(crate) fn new(width: u32, height: u32, layout: Layout) -> Result<Self, DecodeError> {
        let bytes = u64::from(width) * u64::from(height) * u64::from(layout.bytes_per_pixel());
        let length = usize::try_from(bytes).map_err(|_| DecodeError::OutOfMemory)?;
        // Zeroed by the kernel as it is used. Where there is not enough, the child aborts, and the
        // parent knows from its last words that memory was the reason.
        Ok(Self { width, height, layout, data: vec![0; length] })
    }

    pub(crate) fn from_data(
        width: u32,
        height: u32,
        layout: Layout,
        data: Vec<u8>,
    ) -> Result<Self, DecodeError> {
        let bytes = u64::from(width) * u64::from(height) * u64::from(layout.bytes_per_pixel());
        if usize::try_from(bytes) != Ok(data.len()) || data.is_empty() {
            return Err(DecodeError::corrupt("decoder gave a picture of the wrong size"));
        }
        Ok(Self { width, height, layout, data })
    }

    /// Bytes of one row.
    pub(crate) fn pitch(&self) -> usize {
        pitch(self.width, self.layout)
    }

    /// A part of the picture by its upper left corner and its size.
    pub(crate) fn part(
        &self,
        (x, y): (u32, u32),
        (width, height): (u32, u32),
    ) -> Result<Self, DecodeError> {
        let outside = || DecodeError::corrupt("part lies outside the picture");
        let ends = (x.checked_add(width), y.checked_add(height));
        if !matches!(ends, (Some(right), Some(bottom)) if right <= self.width && bottom <= self.height)
        {
            return Err(outside());
        }
        let mut part = Self::new(width, height, self.layout)?;
        let (from_pitch, to_pitch) = (self.pitch(), part.pitch());
        let skipped = pitch(x, self.layout);
        let first = usize::try_from(y).unwrap_or(usize::MAX);
        let rows = self.data.chunks_exact(from_pitch).skip(first);
        for (to, from) in part.data.chunks_exact_mut(to_pitch).zip(rows) {
            to.copy_from_slice(from.get(skipped..skipped + to_pitch).ok_or_else(outside)?);
        }
        Ok(part)
    }

    /// Three bytes a pixel; alpha is laid over white.
    pub(crate) fn into_rgb(self) -> Self {
        let data = match self.layout {
            Layout::Rgb => return self,
            Layout::Rgbx => {
                self.data.chunks_exact(4).flat_map(|it| [it[0], it[1], it[2]]).collect()
            }
            Layout::Rgba => self
                .data
                .chunks_exact(4)
                .flat_map(|it| {
                    [over_white(it[0], it[3]), over_white(it[1], it[3]), over_white(it[2], it[3])]
                })
                .collect(),
            Layout::CmykInverted => self
                .data
                .chunks_exact(4)
                .flat_map(|it| {
                    [product(it[0], it[3]), product(it[1], it[3]), product(it[2], it[3])]
                })
                .collect(),
        };
        Self { layout: Layout::Rgb, data, ..self }
    }

    /// Whether some pixel lets something through.
    pub(crate) fn is_translucent(&self) -> bool {
        self.layout == Layout::Rgba && self.data.chunks_exact(4).any(|it| it[3] != u8::MAX)
    }
}

pub(crate) fn pitch(width: u32, layout: Layout) -> usize {
    usize::try_from(u64::from(width) * u64::from(layout.bytes_per_pixel())).unwrap_or(usize::MAX)
}

fn over_white(value: u8, alpha: u8) -> u8 {
    let sum = u16::from(value) * u16::from(alpha) + 255 * (255 - u16::from(alpha));
    u8::try_from((sum + 127) / 255).unwrap_or(u8::MAX)
}

fn product(left: u8, right: u8) -> u8 {
    u8::try_from((u16::from(left) * u16::from(right) + 127) / 255).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alpha_is_laid_over_white() {
        let data = vec![0, 0, 0, 0, 10, 20, 30, 255];
        let raster = Raster::from_data(2, 1, Layout::Rgba, data).unwrap();
        assert!(raster.is_translucent());
        assert_eq!(raster.into_rgb().data, [255, 255, 255, 10, 20, 30]);
    }

    #[test]
    fn inverted_cmyk_without_ink_is_white() {
        let data = vec![255, 255, 255, 255, 255, 255, 255, 0];
        let raster = Raster::from_data(2, 1, Layout::CmykInverted, data).unwrap();
        assert_eq!(raster.into_rgb().data, [255, 255, 255, 0, 0, 0]);
    }
}
