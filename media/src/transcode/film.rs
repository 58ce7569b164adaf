//! What a film is made of, as ffprobe tells it.

use std::collections::HashMap;

use serde::Deserialize;

use super::plan::{even, target_size};
use super::wish::Container;

/// A film.
#[derive(Debug, Clone, PartialEq)]
pub struct Film {
    /// What it is packed in.
    pub container: Container,
    /// Its length in milliseconds.
    pub duration_ms: Option<u64>,
    /// Bits a second of the whole file.
    pub bit_rate: Option<u64>,
    /// The picture; covers of music are none.
    pub video: Option<VideoStream>,
    /// The sound: the stream marked as the default one, or the first.
    pub audio: Option<AudioStream>,
}

/// The picture of a film.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoStream {
    /// Its place in the file.
    pub index: u32,
    /// Its codec, in ffprobe's word.
    pub codec: String,
    /// Width as shown, upright and in square pixels.
    pub width: u32,
    /// Height as shown, upright.
    pub height: u32,
    /// Whether its pixels are not square.
    pub is_anamorphic: bool,
    /// How pixels are stored, such as `yuv420p10le`.
    pub pixel_format: String,
    /// Whether it is HDR: PQ or HLG.
    pub is_hdr: bool,
    /// Bits a second.
    pub bit_rate: Option<u64>,
    /// Its length in milliseconds, where the container tells it apart from the sound's.
    pub duration_ms: Option<u64>,
}

impl VideoStream {
    /// Its size with a shorter side of at most `short_side`, in even numbers.
    #[must_use]
    pub fn scaled_to(&self, short_side: u32) -> (u32, u32) {
        target_size(self, Some(short_side)).unwrap_or((even(self.width), even(self.height)))
    }
}

