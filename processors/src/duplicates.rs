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
/// Assets in one group; further ones that show the same stay out.
const MEMBERS_MAX: usize = 500;
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
        let near: Vec<AssetId> = near.into_iter().map(AssetId::new).collect();
        let mut group = Group { id: asset.duplicates(), members: Vec::new() };
        let mut looked_at = BTreeSet::new();
        if let Some(own) = group.id {
            looked_at.insert(own);
            let members = self.members_of(owner_id, own).await?;
            group.join(members.into_iter().filter(|(member_id, _)| *member_id != asset_id));
        }
        group.join([(asset_id, asset)]);
        let size = group.members.len();
        for (other_id, other) in self.assets(&near).await? {
            let is_known = group.members.iter().any(|(member_id, _)| *member_id == other_id);
            if is_known || !can_be_a_duplicate(&other) {
                continue;
            }
            let others_group = other.duplicates();
            let mut coming = vec![(other_id, other)];
            if let Some(id) = others_group {
                // Seen before, it stayed apart as a whole.
                if !looked_at.insert(id) {
                    continue;
                }
                let members = self.members_of(owner_id, id).await?;
                coming.extend(members.into_iter().filter(|(member_id, _)| *member_id != other_id));
            }
            if group.can_take(&coming) {
                group.id = group.id.or(others_group);
                group.join(coming);
            }
        }
        if group.members.len() == size {
            return Ok(());
        }
        let ctx = self.context(NAME, correlation_id, Some(cause));
        let duplicate_id = group.id.unwrap_or_else(|| DuplicateId::new(self.commands.ids().v4()));
        let members: Vec<AssetId> = group.members.iter().map(|(member_id, _)| *member_id).collect();
        self.commands.record_duplicates(&ctx, owner_id, duplicate_id, &members).await?;
        Ok(())
    }

    /// Who is in a group by the word of the read model and of the asset itself.
    async fn members_of(
        &self,
        owner_id: UserId,
        duplicate_id: DuplicateId,
    ) -> Result<Vec<(AssetId, Asset)>, ProcessorError> {
        let known = self.queries.duplicate_groups(owner_id.uuid(), &[duplicate_id.uuid()]).await?;
        let known: Vec<AssetId> =
            known.into_iter().map(|(_, member)| AssetId::new(member)).collect();
        let mut members = self.assets(&known).await?;
        let is_in = |member: &Asset| {
            member.owner_id() == Some(owner_id) && member.duplicates() == Some(duplicate_id)
        };
        members.retain(|(_, member)| is_in(member));
        Ok(members)
    }

    async fn assets(&self, asset_ids: &[AssetId]) -> Result<Vec<(AssetId, Asset)>, ProcessorError> {
        let loaded = self.commands.assets(asset_ids).await?;
        Ok(asset_ids.iter().copied().zip(loaded).collect())
    }
}

/// Assets that show the same, as one group.
struct Group {
    id: Option<DuplicateId>,
    members: Vec<(AssetId, Asset)>,
}

impl Group {
    fn join(&mut self, coming: impl IntoIterator<Item = (AssetId, Asset)>) {
        self.members.extend(coming);
    }

    /// Whether nobody who comes was told apart from anybody who is in, and all have room.
    fn can_take(&self, coming: &[(AssetId, Asset)]) -> bool {
        self.members.len() + coming.len() <= MEMBERS_MAX
            && coming.iter().all(|(_, other)| {
                self.members.iter().all(|(_, member)| !member.was_told_apart_from(other))
            })
    }
}

/// What stands in a stack, or does not show, is nobody's duplicate.
fn can_be_a_duplicate(asset: &Asset) -> bool {
    asset.owner_id().is_some()
        && !asset.is_trashed()
        && asset.stack().is_none()
        && matches!(asset.visibility(), Visibility::Timeline | Visibility::Archive)
}
