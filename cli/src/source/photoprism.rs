//! PhotoPrism: a YAML file for each photo, beside it or under `storage/sidecar`, and one for each album under
//! `storage/albums`.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use calotype_media::kind::by_name;
use chrono::{DateTime, FixedOffset, NaiveDateTime, Utc};
use serde_json::Value;

use super::{NOTES_BYTES_MAX, folders};
use crate::args::ImportArgs;
use crate::entry::{Album, Entry};
use crate::notes::{Notes, Position, Taken};
use crate::scan::Scan;
use crate::walk::Found;

/// Words of one photo that become tags.
const TAGS_MAX: usize = 100;
/// Folders of what PhotoPrism makes for itself.
const MADE: [&str; 2] = ["cache", "sidecar"];

/// Makes entries with what the YAML files say.
pub(super) fn entries(found: Vec<Found>, args: &ImportArgs, scan: &mut Scan) {
    let mut photos: HashMap<String, Value> = HashMap::new();
    let mut albums: HashMap<String, Vec<Arc<Album>>> = HashMap::new();
    let mut rest = Vec::new();
    for one in found {
        if !matches!(one.ending().as_str(), "yml" | "yaml") {
            let is_made = one.is_media() && is_made(&one);
            if is_made {
                scan.pass_over(&one.path, "made by PhotoPrism");
            } else {
                rest.push(one);
            }
            continue;
        }
        match read(&one) {
            Ok(yaml) if yaml["Photos"].is_array() => remember(&yaml, &mut albums),
            Ok(yaml) if yaml["TakenAt"].is_string() => drop(photos.insert(key(&one), yaml)),
            Ok(_) => scan.pass_over(&one.path, "says nothing of a photo"),
            Err(why) => scan.fail(&one.path, &why),
        }
    }
    let keys: HashMap<Arc<Path>, String> =
        rest.iter().map(|one| (Arc::clone(&one.path), key(one))).collect();
    for mut entry in folders::paired(rest, args.live_by_name, args, scan) {
        let yaml = keys.get(&entry.file.path).and_then(|key| photos.get(key));
        if let Some(yaml) = yaml {
            entry.notes = Some(Box::new(notes(yaml)));
            join(&mut entry, yaml, &albums);
        }
        scan.entries.push(entry);
    }
}

/// Whether it is PhotoPrism's word on a photo.
pub(super) fn is_one(found: &Found) -> bool {
    read(found).is_ok_and(|yaml| yaml["TakenAt"].is_string() && yaml["UID"].is_string())
}

fn read(found: &Found) -> Result<Value, String> {
    let bytes = found.here.whole(NOTES_BYTES_MAX).map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&bytes);
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    serde_saphyr::from_str_with_options(&text, options).map_err(|_| "it is no YAML".to_owned())
}

/// Folder and name without endings, the same for a photo under `originals` and its YAML file under `sidecar`.
fn key(found: &Found) -> String {
    let inner = found.inner().with_extension("");
    // A YAML file may be called after the whole name of the photo.
    let is_named = inner.file_name().is_some_and(|it| by_name(&it.to_string_lossy()).is_some());
    let inner = if is_named { inner.with_extension("") } else { inner };
    let parts: Vec<_> = inner.components().map(|it| it.as_os_str().to_string_lossy()).collect();
    let begin = parts.iter().rposition(|it| it == "originals" || it == "sidecar");
    parts.get(begin.map_or(0, |place| place + 1)..).unwrap_or_default().join("/")
}

fn is_made(found: &Found) -> bool {
    let inner = found.inner().parent().unwrap_or(found.inner());
    let mut parts = inner.components().map(|it| it.as_os_str().to_string_lossy());
    let in_storage = parts.by_ref().any(|part| part == "storage");
    in_storage && parts.next().is_some_and(|part| MADE.contains(&part.as_ref()))
}

/// Keeps an album for each of its photos, by the photo's id.
fn remember(yaml: &Value, albums: &mut HashMap<String, Vec<Arc<Album>>>) {
    let is_album = yaml["Type"].as_str().is_none_or(|it| it == "album");
    let Some(name) = text(&yaml["Title"]).filter(|_| is_album) else { return };
    let album = Arc::new(Album { name, description: text(&yaml["Description"]) });
    for photo in yaml["Photos"].as_array().into_iter().flatten() {
        let is_hidden = photo["Hidden"] == true;
        if let Some(id) = photo["UID"].as_str().filter(|_| !is_hidden) {
            albums.entry(id.to_owned()).or_default().push(Arc::clone(&album));
        }
    }
}

fn join(entry: &mut Entry, yaml: &Value, albums: &HashMap<String, Vec<Arc<Album>>>) {
    let of_photo = yaml["UID"].as_str().and_then(|id| albums.get(id));
    for album in of_photo.into_iter().flatten() {
        entry.join(Arc::clone(album));
    }
}

fn notes(yaml: &Value) -> Notes {
    let is = |name: &str| yaml[name] == true;
    let number = |name: &str| yaml[name].as_f64().unwrap_or_default();
    let position = Position { latitude: number("Lat"), longitude: number("Lng") };
    let is_place = (position.latitude != 0.0 || position.longitude != 0.0)
        && (-90.0..=90.0).contains(&position.latitude)
        && (-180.0..=180.0).contains(&position.longitude);
    let (taken, date_guess) = taken(yaml);
    Notes {
        taken,
        date_guess,
        description: description(yaml),
        position: is_place.then_some(position),
        is_favorite: is("Favorite"),
        is_archived: is("Private") || is("Archived") || yaml["DeletedAt"].is_string(),
        tags: tags(&yaml["Details"]["Keywords"]),
        ..Notes::default()
    }
}

