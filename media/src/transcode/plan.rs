//! From a film and a wish to what is done with each of its tracks.

use super::film::{Film, VideoStream};
use super::wish::{Container, Policy, ToneMap, TranscodeWish, VideoCodec};

/// What is done with one track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Track {
    /// The film has none.
    None,
    /// Taken over as it is.
    Copy,
    /// Encoded anew.
    Encode,
}

/// What is done with a film.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// It plays as it is.
    Nothing,
    /// It is packed anew as MP4, with its tracks encoded or taken over.
    Make {
        /// The picture.
        video: Track,
        /// The sound.
        audio: Track,
    },
}

impl Plan {
    /// The plan for a film: picture and sound are decided apart; when both may stay, the container
    /// alone may call for packing anew.
    #[must_use]
    pub fn of(film: &Film, wish: &TranscodeWish) -> Self {
        let Some(picture) = &film.video else { return Self::Nothing };
        if wish.policy == Policy::Disabled {
            return Self::Nothing;
        }
        let video = encodes_picture(picture, film, wish);
        let audio = film
            .audio
            .as_ref()
            .map(|sound| wish.policy == Policy::All || !wish.accepted_audio.contains(&sound.codec));
        let is_accepted =
            film.container == Container::Mp4 || wish.accepted_containers.contains(&film.container);
        if !video && audio != Some(true) && is_accepted {
            return Self::Nothing;
        }
        let track = |encodes: bool| if encodes { Track::Encode } else { Track::Copy };
        Self::Make { video: track(video), audio: audio.map_or(Track::None, track) }
    }
}

fn encodes_picture(picture: &VideoStream, film: &Film, wish: &TranscodeWish) -> bool {
    match wish.policy {
        Policy::Disabled => false,
        Policy::All => true,
        Policy::Required => must_be_encoded(picture, wish),
        Policy::Optimal => {
            must_be_encoded(picture, wish) || target_size(picture, wish.short_side_px).is_some()
        }
        Policy::Bitrate => {
            let bits = picture.bit_rate.or(film.bit_rate);
            let is_over = wish.bit_rate_max.is_some_and(|max| bits.is_some_and(|it| it > max));
            must_be_encoded(picture, wish) || is_over
        }
    }
}

/// Players could not show it: a codec that is not accepted, more than 8 bits or more than 4:2:0,
/// HDR (unless HDR is to stay).
fn must_be_encoded(picture: &VideoStream, wish: &TranscodeWish) -> bool {
    let is_accepted =
        VideoCodec::of(&picture.codec).is_some_and(|it| wish.accepted_video.contains(&it));
    let keeps_hdr = wish.tone_map == ToneMap::Disabled && picture.is_hdr;
    let is_plain = matches!(picture.pixel_format.as_str(), "yuv420p" | "yuvj420p")
        || keeps_hdr && picture.pixel_format.starts_with("yuv420p");
    !is_accepted || !is_plain || picture.is_hdr && !keeps_hdr
}

/// Width and height that a picture is brought to, even numbers; none when it is small enough.
pub(super) fn target_size(picture: &VideoStream, short_side: Option<u32>) -> Option<(u32, u32)> {
    let short_side = even(short_side?);
    let (width, height) = (picture.width, picture.height);
    if width.min(height) <= short_side {
        return None;
    }
    let long = |long: u32, short: u32| {
        let scaled = u64::from(long) * u64::from(short_side) / u64::from(short.max(1));
        even(u32::try_from(scaled).unwrap_or(long))
    };
    Some(if width < height {
        (short_side, long(height, width))
    } else {
        (long(width, height), short_side)
    })
}

/// The next even number below, at least 2: 4:2:0 has one colour for each two by two pixels.
pub(super) const fn even(pixels: u32) -> u32 {
    let even = pixels - pixels % 2;
    if even < 2 { 2 } else { even }
}

#[cfg(test)]
mod tests {
    use super::super::film::AudioStream;
    use super::*;

    const KEEP: Plan = Plan::Nothing;
    const BOTH: Plan = Plan::Make { video: Track::Encode, audio: Track::Encode };
    const PICTURE: Plan = Plan::Make { video: Track::Encode, audio: Track::Copy };
    const SOUND: Plan = Plan::Make { video: Track::Copy, audio: Track::Encode };
    const REMUX: Plan = Plan::Make { video: Track::Copy, audio: Track::Copy };

    fn film() -> Film {
        Film {
            container: Container::Mp4,
            duration_ms: Some(3_000),
            bit_rate: Some(5_000_000),
            video: Some(VideoStream {
                index: 0,
                codec: "h264".into(),
                width: 1920,
                height: 1080,
                is_anamorphic: false,
                pixel_format: "yuv420p".into(),
                is_hdr: false,
                bit_rate: Some(4_000_000),
                duration_ms: None,
            }),
            audio: Some(AudioStream { index: 1, codec: "aac".into(), channels: 2 }),
        }
    }

