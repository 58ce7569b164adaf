//! Several stacks and their assets, loaded once, decided in a row, written in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use calotype_domain::asset::{Asset, AssetCommand, AssetError, AssetEvent, Organize};
use calotype_domain::event::Aggregate as _;
use calotype_domain::stack::{Stack, StackCommand, StackError, StackEvent};
use calotype_domain::{AssetId, StackId};
use calotype_eventstore::{Revision, StreamId};

use crate::assets;
use crate::context::CommandContext;
use crate::dispatch::{Commands, Outcome, Unit};
use crate::error::CommandError;

struct LoadedAsset {
    asset: Asset,
    last: Option<Revision>,
    commands: Vec<AssetCommand>,
    /// Decided elsewhere.
    events: Vec<AssetEvent>,
    /// It will be gone: nothing follows for it.
    leaves_for_good: bool,
}

impl LoadedAsset {
    const fn new(asset: Asset, last: Option<Revision>) -> Self {
        Self { asset, last, commands: Vec::new(), events: Vec::new(), leaves_for_good: false }
    }
}

struct LoadedStack {
    before: Stack,
    now: Stack,
    last: Option<Revision>,
    events: Vec<StackEvent>,
}

/// What is loaded and decided so far; nothing is written before [`Work::commit`].
pub(crate) struct Work<'a> {
    commands: &'a Commands,
    assets: BTreeMap<AssetId, LoadedAsset>,
    stacks: BTreeMap<StackId, LoadedStack>,
}

impl<'a> Work<'a> {
    pub(crate) fn new(commands: &'a Commands) -> Self {
        Self { commands, assets: BTreeMap::new(), stacks: BTreeMap::new() }
    }

    /// An asset as it was before this work.
    pub(crate) async fn asset(
        &mut self,
        asset_id: AssetId,
    ) -> Result<&Asset, CommandError<StackError>> {
        Ok(&self.loaded_asset(asset_id).await?.asset)
    }

    /// Loads assets that are not loaded yet, in few questions.
    pub(crate) async fn load_assets(
        &mut self,
        asset_ids: impl IntoIterator<Item = AssetId>,
    ) -> Result<(), CommandError<StackError>> {
        let missing: Vec<AssetId> =
            asset_ids.into_iter().filter(|asset_id| !self.assets.contains_key(asset_id)).collect();
        let streams: Vec<StreamId> = missing.iter().copied().map(assets::stream).collect();
        let loaded = self
            .commands
            .load_each::<Asset>(&streams)
            .await
            .map_err(|error| error.map_refusal(|_| StackError::BadAsset))?;
        for (asset_id, (asset, last)) in missing.into_iter().zip(loaded) {
            self.assets.insert(asset_id, LoadedAsset::new(asset, last));
        }
        Ok(())
    }

    async fn loaded_asset(
        &mut self,
        asset_id: AssetId,
    ) -> Result<&mut LoadedAsset, CommandError<StackError>> {
        use std::collections::btree_map::Entry;
        match self.assets.entry(asset_id) {
            Entry::Occupied(there) => Ok(there.into_mut()),
            Entry::Vacant(place) => {
                let (asset, last) = self
                    .commands
                    .load::<Asset>(&assets::stream(asset_id))
                    .await
                    .map_err(|error| error.map_refusal(|_| StackError::BadAsset))?;
                Ok(place.insert(LoadedAsset::new(asset, last)))
            }
        }
    }

    async fn loaded_stack(
        &mut self,
        stack_id: StackId,
    ) -> Result<&mut LoadedStack, CommandError<StackError>> {
        use std::collections::btree_map::Entry;
        match self.stacks.entry(stack_id) {
            Entry::Occupied(there) => Ok(there.into_mut()),
            Entry::Vacant(place) => {
                let (stack, last) = self.commands.load::<Stack>(&stream(stack_id)).await?;
                let before = stack.clone();
                Ok(place.insert(LoadedStack { before, now: stack, last, events: Vec::new() }))
            }
        }
    }

    /// The assets of a stack as decided so far.
    pub(crate) async fn members(
        &mut self,
        stack_id: StackId,
    ) -> Result<Vec<AssetId>, CommandError<StackError>> {
        Ok(self.loaded_stack(stack_id).await?.now.asset_ids().to_vec())
    }

    /// Lets a stack decide.
    pub(crate) async fn stack(
        &mut self,
        stack_id: StackId,
        command: &StackCommand,
    ) -> Result<(), CommandError<StackError>> {
        let stack = self.loaded_stack(stack_id).await?;
        let events = stack.now.decide(command).map_err(CommandError::Refused)?;
        self.happened(stack_id, events).await
    }

