//! Steps of a walk that put a library in order: tags, stacks, duplicates, values, memories.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use calotype_commands::copies::Copied;
use calotype_commands::duplicates::Resolution;
use calotype_commands::organize::KeyValueChange;
use calotype_commands::undo::Wish;
use calotype_domain::access::{Grant, Viewer};
use calotype_domain::asset::{Asset, Details, KeyValue, Move, NewPlace, Visibility};
use calotype_domain::memory::{MemoryChange, MemoryCommand, MemoryCreated, OnThisDay};
use calotype_domain::stack::StackCommand;
use calotype_domain::{AlbumId, AssetId, DuplicateId, TagId, UserId};
use calotype_eventstore::StreamId;
use rand::Rng as _;
use rand::seq::{IndexedRandom as _, IteratorRandom as _};
use uuid::Uuid;

use super::step::accept;
use super::world::World;

/// The part of a walk's steps after which an original is moved.
const MOVES_PART: f64 = 0.02;
/// Paths that people tag with; few, so that they are taken.
const PATHS: [&str; 5] = ["a", "a/b", "a/b/c", "d", "d/e"];

impl World {
    /// One wish about order.
    pub(super) async fn organize(&mut self) -> anyhow::Result<()> {
        match self.random.random_range(0..18) {
            0 => self.make_tag().await,
            1 => self.drop_tag().await,
            2..4 => self.tag().await,
            4..6 => self.stack().await,
            6..8 => self.change_stack().await,
            8 => self.duplicates().await,
            9 => self.key_values().await,
            10..12 => self.memory().await,
            12 => self.lock().await,
            13 => self.copy().await,
            14 => self.resolve().await,
            _ => self.undo().await,
        }
    }

    /// Some assets of one owner.
    pub(super) fn owned(&mut self) -> Option<(UserId, Vec<AssetId>)> {
        let some = self.some_assets();
        let owner_id = some.first()?.owner_id;
        Some((owner_id, some.iter().map(|asset| asset.id).collect()))
    }

    /// Where an original lies is changed in the log now and then; no file of a walk lies anywhere. It draws from
    /// chances of its own, so that a walk without it and one with it take the same other steps.
    pub(super) async fn move_now_and_then(&mut self) -> anyhow::Result<()> {
        if !self.move_random.random_bool(MOVES_PART) {
            return Ok(());
        }
        let chosen = self.assets.choose(&mut self.move_random);
        let Some(asset_id) = chosen.map(|asset| asset.id) else { return Ok(()) };
        let (known, last) = self.commands.load::<Asset>(&StreamId::new("asset", asset_id)).await?;
        let is_stored = known.owner_id().is_some() && known.external().is_none();
        let Some(last) = last.filter(|_| is_stored) else { return Ok(()) };
        let original_key = format!("library/walk/{:032x}.jpg", self.move_random.random::<u128>());
        let sidecar = known.places().sidecar();
        let sidecar_key = sidecar.map(|_| format!("{original_key}.xmp"));
        let from = known.places().original().to_owned();
        let wish = Move { from, to: NewPlace { original_key, sidecar_key } };
        let ctx = self.context(None);
        accept(self.commands.record_move(&ctx, asset_id, (known, last), wish).await).map(drop)
    }

    async fn make_tag(&mut self) -> anyhow::Result<()> {
        let by = self.anybody();
        let path = PATHS[self.random.random_range(0..PATHS.len())];
        let ctx = self.context(Some(by));
        let made = accept(self.commands.upsert_tag(&ctx, by, path).await)?;
        if let Some((tag_id, _)) = made.flatten() {
            self.tags.push((by, tag_id));
        }
        Ok(())
    }

    async fn drop_tag(&mut self) -> anyhow::Result<()> {
        let Some((by, tag_id)) = self.tags.choose(&mut self.random).copied() else { return Ok(()) };
        let ctx = self.context(Some(by));
        if self.random.random() {
            let color = self.random.random_bool(0.5).then(|| "#fff".to_owned());
            return accept(self.commands.change_tag_color(&ctx, by, tag_id, color).await).map(drop);
        }
        accept(self.commands.delete_tags(&ctx, by, &[tag_id]).await).map(drop)
    }

