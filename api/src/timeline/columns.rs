//! A month as the columns of its answer, and the list of months.

use std::ops::Range;
use std::sync::Arc;

use calotype_projections::timeline::{BucketCount, Cells};

use crate::json::Json;

/// About what one asset takes in the answer, in bytes.
const ASSET_BYTES: usize = 330;

/// Which of the columns that not everybody gets are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown {
    /// Latitude and longitude.
    pub(super) with_coordinates: bool,
    /// City and country; without, both columns hold nothing.
    pub(super) with_places: bool,
    /// Stacks.
    pub(super) with_stacked: bool,
}

/// The assets of a month, column by column, in the order of Immich's answer.
pub(super) fn month<'a>(cells: &'a [Arc<Cells>], shown: Shown) -> Vec<u8> {
    let Shown { with_coordinates, with_places, with_stacked } = shown;
    let mut json = Json::with_capacity(256 + cells.len() * ASSET_BYTES);
    runs(
        &mut json,
        "{\"duration\":[",
        cells,
        |cell| cell.duration_ms,
        |json, duration| {
            optional(json, duration, Json::integer);
        },
    );
    column(&mut json, "],\"id\":[", cells, |json, cell| json.uuid(cell.asset_id));
    column(&mut json, "],\"visibility\":[", cells, |json, cell| json.text(&cell.visibility));
    column(&mut json, "],\"isFavorite\":[", cells, |json, cell| json.boolean(cell.is_favorite));
    column(&mut json, "],\"isImage\":[", cells, |json, cell| json.boolean(!cell.is_video));
    column(&mut json, "],\"isTrashed\":[", cells, |json, cell| json.boolean(cell.is_trashed));
    runs(
        &mut json,
        "],\"livePhotoVideoId\":[",
        cells,
        |cell| cell.live_photo_video_id,
        |json, id| {
            optional(json, id, Json::uuid);
        },
    );
    column(&mut json, "],\"fileCreatedAt\":[", cells, |json, cell| json.timestamp(cell.taken_at));
    runs(&mut json, "],\"localOffsetHours\":[", cells, offset_seconds, |json, seconds| {
        json.number(f64::from(seconds) / 3_600.0);
    });
    column(&mut json, "],\"createdAt\":[", cells, |json, cell| json.timestamp(cell.created_at));
    runs(&mut json, "],\"ownerId\":[", cells, |cell| cell.owner_id, Json::uuid);
    let projection = |cell: &'a Cells| cell.projection_type.as_deref();
    runs(&mut json, "],\"projectionType\":[", cells, projection, |json, projection| {
        optional(json, projection, Json::text);
    });
    // By its bits: a number is spelled by them alone.
    runs(
        &mut json,
        "],\"ratio\":[",
        cells,
        |cell| cell.ratio.to_bits(),
        |json, bits| {
            json.milli(f64::from_bits(bits));
        },
    );
    column(&mut json, "],\"status\":[", cells, |json, cell| {
        json.raw(if cell.is_trashed { "\"trashed\"" } else { "\"active\"" });
    });
    column(&mut json, "],\"thumbhash\":[", cells, |json, cell| {
        optional(json, cell.thumbhash.as_deref(), Json::text);
    });
    let city = |cell: &'a Cells| cell.city.as_deref().filter(|_| with_places);
    runs(&mut json, "],\"city\":[", cells, city, |json, city| optional(json, city, Json::text));
    let country = |cell: &'a Cells| cell.country.as_deref().filter(|_| with_places);
    runs(&mut json, "],\"country\":[", cells, country, |json, country| {
        optional(json, country, Json::text);
    });
    if with_coordinates {
        column(&mut json, "],\"latitude\":[", cells, |json, cell| {
            optional(json, cell.latitude, Json::number);
        });
        column(&mut json, "],\"longitude\":[", cells, |json, cell| {
            optional(json, cell.longitude, Json::number);
        });
    }
    if with_stacked {
        column(&mut json, "],\"stack\":[", cells, |json, cell| {
            optional(json, cell.stack_id, |json, stack_id| {
                json.raw("[");
                json.uuid(stack_id);
                // The count is a text, as Immich writes it.
                json.raw(",\"");
                json.integer(cell.stack_count.unwrap_or_default());
                json.raw("\"]");
            });
        });
    }
    json.raw("]}");
    json.0
}

