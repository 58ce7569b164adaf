//! What is written in an asset, line by line, as a model reads it.
//!
//! The words are a person's and sealed. Where they stand is an attachment of the event: only those who show it
//! need it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::event::{AssetEvent, AssetProcessingRequested};
use super::state::Asset;
use super::values::{ProcessorRef, Stage, Visibility};
use crate::id::UserId;
use crate::model::ModelRef;
use crate::sealed::Sealed;

/// Most lines of one asset.
pub const LINES_MAX: usize = 1_000;
/// Most bytes of all its lines together.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Numbers of a line in the attachment: x and y of four corners, and two scores.
const LINE_NUMBERS: usize = 10;
/// Bytes of a number in the attachment.
const NUMBER_BYTES: usize = 2;

/// How closely a model looks, and how sure it must be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TextLimits {
    /// The short side of the picture while lines are looked for, in pixels.
    pub resolution_px: u32,
    /// How sure the model must be that there is a line, 0 to 1.
    pub box_score_min: f64,
    /// How sure it must be of what it reads, 0 to 1.
    pub text_score_min: f64,
}

/// Who reads: what one reads is not looked for again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TextReader {
    /// Which model.
    pub model: ModelRef,
    /// How it was told to look.
    pub limits: TextLimits,
}

impl TextReader {
    /// An id of the model and its limits.
    #[must_use]
    pub fn id(&self) -> Uuid {
        let TextLimits { resolution_px, box_score_min, text_score_min } = self.limits;
        let limits = format!("{resolution_px} {box_score_min} {text_score_min}");
        Uuid::new_v5(&self.model.id(), limits.as_bytes())
    }
}

/// A model read its preview; these lines take the place of those that were read before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetTextRead {
    /// Whose asset it is.
    pub owner_id: UserId,
    /// Which model, and how it was told to look.
    pub reader: TextReader,
    /// BLAKE3 of the original whose preview it looked at, lower-case hex.
    pub input_blake3: String,
    /// How many lines there are.
    pub line_count: u32,
    /// What they say, from the top.
    pub lines: Sealed<Vec<String>>,
    /// BLAKE3 of the attachment `boxes`, lower-case hex. It has ten numbers (u16, little-endian, as parts of
    /// 65,535) for each line: x and y of its corners (upper left, upper right, lower right, lower left) as parts
    /// of the picture's width and height, how sure the model is that there is a line, and how sure of what it
    /// says.
    pub boxes_blake3: String,
}

/// Where a line stands, and how sure the model is of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TextBox {
    /// Upper left, upper right, lower right, lower left: parts (0 to 1) of width and height.
    pub corners: [[f64; 2]; 4],
    /// How sure the model is that there is a line, 0 to 1.
    pub box_score: f64,
    /// How sure it is of what the line says, 0 to 1.
    pub text_score: f64,
}

impl TextBox {
    /// Boxes as the attachment holds them. What is beyond 0 to 1 is put to the nearest of them.
    #[must_use]
    pub fn pack(boxes: &[Self]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(boxes.len() * LINE_NUMBERS * NUMBER_BYTES);
        for one in boxes {
            let corners = one.corners.as_flattened();
            for value in corners.iter().chain([&one.box_score, &one.text_score]) {
                bytes.extend_from_slice(&packed(*value).to_le_bytes());
            }
        }
        bytes
    }

    /// The boxes in an attachment; nothing where the bytes are none.
    #[must_use]
    pub fn unpack(bytes: &[u8]) -> Option<Vec<Self>> {
        let (lines, rest) = bytes.as_chunks::<{ LINE_NUMBERS * NUMBER_BYTES }>();
        if !rest.is_empty() || lines.len() > LINES_MAX {
            return None;
        }
        let boxes = lines.iter().map(|line| {
            let (numbers, _) = line.as_chunks::<NUMBER_BYTES>();
            let at =
                |index: usize| f64::from(u16::from_le_bytes(numbers[index])) / f64::from(u16::MAX);
            Self {
                corners: [0, 2, 4, 6].map(|index| [at(index), at(index + 1)]),
                box_score: at(8),
                text_score: at(9),
            }
        });
        Some(boxes.collect())
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is between 0 and 65,535"
)]
fn packed(value: f64) -> u16 {
    let value = if value.is_finite() { value.clamp(0.0, 1.0) } else { 0.0 };
    (value * f64::from(u16::MAX)).round() as u16
}

