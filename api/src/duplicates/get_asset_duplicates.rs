//! `GET /duplicates`.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use calotype_domain::permission::Permission;
use calotype_projections::assets::AssetRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::assets::dto::AssetResponseDto;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Assets that show the same.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DuplicateResponseDto {
    duplicate_id: Uuid,
    assets: Vec<AssetResponseDto>,
    suggested_keep_asset_ids: Vec<Uuid>,
}

/// The caller's groups of duplicates.
#[utoipa::path(
    get, path = "/duplicates", tag = "Duplicates", operation_id = "getAssetDuplicates",
    responses((status = 200, body = Vec<DuplicateResponseDto>))
)]
pub(super) async fn get_asset_duplicates(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Vec<DuplicateResponseDto>>, Problem> {
    caller.require(Permission::DuplicateRead)?;
    let pairs = api.queries.duplicates_of(caller.user_id().uuid()).await?;
    let wanted: Vec<Uuid> = pairs.iter().map(|(_, asset_id)| *asset_id).collect();
    let mut rows: HashMap<Uuid, AssetRow> =
        api.queries.assets(&wanted).await?.into_iter().map(|row| (row.asset_id, row)).collect();
    let mut groups: Vec<(Uuid, Vec<AssetRow>)> = Vec::new();
    for (duplicate_id, asset_id) in pairs {
        let Some(row) = rows.remove(&asset_id) else { continue };
        match groups.last_mut().filter(|(last, _)| *last == duplicate_id) {
            Some((_, group)) => group.push(row),
            None => groups.push((duplicate_id, vec![row])),
        }
    }
    Ok(Json(
        groups
            .into_iter()
            .map(|(duplicate_id, group)| DuplicateResponseDto {
                duplicate_id,
                suggested_keep_asset_ids: suggested(&group).into_iter().collect(),
                assets: group
                    .into_iter()
                    .map(|row| AssetResponseDto::nested(row).in_group(duplicate_id))
                    .collect(),
            })
            .collect(),
    ))
}

/// The one worth keeping: the largest file, among equals the one that says most about itself.
fn suggested(group: &[AssetRow]) -> Option<Uuid> {
    let best = group.iter().max_by_key(|row| (row.size_bytes, facts(row), row.asset_id));
    best.map(|row| row.asset_id)
}

/// How much a file says about itself.
fn facts(row: &AssetRow) -> usize {
    let said = [
        row.make.is_some(),
        row.model.is_some(),
        row.lens_model.is_some(),
        row.f_number.is_some(),
        row.focal_length_mm.is_some(),
        row.iso.is_some(),
        row.exposure_time.is_some(),
        row.latitude.is_some(),
        row.time_zone.is_some(),
        row.orientation.is_some(),
        row.rating.is_some(),
        !row.description.is_empty(),
    ];
    said.into_iter().filter(|said| *said).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::dto::tests::row;

    #[test]
    fn largest_file_is_kept_and_among_equals_the_one_that_says_most() {
        let large = AssetRow { asset_id: Uuid::from_u128(1), size_bytes: 9_000_000, ..row() };
        let small = AssetRow { asset_id: Uuid::from_u128(2), ..row() };
        assert_eq!(suggested(&[small.clone(), large]), Some(Uuid::from_u128(1)));
        let mute = AssetRow { asset_id: Uuid::from_u128(3), make: None, ..row() };
        assert_eq!(suggested(&[mute, small]), Some(Uuid::from_u128(2)));
        assert_eq!(suggested(&[]), None);
    }
}