/// The months and their counts.
pub(super) fn months(counts: &[BucketCount]) -> Vec<u8> {
    let mut json = Json::with_capacity(2 + counts.len() * 45);
    json.raw("[");
    for (index, count) in counts.iter().enumerate() {
        json.raw(if index == 0 { "{\"timeBucket\":" } else { ",{\"timeBucket\":" });
        json.text(&count.month.to_string());
        json.raw(",\"count\":");
        json.integer(count.count);
        json.raw("}");
    }
    json.raw("]");
    json.0
}

fn column(json: &mut Json, head: &str, cells: &[Arc<Cells>], write: impl Fn(&mut Json, &Cells)) {
    json.raw(head);
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            json.raw(",");
        }
        write(json, cell);
    }
}

/// A column of which many values are the one before them: those are copied, not spelled again.
fn runs<'a, T: PartialEq + Copy>(
    json: &mut Json,
    head: &str,
    cells: &'a [Arc<Cells>],
    value: impl Fn(&'a Cells) -> T,
    write: impl Fn(&mut Json, T),
) {
    json.raw(head);
    // The value before, and where it stands.
    let mut before: Option<(T, Range<usize>)> = None;
    for cell in cells {
        let value = value(cell);
        if let Some((last, place)) = &before {
            json.raw(",");
            if *last == value {
                json.again(place.clone());
                continue;
            }
        }
        let start = json.length();
        write(json, value);
        before = Some((value, start..json.length()));
    }
}

fn optional<T>(json: &mut Json, value: Option<T>, write: impl Fn(&mut Json, T)) {
    match value {
        Some(value) => write(json, value),
        None => json.null(),
    }
}

