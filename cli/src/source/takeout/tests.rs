//! The export among the test media, as folders.

use std::fs::File;
use std::path::Path;

use chrono::DateTime;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::notes::{Position, Taken};
use crate::scan::tests::{args, media, names};
use crate::scan::{Scan, scan};

fn export() -> Scan {
    scan(&args(&media("takeout"), &[]))
}

fn entry<'a>(scan: &'a Scan, folder: &str, name: &str) -> &'a crate::entry::Entry {
    let is_it =
        |entry: &&crate::entry::Entry| entry.file.path.ends_with(Path::new(folder).join(name));
    scan.entries.iter().find(is_it).unwrap_or_else(|| panic!("no {folder}/{name}"))
}

const YEAR: &str = "Photos from 2023";

#[test]
fn each_photo_finds_its_json_file_by_whatever_name() {
    let scan = export();
    for (name, timestamp) in [
        ("IMG_0001.jpg", 1_696_573_800),
        ("IMG_0002.jpg", 1_696_660_200),
        ("IMG_0003.jpg", 1_696_833_000),
        ("IMG_0003-edited.jpg", 1_696_833_000),
        ("IMG_0003-modifié.jpg", 1_696_833_000),
        ("DSC_0238.JPG", 1_696_746_600),
        ("DSC_0238(1).JPG", 1_696_746_601),
        ("BEFORE_1970.jpg", -500_000_000),
        ("NO_EXIF.png", 1_696_873_800),
        ("IMG_5120.HEIC", 1_696_973_800),
    ] {
        let taken = entry(&scan, YEAR, name).notes.as_ref().unwrap().taken;
        let at = DateTime::from_timestamp(timestamp, 0).unwrap();
        assert_eq!(taken, Some(Taken::Instant(at)), "{name}");
    }
    for name in [
        "this_is_a_very_long_file_name_from_a_camera.jpg",
        "another_long_name_for_the_supplemental.jpg",
    ] {
        assert!(entry(&scan, YEAR, name).notes.is_some(), "{name}");
    }
    assert!(entry(&scan, YEAR, "NO_JSON.jpg").notes.is_none());
    let long = entry(&scan, YEAR, "this_is_a_very_long_file_name_from_a_camera.jpg");
    assert_eq!(long.file.name(), "this_is_a_very_long_file_name_from_a_camera_app_2023_10_06.jpg");
}

#[test]
fn what_google_says_of_a_photo_is_taken_over() {
    let scan = export();
    let first = entry(&scan, YEAR, "IMG_0001.jpg").notes.as_ref().unwrap();
    assert_eq!(first.description.as_deref(), Some("First picture, é ü 日本"));
    assert_eq!(first.position, Some(Position { latitude: 43.7034, longitude: 7.2663 }));
    let second = entry(&scan, YEAR, "IMG_0002.jpg").notes.as_ref().unwrap();
    assert!(second.is_favorite && !second.is_archived);
    let people: Vec<&str> = second.people.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(people, ["Ada Lovelace", "Alan Turing"]);
    assert!(entry(&scan, YEAR, "ARCHIVED.jpg").notes.as_ref().unwrap().is_archived);
}

#[test]
fn albums_are_folders_with_a_description_and_years_are_none() {
    let scan = export();
    let albums = |folder, name| {
        let albums = &entry(&scan, folder, name).albums;
        albums.iter().map(|it| (it.name.clone(), it.description.clone())).collect::<Vec<_>>()
    };
    assert_eq!(albums(YEAR, "IMG_0001.jpg"), []);
    let trip = ("Summer trip ☀".to_owned(), Some("album text".to_owned()));
    assert_eq!(albums("Summer trip", "IMG_0001.jpg"), [trip]);
    assert_eq!(albums("Sans titre(3)", "IMG_0002.jpg"), [("Sans titre(3)".to_owned(), None)]);
}

