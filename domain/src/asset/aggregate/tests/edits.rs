//! Edits of a photo, by given, when and then.

use super::*;

fn pictured() -> AssetThumbnailsRecorded {
    let image = DerivedImage { key: "t".into(), size_bytes: 1, width: 4, height: 3 };
    AssetThumbnailsRecorded {
        processor: ProcessorRef { name: "thumbnails".into(), version: 1 },
        input_blake3: "b".into(),
        thumbhash: "h".into(),
        thumbnail: image.clone(),
        preview: image,
        display_width: 400,
        display_height: 300,
    }
}

fn edit(number: u128, does: EditAction) -> AssetEdit {
    AssetEdit { edit_id: EditId::new(Uuid::from_u128(number)), does }
}

fn quarter() -> AssetEdit {
    edit(1, EditAction::Rotate(Rotate { angle: 90 }))
}

fn cut(x: u32, width: u32) -> AssetEdit {
    edit(2, EditAction::Crop(Crop { x, y: 0, width, height: 300 }))
}

fn edited(edits: Vec<AssetEdit>) -> AssetEvent {
    AssetEdited { edits }.into()
}

fn wish(edits: Vec<AssetEdit>) -> AssetCommand {
    AssetCommand::Edit { by: OWNER, edits }
}

fn edited_pictures(edit_ids: Vec<EditId>) -> AssetEditedPicturesRecorded {
    let AssetThumbnailsRecorded { thumbhash, thumbnail, preview, .. } = pictured();
    AssetEditedPicturesRecorded {
        processor: ProcessorRef { name: "edits".into(), version: 1 },
        input_blake3: "b".into(),
        edit_ids,
        thumbhash,
        full_size: preview.clone(),
        thumbnail,
        preview,
    }
}

#[test]
fn same_edits_are_made_once() {
    let again = edit(7, quarter().does);
    Given::with(())
        .given(vec![uploaded().into(), pictured().into(), edited(vec![quarter()])])
        .when(wish(vec![again]))
        .then_expect_events(vec![]);
}

#[test]
fn stranger_cannot_edit() {
    Given::with(())
        .given(vec![uploaded().into(), pictured().into()])
        .when(AssetCommand::Edit { by: STRANGER, edits: vec![quarter()] })
        .then_expect_error(AssetError::NotOwner { by: STRANGER });
}

#[test]
fn photo_without_a_size_cannot_be_edited() {
    Given::with(())
        .given(vec![uploaded().into()])
        .when(wish(vec![quarter()]))
        .then_expect_error(EditRefusal::NoSize.into());
}

#[test]
fn film_and_live_photo_cannot_be_edited() {
    let film = AssetUploaded { kind: MediaKind::Video, ..uploaded() };
    let live = AssetUploaded { live_photo_video_id: Some(AssetId::default()), ..uploaded() };
    for (what, refusal) in [(film, EditRefusal::Video), (live, EditRefusal::LivePhoto)] {
        Given::with(())
            .given(vec![what.into(), pictured().into()])
            .when(wish(vec![quarter()]))
            .then_expect_error(refusal.into());
    }
}

#[test]
fn edits_that_do_not_fit_are_refused() {
    let wrong = [
        (vec![], EditRefusal::Nothing),
        (vec![quarter(), quarter()], EditRefusal::Twice),
        (vec![quarter(), cut(0, 10)], EditRefusal::CropNotFirst),
        (vec![cut(1, 400)], EditRefusal::CropOutside),
        (vec![cut(0, 0)], EditRefusal::CropOutside),
        (vec![cut(u32::MAX, 2)], EditRefusal::CropOutside),
        (vec![edit(3, EditAction::Rotate(Rotate { angle: 45 }))], EditRefusal::Angle),
    ];
    for (edits, refusal) in wrong {
        Given::with(())
            .given(vec![uploaded().into(), pictured().into()])
            .when(wish(edits))
            .then_expect_error(refusal.into());
    }
}

#[test]
fn whole_width_may_be_kept() {
    let edits = vec![cut(0, 400), quarter()];
    Given::with(())
        .given(vec![uploaded().into(), pictured().into()])
        .when(wish(edits.clone()))
        .then_expect_events(vec![edited(edits)]);
}

#[test]
fn removing_edits_twice_happens_once() {
    let gone = AssetEditsRemoved {}.into();
    Given::with(())
        .given(vec![uploaded().into(), pictured().into(), edited(vec![quarter()]), gone])
        .when(AssetCommand::RemoveEdits { by: OWNER })
        .then_expect_events(vec![]);
}

#[test]
fn pictures_of_former_edits_are_not_recorded() {
    let given = vec![uploaded().into(), pictured().into(), edited(vec![cut(0, 5)])];
    let late = edited_pictures(vec![quarter().edit_id]);
    Given::with(())
        .given(given.clone())
        .when(AssetCommand::RecordEditedPictures(Box::new(late)))
        .then_expect_events(vec![]);
    let made = edited_pictures(vec![cut(0, 5).edit_id]);
    Given::with(())
        .given(given)
        .when(AssetCommand::RecordEditedPictures(Box::new(made.clone())))
        .then_expect_events(vec![made.into()]);
}

#[test]
fn new_pictures_of_an_edited_photo_are_asked_for_twice() {
    let request = |stage| AssetEvent::from(AssetProcessingRequested { stage });
    let shown = edited_pictures(vec![quarter().edit_id]);
    Given::with(())
        .given(vec![uploaded().into(), pictured().into(), edited(vec![quarter()]), shown.into()])
        .when(AssetCommand::RequestProcessing { stage: Stage::Thumbnails })
        .then_expect_events(vec![request(Stage::Thumbnails), request(Stage::Edits)]);
}
