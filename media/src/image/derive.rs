//! One decoded picture in, preview, thumbnail and thumbhash out.
//!
//! Order matters for time and memory: shrink first, drop the full picture, then colours and
//! turning on the small one.

use super::{
    Decoded, Derived, ImageFormat, ImageWish, Picture, colour,
    encode::{jpeg, thumbhash, webp},
    orient::upright,
    raster::Raster,
    resize::{fit_inside, fit_outside, resize},
};
use crate::decoder::DecodeError;

/// Makes the three outputs.
pub(crate) fn derive(decoded: Decoded, wish: ImageWish) -> Result<Derived, DecodeError> {
    let Decoded { raster, orientation, icc } = decoded;
    let preview_size = fit_inside(raster.width, raster.height, wish.preview_px);
    let thumbnail_size = fit_outside(raster.width, raster.height, wish.thumbnail_px);
    let finish = |small: Raster| upright(colour::to_srgb(small, icc.as_deref()), orientation);

    // A long panorama has a thumbnail that is larger than its preview: it needs the full picture.
    let covers = preview_size.0 >= thumbnail_size.0 && preview_size.1 >= thumbnail_size.1;
    let own_thumbnail = if covers { None } else { Some(finish(shrink(&raster, thumbnail_size)?)?) };
    let preview = if preview_size == (raster.width, raster.height) {
        raster
    } else {
        let small = resize(&raster, preview_size.0, preview_size.1)?;
        drop(raster);
        small
    };
    let preview = finish(preview)?;
    let thumbnail = match own_thumbnail {
        Some(thumbnail) => thumbnail,
        None => {
            let size = orientation.upright_size(thumbnail_size.0, thumbnail_size.1);
            shrink(&preview, size)?
        }
    };
    let preview = encode(preview, wish.preview_format, wish.preview_quality)?;
    let thumbhash = thumbhash(&thumbnail)?;
    let thumbnail = encode(thumbnail, wish.thumbnail_format, wish.thumbnail_quality)?;
    Ok(Derived { thumbnail, preview, thumbhash })
}

fn encode(raster: Raster, format: ImageFormat, quality: u8) -> Result<Picture, DecodeError> {
    match format {
        ImageFormat::Jpeg => jpeg(raster, quality),
        ImageFormat::Webp => webp(raster, quality),
    }
}

fn shrink(raster: &Raster, (width, height): (u32, u32)) -> Result<Raster, DecodeError> {
    if (width, height) == (raster.width, raster.height) {
        Ok(raster.clone())
    } else {
        resize(raster, width, height)
    }
}