/// The sound of a film.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioStream {
    /// Its place in the file.
    pub index: u32,
    /// Its codec, in ffprobe's word.
    pub codec: String,
    /// How many channels it has.
    pub channels: u32,
}

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
    format_name: String,
    duration: Option<String>,
    bit_rate: Option<String>,
    tags: HashMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stream {
    index: u32,
    codec_type: String,
    codec_name: String,
    width: u32,
    height: u32,
    sample_aspect_ratio: Option<String>,
    pix_fmt: Option<String>,
    color_transfer: Option<String>,
    channels: u32,
    bit_rate: Option<String>,
    duration: Option<String>,
    disposition: HashMap<String, i32>,
    side_data_list: Vec<SideData>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SideData {
    rotation: Option<f64>,
}

/// Codecs that make Matroska a `WebM`.
const WEBM: [&str; 5] = ["vp8", "vp9", "av1", "opus", "vorbis"];

impl From<Probed> for Film {
    fn from(probed: Probed) -> Self {
        let is = |stream: &&Stream, mark: &str| stream.disposition.get(mark) == Some(&1);
        let of_kind =
            |kind: &'static str| probed.streams.iter().filter(move |it| it.codec_type == kind);
        let video = of_kind("video").find(|it| !is(it, "attached_pic"));
        let audio = of_kind("audio").find(|it| is(it, "default")).or(of_kind("audio").next());
        let seconds = [probed.format.duration.as_ref(), video.and_then(|it| it.duration.as_ref())];
        Self {
            container: container(&probed.format, video, audio),
            duration_ms: seconds.into_iter().flatten().find_map(|it| milliseconds(it)),
            bit_rate: number(probed.format.bit_rate.as_deref()),
            video: video.map(picture),
            audio: audio.map(|it| AudioStream {
                index: it.index,
                codec: it.codec_name.clone(),
                channels: it.channels,
            }),
        }
    }
}

fn picture(stream: &Stream) -> VideoStream {
    let ratio = stream.sample_aspect_ratio.as_deref().and_then(ratio);
    let wide = ratio.map_or(stream.width, |(across, down)| {
        let width = u64::from(stream.width) * across / down;
        u32::try_from(width).unwrap_or(stream.width).max(1)
    });
    let turned = stream.side_data_list.iter().find_map(|it| it.rotation).unwrap_or(0.0);
    let is_on_its_side = (turned.rem_euclid(180.0) - 90.0).abs() < 45.0;
    let (width, height) =
        if is_on_its_side { (stream.height, wide) } else { (wide, stream.height) };
    VideoStream {
        index: stream.index,
        codec: stream.codec_name.clone(),
        width,
        height,
        is_anamorphic: ratio.is_some_and(|(across, down)| across != down),
        pixel_format: stream.pix_fmt.clone().unwrap_or_default(),
        is_hdr: matches!(stream.color_transfer.as_deref(), Some("smpte2084" | "arib-std-b67")),
        bit_rate: number(stream.bit_rate.as_deref()),
        duration_ms: stream.duration.as_deref().and_then(milliseconds),
    }
}

fn container(format: &Format, video: Option<&Stream>, audio: Option<&Stream>) -> Container {
    let names: Vec<&str> = format.format_name.split(',').collect();
    if names.contains(&"mov") {
        let brand = format.tags.get("major_brand").map(|it| it.trim());
        // A film of before 2001 has no brand at all.
        return if matches!(brand, None | Some("qt")) { Container::Mov } else { Container::Mp4 };
    }
    if names.contains(&"matroska") {
        let fits = |it: Option<&Stream>| it.is_none_or(|it| WEBM.contains(&it.codec_name.as_str()));
        return if fits(video) && fits(audio) { Container::Webm } else { Container::Other };
    }
    if names.contains(&"ogg") { Container::Ogg } else { Container::Other }
}

/// `4:3` as numbers; none for what is unknown (`0:1`).
fn ratio(text: &str) -> Option<(u64, u64)> {
    let (across, down) = text.split_once(':')?;
    let (across, down) = (across.parse().ok()?, down.parse().ok()?);
    (across > 0 && down > 0).then_some((across, down))
}

fn number(text: Option<&str>) -> Option<u64> {
    text?.parse().ok().filter(|it| *it > 0)
}

fn milliseconds(seconds: &str) -> Option<u64> {
    let duration = std::time::Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?;
    u64::try_from(duration.as_millis()).ok().filter(|it| *it > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn film(json: &str) -> Film {
        serde_json::from_str::<Probed>(json).unwrap().into()
    }

    #[test]
    fn shown_size_is_upright_and_in_square_pixels() {
        let film = film(
            r#"{"streams":[{"index":0,"codec_type":"video","codec_name":"hevc","width":640,"height":360,
            "sample_aspect_ratio":"4:3","pix_fmt":"yuv420p10le","color_transfer":"arib-std-b67",
            "side_data_list":[{"rotation":-90}]}],
            "format":{"format_name":"mov,mp4,m4a,3gp,3g2,mj2","duration":"3.01","tags":{"major_brand":"qt  "}}}"#,
        );
        let video = film.video.unwrap();
        assert_eq!((video.width, video.height), (360, 853));
        assert!(video.is_anamorphic && video.is_hdr);
        assert_eq!((film.container, film.duration_ms), (Container::Mov, Some(3_010)));
    }

    #[test]
    fn cover_is_no_film_and_the_default_sound_is_taken() {
        let film = film(
            r#"{"streams":[{"index":0,"codec_type":"video","codec_name":"mjpeg","width":9,"height":9,
            "disposition":{"attached_pic":1}},{"index":1,"codec_type":"audio","codec_name":"ac3"},
            {"index":2,"codec_type":"audio","codec_name":"aac","disposition":{"default":1}}],
            "format":{"format_name":"matroska,webm"}}"#,
        );
        assert_eq!(film.video, None);
        assert_eq!(film.audio.unwrap().index, 2);
        assert_eq!(film.container, Container::Other);
    }
}
