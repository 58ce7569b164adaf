//! One frame of a film by ffmpeg, upright, scaled and in plain RGB.

use std::{ffi::OsStr, path::Path};

use super::probe::local_file;
use crate::{
    decoder::{DecodeError, Outside, OutsideError},
    image::ImageWish,
    limits::FRAME_BLOB_BYTES_MAX,
    metadata::Facts,
};

/// How far into a film the frame is taken, in milliseconds: the first frame is often black.
const SEEK_MS_MAX: u64 = 3_000;

/// The frame is taken at this part of a short film.
const SEEK_PART: u64 = 10;

/// HDR (PQ, HLG) to SDR, as Immich's default does it: linear light, Hable's curve, BT.709.
const TONE_MAP: &str = "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,\
    tonemap=tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=full,";

/// A frame as binary PPM. Tries the usual place, then the start, then without tone mapping.
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
    let mut tries = vec![(seek_ms, is_hdr), (0, is_hdr), (0, false)];
    tries.dedup();
    for (seek_ms, is_hdr) in tries {
        match take(outside, source, seek_ms, is_hdr, wish).await {
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
    seek_ms: u64,
    is_hdr: bool,
    wish: ImageWish,
) -> Result<Vec<u8>, OutsideError> {
    let input = local_file(source);
    let seek = format!("{}.{:03}", seek_ms / 1_000, seek_ms % 1_000);
    let filter = filter(is_hdr, wish.preview_px);
    let before = ["-v", "error", "-nostdin", "-threads", "1", "-protocol_whitelist", "file,pipe"];
    let place = ["-noaccurate_seek", "-ss", &seek, "-i"];
    let after = ["-map", "0:V:0?", "-an", "-sn", "-frames:v", "1", "-filter_threads", "1"];
    let output = ["-vf", &filter, "-f", "image2pipe", "-c:v", "ppm", "pipe:1"];
    let mut args: Vec<&OsStr> = Vec::new();
    args.extend(before.iter().chain(&place).map(OsStr::new));
    args.push(&input);
    args.extend(after.iter().chain(&output).map(OsStr::new));
    outside.output(outside.ffmpeg(), &args, FRAME_BLOB_BYTES_MAX).await
}

/// Square pixels first (anamorphic films), then into the preview's square, then RGB.
fn filter(is_hdr: bool, side: u32) -> String {
    let tone_map = if is_hdr { TONE_MAP } else { "" };
    format!(
        "scale=w='max(1,iw*sar)':h=ih,setsar=1,\
         scale=w='if(gte(iw,ih),min({side},iw),-1)':h='if(gte(iw,ih),-1,min({side},ih))'\
         :flags=lanczos+accurate_rnd+full_chroma_int,{tone_map}format=rgb24"
    )
}
