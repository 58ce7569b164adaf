//! What taking back a batch means, a part at a time, from the newest on. What somebody changed since stays, unless
//! that is wished for, too.
//!
//! A part is only planned here; whoever asked does it with the commands that people have, so that everything that
//! follows from a deletion follows here, too.

use std::collections::{BTreeMap, BTreeSet};

use calotype_domain::album::Album;
use calotype_domain::asset::{Asset, AssetEvent, Visibility};
use calotype_domain::batch::{
    Batch, BatchCommand, BatchCommitted, BatchError, BatchEvent, BatchRolledBack,
};
use calotype_domain::event::{Aggregate as _, DomainEvent as _};
use calotype_domain::{AlbumId, AssetId, BatchId, StackId, TagId, UserId};
use calotype_eventstore::{Recorded, Revision, StreamId};
use uuid::Uuid;

use super::stream;
use crate::assets::stream as asset_stream;
use crate::context::CommandContext;
use crate::dispatch::{Commands, Outcome};
use crate::error::CommandError;
use crate::reading::STREAMS_MAX;

type Error = CommandError<BatchError>;

/// Files that are looked at in one part, unless one request took in more.
const PART_ENTRIES_MAX: usize = 2_000;
/// Events of a batch that are read at once.
const PAGE_EVENTS: u32 = 200;
/// What a person does with an asset that is no reason to keep it, or shows in another way.
const NO_CHANGES: [&str; 7] = [
    "AssetFailureDismissed",
    "AssetOriginalRestored",
    "AssetProcessingRequested",
    "AssetRestored",
    "AssetTrashed",
    "AssetUnstacked",
    "AssetUntagged",
];

/// How an asset gets into an album; the asset's own stream says nothing of it.
const PUT_INTO_ALBUM: &str = "AlbumAssetsAdded";

/// An asset that stays because somebody changed it since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftAlone {
    /// Which.
    pub asset_id: AssetId,
    /// The type of the last event by which somebody did.
    pub event_type: String,
}

/// What one part of taking back a batch means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RollbackPart {
    /// Assets that the batch made and that go.
    pub assets: Vec<AssetId>,
    /// Of these, those that are in the trash already.
    pub trashed: BTreeSet<AssetId>,
    /// Assets that the batch made and that stay.
    pub left_alone: Vec<LeftAlone>,
    /// What the batch put into albums and is there still.
    pub album_entries: BTreeMap<AlbumId, Vec<AssetId>>,
    /// What the batch tagged and carries the tag still.
    pub tagged: BTreeMap<TagId, Vec<AssetId>>,
    /// Stacks that the batch made and nobody changed since.
    pub stacks: BTreeSet<StackId>,
    /// Albums that the batch made and that hold nothing else; with the last part.
    pub albums: Vec<AlbumId>,
    /// Tags that the batch made; with the last part.
    pub tag_ids: Vec<TagId>,
    /// The revision of the batch's stream that the next part ends before; none behind the last part.
    pub next: Option<i64>,
}

impl RollbackPart {
    /// Leaves assets where they are, with their tags and in their albums: somebody put them into another album since.
    pub fn leave_in_albums(&mut self, elsewhere: &BTreeSet<AssetId>) {
        let (left, gone): (Vec<AssetId>, Vec<AssetId>) =
            std::mem::take(&mut self.assets).into_iter().partition(|id| elsewhere.contains(id));
        self.assets = gone;
        for asset_id in left {
            self.trashed.remove(&asset_id);
            for inside in self.album_entries.values_mut().chain(self.tagged.values_mut()) {
                inside.retain(|inside| *inside != asset_id);
            }
            let event_type = PUT_INTO_ALBUM.to_owned();
            self.left_alone.push(LeftAlone { asset_id, event_type });
        }
        self.album_entries.retain(|_, inside| !inside.is_empty());
        self.tagged.retain(|_, tagged| !tagged.is_empty());
    }
}

/// What one request took in.
struct Request {
    revision: i64,
    correlation_id: Uuid,
    committed: BatchCommitted,
}

/// An asset by its events.
struct State {
    asset: Asset,
    /// The last that a person did to it apart from the batch, by its type.
    changed: Option<String>,
    /// The stack into which the batch put it, where it is still.
    stack_id: Option<StackId>,
}

