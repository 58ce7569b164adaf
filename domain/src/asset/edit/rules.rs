//! What may be edited, and how.

use serde::{Deserialize, Serialize};

use super::{
    AssetEdit, AssetEdited, AssetEditedPicturesRecorded, AssetEditsRemoved, Crop, EDITS_MAX,
    EditAction, Geometry,
};
use crate::asset::event::AssetEvent;
use crate::asset::values::MediaKind;

/// Types of pictures that would lose what they are.
const NOT_EDITED: [(&str, EditRefusal); 2] =
    [("image/gif", EditRefusal::Gif), ("image/svg+xml", EditRefusal::Svg)];

/// Why edits were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditRefusal {
    /// It is a film.
    #[error("Only images can be edited")]
    Video,
    /// A film belongs to it.
    #[error("Editing live photos is not supported")]
    LivePhoto,
    /// It shows all round.
    #[error("Editing panorama images is not supported")]
    Panorama,
    /// It may move.
    #[error("Editing GIF images is not supported")]
    Gif,
    /// It has no pixels.
    #[error("Editing SVG images is not supported")]
    Svg,
    /// It was not looked at yet, or could not be.
    #[error("Asset dimensions are not available for editing")]
    NoSize,
    /// Pixels of a crop are those of the picture without edits.
    #[error("Crop action must be the first edit action")]
    CropNotFirst,
    /// The part to keep is empty or goes over an edge.
    #[error("Crop parameters are out of bounds")]
    CropOutside,
    /// A second crop, a second turn, or a second mirror over the same axis.
    #[error("Duplicate edit actions are not allowed")]
    Twice,
    /// Another angle than 0, 90, 180 or 270.
    #[error("Angle must be one of the following values: 0, 90, 180, 270")]
    Angle,
    /// No edits at all.
    #[error("There must be an edit")]
    Nothing,
}

/// What the rules about edits ask of an asset, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Editing {
    is_video: bool,
    is_live: bool,
    is_panorama: bool,
    mime_type: String,
    /// Width and height as shown without edits; by the pictures that were made, or else by the file.
    shown: Option<(u32, u32)>,
    stored: Option<(u32, u32)>,
    edits: Vec<AssetEdit>,
}

impl Editing {
    /// The edits, in order.
    #[must_use]
    pub fn edits(&self) -> &[AssetEdit] {
        &self.edits
    }

    /// What the edits make of the picture, where there are any.
    #[must_use]
    pub fn geometry(&self) -> Option<Geometry> {
        let size = self.size().filter(|_| !self.edits.is_empty())?;
        Some(Geometry::of(&self.edits, size))
    }

    fn size(&self) -> Option<(u32, u32)> {
        self.shown.or(self.stored).filter(|(width, height)| *width > 0 && *height > 0)
    }

    pub(crate) fn edit(&self, edits: &[AssetEdit]) -> Result<Vec<AssetEvent>, EditRefusal> {
        self.may_be_edited()?;
        check(edits, self.size().ok_or(EditRefusal::NoSize)?)?;
        let same = self.edits.iter().map(|edit| edit.does).eq(edits.iter().map(|edit| edit.does));
        Ok(if same { vec![] } else { vec![AssetEdited { edits: edits.to_vec() }.into()] })
    }

    pub(crate) fn remove(&self) -> Vec<AssetEvent> {
        if self.edits.is_empty() { vec![] } else { vec![AssetEditsRemoved {}.into()] }
    }

    /// Whether pictures show the edits as they are.
    pub(crate) fn are_shown_by(&self, made: &AssetEditedPicturesRecorded) -> bool {
        !self.edits.is_empty()
            && self.edits.iter().map(|edit| edit.edit_id).eq(made.edit_ids.iter().copied())
    }

    fn may_be_edited(&self) -> Result<(), EditRefusal> {
        if self.is_video {
            return Err(EditRefusal::Video);
        }
        if self.is_live {
            return Err(EditRefusal::LivePhoto);
        }
        if self.is_panorama {
            return Err(EditRefusal::Panorama);
        }
        let by_type = NOT_EDITED.iter().find(|(mime, _)| *mime == self.mime_type);
        by_type.map_or(Ok(()), |(_, refusal)| Err(*refusal))
    }

    pub(crate) fn evolve(&mut self, event: &AssetEvent) {
        match event {
            AssetEvent::Uploaded(uploaded) => {
                self.is_video = uploaded.kind == MediaKind::Video;
                self.is_live = uploaded.live_photo_video_id.is_some();
            }
            AssetEvent::FilmLinked(_) => self.is_live = true,
            AssetEvent::FilmUnlinked(_) => self.is_live = false,
            AssetEvent::MetadataRecorded(facts) => {
                self.mime_type.clone_from(&facts.mime_type);
                self.is_panorama = facts.projection_type.is_some();
                let swaps = facts.orientation.is_some_and(|value| (5..=8).contains(&value));
                self.stored = facts
                    .width
                    .zip(facts.height)
                    .map(|(width, height)| if swaps { (height, width) } else { (width, height) });
            }
            AssetEvent::ThumbnailsRecorded(made) => {
                self.shown = Some((made.display_width, made.display_height));
            }
            AssetEvent::Edited(edited) => self.edits.clone_from(&edited.edits),
            AssetEvent::EditsRemoved(_) => self.edits.clear(),
            _ => {}
        }
    }
}

fn check(edits: &[AssetEdit], (width, height): (u32, u32)) -> Result<(), EditRefusal> {
    if edits.is_empty() {
        return Err(EditRefusal::Nothing);
    }
    let mut seen = Vec::with_capacity(EDITS_MAX);
    for (place, edit) in edits.iter().enumerate() {
        let kind = match edit.does {
            EditAction::Crop(_) => ("crop", None),
            EditAction::Rotate(rotate) if matches!(rotate.angle, 0 | 90 | 180 | 270) => {
                ("rotate", None)
            }
            EditAction::Rotate(_) => return Err(EditRefusal::Angle),
            EditAction::Mirror(mirror) => ("mirror", Some(mirror.axis)),
        };
        if seen.contains(&kind) {
            return Err(EditRefusal::Twice);
        }
        seen.push(kind);
        if let EditAction::Crop(Crop { x, y, width: across, height: down }) = edit.does {
            if place > 0 {
                return Err(EditRefusal::CropNotFirst);
            }
            let fits = |start: u32, length: u32, side: u32| {
                length > 0 && start.checked_add(length).is_some_and(|end| end <= side)
            };
            if !fits(x, across, width) || !fits(y, down, height) {
                return Err(EditRefusal::CropOutside);
            }
        }
    }
    Ok(())
}
