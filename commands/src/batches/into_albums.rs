//! The albums of a commit: those that it makes, and what goes into them.

use std::collections::{BTreeMap, HashMap};

use calotype_domain::album::{Album, AlbumCommand, AlbumCreated, AlbumOrder, AlbumText, NewAlbum};
use calotype_domain::asset::Asset;
use calotype_domain::batch::{BatchAlbum, BatchError};
use calotype_domain::{AlbumId, AssetId};
use calotype_eventstore::Revision;
use uuid::Uuid;

use super::album_key;
use super::commit::{AlbumOf, Attempt, Error, NewBatchAlbum, NewEntry, as_v4};
use crate::albums::{stream as album_stream, subject as album_subject};
use crate::error::CommandError;

impl Attempt<'_> {
    /// Makes the albums that are new, and puts the files in.
    pub(super) async fn albums(
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
