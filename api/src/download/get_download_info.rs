//! `POST /download/info`: which archives to ask for.

use std::collections::HashMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_domain::access::{Object, check};
use calotype_domain::permission::Permission;
use calotype_domain::{AssetId, UserId};
use calotype_media::blob::BlobKey;
use calotype_projections::assets::{AssetRow, Downloadable};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::{require_albums, require_assets};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::users::preferences::with_embedded_films;
use crate::validate::Fields;

/// The size of an archive unless the client names one: 4 GiB.
const ARCHIVE_BYTES: i64 = 4 << 30;
/// The largest whole number that JavaScript is sure of.
const SAFE_INTEGER_MAX: i64 = 9_007_199_254_740_991;
/// Assets whose access is decided at once.
const PAGE_ASSETS: usize = 1_000;

/// What to download: some assets, an album, or all of a person's.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct DownloadInfoDto {
    album_id: Option<Uuid>,
    /// In bytes; an archive ends with the asset that passes it.
    #[schema(minimum = 1)]
    archive_size: Option<i64>,
    asset_ids: Option<Vec<Uuid>>,
    user_id: Option<Uuid>,
}

impl DownloadInfoDto {
    fn parse(body: &Bytes) -> Result<Self, Problem> {
        let mut fields = Fields::json(body)?;
        let dto = Self {
            album_id: fields.uuid("albumId"),
            archive_size: fields.integer("archiveSize", 1, SAFE_INTEGER_MAX),
            asset_ids: fields.uuids("assetIds"),
            user_id: fields.uuid("userId"),
        };
        fields.finish()?;
        Ok(dto)
    }
}

/// The archives to ask for one by one.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DownloadResponseDto {
    total_size: i64,
    archives: Vec<DownloadArchiveInfo>,
}

/// One archive; names, checksums and what links without metadata leave out do not count.
#[derive(Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DownloadArchiveInfo {
    size: i64,
    asset_ids: Vec<Uuid>,
}

/// Divides what is to be downloaded into archives, films of live photos included.
#[utoipa::path(
    post, path = "/download/info", tag = "Download", operation_id = "getDownloadInfo",
    params(("key" = Option<String>, Query), ("slug" = Option<String>, Query)),
    request_body = DownloadInfoDto, responses((status = 201, body = DownloadResponseDto))
)]
pub(super) async fn get_download_info(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<(StatusCode, Json<DownloadResponseDto>), Problem> {
    caller.require_shared(Permission::AssetDownload)?;
    let dto = DownloadInfoDto::parse(&body)?;
    let archive_bytes = dto.archive_size.unwrap_or(ARCHIVE_BYTES);
    let stills = wanted(&api, &caller, dto).await?;
    let mut film_ids: Vec<Uuid> =
        stills.iter().filter_map(|asset| asset.live_photo_video_id).collect();
    film_ids.sort_unstable();
    film_ids.dedup();
    // What was inside a still comes along in its file.
    let with_embedded = with_embedded_films(&caller.user().preferences)?;
    let mut all = stills;
    for page in film_ids.chunks(PAGE_ASSETS) {
        let asset_ids: Vec<AssetId> = page.iter().copied().map(AssetId::new).collect();
        let films = require_assets(&api, &caller, Permission::AssetDownload, &asset_ids).await?;
        let is_wanted = |film: &&AssetRow| {
            let key = BlobKey::parse(&film.original_key);
            with_embedded || !key.is_ok_and(|key| key.is_motion_part())
        };
        all.extend(films.iter().filter(is_wanted).map(Downloadable::of));
    }
    Ok((StatusCode::CREATED, Json(divided(&all, archive_bytes))))
}

async fn wanted(
    api: &Api,
    caller: &Caller,
    dto: DownloadInfoDto,
) -> Result<Vec<Downloadable>, Problem> {
    if let Some(asset_ids) = dto.asset_ids {
        return listed(api, caller, &asset_ids).await;
    }
    if let Some(album_id) = dto.album_id {
        require_albums(api, caller, Permission::AlbumDownload, &[album_id]).await?;
        return Ok(api.queries.downloadable_of_album(album_id, caller.as_owner()).await?);
    }
    let Some(user_id) = dto.user_id else {
        return Err(Problem::bad_request("assetIds, albumId, or userId is required"));
    };
    let timeline = Object::Timeline { owner_id: UserId::new(user_id), is_partner: false };
    check(caller.person(), Permission::TimelineDownload, timeline)
        .map_err(|denied| Problem::denied(denied, Permission::TimelineDownload))?;
    Ok(api.queries.downloadable_of_user(user_id, caller.is_elevated()).await?)
}

/// In the order of the request.
async fn listed(
    api: &Api,
    caller: &Caller,
    asset_ids: &[Uuid],
) -> Result<Vec<Downloadable>, Problem> {
    let mut found: HashMap<Uuid, Downloadable> = HashMap::with_capacity(asset_ids.len());
    for page in asset_ids.chunks(PAGE_ASSETS) {
        let page: Vec<AssetId> = page.iter().copied().map(AssetId::new).collect();
        let assets = require_assets(api, caller, Permission::AssetDownload, &page).await?;
        found.extend(assets.iter().map(|row| (row.asset_id, Downloadable::of(row))));
    }
    // An asset that is named twice is downloaded once.
    Ok(asset_ids.iter().filter_map(|asset_id| found.remove(asset_id)).collect())
}

fn divided(assets: &[Downloadable], archive_bytes: i64) -> DownloadResponseDto {
    let mut archives = Vec::new();
    let mut archive = DownloadArchiveInfo::default();
    for asset in assets {
        archive.asset_ids.push(asset.asset_id);
        archive.size += asset.size_bytes;
        if archive.size > archive_bytes {
            archives.push(std::mem::take(&mut archive));
        }
    }
    if !archive.asset_ids.is_empty() {
        archives.push(archive);
    }
    let total_size = archives.iter().map(|archive| archive.size).sum();
    DownloadResponseDto { total_size, archives }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asset(number: u128, size_bytes: i64) -> Downloadable {
        Downloadable { asset_id: Uuid::from_u128(number), size_bytes, live_photo_video_id: None }
    }

    #[test]
    fn archive_ends_with_the_asset_that_passes_its_size() {
        let divided = divided(&[asset(1, 60), asset(2, 50), asset(3, 100), asset(4, 1)], 100);
        let sizes: Vec<i64> = divided.archives.iter().map(|archive| archive.size).collect();
        assert_eq!((divided.total_size, sizes), (211, vec![110, 101]));
    }

    #[test]
    fn nothing_is_no_archive() {
        assert_eq!(divided(&[], 1), DownloadResponseDto { total_size: 0, archives: vec![] });
    }
}