impl Commands {
    /// Says what is to be done to take back a part of a batch, from before the given revision of its stream; from
    /// its end where none is given.
    ///
    /// # Errors
    /// [`BatchError::NotFound`] where it is not theirs, and see [`CommandError`].
    pub async fn plan_rollback(
        &self,
        by: UserId,
        batch_id: BatchId,
        before: Option<i64>,
        force: bool,
    ) -> Result<RollbackPart, Error> {
        let requests = self.requests_of(by, batch_id).await?;
        let correlated: BTreeSet<Uuid> = requests.iter().map(|it| it.correlation_id).collect();
        let mut part = RollbackPart::default();
        let mut looked_at = 0;
        let mut earlier: Vec<&Request> = requests.iter().collect();
        earlier.retain(|request| before.is_none_or(|before| request.revision < before));
        while let Some(request) = earlier.pop() {
            self.plan_request(by, request, &correlated, force, &mut part).await?;
            looked_at += request.committed.entries.len();
            if looked_at >= PART_ENTRIES_MAX && !earlier.is_empty() {
                part.next = Some(request.revision);
                return Ok(part);
            }
        }
        part.albums = self.own_albums(by, &requests).await?;
        part.tag_ids = requests.iter().flat_map(|it| &it.committed.tag_ids).copied().collect();
        Ok(part)
    }

    /// Takes note of a part that was taken back.
    ///
    /// # Errors
    /// See [`BatchError`] and [`CommandError`].
    pub async fn record_rollback(
        &self,
        ctx: &CommandContext,
        by: UserId,
        batch_id: BatchId,
        rolled_back: BatchRolledBack,
    ) -> Result<Outcome, Error> {
        let command = BatchCommand::RollBack { by, rolled_back };
        self.dispatch::<Batch>(ctx, stream(batch_id), None, &command).await
    }

    /// Every file of a batch, in the order in which they were taken in.
    ///
    /// # Errors
    /// See [`BatchError`] and [`CommandError`].
    pub async fn batch_entries(
        &self,
        by: UserId,
        batch_id: BatchId,
    ) -> Result<Vec<calotype_domain::batch::BatchEntry>, Error> {
        let requests = self.requests_of(by, batch_id).await?;
        Ok(requests.into_iter().flat_map(|request| request.committed.entries).collect())
    }

