//! Takes in files of a batch: everything one request speaks of is one transaction.

use std::collections::{BTreeMap, HashMap, HashSet};

use calotype_domain::album::AlbumText;
use calotype_domain::asset::{Asset, AssetCommand, AssetUploaded, Details, Organize, Visibility};
use calotype_domain::batch::{Batch, BatchCommand, BatchCommitted, BatchEntry, BatchError, Done};
use calotype_domain::faces::{Area, PictureSize};
use calotype_domain::reservation::{Reservation, ReservationCommand, ReservationError};
use calotype_domain::{AlbumId, AssetId, BatchId, PersonId, TagId, UserId};
use calotype_eventstore::{Revision, StreamId};
use uuid::Uuid;

use super::stacked::Places;
use super::stream;
use crate::albums::stream as album_stream;
use crate::assets::{in_a_row, stream as asset_stream, subject as asset_subject};
use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome, Unit};
use crate::error::CommandError;
use crate::people::stream as person_stream;
use crate::tags::KnownTags;

pub(super) type Error = CommandError<BatchError>;

/// An album that is to be made for the files of a batch, unless the batch has made it before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBatchAlbum {
    /// What the client calls it in this batch.
    pub key: String,
    /// Its name and description.
    pub text: AlbumText,
}

/// Which album a file goes into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlbumOf {
    /// One that was there before the batch.
    Library(AlbumId),
    /// One that the batch makes, by its key.
    Batch(String),
}

/// A file, and what is said of it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEntry {
    /// Whether it is stored durably under the key of an original. One that is not can only be found to be there
    /// already; where it turns out to be new, it is left out.
    pub is_stored: bool,
    /// The id it gets where it is new: see [`asset_id_in`](super::asset_id_in).
    pub asset_id: AssetId,
    /// The file.
    pub uploaded: AssetUploaded,
    /// What is said over what the file says about itself.
    pub details: Details,
    /// The film of the same request that belongs to it, by the film's SHA-1.
    pub film_sha1: Option<String>,
    /// The albums it goes into.
    pub albums: Vec<AlbumOf>,
    /// The paths of the tags it carries.
    pub tags: Vec<String>,
    /// Who is on it.
    pub people: Vec<PersonOn>,
}

/// Somebody on a photo.
#[derive(Clone, Debug, PartialEq)]
pub struct PersonOn {
    /// What they are called.
    pub name: String,
    /// Where their face is, and in a picture of which size; without one they are on the photo without a place.
    pub face: Option<(Area, PictureSize)>,
}

/// Files that show as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBatchStack {
    /// What the client calls it in this batch: the same key is the same stack.
    pub key: String,
    /// Its files by SHA-1, in order; those that the batch does not have are left out.
    pub sha1s: Vec<String>,
    /// The one that stands for it; otherwise the first.
    pub primary_sha1: Option<String>,
}

/// What one request takes in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchCommit {
    /// Albums that are made.
    pub albums: Vec<NewBatchAlbum>,
    /// Files, each once.
    pub entries: Vec<NewEntry>,
    /// Stacks that are made, or that files come to.
    pub stacks: Vec<NewBatchStack>,
    /// People whom files name and who are known, by name in small letters. Others are made.
    pub known_people: HashMap<String, PersonId>,
}

/// What became of the files of a request, by SHA-1, and of its albums, by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// The files.
    pub entries: HashMap<String, Done>,
    /// The albums.
    pub albums: BTreeMap<String, AlbumId>,
}

/// Assets as they were, with their last revisions.
pub(super) type Loaded = HashMap<AssetId, (Asset, Option<Revision>)>;

/// One attempt.
pub(super) struct Attempt<'a> {
    pub(super) commands: &'a Commands,
    pub(super) ctx: &'a CommandContext,
    pub(super) unit: Unit<'a>,
    pub(super) by: UserId,
    pub(super) batch_id: BatchId,
    pub(super) batch: Batch,
    last: Option<Revision>,
    pub(super) committed: Committed,
    pub(super) written: BatchCommitted,
    /// Films of new stills, by SHA-1: they show with their still only.
    pub(super) films: HashSet<String>,
}

/// An id as clients expect them.
pub(super) fn as_v4(key: Uuid) -> Uuid {
    uuid::Builder::from_random_bytes(key.into_bytes()).into_uuid()
}

