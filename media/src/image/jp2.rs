//! JPEG 2000 through `hayro-jpeg2000`, which is Rust alone.

use hayro_jpeg2000::{ColorSpace, DecodeSettings, DecoderContext, Image};

use super::{
    Decoded, ImageWish, Orientation, check_size,
    formats::check_pixels,
    raster::{Layout, Raster},
};
use crate::decoder::DecodeError;

/// Bytes that the decoder needs a pixel and channel: a float, and the coefficients it comes from.
const BYTES_PER_SAMPLE: u32 = 8;

/// Channels of one picture; four inks and their cover are five.
const CHANNELS_MAX: usize = 5;

/// The decoded picture must be at least this many times the preview: half sizes are box filters.
const SCALED_OVER_PREVIEW: u32 = 2;

/// Size of the picture in pixels, from its header.
pub(crate) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let image = Image::new(bytes, &DecodeSettings::default()).ok()?;
    Some((image.width(), image.height()))
}

/// Decodes, at a fraction of the size where that is still well above the preview.
pub(super) fn decode(
    bytes: &[u8],
    orientation: Orientation,
    wish: ImageWish,
) -> Result<Decoded, DecodeError> {
    let (width, height) = size(bytes).ok_or_else(|| DecodeError::corrupt("JPEG 2000: header"))?;
    check_pixels(width, height)?;
    let long = wish.decoded_px().saturating_mul(SCALED_OVER_PREVIEW);
    let short = wish.thumbnail_px.saturating_mul(SCALED_OVER_PREVIEW);
    let target = if width >= height { (long, short) } else { (short, long) };
    let settings = DecodeSettings { target_resolution: Some(target), ..DecodeSettings::default() };
    let image = Image::new(bytes, &settings).map_err(|error| refused(&error))?;
    let (width, height) = (image.width(), image.height());
    let channels = channels(image.color_space()) + usize::from(image.has_alpha());
    let bytes_per_pixel =
        u32::try_from(channels).unwrap_or(u32::MAX).saturating_mul(BYTES_PER_SAMPLE);
    check_size(width, height, bytes_per_pixel)?;
    if channels > CHANNELS_MAX {
        let what = format!("JPEG 2000 with {channels} channels");
        return Err(DecodeError::Unsupported { what });
    }
    let mut context = DecoderContext::default();
    let samples = image.decode(&mut context).map_err(|error| refused(&error))?.data_u8();
    drop(context);
    let (layout, data) = match (channels, image.has_alpha(), is_cmyk(image.color_space())) {
        (1, false, _) => (Layout::Rgb, samples.iter().flat_map(|it| [*it; 3]).collect()),
        (2, true, _) => {
            let pixels = samples.chunks_exact(2);
            (Layout::Rgba, pixels.flat_map(|it| [it[0], it[0], it[0], it[1]]).collect())
        }
        (3, false, _) => (Layout::Rgb, samples),
        (4, true, _) => (Layout::Rgba, samples),
        (4, false, true) => (Layout::CmykInverted, samples.iter().map(|it| 255 - it).collect()),
        (5, true, true) => {
            let pixels = samples.chunks_exact(5);
            let inks = pixels.flat_map(|it| [255 - it[0], 255 - it[1], 255 - it[2], 255 - it[3]]);
            (Layout::CmykInverted, inks.collect())
        }
        (count, ..) => {
            let what = format!("JPEG 2000 with {count} channels of an unknown kind");
            return Err(DecodeError::Unsupported { what });
        }
    };
    let icc = match image.color_space() {
        ColorSpace::Icc { profile, num_channels: 3 | 4 } => Some(profile.clone()),
        _ => None,
    };
    let raster = Raster::from_data(width, height, layout, data)?;
    Ok(Decoded { raster, orientation, icc })
}

fn channels(space: &ColorSpace) -> usize {
    match space {
        ColorSpace::Gray => 1,
        ColorSpace::RGB => 3,
        ColorSpace::CMYK => 4,
        ColorSpace::Unknown { num_channels } | ColorSpace::Icc { num_channels, .. } => {
            usize::from(*num_channels)
        }
    }
}

fn is_cmyk(space: &ColorSpace) -> bool {
    matches!(space, ColorSpace::CMYK | ColorSpace::Icc { num_channels: 4, .. })
}

fn refused(error: &hayro_jpeg2000::DecodeError) -> DecodeError {
    let message = error.to_string();
    if message.to_lowercase().contains("unsupported") {
        DecodeError::Unsupported { what: format!("JPEG 2000: {message}") }
    } else {
        DecodeError::corrupt(&format!("JPEG 2000: {message}"))
    }
}
