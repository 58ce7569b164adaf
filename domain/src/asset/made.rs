//! The pictures that were made of an asset and are shown, folded from its events. Whatever else was ever made of
//! it is left over: made with other options, or of other edits.

use super::derived::DerivedFile;
use super::event::AssetEvent;
use super::values::DerivedImage;

impl AssetEvent {
    /// Keys of the pictures that it tells of.
    pub fn pictures(&self) -> impl Iterator<Item = &str> {
        let images: Vec<&DerivedImage> = match self {
            Self::ThumbnailsRecorded(made) => vec![&made.thumbnail, &made.preview],
            Self::FullSizeRecorded(made) => made.image.iter().collect(),
            Self::EditedPicturesRecorded(made) => {
                vec![&made.thumbnail, &made.preview, &made.full_size]
            }
            _ => vec![],
        };
        images.into_iter().map(|image| image.key.as_str())
    }

    fn pictures_owned(&self) -> Vec<String> {
        self.pictures().map(str::to_owned).collect()
    }
}

/// Keys of the pictures that are shown of an asset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShownPictures {
    thumbnail: Option<String>,
    preview: Option<String>,
    full_size: Vec<String>,
    edited: Vec<String>,
}

impl ShownPictures {
    /// Takes in what happened to the asset.
    pub fn evolve(&mut self, event: &AssetEvent) {
        match event {
            AssetEvent::ThumbnailsRecorded(made) => {
                self.thumbnail = Some(made.thumbnail.key.clone());
                self.preview = Some(made.preview.key.clone());
            }
            AssetEvent::FullSizeRecorded(_) => self.full_size = event.pictures_owned(),
            AssetEvent::EditedPicturesRecorded(_) => self.edited = event.pictures_owned(),
            AssetEvent::EditsRemoved(_) => self.edited.clear(),
            AssetEvent::FileDeleted(deleted) => match deleted.file {
                DerivedFile::Thumbnail => self.thumbnail = None,
                DerivedFile::Preview => self.preview = None,
                DerivedFile::FullSize => self.full_size.clear(),
                DerivedFile::Sidecar | DerivedFile::EncodedVideo => {}
            },
            AssetEvent::Purged(_) => *self = Self::default(),
            _ => {}
        }
    }

    /// Whether a key is one of theirs.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        let own = self.thumbnail.iter().chain(&self.preview);
        own.chain(&self.full_size).chain(&self.edited).any(|shown| shown == key)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        AssetEditedPicturesRecorded, AssetEditsRemoved, AssetFileDeleted, AssetFullSizeRecorded,
        AssetThumbnailsRecorded, ProcessorRef,
    };
    use super::*;

    fn image(key: &str) -> DerivedImage {
        DerivedImage { key: key.into(), size_bytes: 1, width: 1, height: 1 }
    }

    fn processor() -> ProcessorRef {
        ProcessorRef { name: "thumbnails".into(), version: 1 }
    }

    fn thumbnails(recipe: &str) -> AssetEvent {
        AssetThumbnailsRecorded {
            processor: processor(),
            input_blake3: "b".into(),
            thumbhash: String::new(),
            thumbnail: image(&format!("thumbnail-{recipe}")),
            preview: image(&format!("preview-{recipe}")),
            display_width: 1,
            display_height: 1,
        }
        .into()
    }

    fn full_size(key: Option<&str>) -> AssetEvent {
        let image = key.map(image);
        AssetFullSizeRecorded { processor: processor(), input_blake3: "b".into(), image }.into()
    }

    fn edited() -> AssetEvent {
        AssetEditedPicturesRecorded {
            processor: processor(),
            input_blake3: "b".into(),
            edit_ids: vec![],
            thumbhash: String::new(),
            thumbnail: image("edited-thumbnail"),
            preview: image("edited-preview"),
            full_size: image("edited-full"),
        }
        .into()
    }

    fn shown(events: &[AssetEvent]) -> Vec<&str> {
        let mut shown = ShownPictures::default();
        events.iter().for_each(|event| shown.evolve(event));
        events.iter().flat_map(AssetEvent::pictures).filter(|key| shown.has(key)).collect()
    }

    #[test]
    fn pictures_that_others_took_the_place_of_are_not_shown() {
        let events = [thumbnails("a"), full_size(Some("full")), thumbnails("b")];
        assert_eq!(shown(&events), ["full", "thumbnail-b", "preview-b"]);
        assert_eq!(shown(&[full_size(Some("full")), full_size(None)]), [""; 0]);
    }

    #[test]
    fn pictures_of_edits_go_with_the_edits() {
        assert_eq!(shown(&[edited()]), ["edited-thumbnail", "edited-preview", "edited-full"]);
        assert_eq!(shown(&[edited(), AssetEditsRemoved {}.into()]), [""; 0]);
    }

    #[test]
    fn deleted_pictures_are_not_shown_until_they_are_made_again() {
        let deleted = |file| AssetEvent::from(AssetFileDeleted { file });
        let events = [thumbnails("a"), deleted(DerivedFile::Preview)];
        assert_eq!(shown(&events), ["thumbnail-a"]);
        let again = [thumbnails("a"), deleted(DerivedFile::Thumbnail), thumbnails("a")];
        assert_eq!(shown(&again).len(), 4);
        assert_eq!(shown(&[full_size(Some("full")), deleted(DerivedFile::FullSize)]), [""; 0]);
    }
}
