//! `GET /server/version`, `/server/version-check` and `/server/version-history`.

use axum::Json;
use axum::extract::State;
use calotype_domain::permission::Permission;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::caller::Caller;
use crate::dates;
use crate::problem::Problem;
use crate::state::Api;

/// The version of Immich whose interface is served.
pub(super) const VERSION: &str = "3.1.0";

/// Names the one entry of the history. Clients want a UUID of version 4.
const HISTORY_ID: Uuid = Uuid::from_u128(0xca10_7e00_0310_4000_8000_0000_0000_0001);

/// The version in numbers.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServerVersionResponseDto {
    major: u32,
    minor: u32,
    patch: u32,
    #[schema(required)]
    prerelease: Option<u32>,
}

/// What a look for newer versions found: nobody looks.
#[derive(Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VersionCheckStateResponseDto {
    #[schema(required)]
    checked_at: Option<String>,
    #[schema(required)]
    release_version: Option<String>,
}

/// A version that ran here.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServerVersionHistoryResponseDto {
    id: Uuid,
    created_at: String,
    version: &'static str,
}

/// Says which version of the interface is served.
#[utoipa::path(
    get,
    path = "/server/version",
    operation_id = "getServerVersion",
    tag = "Server",
    security(()),
    responses((status = 200, body = ServerVersionResponseDto)),
)]
pub(super) async fn get_server_version() -> Json<ServerVersionResponseDto> {
    Json(ServerVersionResponseDto { major: 3, minor: 1, patch: 0, prerelease: None })
}

/// Says that nobody looked for newer versions.
#[utoipa::path(
    get,
    path = "/server/version-check",
    operation_id = "getVersionCheck",
    tag = "Server",
    responses((status = 200, body = VersionCheckStateResponseDto)),
)]
pub(super) async fn get_version_check(
    caller: Caller,
) -> Result<Json<VersionCheckStateResponseDto>, Problem> {
    caller.require(Permission::ServerVersionCheck)?;
    Ok(Json(VersionCheckStateResponseDto::default()))
}

/// The one version that ever ran here, since the first account was made.
#[utoipa::path(
    get,
    path = "/server/version-history",
    operation_id = "getVersionHistory",
    tag = "Server",
    security(()),
    responses((status = 200, body = Vec<ServerVersionHistoryResponseDto>)),
)]
pub(super) async fn get_version_history(
    State(api): State<Api>,
) -> Result<Json<Vec<ServerVersionHistoryResponseDto>>, Problem> {
    let first = api.queries.users(true).await?.last().map(|row| row.created_at);
    let since = first.unwrap_or_else(|| api.commands.clock().now());
    Ok(Json(vec![ServerVersionHistoryResponseDto {
        id: HISTORY_ID,
        created_at: dates::iso(since),
        version: VERSION,
    }]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_of_the_history_is_of_version_4() {
        assert_eq!(HISTORY_ID.get_version_num(), 4);
        assert_eq!(HISTORY_ID.get_variant(), uuid::Variant::RFC4122);
    }
}
