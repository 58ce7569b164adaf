//! What is wanted of films, from the part `ffmpeg` of the settings.

use serde_json::Value;

use super::wish::{
    Accel, AudioCodec, Container, CqMode, Policy, ToneMap, TranscodeWish, VideoCodec, bit_rate,
};
use crate::hls::Ladder;

/// Longest name of a device, in bytes.
const DEVICE_BYTES_MAX: usize = 64;

impl TranscodeWish {
    /// What administrators want of films; what the settings do not say is as it is by default.
    #[must_use]
    pub fn of_settings(ffmpeg: &Value) -> Self {
        let usual = Self::default();
        let number = |name: &str| ffmpeg[name].as_i64().and_then(|it| u32::try_from(it).ok());
        let word = |name: &str| ffmpeg[name].as_str().unwrap_or_default();
        let is_on = |name: &str| ffmpeg[name].as_bool().unwrap_or_default();
        Self {
            policy: match word("transcode") {
                "all" => Policy::All,
                "optimal" => Policy::Optimal,
                "bitrate" => Policy::Bitrate,
                "disabled" => Policy::Disabled,
                _ => Policy::Required,
            },
            video_codec: VideoCodec::of(word("targetVideoCodec")).unwrap_or(usual.video_codec),
            accepted_video: words(&ffmpeg["acceptedVideoCodecs"])
                .filter_map(VideoCodec::of)
                .collect(),
            audio_codec: AudioCodec::of(word("targetAudioCodec")),
            accepted_audio: words(&ffmpeg["acceptedAudioCodecs"]).map(str::to_owned).collect(),
            accepted_containers: words(&ffmpeg["acceptedContainers"]).map(Container::of).collect(),
            // `original` is no number.
            short_side_px: word("targetResolution").parse().ok().filter(|it| *it > 0),
            bit_rate_max: bit_rate(word("maxBitrate")),
            crf: number("crf").unwrap_or(usual.crf),
            preset: word("preset").to_owned(),
            threads: number("threads").unwrap_or(0),
            two_pass: is_on("twoPass"),
            // -1 leaves it to the encoder.
            b_frames: number("bframes"),
            refs: number("refs").unwrap_or(0),
            gop_size: number("gopSize").unwrap_or(0),
            cq_mode: match word("cqMode") {
                "cqp" => CqMode::Cqp,
                "icq" => CqMode::Icq,
                _ => CqMode::Auto,
            },
            temporal_aq: is_on("temporalAQ"),
            tone_map: ToneMap::of(word("tonemap")),
            accel: match word("accel") {
                "nvenc" => Some(Accel::Nvenc),
                "qsv" => Some(Accel::Qsv),
                "vaapi" => Some(Accel::Vaapi),
                "rkmpp" => Some(Accel::Rkmpp),
                _ => None,
            },
            accel_decode: is_on("accelDecode"),
            device: device(word("preferredHwDevice")),
        }
    }

    /// What is tried in turn: hardware for all, hardware for encoding alone, software.
    #[must_use]
    pub fn attempts(&self) -> Vec<Self> {
        let mut attempts = vec![self.clone()];
        if self.accel.is_some() {
            if self.accel_decode {
                attempts.push(Self { accel_decode: false, ..self.clone() });
            }
            attempts.push(Self { accel: None, ..self.clone() });
        }
        attempts
    }
}

impl Ladder {
    /// What administrators offer of streamed films.
    #[must_use]
    pub fn of_settings(ffmpeg: &Value) -> Self {
        let realtime = &ffmpeg["realtime"];
        let sides = realtime["resolutions"].as_array().into_iter().flatten();
        Self {
            codecs: words(&realtime["videoCodecs"]).filter_map(VideoCodec::of).collect(),
            short_sides: sides.filter_map(|side| u32::try_from(side.as_u64()?).ok()).collect(),
        }
    }
}

fn words(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// A device by its path, or by its name under `/dev/dri`; none for `auto`.
fn device(text: &str) -> Option<String> {
    let is_name = !text.is_empty()
        && text.len() <= DEVICE_BYTES_MAX
        && text.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '/' | '_' | '-'));
    match text {
        "auto" => None,
        _ if !is_name => None,
        path if path.starts_with("/dev/") => Some(path.to_owned()),
        name => Some(format!("/dev/dri/{name}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_are_understood() {
        let wish = TranscodeWish::of_settings(&json!({
            "transcode": "optimal", "targetVideoCodec": "av1", "acceptedVideoCodecs": ["h264", "av1"],
            "acceptedContainers": ["webm"], "targetResolution": "original", "maxBitrate": "4M",
            "bframes": -1, "accel": "vaapi", "preferredHwDevice": "renderD129", "tonemap": "mobius",
            "realtime": { "videoCodecs": ["hevc"], "resolutions": [480] }
        }));
        assert_eq!((wish.policy, wish.video_codec), (Policy::Optimal, VideoCodec::Av1));
        assert_eq!(wish.accepted_video, [VideoCodec::H264, VideoCodec::Av1]);
        assert_eq!(wish.accepted_containers, [Container::Webm]);
        assert_eq!((wish.short_side_px, wish.bit_rate_max), (None, Some(4_000_000)));
        assert_eq!((wish.b_frames, wish.tone_map), (None, ToneMap::Mobius));
        assert_eq!(wish.device.as_deref(), Some("/dev/dri/renderD129"));
        let ladder = json!({ "realtime": { "videoCodecs": ["hevc"], "resolutions": [480] } });
        let ladder = Ladder::of_settings(&ladder);
        assert_eq!((ladder.codecs, ladder.short_sides), (vec![VideoCodec::Hevc], vec![480]));
    }

    #[test]
    fn devices_are_paths_under_dev() {
        assert_eq!(device("auto"), None);
        assert_eq!(device("/dev/dri/renderD129").as_deref(), Some("/dev/dri/renderD129"));
        assert_eq!(device("x,child_device=y"), None);
    }

    #[test]
    fn hardware_falls_back_to_software_in_steps() {
        let software = TranscodeWish::default();
        assert_eq!(software.attempts().len(), 1);
        let hardware = TranscodeWish { accel: Some(Accel::Vaapi), ..software.clone() };
        let steps = hardware.attempts();
        assert_eq!(steps.len(), 3);
        assert!(steps[1].accel.is_some() && !steps[1].accel_decode);
        assert_eq!(steps[2], software);
    }
}
