//! Faces where they lie in the photo as it shows: on the edited one, where it is edited.

use calotype_domain::asset::Geometry;
use calotype_domain::faces::Area;
use calotype_projections::assets::AssetRow;
use calotype_projections::people::FaceRow;

/// A face on the photo as it shows; `None` when its edits cut it off. A face without a place stays as it is.
pub(crate) fn seen(face: FaceRow, asset: &AssetRow) -> Option<FaceRow> {
    let (Some(geometry), Some(area)) = (asset.geometry(), area(&face)) else { return Some(face) };
    let seen = geometry.seen(area)?;
    let (image_width, image_height) = edited_size(&geometry, face.image_width, face.image_height);
    Some(FaceRow {
        x1: Some(seen.left),
        y1: Some(seen.top),
        x2: Some(seen.right),
        y2: Some(seen.bottom),
        image_width,
        image_height,
        ..face
    })
}

fn area(face: &FaceRow) -> Option<Area> {
    let (left, top) = face.x1.zip(face.y1)?;
    let (right, bottom) = face.x2.zip(face.y2)?;
    Some(Area { left, top, right, bottom })
}

/// The size of the edited picture on the scale of the picture that the face was seen on.
fn edited_size(geometry: &Geometry, image_width: i64, image_height: i64) -> (i64, i64) {
    let (width, height) = geometry.edited_size();
    let scale = |side: u32, image: i64, full: u32| {
        let full = i64::from(full.max(1));
        (i64::from(side) * image + full / 2) / full
    };
    let (full_width, full_height) = geometry.size;
    // Where a turn swaps the sides, the edited width was a part of the height.
    if geometry.turn.swaps_sides() {
        (scale(width, image_height, full_height), scale(height, image_width, full_width))
    } else {
        (scale(width, image_width, full_width), scale(height, image_height, full_height))
    }
}

#[cfg(test)]
mod tests {
    use calotype_domain::EditId;
    use calotype_domain::asset::{AssetEdit, Crop, EditAction, Rotate};

    use super::*;

    #[test]
    fn size_of_the_edited_picture_follows_the_scale() {
        let edit = |does| AssetEdit { edit_id: EditId::default(), does };
        let edits = [
            edit(EditAction::Crop(Crop { x: 0, y: 0, width: 2_000, height: 1_500 })),
            edit(EditAction::Rotate(Rotate { angle: 90 })),
        ];
        let geometry = Geometry::of(&edits, (4_000, 3_000));
        assert_eq!(edited_size(&geometry, 1_440, 1_080), (540, 720));
    }
}
