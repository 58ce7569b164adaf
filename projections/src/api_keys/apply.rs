//! Events of keys to rows of `api_keys_v1`.

use async_trait::async_trait;
use calotype_domain::api_key::ApiKeyEvent;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::permission::Permission;
use sqlx::PgConnection;
use uuid::Uuid;

use super::view::ApiKeyRow;
use crate::error::ProjectionError;
use crate::event::{Event, forget_users_in_tx};
use crate::fold::{Fold, fold_own_in_tx, fold_sql};
use crate::projection::Projection;

/// Keeps `api_keys_v1`.
pub struct ApiKeysProjection;

#[async_trait]
impl Projection for ApiKeysProjection {
    fn name(&self) -> &'static str {
        "api_keys"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["api_keys_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["api_key", "user"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        fold_own_in_tx::<ApiKeys>(tx, events, |it| matches!(it.what, AnyEvent::ApiKey(_))).await?;
        // What they were called is personal, and nothing more is heard of them.
        forget_users_in_tx(tx, events, "delete from api_keys_v1 where user_id = any($1)").await
    }
}

struct ApiKeys;

impl Fold for ApiKeys {
    fold_sql!("api_keys_v1", "api_key_id");
    type Row = ApiKeyRow;

    fn key(row: &ApiKeyRow) -> Uuid {
        row.api_key_id
    }

    fn revision(row: &ApiKeyRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<ApiKeyRow>, event: &Event) -> Option<ApiKeyRow> {
        let AnyEvent::ApiKey(what) = &event.what else { return row };
        match what {
            ApiKeyEvent::Created(created) => Some(ApiKeyRow {
                api_key_id: event.key,
                revision: event.revision,
                user_id: created.user_id.uuid(),
                secret_sha256: created.secret_sha256.clone(),
                name: created.name.known().cloned().unwrap_or_default(),
                permissions: words(&created.permissions),
                created_at: event.recorded_at,
                updated_at: event.recorded_at,
            }),
            ApiKeyEvent::Renamed(renamed) => row.map(|row| ApiKeyRow {
                revision: event.revision,
                name: renamed.name.known().cloned().unwrap_or_default(),
                updated_at: event.recorded_at,
                ..row
            }),
            ApiKeyEvent::PermissionsChanged(changed) => row.map(|row| ApiKeyRow {
                revision: event.revision,
                permissions: words(&changed.permissions),
                updated_at: event.recorded_at,
                ..row
            }),
            ApiKeyEvent::Rotated(rotated) => row.map(|row| ApiKeyRow {
                revision: event.revision,
                secret_sha256: rotated.secret_sha256.clone(),
                updated_at: event.recorded_at,
                ..row
            }),
            ApiKeyEvent::Revoked(_) => None,
        }
    }
}

fn words(permissions: &[Permission]) -> Vec<String> {
    permissions.iter().map(|permission| permission.as_str().to_owned()).collect()
}
