//! Every fact of the list of truths against what this room reads, counted field by field.
//!
//! A field counts when the list has a value or this room gives one: a made-up fact is as wrong as
//! a missing one. Misses are listed with their reasons in `known_differences.txt`, and
//! `docs/metadata.md` tells what they have in common.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{Row, is_known, judge, media_folder, pool, rows};
use calotype_media::{
    decoder::{Job, Want},
    metadata::{Facts, Taken},
};

/// Files that answer otherwise than the list says, by file and field, with the reason.
const KNOWN_DIFFERENCES: &str = include_str!("known_differences.txt");

/// Share of the fields that must be as the list says, in parts of ten thousand.
const SHARE_MIN: usize = 9_900;

/// The same with those that are otherwise on purpose, section `deliberate` of the list.
const SHARE_WITH_DELIBERATE_MIN: usize = 9_970;

/// Degrees by which positions may differ: a centimetre.
const DEGREES_TOLERANCE: f64 = 0.000_000_1;

/// Milliseconds by which lengths may differ: containers count in ticks of their own.
const DURATION_MS_TOLERANCE: f64 = 2.0;

/// The same for films: the list has five digits of their positions, which is half a metre.
const FILM_DEGREES_TOLERANCE: f64 = 0.000_005_1;

/// Where the list cuts descriptions, in characters.
const DESCRIPTION_CHARS: usize = 300;

/// Parts by which other numbers may differ: the list has ten digits, this room keeps three.
const RELATIVE_TOLERANCE: f64 = 0.001;

/// Computed sensitivities have a fraction in the list.
const ISO_TOLERANCE: f64 = 0.5;

/// What one field says on both sides.
struct Field {
    name: &'static str,
    truth: Option<String>,
    found: Option<String>,
    same: bool,
}

#[tokio::test]
async fn the_corpus_says_what_the_list_says() {
    let pool = pool();
    let mut misses = BTreeMap::new();
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut files = 0;
    for row in rows() {
        if !matches!(row.get("decodes"), "yes" | "partly") {
            continue;
        }
        files += 1;
        let want = Want { metadata: true, images: None };
        let job = Job { source: media_folder().join(&row.path), sidecar: None, want };
        let facts = match pool.run(&job).await {
            Ok(report) => report.facts,
            Err(error) => {
                misses.insert(format!("{} error", row.path), error.to_string());
                Facts::default()
            }
        };
        for field in fields(&row, &facts) {
            if field.truth.is_none() && field.found.is_none() {
                continue;
            }
            let count = counts.entry(field.name).or_default();
            count.0 += 1;
            count.1 += usize::from(field.same);
            if !field.same {
                let text = format!("list {:?}, here {:?}", field.truth, field.found);
                misses.insert(format!("{} {}", row.path, field.name), text);
            }
        }
    }
    let total: usize = counts.values().map(|it| it.0).sum();
    let same: usize = counts.values().map(|it| it.1).sum();
    let is_deliberate = |it: &&String| is_known(it, KNOWN_DIFFERENCES, "deliberate");
    let deliberate = misses.keys().filter(is_deliberate).count();
    report(&counts, &misses, (files, total, same, deliberate));
    assert!(files > 350 && total > 3_000, "only {total} fields of {files} files compared");
    assert!(same * 10_000 >= total * SHARE_MIN, "only {same} of {total} fields are right");
    let enough = (same + deliberate) * 10_000 >= total * SHARE_WITH_DELIBERATE_MIN;
    assert!(enough, "only {same} and {deliberate} of {total} fields are right");
    judge(&misses, KNOWN_DIFFERENCES, &["missing", "deliberate"]);
}

/// The table of `docs/metadata.md`, and what is missing.
#[expect(clippy::print_stdout, reason = "the figures are wanted, and tests print only on request")]
fn report(
    counts: &BTreeMap<&str, (usize, usize)>,
    misses: &BTreeMap<String, String>,
    (files, total, same, deliberate): (usize, usize, usize, usize),
) {
    for (name, (all, right)) in counts {
        println!("| {name} | {right} | {all} |");
    }
    for (name, text) in misses {
        println!("missing: {name}  # {text}");
    }
    println!("{same} of {total} fields of {files} files, {deliberate} otherwise on purpose");
}

