//! What administrators want of films: the settings `ffmpeg.*` in types.

use serde::{Deserialize, Serialize};

/// When a film is transcoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Always.
    All,
    /// When it must be, or when it is larger than the target.
    Optimal,
    /// When it must be, or when it needs more bits a second than the limit.
    Bitrate,
    /// When players could not show it.
    Required,
    /// Never.
    Disabled,
}

/// A codec of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum VideoCodec {
    /// AVC.
    H264,
    /// H.265.
    Hevc,
    /// VP9.
    Vp9,
    /// AV1.
    Av1,
}

impl VideoCodec {
    /// Every codec.
    pub const ALL: [Self; 4] = [Self::H264, Self::Hevc, Self::Vp9, Self::Av1];

    /// The word that settings and ffprobe use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::H264 => "h264",
            Self::Hevc => "hevc",
            Self::Vp9 => "vp9",
            Self::Av1 => "av1",
        }
    }

    /// The codec of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}

/// A codec of sound that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudioCodec {
    /// AAC.
    Aac,
    /// MP3.
    Mp3,
    /// Opus.
    Opus,
}

impl AudioCodec {
    /// The codec of a setting's word. Uncompressed sound does not fit into MP4: AAC instead.
    #[must_use]
    pub fn of(word: &str) -> Self {
        match word {
            "mp3" => Self::Mp3,
            "opus" | "libopus" => Self::Opus,
            _ => Self::Aac,
        }
    }

    /// The word that ffprobe uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aac => "aac",
            Self::Mp3 => "mp3",
            Self::Opus => "opus",
        }
    }
}

/// What a film is packed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// MP4, and 3GP, which differs in a name.
    Mp4,
    /// QuickTime.
    Mov,
    /// `WebM`: Matroska with the codecs of `WebM`.
    Webm,
    /// Ogg.
    Ogg,
    /// Anything else.
    Other,
}

impl Container {
    /// The container of a setting's word.
    #[must_use]
    pub fn of(word: &str) -> Self {
        match word {
            "mp4" => Self::Mp4,
            "mov" => Self::Mov,
            "webm" => Self::Webm,
            "ogg" => Self::Ogg,
            _ => Self::Other,
        }
    }
}

/// The curve from HDR to SDR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ToneMap {
    /// John Hable's.
    #[default]
    Hable,
    /// Möbius.
    Mobius,
    /// Erik Reinhard's.
    Reinhard,
    /// HDR stays HDR.
    Disabled,
}

impl ToneMap {
    /// The curve of a setting's word.
    #[must_use]
    pub fn of(word: &str) -> Self {
        match word {
            "mobius" => Self::Mobius,
            "reinhard" => Self::Reinhard,
            "disabled" => Self::Disabled,
            _ => Self::Hable,
        }
    }

    /// ffmpeg's word for the curve; none when HDR stays.
    #[must_use]
    pub const fn curve(self) -> Option<&'static str> {
        match self {
            Self::Hable => Some("hable"),
            Self::Mobius => Some("mobius"),
            Self::Reinhard => Some("reinhard"),
            Self::Disabled => None,
        }
    }
}

/// Which hardware encodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accel {
    /// NVIDIA.
    Nvenc,
    /// Intel Quick Sync.
    Qsv,
    /// Video Acceleration API.
    Vaapi,
    /// Rockchip.
    Rkmpp,
}

/// How quality is held constant on hardware that knows two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CqMode {
    /// As the hardware does best.
    Auto,
    /// A constant quantiser.
    Cqp,
    /// A constant quality.
    Icq,
}

/// What administrators want of films.
#[derive(Debug, Clone, PartialEq)]
pub struct TranscodeWish {
    /// When a film is transcoded.
    pub policy: Policy,
    /// The codec of pictures that is made.
    pub video_codec: VideoCodec,
    /// Codecs of pictures that may stay.
    pub accepted_video: Vec<VideoCodec>,
    /// The codec of sound that is made.
    pub audio_codec: AudioCodec,
    /// Codecs of sound that may stay, in ffprobe's words.
    pub accepted_audio: Vec<String>,
    /// Containers that may stay, beside MP4.
    pub accepted_containers: Vec<Container>,
    /// The shorter side in pixels; none for the film's own.
    pub short_side_px: Option<u32>,
    /// Most bits a second; none without a limit.
    pub bit_rate_max: Option<u64>,
    /// Constant rate factor, 0 to 51.
    pub crf: u32,
    /// `ultrafast` to `veryslow`.
    pub preset: String,
    /// Threads; 0 lets the encoder choose.
    pub threads: u32,
    /// Two passes, where the bit rate is limited.
    pub two_pass: bool,
    /// B-frames; none lets the encoder choose.
    pub b_frames: Option<u32>,
    /// Reference frames; 0 lets the encoder choose.
    pub refs: u32,
    /// Frames between keyframes; 0 lets the encoder choose.
    pub gop_size: u32,
    /// How hardware holds quality constant.
    pub cq_mode: CqMode,
    /// Temporal adaptive quantisation (NVIDIA).
    pub temporal_aq: bool,
    /// From HDR to SDR.
    pub tone_map: ToneMap,
    /// The hardware; none for software.
    pub accel: Option<Accel>,
    /// Whether hardware decodes too.
    pub accel_decode: bool,
    /// A device, such as `/dev/dri/renderD129`; none for the first.
    pub device: Option<String>,
}

impl Default for TranscodeWish {
    fn default() -> Self {
        Self {
            policy: Policy::Required,
            video_codec: VideoCodec::H264,
            accepted_video: vec![VideoCodec::H264],
            audio_codec: AudioCodec::Aac,
            accepted_audio: ["aac", "mp3", "opus"].map(str::to_owned).into(),
            accepted_containers: vec![Container::Mov, Container::Ogg, Container::Webm],
            short_side_px: Some(720),
            bit_rate_max: None,
            crf: 23,
            preset: "ultrafast".to_owned(),
            threads: 0,
            two_pass: false,
            b_frames: None,
            refs: 0,
            gop_size: 0,
            cq_mode: CqMode::Auto,
            temporal_aq: false,
            tone_map: ToneMap::Hable,
            accel: None,
            accel_decode: true,
            device: None,
        }
    }
}

/// Bits a second from a setting: `4500k`, `2M`, `600000`, and a number below 100,000 in thousands,
/// as Immich's page has it. None for 0 and for what is no number.
#[must_use]
pub fn bit_rate(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.trim_end_matches(|it: char| !it.is_ascii_digit());
    let number: u64 = digits.parse().ok()?;
    let unit = text.get(digits.len()..)?.trim().to_ascii_lowercase();
    let bits = match unit.as_str() {
        "k" | "kb/s" | "kbps" => number.checked_mul(1_000)?,
        "m" | "mb/s" | "mbps" => number.checked_mul(1_000_000)?,
        "" if number < 100_000 => number.checked_mul(1_000)?,
        _ => number,
    };
    (bits > 0).then_some(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bit_rates_have_units() {
        assert_eq!(bit_rate("4500k"), Some(4_500_000));
        assert_eq!(bit_rate("2M"), Some(2_000_000));
        assert_eq!(bit_rate("4500"), Some(4_500_000));
        assert_eq!(bit_rate("600000"), Some(600_000));
        assert_eq!((bit_rate("0"), bit_rate(""), bit_rate("fast")), (None, None, None));
    }
}
