//! Takes in files of a batch: everything one request speaks of is one transaction.

use std::collections::{BTreeMap, HashMap, HashSet};

use calotype_domain::album::{Album, AlbumCommand, AlbumCreated, AlbumOrder, AlbumText, NewAlbum};
use calotype_domain::asset::{Asset, AssetCommand, AssetUploaded, Details, Organize, Visibility};
use calotype_domain::batch::{
    Batch, BatchAlbum, BatchCommand, BatchCommitted, BatchEntry, BatchError, Done,
};
use calotype_domain::reservation::{Reservation, ReservationCommand, ReservationError};
use calotype_domain::{AlbumId, AssetId, BatchId, TagId, UserId};
use calotype_eventstore::{Revision, StreamId};
use uuid::Uuid;

use super::{album_key, stream};
use crate::albums::{stream as album_stream, subject as album_subject};
use crate::assets::{in_a_row, stream as asset_stream, subject as asset_subject};
use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome, Unit};
use crate::error::CommandError;
use crate::tags::KnownTags;

type Error = CommandError<BatchError>;

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
}

/// What one request takes in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchCommit {
    /// Albums that are made.
    pub albums: Vec<NewBatchAlbum>,
    /// Files, each once.
    pub entries: Vec<NewEntry>,
}

/// What became of the files of a request, by SHA-1, and of its albums, by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// The files.
    pub entries: HashMap<String, Done>,
    /// The albums.
    pub albums: BTreeMap<String, AlbumId>,
}