fn fields(row: &Row, facts: &Facts) -> Vec<Field> {
    let mut fields = texts(row, facts);
    fields.extend(numbers(row, facts));
    fields.extend(places(row, facts));
    fields.extend(times(row, facts));
    fields
}

fn texts(row: &Row, facts: &Facts) -> Vec<Field> {
    let is_film = row.get("true_type").starts_with("video/");
    let exposure = row.number("exposure").and_then(exposure_text);
    let description = facts.description.as_deref().map(start);
    let keywords = level_names(row.get("keywords"));
    let found = level_names(&facts.keywords.join("|"));
    let joined = |it: &BTreeSet<String>| {
        (!it.is_empty()).then(|| it.iter().cloned().collect::<Vec<_>>().join("|"))
    };
    vec![
        exact("true_type", text(row, "true_type"), facts.true_mime.clone()),
        exact("make", text(row, "make"), facts.make.clone()),
        exact("model", text(row, "model"), facts.model.clone()),
        exact("lens", text(row, "lens").filter(|it| is_name(it)), facts.lens_model.clone()),
        exact("exposure", exposure, facts.exposure_time.clone()),
        exact("description", text(row, "description").map(|it| start(&it)), description),
        Field {
            name: "keywords",
            same: found == keywords,
            truth: joined(&keywords),
            found: joined(&found),
        },
        exact("projection", text(row, "projection"), facts.projection_type.clone()),
        exact("content_id", text(row, "content_id"), facts.content_id.clone()),
        exact(
            "video_codec",
            text(row, "video_codec").filter(|_| is_film),
            facts.video_codec.clone(),
        ),
        exact("audio_codec", text(row, "audio_codec"), facts.audio_codec.clone()),
        exact("color_transfer", text(row, "color_transfer"), facts.color_transfer.clone()),
    ]
}

fn numbers(row: &Row, facts: &Facts) -> Vec<Field> {
    let side = |value: Option<u32>| value.map(f64::from);
    // An orientation of 1, and one that is not valid, say nothing.
    let turned = |it: &f64| (2.0..=8.0).contains(it);
    let is_picture = facts.duration_ms.is_none();
    let orientation = row.number("orientation").filter(turned).filter(|_| is_picture);
    let found = facts.orientation.map(f64::from).filter(turned);
    let positive = |column: &str| row.number(column).filter(|it| *it > 0.0 && it.is_finite());
    let duration_ms = row.number("duration").map(|it| it * 1_000.0);
    let found_ms = facts.duration_ms.and_then(|it| u32::try_from(it).ok()).map(f64::from);
    // The list's decoder calls a picture with a film's name a film of one frame.
    let is_film = row.get("true_type").starts_with("video/");
    let rate = text(row, "fps").filter(|_| is_film).and_then(|it| ratio(&it));
    let rating = row.number("rating").map(f64::floor).filter(|it| *it != 0.0);
    vec![
        close("width", row.number("width"), side(facts.width), 0.0),
        close("height", row.number("height"), side(facts.height), 0.0),
        close("display_width", row.number("display_width"), side(facts.display_width), 0.0),
        close("display_height", row.number("display_height"), side(facts.display_height), 0.0),
        close("orientation", orientation, found, 0.0),
        close("iso", positive("iso"), side(facts.iso), ISO_TOLERANCE),
        relative("f_number", positive("f_number"), facts.f_number),
        relative("focal_length", positive("focal_length"), facts.focal_length_mm),
        relative("fps", rate, facts.fps),
        close("rating", rating, facts.rating.map(f64::from), 0.0),
        close("duration", duration_ms, found_ms, DURATION_MS_TOLERANCE),
    ]
}

