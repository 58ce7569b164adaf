//! Settings of pictures and films.

use crate::config::shape::{Group, Kind, Numbers, SAFE_MAX, Words, field, optional};

const VIDEO_CODEC: Words = Words { schema: "VideoCodec", all: &["h264", "hevc", "vp9", "av1"] };
const AUDIO_CODEC: Words =
    Words { schema: "AudioCodec", all: &["mp3", "aac", "opus", "pcm_s16le"] };
const VIDEO_CONTAINER: Words =
    Words { schema: "VideoContainer", all: &["mov", "mp4", "ogg", "webm"] };
const CQ_MODE: Words = Words { schema: "CQMode", all: &["auto", "cqp", "icq"] };
const TRANSCODE_POLICY: Words = Words {
    schema: "TranscodePolicy",
    all: &["all", "optimal", "bitrate", "required", "disabled"],
};
const TONE_MAPPING: Words =
    Words { schema: "ToneMapping", all: &["hable", "mobius", "reinhard", "disabled"] };
const TRANSCODE_HW_ACCEL: Words =
    Words { schema: "TranscodeHWAccel", all: &["nvenc", "qsv", "vaapi", "rkmpp", "disabled"] };
const IMAGE_FORMAT: Words = Words { schema: "ImageFormat", all: &["jpeg", "webp"] };
const COLORSPACE: Words = Words { schema: "Colorspace", all: &["srgb", "p3"] };
const HLS_VIDEO_RESOLUTION: Numbers =
    Numbers { schema: "HlsVideoResolution", all: &[480, 720, 1080, 1440, 2160] };

const FFMPEG_REALTIME: Group = Group {
    schema: "SystemConfigFFmpegRealtimeDto",
    fields: &[
        field("enabled", Kind::Bool(false)),
        field("videoCodecs", Kind::Words(&VIDEO_CODEC, &["h264", "hevc"])),
        field("resolutions", Kind::Numbers(&HLS_VIDEO_RESOLUTION, &[480, 720, 1080])),
    ],
};

pub(super) const FFMPEG: Group = Group {
    schema: "SystemConfigFFmpegDto",
    fields: &[
        field("crf", Kind::Int(0, 51, 23)),
        field("threads", Kind::Int(0, SAFE_MAX, 0)),
        field("preset", Kind::Text("ultrafast")),
        field("targetVideoCodec", Kind::Word(&VIDEO_CODEC, "h264")),
        field("acceptedVideoCodecs", Kind::Words(&VIDEO_CODEC, &["h264"])),
        field("targetAudioCodec", Kind::Word(&AUDIO_CODEC, "aac")),
        field("acceptedAudioCodecs", Kind::Words(&AUDIO_CODEC, &["aac", "mp3", "opus"])),
        field("acceptedContainers", Kind::Words(&VIDEO_CONTAINER, &["mov", "ogg", "webm"])),
        field("targetResolution", Kind::Text("720")),
        field("maxBitrate", Kind::Text("0")),
        field("bframes", Kind::Int(-1, 16, -1)),
        field("refs", Kind::Int(0, 6, 0)),
        field("gopSize", Kind::Int(0, SAFE_MAX, 0)),
        field("temporalAQ", Kind::Bool(false)),
        field("cqMode", Kind::Word(&CQ_MODE, "auto")),
        field("twoPass", Kind::Bool(false)),
        field("preferredHwDevice", Kind::Text("auto")),
        field("transcode", Kind::Word(&TRANSCODE_POLICY, "required")),
        field("tonemap", Kind::Word(&TONE_MAPPING, "hable")),
        field("accel", Kind::Word(&TRANSCODE_HW_ACCEL, "disabled")),
        field("accelDecode", Kind::Bool(true)),
        field("realtime", Kind::Group(&FFMPEG_REALTIME)),
    ],
};

const GENERATED_IMAGE_THUMBNAIL: Group = Group {
    schema: "SystemConfigGeneratedImageDto",
    fields: &[
        field("format", Kind::Word(&IMAGE_FORMAT, "webp")),
        field("size", Kind::Int(1, SAFE_MAX, 250)),
        field("quality", Kind::Int(1, 100, 80)),
        optional("progressive", Kind::Bool(false)),
    ],
};

const GENERATED_IMAGE_PREVIEW: Group = Group {
    schema: "SystemConfigGeneratedImageDto",
    fields: &[
        field("format", Kind::Word(&IMAGE_FORMAT, "jpeg")),
        field("size", Kind::Int(1, SAFE_MAX, 1_440)),
        field("quality", Kind::Int(1, 100, 80)),
        optional("progressive", Kind::Bool(false)),
    ],
};

const GENERATED_FULLSIZE_IMAGE: Group = Group {
    schema: "SystemConfigGeneratedFullsizeImageDto",
    fields: &[
        field("enabled", Kind::Bool(false)),
        field("format", Kind::Word(&IMAGE_FORMAT, "jpeg")),
        field("quality", Kind::Int(1, 100, 80)),
        optional("progressive", Kind::Bool(false)),
    ],
};

pub(super) const IMAGE: Group = Group {
    schema: "SystemConfigImageDto",
    fields: &[
        field("thumbnail", Kind::Group(&GENERATED_IMAGE_THUMBNAIL)),
        field("preview", Kind::Group(&GENERATED_IMAGE_PREVIEW)),
        field("colorspace", Kind::Word(&COLORSPACE, "p3")),
        field("extractEmbedded", Kind::Bool(false)),
        field("fullsize", Kind::Group(&GENERATED_FULLSIZE_IMAGE)),
    ],
};
