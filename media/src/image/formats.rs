//! PNG, GIF, WebP, BMP and TIFF through the `image` crate. Of animations the first frame.
//!
//! The pixels of a WebP photo come from libwebp, which needs a third of the time. Only those: what has alpha, is
//! without losses or moves goes through parsers whose mistakes cannot reach memory.

use std::io::Cursor;

use image::{
    ColorType, DynamicImage, ImageDecoder as _, ImageError, ImageFormat, ImageReader, Limits,
    error::LimitErrorKind,
};

use webp::{BitstreamFeatures, BitstreamFormat};

use super::raster::{Layout, Raster};
use crate::{
    decoder::DecodeError,
    kind::Sniffed,
    limits::{DECODED_BYTES_MAX, PIXELS_MAX, SIDE_PX_MAX},
};

/// Refuses a picture that would not fit into the decoder, before anything is allocated.
pub(crate) fn check_size(width: u32, height: u32, bytes_per_pixel: u32) -> Result<(), DecodeError> {
    check_pixels(width, height)?;
    let bytes = u64::from(width) * u64::from(height) * u64::from(bytes_per_pixel);
    if bytes <= DECODED_BYTES_MAX { Ok(()) } else { Err(too_large(width, height)) }
}

/// Refuses a picture with too many pixels, however few of them would be decoded.
pub(super) fn check_pixels(width: u32, height: u32) -> Result<(), DecodeError> {
    if width == 0 || height == 0 {
        return Err(DecodeError::corrupt("picture without pixels"));
    }
    let fits = width <= SIDE_PX_MAX
        && height <= SIDE_PX_MAX
        && u64::from(width) * u64::from(height) <= PIXELS_MAX;
    if fits { Ok(()) } else { Err(too_large(width, height)) }
}

fn too_large(width: u32, height: u32) -> DecodeError {
    DecodeError::TooLarge { what: format!("{width} x {height} pixels") }
}

/// Width and height in pixels of a TIFF with 64-bit offsets, whose directories this room does not
/// walk itself.
pub(crate) fn size(bytes: &[u8], kind: Sniffed) -> Option<(u32, u32)> {
    if kind != Sniffed::BigTiff {
        return None;
    }
    ImageReader::with_format(Cursor::new(bytes), ImageFormat::Tiff).into_dimensions().ok()
}

/// Decodes to 8 bits a channel, with alpha where there is some, and the ICC profile.
pub(super) fn decode(
    bytes: &[u8],
    kind: Sniffed,
) -> Result<(Raster, Option<Vec<u8>>), DecodeError> {
    let format = match kind {
        Sniffed::Png => ImageFormat::Png,
        Sniffed::Gif => ImageFormat::Gif,
        Sniffed::Webp => ImageFormat::WebP,
        Sniffed::Bmp => ImageFormat::Bmp,
        Sniffed::Tiff | Sniffed::BigTiff => ImageFormat::Tiff,
        _ => return Err(DecodeError::Unsupported { what: kind.mime().to_owned() }),
    };
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODED_BYTES_MAX);
    limits.max_image_width = Some(SIDE_PX_MAX);
    limits.max_image_height = Some(SIDE_PX_MAX);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| refused(&error, kind))?;
    let (width, height) = decoder.dimensions();
    let bytes_per_pixel = u32::from(decoder.color_type().bytes_per_pixel());
    check_size(width, height, bytes_per_pixel.max(3))?;
    let icc = decoder.icc_profile().ok().flatten();
    let alpha = decoder.color_type().has_alpha();
    let grey = matches!(
        decoder.color_type(),
        ColorType::L8 | ColorType::L16 | ColorType::La8 | ColorType::La16
    );
    if let Some(photo) = webp_photo(bytes, kind, (width, height)) {
        return Ok((photo, icc));
    }
    let image = DynamicImage::from_decoder(decoder).map_err(|error| refused(&error, kind))?;
    let (layout, data) = if alpha {
        (Layout::Rgba, image.into_rgba8().into_raw())
    } else {
        (Layout::Rgb, image.into_rgb8().into_raw())
    };
    // A profile of a grey picture describes one channel and does not fit the three made of it.
    Ok((Raster::from_data(width, height, layout, data)?, icc.filter(|_| !grey)))
}

/// A WebP with losses, without alpha, that does not move, if it is whole and of the size that was checked.
fn webp_photo(bytes: &[u8], kind: Sniffed, (width, height): (u32, u32)) -> Option<Raster> {
    if kind != Sniffed::Webp {
        return None;
    }
    let features = BitstreamFeatures::new(bytes)?;
    let is_photo = matches!(features.format(), Some(BitstreamFormat::Lossy))
        && !features.has_alpha()
        && !features.has_animation()
        && (features.width(), features.height()) == (width, height);
    if !is_photo {
        return None;
    }
    let image = webp::Decoder::new(bytes).decode()?;
    Raster::from_data(width, height, Layout::Rgb, image.to_vec()).ok()
}

fn refused(error: &ImageError, kind: Sniffed) -> DecodeError {
    let name = kind.mime();
    match error {
        ImageError::Unsupported(_) => {
            DecodeError::Unsupported { what: format!("this kind of {name}") }
        }
        ImageError::Limits(limit) => match limit.kind() {
            LimitErrorKind::InsufficientMemory | LimitErrorKind::DimensionError => {
                DecodeError::TooLarge { what: format!("{name} picture") }
            }
            _ => DecodeError::Unsupported { what: format!("this kind of {name}") },
        },
        other => DecodeError::corrupt(&format!("{name}: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use webp::{Encoder, PixelLayout};

    use super::*;

    fn packed(layout: PixelLayout, quality: Option<f32>) -> Vec<u8> {
        let channels = if matches!(layout, PixelLayout::Rgba) { 4 } else { 3 };
        let pixels: Vec<u8> = (0..60_u32 * 40)
            .flat_map(|i| [i % 60 * 4, i / 60 * 6, 90, i % 256].into_iter().take(channels))
            .map(|it| u8::try_from(it).unwrap())
            .collect();
        let encoder = Encoder::new(&pixels, layout, 60, 40);
        quality.map_or_else(|| encoder.encode_lossless(), |it| encoder.encode(it)).to_vec()
    }

    #[test]
    fn photo_in_webp_is_the_same_picture_whoever_decodes_it() {
        let photo = packed(PixelLayout::Rgb, Some(90.0));
        let found = webp_photo(&photo, Sniffed::Webp, (60, 40)).expect("libwebp takes it");
        let other = image::load_from_memory(&photo).unwrap().into_rgb8().into_raw();
        let away = found.data.iter().zip(&other).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(away.is_some_and(|it| it <= 4), "{away:?}");
        assert_eq!(decode(&photo, Sniffed::Webp).unwrap().0.data, found.data);
    }

    #[test]
    fn only_whole_photos_go_to_libwebp() {
        let photo = packed(PixelLayout::Rgb, Some(90.0));
        assert!(webp_photo(&photo, Sniffed::Webp, (60, 41)).is_none());
        assert!(webp_photo(&photo[..photo.len() / 2], Sniffed::Webp, (60, 40)).is_none());
        for other in [packed(PixelLayout::Rgba, Some(90.0)), packed(PixelLayout::Rgb, None)] {
            assert!(webp_photo(&other, Sniffed::Webp, (60, 40)).is_none());
            assert!(decode(&other, Sniffed::Webp).is_ok());
        }
    }
}
