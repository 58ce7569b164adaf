//! Files beside an original that were made of it or written beside it. A person may delete them one by one;
//! what is made of the original can be made again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::AssetEvent;
use super::state::Asset;

/// A file beside an original; not of the edited photo, whose pictures go with its edits.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DerivedFile {
    /// The small picture.
    Thumbnail,
    /// The screen-sized picture.
    Preview,
    /// The picture at full size, of a file that browsers do not show.
    FullSize,
    /// The XMP file.
    Sidecar,
    /// The copy of a film that every player shows.
    EncodedVideo,
}

/// Somebody deleted one of the files beside it. What is made of the original is made again when its step is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AssetFileDeleted {
    /// Which.
    pub file: DerivedFile,
}

impl Asset {
    /// Deletes a file that is there; one that is not there stays away.
    pub(super) fn delete_file(&self, file: DerivedFile) -> Vec<AssetEvent> {
        let is_there = match file {
            DerivedFile::Thumbnail | DerivedFile::Preview => self.pictures.contains(&file),
            DerivedFile::FullSize => self.full_size.is_some(),
            DerivedFile::Sidecar => self.sidecar().is_some(),
            DerivedFile::EncodedVideo => self.encoded.is_some(),
        };
        if is_there { vec![AssetFileDeleted { file }.into()] } else { vec![] }
    }

    /// Takes in that a file is gone. Of the sidecar is told elsewhere.
    pub(super) fn lose_file(&mut self, file: DerivedFile) {
        match file {
            DerivedFile::Thumbnail | DerivedFile::Preview => drop(self.pictures.remove(&file)),
            DerivedFile::FullSize => self.full_size = None,
            DerivedFile::Sidecar => {}
            DerivedFile::EncodedVideo => self.encoded = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use uuid::Uuid;

    use super::super::{
        AssetCommand, AssetError, AssetFullSizeRecorded, AssetSidecarWritten,
        AssetThumbnailsRecorded, AssetUploaded, Blob, DerivedImage, MediaKind, ProcessorRef,
        UploadedFile, Visibility,
    };
    use super::*;
    use crate::id::UserId;

    const OWNER: UserId = UserId::new(Uuid::from_u128(1));
    const STRANGER: UserId = UserId::new(Uuid::from_u128(2));

    fn blob(key: &str) -> Blob {
        Blob { key: key.into(), size_bytes: 1, sha1: "a".repeat(40), blake3: "b".repeat(64) }
    }

    fn image(key: &str) -> DerivedImage {
        DerivedImage { key: key.into(), size_bytes: 1, width: 1, height: 1 }
    }

    fn processor() -> ProcessorRef {
        ProcessorRef { name: "thumbnails".into(), version: 1 }
    }

    fn developed() -> Vec<AssetEvent> {
        let made_at = chrono::DateTime::UNIX_EPOCH;
        let uploaded = AssetUploaded {
            owner_id: OWNER,
            kind: MediaKind::Image,
            original: blob("upload/a.heic"),
            sidecar: Some(blob("upload/a.xmp")),
            file: UploadedFile { original_file_name: "a.heic".into() }.into(),
            file_created_at: made_at,
            file_modified_at: made_at,
            is_favorite: false,
            visibility: Visibility::Timeline,
            duration_ms: None,
            live_photo_video_id: None,
        };
        let made = AssetThumbnailsRecorded {
            processor: processor(),
            input_blake3: "b".repeat(64),
            thumbhash: String::new(),
            thumbnail: image("thumbs/a-thumbnail.webp"),
            preview: image("thumbs/a-preview.jpg"),
            display_width: 1,
            display_height: 1,
        };
        let full = AssetFullSizeRecorded {
            processor: processor(),
            input_blake3: "b".repeat(64),
            image: Some(image("thumbs/a-fullsize.jpg")),
        };
        vec![uploaded.into(), made.into(), full.into()]
    }

    fn delete(by: UserId, file: DerivedFile) -> AssetCommand {
        AssetCommand::DeleteFile { by, file }
    }

    #[test]
    fn each_file_is_deleted_once_and_none_that_is_not_there() {
        let files = [
            DerivedFile::Thumbnail,
            DerivedFile::Preview,
            DerivedFile::FullSize,
            DerivedFile::Sidecar,
        ];
        for file in files {
            let deleted = AssetEvent::from(AssetFileDeleted { file });
            TestFramework::<Asset>::with(())
                .given(developed())
                .when(delete(OWNER, file))
                .then_expect_events(vec![deleted.clone()]);
            TestFramework::<Asset>::with(())
                .given([developed(), vec![deleted]].concat())
                .when(delete(OWNER, file))
                .then_expect_events(vec![]);
        }
        TestFramework::<Asset>::with(())
            .given(developed())
            .when(delete(OWNER, DerivedFile::EncodedVideo))
            .then_expect_events(vec![]);
    }

    #[test]
    fn nobody_else_deletes_them() {
        TestFramework::<Asset>::with(())
            .given(developed())
            .when(delete(STRANGER, DerivedFile::Preview))
            .then_expect_error(AssetError::NotOwner { by: STRANGER });
    }

    #[test]
    fn a_sidecar_that_is_written_again_can_be_deleted_again() {
        let deleted = AssetEvent::from(AssetFileDeleted { file: DerivedFile::Sidecar });
        let written =
            AssetSidecarWritten { sidecar: Some(blob("upload/a.xmp")), fields: [].into() };
        TestFramework::<Asset>::with(())
            .given([developed(), vec![deleted.clone(), written.into()]].concat())
            .when(delete(OWNER, DerivedFile::Sidecar))
            .then_expect_events(vec![deleted]);
    }
}
