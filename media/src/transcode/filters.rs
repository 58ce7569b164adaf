//! The chain of filters between decoder and encoder: size, square pixels, HDR to SDR, pixel format.

use super::film::VideoStream;
use super::plan::{even, target_size};
use super::wish::ToneMap;

/// HDR (PQ, HLG) to SDR: linear light, a curve, BT.709. White is 100 nits, as ffmpeg's own example
/// of `tonemap` has it.
#[must_use]
pub(crate) fn tone_map(curve: ToneMap, range: &str) -> Option<String> {
    let curve = curve.curve()?;
    Some(format!(
        "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,\
         tonemap=tonemap={curve}:desat=0,zscale=t=bt709:m=bt709:r={range}"
    ))
}

/// The filters for a picture whose shorter side is to be at most `short_side` and whose pixels are
/// to be stored in `format`. Size comes first: tone mapping costs by the pixel.
pub(super) fn chain(
    picture: &VideoStream,
    short_side: Option<u32>,
    curve: ToneMap,
    format: &str,
) -> String {
    let mut filters = Vec::new();
    let own = (even(picture.width), even(picture.height));
    let target = target_size(picture, short_side);
    let is_odd = own != (picture.width, picture.height);
    if target.is_some() || is_odd || picture.is_anamorphic {
        let (width, height) = target.unwrap_or(own);
        filters.push(format!("scale={width}:{height},setsar=1"));
    }
    filters.extend(tone_map(curve, "tv").filter(|_| picture.is_hdr));
    filters.push(format!("format={format}"));
    filters.join(",")
}
