//! What happens to a photo, by given, when and then.

mod edits;
mod embedded;
mod text;

use cqrs_es::test::TestFramework;
use uuid::Uuid;

use super::super::command::{Details, Purging};
use super::super::edit::{
    AssetEdit, AssetEdited, AssetEditedPicturesRecorded, AssetEditsRemoved, Crop, EditAction,
    EditRefusal, Rotate,
};
use super::super::encoded::{AssetVideoEncoded, AssetVideoEncodingSkipped};
use super::super::event::{
    AssetLocationChanged, AssetPlaceFound, AssetProcessingFailed, AssetThumbnailsRecorded,
    AssetUploaded,
};
use super::super::values::{
    Blob, DatasetRef, DerivedImage, MediaKind, Place, Position, ProcessorRef, UploadedFile,
    Visibility,
};
use super::*;
use crate::id::{AssetId, EditId, UserId};

const OWNER: UserId = UserId::new(Uuid::from_u128(1));
const STRANGER: UserId = UserId::new(Uuid::from_u128(2));

fn uploaded() -> AssetUploaded {
    AssetUploaded {
        owner_id: OWNER,
        kind: MediaKind::Image,
        original: Blob {
            key: "upload/a".into(),
            size_bytes: 3,
            sha1: "s".into(),
            blake3: "b".into(),
        },
        sidecar: None,
        file: UploadedFile { original_file_name: "a.jpg".into() }.into(),
        file_created_at: "2024-01-02T03:04:05Z".parse().unwrap(),
        file_modified_at: "2024-01-02T03:04:05Z".parse().unwrap(),
        is_favorite: false,
        visibility: Visibility::Timeline,
        duration_ms: None,
        live_photo_video_id: None,
    }
}

fn failed(version: u32) -> AssetProcessingFailed {
    AssetProcessingFailed {
        stage: Stage::Thumbnails,
        processor: ProcessorRef { name: "thumbnails".into(), version },
        input_blake3: "b".into(),
        code: "corrupt".into(),
        reason: "no picture inside".into(),
    }
}

fn favorite(by: UserId, favorite: bool) -> AssetCommand {
    let details = Box::new(Details { favorite: Some(favorite), ..Details::default() });
    AssetCommand::ChangeDetails { by, details }
}

type Given = TestFramework<Asset>;

#[test]
fn owner_favorites_an_asset() {
    Given::with(())
        .given(vec![uploaded().into()])
        .when(favorite(OWNER, true))
        .then_expect_events(vec![AssetFavorited {}.into()]);
}

#[test]
fn favoriting_twice_happens_once() {
    Given::with(())
        .given(vec![uploaded().into(), AssetFavorited {}.into()])
        .when(favorite(OWNER, true))
        .then_expect_events(vec![]);
}

#[test]
fn stranger_cannot_favorite() {
    Given::with(())
        .given(vec![uploaded().into()])
        .when(favorite(STRANGER, true))
        .then_expect_error(AssetError::NotOwner { by: STRANGER });
}

#[test]
fn purged_asset_is_not_found() {
    Given::with(())
        .given(vec![uploaded().into(), AssetPurged {}.into()])
        .when(favorite(OWNER, true))
        .then_expect_error(AssetError::NotFound);
}

const PARIS: Position = Position { latitude: 48.85, longitude: 2.35 };

fn found(position: Position, city: &str) -> AssetPlaceFound {
    let dataset = DatasetRef { name: "places".into(), version: "1".into() };
    let city = Some(city.to_owned());
    let place = Place { position, city, state: None, country: Some("France".into()) };
    AssetPlaceFound { dataset, place: place.into() }
}

fn moved(position: Position) -> AssetEvent {
    AssetLocationChanged { position: position.into() }.into()
}

#[test]
fn new_position_comes_with_its_place() {
    let place = Some(found(PARIS, "Paris"));
    let details = Box::new(Details { position: Some(PARIS), place, ..Details::default() });
    Given::with(())
        .given(vec![uploaded().into()])
        .when(AssetCommand::ChangeDetails { by: OWNER, details })
        .then_expect_events(vec![moved(PARIS), found(PARIS, "Paris").into()]);
}

#[test]
fn same_place_is_recorded_once() {
    Given::with(())
        .given(vec![uploaded().into(), found(PARIS, "Paris").into()])
        .when(AssetCommand::RecordPlace(Box::new(found(PARIS, "Paris"))))
        .then_expect_events(vec![]);
}

#[test]
fn place_of_the_file_gives_way_to_a_persons_position() {
    let lyon = Position { latitude: 45.76, longitude: 4.84 };
    Given::with(())
        .given(vec![uploaded().into(), moved(lyon)])
        .when(AssetCommand::RecordPlace(Box::new(found(PARIS, "Paris"))))
        .then_expect_events(vec![]);
}

#[test]
fn six_stars_are_refused() {
    let details = Box::new(Details { rating: Some(Some(6)), ..Details::default() });
    Given::with(())
        .given(vec![uploaded().into()])
        .when(AssetCommand::ChangeDetails { by: OWNER, details })
        .then_expect_error(AssetError::BadRating { rating: 6 });
}

#[test]
fn same_result_of_the_same_bytes_is_recorded_once() {
    Given::with(())
        .given(vec![uploaded().into(), failed(1).into()])
        .when(AssetCommand::RecordFailure(Box::new(failed(1))))
        .then_expect_events(vec![]);
}