    /// Those of some albums that hold nothing.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn empty_albums(&self, album_ids: &[AlbumId]) -> Result<Vec<AlbumId>, Error> {
        let albums = self.albums_now(album_ids).await?;
        let is_empty = |(_, album): &(&AlbumId, Album)| {
            album.name().is_some() && album.asset_ids().next().is_none()
        };
        let empty = album_ids.iter().zip(albums).filter(is_empty);
        Ok(empty.map(|(album_id, _)| *album_id).collect())
    }

    async fn requests_of(&self, by: UserId, batch_id: BatchId) -> Result<Vec<Request>, Error> {
        let (mut batch, mut requests, mut from) = (Batch::default(), Vec::new(), Revision::FIRST);
        loop {
            let page = self.store.read_stream(&stream(batch_id), from, PAGE_EVENTS).await?;
            let is_last = page.len() < usize::try_from(PAGE_EVENTS).unwrap_or(usize::MAX);
            for recorded in page {
                from = recorded.revision.next();
                let event = event_of(&recorded)?;
                if let BatchEvent::Opened(_) = &event {
                    batch.evolve(&event);
                }
                if let BatchEvent::Committed(committed) = event {
                    requests.push(Request {
                        revision: recorded.revision.get(),
                        correlation_id: recorded.envelope.correlation_id,
                        committed,
                    });
                }
            }
            if is_last {
                batch.require_owner(by).map_err(CommandError::Refused)?;
                return Ok(requests);
            }
        }
    }

    async fn plan_request(
        &self,
        by: UserId,
        request: &Request,
        correlated: &BTreeSet<Uuid>,
        force: bool,
        part: &mut RollbackPart,
    ) -> Result<(), Error> {
        let entries = &request.committed.entries;
        let streams: Vec<StreamId> =
            entries.iter().map(|entry| asset_stream(entry.asset_id)).collect();
        let mut entries = entries.iter();
        for some in streams.chunks(STREAMS_MAX) {
            for (events, entry) in self.read_each(some).await?.into_iter().zip(entries.by_ref()) {
                let State { asset, changed, stack_id } = state_of(&events, correlated)?;
                if asset.owner_id() != Some(by) {
                    continue;
                }
                part.stacks.extend(stack_id);
                // What is behind the PIN does not go with the rest: who locked it changed it.
                let is_locked = asset.visibility() == Visibility::Locked;
                match changed.filter(|_| entry.is_new && (!force || is_locked)) {
                    Some(event_type) => {
                        part.left_alone.push(LeftAlone { asset_id: entry.asset_id, event_type });
                        continue;
                    }
                    None if entry.is_new => {
                        part.assets.push(entry.asset_id);
                        if asset.is_trashed() {
                            part.trashed.insert(entry.asset_id);
                        }
                    }
                    None => {}
                }
                for album_id in &entry.album_ids {
                    part.album_entries.entry(*album_id).or_default().push(entry.asset_id);
                }
                for tag_id in entry.tag_ids.iter().filter(|tag_id| asset.tags().contains(tag_id)) {
                    part.tagged.entry(*tag_id).or_default().push(entry.asset_id);
                }
            }
        }
        self.keep_changed_stacks(correlated, force, part).await?;
        self.keep_what_is_inside(by, part).await
    }

    /// Leaves out what is in its album no more, and albums that this person may take nothing out of.
    async fn keep_what_is_inside(&self, by: UserId, part: &mut RollbackPart) -> Result<(), Error> {
        let album_ids: Vec<AlbumId> = part.album_entries.keys().copied().collect();
        for (album_id, album) in album_ids.iter().zip(self.albums_now(&album_ids).await?) {
            let may = album
                .role(by)
                .is_some_and(|role| role >= calotype_domain::access::AlbumRole::Editor);
            if let Some(inside) = part.album_entries.get_mut(album_id) {
                inside.retain(|asset_id| may && album.contains(*asset_id));
            }
        }
        part.album_entries.retain(|_, inside| !inside.is_empty());
        Ok(())
    }

    /// The albums that a batch made and that hold nothing but what it put in, and are nobody else's, too.
    async fn own_albums(&self, by: UserId, requests: &[Request]) -> Result<Vec<AlbumId>, Error> {
        let album_ids: Vec<AlbumId> =
            requests.iter().flat_map(|it| &it.committed.albums).map(|it| it.album_id).collect();
        let put_in: BTreeSet<(AlbumId, AssetId)> = requests
            .iter()
            .flat_map(|request| &request.committed.entries)
            .flat_map(|entry| entry.album_ids.iter().map(|album_id| (*album_id, entry.asset_id)))
            .collect();
        let albums = self.albums_now(&album_ids).await?;
        let is_own = |(album_id, album): &(AlbumId, Album)| {
            album.members().eq([by])
                && album.asset_ids().all(|asset_id| put_in.contains(&(*album_id, asset_id)))
        };
        Ok(album_ids.into_iter().zip(albums).filter(is_own).map(|(album_id, _)| album_id).collect())
    }

    async fn albums_now(&self, album_ids: &[AlbumId]) -> Result<Vec<Album>, Error> {
        let streams: Vec<StreamId> = album_ids.iter().copied().map(crate::albums::stream).collect();
        let loaded = self.load_each::<Album>(&streams).await;
        let loaded = loaded.map_err(|error| error.map_refusal(|_| BatchError::Album))?;
        Ok(loaded.into_iter().map(|(album, _)| album).collect())
    }
}

fn event_of(recorded: &Recorded) -> Result<BatchEvent, Error> {
    let (kind, payload) = (&recorded.event_type, recorded.payload.as_str());
    Ok(BatchEvent::from_raw(kind, recorded.version, payload)?)
}

fn state_of(events: &[Recorded], correlated: &BTreeSet<Uuid>) -> Result<State, Error> {
    let mut state = State { asset: Asset::default(), changed: None, stack_id: None };
    for recorded in events {
        let (kind, payload) = (&recorded.event_type, recorded.payload.as_str());
        let event = AssetEvent::from_raw(kind, recorded.version, payload)?;
        state.asset.evolve(&event);
        let envelope = &recorded.envelope;
        let is_own = correlated.contains(&envelope.correlation_id);
        if let AssetEvent::Stacked(stacked) = &event
            && is_own
        {
            state.stack_id = Some(stacked.stack_id);
        }
        let by_person = envelope.actor.user_id.is_some();
        if by_person && !is_own && !NO_CHANGES.contains(&kind.as_str()) {
            state.changed = Some(kind.clone());
        }
    }
    let current = state.asset.stack().map(|(stack_id, _)| stack_id);
    state.stack_id = state.stack_id.filter(|stack_id| current == Some(*stack_id));
    Ok(state)
}
