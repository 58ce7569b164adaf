//! A line of an asset's text, as rows hold it.

use calotype_domain::asset::TextBox;
use serde::{Deserialize, Serialize};
use uuid::{Builder, Uuid};

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TextLine {
    /// What it says.
    pub words: String,
    /// Where it stands in the picture without edits: upper left, upper right, lower right, lower left, as parts of
    /// width and height.
    pub corners: [[f64; 2]; 4],
    /// How sure the model is that there is a line, 0 to 1.
    pub box_score: f64,
    /// How sure it is of what the line says, 0 to 1.
    pub text_score: f64,
}

impl TextLine {
    /// Lines with their boxes; a line without a box has its place nowhere.
    pub(super) fn all(lines: &[String], boxes: &[TextBox]) -> Vec<Self> {
        let boxes = boxes.iter().copied().chain(std::iter::repeat(TextBox::default()));
        let line = |(words, place): (&String, TextBox)| Self {
            words: words.clone(),
            corners: place.corners,
            box_score: place.box_score,
            text_score: place.text_score,
        };
        lines.iter().zip(boxes).map(line).collect()
    }
}

/// The id of the line at a place in an asset's text, in the form of version 4, as clients want it. It is the same
/// for every text of the asset, so that a line takes the place of the one that stood there before.
#[must_use]
pub fn line_id(asset_id: Uuid, place: usize) -> Uuid {
    let made = Uuid::new_v5(&asset_id, format!("text {place}").as_bytes());
    Builder::from_random_bytes(made.into_bytes()).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_lines_stay_and_differ() {
        let asset_id = Uuid::from_u128(7);
        assert_eq!(line_id(asset_id, 1), line_id(asset_id, 1));
        assert_ne!(line_id(asset_id, 1), line_id(asset_id, 2));
        assert_ne!(line_id(asset_id, 1), line_id(Uuid::from_u128(8), 1));
        assert_eq!(line_id(asset_id, 1).get_version_num(), 4);
    }

    #[test]
    fn lines_without_boxes_stand_nowhere() {
        let words = ["a".to_owned(), "b".to_owned()];
        let place = TextBox { box_score: 0.5, ..TextBox::default() };
        let lines = TextLine::all(&words, &[place]);
        assert!((lines[0].box_score - 0.5).abs() < 1e-9);
        assert_eq!(lines[1].corners, [[0.0; 2]; 4]);
    }
}
