//! From a detector's answer to boxes: SCRFD's cells (arXiv 2105.04714), and of boxes over one another the best.

use crate::num;
use crate::session::Tensor;

/// Sides of the cells, in pixels of the input.
const STRIDES: [usize; 3] = [8, 16, 32];
/// Boxes that share more than this part of their area are one face (`InsightFace`'s value).
const OVERLAP_MAX: f32 = 0.4;
/// Boxes that are compared with one another.
const CANDIDATES_MAX: usize = 2_000;

/// A box with a face in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    /// Left, top, right, bottom.
    pub(super) sides: [f32; 4],
    pub(super) landmarks: [[f32; 2]; 5],
    pub(super) score: f32,
}

impl Found {
    pub(super) fn scale(&mut self, by: f32) {
        self.sides.iter_mut().for_each(|it| *it *= by);
        self.landmarks.as_flattened_mut().iter_mut().for_each(|it| *it *= by);
    }

    /// As the reference counts it: a box of one pixel has the area 1.
    fn area(&self) -> f32 {
        (self.sides[2] - self.sides[0] + 1.0) * (self.sides[3] - self.sides[1] + 1.0)
    }

    /// The part that two boxes share of what they cover together.
    fn overlap(&self, other: &Self) -> f32 {
        let width = self.sides[2].min(other.sides[2]) - self.sides[0].max(other.sides[0]) + 1.0;
        let height = self.sides[3].min(other.sides[3]) - self.sides[1].max(other.sides[1]) + 1.0;
        let both = width.max(0.0) * height.max(0.0);
        both / (self.area() + other.area() - both)
    }
}

/// Boxes in pixels of the input, of `(width, height)`, with at least this score.
pub(super) fn decode(
    outputs: &[Tensor],
    (width, height): (usize, usize),
    min_score: f32,
) -> Result<Vec<Found>, String> {
    let mut found = Vec::new();
    for (level, stride) in STRIDES.into_iter().enumerate() {
        let (columns, rows) = (width / stride, height / stride);
        let part = |at: usize| outputs.get(at * 3 + level).map(|it| it.values.as_slice());
        let (Some(scores), Some(boxes), Some(marks)) = (part(0), part(1), part(2)) else {
            return Err("outputs are missing".to_owned());
        };
        let anchors = scores.len() / (columns * rows).max(1);
        let is_whole = anchors > 0 && scores.len() == anchors * columns * rows;
        if !is_whole || boxes.len() != scores.len() * 4 || marks.len() != scores.len() * 10 {
            return Err(format!("outputs for cells of {stride} pixels do not fit together"));
        }
        let size = num::real(stride);
        for (at, score) in scores.iter().enumerate().filter(|(_, score)| **score >= min_score) {
            let cell = at / anchors;
            let centre = [num::real(cell % columns) * size, num::real(cell / columns) * size];
            let far = &boxes[at * 4..at * 4 + 4];
            let marks = &marks[at * 10..at * 10 + 10];
            let candidate = Found {
                sides: [
                    centre[0] - far[0] * size,
                    centre[1] - far[1] * size,
                    centre[0] + far[2] * size,
                    centre[1] + far[3] * size,
                ],
                landmarks: std::array::from_fn(|point| {
                    std::array::from_fn(|axis| centre[axis] + marks[point * 2 + axis] * size)
                }),
                score: *score,
            };
            let numbers = candidate.sides.iter().chain(candidate.landmarks.as_flattened());
            if numbers.chain([&candidate.score]).all(|it| it.is_finite()) {
                found.push(candidate);
            }
        }
    }
    Ok(found)
}

/// The best of boxes that lie over one another, the best score first.
pub(super) fn without_overlaps(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by(|one, other| other.score.total_cmp(&one.score));
    found.truncate(CANDIDATES_MAX);
    let mut kept: Vec<Found> = Vec::new();
    for candidate in found {
        if kept.iter().all(|better| better.overlap(&candidate) <= OVERLAP_MAX) {
            kept.push(candidate);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(left: f32, score: f32) -> Found {
        Found { sides: [left, 0.0, left + 9.0, 9.0], landmarks: [[0.0; 2]; 5], score }
    }

    /// Outputs of a detector of 32 by 32 pixels with one anchor a cell, all zero.
    fn nothing() -> Vec<Tensor> {
        let output = |width: usize| {
            STRIDES.map(|stride| {
                let cells = (32 / stride) * (32 / stride);
                Tensor { shape: vec![cells, width], values: vec![0.0; cells * width] }
            })
        };
        [output(1), output(4), output(10)].concat()
    }

    #[test]
    fn best_of_boxes_over_one_another_stays() {
        let kept = without_overlaps(vec![found(0.0, 0.7), found(1.0, 0.9), found(30.0, 0.8)]);
        let scores: Vec<f32> = kept.iter().map(|it| it.score).collect();
        assert_eq!(scores, [0.9, 0.8]);
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "numbers that f32 holds exactly")]
    fn cell_becomes_a_box_round_its_corner() {
        let mut outputs = nothing();
        // The cell in the second column of the second row, 16 pixels wide.
        outputs[1].values[3] = 0.75;
        outputs[4].values[12..16].copy_from_slice(&[0.5, 0.25, 1.0, 0.5]);
        outputs[7].values[30..32].copy_from_slice(&[0.125, -0.125]);

        let found = decode(&outputs, (32, 32), 0.5).unwrap();

        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].sides, [8.0, 12.0, 32.0, 24.0]);
        assert_eq!(found[0].landmarks[0], [18.0, 14.0]);
        assert!((found[0].score - 0.75).abs() < 1e-6);
    }

    #[test]
    fn outputs_that_do_not_fit_together_are_refused() {
        let mut outputs = nothing();
        outputs[3].values.pop();
        assert!(decode(&outputs, (32, 32), 0.5).is_err());
        assert!(decode(&[], (32, 32), 0.5).is_err());
        let mut outputs = nothing();
        outputs[0].values[0] = 0.9;
        outputs[3].values[0] = f32::NAN;
        assert_eq!(decode(&outputs, (32, 32), 0.5).unwrap(), []);
    }
}