/// Titles that PhotoPrism made up are no words of a person.
fn description(yaml: &Value) -> Option<String> {
    let title = text(&yaml["Title"]).filter(|_| yaml["TitleSrc"] == "manual");
    let caption = text(&yaml["Caption"]).or_else(|| text(&yaml["Description"]));
    match (title, caption) {
        (Some(title), Some(caption)) if title != caption => Some(format!("{title}\n\n{caption}")),
        (title, caption) => caption.or(title),
    }
}

/// What PhotoPrism estimated counts only where the file names no date.
fn taken(yaml: &Value) -> (Option<Taken>, Option<&'static str>) {
    let at = yaml["TakenAt"].as_str().and_then(|it| DateTime::parse_from_rfc3339(it).ok());
    let Some(at) = at.map(|at| at.to_utc()) else { return (None, None) };
    match yaml["TakenSrc"].as_str().unwrap_or_default() {
        "" | "auto" | "default" | "estimate" | "name" => {
            (Some(Taken::Instant(at)), Some("PhotoPrism's guess"))
        }
        _ => match yaml["TimeZone"].as_str().and_then(|zone| there(at, zone)) {
            Some(at) => (Some(Taken::Stated(at)), None),
            // Without a zone only the clock that a person saw is known.
            None => (Some(wall_clock(yaml).map_or(Taken::Instant(at), Taken::WallClock)), None),
        },
    }
}

fn wall_clock(yaml: &Value) -> Option<NaiveDateTime> {
    let at = DateTime::parse_from_rfc3339(yaml["TakenAtLocal"].as_str()?).ok()?;
    Some(at.naive_local())
}

fn there(at: DateTime<Utc>, zone: &str) -> Option<DateTime<FixedOffset>> {
    Some(at.with_timezone(&zone.parse::<chrono_tz::Tz>().ok()?).fixed_offset())
}

fn tags(keywords: &Value) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    let words = keywords.as_str().unwrap_or_default().split(',').map(str::trim);
    // A slash would make a tag inside another.
    for word in words.filter(|word| !word.is_empty()).map(|word| word.replace('/', " ")) {
        if tags.len() < TAGS_MAX && !tags.contains(&word) {
            tags.push(word);
        }
    }
    tags
}

fn text(value: &Value) -> Option<String> {
    let text = value.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::scan;
    use crate::scan::tests::{args, names};

    const PHOTO: &str = "TakenAt: 2020-05-01T10:00:00Z\nTakenSrc: meta\nUID: pq1\nTitle: Sea\nTitleSrc: manual\n\
        Caption: At the beach\nTimeZone: Europe/Berlin\nLat: 54.5\nLng: 13.25\nFavorite: true\nPrivate: true\n\
        Details:\n  Keywords: sea, beach, sea\n";
    const GUESSED: &str = "TakenAt: 2021-05-01T10:00:00Z\nUID: pq2\nTitle: Unknown\n";
    const ALBUM: &str = "UID: aq1\nType: album\nTitle: Trip\nDescription: text\nPhotos:\n- UID: pq1\n- UID: pq2\n  \
        Hidden: true\n";

    #[test]
    fn clock_counts_where_no_zone_is_known() {
        let yaml = serde_json::json!({
            "TakenAt": "2020-05-01T10:00:00Z", "TakenSrc": "manual", "TakenAtLocal": "2020-05-01T12:00:00Z"
        });
        let clock =
            NaiveDateTime::parse_from_str("2020-05-01 12:00:00", "%Y-%m-%d %H:%M:%S").unwrap();
        assert_eq!(taken(&yaml), (Some(Taken::WallClock(clock)), None));
    }

    #[test]
    fn yaml_files_are_found_beside_photos_and_in_the_storage_folder() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("originals/2020/a.jpg", "a"),
            ("originals/2020/b.heic", "b"),
            ("originals/2020/b.yml", GUESSED),
            ("storage/sidecar/2020/a.yml", PHOTO),
            ("storage/sidecar/2020/b.heic.jpg", "made"),
            ("storage/albums/album/aq1.yml", ALBUM),
            ("storage/config/options.yml", "Debug: true\n"),
            ("storage/sidecar/2020/c.yml", "a: [\n"),
        ] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let scan = scan(&args(folder.path(), &[]));
        assert_eq!(names(&scan), ["a.jpg", "b.heic"]);
        let albums = |place: usize| {
            let albums = &scan.entries[place].albums;
            albums.iter().map(|it| it.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!((albums(0), albums(1)), (vec!["Trip".to_owned()], vec![]));
        let notes = scan.entries[0].notes.as_ref().unwrap();
        let at = DateTime::parse_from_rfc3339("2020-05-01T12:00:00+02:00").unwrap();
        assert_eq!(notes.taken, Some(Taken::Stated(at)));
        assert_eq!(notes.description.as_deref(), Some("Sea\n\nAt the beach"));
        assert_eq!(notes.position, Some(Position { latitude: 54.5, longitude: 13.25 }));
        assert_eq!(notes.tags, ["sea", "beach"]);
        assert!(notes.is_favorite && notes.is_archived);
        let guessed = scan.entries[1].notes.as_ref().unwrap();
        assert_eq!((guessed.date_guess, &guessed.description), (Some("PhotoPrism's guess"), &None));
        let failures: Vec<bool> = scan.passed_over.iter().map(|it| it.is_failure).collect();
        assert_eq!(failures.iter().filter(|it| **it).count(), 1);
        assert_eq!(failures.len(), 3);
    }
}