/// The program that lets models read. What changes with a model is told by its name, not by this version.
pub(super) fn processor() -> ProcessorRef {
    ProcessorRef { name: "text".into(), version: 1 }
}

impl Asset {
    /// Whether it is known what this reader reads in the file as it is.
    #[must_use]
    pub fn is_read_by(&self, reader: &TextReader) -> bool {
        let done = self.done.get(&Stage::Text);
        self.text_reader.as_ref() == Some(reader)
            && done.is_some_and(|done| !done.failed && done.input_blake3 == self.original_blake3)
    }

    /// Asks for its text, where that is not known or asked for already. What is part of another asset is found
    /// as that one.
    pub(super) fn want_text(&self, reader: &TextReader) -> Vec<AssetEvent> {
        let is_known = self.requested.contains(&Stage::Text) || self.is_read_by(reader);
        if self.owner_id().is_none() || self.visibility == Visibility::Hidden || is_known {
            return vec![];
        }
        vec![AssetProcessingRequested { stage: Stage::Text }.into()]
    }

    /// A text is news where it is of the file as it is, and another reader's than the one that is known, or asked
    /// for.
    pub(super) fn take_text(&self, read: &AssetTextRead) -> Vec<AssetEvent> {
        let is_of_this =
            self.owner_id() == Some(read.owner_id) && read.input_blake3 == self.original_blake3;
        let is_wanted = self.requested.contains(&Stage::Text) || !self.is_read_by(&read.reader);
        if is_of_this && is_wanted { vec![read.clone().into()] } else { vec![] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_come_back_as_they_were() {
        let one = TextBox {
            corners: [[0.0, 0.25], [1.0, 0.25], [1.0, 0.5], [0.0, 0.5]],
            box_score: 0.9,
            text_score: 1.0,
        };
        let bytes = TextBox::pack(&[one, TextBox::default()]);
        assert_eq!(bytes.len(), 40);
        let back = TextBox::unpack(&bytes).unwrap();
        assert_eq!(back[1], TextBox::default());
        let pairs = back[0].corners.as_flattened().iter().zip(one.corners.as_flattened());
        for (value, wanted) in pairs.chain([(&back[0].box_score, &0.9)]) {
            assert!((value - wanted).abs() < 1e-5, "{back:?}");
        }
        assert_eq!(TextBox::unpack(&[]), Some(vec![]));
    }

    #[test]
    fn numbers_beyond_the_picture_are_put_to_its_edge() {
        let wild = TextBox {
            corners: [[-1.0, 2.0], [f64::NAN, f64::INFINITY], [0.0, 0.0], [0.0, 0.0]],
            ..TextBox::default()
        };
        let back = TextBox::unpack(&TextBox::pack(&[wild])).unwrap();
        assert_eq!(back[0].corners, [[0.0, 1.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]);
    }

    #[test]
    fn bytes_that_are_no_boxes_are_refused() {
        assert_eq!(TextBox::unpack(&[0; 19]), None);
        assert_eq!(TextBox::unpack(&vec![0; 20 * (LINES_MAX + 1)]), None);
    }

    #[test]
    fn other_limits_make_another_reader() {
        let reader = |resolution_px| TextReader {
            model: ModelRef { name: "a".into(), revision: "1".into(), sha256: "0".into() },
            limits: TextLimits { resolution_px, box_score_min: 0.5, text_score_min: 0.8 },
        };
        assert_eq!(reader(736).id(), reader(736).id());
        assert_ne!(reader(736).id(), reader(960).id());
    }
}
