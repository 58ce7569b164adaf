//! One sample of each event of an asset that goes back.

use serde_json::{Value, json};

use super::{Sample, go_back, id, sample, seal};
use crate::asset::Asset;

/// A photo as it is uploaded.
fn uploaded() -> (&'static str, Value) {
    let original = json!({ "key": "o", "size_bytes": 3, "sha1": "s", "blake3": "b" });
    let payload = json!({
        "owner_id": id(1), "kind": "image", "original": original, "sidecar": null,
        "file": seal(json!({ "original_file_name": "a.jpg" })),
        "file_created_at": "2020-01-01T00:00:00Z", "file_modified_at": "2020-01-01T00:00:00Z",
        "is_favorite": false, "visibility": "timeline", "duration_ms": null,
        "live_photo_video_id": null,
    });
    ("AssetUploaded", payload)
}

/// Both ways between a thing that is not there and one that is, each begun with an uploaded photo.
fn there_and_back(
    there: &(&'static str, Value),
    back: (&'static str, Value),
    samples: &mut Vec<Sample>,
) {
    let made = uploaded();
    samples.push(sample(&[&made], there.0, there.1.clone()));
    samples.push(sample(&[&made, there], back.0, back.1));
}

fn marks() -> Vec<Sample> {
    let mut samples = Vec::new();
    let none = || json!({});
    let film = || json!({ "film_id": id(30) });
    let tag = || json!({ "tag_id": id(40) });
    let group = || json!({ "duplicate_id": id(50) });
    let entry = || seal(json!({ "key": "mobile-app", "value": { "iCloudId": "1" } }));
    let turned =
        json!({ "edit_id": id(60), "does": { "action": "rotate", "parameters": { "angle": 90 } } });
    for (there, back) in [
        (("AssetFavorited", none()), ("AssetUnfavorited", none())),
        (("AssetTrashed", none()), ("AssetRestored", none())),
        (("AssetFilmLinked", film()), ("AssetFilmUnlinked", film())),
        (("AssetTagged", tag()), ("AssetUntagged", tag())),
        (("AssetDuplicatesFound", group()), ("AssetDuplicatesDismissed", group())),
        (
            ("AssetKeyValueSet", json!({ "entry": entry() })),
            ("AssetKeyValueRemoved", json!({ "key": seal(json!("mobile-app")) })),
        ),
        (("AssetEdited", json!({ "edits": [turned] })), ("AssetEditsRemoved", none())),
    ] {
        there_and_back(&there, back, &mut samples);
    }
    samples.push(sample(
        &[&uploaded()],
        "AssetVisibilityChanged",
        json!({ "visibility": "archive" }),
    ));
    samples
}

/// What a person says over the file, and the file's own words in its place.
fn words() -> Vec<Sample> {
    let mut samples = Vec::new();
    let date = |day: u32| {
        let at = format!("2021-05-0{day}T12:00:00");
        json!({ "taken_at": format!("{at}Z"), "local_date_time": at, "time_zone": "UTC" })
    };
    let paris = seal(json!({ "latitude": 48.85, "longitude": 2.35 }));
    for (there, back) in [
        (("AssetDateChanged", date(1)), ("AssetDateReverted", date(2))),
        (
            ("AssetDescriptionChanged", json!({ "description": seal(json!("By the sea")) })),
            ("AssetDescriptionReverted", json!({ "description": seal(json!("")) })),
        ),
        (
            ("AssetRatingChanged", json!({ "rating": 5 })),
            ("AssetRatingReverted", json!({ "rating": null })),
        ),
        (
            ("AssetLocationChanged", json!({ "position": paris })),
            ("AssetLocationReverted", json!({ "position": seal(Value::Null) })),
        ),
    ] {
        there_and_back(&there, back, &mut samples);
    }
    samples
}

#[test]
fn assets_go_back() {
    go_back::<Asset>(crate::asset::WAYS, [marks(), words()].concat());
}
