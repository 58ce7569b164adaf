//! Edits of photos as the mobile app keeps them.

use calotype_domain::asset::AssetEdit;
use calotype_projections::assets::AssetRow;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::assets::edits::parameters;

/// One edit.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncAssetEditV1 {
    id: Uuid,
    asset_id: Uuid,
    action: &'static str,
    parameters: Value,
    sequence: usize,
}

impl SyncAssetEditV1 {
    /// All of a row, in order.
    pub(crate) fn all(row: &AssetRow) -> Vec<Self> {
        row.edits().iter().enumerate().map(|(at, edit)| Self::of(row.asset_id, at, edit)).collect()
    }

    /// The one that a part of a key names; none when it was taken away by now.
    pub(super) fn find(row: &AssetRow, part: &str) -> Option<Self> {
        let id = Uuid::try_parse(part).ok()?;
        Self::all(row).into_iter().find(|edit| edit.id == id)
    }

    fn of(asset_id: Uuid, sequence: usize, edit: &AssetEdit) -> Self {
        Self {
            id: edit.edit_id.uuid(),
            asset_id,
            action: edit.does.word(),
            parameters: parameters(&edit.does),
            sequence,
        }
    }
}