/// One attempt.
struct Attempt<'a> {
    commands: &'a Commands,
    unit: Unit<'a>,
    by: UserId,
    batch_id: BatchId,
    batch: Batch,
    last: Option<Revision>,
    committed: Committed,
    written: BatchCommitted,
    /// Films of new stills, by SHA-1: they show with their still only.
    films: HashSet<String>,
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
        let _turn = self.turns.take(&turns).await;
        for _ in 0..=ATTEMPTS_MAX {
            let (batch, last) = self.load::<Batch>(&stream(batch_id)).await?;
            batch.require_open(by).map_err(CommandError::Refused)?;
            let mut attempt = Attempt {
                commands: self,
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
        for entry in &fresh {
            self.entry(entry, &tags, &known)?;
        }
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

    fn done(&self, entry: &NewEntry) -> Result<Done, Error> {
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
    async fn known_assets(
        &self,
        fresh: &[&NewEntry],
    ) -> Result<HashMap<AssetId, (Asset, Option<Revision>)>, Error> {
        let mut asset_ids = Vec::new();
        for entry in fresh {
            let done = self.done(entry)?;
            if !done.is_new {
                asset_ids.push(done.asset_id);
            }
        }
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
        known: &HashMap<AssetId, (Asset, Option<Revision>)>,
    ) -> Result<(), Error> {
        let done = self.done(entry)?;
        let mut tag_ids: Vec<TagId> =
            entry.tags.iter().filter_map(|path| tags.get(path)).copied().collect();
        tag_ids.sort_unstable();
        tag_ids.dedup();
        let refused = |error: CommandError<_>| error.map_refusal(|_| BatchError::Asset);
        let (stream_id, subject) = (asset_stream(done.asset_id), asset_subject(done.asset_id));
        if done.is_new {
            let commands = self.commands_of(entry, &tag_ids)?;
            let events = in_a_row(Asset::default(), &commands)
                .map_err(|_| CommandError::Refused(BatchError::Asset))?;
            self.unit.record(None, stream_id, Some(subject), &events)?;
        } else if let Some((asset, last)) = known.get(&done.asset_id) {
            tag_ids.retain(|tag_id| !asset.tags().contains(tag_id));
            let commands = self.tagging(&tag_ids);
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

    /// Makes the albums that are new, and puts the files in.
    async fn albums(
        &mut self,
        new: &[NewBatchAlbum],
        fresh: &[&NewEntry],
        known: &HashMap<AssetId, (Asset, Option<Revision>)>,
    ) -> Result<(), Error> {
        let (mut into, made) = self.new_albums(new);
        for (place, entry) in fresh.iter().enumerate() {
            let done = self.done(entry)?;
            if !done.is_new && !known.contains_key(&done.asset_id) {
                continue;
            }
            for album in &entry.albums {
                let album_id = match album {
                    AlbumOf::Library(album_id) => *album_id,
                    AlbumOf::Batch(key) => self.album_of(key)?,
                };
                let places: &mut Vec<usize> = into.entry(album_id).or_default();
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
        }
        for (album_id, places) in into {
            let asset_ids = places.iter().filter_map(|place| self.written.entries.get(*place));
            let asset_ids: Vec<AssetId> = asset_ids.map(|entry| entry.asset_id).collect();
            let before = match made.get(&album_id) {
                Some(text) => self.make(album_id, text, asset_ids)?,
                None => self.add(album_id, asset_ids).await?,
            };
            for place in places {
                if let Some(entry) = self.written.entries.get_mut(place)
                    && !before.contains(entry.asset_id)
                {
                    entry.album_ids.push(album_id);
                }
            }
        }
        Ok(())
    }

    /// The albums that this request makes, empty, by the ids they get.
    fn new_albums(
        &mut self,
        new: &[NewBatchAlbum],
    ) -> (BTreeMap<AlbumId, Vec<usize>>, HashMap<AlbumId, AlbumText>) {
        let (mut into, mut made) = (BTreeMap::new(), HashMap::new());
        for album in new {
            let key = self.key_of(&album.key);
            if let Some(album_id) = self.batch.album(key) {
                self.committed.albums.insert(album.key.clone(), album_id);
                continue;
            }
            let as_v4 = |key: Uuid| uuid::Builder::from_random_bytes(key.into_bytes()).into_uuid();
            let album_id = AlbumId::new(as_v4(key));
            if self.committed.albums.insert(album.key.clone(), album_id).is_none() {
                self.written.albums.push(BatchAlbum { key, album_id });
                into.insert(album_id, Vec::new());
                made.insert(album_id, album.text.clone());
            }
        }
        (into, made)
    }

    /// Keyed: clients make what they call an album of its name, which the log must not tell.
    fn key_of(&self, key: &str) -> Uuid {
        album_key(self.batch_id, &self.commands.keyring.hmac("batch-album", key))
    }

    fn album_of(&self, key: &str) -> Result<AlbumId, Error> {
        let made = self.committed.albums.get(key).copied();
        let made = made.or_else(|| self.batch.album(self.key_of(key)));
        made.ok_or(CommandError::Refused(BatchError::Album))
    }

    fn make(
        &mut self,
        album_id: AlbumId,
        text: &AlbumText,
        asset_ids: Vec<AssetId>,
    ) -> Result<Album, Error> {
        let order = AlbumOrder::default();
        let created = AlbumCreated { owner_id: self.by, text: text.clone().into(), order };
        let create =
            AlbumCommand::Create(Box::new(NewAlbum { created, users: Vec::new(), asset_ids }));
        let (nothing, subject) = (Album::default(), Some(album_subject(album_id)));
        let made = self.unit.decide(&nothing, None, album_stream(album_id), subject, &[create]);
        made.map_err(|error| error.map_refusal(|_| BatchError::Album))?;
        Ok(nothing)
    }

    async fn add(&mut self, album_id: AlbumId, asset_ids: Vec<AssetId>) -> Result<Album, Error> {
        let add = AlbumCommand::AddAssets { by: Some(self.by), asset_ids };
        let subject = Some(album_subject(album_id));
        let added = self.unit.apply::<Album>(album_stream(album_id), subject, &add).await;
        added.map_err(|error| error.map_refusal(|_| BatchError::Album))
    }
}
