//! Colours that a HEIF or AVIF file names by code points (`nclx`, ITU-T H.273) instead of by a
//! profile: wide ones get a profile, HDR (PQ, HLG) is brought to sRGB as the frames of films are.

use moxcms::{
    CicpColorPrimaries, CicpProfile, ColorProfile, MatrixCoefficients, TransferCharacteristics,
};

use super::raster::Raster;

/// Luminance of white in PQ, in nits (as `npl=100` for films).
const WHITE_NITS: f32 = 100.0;

/// Brightest value that is told apart, in multiples of white (ffmpeg's default for HDR10).
const PEAK: f32 = 10.0;

/// BT.2020 to BT.709, linear light (ITU-R BT.2087-0, annex 2).
const BT2020_TO_BT709: [[f32; 3]; 3] =
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]];

/// How an HDR picture spreads its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transfer {
    /// SMPTE ST 2084.
    Pq,
    /// ARIB STD-B67.
    Hlg,
}

/// A profile of Display P3 or BT.2020 without HDR. `None` if the colours are those of sRGB, or
/// if the profile cannot be made.
pub(super) fn wide_profile(is_p3: bool, is_srgb_curve: bool) -> Option<Vec<u8>> {
    let profile = if is_p3 {
        ColorProfile::new_display_p3()
    } else {
        ColorProfile::new_from_cicp(CicpProfile {
            color_primaries: CicpColorPrimaries::Bt2020,
            transfer_characteristics: if is_srgb_curve {
                TransferCharacteristics::Srgb
            } else {
                TransferCharacteristics::Bt709
            },
            matrix_coefficients: MatrixCoefficients::Identity,
            full_range: true,
        })
    };
    profile.encode().ok()
}

/// Brings the pixels to sRGB in place: linear light, BT.709, Hable's curve on the brightest
/// channel so that hues stay, and sRGB's curve. Alpha stays.
pub(super) fn to_srgb(raster: &mut Raster, transfer: Transfer, is_bt2020: bool) {
    let mut linear = [0.0_f32; 256];
    for (value, slot) in (0_u8..=255).zip(linear.iter_mut()) {
        *slot = light(transfer, f32::from(value) / 255.0);
    }
    let peak = hable(PEAK);
    let step = usize::try_from(raster.layout.bytes_per_pixel()).unwrap_or(4);
    for pixel in raster.data.chunks_exact_mut(step) {
        let [red, green, blue, ..] = pixel else { continue };
        let stored = [*red, *green, *blue].map(|it| linear[usize::from(it)]);
        let rgb = if is_bt2020 {
            BT2020_TO_BT709.map(|row| row[0] * stored[0] + row[1] * stored[1] + row[2] * stored[2])
        } else {
            stored
        };
        let brightest = rgb.into_iter().fold(1e-6, f32::max);
        let scale = hable(brightest) / peak / brightest;
        [*red, *green, *blue] = rgb.map(|it| srgb(it * scale));
    }
}

/// Linear light of a coded value, white being 1.
fn light(transfer: Transfer, coded: f32) -> f32 {
    match transfer {
        Transfer::Pq => {
            let power = coded.powf(1.0 / 78.843_75);
            let part = (power - 0.835_937_5).max(0.0) / (18.851_562 - 18.687_5 * power);
            part.powf(1.0 / 0.159_301_76) * 10_000.0 / WHITE_NITS
        }
        Transfer::Hlg => {
            let scene = if coded <= 0.5 {
                coded * coded / 3.0
            } else {
                (((coded - 0.559_910_7) / 0.178_832_77).exp() + 0.284_668_92) / 12.0
            };
            // A display of 1,000 nits (BT.2100, note 5i), its gamma on each channel.
            scene.powf(1.2) * 1_000.0 / WHITE_NITS
        }
    }
}

/// John Hable's filmic curve ("Uncharted 2", 2010), as ffmpeg's `tonemap` has it.
fn hable(light: f32) -> f32 {
    let (a, b, c, d, e, f) = (0.15, 0.50, 0.10, 0.20, 0.02, 0.30);
    (light * (light * a + b * c) + d * e) / (light * (light * a + b) + d * f) - e / f
}

/// sRGB's curve (IEC 61966-2-1), in 8 bits.
fn srgb(light: f32) -> u8 {
    let light = light.clamp(0.0, 1.0);
    let coded =
        if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
    let scaled = (coded * 255.0).round();
    // The house has no casts: the nearest of 256 values by halving, eight steps.
    (0..8).rev().fold(0_u8, |found, bit| {
        let tried = found | 1 << bit;
        if f32::from(tried) <= scaled { tried } else { found }
    })
}

#[cfg(test)]
mod tests {
    use super::super::raster::Layout;
    use super::*;

    fn shown(transfer: Transfer, pixel: [u8; 3]) -> Vec<u8> {
        let mut raster = Raster::from_data(1, 1, Layout::Rgb, pixel.to_vec()).unwrap();
        to_srgb(&mut raster, transfer, true);
        raster.data
    }

    #[test]
    fn white_of_100_nits_is_grey_and_the_peak_is_white() {
        // PQ codes 100 nits as 0.508 and 1,000 nits as 0.752 (SMPTE ST 2084).
        assert!((light(Transfer::Pq, 0.508_1) - 1.0).abs() < 0.01);
        let (middle, peak) = (shown(Transfer::Pq, [130; 3]), shown(Transfer::Pq, [192; 3]));
        assert!((100..200).contains(&middle[0]), "{middle:?}");
        assert!(peak[0] >= 253, "{peak:?}");
        assert_eq!(shown(Transfer::Pq, [0; 3]), [0, 0, 0]);
    }

    #[test]
    fn hlg_is_brought_to_srgb_too() {
        assert!((light(Transfer::Hlg, 1.0) - 10.0).abs() < 0.01);
        assert!(shown(Transfer::Hlg, [255; 3])[0] >= 253);
    }

    #[test]
    fn wide_profiles_can_be_read_again() {
        for (is_p3, is_srgb_curve) in [(true, true), (false, true), (false, false)] {
            let profile = wide_profile(is_p3, is_srgb_curve).unwrap();
            assert!(ColorProfile::new_from_slice(&profile).is_ok());
        }
    }
}
