//! Wishes about what is written in assets.

use bytes::Bytes;
use calotype_domain::asset::{
    Asset, AssetCommand, AssetError, AssetTextRead, LINES_MAX, TEXT_BYTES_MAX, TextBox, TextReader,
};
use calotype_domain::model::ModelRef;
use calotype_domain::trial::AssetTrialTextRead;
use calotype_domain::{AssetId, UserId};
use uuid::Uuid;

use crate::assets::{stream, subject};
use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome};
use crate::error::CommandError;
use crate::trials::Tried;

/// The name of the attachment that says where the lines stand.
pub const BOXES: &str = "boxes";

/// What a model reads in an asset.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    reader: TextReader,
    input_blake3: String,
    lines: Vec<String>,
    boxes: Bytes,
}

impl Text {
    /// What `reader` reads in the preview of an original with this BLAKE3, lower-case hex. Of more lines than an
    /// asset may have, or of more words, the first ones are kept.
    #[must_use]
    pub fn new(reader: TextReader, input_blake3: &str, lines: Vec<(String, TextBox)>) -> Self {
        let mut left = TEXT_BYTES_MAX;
        let fits = |(words, _): &(String, TextBox)| {
            left.checked_sub(words.len()).map(|less| left = less).is_some()
        };
        let (lines, boxes): (Vec<String>, Vec<TextBox>) =
            lines.into_iter().take(LINES_MAX).take_while(fits).map(without_nul).unzip();
        let boxes = Bytes::from(TextBox::pack(&boxes));
        Self { reader, input_blake3: input_blake3.to_owned(), lines, boxes }
    }
}

impl Text {
    /// The same as what a model that is tried reads.
    #[must_use]
    pub fn tried(self, trial_id: Uuid, owner_id: UserId) -> Tried {
        let event = AssetTrialTextRead {
            trial_id,
            owner_id,
            reader: self.reader,
            input_blake3: self.input_blake3.clone(),
            lines: self.lines.into(),
            boxes_blake3: blake3::hash(&self.boxes).to_hex().to_string(),
        };
        let attached = Some((BOXES, self.boxes)).filter(|(_, boxes)| !boxes.is_empty());
        Tried { event: event.into(), input_blake3: self.input_blake3, attached }
    }

    /// Which model reads it.
    #[must_use]
    pub const fn model(&self) -> &ModelRef {
        &self.reader.model
    }
}

/// No database keeps U+0000, and nobody looks for it.
fn without_nul((words, place): (String, TextBox)) -> (String, TextBox) {
    (words.replace('\0', " "), place)
}

impl Commands {
    /// Records what a model reads in an asset. What is known already is not recorded again, and nothing of a file
    /// that the asset is not any more.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn record_text(
        &self,
        ctx: &CommandContext,
        asset_id: AssetId,
        text: &Text,
    ) -> Result<Outcome, CommandError<AssetError>> {
        for _ in 0..ATTEMPTS_MAX {
            let (asset, last) = self.load::<Asset>(&stream(asset_id)).await?;
            let Some(owner_id) = asset.owner_id() else { return Ok(Outcome::AlreadyTrue) };
            let command = AssetCommand::RecordText(Box::new(AssetTextRead {
                owner_id,
                reader: text.reader.clone(),
                input_blake3: text.input_blake3.clone(),
                line_count: u32::try_from(text.lines.len()).unwrap_or(u32::MAX),
                lines: text.lines.clone().into(),
                boxes_blake3: blake3::hash(&text.boxes).to_hex().to_string(),
            }));
            let mut unit = self.unit(ctx);
            let subject = Some(subject(asset_id));
            unit.decide(&asset, last, stream(asset_id), subject, std::slice::from_ref(&command))?;
            if !text.boxes.is_empty() {
                unit.attach(BOXES, text.boxes.clone());
            }
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }
}

#[cfg(test)]
mod tests {
    use calotype_domain::asset::TextLimits;
    use calotype_domain::model::ModelRef;

    use super::*;

    fn text(lines: Vec<String>) -> Text {
        let reader = TextReader {
            model: ModelRef { name: "a".into(), revision: "1".into(), sha256: "0".into() },
            limits: TextLimits { resolution_px: 736, box_score_min: 0.5, text_score_min: 0.8 },
        };
        let lines = lines.into_iter().map(|words| (words, TextBox::default())).collect();
        Text::new(reader, "b", lines)
    }

    #[test]
    fn more_lines_than_an_asset_may_have_are_cut_off() {
        let all = text(vec!["a".to_owned(); LINES_MAX + 1]);
        assert_eq!((all.lines.len(), all.boxes.len()), (LINES_MAX, LINES_MAX * 20));
        let long = text(vec!["a".repeat(TEXT_BYTES_MAX / 2); 3]);
        assert_eq!((long.lines.len(), long.boxes.len()), (2, 40));
    }
}
