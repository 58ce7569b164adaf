//! Arguments of the encoders that run on any processor.

use super::wish::{TranscodeWish, VideoCodec};

/// Presets from the fastest to the best.
pub(super) const PRESETS: [&str; 9] = [
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
];

/// `-cpu-used` of libvpx for each preset: 5 is the fastest of its good ones.
const VPX_SPEEDS: [u32; 9] = [5, 5, 4, 4, 3, 2, 2, 1, 1];

/// `-preset` of SVT-AV1 for each preset: 13 is its fastest.
const SVT_PRESETS: [u32; 9] = [12, 11, 10, 9, 8, 7, 6, 5, 4];

/// The place of a preset; an unknown one is the fastest.
pub(super) fn preset_place(wish: &TranscodeWish) -> usize {
    PRESETS.iter().position(|it| *it == wish.preset).unwrap_or(0)
}

/// Encoder, quality and speed.
pub(super) fn arguments(wish: &TranscodeWish, codec: VideoCodec, args: &mut Vec<String>) {
    let place = preset_place(wish);
    let mut push = |words: &[&str]| args.extend(words.iter().map(|it| (*it).to_owned()));
    match codec {
        VideoCodec::H264 => push(&["-c:v", "libx264", "-preset", PRESETS[place]]),
        VideoCodec::Hevc => {
            let pools =
                if wish.threads > 0 { format!(":pools={}", wish.threads) } else { String::new() };
            let private = format!("log-level=error{pools}");
            push(&["-c:v", "libx265", "-preset", PRESETS[place], "-x265-params", &private]);
        }
        VideoCodec::Vp9 => {
            let speed = VPX_SPEEDS[place].to_string();
            push(&["-c:v", "libvpx-vp9", "-deadline", "good", "-cpu-used", &speed, "-row-mt", "1"]);
        }
        VideoCodec::Av1 => {
            push(&["-c:v", "libsvtav1", "-preset", &SVT_PRESETS[place].to_string()]);
        }
    }
    rate(wish, codec, args);
}

/// Whether two passes are of use: only a limited bit rate is met better by a second one. SVT-AV1's
/// passes are not ffmpeg's.
pub(super) fn takes_two_passes(wish: &TranscodeWish, codec: VideoCodec) -> bool {
    wish.two_pass && wish.bit_rate_max.is_some() && codec != VideoCodec::Av1
}

fn rate(wish: &TranscodeWish, codec: VideoCodec, args: &mut Vec<String>) {
    let crf = wish.crf.to_string();
    let mut push = |words: &[&str]| args.extend(words.iter().map(|it| (*it).to_owned()));
    let Some(max) = wish.bit_rate_max else {
        push(&["-crf", &crf]);
        if codec == VideoCodec::Vp9 {
            push(&["-b:v", "0"]);
        }
        return;
    };
    let (most, buffer) = (max.to_string(), max.saturating_mul(2).to_string());
    if takes_two_passes(wish, codec) {
        // On average two thirds, so that there is something to give to busy scenes.
        let average = (max / 3 * 2).to_string();
        push(&["-b:v", &average, "-maxrate", &most, "-bufsize", &buffer]);
        return;
    }
    match codec {
        VideoCodec::H264 | VideoCodec::Hevc => {
            push(&["-crf", &crf, "-maxrate", &most, "-bufsize", &buffer]);
        }
        VideoCodec::Vp9 => push(&["-crf", &crf, "-b:v", &most]),
        VideoCodec::Av1 => {
            let limit = format!("mbr={}", max / 1_000);
            push(&["-crf", &crf, "-svtav1-params", &limit]);
        }
    }
}
