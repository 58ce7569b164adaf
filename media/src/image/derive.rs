//! One decoded picture in, preview, thumbnail and thumbhash out, and on request the picture at full size.
//!
//! Order matters for time and memory: shrink first, drop the full picture, then colours and
//! turning on the small one.

use super::{
    Decoded, Derived, ImageWish, Orientation, colour, edit,
    encode::{Written, encode, thumbhash},
    orient::upright,
    raster::Raster,
    resize::{fit_inside, fit_outside, resize},
};
use crate::decoder::DecodeError;

/// Makes the outputs.
pub(crate) fn derive(decoded: Decoded, wish: ImageWish) -> Result<Derived, DecodeError> {
    let decoded = match wish.edit {
        Some(edit) => edit::apply(decoded, edit)?,
        None => decoded,
    };
    let Decoded { raster, orientation, icc } = decoded;
    let finish = |raster: Raster| {
        let (raster, is_p3) = colour::convert(raster, icc.as_deref(), wish.colorspace);
        upright(raster, orientation).map(|raster| (raster, is_p3))
    };
    let Some(full) = wish.full else {
        return shrunk(&finish, raster, orientation, wish);
    };
    // The picture at full size is made whole; the others are made of it.
    let (raster, is_p3) = finish(raster)?;
    let finished = |raster: Raster| Ok((raster, is_p3));
    let derived = shrunk(&finished, raster.clone(), Orientation::Upright, wish)?;
    let written = Written { quality: full.quality, progressive: full.progressive, is_p3 };
    Ok(Derived { full: Some(encode(raster, full.format, written)?), ..derived })
}

/// Preview, thumbnail and thumbhash of a picture that `finish` brings to its colours and turns upright.
fn shrunk(
    finish: &impl Fn(Raster) -> Result<(Raster, bool), DecodeError>,
    raster: Raster,
    orientation: Orientation,
    wish: ImageWish,
) -> Result<Derived, DecodeError> {
    let preview_size = fit_inside(raster.width, raster.height, wish.preview_px);
    let thumbnail_size = fit_outside(raster.width, raster.height, wish.thumbnail_px);

    // A long panorama has a thumbnail that is larger than its preview: it needs the full picture.
    let covers = preview_size.0 >= thumbnail_size.0 && preview_size.1 >= thumbnail_size.1;
    let own_thumbnail =
        if covers { None } else { Some(finish(shrink(&raster, thumbnail_size)?)?.0) };
    let preview = if preview_size == (raster.width, raster.height) {
        raster
    } else {
        let small = resize(&raster, preview_size.0, preview_size.1)?;
        drop(raster);
        small
    };
    let (preview, is_p3) = finish(preview)?;
    let thumbnail = match own_thumbnail {
        Some(thumbnail) => thumbnail,
        None => {
            let size = orientation.upright_size(thumbnail_size.0, thumbnail_size.1);
            shrink(&preview, size)?
        }
    };
    let written = |quality, progressive| Written { quality, progressive, is_p3 };
    let as_preview = written(wish.preview_quality, wish.preview_progressive);
    let preview = encode(preview, wish.preview_format, as_preview)?;
    let thumbhash = thumbhash(&thumbnail)?;
    let as_thumbnail = written(wish.thumbnail_quality, wish.thumbnail_progressive);
    let thumbnail = encode(thumbnail, wish.thumbnail_format, as_thumbnail)?;
    Ok(Derived { thumbnail, preview, full: None, thumbhash })
}

fn shrink(raster: &Raster, (width, height): (u32, u32)) -> Result<Raster, DecodeError> {
    if (width, height) == (raster.width, raster.height) {
        Ok(raster.clone())
    } else {
        resize(raster, width, height)
    }
}
