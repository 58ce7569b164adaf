//! `GET /assets/{id}/ocr`: what is written in an asset.

use axum::Json;
use axum::extract::{Path, State};
use calotype_domain::permission::Permission;
use calotype_projections::assets::AssetRow;
use calotype_projections::texts::{TextLine, line_id};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::require_asset;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// A line of text. Corners are parts (0 to 1) of width and height of the photo as it shows: upper left, upper
/// right, lower right, lower left.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssetOcrResponseDto {
    asset_id: Uuid,
    /// How sure the model is that there is a line.
    box_score: f64,
    id: Uuid,
    text: String,
    /// How sure it is of what the line says.
    text_score: f64,
    x1: f64,
    x2: f64,
    x3: f64,
    x4: f64,
    y1: f64,
    y2: f64,
    y3: f64,
    y4: f64,
}

impl AssetOcrResponseDto {
    fn of(asset_id: Uuid, place: usize, line: TextLine, corners: [[f64; 2]; 4]) -> Self {
        let [[x1, y1], [x2, y2], [x3, y3], [x4, y4]] = corners;
        Self {
            asset_id,
            box_score: line.box_score,
            id: line_id(asset_id, place),
            text: line.words,
            text_score: line.text_score,
            x1,
            x2,
            x3,
            x4,
            y1,
            y2,
            y3,
            y4,
        }
    }
}

/// Where a line stands in the photo as it shows; `None` when edits cut it off.
pub(crate) fn shown_corners(line: &TextLine, asset: &AssetRow) -> Option<[[f64; 2]; 4]> {
    match asset.geometry() {
        Some(geometry) => geometry.seen_corners(line.corners),
        None => Some(line.corners),
    }
}

/// The lines of text that show in an asset, from the top. Of an edited photo those that its edits cut off are left
/// out, and the others are where they show.
#[utoipa::path(
    get, path = "/assets/{id}/ocr", tag = "Assets", operation_id = "getAssetOcr",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Vec<AssetOcrResponseDto>))
)]
pub(super) async fn get_asset_ocr(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Vec<AssetOcrResponseDto>>, Problem> {
    caller.require(Permission::AssetRead)?;
    let id = path_uuid("id", &id)?;
    let asset = api.queries.asset(id).await?;
    require_asset(&api, &caller, Permission::AssetRead, asset.as_ref()).await?;
    let asset = asset.ok_or_else(|| Problem::no_access(Permission::AssetRead))?;
    let lines = api.queries.texts(&[id]).await?.remove(&id).unwrap_or_default();
    let shown = lines.into_iter().enumerate().filter_map(|(place, line)| {
        let corners = shown_corners(&line, &asset)?;
        Some(AssetOcrResponseDto::of(id, place, line, corners))
    });
    Ok(Json(shown.collect()))
}