    /// Takes a stack's events as decided.
    pub(crate) async fn happened(
        &mut self,
        stack_id: StackId,
        events: Vec<StackEvent>,
    ) -> Result<(), CommandError<StackError>> {
        let stack = self.loaded_stack(stack_id).await?;
        for event in events {
            stack.now.evolve(&event);
            stack.events.push(event);
        }
        Ok(())
    }

    /// Takes a loaded asset's events as decided.
    pub(crate) fn happened_to(&mut self, asset_id: AssetId, events: Vec<AssetEvent>) {
        if let Some(loaded) = self.assets.get_mut(&asset_id) {
            loaded.events.extend(events);
        }
    }

    /// The assets that follow a stack's change, loaded.
    pub(crate) async fn followers(
        &mut self,
    ) -> Result<BTreeSet<AssetId>, CommandError<StackError>> {
        let mut followers = BTreeSet::new();
        for stack in self.stacks.values().filter(|stack| stack.before != stack.now) {
            followers.extend(stack.before.asset_ids());
            followers.extend(stack.now.asset_ids());
        }
        self.load_assets(followers.iter().copied()).await?;
        Ok(followers)
    }

    /// Asks a loaded asset for something of its own.
    pub(crate) fn push(&mut self, asset_id: AssetId, command: AssetCommand) {
        if let Some(loaded) = self.assets.get_mut(&asset_id) {
            loaded.commands.push(command);
        }
    }

    /// A loaded asset is about to be purged: it leaves its stack. Says which film is its own.
    pub(crate) async fn purge(
        &mut self,
        asset_id: AssetId,
        command: AssetCommand,
    ) -> Result<Option<AssetId>, CommandError<StackError>> {
        let loaded = self.loaded_asset(asset_id).await?;
        loaded.leaves_for_good = true;
        loaded.commands.push(command);
        let film = loaded.asset.film();
        if let Some((stack_id, _)) = loaded.asset.stack() {
            self.stack(stack_id, &StackCommand::Leave { asset_ids: vec![asset_id] }).await?;
        }
        Ok(film)
    }

    /// Works out what follows for the assets: leaving first, so that who goes over to another stack arrives.
    async fn follow(&mut self) -> Result<(), CommandError<StackError>> {
        let mut places: BTreeMap<AssetId, Organize> = BTreeMap::new();
        for stack in self.stacks.values() {
            for asset_id in stack.before.asset_ids() {
                if !stack.now.asset_ids().contains(asset_id) {
                    places.insert(*asset_id, Organize::Unstack);
                }
            }
        }
        for (stack_id, stack) in &self.stacks {
            if stack.before == stack.now {
                continue;
            }
            for asset_id in stack.now.asset_ids() {
                let is_primary = stack.now.is_primary(*asset_id);
                places.insert(*asset_id, Organize::Stack { stack_id: *stack_id, is_primary });
            }
        }
        self.load_assets(places.keys().copied()).await?;
        for (asset_id, wish) in places {
            let loaded = self.loaded_asset(asset_id).await?;
            if !loaded.leaves_for_good {
                loaded.commands.push(AssetCommand::Organize { by: None, wish });
            }
        }
        Ok(())
    }

    /// Puts everything into a transaction.
    pub(crate) async fn into_unit(
        mut self,
        unit: &mut Unit<'_>,
    ) -> Result<(), CommandError<AssetError>> {
        self.follow().await.map_err(super::as_asset_refusal)?;
        for (stack_id, stack) in self.stacks {
            unit.record(stack.last, stream(stack_id), None, &stack.events)?;
        }
        for (asset_id, loaded) in self.assets {
            let subject = Some(assets::subject(asset_id));
            let LoadedAsset { asset, last, commands, mut events, .. } = loaded;
            for command in &commands {
                events.extend(asset.decide(command).map_err(CommandError::Refused)?);
            }
            unit.record(last, assets::stream(asset_id), subject, &events)?;
        }
        Ok(())
    }

    /// Writes everything, or nothing. `None` says that somebody else wrote first: decide again.
    pub(crate) async fn commit_assets(
        self,
        ctx: &CommandContext,
    ) -> Result<Option<Outcome>, CommandError<AssetError>> {
        let mut unit = self.commands.unit(ctx);
        self.into_unit(&mut unit).await?;
        unit.commit().await.map_err(CommandError::Append)
    }

    /// As [`Work::commit_assets`], in the words of stacks.
    pub(crate) async fn commit(
        self,
        ctx: &CommandContext,
    ) -> Result<Option<Outcome>, CommandError<StackError>> {
        self.commit_assets(ctx).await.map_err(|error| error.map_refusal(|_| StackError::BadAsset))
    }
}

pub(crate) fn stream(stack_id: StackId) -> StreamId {
    StreamId::new("stack", stack_id)
}
