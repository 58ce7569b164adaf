//! The real files of the test set, read through decoder children, against the list of truths.

use std::collections::BTreeMap;

use crate::support::{Row, media_folder, pool, rows};
use calotype_media::{
    decoder::{Job, Want},
    image::ImageWish,
};

/// Files that answer otherwise than the list says, by file and property, with the reason.
const KNOWN_DIFFERENCES: &str = include_str!("known_differences.txt");

/// Degrees by which positions may differ: a centimetre.
const DEGREES_TOLERANCE: f64 = 0.000_000_1;

/// Kinds of files whose facts are compared.
const COMPARED: [&str; 8] = [
    "image/jpeg",
    "image/png",
    "image/webp",
    "image/gif",
    "image/tiff",
    "image/heic",
    "image/avif",
    "image/bmp",
];

#[tokio::test]
async fn pictures_say_what_the_list_says() {
    let pool = pool();
    let mut differences = BTreeMap::new();
    let mut compared = 0;
    for row in rows() {
        let is_open = ["photos/", "faces/", "ocr/", "takeout/", "sidecars/"]
            .iter()
            .any(|it| row.path.starts_with(it));
        if !is_open || !COMPARED.contains(&row.get("true_type")) {
            continue;
        }
        let want = Want { metadata: true, images: None };
        let job = Job { source: media_folder().join(&row.path), sidecar: None, want };
        match pool.run(&job).await {
            Ok(report) => compare(&row, &report.facts, &mut differences),
            Err(error) => {
                differences.insert(format!("{} error", row.path), error.to_string());
            }
        }
        compared += 1;
    }
    assert!(compared > 200, "only {compared} files compared");
    crate::support::judge(&differences, KNOWN_DIFFERENCES, "facts");
}

#[tokio::test]
async fn films_say_what_the_list_says() {
    let pool = pool();
    let mut differences = BTreeMap::new();
    for row in rows() {
        let is_film = row.get("true_type").starts_with("video/");
        if !is_film || !(row.path.starts_with("video/") || row.path.starts_with("photos/live")) {
            continue;
        }
        let want = Want { metadata: true, images: Some(ImageWish::default()) };
        let job = Job { source: media_folder().join(&row.path), sidecar: None, want };
        match pool.run(&job).await {
            Ok(report) => {
                compare(&row, &report.facts, &mut differences);
                let truth = row.number("duration").map(|it| (it * 1000.0).round());
                let found = report.facts.duration_ms.map(|it| it.to_string());
                let near = match (truth, &found) {
                    (Some(truth), Some(found)) => {
                        (found.parse::<f64>().unwrap() - truth).abs() <= 2.0
                    }
                    (truth, found) => truth.is_none() && found.is_none(),
                };
                if !near {
                    note(
                        &row,
                        "duration",
                        &format!("{truth:?}"),
                        &format!("{found:?}"),
                        &mut differences,
                    );
                }
                if let Some(Err(error)) = report.images {
                    note(&row, "frame", "yes", &error.to_string(), &mut differences);
                }
            }
            Err(error) => {
                differences.insert(format!("{} error", row.path), error.to_string());
            }
        }
    }
    crate::support::judge(&differences, KNOWN_DIFFERENCES, "films");
}

#[tokio::test]
async fn what_others_can_decode_is_decoded() {
    let pool = pool();
    let mut differences = BTreeMap::new();
    for row in rows() {
        if !row.path.starts_with("photos/") || row.get("true_type").starts_with("video/") {
            continue;
        }
        let want = Want { metadata: false, images: Some(ImageWish::default()) };
        let job = Job { source: media_folder().join(&row.path), sidecar: None, want };
        let images = pool.run(&job).await.map(|it| it.images.expect("images were wanted"));
        let found = match images {
            Ok(Ok(derived)) => {
                let (width, height) = (derived.preview.width, derived.preview.height);
                assert!(width <= 1440 && height <= 1440, "{}: {width}x{height}", row.path);
                assert!(derived.preview.bytes.starts_with(b"\xff\xd8\xff"), "{}", row.path);
                assert!(derived.thumbnail.bytes.starts_with(b"RIFF"), "{}", row.path);
                assert!(!derived.thumbhash.is_empty(), "{}", row.path);
                continue;
            }
            Ok(Err(error)) | Err(error) => error.to_string(),
        };
        if row.get("decodes") == "yes" {
            note(&row, "picture", "yes", &found, &mut differences);
        }
    }
    crate::support::judge(&differences, KNOWN_DIFFERENCES, "pictures");
}

