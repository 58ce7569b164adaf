//! A place on a photo, in fractions of its size as shown.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// From this overlap on, two places are the same face. Intersection over union, 0 to 1.
pub const SAME_PLACE_IOU_MIN: f64 = 0.5;

/// Size of the picture that something was measured in, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PictureSize {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// A box on a photo, as fractions (0 to 1) of its width and height as shown, from the top left.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Area {
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Right edge, beyond the left one.
    pub right: f64,
    /// Lower edge, beyond the upper one.
    pub bottom: f64,
}

impl Area {
    /// A box given in pixels; what lies outside the picture is cut off. `None` when nothing is left.
    #[must_use]
    pub fn from_pixels(
        (left, top): (i32, i32),
        (right, bottom): (i32, i32),
        size: PictureSize,
    ) -> Option<Self> {
        let part = |pixels: i32, whole: u32| (f64::from(pixels) / f64::from(whole)).clamp(0.0, 1.0);
        if size.width == 0 || size.height == 0 {
            return None;
        }
        let area = Self {
            left: part(left, size.width),
            top: part(top, size.height),
            right: part(right, size.width),
            bottom: part(bottom, size.height),
        };
        area.is_valid().then_some(area)
    }

    /// Whether the edges are in order and on the photo.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        0.0 <= self.left
            && self.left < self.right
            && self.right <= 1.0
            && 0.0 <= self.top
            && self.top < self.bottom
            && self.bottom <= 1.0
    }

    /// Whether it is the same face by place.
    #[must_use]
    pub fn is_same_place(&self, other: &Self) -> bool {
        self.overlap(other) >= SAME_PLACE_IOU_MIN
    }

    /// Intersection over union, 0 to 1.
    #[must_use]
    pub fn overlap(&self, other: &Self) -> f64 {
        let width = self.right.min(other.right) - self.left.max(other.left);
        let height = self.bottom.min(other.bottom) - self.top.max(other.top);
        if width <= 0.0 || height <= 0.0 {
            return 0.0;
        }
        let shared = width * height;
        shared / (self.surface() + other.surface() - shared)
    }

    fn surface(&self) -> f64 {
        (self.right - self.left) * (self.bottom - self.top)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: PictureSize = PictureSize { width: 100, height: 100 };

    fn area(left: i32, top: i32, right: i32, bottom: i32) -> Area {
        Area::from_pixels((left, top), (right, bottom), SIZE).unwrap()
    }

    fn is_about(found: f64, expected: f64) -> bool {
        (found - expected).abs() < 1e-9
    }

    #[test]
    fn overlap_is_intersection_over_union() {
        assert!(is_about(area(0, 0, 10, 10).overlap(&area(0, 0, 10, 10)), 1.0));
        assert!(is_about(area(0, 0, 10, 10).overlap(&area(0, 0, 10, 5)), 0.5));
        assert!(is_about(area(0, 0, 10, 10).overlap(&area(5, 0, 15, 10)), 50.0 / 150.0));
        assert!(is_about(area(0, 0, 10, 10).overlap(&area(10, 0, 20, 10)), 0.0));
    }

    #[test]
    fn half_is_the_same_place_and_less_is_not() {
        assert!(area(0, 0, 10, 10).is_same_place(&area(0, 0, 10, 5)));
        assert!(!area(0, 0, 100, 100).is_same_place(&area(0, 0, 100, 49)));
    }

    #[test]
    fn what_lies_outside_is_cut_off() {
        assert_eq!(area(-20, -20, 50, 50), area(0, 0, 50, 50));
        assert_eq!(Area::from_pixels((200, 0), (300, 10), SIZE), None);
        assert_eq!(Area::from_pixels((10, 10), (10, 20), SIZE), None);
        assert_eq!(Area::from_pixels((0, 0), (1, 1), PictureSize::default()), None);
    }
}
