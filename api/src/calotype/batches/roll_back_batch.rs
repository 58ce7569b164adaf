//! `POST /calotype/batches/{id}/rollback`: takes back what a batch did, a part at a time.

use std::collections::BTreeSet;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use calotype_commands::CommandError;
use calotype_commands::batches::RollbackPart;
use calotype_domain::asset::Purging;
use calotype_domain::batch::BatchRolledBack;
use calotype_domain::permission::Permission;
use calotype_domain::{AlbumId, AssetId, BatchId, StackId, TagId, UserId};
use calotype_projections::wait::READ_OWN_WRITE_MAX;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::assets::delete_assets::purge;
use crate::caller::Caller;
use crate::links;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// How a batch is taken back.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(super) struct RollBackBatchDto {
    /// Only says what would be done.
    preview: Option<bool>,
    /// Also takes back what somebody changed since.
    force: Option<bool>,
    /// Deletes the assets for good instead of putting them into the trash.
    for_good: Option<bool>,
    /// `next` of the part before; nothing for the first part.
    before: Option<i64>,
}

/// An asset that stays.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LeftAloneAssetDto {
    asset_id: Uuid,
    /// The type of the last event by which somebody changed it.
    changed_by: String,
}

/// What one part did, or would do.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RolledBackDto {
    preview: bool,
    /// Assets that go into the trash, or for good.
    asset_ids: Vec<Uuid>,
    left_alone: Vec<LeftAloneAssetDto>,
    /// Times that an asset is taken out of an album.
    album_entries: usize,
    /// Times that a tag is taken from an asset.
    tags_removed: usize,
    /// Stacks of the batch that are dissolved.
    stack_ids: Vec<Uuid>,
    /// Albums of the batch that go, because they hold nothing else; with the last part.
    album_ids: Vec<Uuid>,
    /// Tags of the batch that go, because nothing carries them; with the last part, and not in a preview.
    tag_ids: Vec<Uuid>,
    /// What to give as `before` for the next part; nothing behind the last.
    #[schema(required)]
    next: Option<i64>,
}