#[test]
fn edited_photos_lie_on_their_original_and_live_photos_have_their_film() {
    let scan = export();
    let stack = |name| entry(&scan, YEAR, name).notes.as_ref()?.stack.clone();
    let original = stack("IMG_0003.jpg").unwrap();
    let edited = [stack("IMG_0003-edited.jpg").unwrap(), stack("IMG_0003-modifié.jpg").unwrap()];
    assert!(edited.iter().all(|it| it.key == original.key));
    assert!(!original.is_primary);
    assert_eq!(edited.iter().filter(|it| it.is_primary).count(), 1);
    assert_eq!(stack("IMG_0001.jpg"), None);
    let live = entry(&scan, YEAR, "IMG_5120.HEIC");
    assert_eq!(live.film.as_ref().unwrap().name(), "IMG_5120.MP4");
}

#[test]
fn export_in_an_archive_is_the_same_as_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("takeout.tgz");
    let gzip = GzEncoder::new(File::create(&archive).unwrap(), Compression::fast());
    let mut tar = tar::Builder::new(gzip);
    tar.append_dir_all("Takeout", media("takeout/Takeout")).unwrap();
    tar.into_inner().unwrap().finish().unwrap();
    let told = |scan: &Scan| {
        let mut told: Vec<_> = scan
            .entries
            .iter()
            .map(|it| (it.file.name(), it.notes.clone(), it.albums.clone(), it.film.is_some()))
            .collect();
        told.sort_by(|one, other| (&one.0, one.2.len()).cmp(&(&other.0, other.2.len())));
        told
    };
    let archived = scan(&args(&archive, &[]));
    assert!(archived.passed_over.iter().all(|it| !it.is_failure), "{:?}", archived.passed_over);
    assert_eq!(told(&archived), told(&export()));
}

#[test]
fn dates_of_google_count_over_those_in_files_only_where_that_is_wished_for() {
    let scan = scan(&args(&media("takeout"), &["--dates-of-source"]));
    let taken = entry(&scan, YEAR, "IMG_0001.jpg").notes.as_ref().unwrap().taken;
    let at = DateTime::parse_from_rfc3339("2023-10-06T06:30:00+00:00").unwrap();
    assert_eq!(taken, Some(Taken::Stated(at)));
}

#[test]
fn photos_of_partners_are_left_out_with_their_films_where_that_is_wished_for() {
    let folder = tempfile::tempdir().unwrap();
    let json =
        |more: &str| format!(r#"{{"title":"a.jpg","photoTakenTime":{{"timestamp":"1"}}{more}}}"#);
    let partners = json(r#","googlePhotosOrigin":{"fromPartnerSharing":{}}"#);
    for (name, text) in [
        ("a.jpg", "a"),
        ("a.jpg.json", partners.as_str()),
        ("a.mp4", "film"),
        ("b.jpg", "b"),
        ("b.jpg.json", json("").as_str()),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let imported = |more: &[&str]| names(&scan(&args(folder.path(), more)));
    assert_eq!(imported(&[]), ["a.jpg", "b.jpg"]);
    assert_eq!(imported(&["--without-partner"]), ["b.jpg"]);
    // The same files as plain folders, where a JSON file says nothing.
    assert_eq!(imported(&["--source", "folders"]), ["a.jpg", "a.mp4", "b.jpg"]);
}

#[test]
fn what_is_not_imported_is_told_and_fails_nothing() {
    let scan = export();
    let why = |name: &str| {
        let found = scan.passed_over.iter().find(|it| it.path.ends_with(name));
        found.map_or_else(|| panic!("{name} is not told"), |it| it.why.as_str())
    };
    assert_eq!(why("TRASHED.jpg"), "it is in Google's trash");
    assert_eq!(why("ORPHAN.jpg.json"), "describes a photo that is not here");
    assert_eq!(why("clip.MOV"), "empty");
    assert_eq!(why("print-subscriptions.json"), "says nothing of a photo");
    assert!(scan.passed_over.iter().all(|it| !it.is_failure));
    assert_eq!(scan.entries.len(), 16);
}