/// How far the photographer's clock was from UTC.
fn offset_seconds(cell: &Cells) -> i32 {
    let seconds = (cell.local_date_time - cell.taken_at.naive_utc()).num_seconds();
    i32::try_from(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const SHOWN: Shown = Shown { with_coordinates: true, with_places: true, with_stacked: true };

    fn cell() -> Cells {
        Cells {
            asset_id: "8592ac6c-94d1-4630-a364-d2929c1eb33a".parse().unwrap(),
            owner_id: "78013aee-9bc1-47c8-918f-da50df335899".parse().unwrap(),
            ratio: 1.5,
            is_favorite: false,
            visibility: "timeline".into(),
            is_trashed: false,
            is_video: false,
            thumbhash: Some("FQACBYCHh4iIeIeFh4iIcHiHDwAA".into()),
            created_at: "2026-11-22T08:24:16.970428Z".parse().unwrap(),
            taken_at: "2025-12-01T18:30:00Z".parse().unwrap(),
            local_date_time: "2025-12-01T11:30:00".parse().unwrap(),
            duration_ms: None,
            projection_type: None,
            live_photo_video_id: None,
            latitude: Some(39.0),
            longitude: Some(-108.0),
            city: Some("Cedaredge".into()),
            country: Some("United States of America".into()),
            stack_id: None,
            stack_count: None,
        }
    }

    #[test]
    fn count_of_a_stack_is_a_text() {
        let stack_id = "c2ab518a-e3ab-4d9c-a73d-6112396038a9".parse().unwrap();
        let cell = Cells { stack_id: Some(stack_id), stack_count: Some(2), ..cell() };
        let written = String::from_utf8(month(&[Arc::new(cell)], SHOWN)).unwrap();
        let recorded = r#""stack":[["c2ab518a-e3ab-4d9c-a73d-6112396038a9","2"]]}"#;
        assert!(written.ends_with(recorded), "{written}");
    }

    #[test]
    fn month_is_written_as_immich_writes_it() {
        let written = String::from_utf8(month(&[Arc::new(cell())], SHOWN)).unwrap();
        // Recorded from Immich 3.1.0.
        let recorded = concat!(
            r#"{"duration":[null],"id":["8592ac6c-94d1-4630-a364-d2929c1eb33a"],"#,
            r#""visibility":["timeline"],"isFavorite":[false],"isImage":[true],"#,
            r#""isTrashed":[false],"livePhotoVideoId":[null],"#,
            r#""fileCreatedAt":["2025-12-01T18:30:00"],"localOffsetHours":[-7],"#,
            r#""createdAt":["2026-11-22T08:24:16.970428"],"#,
            r#""ownerId":["78013aee-9bc1-47c8-918f-da50df335899"],"projectionType":[null],"#,
            r#""ratio":[1.500],"status":["active"],"thumbhash":["FQACBYCHh4iIeIeFh4iIcHiHDwAA"],"#,
            r#""city":["Cedaredge"],"country":["United States of America"],"latitude":[39],"longitude":[-108],"stack":[null]}"#,
        );
        assert_eq!(written, recorded);
    }

    #[test]
    fn values_that_come_again_are_spelled_as_the_first() {
        let film = Cells {
            duration_ms: Some(90),
            ratio: 0.75,
            city: Some("Lyon \"2e\"".into()),
            local_date_time: "2025-12-01T18:30:00".parse().unwrap(),
            ..cell()
        };
        let cells = [cell(), cell(), film.clone(), film, cell()].map(Arc::new);
        let all: serde_json::Value = serde_json::from_slice(&month(&cells, SHOWN)).unwrap();
        for (index, cell) in cells.iter().enumerate() {
            let alone = month(std::slice::from_ref(cell), SHOWN);
            let alone: serde_json::Map<String, serde_json::Value> =
                serde_json::from_slice(&alone).unwrap();
            for (name, values) in alone {
                assert_eq!(all[&name][index], values[0], "{name} of {index}");
            }
        }
    }

    #[test]
    fn empty_month_has_its_columns() {
        let written =
            month(&[], Shown { with_coordinates: false, with_places: true, with_stacked: false });
        let recorded = concat!(
            r#"{"duration":[],"id":[],"visibility":[],"isFavorite":[],"isImage":[],"isTrashed":[],"#,
            r#""livePhotoVideoId":[],"fileCreatedAt":[],"localOffsetHours":[],"createdAt":[],"#,
            r#""ownerId":[],"projectionType":[],"ratio":[],"status":[],"thumbhash":[],"city":[],"#,
            r#""country":[]}"#,
        );
        assert_eq!(String::from_utf8(written).unwrap(), recorded);
    }

    #[test]
    fn months_are_dates_and_counts() {
        let counts = [
            BucketCount { month: "2025-12-01".parse().unwrap(), count: 1 },
            BucketCount { month: "2024-01-01".parse().unwrap(), count: 18 },
        ];
        let recorded =
            r#"[{"timeBucket":"2025-12-01","count":1},{"timeBucket":"2024-01-01","count":18}]"#;
        assert_eq!(String::from_utf8(months(&counts)).unwrap(), recorded);
        assert_eq!(months(&[]), b"[]");
    }

    #[test]
    fn large_month_is_valid_json_of_equal_columns() {
        let cells: Vec<Arc<Cells>> = (0..11_000)
            .map(|number| Arc::new(Cells { asset_id: Uuid::from_u128(number), ..cell() }))
            .collect();
        let written = month(&cells, SHOWN);
        let columns: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(&written).unwrap();
        assert!(columns.values().all(|column| column.as_array().unwrap().len() == 11_000));
    }
}
