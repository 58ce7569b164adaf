//! What the mobile app is told when an upload or an edit is ready: what its sync would say of it.

use calotype_projections::assets::AssetRow;
use serde::Serialize;

use crate::sync::dto::{SyncAssetExifV1, SyncAssetV2};
use crate::sync::edits::SyncAssetEditV1;

/// What `AssetUploadReadyV2` carries.
#[derive(Clone, Debug, Serialize)]
pub(super) struct AssetUploadReady {
    asset: SyncAssetV2,
    exif: SyncAssetExifV1,
}

impl AssetUploadReady {
    /// Of a row, for its owner.
    pub(super) fn of(row: &AssetRow) -> Self {
        Self { asset: SyncAssetV2::of(row, row.owner_id, None), exif: SyncAssetExifV1::of(row) }
    }
}

/// What `AssetEditReadyV2` carries.
#[derive(Clone, Debug, Serialize)]
pub(super) struct AssetEditReady {
    asset: SyncAssetV2,
    edit: Vec<SyncAssetEditV1>,
}

impl AssetEditReady {
    /// Of a row, for its owner.
    pub(super) fn of(row: &AssetRow) -> Self {
        Self { asset: SyncAssetV2::of(row, row.owner_id, None), edit: SyncAssetEditV1::all(row) }
    }
}
