//! Camera RAW without a picture inside: developed by `LibRaw`, through its program `dcraw_emu`,
//! which runs as limited as ffmpeg. It turns the picture upright itself.

use std::{ffi::OsStr, path::Path};

use crate::{
    decoder::{DecodeError, Outside, OutsideError},
    image::ImageWish,
    limits::FRAME_BLOB_BYTES_MAX,
    metadata::Facts,
};

/// Half a size is developed where it is still this many times the preview: four sensor cells then
/// make one pixel and nothing is guessed between them.
const HALF_OVER_PREVIEW: u32 = 1;

/// The developed picture as binary PPM, sRGB, with the camera's white balance.
pub(crate) async fn develop(
    outside: &Outside<'_>,
    source: &Path,
    facts: &Facts,
    wish: ImageWish,
) -> Result<Vec<u8>, DecodeError> {
    let long = facts.width.max(facts.height).unwrap_or(0);
    let is_half = long / 2 >= wish.decoded_px().saturating_mul(HALF_OVER_PREVIEW);
    let mut args: Vec<&OsStr> = ["-w", "-o", "1", "-Z", "-"].map(OsStr::new).to_vec();
    if is_half {
        args.push(OsStr::new("-h"));
    }
    args.push(source.as_os_str());
    match outside.output(outside.dcraw(), source, &args, FRAME_BLOB_BYTES_MAX).await {
        Ok(picture) if !picture.is_empty() => Ok(picture),
        Ok(_) | Err(OutsideError::Refused) => {
            Err(DecodeError::corrupt("RAW without a picture inside cannot be developed"))
        }
        // Not worth trying again: the program will not come by itself.
        Err(OutsideError::Stopped(DecodeError::Unavailable { .. })) => {
            let what = "RAW without a picture inside: dcraw_emu is not installed".to_owned();
            Err(DecodeError::Unsupported { what })
        }
        Err(OutsideError::Stopped(error)) => Err(error),
    }
}

/// Whether the type, as told by content, is camera RAW.
pub(crate) fn is_raw(mime: &str) -> bool {
    crate::kind::RAW_MIMES.contains(&mime)
}
