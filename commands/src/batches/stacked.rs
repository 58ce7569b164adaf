//! The stacks of a commit: files that show as one.

use std::collections::{BTreeSet, HashMap};

use calotype_domain::asset::{AssetCommand, Organize};
use calotype_domain::batch::{BatchError, Done};
use calotype_domain::event::Aggregate as _;
use calotype_domain::stack::{Stack, StackCommand, StackCreated, StackError, StackEvent};
use calotype_domain::{AssetId, StackId};
use calotype_eventstore::{Revision, StreamId};
use uuid::Uuid;

use super::commit::{Attempt, Error, Loaded, NewBatchStack, NewEntry, as_v4};
use crate::assets::{stream as asset_stream, subject};
use crate::error::CommandError;
use crate::stacks::stream;

/// Fewer files are no stack.
const FILES_MIN: usize = 2;

/// Where assets stand in stacks after a request.
#[derive(Default)]
pub(super) struct Places(HashMap<AssetId, Organize>);

impl Places {
    /// What is said to an asset, if anything changes for it.
    pub(super) fn of(&self, asset_id: AssetId) -> Option<AssetCommand> {
        let wish = self.0.get(&asset_id)?.clone();
        Some(AssetCommand::Organize { by: None, wish })
    }
}

/// A stack, as it was and as it is decided so far.
struct Decided {
    stack_id: StackId,
    before: Stack,
    last: Option<Revision>,
    now: Stack,
    events: Vec<StackEvent>,
}

impl Decided {
    fn decide(&mut self, command: &StackCommand) -> Result<(), StackError> {
        for event in self.now.decide(command)? {
            self.now.evolve(&event);
            self.events.push(event);
        }
        Ok(())
    }
}

