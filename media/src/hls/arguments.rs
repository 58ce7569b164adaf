//! ffmpeg's arguments for making segments from some place of a film on.

use super::SEGMENT_MS;
use super::variant::Variant;
use crate::transcode::{CONTAINERS, FILM, Film, MADE, TranscodeWish, VideoCodec};
use crate::transcode::{encode_picture, encode_sound, hardware_before_input, words};

/// Frames between keyframes that are not asked for: more than a film has.
const NO_KEYFRAMES: &str = "1000000";

/// The arguments for the segments from `first` on. [`MADE`] stands for the folder.
///
/// Keyframes are where segments begin and nowhere else, so that ffmpeg cuts at each. Times are those
/// of the film (`-copyts`), and each fragment tells its own (`frag_discont`), so segments of several
/// runs fit together. Without B-frames no time is below zero.
pub(super) fn arguments(
    film: &Film,
    wish: &TranscodeWish,
    variant: &Variant,
    first: u64,
) -> Vec<String> {
    let Some(picture) = &film.video else { return Vec::new() };
    let start = first * SEGMENT_MS / 1_000;
    let wish = TranscodeWish {
        short_side_px: Some(variant.short_side),
        bit_rate_max: Some(variant.bit_rate),
        two_pass: false,
        b_frames: Some(0),
        gop_size: 0,
        ..wish.clone()
    };
    let mut args = words(&["-nostdin", "-v", "error", "-y"]);
    args.extend(words(&["-protocol_whitelist", "file,pipe", "-format_whitelist", CONTAINERS]));
    if let Some(accel) = wish.accel {
        hardware_before_input(&wish, accel, &mut args);
    }
    args.extend(words(&["-ss", &start.to_string(), "-i", FILM, "-copyts", "-start_at_zero"]));
    args.extend(words(&["-map", &format!("0:{}", picture.index)]));
    if wish.accel.is_none() && variant.codec == VideoCodec::Av1 {
        software_av1(film, &wish, variant, &mut args);
    } else {
        encode_picture(picture, &wish, variant.codec, &mut args);
    }
    match variant.codec {
        VideoCodec::H264 => args.extend(words(&["-sc_threshold", "0"])),
        VideoCodec::Hevc => {
            args.extend(words(&["-tag:v", "hvc1"]));
            if wish.accel.is_none() {
                let private = "log-level=error:scenecut=0:open-gop=0";
                args.extend(words(&["-x265-params", private]));
            }
        }
        VideoCodec::Vp9 | VideoCodec::Av1 => {}
    }
    // ffmpeg counts `t` from the first frame of the run.
    let at_each = format!("expr:gte(t,n_forced*{})", SEGMENT_MS / 1_000);
    args.extend(words(&["-g", NO_KEYFRAMES, "-force_key_frames", &at_each]));
    if let Some(sound) = &film.audio {
        args.extend(words(&["-map", &format!("0:{}", sound.index)]));
        args.extend(encode_sound(crate::transcode::AudioCodec::Aac, sound.channels));
    }
    args.extend(words(&["-map_metadata", "-1", "-map_chapters", "-1", "-muxdelay", "0"]));
    args.extend(words(&["-muxpreload", "0", "-avoid_negative_ts", "disabled"]));
    args.extend(words(&["-max_muxing_queue_size", "9999", "-f", "hls", "-hls_time", "1"]));
    args.extend(words(&["-hls_segment_type", "fmp4", "-hls_playlist_type", "vod"]));
    args.extend(words(&["-hls_segment_options", "movflags=+frag_discont"]));
    args.extend(words(&["-hls_flags", "temp_file", "-start_number", &first.to_string()]));
    args.extend(words(&["-hls_list_size", "0", "-hls_fmp4_init_filename", "init.mp4"]));
    args.extend([
        "-hls_segment_filename".to_owned(),
        format!("{MADE}/seg_%d.m4s"),
        format!("{MADE}/list.m3u8"),
    ]);
    args
}

/// SVT-AV1 of today's ffmpeg takes no keyframes where they are asked for; libaom does.
fn software_av1(film: &Film, wish: &TranscodeWish, variant: &Variant, args: &mut Vec<String>) {
    let Some(picture) = &film.video else { return };
    let mut all = Vec::new();
    encode_picture(picture, wish, VideoCodec::H264, &mut all);
    // Its filters, up to the encoder.
    args.extend(all.into_iter().take_while(|it| it != "-c:v"));
    let rate = variant.bit_rate.to_string();
    args.extend(words(&["-c:v", "libaom-av1", "-usage", "realtime", "-cpu-used", "8"]));
    args.extend(words(&["-row-mt", "1", "-b:v", &rate]));
}

#[cfg(test)]
mod tests {
    use super::super::variant::{Ladder, tests::picture, variants};
    use super::*;
    use crate::transcode::{AudioStream, Container};

    #[test]
    fn run_begins_at_its_segment_with_a_keyframe_each_two_seconds() {
        let film = Film {
            container: Container::Mov,
            duration_ms: Some(60_000),
            bit_rate: None,
            video: Some(picture()),
            audio: Some(AudioStream { index: 1, codec: "aac".into(), channels: 2 }),
        };
        let ladder = Ladder { codecs: VideoCodec::ALL.into(), short_sides: vec![480] };
        for variant in variants(&picture(), &ladder) {
            let args = arguments(&film, &TranscodeWish::default(), &variant, 7).join(" ");
            assert!(args.contains("-ss 14 -i {film} -copyts"), "{args}");
            assert!(args.contains("expr:gte(t,n_forced*2)"), "{args}");
            assert!(args.contains("scale=480:852"), "{args}");
            assert!(args.contains("-start_number 7"), "{args}");
        }
    }
}
