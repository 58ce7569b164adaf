//! From ffprobe's answer to facts.

use std::collections::HashMap;

use serde::Deserialize;

use crate::metadata::{Facts, Taken, clean_text, iso6709, parse_date};

/// What is used of ffprobe's answer.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Probed {
    #[serde(default)]
    streams: Vec<Stream>,
    #[serde(default)]
    format: Format,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Format {
    duration: Option<String>,
    tags: HashMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stream {
    codec_type: Option<String>,
    codec_name: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    avg_frame_rate: Option<String>,
    duration: Option<String>,
    color_transfer: Option<String>,
    disposition: HashMap<String, i32>,
    tags: HashMap<String, String>,
    side_data_list: Vec<SideData>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SideData {
    rotation: Option<f64>,
}

pub(super) fn facts(probed: &Probed, mime: &str) -> Facts {
    let of_kind = |kind: &'static str| {
        probed.streams.iter().filter(move |it| it.codec_type.as_deref() == Some(kind))
    };
    let is_cover = |it: &Stream| it.disposition.get("attached_pic") == Some(&1);
    let film = of_kind("video").find(|it| !is_cover(it));
    let audio = of_kind("audio").next();
    let tags = lower_case(probed, film);
    let tag = |names: &[&str]| names.iter().find_map(|name| clean_text(tags.get(*name)?));
    let mut facts = Facts { true_mime: Some(mime.to_owned()), ..Facts::default() };
    if let Some(film) = film {
        let turned = film.side_data_list.iter().find_map(|it| it.rotation).unwrap_or(0.0);
        let rotation = quarter_turn(turned);
        facts.rotation = Some(rotation);
        (facts.width, facts.height) = (film.width, film.height);
        (facts.display_width, facts.display_height) = if rotation % 180 == 90 {
            (film.height, film.width)
        } else {
            (film.width, film.height)
        };
        facts.fps = film.avg_frame_rate.as_deref().and_then(rate);
        facts.video_codec.clone_from(&film.codec_name);
        facts.color_transfer.clone_from(&film.color_transfer);
    }
    facts.audio_codec = audio.and_then(|it| it.codec_name.clone());
    facts.duration_ms =
        [probed.format.duration.as_deref(), film.and_then(|it| it.duration.as_deref())]
            .into_iter()
            .flatten()
            .find_map(milliseconds);
    facts.make = tag(&["com.apple.quicktime.make", "make", "com.android.manufacturer"]);
    facts.model = tag(&["com.apple.quicktime.model", "model", "com.android.model"]);
    facts.content_id = tag(&["com.apple.quicktime.content.identifier"]);
    facts.description = tag(&["com.apple.quicktime.description", "description"]);
    facts.position = tag(&["com.apple.quicktime.location.iso6709", "location", "location-eng"])
        .and_then(|it| iso6709(&it));
    facts.taken = taken(&tag);
    facts
}

/// Tags of the file over those of the film's stream, by lower-case name.
fn lower_case(probed: &Probed, film: Option<&Stream>) -> HashMap<String, String> {
    let stream = film.into_iter().flat_map(|it| &it.tags);
    stream
        .chain(&probed.format.tags)
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
        .collect()
}

/// Apple's own key has the photographer's zone; the movie header is UTC.
fn taken(tag: &impl Fn(&[&str]) -> Option<String>) -> Option<Taken> {
    let names = [
        ("date_recorded", "DateTimeOriginal"),
        ("com.apple.quicktime.creationdate", "CreationDate"),
        ("creation_time", "CreateDate"),
        ("date", "DateTimeOriginal"),
    ];
    names.into_iter().find_map(|(name, source_tag)| {
        let (local, offset_minutes) = parse_date(&with_colon(&tag(&[name])?))?;
        // The beginnings of the clocks of QuickTime and of Unix mean that nobody set the clock.
        let seconds = local.and_utc().timestamp();
        let unset = seconds <= 0 && name == "creation_time";
        (!unset).then(|| Taken { local, offset_minutes, source_tag: source_tag.to_owned() })
    })
}

/// Some Android phones write `+0200`, which the parser takes as it is; others a blank before it.
fn with_colon(text: &str) -> String {
    text.replace(" +", "+").replace(" -", "-")
}

/// ffprobe gives the angle of the display matrix, counter-clockwise.
fn quarter_turn(angle: f64) -> u16 {
    let clockwise = (-angle).rem_euclid(360.0);
    [0_u16, 90, 180, 270]
        .into_iter()
        .min_by(|a, b| {
            (f64::from(*a) - clockwise).abs().total_cmp(&(f64::from(*b) - clockwise).abs())
        })
        .unwrap_or(0)
}

fn rate(text: &str) -> Option<f64> {
    let (numerator, denominator) = text.split_once('/')?;
    let rate = numerator.parse::<f64>().ok()? / denominator.parse::<f64>().ok()?;
    (rate.is_finite() && rate > 0.0).then_some((rate * 1000.0).round() / 1000.0)
}

fn milliseconds(seconds: &str) -> Option<u64> {
    let seconds: f64 = seconds.parse().ok()?;
    let duration = std::time::Duration::try_from_secs_f64(seconds).ok()?;
    u64::try_from(duration.as_micros().checked_add(500)? / 1_000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_iphone_film_is_understood() {
        let json = r#"{"streams":[{"codec_type":"video","codec_name":"hevc","width":1280,"height":720,
            "avg_frame_rate":"30000/1001","side_data_list":[{"side_data_type":"Display Matrix","rotation":-90}]}],
            "format":{"duration":"3.019000","tags":{"creation_time":"2023-08-12T09:15:30.000000Z",
            "com.apple.quicktime.creationdate":"2023-08-12T18:30:00+0200",
            "com.apple.quicktime.location.ISO6709":"+48.8584+002.2945+035.000/"}}}"#;
        let facts = facts(&serde_json::from_str(json).unwrap(), "video/quicktime");
        assert_eq!((facts.display_width, facts.display_height), (Some(720), Some(1280)));
        assert_eq!(
            (facts.rotation, facts.duration_ms, facts.fps),
            (Some(90), Some(3019), Some(29.97))
        );
        assert_eq!(facts.taken.unwrap().offset_minutes, Some(120));
        assert_eq!(facts.position.unwrap().altitude_m, Some(35.0));
    }

    #[test]
    fn an_unset_clock_is_no_date() {
        for unset in ["1904-01-01T00:00:00.000000Z", "1970-01-01T00:00:00.000000Z"] {
            let json = format!(r#"{{"format":{{"tags":{{"creation_time":"{unset}"}}}}}}"#);
            assert_eq!(facts(&serde_json::from_str(&json).unwrap(), "video/mp4").taken, None);
        }
    }
}