    fn planned(policy: Policy, change: impl Fn(&mut Film, &mut TranscodeWish)) -> Plan {
        let (mut film, mut wish) = (film(), TranscodeWish { policy, ..TranscodeWish::default() });
        change(&mut film, &mut wish);
        Plan::of(&film, &wish)
    }

    fn picture(film: &mut Film, change: impl Fn(&mut VideoStream)) {
        film.video.iter_mut().for_each(change);
    }

    #[test]
    fn required_leaves_what_players_show() {
        assert_eq!(planned(Policy::Required, |_, _| {}), KEEP);
    }

    #[test]
    fn required_encodes_what_players_do_not_show() {
        let changes: [fn(&mut VideoStream); 4] = [
            |it| it.codec = "hevc".into(),
            |it| it.pixel_format = "yuv420p10le".into(),
            |it| it.pixel_format = "yuv444p".into(),
            |it| it.is_hdr = true,
        ];
        for change in changes {
            assert_eq!(planned(Policy::Required, |film, _| picture(film, change)), PICTURE);
        }
        let ac3 = AudioStream { index: 1, codec: "ac3".into(), channels: 6 };
        assert_eq!(planned(Policy::Required, |film, _| film.audio = Some(ac3.clone())), SOUND);
    }

    #[test]
    fn hdr_that_is_to_stay_stays() {
        let plan = planned(Policy::Required, |film, wish| {
            wish.tone_map = ToneMap::Disabled;
            wish.accepted_video.push(VideoCodec::Hevc);
            picture(film, |it| {
                (it.codec, it.pixel_format) = ("hevc".into(), "yuv420p10le".into());
                it.is_hdr = true;
            });
        });
        assert_eq!(plan, KEEP);
    }

    #[test]
    fn optimal_also_encodes_what_is_too_large() {
        assert_eq!(planned(Policy::Optimal, |_, _| {}), PICTURE);
        assert_eq!(planned(Policy::Optimal, |_, wish| wish.short_side_px = None), KEEP);
        assert_eq!(planned(Policy::Optimal, |_, wish| wish.short_side_px = Some(1080)), KEEP);
    }

    #[test]
    fn bitrate_also_encodes_what_needs_too_many_bits() {
        assert_eq!(planned(Policy::Bitrate, |_, _| {}), KEEP);
        assert_eq!(
            planned(Policy::Bitrate, |_, wish| wish.bit_rate_max = Some(3_000_000)),
            PICTURE
        );
        assert_eq!(planned(Policy::Bitrate, |_, wish| wish.bit_rate_max = Some(4_000_000)), KEEP);
        let of_the_file = planned(Policy::Bitrate, |film, wish| {
            wish.bit_rate_max = Some(4_500_000);
            picture(film, |it| it.bit_rate = None);
        });
        assert_eq!(of_the_file, PICTURE);
    }

    #[test]
    fn all_encodes_all_and_disabled_nothing() {
        assert_eq!(planned(Policy::All, |_, _| {}), BOTH);
        let bad = |film: &mut Film, _: &mut TranscodeWish| {
            film.container = Container::Other;
            picture(film, |it| it.codec = "mpeg2video".into());
        };
        assert_eq!(planned(Policy::Disabled, bad), KEEP);
    }

    #[test]
    fn container_that_is_not_accepted_is_packed_anew() {
        assert_eq!(planned(Policy::Required, |film, _| film.container = Container::Other), REMUX);
        assert_eq!(planned(Policy::Required, |film, _| film.container = Container::Mov), KEEP);
        let refused = planned(Policy::Required, |film, wish| {
            film.container = Container::Mov;
            wish.accepted_containers.clear();
        });
        assert_eq!(refused, REMUX);
    }

    #[test]
    fn film_without_sound_has_no_track_of_it_and_one_without_picture_is_left() {
        let silent = planned(Policy::All, |film, _| film.audio = None);
        assert_eq!(silent, Plan::Make { video: Track::Encode, audio: Track::None });
        assert_eq!(planned(Policy::All, |film, _| film.video = None), KEEP);
    }

    #[test]
    fn sizes_are_even_and_follow_the_shorter_side() {
        let mut upright = film().video.unwrap();
        (upright.width, upright.height) = (1081, 1921);
        assert_eq!(target_size(&upright, Some(720)), Some((720, 1278)));
        assert_eq!(target_size(&film().video.unwrap(), Some(720)), Some((1280, 720)));
        assert_eq!(target_size(&film().video.unwrap(), None), None);
    }
}