#[test]
fn result_is_recorded_again_when_somebody_asked() {
    let asked = AssetProcessingRequested { stage: Stage::Thumbnails };
    Given::with(())
        .given(vec![uploaded().into(), failed(1).into(), asked.into()])
        .when(AssetCommand::RecordFailure(Box::new(failed(1))))
        .then_expect_events(vec![failed(1).into()]);
}

#[test]
fn newer_program_is_wanted() {
    let mut asset = Asset::default();
    asset.evolve(&uploaded().into());
    asset.evolve(&failed(1).into());
    let newer = ProcessorRef { name: "thumbnails".into(), version: 2 };
    assert!(asset.wants(Stage::Thumbnails, &newer));
    assert!(!asset.wants(Stage::Thumbnails, &failed(1).processor));
}

#[test]
fn film_that_needs_no_copy_any_more_loses_it() {
    let processor = ProcessorRef { name: "encode".into(), version: 1 };
    let made = AssetVideoEncoded {
        processor: processor.clone(),
        input_blake3: "b".into(),
        recipe: "-c:v libx264".into(),
        key: "encoded-video/a".into(),
        size_bytes: 3,
        video_codec: "h264".into(),
        audio_codec: None,
        width: 2,
        height: 2,
        duration_ms: Some(1),
    };
    let skipped = AssetVideoEncodingSkipped {
        processor,
        input_blake3: "b".into(),
        video_codec: Some("h264".into()),
        audio_codec: None,
    };
    let asked = || AssetProcessingRequested { stage: Stage::Video }.into();
    let film = AssetUploaded { kind: MediaKind::Video, ..uploaded() };
    let given = vec![film.into(), asked(), made.clone().into()];
    let mut asset = Asset::default();
    given.iter().for_each(|event| asset.evolve(event));
    assert_eq!(asset.encoded(), Some(&made));
    assert!(!asset.is_asked_for(Stage::Video));
    let record = AssetCommand::RecordVideoSkipped(Box::new(skipped.clone()));
    Given::with(()).given(given.clone()).when(record.clone()).then_expect_events(vec![]);
    let given = [given, vec![asked()]].concat();
    let said = vec![skipped.clone().into()];
    Given::with(()).given(given).when(record).then_expect_events(said);
    asset.evolve(&skipped.into());
    assert_eq!(asset.encoded(), None);
}

#[test]
fn file_that_is_back_is_looked_at_again() {
    let again = AssetProcessingRequested { stage: Stage::Thumbnails };
    let given = vec![uploaded().into(), failed(1).into()];
    Given::with(())
        .given(given.clone())
        .when(AssetCommand::RestoreOriginal { by: OWNER })
        .then_expect_events(vec![AssetOriginalRestored {}.into(), again.into()]);
    Given::with(())
        .given(given)
        .when(AssetCommand::RestoreOriginal { by: STRANGER })
        .then_expect_error(AssetError::NotOwner { by: STRANGER });
}

#[test]
fn picture_is_not_encoded_as_a_film() {
    Given::with(())
        .given(vec![uploaded().into()])
        .when(AssetCommand::RequestProcessing { stage: Stage::Video })
        .then_expect_events(vec![]);
}

#[test]
fn step_that_was_taken_off_its_queue_can_be_asked_for_again() {
    let asked = AssetProcessingRequested { stage: Stage::Video };
    let film = AssetUploaded { kind: MediaKind::Video, ..uploaded() };
    let given = vec![film.into(), asked.clone().into()];
    Given::with(())
        .given(given.clone())
        .when(AssetCommand::RequestProcessing { stage: Stage::Video })
        .then_expect_events(vec![]);
    Given::with(())
        .given(given)
        .when(AssetCommand::RequestLeft { stage: Stage::Video })
        .then_expect_events(vec![asked.into()]);
}

#[test]
fn trashing_twice_happens_once() {
    Given::with(())
        .given(vec![uploaded().into(), AssetTrashed {}.into()])
        .when(AssetCommand::Trash { by: OWNER })
        .then_expect_events(vec![]);
}

#[test]
fn what_was_taken_out_of_the_trash_stays_when_it_is_emptied() {
    let restored = vec![uploaded().into(), AssetTrashed {}.into(), AssetRestored {}.into()];
    for by in [None, Some(OWNER)] {
        for given in [vec![uploaded().into()], restored.clone()] {
            Given::with(())
                .given(given)
                .when(AssetCommand::Purge(Purging::Trash { by }))
                .then_expect_error(AssetError::NotTrashed);
        }
        Given::with(())
            .given(vec![uploaded().into(), AssetTrashed {}.into()])
            .when(AssetCommand::Purge(Purging::Trash { by }))
            .then_expect_events(vec![AssetPurged {}.into()]);
    }
}

#[test]
fn what_is_in_no_trash_goes_by_its_owners_wish_with_its_stills_and_with_the_account() {
    for why in [Purging::Wished { by: OWNER }, Purging::WithStills, Purging::Account] {
        Given::with(())
            .given(vec![uploaded().into()])
            .when(AssetCommand::Purge(why))
            .then_expect_events(vec![AssetPurged {}.into()]);
        Given::with(())
            .given(vec![uploaded().into(), AssetPurged {}.into()])
            .when(AssetCommand::Purge(why))
            .then_expect_events(vec![]);
    }
}

#[test]
fn stranger_cannot_purge() {
    let by = STRANGER;
    for why in [Purging::Wished { by }, Purging::Trash { by: Some(by) }] {
        Given::with(())
            .given(vec![uploaded().into(), AssetTrashed {}.into()])
            .when(AssetCommand::Purge(why))
            .then_expect_error(AssetError::NotOwner { by });
    }
}
