//! A session as clients see it.

use calotype_domain::permission::Permission;
use calotype_projections::sessions::SessionRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::caller::Caller;
use crate::dates;
use crate::problem::Problem;
use crate::state::Api;

/// One session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionResponseDto {
    id: Uuid,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    /// Whether it is the one that asks.
    current: bool,
    #[schema(required)]
    app_version: Option<String>,
    #[serde(rename = "deviceOS")]
    device_os: String,
    device_type: String,
    is_pending_sync_reset: bool,
}

impl SessionResponseDto {
    /// Of a row, asked for in the session with this id.
    pub(crate) fn new(row: SessionRow, current: Option<Uuid>) -> Self {
        Self {
            id: row.session_id,
            created_at: dates::iso(row.created_at),
            updated_at: dates::iso(row.updated_at),
            expires_at: row.expires_at.map(dates::iso),
            current: current == Some(row.session_id),
            app_version: row.app_version,
            device_os: row.device_os,
            device_type: row.device_type,
            is_pending_sync_reset: row.is_pending_sync_reset,
        }
    }
}

/// The caller's open sessions, last changed first.
pub(super) async fn own(api: &Api, caller: &Caller) -> Result<Vec<SessionRow>, Problem> {
    let now = api.commands.clock().now();
    Ok(api.queries.sessions_of(caller.user_id().uuid(), now).await?)
}

/// One of the caller's open sessions; anybody else's is as good as missing.
pub(super) async fn own_one(
    api: &Api,
    caller: &Caller,
    session_id: Uuid,
    permission: Permission,
) -> Result<SessionRow, Problem> {
    own(api, caller)
        .await?
        .into_iter()
        .find(|row| row.session_id == session_id)
        .ok_or_else(|| Problem::no_access(permission))
}