impl Attempt<'_> {
    /// Makes stacks, and puts files to those that the batch made before. An asset that is in a stack already stays
    /// there. Says what is to be said to the assets of this request; to others it is said here.
    pub(super) async fn stacks(
        &mut self,
        wish: &[NewBatchStack],
        fresh: &[&NewEntry],
        known: &Loaded,
    ) -> Result<Places, Error> {
        let mut places = Places::default();
        // Without a new file the batch's stream says nothing of this request, and nobody could take it back.
        if wish.is_empty() || fresh.is_empty() {
            return Ok(places);
        }
        let mut said_to: BTreeSet<AssetId> = BTreeSet::new();
        for entry in fresh {
            said_to.insert(self.done(entry)?.asset_id);
        }
        let stacks = self.stacks_of(wish).await?;
        let mut others = self.others(wish, &stacks, &said_to).await?;
        let mut taken: BTreeSet<AssetId> = BTreeSet::new();
        for (stack, wish) in stacks.into_iter().zip(wish) {
            let mut members = Vec::new();
            for sha1 in wish.primary_sha1.iter().chain(&wish.sha1s) {
                let Some(asset_id) = self.asset_of(sha1).filter(|_| !self.films.contains(sha1))
                else {
                    continue;
                };
                let there = known.get(&asset_id).or_else(|| others.get(&asset_id));
                let is_alone = match there {
                    Some((asset, _)) => asset.stack().is_none(),
                    None => self.is_made_now(sha1, &said_to),
                };
                if is_alone && taken.insert(asset_id) {
                    members.push(asset_id);
                }
            }
            self.stack(stack, wish, members, &mut places)?;
        }
        for (asset_id, wish) in &places.0 {
            if said_to.contains(asset_id) {
                continue;
            }
            // Who is in a stack and cannot be read, such as in the trash, is told nothing.
            let Some((asset, last)) = others.remove(asset_id) else { continue };
            let said = [AssetCommand::Organize { by: None, wish: wish.clone() }];
            let (stream_id, subject) = (asset_stream(*asset_id), Some(subject(*asset_id)));
            let told = self.unit.decide(&asset, last, stream_id, subject, &said);
            told.map_err(|error| error.map_refusal(|_| BatchError::Asset))?;
        }
        Ok(places)
    }

    /// Lets one stack decide, with the assets that are in none.
    fn stack(
        &mut self,
        mut stack: Decided,
        wish: &NewBatchStack,
        members: Vec<AssetId>,
        places: &mut Places,
    ) -> Result<(), Error> {
        let by = self.by;
        let primary = wish.primary_sha1.as_deref().and_then(|sha1| self.asset_of(sha1));
        let primary = primary.filter(|asset_id| members.contains(asset_id));
        let decided = match stack.last {
            None if members.len() < FILES_MIN => return Ok(()),
            None => {
                let created = StackCreated { owner_id: by, asset_ids: members };
                stack.decide(&StackCommand::Create(created))
            }
            // Whoever dissolved it had a reason.
            Some(_) if stack.now.asset_ids().is_empty() || members.is_empty() => return Ok(()),
            Some(_) => {
                let added = stack.decide(&StackCommand::Add { by, asset_ids: members });
                added.and_then(|()| match primary {
                    Some(asset_id) => stack.decide(&StackCommand::ChangePrimary { by, asset_id }),
                    None => Ok(()),
                })
            }
        };
        decided.map_err(|_| CommandError::Refused(BatchError::Stack))?;
        let Decided { stack_id, before, last, now, events } = stack;
        for asset_id in now.asset_ids().iter().copied() {
            let is_primary = now.is_primary(asset_id);
            let is_as_before =
                before.asset_ids().contains(&asset_id) && before.is_primary(asset_id) == is_primary;
            if !is_as_before {
                places.0.insert(asset_id, Organize::Stack { stack_id, is_primary });
            }
        }
        Ok(self.unit.record(last, stream(stack_id), None, &events)?)
    }

    async fn stacks_of(&self, wish: &[NewBatchStack]) -> Result<Vec<Decided>, Error> {
        let stack_ids: Vec<StackId> = wish.iter().map(|it| self.stack_id(&it.key)).collect();
        let streams: Vec<StreamId> = stack_ids.iter().copied().map(stream).collect();
        let loaded = self.commands.load_each::<Stack>(&streams).await;
        let loaded = loaded.map_err(|error| error.map_refusal(|_| BatchError::Stack))?;
        let decided = |(stack_id, (stack, last)): (StackId, (Stack, Option<Revision>))| Decided {
            stack_id,
            before: stack.clone(),
            last,
            now: stack,
            events: Vec::new(),
        };
        Ok(stack_ids.into_iter().zip(loaded).map(decided).collect())
    }

    /// What of the stacks this request does not take in.
    async fn others(
        &self,
        wish: &[NewBatchStack],
        stacks: &[Decided],
        said_to: &BTreeSet<AssetId>,
    ) -> Result<Loaded, Error> {
        let named = wish.iter().flat_map(|it| it.primary_sha1.iter().chain(&it.sha1s));
        let mut others: BTreeSet<AssetId> = named.filter_map(|sha1| self.asset_of(sha1)).collect();
        others.extend(stacks.iter().flat_map(|stack| stack.now.asset_ids()));
        self.load_usable(others.difference(said_to).copied().collect()).await
    }

    /// The asset that a file is, in this request or an earlier one.
    fn asset_of(&self, sha1: &str) -> Option<AssetId> {
        let done = self.committed.entries.get(sha1).copied();
        done.or_else(|| self.batch.done(sha1)).map(|done| done.asset_id)
    }

    fn is_made_now(&self, sha1: &str, said_to: &BTreeSet<AssetId>) -> bool {
        let is_new = |done: &Done| done.is_new && said_to.contains(&done.asset_id);
        self.committed.entries.get(sha1).is_some_and(is_new)
    }

    /// Keyed: clients may make what they call a stack of file names, which the log must not tell.
    fn stack_id(&self, key: &str) -> StackId {
        let key = self.commands.keyring.hmac("batch-stack", key);
        let mixed = Uuid::new_v5(&self.batch_id.uuid(), format!("stack/{key}").as_bytes());
        StackId::new(as_v4(mixed))
    }
}
