//! From a map of likelihoods to the outlines of what is likely.

/// How likely each pixel lies on a word.
pub(super) struct Map<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Row by row.
    pub(super) values: &'a [f32],
}

/// What is above this is a word.
const LIKELY: f32 = 0.3;

impl Map<'_> {
    /// What is likely, grown by a pixel to the right and downwards, which joins letters (`cv2.dilate` with two
    /// by two ones).
    fn mask(&self) -> Vec<bool> {
        let mut mask = vec![false; self.values.len()];
        for y in 0..self.height {
            for x in 0..self.width {
                if self.values[y * self.width + x] > LIKELY {
                    for (x, y) in [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)] {
                        if x < self.width && y < self.height {
                            mask[y * self.width + x] = true;
                        }
                    }
                }
            }
        }
        mask
    }

    /// The mean of the pixels in a box, its edges included.
    pub(super) fn mean_inside(&self, corners: &[[f32; 2]; 4]) -> f32 {
        // Whole pixels, as the reference draws the box.
        let corners = corners.map(|corner| corner.map(|it| it.max(0.0).trunc()));
        let turn = area(&corners).signum();
        let (first, last) = self.rows(&corners);
        let (mut sum, mut count) = (0.0_f32, 0_usize);
        for y in first..=last {
            let row = crate::num::real(y);
            for x in self.columns(&corners) {
                let place = [crate::num::real(x), row];
                let is_inside = (0..4).all(|at| {
                    let (from, to) = (corners[at], corners[(at + 1) % 4]);
                    // Edges are drawn, too: what lies within half a pixel of one is inside.
                    let reach = (to[0] - from[0]).abs().max((to[1] - from[1]).abs()) / 2.0;
                    turn * side(from, to, place) >= -reach
                });
                if is_inside {
                    sum += self.values[y * self.width + x];
                    count += 1;
                }
            }
        }
        if count == 0 { 0.0 } else { sum / crate::num::real(count) }
    }

    fn rows(&self, corners: &[[f32; 2]; 4]) -> (usize, usize) {
        span(corners.map(|it| it[1]), self.height)
    }

    fn columns(&self, corners: &[[f32; 2]; 4]) -> std::ops::RangeInclusive<usize> {
        let (first, last) = span(corners.map(|it| it[0]), self.width);
        first..=last
    }
}

fn span(values: [f32; 4], length: usize) -> (usize, usize) {
    let least = values.iter().copied().fold(f32::INFINITY, f32::min);
    let most = values.iter().copied().fold(0.0, f32::max);
    (crate::num::floor(least).min(length - 1), crate::num::floor(most).min(length - 1))
}

/// Twice the area of a box; the sign tells which way its corners go round.
fn area(corners: &[[f32; 2]; 4]) -> f32 {
    (0..4).map(|at| side([0.0, 0.0], corners[at], corners[(at + 1) % 4])).sum()
}

/// Above 0 where `place` lies to one side of the line, below on the other.
fn side(from: [f32; 2], to: [f32; 2], place: [f32; 2]) -> f32 {
    (to[0] - from[0]) * (place[1] - from[1]) - (to[1] - from[1]) * (place[0] - from[0])
}

/// For each connected region the ends of its rows, which hold its hull; regions from the top, as many as may
/// be. Regions touch over corners, too. Holes in them are no regions.
pub(super) fn outlines(map: &Map<'_>, regions_max: usize) -> Vec<Vec<[f32; 2]>> {
    let mut mask = map.mask();
    let mut found = Vec::new();
    let mut waiting = Vec::new();
    for start in 0..mask.len() {
        if !mask[start] {
            continue;
        }
        if found.len() >= regions_max {
            break;
        }
        mask[start] = false;
        waiting.push(start);
        // Rows of a region follow one another, from the one that it begins in.
        let top = start / map.width;
        let mut rows: Vec<(usize, usize)> = Vec::new();
        while let Some(at) = waiting.pop() {
            let (x, y) = (at % map.width, at / map.width);
            if rows.len() <= y - top {
                rows.resize(y - top + 1, (usize::MAX, 0));
            }
            let row = &mut rows[y - top];
            *row = (row.0.min(x), row.1.max(x));
            for y in y.saturating_sub(1)..=(y + 1).min(map.height - 1) {
                for x in x.saturating_sub(1)..=(x + 1).min(map.width - 1) {
                    let near = y * map.width + x;
                    if std::mem::take(&mut mask[near]) {
                        waiting.push(near);
                    }
                }
            }
        }
        let ends = rows.iter().enumerate().filter(|(_, row)| row.0 <= row.1);
        found.push(
            ends.flat_map(|(at, row)| {
                let y = crate::num::real(top + at);
                [[crate::num::real(row.0), y], [crate::num::real(row.1), y]]
            })
            .collect(),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(width: usize, values: &[f32]) -> Map<'_> {
        Map { width, height: values.len() / width, values }
    }

    #[test]
    fn regions_that_touch_are_one() {
        #[rustfmt::skip]
        let values = [
            0.9, 0.0, 0.0, 0.0, 0.0, 0.9,
            0.0, 0.0, 0.9, 0.0, 0.0, 0.0,
            0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
        ];
        let found = outlines(&map(6, &values), 10);
        // The first grows to touch the second over a corner; the third stays alone.
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(
            found[0],
            [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [3.0, 1.0], [2.0, 2.0], [3.0, 2.0]]
        );
        assert_eq!(found[1], [[5.0, 0.0], [5.0, 0.0], [5.0, 1.0], [5.0, 1.0]]);
        assert_eq!(outlines(&map(6, &values), 1).len(), 1);
    }

    #[test]
    fn mean_counts_what_is_inside_whichever_way_corners_go_round() {
        let values = [1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let map = map(4, &values);
        let mut corners = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];
        assert!((map.mean_inside(&corners) - 1.0).abs() < 1e-6);
        corners.reverse();
        assert!((map.mean_inside(&corners) - 1.0).abs() < 1e-6);
        let wide = [[0.0, 0.0], [9.0, 0.0], [9.0, 9.0], [0.0, 9.0]];
        assert!((map.mean_inside(&wide) - 4.0 / 12.0).abs() < 1e-6);
    }
}
