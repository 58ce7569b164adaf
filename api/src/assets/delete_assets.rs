//! `DELETE /assets`: into the trash, or for good.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_commands::Outcome;
use calotype_domain::permission::Permission;
use calotype_domain::{AssetId, UserId};
use calotype_media::blob::BlobKey;
use calotype_projections::assets::AssetRow;
use futures::{StreamExt as _, TryStreamExt as _};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::require_assets;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Assets deleted for good at once.
const PURGES_AT_ONCE_MAX: usize = 4;

/// Which assets, and whether for good.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct AssetBulkDeleteDto {
    ids: Vec<Uuid>,
    force: Option<bool>,
}

/// Deletes assets.
#[utoipa::path(
    delete, path = "/assets", tag = "Assets", operation_id = "deleteAssets",
    request_body = AssetBulkDeleteDto, responses((status = 204))
)]
pub(crate) async fn delete_assets(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::AssetDelete)?;
    let mut fields = Fields::json(&body)?;
    let asset_ids = fields.required_uuids("ids");
    let force = fields.boolean("force").unwrap_or_default();
    fields.finish()?;
    let assets = require_assets(&api, &caller, Permission::AssetDelete, &asset_ids).await?;
    api.caches.owners.learn(&assets);
    if force || !api.queries.settings().await?.is_on("trash.enabled") {
        purge(&api, &caller, assets).await?;
    } else {
        let outcome =
            api.commands.trash_assets(&caller.context(), caller.user_id(), &asset_ids).await?;
        // Whoever saw them in an album or as a partner sees them no more.
        api.surely_seen(&outcome).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes the caller's assets for good with the films that belong to them, and waits until that shows.
/// Each is deleted by itself: when one fails, those before it are gone.
///
/// # Errors
/// The first that could not be deleted.
pub(crate) async fn purge(
    api: &Api,
    caller: &Caller,
    mut assets: Vec<AssetRow>,
) -> Result<(), Problem> {
    let films: Vec<Uuid> = assets
        .iter()
        .filter_map(|asset| asset.live_photo_video_id)
        .filter(|film| assets.iter().all(|asset| asset.asset_id != *film))
        .collect();
    let owner_id = caller.user_id().uuid();
    // A film stays while another still has it.
    let stills: Vec<Uuid> = assets.iter().map(|asset| asset.asset_id).collect();
    let films = api.queries.films_of_only(&films, &stills).await?;
    let films = api.queries.assets(&films).await?;
    assets.extend(films.into_iter().filter(|film| film.owner_id == owner_id));
    api.caches.owners.learn(&assets);
    let (uploads, api, caller) = (api.uploads.clone(), api.clone(), caller.clone());
    uploads
        .to_the_end(async move {
            let outcomes: Vec<Outcome> = futures::stream::iter(assets)
                .map(|asset| purge_one(&api, &caller, asset))
                .buffer_unordered(PURGES_AT_ONCE_MAX)
                .try_collect()
                .await?;
            for outcome in &outcomes {
                api.surely_seen(outcome).await?;
            }
            Ok(())
        })
        .await?
}

async fn purge_one(api: &Api, caller: &Caller, asset: AssetRow) -> Result<Outcome, Problem> {
    let context = caller.next_context(api);
    let outcome = api
        .commands
        .purge_asset(
            &context,
            Some(caller.user_id()),
            UserId::new(asset.owner_id),
            AssetId::new(asset.asset_id),
            &asset.sha1,
        )
        .await?;
    let keys = [asset.sidecar_key, asset.thumbnail_key, asset.preview_key];
    for key in std::iter::once(asset.original_key).chain(keys.into_iter().flatten()) {
        // What cannot be removed now is removed by the processor that hears of the deletion.
        let removed = match BlobKey::parse(&key) {
            Ok(key) => api.blobs.remove(&key).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = removed {
            tracing::warn!(asset.id = %asset.asset_id, error, "a file is left over");
        }
    }
    Ok(outcome)
}