fn compare(
    row: &Row,
    facts: &calotype_media::metadata::Facts,
    differences: &mut BTreeMap<String, String>,
) {
    let text = |value: Option<u32>| value.map(|it| it.to_string()).unwrap_or_default();
    let mut check = |property: &str, truth: &str, found: &str| {
        if truth != found {
            note(row, property, truth, found, differences);
        }
    };
    check("true_type", row.get("true_type"), facts.true_mime.as_deref().unwrap_or_default());
    check("width", row.get("width"), &text(facts.width));
    check("height", row.get("height"), &text(facts.height));
    check("display_width", row.get("display_width"), &text(facts.display_width));
    check("display_height", row.get("display_height"), &text(facts.display_height));
    for (property, found) in
        [("make", &facts.make), ("model", &facts.model), ("content_id", &facts.content_id)]
    {
        check(property, row.get(property).trim(), found.as_deref().unwrap_or_default());
    }
    let local = facts.taken.as_ref().map(|it| it.local.format("%Y-%m-%dT%H:%M:%S").to_string());
    let truth = row.get("date_taken_local");
    check("date", truth.get(..19).unwrap_or(truth), &local.unwrap_or_default());
    if let (Some(taken), false) = (&facts.taken, row.get("offset").is_empty()) {
        let found = taken.offset_minutes.map(offset).unwrap_or_default();
        check("offset", &row.get("offset").replace('Z', "+00:00"), &found);
    }
    let truth = row.number("gps_lat").zip(row.number("gps_lon")).filter(|(latitude, longitude)| {
        (*latitude != 0.0 || *longitude != 0.0)
            && latitude.abs() <= 90.0
            && longitude.abs() <= 180.0
    });
    let found = facts.position.map(|it| (it.latitude, it.longitude));
    let near = match (truth, found) {
        (Some(truth), Some(found)) => {
            (truth.0 - found.0).abs() < DEGREES_TOLERANCE
                && (truth.1 - found.1).abs() < DEGREES_TOLERANCE
        }
        (truth, found) => truth.is_none() && found.is_none(),
    };
    if !near {
        check("position", &format!("{truth:?}"), &format!("{found:?}"));
    }
    let rating = row.number("rating").map(f64::floor).filter(|it| *it != 0.0);
    let found = facts.rating.map(f64::from);
    if rating != found {
        check("rating", &format!("{rating:?}"), &format!("{found:?}"));
    }
    let close = |truth: Option<f64>, found: Option<f64>| match (truth, found) {
        (Some(truth), Some(found)) => (truth - found).abs() <= 0.001 * truth.abs(),
        (truth, found) => truth.is_none() == found.is_none(),
    };
    for (property, found) in [
        ("f_number", facts.f_number),
        ("focal_length", facts.focal_length_mm),
        ("iso", facts.iso.map(f64::from)),
    ] {
        let truth = row.number(property).filter(|it| *it > 0.0);
        if !close(truth, found) {
            check(property, &format!("{truth:?}"), &format!("{found:?}"));
        }
    }
    let plain = |it: &str| it.split_whitespace().collect::<Vec<_>>().join(" ");
    let description = facts.description.as_deref().map(plain).unwrap_or_default();
    let truth = plain(row.get("description"));
    let limit = |it: &str| it.chars().take(60).collect::<String>();
    check("description", &limit(&truth), &limit(&description));
}

fn offset(minutes: i32) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

fn note(
    row: &Row,
    property: &str,
    truth: &str,
    found: &str,
    differences: &mut BTreeMap<String, String>,
) {
    differences
        .insert(format!("{} {property}", row.path), format!("list {truth:?}, here {found:?}"));
}
