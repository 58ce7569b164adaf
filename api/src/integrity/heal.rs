//! An upload of bytes that their owner has already, and whose file is lost or damaged: they take its place.

use std::time::Duration;

use calotype_commands::CommandContext;
use calotype_commands::moves::Held;
use calotype_domain::integrity::Check;
use calotype_domain::{AssetId, UserId};
use calotype_media::blob::{BlobError, BlobKey, StagedBlob};
use uuid::Uuid;

use crate::assets::hex;
use crate::problem::Problem;
use crate::state::Api;

/// How often it is tried to take files in hand, and how long it takes until the next try.
const HOLD_TRIES_MAX: u32 = 50;
const HOLD_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Why bytes are wanted that are known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ails {
    Missing,
    Damaged,
}

/// Whether an upload of an asset's own bytes would heal it.
pub(crate) async fn is_wanted(api: &Api, asset_id: Uuid) -> Result<bool, Problem> {
    let Some(row) = api.queries.asset(asset_id).await? else { return Ok(false) };
    let Ok(key) = BlobKey::parse(&row.original_key) else { return Ok(false) };
    Ok(ails(api, asset_id, &key).await?.is_some())
}

async fn ails(api: &Api, asset_id: Uuid, key: &BlobKey) -> Result<Option<Ails>, Problem> {
    let found = api.blobs.stat(key).await.map_err(|error| Problem::internal(&error))?;
    if found.is_none() {
        return Ok(Some(Ails::Missing));
    }
    let known = api.findings.of_assets(&[asset_id]).await;
    let known = known.map_err(|error| Problem::internal(&error))?;
    let is_damaged = known.iter().any(|(_, name)| name == Check::ChecksumMismatch.as_str());
    Ok(is_damaged.then_some(Ails::Damaged))
}

/// The asset's files, once no move has them in hand.
///
/// # Errors
/// 503 when a move takes long.
async fn in_hand(api: &Api, asset_id: Uuid) -> Result<Held, Problem> {
    for _ in 0..HOLD_TRIES_MAX {
        let held = api.findings.hold_files(AssetId::new(asset_id)).await;
        if let Some(held) = held.map_err(|error| Problem::internal(&error))? {
            return Ok(held);
        }
        tokio::time::sleep(HOLD_AGAIN_AFTER).await;
    }
    Err(Problem::unavailable())
}

/// Lets uploaded bytes take the place of those that are lost, if they are the same.
///
/// # Errors
/// 500, 503 and 507 when they cannot be put there.
pub(crate) async fn heal(
    api: &Api,
    context: &CommandContext,
    owner_id: UserId,
    asset_id: Uuid,
    staged: StagedBlob,
) -> Result<(), Problem> {
    let Some(row) = api.queries.asset(asset_id).await? else { return Ok(()) };
    let Ok(shown) = BlobKey::parse(&row.original_key) else { return Ok(()) };
    if ails(api, asset_id, &shown).await?.is_none() {
        return Ok(());
    }
    let held = in_hand(api, asset_id).await?;
    // Where it lies now: under a key that it had before another's file may lie.
    let asset = api.commands.asset(AssetId::new(asset_id)).await?;
    let Ok(key) = BlobKey::parse(asset.places().original()) else { return Ok(()) };
    let Some(ails) = ails(api, asset_id, &key).await? else { return Ok(()) };
    if hex(&staged.blake3) != row.blake3 {
        return Ok(());
    }
    let placed = match ails {
        Ails::Missing => staged.commit(&key).await,
        Ails::Damaged => staged.replace(&key).await,
    };
    match placed {
        // Somebody else healed it at the same instant.
        Ok(()) | Err(BlobError::Exists { .. }) => {}
        Err(error) => return Err(Problem::internal(&error)),
    }
    drop(held);
    let outcome =
        api.commands.record_original_restored(context, owner_id, AssetId::new(asset_id)).await?;
    api.findings.settle_asset(asset_id).await.map_err(|error| Problem::internal(&error))?;
    api.seen(&outcome).await;
    tracing::info!(asset.id = %asset_id, "an upload put a lost file back");
    Ok(())
}
