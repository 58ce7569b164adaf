//! From a plan to ffmpeg's arguments. The paths are placeholders, so that the same arguments tell
//! later how a film was made.

use super::film::{Film, VideoStream};
use super::plan::{Plan, Track};
use super::wish::{AudioCodec, ToneMap, TranscodeWish, VideoCodec};
use super::{filters, hardware, software};

/// Stands for the original.
pub const FILM: &str = "{film}";
/// Stands for the file that is made.
pub const MADE: &str = "{made}";
/// Stands for what the first pass tells the second.
pub const LOG: &str = "{log}";

/// Containers that are opened. Playlists are not among them: they name other files.
pub(crate) const CONTAINERS: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,\
    mpegvideo,m4v,h264,hevc,flv,live_flv,asf,asf_o,ogg,mxf,mxf_opatom,dv,gif,rm,nut,ivf";

/// Most channels of sound that is encoded: players everywhere have two.
const CHANNELS_MAX: u32 = 2;

/// The arguments of each run of ffmpeg, one or two; none for a plan to do nothing.
#[must_use]
pub fn passes(film: &Film, wish: &TranscodeWish, plan: Plan) -> Vec<Vec<String>> {
    let (Plan::Make { video, audio }, Some(picture)) = (plan, &film.video) else {
        return Vec::new();
    };
    let encodes = video == Track::Encode;
    let mut head = words(&["-nostdin", "-v", "error", "-nostats", "-progress", "pipe:1"]);
    head.extend(words(&["-y", "-protocol_whitelist", "file,pipe"]));
    head.extend(words(&["-format_whitelist", CONTAINERS]));
    if let Some(accel) = wish.accel.filter(|_| encodes) {
        hardware::before_input(wish, accel, &mut head);
    }
    head.extend(words(&["-i", FILM, "-map", &format!("0:{}", picture.index)]));
    let mut pictures = Vec::new();
    if encodes {
        encode_picture(picture, wish, wish.video_codec, &mut pictures);
    } else {
        pictures.extend(words(&["-c:v", "copy"]));
    }
    let codec = if encodes { wish.video_codec.as_str() } else { &picture.codec };
    if codec == "hevc" {
        // The name under which Apple's players look for it.
        pictures.extend(words(&["-tag:v", "hvc1"]));
    }
    let mut sound = Vec::new();
    if let (Some(stream), Track::Copy | Track::Encode) = (&film.audio, audio) {
        sound.extend(words(&["-map", &format!("0:{}", stream.index)]));
        sound.extend(match audio {
            Track::Encode => encode_sound(wish.audio_codec, stream.channels),
            _ => words(&["-c:a", "copy"]),
        });
    }
    let mut tail = words(&["-map_metadata", "-1", "-map_chapters", "-1"]);
    tail.extend(words(&["-max_muxing_queue_size", "9999", "-movflags", "+faststart"]));
    tail.extend(words(&["-f", "mp4", MADE]));
    let is_software = wish.accel.is_none();
    if encodes && is_software && software::takes_two_passes(wish, wish.video_codec) {
        let pass = |number: &str| words(&["-pass", number, "-passlogfile", LOG]);
        let first = [head.clone(), pictures.clone(), pass("1"), words(&["-an", "-f", "null", "-"])];
        let second = [head, pictures, pass("2"), sound, tail];
        return vec![first.concat(), second.concat()];
    }
    vec![[head, pictures, sound, tail].concat()]
}

/// How a film was made, in one line: the last run's arguments from the streams on.
#[must_use]
pub fn recipe(passes: &[Vec<String>]) -> String {
    let last = passes.last().map_or(&[][..], Vec::as_slice);
    let from = last.iter().position(|it| it == "-map").unwrap_or(0);
    last.get(from..).unwrap_or_default().join(" ")
}

/// Filters, encoder and what all encoders know.
pub(crate) fn encode_picture(
    picture: &VideoStream,
    wish: &TranscodeWish,
    codec: VideoCodec,
    args: &mut Vec<String>,
) {
    let format = match wish.accel {
        Some(accel) => hardware::format(accel),
        // Ten bits of H.264 play almost nowhere.
        None if keeps_hdr(picture, wish) && codec != VideoCodec::H264 => "yuv420p10le",
        None => "yuv420p",
    };
    let chain = filters::chain(picture, wish.short_side_px, wish.tone_map, format);
    args.extend(words(&["-vf", &chain]));
    match wish.accel {
        Some(accel) => hardware::arguments(wish, accel, codec, args),
        None => software::arguments(wish, codec, args),
    }
    let mut option = |name: &str, value: Option<u32>| {
        args.extend(value.into_iter().flat_map(|it| [name.to_owned(), it.to_string()]));
    };
    option("-bf", wish.b_frames);
    option("-refs", Some(wish.refs).filter(|it| *it > 0));
    option("-g", Some(wish.gop_size).filter(|it| *it > 0));
    option("-threads", Some(wish.threads).filter(|it| *it > 0));
}

/// Encoder of sound, brought down to what every player has.
pub(crate) fn encode_sound(codec: AudioCodec, channels: u32) -> Vec<String> {
    let encoder = match codec {
        AudioCodec::Aac => "aac",
        AudioCodec::Mp3 => "libmp3lame",
        AudioCodec::Opus => "libopus",
    };
    let mut args = words(&["-c:a", encoder]);
    if channels > CHANNELS_MAX {
        args.extend(words(&["-ac", &CHANNELS_MAX.to_string()]));
    }
    args
}

