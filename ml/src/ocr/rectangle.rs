//! The smallest rectangle round points, turned as it likes (rotating calipers, Toussaint 1983).

/// A rectangle by its middle, one of its directions, and its sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rectangle {
    middle: [f32; 2],
    /// One long.
    along: [f32; 2],
    /// Along this direction, and across it.
    width: f32,
    height: f32,
}

impl Rectangle {
    /// `None` where there are no points.
    pub(super) fn around(points: &[[f32; 2]]) -> Option<Self> {
        let hull = hull(points);
        let (first, last) = (*hull.first()?, *hull.last()?);
        if hull.len() == 1 {
            return Some(Self { middle: first, along: [1.0, 0.0], width: 0.0, height: 0.0 });
        }
        // One side of the smallest lies along a side of the hull.
        let edges = hull.windows(2).map(|it| (it[0], it[1])).chain([(last, first)]);
        let boxes = edges.filter_map(|(from, to)| Self::along(&hull, from, to));
        boxes.min_by(|one, other| one.area().total_cmp(&other.area()))
    }

    fn along(hull: &[[f32; 2]], from: [f32; 2], to: [f32; 2]) -> Option<Self> {
        let [x, y] = [to[0] - from[0], to[1] - from[1]];
        let length = x.hypot(y);
        if length <= 0.0 {
            return None;
        }
        let along = [x / length, y / length];
        let across = [-along[1], along[0]];
        let (left, right) = reach(hull, along);
        let (top, bottom) = reach(hull, across);
        let (u, v) = (f32::midpoint(left, right), f32::midpoint(top, bottom));
        let middle = [0, 1].map(|axis| along[axis] * u + across[axis] * v);
        Some(Self { middle, along, width: right - left, height: bottom - top })
    }

    fn area(&self) -> f32 {
        self.width * self.height
    }

    pub(super) fn sides(&self) -> (f32, f32) {
        (self.width, self.height)
    }

    pub(super) fn short_side(&self) -> f32 {
        self.width.min(self.height)
    }

    /// Further out by so much on each side.
    pub(super) fn grown(self, by: f32) -> Self {
        Self { width: self.width + 2.0 * by, height: self.height + 2.0 * by, ..self }
    }

    /// Round it, from some corner.
    pub(super) fn corners(&self) -> [[f32; 2]; 4] {
        let (u, v) = (self.width / 2.0, self.height / 2.0);
        let [a, b] = self.along;
        [(-u, -v), (u, -v), (u, v), (-u, v)]
            .map(|(u, v)| [self.middle[0] + a * u - b * v, self.middle[1] + b * u + a * v])
    }

    /// Upper left, upper right, lower right, lower left: of the two corners to the left the upper one first.
    pub(super) fn corners_in_order(&self) -> [[f32; 2]; 4] {
        let mut corners = self.corners();
        corners.sort_by(|one, other| one[0].total_cmp(&other[0]));
        let [mut left, mut right] = [[corners[0], corners[1]], [corners[2], corners[3]]];
        left.sort_by(|one, other| one[1].total_cmp(&other[1]));
        right.sort_by(|one, other| one[1].total_cmp(&other[1]));
        [left[0], right[0], right[1], left[1]]
    }
}

/// How far points reach in a direction.
fn reach(points: &[[f32; 2]], direction: [f32; 2]) -> (f32, f32) {
    let along = |it: &[f32; 2]| it[0] * direction[0] + it[1] * direction[1];
    points.iter().map(along).fold((f32::INFINITY, f32::NEG_INFINITY), |(least, most), value| {
        (least.min(value), most.max(value))
    })
}

/// The corners of the hull, one way round (Andrew's monotone chain, 1979).
fn hull(points: &[[f32; 2]]) -> Vec<[f32; 2]> {
    let mut points = points.to_vec();
    points.sort_by(|one, other| one[0].total_cmp(&other[0]).then(one[1].total_cmp(&other[1])));
    points.dedup();
    if points.len() < 3 {
        return points;
    }
    let mut hull: Vec<[f32; 2]> = half(points.iter());
    let other = half(points.iter().rev());
    hull.extend(other);
    hull
}

/// One half of the hull, without its last corner, which begins the other half.
fn half<'a>(points: impl Iterator<Item = &'a [f32; 2]>) -> Vec<[f32; 2]> {
    let mut corners: Vec<[f32; 2]> = Vec::new();
    for point in points {
        while let [.., before, last] = corners.as_slice() {
            let turn = (last[0] - before[0]) * (point[1] - before[1])
                - (last[1] - before[1]) * (point[0] - before[0]);
            if turn > 0.0 {
                break;
            }
            corners.pop();
        }
        corners.push(*point);
    }
    corners.pop();
    corners
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(one: f32, other: f32) -> bool {
        (one - other).abs() < 1e-3
    }

    #[test]
    fn turned_rectangle_is_found_as_it_lies() {
        // Three by one, turned by 45 degrees: cv2.minAreaRect says the same sides.
        let points = [[0.0, 0.0], [3.0, 3.0], [2.0, 4.0], [-1.0, 1.0], [1.0, 2.0]];
        let found = Rectangle::around(&points).unwrap();
        let (width, height) = found.sides();
        assert!(near(width.max(height), 18.0_f32.sqrt()), "{found:?}");
        assert!(near(found.short_side(), 2.0_f32.sqrt()), "{found:?}");
    }

    #[test]
    fn corners_begin_at_the_upper_left_and_go_round() {
        let points = [[10.0, 20.0], [30.0, 20.0], [30.0, 25.0], [10.0, 25.0]];
        let corners = Rectangle::around(&points).unwrap().grown(1.0).corners_in_order();
        let expected = [[9.0, 19.0], [31.0, 19.0], [31.0, 26.0], [9.0, 26.0]];
        for (corner, expected) in corners.iter().zip(expected) {
            assert!(near(corner[0], expected[0]) && near(corner[1], expected[1]), "{corners:?}");
        }
    }

    #[test]
    fn points_without_an_area_have_a_rectangle_without_one() {
        assert_eq!(Rectangle::around(&[]), None);
        for points in [vec![[4.0, 4.0]], vec![[4.0, 4.0]; 3], vec![[0.0, 0.0], [5.0, 5.0]]] {
            assert!(near(Rectangle::around(&points).unwrap().short_side(), 0.0), "{points:?}");
        }
    }
}
