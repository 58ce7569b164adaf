//! What is asked about what stands beside assets.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::assets::AssetRow;
use crate::people::PersonRow;
use crate::tags::TagRow;

/// What the page of an asset shows beside the asset itself.
#[derive(Clone, Debug, Default, PartialEq, sqlx::FromRow)]
pub struct AssetExtras {
    /// Its tags, by path.
    pub tags: Json<Vec<TagRow>>,
    /// Its stack.
    pub stack: Option<Json<StackShown>>,
    /// Its group of duplicates.
    pub duplicate_id: Option<Uuid>,
    /// Who is on it, from left to right.
    pub people: Json<Vec<PersonRow>>,
}

/// An asset with what its page shows beside it.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct AssetPage {
    /// The asset.
    #[sqlx(flatten)]
    pub asset: AssetRow,
    /// All else, which only its owner sees.
    #[sqlx(flatten)]
    pub extras: AssetExtras,
}

/// A stack, as a member shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackShown {
    /// Which.
    pub stack_id: Uuid,
    /// The asset that stands for it.
    pub primary_asset_id: Uuid,
    /// Its assets that are not in the trash.
    pub count: i64,
}

/// A value that a program keeps with an asset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow)]
pub struct KeyValueRow {
    /// With which.
    pub asset_id: Uuid,
    /// Under which key.
    pub key: String,
    /// The value, a JSON object.
    pub value: Value,
    /// When it was set last.
    pub updated_at: DateTime<Utc>,
}