impl Commands {
    /// Takes in files that are stored durably, with the albums and tags they go into. What the batch has already is
    /// answered as it was then. Files whose bytes their owner has are not made again, but go into the albums and
    /// carry the tags, unless they are in the trash or behind the PIN.
    ///
    /// # Errors
    /// See [`BatchError`] and [`CommandError`]; nothing was written then.
    pub async fn commit_batch(
        &self,
        ctx: &CommandContext,
        by: UserId,
        batch_id: BatchId,
        wish: &BatchCommit,
    ) -> Result<(Committed, Outcome), Error> {
        let mut turns = vec![stream(batch_id), StreamId::new("tags", by)];
        turns.extend(wish.entries.iter().flat_map(|entry| &entry.albums).filter_map(|album| {
            match album {
                AlbumOf::Library(album_id) => Some(album_stream(*album_id)),
                AlbumOf::Batch(_) => None,
            }
        }));
        // All turns at once: whoever waits for one while holding another may wait for themselves.
        let names_people = wish.entries.iter().any(|entry| !entry.people.is_empty());
        let mut everywhere = None;
        let mut here = Vec::new();
        if names_people {
            turns.push(StreamId::new("people", by));
            turns.extend(wish.known_people.values().copied().map(person_stream));
            everywhere = Some(self.turns.take_everywhere(&turns).await?);
        } else {
            here = self.turns.take(&turns).await;
        }
        let _held = (everywhere, here);
        for _ in 0..=ATTEMPTS_MAX {
            let (batch, last) = self.load::<Batch>(&stream(batch_id)).await?;
            batch.require_open(by).map_err(CommandError::Refused)?;
            let mut attempt = Attempt {
                commands: self,
                ctx,
                unit: self.unit(ctx),
                by,
                batch_id,
                batch,
                last,
                committed: Committed::default(),
                written: BatchCommitted::default(),
                films: HashSet::new(),
            };
            attempt.decide(wish).await?;
            let Attempt { unit, committed, .. } = attempt;
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok((committed, outcome));
            }
        }
        Err(CommandError::Contended)
    }
}

