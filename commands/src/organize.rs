//! Wishes about how assets stand among others: groups of duplicates, programs' values, sidecars.

use std::collections::BTreeMap;

use calotype_domain::asset::{
    Asset, AssetCommand, AssetError, Blob, KeyValue, Organize, SidecarOutcome,
};
use calotype_domain::{AssetId, DuplicateId, UserId};
use calotype_eventstore::Revision;

use crate::assets::{once, stream, subject};
use crate::context::CommandContext;
use crate::dispatch::{Commands, Outcome};
use crate::error::CommandError;

/// A change to one of a program's values.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyValueChange {
    /// Keep it.
    Set(KeyValue),
    /// Forget what is under this key.
    Remove(String),
}

impl Commands {
    /// Records that some assets of one owner show the same; each leaves the group it was in. In one
    /// transaction. For the processor that finds duplicates.
    ///
    /// # Errors
    /// [`AssetError::NotOwner`] for an asset of somebody else, and see [`CommandError`].
    pub async fn record_duplicates(
        &self,
        ctx: &CommandContext,
        owner_id: UserId,
        duplicate_id: DuplicateId,
        asset_ids: &[AssetId],
    ) -> Result<Outcome, CommandError<AssetError>> {
        let wish = Organize::FindDuplicates(duplicate_id);
        self.bulk(ctx, asset_ids, &[AssetCommand::Organize { by: Some(owner_id), wish }]).await
    }

    /// Takes a person's assets out of their groups of duplicates.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn dismiss_duplicates(
        &self,
        ctx: &CommandContext,
        by: UserId,
        asset_ids: &[AssetId],
    ) -> Result<Outcome, CommandError<AssetError>> {
        let wish = Organize::DismissDuplicates;
        self.bulk(ctx, asset_ids, &[AssetCommand::Organize { by: Some(by), wish }]).await
    }

    /// Changes values that programs keep with a person's assets: all or none of each
    /// [`BULK_ASSETS_MAX`](crate::bulk::BULK_ASSETS_MAX) assets. Of several changes under one key the last counts.
    ///
    /// # Errors
    /// [`AssetError::BadKeyValue`] and see [`CommandError`].
    pub async fn change_key_values(
        &self,
        ctx: &CommandContext,
        by: UserId,
        changes: Vec<(AssetId, KeyValueChange)>,
    ) -> Result<Outcome, CommandError<AssetError>> {
        let mut wishes: BTreeMap<AssetId, BTreeMap<String, Organize>> = BTreeMap::new();
        for (asset_id, change) in changes {
            let (key, wish) = match change {
                KeyValueChange::Set(entry) => (entry.key.clone(), Organize::SetKeyValue(entry)),
                KeyValueChange::Remove(key) => (key.clone(), Organize::RemoveKeyValue(key)),
            };
            wishes.entry(asset_id).or_default().insert(key, wish);
        }
        let by = Some(by);
        let each: Vec<(AssetId, Vec<AssetCommand>)> = wishes
            .into_iter()
            .map(|(asset_id, wishes)| {
                let commands = wishes.into_values().map(|wish| AssetCommand::Organize { by, wish });
                (asset_id, commands.collect())
            })
            .collect();
        self.bulk_each(ctx, &each).await
    }

    /// Lets another XMP file, stored durably, lie beside a person's asset.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn replace_sidecar(
        &self,
        ctx: &CommandContext,
        by: UserId,
        asset_id: AssetId,
        sidecar: Blob,
    ) -> Result<Outcome, CommandError<AssetError>> {
        self.bulk(ctx, &once(&[asset_id]), &[AssetCommand::ReplaceSidecar { by, sidecar }]).await
    }

    /// Records that what people say stands beside an original, or cannot. `known` is the asset as the
    /// processor read it.
    ///
    /// # Errors
    /// See [`CommandError`]; [`CommandError::Contended`] where it has changed since: then more may be to write.
    pub async fn record_sidecar(
        &self,
        ctx: &CommandContext,
        asset_id: AssetId,
        known: (Asset, Revision),
        outcome: SidecarOutcome,
    ) -> Result<Outcome, CommandError<AssetError>> {
        let mut unit = self.unit(ctx);
        let command = [AssetCommand::RecordSidecar(outcome)];
        let subject = Some(subject(asset_id));
        unit.decide(&known.0, Some(known.1), stream(asset_id), subject, &command)?;
        unit.commit().await.map_err(CommandError::Append)?.ok_or(CommandError::Contended)
    }
}
