//! The sizes and codecs that a film is offered in.

use crate::transcode::{VideoCodec, VideoStream};

/// What administrators offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ladder {
    /// Codecs. VP9 is not streamed.
    pub codecs: Vec<VideoCodec>,
    /// Shorter sides, in pixels.
    pub short_sides: Vec<u32>,
}

/// One size in one codec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// The codec.
    pub codec: VideoCodec,
    /// The shorter side, in pixels.
    pub short_side: u32,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Most bits a second of the picture.
    pub bit_rate: u64,
}

/// Bits a second of H.264 by the shorter side, up to and including it.
const RATES: [(u32, u64); 5] = [
    (480, 1_500_000),
    (720, 3_000_000),
    (1_080, 6_000_000),
    (1_440, 12_000_000),
    (2_160, 24_000_000),
];

/// What of these bits newer codecs need, in percent.
const fn percent(codec: VideoCodec) -> u64 {
    match codec {
        VideoCodec::H264 => 100,
        VideoCodec::Hevc | VideoCodec::Vp9 => 65,
        VideoCodec::Av1 => 55,
    }
}

/// What a film is offered in: no larger than it is, the codecs in the order of the ladder, and at
/// least one variant.
#[must_use]
pub fn variants(picture: &VideoStream, ladder: &Ladder) -> Vec<Variant> {
    let own = picture.width.min(picture.height);
    let mut sides: Vec<u32> =
        ladder.short_sides.iter().copied().filter(|side| *side <= own).collect();
    if sides.is_empty() {
        sides.push(own);
    }
    sides.sort_unstable();
    sides.dedup();
    let mut codecs: Vec<VideoCodec> = Vec::new();
    for codec in &ladder.codecs {
        if *codec != VideoCodec::Vp9 && !codecs.contains(codec) {
            codecs.push(*codec);
        }
    }
    if codecs.is_empty() {
        codecs.push(VideoCodec::H264);
    }
    let one = |codec: VideoCodec, side: u32| {
        let (width, height) = picture.scaled_to(side);
        let of_h264 = RATES.iter().find(|(most, _)| side <= *most).unwrap_or(&RATES[4]).1;
        let bit_rate = of_h264 / 100 * percent(codec);
        Variant { codec, short_side: side, width, height, bit_rate }
    };
    codecs.iter().flat_map(|codec| sides.iter().map(|side| one(*codec, *side))).collect()
}

impl Variant {
    /// Its codecs as RFC 6381 names them: at most what its encoder makes at that size.
    #[must_use]
    pub fn codecs(&self, has_sound: bool) -> String {
        let picture = match (self.codec, self.short_side) {
            (VideoCodec::H264, 0..=480) => "avc1.64001f",
            (VideoCodec::H264, 481..=720) => "avc1.640028",
            (VideoCodec::H264, 721..=1_080) => "avc1.64002a",
            (VideoCodec::H264, _) => "avc1.640034",
            (VideoCodec::Hevc, 0..=480) => "hvc1.1.6.L93.B0",
            (VideoCodec::Hevc, 481..=1_080) => "hvc1.1.6.L123.B0",
            (VideoCodec::Hevc, _) => "hvc1.1.6.L156.B0",
            (VideoCodec::Av1 | VideoCodec::Vp9, 0..=480) => "av01.0.05M.08",
            (VideoCodec::Av1 | VideoCodec::Vp9, 481..=1_080) => "av01.0.09M.08",
            (VideoCodec::Av1 | VideoCodec::Vp9, _) => "av01.0.13M.08",
        };
        if has_sound { format!("{picture},mp4a.40.2") } else { picture.to_owned() }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::hls) fn picture() -> VideoStream {
        VideoStream {
            index: 0,
            codec: "hevc".into(),
            width: 1080,
            height: 1920,
            is_anamorphic: false,
            pixel_format: "yuv420p".into(),
            is_hdr: false,
            bit_rate: None,
            duration_ms: Some(5_000),
        }
    }

    fn offered(codecs: &[VideoCodec], short_sides: &[u32]) -> Vec<(VideoCodec, u32, u32)> {
        let ladder = Ladder { codecs: codecs.into(), short_sides: short_sides.into() };
        let all = variants(&picture(), &ladder);
        all.iter().map(|it| (it.codec, it.width, it.height)).collect()
    }

    #[test]
    fn film_is_offered_no_larger_than_it_is() {
        let (h264, hevc) = (VideoCodec::H264, VideoCodec::Hevc);
        assert_eq!(
            offered(&[h264, hevc], &[720, 480, 2_160]),
            [(h264, 480, 852), (h264, 720, 1_280), (hevc, 480, 852), (hevc, 720, 1_280)]
        );
    }

    #[test]
    fn small_film_is_offered_as_large_as_it_is_and_always_in_something() {
        assert_eq!(offered(&[VideoCodec::Vp9], &[2_160]), [(VideoCodec::H264, 1_080, 1_920)]);
    }
}