fn keeps_hdr(picture: &VideoStream, wish: &TranscodeWish) -> bool {
    picture.is_hdr && wish.tone_map == ToneMap::Disabled
}

pub(crate) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|it| (*it).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::film::AudioStream;
    use super::super::wish::{Accel, Container, CqMode};
    use super::*;

    fn film() -> Film {
        Film {
            container: Container::Mov,
            duration_ms: Some(3_000),
            bit_rate: None,
            video: Some(VideoStream {
                index: 0,
                codec: "hevc".into(),
                width: 1080,
                height: 1920,
                is_anamorphic: false,
                pixel_format: "yuv420p10le".into(),
                is_hdr: true,
                bit_rate: None,
                duration_ms: None,
            }),
            audio: Some(AudioStream { index: 2, codec: "ac3".into(), channels: 6 }),
        }
    }

    const BOTH: Plan = Plan::Make { video: Track::Encode, audio: Track::Encode };

    fn made(wish: &TranscodeWish, plan: Plan) -> String {
        recipe(&passes(&film(), wish, plan))
    }

    #[test]
    fn usual_recipe() {
        assert_eq!(
            made(&TranscodeWish::default(), BOTH),
            "-map 0:0 -vf scale=720:1280,setsar=1,zscale=t=linear:npl=100,format=gbrpf32le,\
             zscale=p=bt709,tonemap=tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv,\
             format=yuv420p -c:v libx264 -preset ultrafast -crf 23 -map 0:2 -c:a aac -ac 2 \
             -map_metadata -1 -map_chapters -1 -max_muxing_queue_size 9999 -movflags +faststart \
             -f mp4 {made}"
        );
    }

    #[test]
    fn packing_anew_takes_over_and_names_hevc_as_apple_does() {
        let plan = Plan::Make { video: Track::Copy, audio: Track::None };
        let made = made(&TranscodeWish::default(), plan);
        assert!(made.starts_with("-map 0:0 -c:v copy -tag:v hvc1 -map_metadata"), "{made}");
    }

    #[test]
    fn hdr_that_stays_keeps_its_bits_where_players_can() {
        let mut wish = TranscodeWish { tone_map: ToneMap::Disabled, ..TranscodeWish::default() };
        assert!(made(&wish, BOTH).contains("format=yuv420p -c:v libx264"));
        wish.video_codec = VideoCodec::Av1;
        let made = made(&wish, BOTH);
        assert!(made.contains("setsar=1,format=yuv420p10le -c:v libsvtav1 -preset 12"), "{made}");
    }

    #[test]
    fn limited_rate_may_take_two_passes() {
        let mut wish = TranscodeWish {
            bit_rate_max: Some(3_000_000),
            two_pass: true,
            video_codec: VideoCodec::Vp9,
            ..TranscodeWish::default()
        };
        let two = passes(&film(), &wish, BOTH);
        assert_eq!(two.len(), 2);
        assert!(two[0].join(" ").ends_with("-pass 1 -passlogfile {log} -an -f null -"));
        assert!(recipe(&two).contains("-b:v 2000000 -maxrate 3000000 -bufsize 6000000"));
        wish.two_pass = false;
        assert_eq!(passes(&film(), &wish, BOTH).len(), 1);
        wish.video_codec = VideoCodec::H264;
        assert!(made(&wish, BOTH).contains("-crf 23 -maxrate 3000000 -bufsize 6000000"));
    }

    #[test]
    fn hardware_has_its_own_words() {
        let mut wish = TranscodeWish { accel: Some(Accel::Vaapi), ..TranscodeWish::default() };
        let all = passes(&film(), &wish, BOTH).concat().join(" ");
        assert!(all.contains("-vaapi_device /dev/dri/renderD128 -hwaccel vaapi"), "{all}");
        assert!(all.contains("format=nv12,hwupload -c:v h264_vaapi -rc_mode CQP -qp 23"), "{all}");
        (wish.accel, wish.cq_mode) = (Some(Accel::Nvenc), CqMode::Cqp);
        assert!(made(&wish, BOTH).contains("-c:v h264_nvenc -preset p1 -rc constqp -qp 23"));
        (wish.accel, wish.accel_decode) = (Some(Accel::Qsv), false);
        wish.cq_mode = CqMode::Auto;
        let all = passes(&film(), &wish, BOTH).concat().join(" ");
        assert!(all.contains("-c:v h264_qsv -preset veryfast -global_quality 23"), "{all}");
        assert!(!all.contains("-hwaccel"), "{all}");
    }

    #[test]
    fn encoders_are_told_what_all_know() {
        let wish = TranscodeWish {
            b_frames: Some(0),
            refs: 3,
            gop_size: 60,
            threads: 2,
            video_codec: VideoCodec::Hevc,
            audio_codec: AudioCodec::Opus,
            ..TranscodeWish::default()
        };
        let made = made(&wish, BOTH);
        assert!(made.contains("log-level=error:pools=2 -crf 23 -bf 0 -refs 3 -g 60 -threads 2"));
        assert!(made.contains("-tag:v hvc1 -map 0:2 -c:a libopus -ac 2"), "{made}");
    }
}
