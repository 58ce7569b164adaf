//! `DELETE /assets`: into the trash, or for good.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_commands::assets::Doomed;
use calotype_commands::{CommandError, Outcome};
use calotype_domain::asset::{AssetError, Purging, TEMPLATED_ROOT};
use calotype_domain::permission::Permission;
use calotype_domain::{AssetId, UserId};
use calotype_media::blob::{BlobKey, is_external};
use calotype_projections::assets::{AssetRow, Together};
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
        let by = caller.user_id();
        purge(&api, &caller, assets, Purging::Wished { by }).await?;
    } else {
        let outcome =
            api.commands.trash_assets(&caller.context(), caller.user_id(), &asset_ids).await?;
        // Whoever saw them in an album or as a partner sees them no more.
        api.surely_seen_of(&outcome, asset_ids.len()).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes the caller's assets for good with the films that belong to them, and waits until that shows.
/// Each is deleted by itself, a live photo with its film: when one fails, those before it are gone. Where `why`
/// is the trash, what was taken out of it meanwhile stays.
///
/// # Errors
/// The first that could not be deleted.
pub(crate) async fn purge(
    api: &Api,
    caller: &Caller,
    assets: Vec<AssetRow>,
    why: Purging,
) -> Result<(), Problem> {
    let parts = api.queries.with_films(assets).await?;
    for part in &parts {
        api.caches.owners.learn(&part.stills);
        api.caches.owners.learn(part.film.as_slice());
    }
    let (uploads, api, caller) = (api.uploads.clone(), api.clone(), caller.clone());
    uploads
        .to_the_end(async move {
            let outcomes: Vec<Option<Outcome>> = futures::stream::iter(parts)
                .map(|part| purge_part(&api, &caller, part, why))
                .buffer_unordered(PURGES_AT_ONCE_MAX)
                .try_collect()
                .await?;
            for outcome in outcomes.iter().flatten() {
                api.surely_seen(outcome).await?;
            }
            Ok(())
        })
        .await?
}

/// None where something was taken out of the trash meanwhile: then nothing of it goes.
async fn purge_part(
    api: &Api,
    caller: &Caller,
    part: Together,
    why: Purging,
) -> Result<Option<Outcome>, Problem> {
    let stills = part.stills.iter().map(|still| (still, why));
    let film = part.film.iter().map(|film| (film, Purging::WithStills));
    let doomed: Vec<Doomed<'_>> = stills
        .chain(film)
        .map(|(asset, why)| Doomed {
            why,
            owner_id: UserId::new(asset.owner_id),
            asset_id: AssetId::new(asset.asset_id),
            sha1: &asset.sha1,
        })
        .collect();
    let outcome = match api.commands.purge_assets(&caller.next_context(api), &doomed).await {
        Ok(outcome) => outcome,
        Err(CommandError::Refused(AssetError::NotTrashed)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    for asset in part.stills.into_iter().chain(part.film) {
        remove_files(api, asset).await;
    }
    Ok(Some(outcome))
}

/// What cannot be removed now is removed by the processor that hears of the deletion.
async fn remove_files(api: &Api, asset: AssetRow) {
    let edited = asset.edited.and_then(|edited| edited.0.pictures);
    let edited = edited.map(|it| [it.thumbnail_key, it.preview_key, it.full_size_key]);
    let keys = [asset.sidecar_key, asset.thumbnail_key, asset.preview_key, asset.full_size_key]
        .into_iter();
    let keys = keys.chain(edited.into_iter().flatten().map(Some));
    let keys = std::iter::once(asset.original_key).chain(keys.flatten());
    for key in keys.filter(|key| is_never_anothers(key)) {
        let removed = match BlobKey::parse(&key) {
            Ok(key) => api.blobs.remove(&key).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = removed {
            tracing::warn!(asset.id = %asset.asset_id, error, "a file is left over");
        }
    }
}

/// Whether a key that was read before the deletion is this asset's for ever, because it is made of its ids. What
/// a storage template named may be another asset's by now: the processor removes it, with its row in hand. The
/// file of a library is not ours to remove.
fn is_never_anothers(key: &str) -> bool {
    !key.starts_with(TEMPLATED_ROOT) && !is_external(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_others_may_have_by_now_are_left_to_the_processor() {
        assert!(is_never_anothers("upload/u/aa/bb/a.jpg"));
        assert!(is_never_anothers("u/aa/bb/a-thumbnail.webp"));
        assert!(!is_never_anothers("library/anna/2024/Meer.jpg"));
        assert!(!is_never_anothers("library/anna/2024/Meer.jpg.xmp"));
        assert!(!is_never_anothers("/photos/2024/Meer.jpg"));
    }
}
