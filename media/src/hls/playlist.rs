//! Playlists, version 7. Both are known before anything is encoded.

use std::fmt::Write as _;

use super::variant::Variant;
use super::{SEGMENT_MS, segments};

/// Bits a second of the sound.
const SOUND_RATE: u64 = 128_000;

/// What there is to choose from. `query` goes behind each address: players do not pass it on.
#[must_use]
pub fn main_playlist(
    variants: &[Variant],
    has_sound: bool,
    session: &str,
    query: Option<&str>,
) -> String {
    let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n");
    let query = query.map(|it| format!("?{it}")).unwrap_or_default();
    for (place, variant) in variants.iter().enumerate() {
        let rate = variant.bit_rate + if has_sound { SOUND_RATE } else { 0 };
        let (width, height) = (variant.width, variant.height);
        let codecs = variant.codecs(has_sound);
        // Writing to a text does not fail.
        let _written = write!(
            text,
            "#EXT-X-STREAM-INF:BANDWIDTH={rate},RESOLUTION={width}x{height},CODECS=\"{codecs}\"\n\
             {session}/{place}/playlist.m3u8{query}\n"
        );
    }
    text
}

/// The segments of a film, as many as there will be.
#[must_use]
pub fn media_playlist(duration_ms: u64, query: Option<&str>) -> String {
    let query = query.map(|it| format!("?{it}")).unwrap_or_default();
    let target = SEGMENT_MS / 1_000;
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{target}\n#EXT-X-MEDIA-SEQUENCE:0\n\
         #EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n\
         #EXT-X-MAP:URI=\"init.mp4{query}\"\n"
    );
    let count = segments(duration_ms);
    for number in 0..count {
        let left_ms = duration_ms.saturating_sub(number * SEGMENT_MS);
        let length_ms = if number + 1 == count { left_ms } else { SEGMENT_MS };
        let (seconds, rest) = (length_ms / 1_000, length_ms % 1_000);
        let _written = write!(text, "#EXTINF:{seconds}.{rest:03}000,\nseg_{number}.m4s{query}\n");
    }
    text.push_str("#EXT-X-ENDLIST\n");
    text
}

#[cfg(test)]
mod tests {
    use super::super::variant::{Ladder, tests::picture, variants};
    use super::*;
    use crate::transcode::VideoCodec;

    #[test]
    fn main_playlist_names_sizes_and_codecs() {
        let ladder = Ladder { codecs: vec![VideoCodec::H264], short_sides: vec![480] };
        let text = main_playlist(&variants(&picture(), &ladder), true, "abc", Some("key=x"));
        assert_eq!(
            text,
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n\
             #EXT-X-STREAM-INF:BANDWIDTH=1628000,RESOLUTION=480x852,\
             CODECS=\"avc1.64001f,mp4a.40.2\"\nabc/0/playlist.m3u8?key=x\n"
        );
    }

    #[test]
    fn segments_add_up_to_the_film() {
        let text = media_playlist(5_010, None);
        assert!(text.contains("#EXT-X-MAP:URI=\"init.mp4\"\n#EXTINF:2.000000,\nseg_0.m4s\n"));
        assert!(text.ends_with("#EXTINF:1.010000,\nseg_2.m4s\n#EXT-X-ENDLIST\n"), "{text}");
        assert!(
            media_playlist(4_030, None).ends_with("#EXTINF:2.030000,\nseg_1.m4s\n#EXT-X-ENDLIST\n")
        );
        assert_eq!((segments(0), segments(4_000), segments(4_100)), (1, 2, 3));
    }
}
