//! `POST /download/archive`: a ZIP file, made while it is sent.
//!
//! Files are stored as they are, not compressed again, and read piece by piece. Who asks, and whether they
//! may have each asset, is asked again before each page of assets: whoever loses access while they
//! download gets no further, and sees that the file is cut off. So it is where a file turns out to be missing; edited
//! photos, which can be made again, are looked for before anything is sent.

use std::io;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use calotype_domain::AssetId;
use calotype_domain::permission::Permission;
use tokio::runtime::Handle;
use utoipa::ToSchema;
use uuid::Uuid;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::entries::{Entry, entries, require_edited};
use super::names::Names;
use crate::access::require_assets;
use crate::caller::Caller;
use crate::files::{Pump, pumped};
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Assets whose access is decided at once before anything is sent.
const CHECK_ASSETS: usize = 1_000;
/// Assets that are looked up at once while files are sent.
const PAGE_ASSETS: usize = 50;
/// From this size on an entry needs the fields of ZIP64.
const ZIP64_BYTES: u64 = 0xFFFF_FFFF;

/// What to put into the archive, in this order.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct DownloadArchiveDto {
    asset_ids: Vec<Uuid>,
    edited: Option<bool>,
}

/// Sends an archive.
#[utoipa::path(
    post, path = "/download/archive", tag = "Download", operation_id = "downloadArchive",
    params(("key" = Option<String>, Query), ("slug" = Option<String>, Query)),
    request_body = DownloadArchiveDto,
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>))
)]
pub(super) async fn download_archive(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    caller.require_shared(Permission::AssetDownload)?;
    let mut fields = Fields::json(&body)?;
    let asset_ids = fields.required_uuids("assetIds");
    let edited = fields.boolean("edited").unwrap_or_default();
    fields.finish()?;
    for page in asset_ids.chunks(CHECK_ASSETS) {
        let assets = require_assets(&api, &caller, Permission::AssetDownload, page).await?;
        require_edited(&api, &entries(&caller, page, assets, edited)).await?;
    }
    let turn = api.archives.take()?;
    let asking = Asking { api, query, headers, edited };
    let body = pumped(move |pump| {
        let sent = send(&asking, &asset_ids, pump);
        drop(turn);
        sent
    });
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], body).into_response())
}

/// Who asks, as they showed it.
struct Asking {
    api: Api,
    query: Option<String>,
    headers: HeaderMap,
    /// Whether edited photos stand in for originals.
    edited: bool,
}

impl Asking {
    /// The files of some assets, if they may still be had by who asks.
    async fn page(&self, page: &[AssetId]) -> Result<Vec<Entry>, Problem> {
        let caller = Caller::again(&self.api, &self.headers, self.query.as_deref()).await?;
        caller.require_shared(Permission::AssetDownload)?;
        let assets = require_assets(&self.api, &caller, Permission::AssetDownload, page).await?;
        Ok(entries(&caller, page, assets, self.edited))
    }
}

/// Writes the archive; runs on a thread where waiting harms nobody.
fn send(asking: &Asking, asset_ids: &[AssetId], pump: &mut Pump) -> io::Result<()> {
    let runtime = Handle::current();
    let mut archive = ZipWriter::new_stream(pump);
    let mut names = Names::default();
    for page in asset_ids.chunks(PAGE_ASSETS) {
        let entries = runtime.block_on(asking.page(page)).map_err(|problem| {
            io::Error::other(format!("status {} while sending", problem.status()))
        })?;
        for mut entry in entries {
            let Some(mut opened) = runtime.block_on(entry.open(&asking.api))? else {
                return Err(io::Error::new(io::ErrorKind::NotFound, "a stored file is missing"));
            };
            let options = SimpleFileOptions::DEFAULT
                .compression_method(zip::CompressionMethod::Stored)
                .last_modified_time(entry.modified())
                .large_file(opened.length() >= ZIP64_BYTES);
            archive.start_file(names.unique(opened.name()), options)?;
            io::copy(&mut opened, &mut archive)?;
        }
    }
    archive.finish()?;
    Ok(())
}
