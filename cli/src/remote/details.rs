//! What a source says of one asset: asked for when its turn comes.

use std::sync::Arc;

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use serde_json::Value;

use super::file::FileThere;
use super::listing::{date, file};
use super::source::Source;
use crate::content::Content;
use crate::entry::Entry;
use crate::notes::{Face, Notes, Person, Position, Taken};

/// The largest difference between clocks on earth.
const OFFSET_SECONDS_MAX: i64 = 14 * 3_600;

/// Puts what the source says into an entry, with its film and its sidecar.
///
/// # Errors
/// When the source cannot be asked.
pub(super) async fn complete(
    source: &Arc<Source>,
    asset_id: &str,
    mut entry: Entry,
) -> anyhow::Result<Entry> {
    let asset = source.get(&format!("/assets/{asset_id}")).await?;
    let mut notes = notes(&asset);
    let has_people = asset["people"].as_array().is_some_and(|people| !people.is_empty());
    if has_people {
        let faces = source.get(&format!("/faces?id={asset_id}")).await?;
        notes.people = people(&asset, &faces);
    }
    notes.stack = entry.notes.take().and_then(|before| before.stack);
    entry.notes = Some(Box::new(notes));
    if let Some(film_id) = asset["livePhotoVideoId"].as_str() {
        let film = source.get(&format!("/assets/{film_id}")).await?;
        entry.film = file(source, &film, film_id).map(Box::new);
    }
    let path = format!("/asset-files?assetId={asset_id}&type=sidecar");
    let files = source.get_if_known(&path).await?.unwrap_or_default();
    let sidecar = files.as_array().and_then(|files| files.first()?["id"].as_str());
    entry.sidecar = sidecar.map(|file_id| {
        Box::new(Content::Elsewhere(Arc::new(FileThere {
            source: Arc::clone(source),
            path: format!("/asset-files/{file_id}/download"),
            asset_id: None,
            sha1: None,
            size_bytes: None,
        })))
    });
    Ok(entry)
}

/// What the source shows: it does not tell what of that people said and what the file says.
fn notes(asset: &Value) -> Notes {
    let exif = &asset["exifInfo"];
    let text = |value: &Value| value.as_str().filter(|it| !it.is_empty()).map(str::to_owned);
    let position = exif["latitude"].as_f64().zip(exif["longitude"].as_f64());
    let rating = exif["rating"].as_i64().and_then(|stars| i8::try_from(stars).ok());
    let tags = asset["tags"].as_array().into_iter().flatten();
    Notes {
        taken: taken(asset),
        description: text(&exif["description"]),
        rating: rating.filter(|stars| *stars != 0),
        position: position.map(|(latitude, longitude)| Position { latitude, longitude }),
        is_favorite: asset["isFavorite"] == true,
        is_archived: asset["visibility"] == "archive" || asset["isArchived"] == true,
        tags: tags.filter_map(|tag| text(&tag["value"])).collect(),
        ..Notes::default()
    }
}

/// When it was taken, with what the clock there showed.
fn taken(asset: &Value) -> Option<Taken> {
    let created = date(&asset["fileCreatedAt"]);
    let said = date(&asset["exifInfo"]["dateTimeOriginal"]);
    // The one in the metadata may be without fractions of a second.
    let at = match (said, created) {
        (Some(said), Some(created)) if said.timestamp() == created.timestamp() => created,
        (Some(said), _) => said,
        (None, created) => return created.map(Taken::Instant),
    };
    let local = date(&asset["localDateTime"]);
    Some(local.and_then(|local| with_offset(at, local)).map_or(Taken::Instant(at), Taken::Stated))
}

fn with_offset(at: DateTime<Utc>, local: DateTime<Utc>) -> Option<DateTime<FixedOffset>> {
    // Whole minutes, however the two were rounded.
    let minutes = (local - at + TimeDelta::seconds(30)).num_seconds().div_euclid(60);
    let seconds = Some(minutes * 60).filter(|seconds| seconds.abs() <= OFFSET_SECONDS_MAX)?;
    Some(at.with_timezone(&FixedOffset::east_opt(i32::try_from(seconds).ok()?)?))
}

/// Everybody with a name, each with the face that is theirs.
fn people(asset: &Value, faces: &Value) -> Vec<Person> {
    let mut people: Vec<Person> = Vec::new();
    for face in faces.as_array().into_iter().flatten() {
        let Some(name) = face["person"]["name"].as_str().filter(|name| !name.is_empty()) else {
            continue;
        };
        people.push(Person { name: name.to_owned(), face: place(face) });
    }
    for person in asset["people"].as_array().into_iter().flatten() {
        if let Some(name) = person["name"].as_str().filter(|name| !name.is_empty())
            && !people.iter().any(|it| it.name == name)
        {
            people.push(Person { name: name.to_owned(), face: None });
        }
    }
    people
}

fn place(face: &Value) -> Option<Face> {
    let (width, height) = (face["imageWidth"].as_f64()?, face["imageHeight"].as_f64()?);
    let edge = |name: &str, side: f64| Some((face[name].as_f64()? / side).clamp(0.0, 1.0));
    let (left, top) = (edge("boundingBoxX1", width)?, edge("boundingBoxY1", height)?);
    let (right, bottom) = (edge("boundingBoxX2", width)?, edge("boundingBoxY2", height)?);
    // A side of no length says nothing, and divides nothing.
    (left < right && top < bottom).then_some(Face {
        left,
        top,
        width: right - left,
        height: bottom - top,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn date_has_the_offset_of_the_clock_there() {
        let asset = json!({
            "fileCreatedAt": "2007-12-06T05:33:18.250Z", "localDateTime": "2007-12-06T14:33:18.250Z",
            "exifInfo": { "dateTimeOriginal": "2007-12-06T05:33:18+00:00" },
        });
        let at = DateTime::parse_from_rfc3339("2007-12-06T14:33:18.250+09:00").unwrap();
        assert_eq!(taken(&asset), Some(Taken::Stated(at)));
        let mut unknown = asset;
        unknown["exifInfo"] = json!({});
        assert_eq!(taken(&unknown), Some(Taken::Instant(at.to_utc())));
        assert_eq!(taken(&json!({})), None);
    }

    #[test]
    fn faces_are_shares_of_their_picture() {
        let faces = json!([
            { "person": { "name": "Anna" }, "imageWidth": 200, "imageHeight": 100,
              "boundingBoxX1": 50, "boundingBoxY1": 50, "boundingBoxX2": 100, "boundingBoxY2": 100 },
            { "person": { "name": "Béla" }, "imageWidth": 0, "imageHeight": 0,
              "boundingBoxX1": 0, "boundingBoxY1": 0, "boundingBoxX2": 0, "boundingBoxY2": 0 },
            { "person": null }, { "person": { "name": "" } },
        ]);
        let asset = json!({ "people": [{ "name": "Anna" }, { "name": "Cilla" }, { "name": "" }] });
        let told = people(&asset, &faces);
        let names: Vec<&str> = told.iter().map(|person| person.name.as_str()).collect();
        assert_eq!(names, ["Anna", "Béla", "Cilla"]);
        assert_eq!(told[0].face, Some(Face { left: 0.25, top: 0.5, width: 0.25, height: 0.5 }));
        assert!(told[1].face.is_none() && told[2].face.is_none());
    }
}
