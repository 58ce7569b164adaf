//! Edits of a photo: shown, put in place of those before, taken away.

pub(super) mod body;
pub(super) mod edit_asset;
pub(super) mod get_asset_edits;
pub(super) mod remove_asset_edits;

use calotype_domain::asset::{AssetEdit, EditAction};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// The edits of an asset, in order.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssetEditsResponseDto {
    asset_id: Uuid,
    edits: Vec<AssetEditActionItemResponseDto>,
}

/// One edit.
#[derive(Serialize, ToSchema)]
pub(crate) struct AssetEditActionItemResponseDto {
    action: &'static str,
    id: Uuid,
    #[schema(value_type = body::EditParameters, inline)]
    parameters: Value,
}

impl AssetEditsResponseDto {
    fn of(asset_id: Uuid, edits: &[AssetEdit]) -> Self {
        let item = |edit: &AssetEdit| AssetEditActionItemResponseDto {
            action: edit.does.word(),
            id: edit.edit_id.uuid(),
            parameters: parameters(&edit.does),
        };
        Self { asset_id, edits: edits.iter().map(item).collect() }
    }
}

/// What an edit is told with.
pub(crate) fn parameters(does: &EditAction) -> Value {
    let written = match does {
        EditAction::Crop(crop) => serde_json::to_value(crop),
        EditAction::Rotate(rotate) => serde_json::to_value(rotate),
        EditAction::Mirror(mirror) => serde_json::to_value(mirror),
    };
    written.unwrap_or_default()
}