/// Places that cannot be are no places: the list has them as the file states them.
fn places(row: &Row, facts: &Facts) -> Vec<Field> {
    let truth = row.number("gps_lat").zip(row.number("gps_lon")).filter(|(latitude, longitude)| {
        (*latitude != 0.0 || *longitude != 0.0)
            && latitude.abs() <= 90.0
            && longitude.abs() <= 180.0
    });
    let found = facts.position;
    let altitude = truth.and(row.number("gps_alt"));
    let is_film = facts.duration_ms.is_some();
    let tolerance = if is_film { FILM_DEGREES_TOLERANCE } else { DEGREES_TOLERANCE };
    vec![
        close("latitude", truth.map(|it| it.0), found.map(|it| it.latitude), tolerance),
        close("longitude", truth.map(|it| it.1), found.map(|it| it.longitude), tolerance),
        close("altitude", altitude, found.and_then(|it| it.altitude_m), 0.01),
    ]
}

fn times(row: &Row, facts: &Facts) -> Vec<Field> {
    let local = |it: &Taken| it.local.format("%Y-%m-%dT%H:%M:%S%.3f").to_string();
    // The list has as many digits of the fraction as the file.
    let truth = text(row, "date_taken_local").map(|it| {
        let (whole, fraction) = it.split_once('.').unwrap_or((&it, ""));
        format!("{whole}.{fraction:0<3.3}")
    });
    let offset = text(row, "offset").map(|it| it.replace('Z', "+00:00"));
    let found = facts.taken.as_ref().and_then(|it| it.offset_minutes).map(offset_text);
    vec![exact("date", truth, facts.taken.as_ref().map(local)), exact("offset", offset, found)]
}

fn text(row: &Row, column: &str) -> Option<String> {
    let value = row.get(column).trim();
    (!value.is_empty()).then(|| value.to_owned())
}

fn exact(name: &'static str, truth: Option<String>, found: Option<String>) -> Field {
    Field { name, same: truth == found, truth, found }
}

fn close(name: &'static str, truth: Option<f64>, found: Option<f64>, tolerance: f64) -> Field {
    let same = match (truth, found) {
        (Some(truth), Some(found)) => (truth - found).abs() <= tolerance,
        (truth, found) => truth.is_none() && found.is_none(),
    };
    Field {
        name,
        same,
        truth: truth.map(|it| it.to_string()),
        found: found.map(|it| it.to_string()),
    }
}

fn relative(name: &'static str, truth: Option<f64>, found: Option<f64>) -> Field {
    close(name, truth, found, truth.unwrap_or(0.0).abs() * RELATIVE_TOLERANCE)
}

/// `30000/1001`, as ffprobe writes a rate.
fn ratio(text: &str) -> Option<f64> {
    let (numerator, denominator) = text.split_once('/').unwrap_or((text, "1"));
    Some(numerator.parse::<f64>().ok()? / denominator.parse::<f64>().ok()?)
}

/// As ExifTool prints an exposure.
fn exposure_text(seconds: f64) -> Option<String> {
    if seconds <= 0.0 {
        None
    } else if seconds < 0.25001 {
        Some(format!("1/{:.0}", 1.0 / seconds))
    } else {
        let text = format!("{seconds:.1}");
        Some(text.strip_suffix(".0").map(str::to_owned).unwrap_or(text))
    }
}

/// Where ExifTool has only a maker's code for a lens (`94 40 2D 53`), or noise, it has no name.
fn is_name(lens: &str) -> bool {
    let is_code = lens.split(' ').all(|it| it.len() <= 2 && u8::from_str_radix(it, 16).is_ok());
    !is_code && !lens.contains('?')
}

/// As the list has it: a line break is two characters, and the rest is cut.
fn start(text: &str) -> String {
    text.replace('\n', "\\n").chars().take(DESCRIPTION_CHARS).collect()
}

/// The list has the names of all lists of a file, `|` between them and between the levels of one;
/// this room takes the list that says most. So names are compared, and the same ones must be there.
fn level_names(keywords: &str) -> BTreeSet<String> {
    keywords.split(['|', '/']).map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()).collect()
}

fn offset_text(minutes: i32) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}
