//! Changes of assets, each its own, and what follows: what goes behind the PIN leaves its albums, in the
//! same transaction.

use std::collections::{BTreeMap, BTreeSet};

use calotype_domain::album::{Album, AlbumCommand, AlbumError};
use calotype_domain::asset::{Asset, AssetCommand, AssetError, Details, Visibility};
use calotype_domain::{AlbumId, AssetId, UserId};
use calotype_eventstore::StreamId;

use crate::bulk::BULK_ASSETS_MAX;
use crate::context::CommandContext;
use crate::dispatch::{Commands, Outcome, Unit};
use crate::error::CommandError;
use crate::{albums, assets};

/// Albums that are left in the transaction that locks an asset; more are left in transactions before it.
const LEFT_AT_ONCE_MAX: usize = 500;

impl Commands {
    /// Changes what a person may change about assets, each by itself: all or none of each
    /// [`BULK_ASSETS_MAX`]. Each stands in the list once. What goes behind the PIN leaves those albums that
    /// `inside` says it is in, and so does what comes out from there: it can only have been put into them while
    /// it was being locked, and was seen in none.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn change_each_asset(
        &self,
        ctx: &CommandContext,
        by: UserId,
        changes: &[(AssetId, Details)],
        inside: &[(AlbumId, AssetId)],
    ) -> Result<Outcome, CommandError<AssetError>> {
        let mut outcome = Outcome::AlreadyTrue;
        for (part, chunk) in changes.chunks(BULK_ASSETS_MAX).enumerate() {
            let mut ctx = self.part_of(ctx, part);
            let leaving = self.leaving(chunk, inside).await?;
            let mut moves: Vec<(AlbumId, Move)> =
                Moves::leaving(inside, &leaving).0.into_iter().collect();
            while moves.len() > LEFT_AT_ONCE_MAX {
                let rest = moves.split_off(LEFT_AT_ONCE_MAX);
                self.bulk_part::<&[AssetCommand]>(&ctx, &[], Some((by, &moves))).await?;
                ctx = self.part_of(&ctx, 1);
                moves = rest;
            }
            let each: Vec<(AssetId, [AssetCommand; 1])> = chunk
                .iter()
                .map(|(asset_id, details)| {
                    let details = Box::new(details.clone());
                    (*asset_id, [AssetCommand::ChangeDetails { by, details }])
                })
                .collect();
            outcome = outcome.then(self.bulk_part(&ctx, &each, Some((by, &moves))).await?);
        }
        Ok(outcome)
    }

    /// Those of some changed assets that go behind the PIN or come out from there, as far as `inside` names them.
    async fn leaving(
        &self,
        changes: &[(AssetId, Details)],
        inside: &[(AlbumId, AssetId)],
    ) -> Result<BTreeSet<AssetId>, CommandError<AssetError>> {
        let named: BTreeSet<AssetId> = inside.iter().map(|(_, asset_id)| *asset_id).collect();
        let moved = changes.iter().filter(|(asset_id, _)| named.contains(asset_id));
        let (mut leaving, mut shown) = (BTreeSet::new(), Vec::new());
        for (asset_id, details) in moved {
            match details.visibility {
                Some(Visibility::Locked) => {
                    leaving.insert(*asset_id);
                }
                Some(_) => shown.push(*asset_id),
                None => {}
            }
        }
        let streams: Vec<StreamId> = shown.iter().copied().map(assets::stream).collect();
        let loaded = self.load_each::<Asset>(&streams).await?;
        let were_locked = shown.into_iter().zip(loaded);
        let were_locked =
            were_locked.filter(|(_, (asset, _))| asset.visibility() == Visibility::Locked);
        leaving.extend(were_locked.map(|(asset_id, _)| asset_id));
        Ok(leaving)
    }
}

/// What comes into an album and what leaves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Move {
    pub(crate) comes: BTreeSet<AssetId>,
    pub(crate) leaves: BTreeSet<AssetId>,
}

/// What comes into albums and what leaves them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moves(pub(crate) BTreeMap<AlbumId, Move>);

impl Moves {
    /// Those of some assets leave that are in albums.
    pub(crate) fn leaving(inside: &[(AlbumId, AssetId)], asset_ids: &BTreeSet<AssetId>) -> Self {
        let mut moves = Self::default();
        for (album_id, asset_id) in inside {
            if asset_ids.contains(asset_id) {
                moves.leave(*album_id, *asset_id);
            }
        }
        moves
    }

    pub(crate) fn leave(&mut self, album_id: AlbumId, asset_id: AssetId) {
        self.0.entry(album_id).or_default().leaves.insert(asset_id);
    }

    pub(crate) fn come(&mut self, album_id: AlbumId, asset_id: AssetId) {
        self.0.entry(album_id).or_default().comes.insert(asset_id);
    }
}

/// The streams of some albums, to take turns on.
pub(crate) fn streams_of(moves: &[(AlbumId, Move)]) -> Vec<StreamId> {
    moves.iter().map(|(album_id, _)| albums::stream(*album_id)).collect()
}

/// Lets albums decide about what comes and leaves. One that refuses, because it is gone by now or the person
/// lost their part in it, stays as it is.
pub(crate) async fn move_in(
    unit: &mut Unit<'_>,
    by: UserId,
    moves: &[(AlbumId, Move)],
) -> Result<(), CommandError<AssetError>> {
    for (album_id, wish) in moves {
        // An asset leaves whoever's the album is; what comes is put in by the person.
        let leave = AlbumCommand::RemoveAssets {
            by: None,
            asset_ids: wish.leaves.iter().copied().collect(),
        };
        let come = AlbumCommand::AddAssets {
            by: Some(by),
            asset_ids: wish.comes.iter().copied().collect(),
        };
        let both = [leave, come];
        let (leave, come) = both.split_at(1);
        let wishes = match (wish.leaves.is_empty(), wish.comes.is_empty()) {
            (true, true) => vec![],
            (false, true) => vec![leave],
            (true, false) => vec![come],
            // What may not come holds nothing back that leaves.
            (false, false) => vec![both.as_slice(), leave],
        };
        for commands in wishes {
            let (stream_id, subject) = (albums::stream(*album_id), albums::subject(*album_id));
            match unit.try_apply::<Album>(stream_id, Some(subject), commands).await {
                Ok(()) => break,
                Err(CommandError::Refused(_)) => {}
                Err(error) => return Err(error.map_refusal(|_: AlbumError| AssetError::NotFound)),
            }
        }
    }
    Ok(())
}