    async fn tag(&mut self) -> anyhow::Result<()> {
        let Some((by, asset_ids)) = self.owned() else { return Ok(()) };
        let theirs: Vec<_> =
            self.tags.iter().filter(|(owner_id, _)| *owner_id == by).map(|(_, id)| *id).collect();
        let Some(tag_id) = theirs.choose(&mut self.random).copied() else { return Ok(()) };
        let ctx = self.context(Some(by));
        let outcome = if self.random.random_bool(0.7) {
            self.commands.tag_assets(&ctx, by, &[tag_id], &asset_ids).await
        } else {
            self.commands.untag_assets(&ctx, by, &[tag_id], &asset_ids).await
        };
        accept(outcome).map(drop)
    }

    /// Those of a person's tags that the keywords of a file happen to name.
    pub(super) fn tags_of(&mut self, owner_id: UserId) -> BTreeSet<TagId> {
        let theirs = self.tags.iter().filter(|(by, _)| *by == owner_id).map(|(_, tag_id)| *tag_id);
        let count = self.random.random_range(0..3);
        theirs.choose_multiple(&mut self.random, count).into_iter().collect()
    }

    /// Puts assets behind the PIN or back, as clients do: what is locked leaves its albums.
    async fn lock(&mut self) -> anyhow::Result<()> {
        let Some((by, asset_ids)) = self.owned() else { return Ok(()) };
        let places = [Visibility::Locked, Visibility::Locked, Visibility::Timeline];
        let visibility = places.choose(&mut self.random).copied();
        let details = Details { visibility, ..Details::default() };
        let inside = self.inside(&asset_ids).await?;
        let changes: Vec<(AssetId, Details)> =
            asset_ids.into_iter().map(|asset_id| (asset_id, details.clone())).collect();
        let ctx = self.context(Some(by));
        accept(self.commands.change_each_asset(&ctx, by, &changes, &inside).await).map(drop)
    }

    async fn copy(&mut self) -> anyhow::Result<()> {
        let Some((by, asset_ids)) = self.owned() else { return Ok(()) };
        let [source, target, ..] = asset_ids.as_slice() else { return Ok(()) };
        let inside = self.inside(&[*source]).await?;
        let wish = Copied {
            favorite: self.random.random(),
            stack: self.random.random(),
            album_ids: inside.into_iter().map(|(album_id, _)| album_id).collect(),
            link_ids: Vec::new(),
        };
        let ctx = self.context(Some(by));
        accept(self.commands.copy_asset(&ctx, by, (*source, *target), &wish).await).map(drop)
    }

    async fn resolve(&mut self) -> anyhow::Result<()> {
        let Some((by, mut keep)) = self.owned() else { return Ok(()) };
        let trash = keep.split_off(1);
        let inside = self.inside(&[keep.clone(), trash.clone()].concat()).await?;
        let group = Resolution { keep, trash };
        let ctx = self.context(Some(by));
        accept(self.commands.resolve_duplicates(&ctx, by, &[group], &inside).await).map(drop)
    }

    /// Which of some assets are in which albums, as far as the read models know.
    async fn inside(&self, asset_ids: &[AssetId]) -> anyhow::Result<Vec<(AlbumId, AssetId)>> {
        let asset_ids: Vec<_> = asset_ids.iter().map(|asset_id| asset_id.uuid()).collect();
        let pairs = self.queries().albums_holding(&asset_ids).await?;
        let ids = |(album_id, asset_id)| (AlbumId::new(album_id), AssetId::new(asset_id));
        Ok(pairs.into_iter().map(ids).collect())
    }

    async fn stack(&mut self) -> anyhow::Result<()> {
        let Some((by, asset_ids)) = self.owned() else { return Ok(()) };
        let ctx = self.context(Some(by));
        if let Some((stack_id, _)) = accept(self.commands.create_stack(&ctx, by, &asset_ids).await)?
        {
            self.stacks.push((by, stack_id));
        }
        Ok(())
    }

    async fn change_stack(&mut self) -> anyhow::Result<()> {
        let Some((by, stack_id)) = self.stacks.choose(&mut self.random).copied() else {
            return Ok(());
        };
        let Some((_, asset_ids)) = self.owned() else { return Ok(()) };
        let Some(asset_id) = asset_ids.first().copied() else { return Ok(()) };
        let wish = match self.random.random_range(0..4) {
            0 => StackCommand::ChangePrimary { by, asset_id },
            1 => StackCommand::TakeOut { by, asset_id },
            2 => StackCommand::Leave { asset_ids },
            _ => StackCommand::Dissolve { by },
        };
        let ctx = self.context(Some(by));
        accept(self.commands.stack(&ctx, stack_id, &wish).await).map(drop)
    }

