//! `GET /server/storage`: how full the disk is.

use axum::Json;
use axum::extract::State;
use calotype_domain::permission::Permission;
use calotype_media::blob::Space;
use serde::Serialize;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// The disk that holds the library; raw values in bytes.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServerStorageResponseDto {
    disk_available: String,
    disk_size: String,
    disk_use: String,
    disk_available_raw: u64,
    disk_size_raw: u64,
    disk_use_raw: u64,
    disk_usage_percentage: f64,
}

impl From<Space> for ServerStorageResponseDto {
    fn from(space: Space) -> Self {
        let used = space.total_bytes.saturating_sub(space.free_bytes);
        Self {
            disk_available: human(space.available_bytes),
            disk_size: human(space.total_bytes),
            disk_use: human(used),
            disk_available_raw: space.available_bytes,
            disk_size_raw: space.total_bytes,
            disk_use_raw: used,
            disk_usage_percentage: percentage(used, space.total_bytes),
        }
    }
}

/// Says how full the disk is.
#[utoipa::path(
    get,
    path = "/server/storage",
    operation_id = "getStorage",
    tag = "Server",
    responses((status = 200, body = ServerStorageResponseDto)),
)]
pub(super) async fn get_storage(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<ServerStorageResponseDto>, Problem> {
    caller.require(Permission::ServerStorage)?;
    let space = api.blobs.space().await.map_err(|error| Problem::internal(&error))?;
    Ok(Json(space.into()))
}

/// `55.4 GiB`: one digit behind the point, rounded half up.
fn human(size_bytes: u64) -> String {
    let mut unit: u128 = 1;
    let mut power = 0;
    while u128::from(size_bytes) >= unit * 1_024 && power + 1 < UNITS.len() {
        unit *= 1_024;
        power += 1;
    }
    let tenths = (u128::from(size_bytes) * 10 + unit / 2) / unit;
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[power])
}

/// With two digits behind the point, rounded half up.
fn percentage(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    let whole = u128::from(whole);
    let hundredths = (u128::from(part) * 10_000 + whole / 2) / whole;
    u32::try_from(hundredths).map_or(100.0, |hundredths| f64::from(hundredths) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_recorded() {
        assert_eq!(human(59_479_351_296), "55.4 GiB");
        assert_eq!(human(270_553_174_016), "252.0 GiB");
        assert_eq!(human(38_093_398_016), "35.5 GiB");
        assert_eq!(human(0), "0.0 B");
    }

    #[test]
    fn percentage_is_written_as_recorded() {
        assert!((percentage(38_093_398_016, 270_553_174_016) - 14.08).abs() < f64::EPSILON);
        assert!(percentage(1, 0).abs() < f64::EPSILON);
    }
}
