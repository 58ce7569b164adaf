//! From a picture's own colour space to sRGB, which is what every client shows without asking, or to
//! Display P3.
//!
//! Runs on the preview-sized picture, not on the full one: a thousandth of the error for an
//! eighth of the work.

use moxcms::{
    ColorProfile, DataColorSpace, Layout as CmsLayout, RenderingIntent, TransformOptions,
};

use super::{
    Colorspace,
    raster::{Layout, Raster},
};
use crate::limits::ICC_BYTES_MAX;

/// How far a colorant may lie from that of sRGB and still be sRGB: profiles round differently.
const COLORANT_TOLERANCE: f64 = 0.003;

/// Converts in place of the given picture. A damaged or unknown profile changes nothing: colours
/// that are a little off are better than no picture. Says whether the picture is in Display P3 now.
pub(super) fn convert(
    raster: Raster,
    icc: Option<&[u8]>,
    colorspace: Colorspace,
) -> (Raster, bool) {
    let profile = icc
        .filter(|bytes| bytes.len() <= ICC_BYTES_MAX)
        .and_then(|bytes| ColorProfile::new_from_slice(bytes).ok());
    let Some(profile) = profile else {
        return (plain(raster), false);
    };
    match (raster.layout, profile.color_space) {
        (Layout::CmykInverted, DataColorSpace::Cmyk) => {
            (cmyk(&raster, &profile).unwrap_or_else(|| plain(raster)), false)
        }
        (Layout::CmykInverted, _) => (plain(raster), false),
        (Layout::Rgb | Layout::Rgbx | Layout::Rgba, DataColorSpace::Rgb)
            if !has_colorants_of(&profile, &ColorProfile::new_srgb()) =>
        {
            match colorspace {
                Colorspace::Srgb => {
                    (rgb(&raster, &profile, &ColorProfile::new_srgb()).unwrap_or(raster), false)
                }
                Colorspace::P3 => match rgb(&raster, &profile, &ColorProfile::new_display_p3()) {
                    Some(wide) => (wide, true),
                    None => (raster, false),
                },
            }
        }
        (Layout::Rgb | Layout::Rgbx | Layout::Rgba, _) => (raster, false),
    }
}

/// The profile of pictures in Display P3.
pub(super) fn p3_profile() -> Option<Vec<u8>> {
    ColorProfile::new_display_p3().encode().ok()
}

fn plain(raster: Raster) -> Raster {
    if raster.layout == Layout::CmykInverted { raster.into_rgb() } else { raster }
}

fn rgb(raster: &Raster, profile: &ColorProfile, target: &ColorProfile) -> Option<Raster> {
    let layout = if raster.layout == Layout::Rgb { CmsLayout::Rgb } else { CmsLayout::Rgba };
    let transform = profile.create_transform_8bit(layout, target, layout, options()).ok()?;
    let mut converted = Raster::new(raster.width, raster.height, raster.layout).ok()?;
    transform.transform(&raster.data, &mut converted.data).ok()?;
    Some(converted)
}

fn cmyk(raster: &Raster, profile: &ColorProfile) -> Option<Raster> {
    let transform = profile
        .create_transform_8bit(
            CmsLayout::Rgba,
            &ColorProfile::new_srgb(),
            CmsLayout::Rgb,
            options(),
        )
        .ok()?;
    let ink: Vec<u8> = raster.data.iter().map(|it| 255 - it).collect();
    let mut target = Raster::new(raster.width, raster.height, Layout::Rgb).ok()?;
    transform.transform(&ink, &mut target.data).ok()?;
    Some(target)
}

fn options() -> TransformOptions {
    TransformOptions {
        rendering_intent: RenderingIntent::RelativeColorimetric,
        ..TransformOptions::default()
    }
}

/// Whether the profile has the colorants of another. Its curve is then the same too, or so near (2.2)
/// that converting would cost more than it gives.
fn has_colorants_of(profile: &ColorProfile, other: &ColorProfile) -> bool {
    let near = |left: moxcms::Xyzd, right: moxcms::Xyzd| {
        (left.x - right.x).abs() < COLORANT_TOLERANCE
            && (left.y - right.y).abs() < COLORANT_TOLERANCE
            && (left.z - right.z).abs() < COLORANT_TOLERANCE
    };
    profile.is_matrix_shaper()
        && near(profile.red_colorant, other.red_colorant)
        && near(profile.green_colorant, other.green_colorant)
        && near(profile.blue_colorant, other.blue_colorant)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(icc: Option<&[u8]>, pixel: [u8; 3]) -> [u8; 3] {
        let raster = Raster::from_data(1, 1, Layout::Rgb, pixel.to_vec()).unwrap();
        let data = convert(raster, icc, Colorspace::Srgb).0.data;
        [data[0], data[1], data[2]]
    }

    fn near(left: [u8; 3], right: [u8; 3]) -> bool {
        left.iter().zip(right).all(|(a, b)| a.abs_diff(b) <= 2)
    }

    #[test]
    fn display_p3_becomes_srgb() {
        let profile = ColorProfile::new_display_p3().encode().unwrap();
        // From the matrices of CSS Color 4.
        let found = shown(Some(&profile), [200, 100, 100]);
        assert!(near(found, [215, 93, 97]), "{found:?}");
        let grey = shown(Some(&profile), [128, 128, 128]);
        assert!(near(grey, [128, 128, 128]), "{grey:?}");
    }

    #[test]
    fn wide_colours_stay_wide_where_that_is_wished() {
        let profile = ColorProfile::new_display_p3().encode().unwrap();
        let raster = |pixel: [u8; 3]| Raster::from_data(1, 1, Layout::Rgb, pixel.to_vec()).unwrap();
        let (kept, is_p3) = convert(raster([200, 100, 100]), Some(&profile), Colorspace::P3);
        assert!(is_p3 && near([kept.data[0], kept.data[1], kept.data[2]], [200, 100, 100]));
        let srgb = ColorProfile::new_srgb().encode().unwrap();
        let (kept, is_p3) = convert(raster([200, 100, 100]), Some(&srgb), Colorspace::P3);
        assert!(!is_p3 && kept.data == [200, 100, 100]);
    }

    #[test]
    fn adobe_rgb_becomes_srgb() {
        let profile = ColorProfile::new_adobe_rgb().encode().unwrap();
        let green = shown(Some(&profile), [100, 200, 100]);
        assert!(green[0] < 40 && green[1].abs_diff(202) <= 3, "{green:?}");
    }

    #[test]
    fn srgb_and_damaged_profiles_change_nothing() {
        let srgb = ColorProfile::new_srgb().encode().unwrap();
        assert_eq!(shown(Some(&srgb), [1, 130, 254]), [1, 130, 254]);
        assert_eq!(shown(Some(b"no profile"), [1, 130, 254]), [1, 130, 254]);
        assert_eq!(shown(None, [1, 130, 254]), [1, 130, 254]);
    }
}
