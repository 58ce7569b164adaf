//! Finds assets of one owner that show the same, by the vectors of what they show.
//!
//! Each vector that was told is an errand: the asset is compared with all others of its owner. Groups are the
//! aggregates' own words, because read models may be behind; who was told apart by a person stays apart.

use std::collections::BTreeSet;

use calotype_domain::asset::{Asset, Visibility};
use calotype_domain::{AssetId, DuplicateId, UserId};
use uuid::Uuid;

use crate::error::ProcessorError;
use crate::requests::Asked;
use crate::worker::Worker;

/// Its name in the log.
const NAME: &str = "duplicates";
/// The queue that people may pause.
pub(crate) const QUEUE: &str = "duplicateDetection";
/// Assets that one asset is grouped with at once.
const FOUND_MAX: usize = 100;
/// Assets compared in one turn of a re-run.
const CHUNK_ASSETS: i64 = 100;

impl Worker {
    /// Looks for assets that show the same as one whose vector was told.
    ///
    /// # Errors
    /// [`ProcessorError`]: try again later.
    pub(crate) async fn find_duplicates(
        &self,
        asset_id: AssetId,
        cause: Uuid,
    ) -> Result<(), ProcessorError> {
        self.compare(asset_id, self.commands.ids().v7(), cause).await
    }

    /// Compares the next assets that have vectors; says how far that came.
    pub(crate) async fn find_duplicates_after(
        &self,
        after: Uuid,
        asked: &Asked,
    ) -> Result<Option<Uuid>, ProcessorError> {
        let asset_ids = self.queries.embedded_after(after, CHUNK_ASSETS).await?;
        for asset_id in &asset_ids {
            let asset_id = AssetId::new(*asset_id);
            self.compare(asset_id, asked.correlation_id, asked.request_id).await?;
        }
        Ok(asset_ids.last().copied())
    }

    async fn compare(
        &self,
        asset_id: AssetId,
        correlation_id: Uuid,
        cause: Uuid,
    ) -> Result<(), ProcessorError> {
        let settings = self.queries.settings().await?;
        let is_on = ["enabled", "clip.enabled", "duplicateDetection.enabled"]
            .into_iter()
            .all(|name| settings.is_on(&format!("machineLearning.{name}")));
        if !is_on {
            return Ok(());
        }
        // One at a time: the next one sees the groups that this one makes.
        let _turn = self.comparing.lock().await;
        let asset = self.commands.asset(asset_id).await?;
        let Some(owner_id) = asset.owner_id().filter(|_| can_be_a_duplicate(&asset)) else {
            return Ok(());
        };
        let distance = settings.real("machineLearning.duplicateDetection.maxDistance");
        let near = self.queries.same_as(asset_id.uuid(), distance, FOUND_MAX).await?;
        let mut found: Vec<(AssetId, Asset)> = Vec::with_capacity(near.len());
        for other_id in near.into_iter().map(AssetId::new) {
            let other = self.commands.asset(other_id).await?;
            let is_told_apart = |member: &Asset| member.was_told_apart_from(&other);
            let is_apart =
                is_told_apart(&asset) || found.iter().any(|(_, member)| is_told_apart(member));
            if can_be_a_duplicate(&other) && !is_apart {
                found.push((other_id, other));
            }
        }
        let Some(group) = self.group(asset_id, &asset, owner_id, &found).await? else {
            return Ok(());
        };
        let ctx = self.context(NAME, correlation_id, Some(cause));
        let (duplicate_id, members) = group;
        self.commands.record_duplicates(&ctx, owner_id, duplicate_id, &members).await?;
        Ok(())
    }

    /// The group that all of them are, with everybody who comes into it: whole groups become one.
    async fn group(
        &self,
        asset_id: AssetId,
        asset: &Asset,
        owner_id: UserId,
        found: &[(AssetId, Asset)],
    ) -> Result<Option<(DuplicateId, Vec<AssetId>)>, ProcessorError> {
        if found.is_empty() {
            return Ok(None);
        }
        let known = found.iter().filter_map(|(_, other)| other.duplicates());
        let groups: BTreeSet<DuplicateId> = asset.duplicates().into_iter().chain(known).collect();
        let duplicate_id = asset
            .duplicates()
            .or_else(|| groups.first().copied())
            .unwrap_or_else(|| DuplicateId::new(self.commands.ids().v4()));
        let former: Vec<Uuid> =
            groups.iter().filter(|id| **id != duplicate_id).map(|id| id.uuid()).collect();
        let mut members: BTreeSet<AssetId> =
            found.iter().map(|(other_id, _)| *other_id).chain([asset_id]).collect();
        if !former.is_empty() {
            let more = self.queries.duplicate_groups(owner_id.uuid(), &former).await?;
            members.extend(more.into_iter().map(|(_, member)| AssetId::new(member)));
        }
        Ok(Some((duplicate_id, members.into_iter().collect())))
    }
}

/// What stands in a stack, or does not show, is nobody's duplicate.
fn can_be_a_duplicate(asset: &Asset) -> bool {
    asset.owner_id().is_some()
        && !asset.is_trashed()
        && asset.stack().is_none()
        && matches!(asset.visibility(), Visibility::Timeline | Visibility::Archive)
}
