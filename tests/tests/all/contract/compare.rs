//! What of an answer is not as it was recorded.

use calotype_tests::Answer;
use serde_json::{Map, Value};

use super::replay::Library;

/// Headers that clients read.
const HEADERS: [&str; 4] = ["content-type", "cache-control", "accept-ranges", "location"];
/// Answers that are the same for everybody.
const EXACT: [&str; 6] = [
    "server_media_types",
    "server_ping",
    "server_version",
    "wellknown",
    "auth_validate",
    "auth_logout",
];
/// What an asset of the same file says of itself, exactly. Places, tags, faces and pictures are made
/// in other ways (DESIGN H13), ids and times are each server's own.
const ASSET_FACTS: [&str; 11] = [
    "type",
    "originalFileName",
    "originalMimeType",
    "fileCreatedAt",
    "fileModifiedAt",
    "localDateTime",
    "duration",
    "checksum",
    "width",
    "height",
    "livePhotoVideoId",
];
const EXIF_FACTS: [&str; 18] = [
    "make",
    "model",
    "exifImageWidth",
    "exifImageHeight",
    "fileSizeInByte",
    "orientation",
    "dateTimeOriginal",
    "modifyDate",
    "timeZone",
    "lensModel",
    "fNumber",
    "focalLength",
    "iso",
    "exposureTime",
    "latitude",
    "longitude",
    "description",
    "rating",
];
/// Values that may be null here and not there: places and what other models find (DESIGN H13), and
/// pictures that the recording server could not make.
const MAY_BE_NULL: [&str; 6] = ["city", "state", "country", "thumbhash", "stack", "duplicateId"];

/// Keys that came after the recorded version and that later clients insist on.
const ADDED_LATER: [&str; 1] = ["nextCursor"];
/// Keys that the recording server's places lacked (DESIGN H13).
const MAY_BE_ADDED: [&str; 2] = ["admin1name", "admin2name"];

/// Every difference, in words; none when the answer is alike.
pub(super) fn compare(
    name: &str,
    recorded: &Value,
    answer: &Answer,
    library: &Library,
) -> Vec<String> {
    let response = &recorded["response"];
    let mut found = Vec::new();
    if is_without_codec(name, response) && answer.status == 200 {
        return found;
    }
    if response["status"] != answer.status {
        found.push(format!(
            "status {} instead of {}: {}",
            answer.status,
            response["status"],
            answer.shown()
        ));
        return found;
    }
    headers(&response["headers"], answer, &mut found);
    let theirs = &response["body"];
    if theirs.is_object() && theirs.get("binary_bytes").is_none() || theirs.is_array() {
        match answer.json() {
            Ok(ours) => bodies(name, theirs, &ours, answer.status, library, &mut found),
            Err(error) => found.push(error.to_string()),
        }
    }
    found
}

/// The recording server had no decoder for these formats (DESIGN H13): its 404 must not be matched.
fn is_without_codec(name: &str, response: &Value) -> bool {
    let is_picture = name.starts_with("preview__") || name.starts_with("thumb__");
    let format = [".heic", ".jxl", ".avif"].iter().any(|ending| name.ends_with(ending));
    is_picture && format && response["status"] == 404
}

fn headers(theirs: &Value, answer: &Answer, found: &mut Vec<String>) {
    for header in HEADERS {
        let (expected, ours) = (theirs[header].as_str().unwrap_or_default(), answer.header(header));
        if expected != ours {
            found.push(format!("header {header}: {ours:?} instead of {expected:?}"));
        }
    }
    for header in ["etag", "content-disposition"] {
        if theirs[header].is_string() && answer.header(header).is_empty() {
            found.push(format!("no header {header}"));
        }
    }
    if let Some(expected) = theirs["content-disposition"].as_str() {
        let form = |text: &str| text.split("''").next().map(str::to_owned);
        if form(expected) != form(answer.header("content-disposition")) {
            found.push(format!("content-disposition {:?}", answer.header("content-disposition")));
        }
    }
}

fn bodies(
    name: &str,
    theirs: &Value,
    ours: &Value,
    status: u16,
    library: &Library,
    found: &mut Vec<String>,
) {
    if status >= 400 || EXACT.contains(&name) {
        if theirs != ours {
            found.push(format!("body {ours} instead of {theirs}"));
        }
        return;
    }
    shapes("", theirs, ours, found);
    if name.starts_with("asset__") && library.is_same_file(theirs) {
        facts("", &ASSET_FACTS, theirs, ours, found);
        facts("exifInfo.", &EXIF_FACTS, &theirs["exifInfo"], &ours["exifInfo"], found);
    }
}

fn facts(place: &str, names: &[&str], theirs: &Value, ours: &Value, found: &mut Vec<String>) {
    for name in names {
        let (theirs, ours) = (&theirs[*name], &ours[*name]);
        // That there is a film is a fact of the file; its id is each server's own.
        if *name == "livePhotoVideoId" && theirs.is_string() && ours.is_string() {
            continue;
        }
        // 500 and 500.0 are one number to a client.
        if theirs != ours && !(theirs.is_number() && theirs.as_f64() == ours.as_f64()) {
            found.push(format!("{place}{name}: {ours} instead of {theirs}"));
        }
    }
}

/// The same keys and the same JSON types, all the way down.
fn shapes(place: &str, theirs: &Value, ours: &Value, found: &mut Vec<String>) {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => objects(place, theirs, ours, found),
        (Value::Array(theirs), Value::Array(ours)) => {
            // Lists of different lengths are different libraries; each of ours must be like one of theirs.
            for (index, one) in ours.iter().enumerate() {
                if theirs.is_empty() {
                    break;
                }
                let mut best: Option<Vec<String>> = None;
                for other in theirs {
                    let mut differences = Vec::new();
                    shapes(&format!("{place}[{index}]"), other, one, &mut differences);
                    if best.as_ref().is_none_or(|best| differences.len() < best.len()) {
                        best = Some(differences);
                    }
                }
                found.extend(best.unwrap_or_default());
            }
        }
        _ => {
            let last = place.rsplit(['.', '[']).next().unwrap_or_default();
            let column = place.split('[').next().and_then(|path| path.rsplit('.').next());
            let may_be_null = MAY_BE_NULL.contains(&last)
                || column.is_some_and(|column| MAY_BE_NULL.contains(&column));
            if kind(theirs) != kind(ours)
                && !(may_be_null && (theirs.is_null() || ours.is_null()))
                && !is_fact(place)
            {
                found.push(format!("{place} is {} instead of {}", kind(ours), kind(theirs)));
            }
        }
    }
}

/// What a file says or does not say: compared by value where the files are the same.
fn is_fact(place: &str) -> bool {
    let last = place.rsplit('.').next().unwrap_or_default();
    EXIF_FACTS.contains(&last) || ASSET_FACTS.contains(&last) || last == "projectionType"
}

fn objects(
    place: &str,
    theirs: &Map<String, Value>,
    ours: &Map<String, Value>,
    found: &mut Vec<String>,
) {
    for (key, value) in theirs {
        let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
        match ours.get(key) {
            Some(other) => shapes(&place, value, other, found),
            None => found.push(format!("{place} is missing")),
        }
    }
    let known = |key: &str| ADDED_LATER.contains(&key) || MAY_BE_ADDED.contains(&key);
    for key in ours.keys().filter(|key| !theirs.contains_key(*key) && !known(key)) {
        found.push(format!("{place}.{key} should not be there"));
    }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
