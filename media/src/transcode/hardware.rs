//! Arguments of encoders in hardware.
//!
//! Frames pass through main memory between decoder and encoder: filters are then the same as in
//! software, and what a driver cannot decode comes from the processor.

use super::software::preset_place;
use super::wish::{Accel, CqMode, TranscodeWish, VideoCodec};

/// The first device for rendering, where nobody names one.
const FIRST_DEVICE: &str = "/dev/dri/renderD128";

/// Presets of Quick Sync, which has none faster than `veryfast`.
const QSV_PRESETS: [&str; 9] =
    ["veryfast", "veryfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"];

/// Presets of NVENC: p1 is the fastest.
const NVENC_PRESETS: [&str; 9] = ["p1", "p1", "p2", "p2", "p3", "p4", "p5", "p6", "p7"];

/// The encoder's name.
pub(super) fn encoder(accel: Accel, codec: VideoCodec) -> String {
    let ending = match accel {
        Accel::Nvenc => "nvenc",
        Accel::Qsv => "qsv",
        Accel::Vaapi => "vaapi",
        Accel::Rkmpp => "rkmpp",
    };
    format!("{}_{ending}", codec.as_str())
}

/// What stands before the input: devices, and decoding in hardware.
pub(crate) fn before_input(wish: &TranscodeWish, accel: Accel, args: &mut Vec<String>) {
    let mut push = |words: &[&str]| args.extend(words.iter().map(|it| (*it).to_owned()));
    let device = wish.device.as_deref().unwrap_or(FIRST_DEVICE);
    match accel {
        Accel::Nvenc if wish.accel_decode => push(&["-hwaccel", "cuda"]),
        Accel::Qsv => {
            let hardware = format!("qsv=hw,child_device={device}");
            push(&["-init_hw_device", &hardware, "-filter_hw_device", "hw"]);
            if wish.accel_decode {
                push(&["-hwaccel", "qsv"]);
            }
        }
        Accel::Vaapi => {
            push(&["-vaapi_device", device]);
            if wish.accel_decode {
                push(&["-hwaccel", "vaapi", "-hwaccel_device", device]);
            }
        }
        Accel::Nvenc | Accel::Rkmpp => {}
    }
}

/// What the last filter must give.
pub(super) const fn format(accel: Accel) -> &'static str {
    match accel {
        Accel::Nvenc => "yuv420p",
        Accel::Qsv | Accel::Rkmpp => "nv12",
        Accel::Vaapi => "nv12,hwupload",
    }
}

/// Encoder, quality and speed.
pub(super) fn arguments(
    wish: &TranscodeWish,
    accel: Accel,
    codec: VideoCodec,
    args: &mut Vec<String>,
) {
    let place = preset_place(wish);
    let quality = wish.crf.to_string();
    let max = wish.bit_rate_max.map(|it| (it.to_string(), it.saturating_mul(2).to_string()));
    let encoder = encoder(accel, codec);
    let mut push = |words: &[&str]| args.extend(words.iter().map(|it| (*it).to_owned()));
    push(&["-c:v", &encoder]);
    match accel {
        Accel::Nvenc => {
            push(&["-preset", NVENC_PRESETS[place]]);
            match (wish.cq_mode, &max) {
                (CqMode::Cqp, _) => push(&["-rc", "constqp", "-qp", &quality]),
                (_, None) => push(&["-rc", "vbr", "-cq", &quality, "-b:v", "0"]),
                (_, Some((most, buffer))) => {
                    push(&["-rc", "vbr", "-cq", &quality, "-maxrate", most, "-bufsize", buffer]);
                }
            }
            if wish.temporal_aq {
                push(&["-temporal-aq", "1"]);
            }
        }
        Accel::Qsv => {
            push(&["-preset", QSV_PRESETS[place]]);
            match (wish.cq_mode, &max) {
                (_, Some((most, buffer))) => {
                    push(&["-b:v", most, "-maxrate", most, "-bufsize", buffer]);
                }
                (CqMode::Cqp, None) => push(&["-q:v", &quality]),
                (_, None) => push(&["-global_quality", &quality]),
            }
        }
        Accel::Vaapi => match (wish.cq_mode, &max) {
            (_, Some((most, buffer))) => {
                push(&["-rc_mode", "VBR", "-b:v", most, "-maxrate", most, "-bufsize", buffer]);
            }
            (CqMode::Icq, None) => push(&["-rc_mode", "ICQ", "-global_quality", &quality]),
            (_, None) => push(&["-rc_mode", "CQP", "-qp", &quality]),
        },
        Accel::Rkmpp => match &max {
            Some((most, _)) => push(&["-rc_mode", "AVBR", "-b:v", most, "-maxrate", most]),
            None => push(&["-rc_mode", "CQP", "-qp_init", &quality]),
        },
    }
}
