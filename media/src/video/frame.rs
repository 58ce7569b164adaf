//! One frame of a film by ffmpeg, upright, scaled and in plain RGB.

use std::{ffi::OsStr, path::Path};

use super::probe::local_file;
use crate::{
    decoder::{DecodeError, Outside, OutsideError},
    image::ImageWish,
    limits::FRAME_BLOB_BYTES_MAX,
    metadata::Facts,
    transcode::{ToneMap, tone_map},
};

/// How far into a film the frame is taken, in milliseconds: the first frame is often black.
const SEEK_MS_MAX: u64 = 3_000;

/// The frame is taken at this part of a short film.
const SEEK_PART: u64 = 10;

/// Keyframes among which the frame is chosen, and how far after the first they may lie, in seconds.
const KEYFRAMES: u32 = 8;
const KEYFRAMES_WITHIN_S: &str = "30";

/// One way to take a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Way {
    /// How far into the film.
    seek_ms: u64,
    /// Whether the most telling of several keyframes is taken, instead of the first frame.
    chooses: bool,
    /// From HDR to SDR.
    tone_map: ToneMap,
}

/// A frame as binary PPM: the one of some keyframes whose colours are nearest to their average, which
/// is neither black nor a flash. Where that gives nothing, the frame at the usual place, then at the
/// start, then without tone mapping.
pub(crate) async fn frame(
    outside: &Outside<'_>,
    source: &Path,
    facts: &Facts,
    wish: ImageWish,
) -> Result<Vec<u8>, DecodeError> {
    if facts.width.is_none()
        && facts.true_mime.as_deref().is_some_and(|it| it.starts_with("video/"))
    {
        return Err(DecodeError::Unsupported { what: "film without a picture".to_owned() });
    }
    let is_hdr = matches!(facts.color_transfer.as_deref(), Some("smpte2084" | "arib-std-b67"));
    let seek_ms = facts.duration_ms.map_or(0, |it| (it / SEEK_PART).min(SEEK_MS_MAX));
    let tone_map = if is_hdr { wish.tone_map } else { ToneMap::Disabled };
    let way = Way { seek_ms, chooses: false, tone_map };
    let start = Way { seek_ms: 0, ..way };
    let plain = Way { tone_map: ToneMap::Disabled, ..start };
    let mut tries = vec![Way { chooses: true, ..way }, way, start, plain];
    tries.dedup();
    for way in tries {
        match take(outside, source, way, wish).await {
            Ok(frame) if !frame.is_empty() => return Ok(frame),
            Ok(_) | Err(OutsideError::Refused) => {}
            Err(OutsideError::Stopped(error)) => return Err(error),
        }
    }
    Err(DecodeError::corrupt("film has no frame that can be decoded"))
}

async fn take(
    outside: &Outside<'_>,
    source: &Path,
    way: Way,
    wish: ImageWish,
) -> Result<Vec<u8>, OutsideError> {
    let input = local_file(source);
    let seek = format!("{}.{:03}", way.seek_ms / 1_000, way.seek_ms % 1_000);
    let filter = filter(way, wish.decoded_px());
    let before = ["-v", "error", "-nostdin", "-threads", "1", "-protocol_whitelist", "file,pipe"];
    let keyframes: &[&str] =
        if way.chooses { &["-skip_frame", "nokey", "-t", KEYFRAMES_WITHIN_S] } else { &[] };
    // The chosen frame may be far from the place that was sought; it is not to be made up for.
    let as_it_comes: &[&str] = if way.chooses { &["-fps_mode", "passthrough"] } else { &[] };
    let place = ["-noaccurate_seek", "-ss", &seek, "-i"];
    let after = ["-map", "0:V:0?", "-an", "-sn", "-frames:v", "1", "-filter_threads", "1"];
    let output = ["-vf", &filter, "-f", "image2pipe", "-c:v", "ppm", "pipe:1"];
    let mut args: Vec<&OsStr> = Vec::new();
    args.extend(before.iter().chain(keyframes).chain(&place).map(OsStr::new));
    args.push(&input);
    args.extend(after.iter().chain(as_it_comes).chain(&output).map(OsStr::new));
    outside.output(outside.ffmpeg(), source, &args, FRAME_BLOB_BYTES_MAX).await
}

/// Square pixels first (anamorphic films), then into the preview's square, then RGB, then the choice.
fn filter(way: Way, side: u32) -> String {
    let tone_map = tone_map(way.tone_map, "full").map(|it| it + ",").unwrap_or_default();
    let choice = if way.chooses { format!(",thumbnail={KEYFRAMES}") } else { String::new() };
    format!(
        "scale=w='max(1,iw*sar)':h=ih,setsar=1,\
         scale=w='if(gte(iw,ih),min({side},iw),-1)':h='if(gte(iw,ih),-1,min({side},ih))'\
         :flags=lanczos+accurate_rnd+full_chroma_int,{tone_map}format=rgb24{choice}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hdr_is_mapped_as_it_is_wished_before_a_frame_is_chosen() {
        let way = Way { seek_ms: 0, chooses: true, tone_map: ToneMap::Mobius };
        let chain = filter(way, 1_440);
        assert!(chain.contains("tonemap=tonemap=mobius"), "{chain}");
        assert!(chain.ends_with(":r=full,format=rgb24,thumbnail=8"), "{chain}");
        let plain = filter(Way { chooses: false, tone_map: ToneMap::Disabled, ..way }, 1_440);
        assert!(plain.ends_with("full_chroma_int,format=rgb24"), "{plain}");
    }
}