impl Attempt<'_> {
    async fn decide(&mut self, wish: &BatchCommit) -> Result<(), Error> {
        let mut fresh = Vec::with_capacity(wish.entries.len());
        for entry in &wish.entries {
            let sha1 = &entry.uploaded.original.sha1;
            match self.batch.done(sha1) {
                Some(done) => drop(self.committed.entries.insert(sha1.clone(), done)),
                None => fresh.push(entry),
            }
        }
        let fresh = self.reserve(fresh).await?;
        for entry in &fresh {
            if self.done(entry)?.is_new {
                self.films.extend(entry.film_sha1.clone());
            }
        }
        let tags = self.tags(&fresh).await?;
        let known = self.known_assets(&fresh).await?;
        let places = self.stacks(&wish.stacks, &fresh, &known).await?;
        for entry in &fresh {
            self.entry(entry, &tags, &known, &places)?;
        }
        self.people(&wish.known_people, &fresh).await?;
        self.albums(&wish.albums, &fresh, &known).await?;
        let commit = BatchCommand::Commit {
            by: self.by,
            committed: Box::new(std::mem::take(&mut self.written)),
        };
        self.unit.decide(&self.batch, self.last, stream(self.batch_id), None, &[commit])
    }

    /// Finds out whose the bytes are: each is the new asset's, or that of the one that has them.
    /// Says which files are left: one that is not stored and that nobody has cannot be taken in.
    async fn reserve<'e>(&mut self, fresh: Vec<&'e NewEntry>) -> Result<Vec<&'e NewEntry>, Error> {
        let streams: Vec<StreamId> = fresh
            .iter()
            .map(|entry| self.commands.checksum_stream(self.by, &entry.uploaded.original.sha1))
            .collect();
        let refused =
            |error: CommandError<ReservationError>| error.map_refusal(|_| BatchError::BadEntries);
        let loaded = self.commands.load_each::<Reservation>(&streams).await.map_err(refused)?;
        let mut left = Vec::with_capacity(fresh.len());
        for ((entry, stream_id), (reservation, last)) in fresh.into_iter().zip(streams).zip(loaded)
        {
            if reservation.holder_id().is_none() && !entry.is_stored {
                continue;
            }
            left.push(entry);
            let holder_id = entry.asset_id.uuid();
            let reserve = [ReservationCommand::Reserve { holder_id }];
            let done = match self.unit.decide(&reservation, last, stream_id, None, &reserve) {
                Ok(()) => Done { asset_id: entry.asset_id, is_new: true },
                Err(CommandError::Refused(ReservationError::Taken { holder_id })) => {
                    Done { asset_id: AssetId::new(holder_id), is_new: false }
                }
                Err(error) => return Err(refused(error)),
            };
            self.committed.entries.insert(entry.uploaded.original.sha1.clone(), done);
        }
        Ok(left)
    }

    pub(super) fn done(&self, entry: &NewEntry) -> Result<Done, Error> {
        let done = self.committed.entries.get(&entry.uploaded.original.sha1).copied();
        done.ok_or(CommandError::Refused(BatchError::BadEntries))
    }

    /// The tags of all paths; made where they are not there.
    async fn tags(&mut self, fresh: &[&NewEntry]) -> Result<HashMap<String, TagId>, Error> {
        let (mut known, mut by_path) = (KnownTags::default(), HashMap::new());
        for path in fresh.iter().flat_map(|entry| &entry.tags) {
            if by_path.contains_key(path) {
                continue;
            }
            let found = self.commands.upsert_path(&mut self.unit, &mut known, self.by, path).await;
            let found = found.map_err(|error| error.map_refusal(|_| BatchError::Tag))?;
            if let Some(tag_id) = found {
                by_path.insert(path.clone(), tag_id);
            }
        }
        self.written.tag_ids = known.made;
        Ok(by_path)
    }

    /// The assets that had these bytes before, as far as they go into albums and carry tags.
    async fn known_assets(&self, fresh: &[&NewEntry]) -> Result<Loaded, Error> {
        let mut asset_ids = Vec::new();
        for entry in fresh {
            let done = self.done(entry)?;
            if !done.is_new {
                asset_ids.push(done.asset_id);
            }
        }
        self.load_usable(asset_ids).await
    }

    /// Assets as far as they are this person's, and neither in the trash nor behind the PIN.
    pub(super) async fn load_usable(&self, asset_ids: Vec<AssetId>) -> Result<Loaded, Error> {
        let streams: Vec<StreamId> = asset_ids.iter().copied().map(asset_stream).collect();
        let loaded = self.commands.load_each::<Asset>(&streams).await;
        let loaded = loaded.map_err(|error| error.map_refusal(|_| BatchError::Asset))?;
        let takes_part = |(_, (asset, _)): &(AssetId, (Asset, Option<Revision>))| {
            asset.owner_id() == Some(self.by)
                && !asset.is_trashed()
                && asset.visibility() != Visibility::Locked
        };
        Ok(asset_ids.into_iter().zip(loaded).filter(takes_part).collect())
    }

    fn entry(
        &mut self,
        entry: &NewEntry,
        tags: &HashMap<String, TagId>,
        known: &Loaded,
        places: &Places,
    ) -> Result<(), Error> {
        let done = self.done(entry)?;
        let mut tag_ids: Vec<TagId> =
            entry.tags.iter().filter_map(|path| tags.get(path)).copied().collect();
        tag_ids.sort_unstable();
        tag_ids.dedup();
        let refused = |error: CommandError<_>| error.map_refusal(|_| BatchError::Asset);
        let (stream_id, subject) = (asset_stream(done.asset_id), asset_subject(done.asset_id));
        if done.is_new {
            let mut commands = self.commands_of(entry, &tag_ids)?;
            commands.extend(places.of(done.asset_id));
            let events = in_a_row(Asset::default(), &commands)
                .map_err(|_| CommandError::Refused(BatchError::Asset))?;
            self.unit.record(None, stream_id, Some(subject), &events)?;
        } else if let Some((asset, last)) = known.get(&done.asset_id) {
            tag_ids.retain(|tag_id| !asset.tags().contains(tag_id));
            let mut commands = self.tagging(&tag_ids);
            commands.extend(places.of(done.asset_id));
            self.unit.decide(asset, *last, stream_id, Some(subject), &commands).map_err(refused)?;
        } else {
            tag_ids.clear();
        }
        self.written.entries.push(BatchEntry {
            sha1: entry.uploaded.original.sha1.clone(),
            asset_id: done.asset_id,
            is_new: done.is_new,
            size_bytes: entry.is_stored.then_some(entry.uploaded.original.size_bytes),
            album_ids: Vec::new(),
            tag_ids,
        });
        Ok(())
    }

    /// What is said to a new asset.
    fn commands_of(&self, entry: &NewEntry, tag_ids: &[TagId]) -> Result<Vec<AssetCommand>, Error> {
        let mut uploaded = entry.uploaded.clone();
        if self.films.contains(&uploaded.original.sha1) {
            uploaded.visibility = Visibility::Hidden;
        }
        if let Some(film_sha1) = &entry.film_sha1 {
            let film = self.committed.entries.get(film_sha1).copied();
            // One of an earlier request belongs to another still.
            let earlier = || self.batch.done(film_sha1).map(|it| Done { is_new: false, ..it });
            let film =
                film.or_else(earlier).ok_or(CommandError::Refused(BatchError::BadEntries))?;
            // A film that was there before is somebody's choice already.
            uploaded.live_photo_video_id = film.is_new.then_some(film.asset_id);
        }
        let mut commands = vec![AssetCommand::Upload(Box::new(uploaded))];
        if entry.details != Details::default() {
            let details = Box::new(entry.details.clone());
            commands.push(AssetCommand::ChangeDetails { by: self.by, details });
        }
        commands.extend(self.tagging(tag_ids));
        Ok(commands)
    }

    fn tagging(&self, tag_ids: &[TagId]) -> Vec<AssetCommand> {
        let by = Some(self.by);
        let tag = |tag_id: &TagId| AssetCommand::Organize { by, wish: Organize::Tag(*tag_id) };
        tag_ids.iter().map(tag).collect()
    }
}
