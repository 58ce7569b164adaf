//! `PUT /assets/copy`: what people did with one asset is done with another, which takes its place.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_commands::copies::Copied;
use calotype_domain::asset::Blob;
use calotype_domain::permission::Permission;
use calotype_domain::{AlbumId, AssetId, SharedLinkId};
use calotype_media::blob::{BlobError, BlobKey, StagedBlob};
use calotype_projections::assets::AssetRow;
use tokio::io::AsyncReadExt as _;
use utoipa::ToSchema;
use uuid::Uuid;

use super::dto::hex;
use crate::access::{allowed_albums, allowed_assets, require_assets};
use crate::albums::locked::leave_if_locked;
use crate::caller::Caller;
use crate::links::unshow_if_locked;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Bytes of a sidecar copied at once.
const COPY_BYTES: usize = 64 * 1024;

/// From where to where, and what.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct AssetCopyDto {
    albums: Option<bool>,
    favorite: Option<bool>,
    shared_links: Option<bool>,
    sidecar: Option<bool>,
    source_id: Uuid,
    stack: Option<bool>,
    target_id: Uuid,
}

struct Wish {
    source_id: Uuid,
    target_id: Uuid,
    albums: bool,
    favorite: bool,
    shared_links: bool,
    sidecar: bool,
    stack: bool,
}

fn parse(body: &Bytes) -> Result<Wish, Problem> {
    let mut fields = Fields::json(body)?;
    let albums = fields.boolean("albums").unwrap_or(true);
    let shared_links = fields.boolean("sharedLinks").unwrap_or(true);
    let favorite = fields.boolean("favorite").unwrap_or(true);
    let sidecar = fields.boolean("sidecar").unwrap_or(true);
    let stack = fields.boolean("stack").unwrap_or(true);
    for name in ["sourceId", "targetId"] {
        if !fields.has(name) {
            fields.missing("string", name);
        }
    }
    let source_id = fields.uuid("sourceId").unwrap_or_default();
    let target_id = fields.uuid("targetId").unwrap_or_default();
    fields.finish()?;
    Ok(Wish { source_id, target_id, albums, favorite, shared_links, sidecar, stack })
}

/// Copies albums, shared links, favorite, stack and sidecar from one of the caller's assets to another.
#[utoipa::path(
    put, path = "/assets/copy", tag = "Assets", operation_id = "copyAsset",
    request_body = AssetCopyDto, responses((status = 204))
)]
pub(crate) async fn copy_asset(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::AssetCopy)?;
    let wish = parse(&body)?;
    let (source, target) = (AssetId::new(wish.source_id), AssetId::new(wish.target_id));
    let rows = require_assets(&api, &caller, Permission::AssetCopy, &[source, target]).await?;
    if source == target {
        return Err(Problem::bad_request("SourceId and targetId must be distinct"));
    }
    api.caches.owners.learn(&rows);
    let row = |id: Uuid| rows.iter().find(|row| row.asset_id == id);
    let (Some(from), Some(_)) = (row(wish.source_id), row(wish.target_id)) else {
        return Err(Problem::no_access(Permission::AssetCopy));
    };
    let (album_ids, link_ids) = places(&api, &caller, &wish).await?;
    let Wish { favorite, stack, .. } = wish;
    let copied = Copied { favorite, stack, album_ids, link_ids };
    let (context, by) = (caller.context(), caller.user_id());
    let outcome = api.commands.copy_asset(&context, by, (source, target), &copied).await?;
    let Copied { album_ids, link_ids, .. } = copied;
    if album_ids.is_empty() && link_ids.is_empty() {
        api.seen(&outcome).await;
    } else {
        api.surely_seen_of(&outcome, album_ids.len() + link_ids.len()).await?;
        leave_if_locked(&api, &context, &album_ids, &[target]).await?;
        for link_id in link_ids {
            unshow_if_locked(&api, &context, by, link_id, &[target]).await?;
        }
    }
    if wish.sidecar {
        copy_sidecar(&api, &caller, from, target).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The albums and links that the target comes into: those of the source that the caller may add to; none
/// for what may not be shared, because it is behind the PIN.
async fn places(
    api: &Api,
    caller: &Caller,
    wish: &Wish,
) -> Result<(Vec<AlbumId>, Vec<SharedLinkId>), Problem> {
    let share = Permission::AssetShare;
    if allowed_assets(api, caller, share, &[wish.target_id]).await?.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let mut album_ids = Vec::new();
    if wish.albums {
        let holding = api.queries.albums_with(&[wish.source_id]).await?;
        let open = allowed_albums(api, caller, Permission::AlbumAssetCreate, &holding).await?;
        album_ids.extend(open.into_iter().map(|part| AlbumId::new(part.album_id)));
    }
    let mut link_ids = Vec::new();
    if wish.shared_links {
        let showing = api.queries.links_showing(caller.user_id().uuid(), wish.source_id).await?;
        link_ids.extend(showing.into_iter().map(SharedLinkId::new));
    }
    Ok((album_ids, link_ids))
}

/// Stores the source's sidecar once more, for the target: each asset's files are its own.
async fn copy_sidecar(
    api: &Api,
    caller: &Caller,
    from: &AssetRow,
    target: AssetId,
) -> Result<(), Problem> {
    let Some(key) = from.sidecar_key.as_deref().and_then(|key| BlobKey::parse(key).ok()) else {
        return Ok(());
    };
    let failed = |error: BlobError| Problem::internal(&error);
    let Some(staged) = stage(api, &key).await? else { return Ok(()) };
    let owner_id = caller.user_id().uuid();
    let key = BlobKey::original(owner_id, api.commands.ids().v4(), "jpg").sidecar();
    let sidecar = Blob {
        key: key.as_str().to_owned(),
        size_bytes: staged.size_bytes,
        sha1: hex(&staged.sha1),
        blake3: hex(&staged.blake3),
    };
    staged.commit(&key).await.map_err(failed)?;
    let context = caller.next_context(api);
    let copied = api.commands.replace_sidecar(&context, caller.user_id(), target, sidecar).await;
    match copied {
        Ok(outcome) => api.seen(&outcome).await,
        Err(error) => {
            if error.is_certainly_unwritten() {
                api.blobs.remove(&key).await.map_err(failed)?;
            }
            return Err(error.into());
        }
    }
    Ok(())
}

/// A copy of a stored file that is not in its place yet; `None` when the file is missing.
async fn stage(api: &Api, key: &BlobKey) -> Result<Option<StagedBlob>, Problem> {
    let failed = |error: BlobError| Problem::internal(&error);
    let Some(mut file) = api.blobs.open_blob(key).await.map_err(failed)? else { return Ok(None) };
    let mut writer = api.blobs.begin().await.map_err(failed)?;
    let mut buffer = vec![0; COPY_BYTES];
    loop {
        let count = file.read(&mut buffer).await.map_err(|error| Problem::internal(&error))?;
        let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else { break };
        writer.write(read).await.map_err(failed)?;
    }
    Ok(Some(writer.finish().await.map_err(failed)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_copied_unless_said_otherwise() {
        let id = "91da1ac8-0dfd-45f4-9efc-16416a8dea30";
        let body = format!(r#"{{"sourceId":"{id}","targetId":"{id}","stack":false}}"#);
        let wish = parse(&Bytes::from(body)).unwrap();
        assert!(wish.albums && wish.shared_links && wish.favorite && wish.sidecar && !wish.stack);
        assert!(parse(&Bytes::from_static(b"{}")).is_err());
    }
}
