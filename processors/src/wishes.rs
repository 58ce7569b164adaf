//! What administrators and people want of the pictures that are made of an asset.

use calotype_domain::asset::{Geometry, MediaKind};
use calotype_media::image::{Colorspace, EditWish, FullWish, ImageFormat, ImageWish};
use calotype_media::kind::is_web_safe_name;
use calotype_media::transcode::ToneMap;
use calotype_projections::config::Settings;

/// Sides of pictures that are made, in pixels, whatever the settings say.
const SIDE_PX_MIN: u32 = 16;
const SIDE_PX_MAX: u32 = 8_192;

/// Sizes, formats, colours and qualities as administrators set them. A picture at full size is made where it
/// is switched on and browsers do not show the file itself.
pub(crate) fn image_wish(
    settings: &Settings,
    kind: MediaKind,
    file_name: Option<&str>,
) -> ImageWish {
    let pixels = |path: &str| u32::try_from(settings.number(path)).unwrap_or(u32::MAX);
    let is_shown_as_it_is = file_name.is_none_or(is_web_safe_name);
    let makes_full =
        settings.is_on("image.fullsize.enabled") && kind == MediaKind::Image && !is_shown_as_it_is;
    ImageWish {
        thumbnail_px: pixels("image.thumbnail.size").clamp(SIDE_PX_MIN, SIDE_PX_MAX),
        thumbnail_format: format(settings, "image.thumbnail.format"),
        thumbnail_quality: quality(settings, "image.thumbnail.quality"),
        thumbnail_progressive: settings.is_on("image.thumbnail.progressive"),
        preview_px: pixels("image.preview.size").clamp(SIDE_PX_MIN, SIDE_PX_MAX),
        preview_format: format(settings, "image.preview.format"),
        preview_quality: quality(settings, "image.preview.quality"),
        preview_progressive: settings.is_on("image.preview.progressive"),
        colorspace: match settings.text("image.colorspace") {
            "p3" => Colorspace::P3,
            _ => Colorspace::Srgb,
        },
        tone_map: ToneMap::of(settings.text("ffmpeg.tonemap")),
        full: makes_full.then(|| full_wish(settings)),
        edit: None,
    }
}

/// The same of an edited photo, which always has a picture at full size: it stands in for the original.
pub(crate) fn edited_wish(settings: &Settings, geometry: &Geometry) -> ImageWish {
    let crop = geometry.crop;
    let edit = EditWish {
        x: crop.x,
        y: crop.y,
        width: crop.width,
        height: crop.height,
        of: geometry.size,
        orientation: geometry.turn.exif(),
    };
    let full = Some(full_wish(settings));
    ImageWish { full, edit: Some(edit), ..image_wish(settings, MediaKind::Image, None) }
}

fn full_wish(settings: &Settings) -> FullWish {
    FullWish {
        format: format(settings, "image.fullsize.format"),
        quality: quality(settings, "image.fullsize.quality"),
        progressive: settings.is_on("image.fullsize.progressive"),
        extract_embedded: settings.is_on("image.extractEmbedded"),
    }
}

fn format(settings: &Settings, path: &str) -> ImageFormat {
    match settings.text(path) {
        "webp" => ImageFormat::Webp,
        _ => ImageFormat::Jpeg,
    }
}

fn quality(settings: &Settings, path: &str) -> u8 {
    u8::try_from(settings.number(path)).unwrap_or(u8::MAX).clamp(1, 100)
}
