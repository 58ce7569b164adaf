//! Pictures and copies of films, which can be made again: those that are shown, or may be about to be.

use std::collections::{BTreeMap, BTreeSet};

use calotype_domain::asset::{Asset, AssetEvent, ShownPictures, Stage};
use calotype_domain::event::{Aggregate as _, DomainEvent as _};
use calotype_domain::person::PersonEvent;
use calotype_eventstore::Recorded;
use uuid::Uuid;

use super::{Error, FILMS_ROOT, named_after};
use crate::dispatch::Commands;
use crate::reading::STREAMS_MAX;

impl Commands {
    /// What is made is named after the asset or the person that it shows.
    pub(super) async fn shown_or_being_made<'a>(
        &self,
        keys: &BTreeSet<&'a str>,
    ) -> Result<BTreeSet<&'a str>, Error> {
        let mut by_id: BTreeMap<Uuid, Vec<&'a str>> = BTreeMap::new();
        for key in keys {
            if let Some(id) = named_after(key) {
                by_id.entry(id).or_default().push(key);
            }
        }
        let ids: Vec<Uuid> = by_id.keys().copied().collect();
        let mut wanted = BTreeSet::new();
        for some in ids.chunks(STREAMS_MAX) {
            let assets = self.histories("asset", some).await?;
            let people = self.histories("person", some).await?;
            for (id, (asset, person)) in some.iter().zip(assets.iter().zip(&people)) {
                let (made, portrait) = (Made::of(asset)?, portrait(person)?);
                let keys = by_id.get(id).into_iter().flatten();
                wanted.extend(
                    keys.filter(|key| made.keeps(key) || portrait.as_deref() == Some(**key)),
                );
            }
        }
        Ok(wanted)
    }
}

/// What was made of an asset.
#[derive(Default)]
struct Made {
    asset: Asset,
    shown: ShownPictures,
}

impl Made {
    fn of(history: &[Recorded]) -> Result<Self, Error> {
        let mut made = Self::default();
        for event in history {
            let payload = event.payload.as_str();
            let event = AssetEvent::from_raw(&event.event_type, event.version, payload)?;
            made.asset.evolve(&event);
            made.shown.evolve(&event);
        }
        Ok(made)
    }

    /// Whether a key is one of what is shown. While a step is to be done, whatever it may make stays.
    fn keeps(&self, key: &str) -> bool {
        let asset = &self.asset;
        let is_to_be_made = if key.starts_with(FILMS_ROOT) {
            asset.is_asked_for(Stage::Video)
        } else {
            let is_edited = !asset.editing().edits().is_empty();
            !asset.knows(Stage::Thumbnails)
                || asset.is_asked_for(Stage::Thumbnails)
                || (is_edited && (!asset.knows(Stage::Edits) || asset.is_asked_for(Stage::Edits)))
        };
        let is_copy = asset.encoded().is_some_and(|copy| copy.key == key);
        asset.owner_id().is_some() && (is_to_be_made || is_copy || self.shown.has(key))
    }
}

/// The key of the picture that a person shows.
fn portrait(history: &[Recorded]) -> Result<Option<String>, Error> {
    let mut shown = None;
    for event in history {
        let payload = event.payload.as_str();
        match PersonEvent::from_raw(&event.event_type, event.version, payload)? {
            PersonEvent::ThumbnailRecorded(made) => shown = Some(made.image.key),
            PersonEvent::Deleted(_) | PersonEvent::MergedInto(_) => shown = None,
            _ => {}
        }
    }
    Ok(shown)
}

#[cfg(test)]
mod tests {
    use calotype_domain::UserId;
    use calotype_domain::asset::{
        AssetProcessingRequested, AssetPurged, AssetThumbnailsRecorded, AssetUploaded,
        AssetVideoEncoded, Blob, DerivedImage, MediaKind, ProcessorRef, UploadedFile, Visibility,
    };
    use chrono::DateTime;

    use super::*;

    fn processor() -> ProcessorRef {
        ProcessorRef { name: "thumbnails".into(), version: 1 }
    }

    fn uploaded() -> AssetEvent {
        AssetUploaded {
            owner_id: UserId::new(Uuid::from_u128(1)),
            kind: MediaKind::Video,
            original: Blob {
                key: "upload/a.mov".into(),
                size_bytes: 1,
                sha1: "s".into(),
                blake3: "b".into(),
            },
            sidecar: None,
            file: UploadedFile { original_file_name: "a.mov".into() }.into(),
            file_created_at: DateTime::UNIX_EPOCH,
            file_modified_at: DateTime::UNIX_EPOCH,
            is_favorite: false,
            visibility: Visibility::Timeline,
            duration_ms: None,
            live_photo_video_id: None,
        }
        .into()
    }

    fn pictured() -> AssetEvent {
        let image =
            |key: &str| DerivedImage { key: key.into(), size_bytes: 1, width: 1, height: 1 };
        AssetThumbnailsRecorded {
            processor: processor(),
            input_blake3: "b".into(),
            thumbhash: String::new(),
            thumbnail: image("thumbs/a-thumbnail.webp"),
            preview: image("thumbs/a-preview.jpg"),
            display_width: 1,
            display_height: 1,
        }
        .into()
    }

    fn requested(stage: Stage) -> AssetEvent {
        AssetProcessingRequested { stage }.into()
    }

    fn kept(events: &[AssetEvent]) -> [bool; 3] {
        let mut made = Made::default();
        for event in events {
            made.asset.evolve(event);
            made.shown.evolve(event);
        }
        ["thumbs/a-preview.jpg", "thumbs/a-preview-former.jpg", "encoded-video/a.mp4"]
            .map(|key| made.keeps(key))
    }

    #[test]
    fn what_is_shown_or_may_be_about_to_be_is_kept() {
        assert_eq!(kept(&[]), [false, false, false]);
        assert_eq!(kept(&[uploaded()]), [true, true, false]);
        assert_eq!(kept(&[uploaded(), pictured()]), [true, false, false]);
        let again = [uploaded(), pictured(), requested(Stage::Thumbnails)];
        assert_eq!(kept(&again), [true, true, false]);
        assert_eq!(kept(&[uploaded(), pictured(), requested(Stage::Video)]), [true, false, true]);
        assert_eq!(kept(&[uploaded(), pictured(), AssetPurged {}.into()]), [false; 3]);
    }

    #[test]
    fn copy_of_a_film_is_kept_while_it_is_played() {
        let encoded = AssetVideoEncoded {
            processor: processor(),
            input_blake3: "b".into(),
            recipe: "r".into(),
            key: "encoded-video/a.mp4".into(),
            size_bytes: 1,
            video_codec: "h264".into(),
            audio_codec: None,
            width: 2,
            height: 2,
            duration_ms: None,
        };
        assert_eq!(kept(&[uploaded(), pictured(), encoded.into()]), [true, false, true]);
    }
}