    async fn duplicates(&mut self) -> anyhow::Result<()> {
        let Some((by, asset_ids)) = self.owned() else { return Ok(()) };
        let ctx = self.context(None);
        let outcome = if self.random.random_bool(0.6) {
            let group = DuplicateId::new(self.commands.ids().v4());
            self.commands.record_duplicates(&ctx, by, group, &asset_ids).await
        } else {
            self.commands.dismiss_duplicates(&ctx, by, &asset_ids).await
        };
        accept(outcome).map(drop)
    }

    async fn key_values(&mut self) -> anyhow::Result<()> {
        let Some((by, asset_ids)) = self.owned() else { return Ok(()) };
        let mut changes = Vec::new();
        for asset_id in asset_ids {
            let key = format!("key-{}", self.random.random_range(0..3));
            let change = if self.random.random_bool(0.7) {
                let mut value = serde_json::Map::new();
                value.insert("n".into(), self.random.random_range(0..9).into());
                KeyValueChange::Set(KeyValue { key, value })
            } else {
                KeyValueChange::Remove(key)
            };
            changes.push((asset_id, change));
        }
        let ctx = self.context(Some(by));
        accept(self.commands.change_key_values(&ctx, by, changes).await).map(drop)
    }

    async fn memory(&mut self) -> anyhow::Result<()> {
        let Some((by, asset_ids)) = self.owned() else { return Ok(()) };
        let known = self.memories.choose(&mut self.random).copied();
        let ctx = self.context(Some(by));
        let (owner, wish) = match (self.random.random_range(0..8), known) {
            (0, Some((by, id))) => ((by, id), MemoryCommand::Delete { by: Some(by) }),
            (1, Some((by, id))) => ((by, id), MemoryCommand::AddAssets { by, asset_ids }),
            (2, Some((by, id))) => ((by, id), MemoryCommand::RemoveAssets { by, asset_ids }),
            (3..6, Some((by, id))) => {
                let change = MemoryChange {
                    is_saved: Some(self.random.random()),
                    memory_at: None,
                    seen_at: Some(self.instant()),
                };
                ((by, id), MemoryCommand::Change { by, change })
            }
            _ => return self.make_memory(by, asset_ids).await,
        };
        let (_, memory_id) = owner;
        accept(self.commands.memory(&ctx, memory_id, &wish).await).map(drop)
    }

    async fn make_memory(&mut self, by: UserId, asset_ids: Vec<AssetId>) -> anyhow::Result<()> {
        let day = self.instant();
        let year = self.random.random_range(2_000..2_020);
        let created = MemoryCreated {
            owner_id: by,
            on_this_day: OnThisDay { year },
            memory_at: day,
            show_at: Some(day),
            hide_at: None,
            seen_at: None,
            is_saved: self.random.random_bool(0.2),
            asset_ids,
        };
        let ctx = self.context(None);
        if let Some(Some((memory_id, _))) =
            accept(self.commands.remember_day(&ctx, day.date_naive(), created).await)?
        {
            self.memories.push((by, memory_id));
        }
        Ok(())
    }

    /// Takes back one of the last requests of somebody, or what somebody else did since.
    async fn undo(&mut self) -> anyhow::Result<()> {
        if self.random.random() {
            return self.undo_anything().await;
        }
        let Some((by, asset_ids)) = self.owned() else { return Ok(()) };
        let details = Details {
            favorite: Some(self.random.random()),
            description: Some(format!("words {}", self.random.random_range(0..9))),
            rating: Some(Some(3)),
            ..Details::default()
        };
        let change = self.context(Some(by));
        accept(self.commands.change_assets(&change, by, &asset_ids, &details).await)?;
        if self.random.random_bool(0.3) {
            Box::pin(self.organize()).await?;
        }
        let ctx = self.context(Some(by));
        let id =
            if self.random.random() { change.correlation_id } else { change.command_id.uuid() };
        accept(self.commands.undo(&ctx, &viewer(by), &Wish::Command(id)).await).map(drop)
    }

    /// Takes back whatever somebody wished lately.
    async fn undo_anything(&mut self) -> anyhow::Result<()> {
        let did: Vec<(UserId, Uuid)> = {
            let did = self.did.lock().unwrap_or_else(PoisonError::into_inner);
            did.iter().copied().collect()
        };
        let Some((by, id)) = did.choose(&mut self.random).copied() else { return Ok(()) };
        let ctx = self.context(Some(by));
        accept(self.commands.undo(&ctx, &viewer(by), &Wish::Command(id)).await).map(drop)
    }
}

/// Somebody who may do everything that a person may.
fn viewer(user_id: UserId) -> Viewer {
    Viewer { user_id, is_admin: true, grant: Grant::Session { elevated: true } }
}
