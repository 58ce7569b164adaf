//! `GET /faces`.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{RawQuery, State};
use calotype_domain::permission::Permission;
use calotype_projections::people::{FaceRow, PersonRow};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::seen::seen;
use crate::access::require_asset;
use crate::caller::Caller;
use crate::people::dto::PersonResponseDto;
use crate::people::required_uuid;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// A face, where it is and whose. Without a place all numbers are 0.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssetFaceResponseDto {
    id: Uuid,
    image_height: i64,
    image_width: i64,
    bounding_box_x1: i64,
    bounding_box_x2: i64,
    bounding_box_y1: i64,
    bounding_box_y2: i64,
    /// `machine-learning` or `manual`.
    source_type: &'static str,
    #[schema(required)]
    person: Option<PersonResponseDto>,
}

impl AssetFaceResponseDto {
    fn of(face: &FaceRow, person: Option<PersonRow>) -> Self {
        Self {
            id: face.face_id,
            image_height: face.image_height,
            image_width: face.image_width,
            bounding_box_x1: pixels(face.x1, face.image_width),
            bounding_box_x2: pixels(face.x2, face.image_width),
            bounding_box_y1: pixels(face.y1, face.image_height),
            bounding_box_y2: pixels(face.y2, face.image_height),
            source_type: source_type(face),
            person: person.map(PersonResponseDto::from),
        }
    }
}

/// Who found a face, in Immich's words.
pub(crate) const fn source_type(face: &FaceRow) -> &'static str {
    if face.is_drawn { "manual" } else { "machine-learning" }
}

/// A fraction of a side in whole pixels; the very number that a client gave, because sides are below 2^32.
pub(crate) fn pixels(fraction: Option<f64>, side: i64) -> i64 {
    let side = f64::from(u32::try_from(side).unwrap_or(u32::MAX));
    let text = format!("{:.0}", fraction.unwrap_or_default() * side);
    text.parse().unwrap_or_default()
}

/// The faces on an asset, from left to right. Only its owner sees whose they are.
#[utoipa::path(
    get, path = "/faces", tag = "Faces", operation_id = "getFaces",
    params(("id" = Uuid, Query)),
    responses((status = 200, body = Vec<AssetFaceResponseDto>))
)]
pub(super) async fn get_faces(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<AssetFaceResponseDto>>, Problem> {
    caller.require(Permission::FaceRead)?;
    let mut fields = Fields::query(query.as_deref());
    let asset_id = required_uuid(&mut fields, "id");
    fields.finish()?;
    let asset = api.queries.asset(asset_id).await?;
    require_asset(&api, &caller, Permission::AssetRead, asset.as_ref()).await?;
    let asset = asset.ok_or_else(|| Problem::no_access(Permission::AssetRead))?;
    let faces = api.queries.faces_of_asset(asset_id).await?;
    let mut faces: Vec<FaceRow> = faces.into_iter().filter_map(|face| seen(face, &asset)).collect();
    // An edit may have turned the photo.
    faces.sort_by(|one, other| one.x1.unwrap_or(0.0).total_cmp(&other.x1.unwrap_or(0.0)));
    let mut people: HashMap<Uuid, PersonRow> = HashMap::new();
    if asset.owner_id == caller.user_id().uuid() {
        let ids: Vec<Uuid> = faces.iter().filter_map(|face| face.person_id).collect();
        let rows = api.queries.people(&ids).await?;
        people.extend(rows.into_iter().map(|row| (row.person_id, row)));
    }
    let answer = faces.iter().map(|face| {
        let person = face.person_id.and_then(|person_id| people.get(&person_id)).cloned();
        AssetFaceResponseDto::of(face, person)
    });
    Ok(Json(answer.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_come_back_as_they_were_given() {
        for side in [1_440_u32, 1_079, 8_191, 65_535] {
            for given in (0..=side).step_by(7) {
                let fraction = f64::from(given) / f64::from(side);
                assert_eq!(pixels(Some(fraction), i64::from(side)), i64::from(given));
            }
        }
        assert_eq!(pixels(None, 0), 0);
    }
}