/// Takes back a part of what a batch did.
#[utoipa::path(
    post, path = "/calotype/batches/{id}/rollback", tag = "Calotype", operation_id = "rollBackBatch",
    params(("id" = Uuid, Path)), request_body = RollBackBatchDto,
    responses((status = 200, body = RolledBackDto))
)]
pub(super) async fn roll_back_batch(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<RolledBackDto>, Problem> {
    caller.require(Permission::AssetDelete)?;
    let batch_id = BatchId::new(path_uuid("id", &id)?);
    let mut fields = Fields::json(&body)?;
    let preview = fields.boolean("preview").unwrap_or_default();
    let force = fields.boolean("force").unwrap_or_default();
    let for_good = fields.boolean("forGood").unwrap_or_default();
    let before = fields.integer("before", 0, i64::MAX);
    fields.finish()?;
    let by = caller.user_id();
    let part = plan(&api, by, batch_id, before, force).await?;
    require_for(&caller, &part)?;
    if preview {
        return Ok(Json(told(part, true)));
    }
    let closing = caller.next_context(&api);
    api.commands.close_batch(&closing, by, batch_id).await?;
    // Something may have come in until it was closed.
    let part = plan(&api, by, batch_id, before, force).await?;
    require_for(&caller, &part)?;
    let (uploads, work) = (api.uploads.clone(), Work { api, caller, batch_id, for_good });
    uploads.to_the_end(async move { Box::pin(work.run(part)).await }).await?.map(Json)
}

/// What a part means. Which other albums show an asset is the read model's to say, once it has heard of all that
/// happened until now.
async fn plan(
    api: &Api,
    by: UserId,
    batch_id: BatchId,
    before: Option<i64>,
    force: bool,
) -> Result<RollbackPart, Problem> {
    let mut part = api.commands.plan_rollback(by, batch_id, before, force).await?;
    if force || part.assets.is_empty() {
        return Ok(part);
    }
    api.progress.caught_up(READ_OWN_WRITE_MAX).await.ok_or_else(Problem::unavailable)?;
    let asset_ids: Vec<Uuid> = part.assets.iter().map(|id| id.uuid()).collect();
    let inside = api.queries.albums_of_each(&asset_ids).await?;
    let by_batch: BTreeSet<(AssetId, AlbumId)> = part
        .album_entries
        .iter()
        .flat_map(|(album_id, inside)| inside.iter().map(|asset_id| (*asset_id, *album_id)))
        .collect();
    let elsewhere: BTreeSet<AssetId> = inside
        .into_iter()
        .map(|(asset_id, album_id)| (AssetId::new(asset_id), AlbumId::new(album_id)))
        .filter(|entry| !by_batch.contains(entry))
        .map(|(asset_id, _)| asset_id)
        .collect();
    part.leave_in_albums(&elsewhere);
    Ok(part)
}

/// A key needs what the single requests would need.
fn require_for(caller: &Caller, part: &RollbackPart) -> Result<(), Problem> {
    if !part.album_entries.is_empty() {
        caller.require(Permission::AlbumAssetDelete)?;
    }
    if !part.albums.is_empty() {
        caller.require(Permission::AlbumDelete)?;
    }
    if !part.stacks.is_empty() {
        caller.require(Permission::StackDelete)?;
    }
    if !part.tagged.is_empty() {
        caller.require(Permission::TagAsset)?;
    }
    if !part.tag_ids.is_empty() {
        caller.require(Permission::TagDelete)?;
    }
    Ok(())
}

struct Work {
    api: Api,
    caller: Caller,
    batch_id: BatchId,
    for_good: bool,
}

impl Work {
    async fn run(self, mut part: RollbackPart) -> Result<RolledBackDto, Problem> {
        let by = self.caller.user_id();
        for (album_id, asset_ids) in &part.album_entries {
            let context = self.caller.next_context(&self.api);
            let from = [*album_id];
            let out = self.api.commands.remove_from_albums(&context, Some(by), &from, asset_ids);
            match out.await {
                Ok((_, outcome)) => self.api.surely_seen_of(&outcome, asset_ids.len()).await?,
                // Deleted meanwhile: nothing is in it.
                Err(CommandError::Refused(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        for (tag_id, asset_ids) in &part.tagged {
            let context = self.caller.next_context(&self.api);
            let outcome =
                self.api.commands.untag_assets(&context, by, &[*tag_id], asset_ids).await?;
            self.api.seen(&outcome).await;
        }
        self.let_stacks_go(&part).await?;
        self.let_assets_go(&part).await?;
        part.albums = self.let_albums_go(&part).await?;
        part.tag_ids = self.let_tags_go(&part).await?;
        let rolled_back = BatchRolledBack {
            assets: count(part.assets.len()),
            left_alone: count(part.left_alone.len()),
            albums: count(part.albums.len()),
            tags: count(part.tag_ids.len()),
            for_good: self.for_good,
            is_done: part.next.is_none(),
        };
        let context = self.caller.next_context(&self.api);
        let outcome =
            self.api.commands.record_rollback(&context, by, self.batch_id, rolled_back).await?;
        self.api.seen(&outcome).await;
        Ok(told(part, false))
    }

    async fn let_stacks_go(&self, part: &RollbackPart) -> Result<(), Problem> {
        for stack_id in &part.stacks {
            let context = self.caller.next_context(&self.api);
            let (by, one) = (self.caller.user_id(), [*stack_id]);
            match self.api.commands.dissolve_stacks(&context, by, &one).await {
                Ok(outcome) => self.api.seen(&outcome).await,
                // Dissolved meanwhile.
                Err(CommandError::Refused(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn let_assets_go(&self, part: &RollbackPart) -> Result<(), Problem> {
        let by = self.caller.user_id();
        if self.for_good {
            let ids: Vec<Uuid> = part.assets.iter().map(|asset_id| asset_id.uuid()).collect();
            let rows = self.api.queries.assets(&ids).await?;
            if rows.len() < ids.len() {
                // The read models do not have all of it yet, or somebody deleted some just now.
                return Err(Problem::unavailable());
            }
            return purge(&self.api, &self.caller, rows, Purging::Wished { by }).await;
        }
        let still: Vec<AssetId> =
            part.assets.iter().filter(|id| !part.trashed.contains(id)).copied().collect();
        let context = self.caller.next_context(&self.api);
        let outcome = self.api.commands.trash_assets(&context, by, &still).await?;
        self.api.surely_seen_of(&outcome, still.len()).await
    }

    /// Deletes the albums that are empty now.
    async fn let_albums_go(&self, part: &RollbackPart) -> Result<Vec<AlbumId>, Problem> {
        let by = self.caller.user_id();
        let (mut gone, mut last) = (Vec::new(), None);
        for album_id in self.api.commands.empty_albums(&part.albums).await? {
            let links = self.api.queries.links_to_album(album_id.uuid()).await?;
            let context = self.caller.next_context(&self.api);
            match self.api.commands.delete_album(&context, Some(by), album_id).await {
                Ok(outcome) => {
                    links::revoke(&self.api, &self.caller, &links).await?;
                    last = Some(outcome);
                    gone.push(album_id);
                }
                Err(CommandError::Refused(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if let Some(outcome) = &last {
            self.api.surely_seen_of(outcome, gone.len()).await?;
        }
        Ok(gone)
    }

    /// Deletes the tags that nothing carries, unless others stand below them.
    async fn let_tags_go(&self, part: &RollbackPart) -> Result<Vec<TagId>, Problem> {
        let by = self.caller.user_id();
        if part.tag_ids.is_empty() {
            return Ok(Vec::new());
        }
        let pool = self.api.queries.pool();
        let used = self.api.commands.tags_in_use(pool, &part.tag_ids).await?;
        let mut gone: Vec<TagId> = Vec::new();
        for tag_id in part.tag_ids.iter().filter(|tag_id| !used.contains(tag_id)) {
            let tree = self.api.queries.tag_tree(tag_id.uuid()).await?;
            let tree: Vec<TagId> = tree.into_iter().map(TagId::new).collect();
            // What stands below it may be of another import.
            let is_own = |id: &TagId| part.tag_ids.contains(id) && !used.contains(id);
            if tree.is_empty() || !tree.iter().all(is_own) {
                continue;
            }
            let context = self.caller.next_context(&self.api);
            match self.api.commands.delete_tags(&context, by, &tree).await {
                Ok(outcome) => {
                    self.api.seen(&outcome).await;
                    gone.extend(tree);
                }
                Err(CommandError::Refused(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(gone)
    }
}

fn told(part: RollbackPart, preview: bool) -> RolledBackDto {
    RolledBackDto {
        preview,
        asset_ids: part.assets.into_iter().map(AssetId::uuid).collect(),
        left_alone: part
            .left_alone
            .into_iter()
            .map(|left| LeftAloneAssetDto {
                asset_id: left.asset_id.uuid(),
                changed_by: left.event_type,
            })
            .collect(),
        album_entries: part.album_entries.values().map(Vec::len).sum(),
        tags_removed: part.tagged.values().map(Vec::len).sum(),
        stack_ids: part.stacks.into_iter().map(StackId::uuid).collect(),
        album_ids: part.albums.into_iter().map(AlbumId::uuid).collect(),
        tag_ids: if preview {
            Vec::new()
        } else {
            part.tag_ids.into_iter().map(TagId::uuid).collect()
        },
        next: part.next,
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
