//! The files of an archive: originals under their names, or for links that hide metadata what is left of
//! them without it, under their ids.

use std::collections::HashMap;
use std::io::{self, Read, Seek as _};

use calotype_domain::AssetId;
use calotype_domain::asset::{Stage, TEMPLATED_ROOT};
use calotype_media::blob::{BlobFile, BlobKey, BlobStore, is_whole};
use calotype_media::decoder::DecoderPool;
use calotype_projections::assets::{AssetRow, EditedPictures};
use chrono::{DateTime, Datelike as _, Timelike as _, Utc};
use uuid::Uuid;

use crate::assets::again::make_again;
use crate::assets::linked::bare_name;
use crate::assets::{edited_name, written_as};
use crate::caller::Caller;
use crate::files::{Bare, open_bare, open_file};
use crate::problem::Problem;
use crate::state::Api;

/// One file to be.
pub(super) struct Entry {
    asset_id: Uuid,
    owner_id: Uuid,
    name: String,
    key: String,
    preview_key: Option<String>,
    modified: DateTime<Utc>,
    is_bare: bool,
    /// Key and name of the edited photo, where that is wanted.
    edited: Option<(String, String)>,
}

/// The entries of some assets, in the order of their ids.
pub(super) fn entries(
    caller: &Caller,
    asset_ids: &[AssetId],
    assets: Vec<AssetRow>,
    edited: bool,
) -> Vec<Entry> {
    let is_bare = !caller.shows_metadata();
    let rows: HashMap<Uuid, AssetRow> = assets.into_iter().map(|row| (row.asset_id, row)).collect();
    asset_ids
        .iter()
        .filter_map(|asset_id| rows.get(&asset_id.uuid()))
        .map(|row| Entry {
            asset_id: row.asset_id,
            owner_id: row.owner_id,
            name: row.file_name.clone(),
            key: row.original_key.clone(),
            preview_key: row.preview_key.clone(),
            modified: row.file_modified_at,
            is_bare,
            edited: row
                .edited_pictures()
                .filter(|_| edited || caller.link().is_some())
                .map(|made| edited_entry(row, made, is_bare)),
        })
        .collect()
}

/// Whether all edited photos are there that an archive holds; those that are not are made again.
///
/// # Errors
/// 404 where one is missing: nobody is to take an archive without it for whole.
pub(super) async fn require_edited(api: &Api, entries: &[Entry]) -> Result<(), Problem> {
    let mut is_missing = false;
    for entry in entries {
        let Some((key, _)) = &entry.edited else { continue };
        let opened = open_made(&api.blobs, key).await.map_err(|error| Problem::internal(&error))?;
        if opened.is_none() {
            is_missing = true;
            entry.make_again(api).await;
        }
    }
    if is_missing {
        return Err(Problem::not_found("An edited photo is missing and is made again"));
    }
    Ok(())
}

/// Opens a picture that was made; `None` when it is not there, or only a piece of it.
async fn open_made(blobs: &BlobStore, key: &str) -> io::Result<Option<BlobFile>> {
    let Some(mut file) = open_file(blobs, key).await? else { return Ok(None) };
    let key = BlobKey::parse(key).map_err(io::Error::other)?;
    let looked = tokio::task::spawn_blocking(move || {
        let whole = is_whole(&key, &mut file)?;
        file.rewind()?;
        Ok(whole.then_some(file))
    });
    looked.await.map_err(io::Error::other)?
}

/// Key and name of the edited photo.
fn edited_entry(row: &AssetRow, made: &EditedPictures, is_bare: bool) -> (String, String) {
    let key = made.full_size_key.clone();
    let file_name = (!is_bare).then_some(row.file_name.as_str());
    let name = edited_name(row.asset_id, file_name, written_as(&key).0);
    (key, name)
}

impl Entry {
    /// The time that the archive names; none of a file that says nothing of itself.
    pub(super) fn modified(&self) -> zip::DateTime {
        if self.is_bare {
            return zip::DateTime::default();
        }
        let part = |value: u32| u8::try_from(value).unwrap_or_default();
        let at = self.modified;
        let year = u16::try_from(at.year()).unwrap_or_default();
        let (month, day) = (part(at.month()), part(at.day()));
        let (hour, minute, second) = (part(at.hour()), part(at.minute()), part(at.second()));
        zip::DateTime::from_date_and_time(year, month, day, hour, minute, second)
            .unwrap_or_default()
    }

    /// Opens the file; `None` when it is not there.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) async fn open(&mut self, api: &Api) -> io::Result<Option<Opened>> {
        if self.key.starts_with(TEMPLATED_ROOT) {
            // While the files before it were sent it may have been moved, and another may lie there.
            self.look_up(api).await?;
        }
        if let Some(opened) = self.open_here(&api.blobs, &api.decoders).await? {
            return Ok(Some(opened));
        }
        if self.look_up(api).await? {
            return self.open_here(&api.blobs, &api.decoders).await;
        }
        if self.edited.is_some() {
            self.make_again(api).await;
        }
        Ok(None)
    }

    /// Has the edited photo made again.
    async fn make_again(&self, api: &Api) {
        make_again(api, self.asset_id, Stage::Edits, &self.key).await;
    }

    /// Asks where it lies now; says whether that is elsewhere.
    async fn look_up(&mut self, api: &Api) -> io::Result<bool> {
        let row = api.queries.asset(self.asset_id).await.map_err(io::Error::other)?;
        let Some(row) = row.filter(|row| row.original_key != self.key) else { return Ok(false) };
        self.key = row.original_key;
        Ok(true)
    }

    async fn open_here(
        &self,
        blobs: &BlobStore,
        decoders: &DecoderPool,
    ) -> io::Result<Option<Opened>> {
        if let Some((key, name)) = &self.edited {
            // It says nothing about itself.
            let Some(file) = open_made(blobs, key).await? else { return Ok(None) };
            let length = file.metadata()?.len();
            let name = name.clone();
            return Ok(Some(Opened { name, length, reader: Box::new(file) }));
        }
        if !self.is_bare {
            let name =
                if self.name.is_empty() { self.asset_id.to_string() } else { self.name.clone() };
            if blobs.is_remote()
                && let Ok(key) = BlobKey::parse(&self.key)
            {
                let found = blobs.open_remote(&key).await.map_err(io::Error::other)?;
                return Ok(found.map(|found| Opened {
                    name,
                    length: found.size_bytes,
                    reader: found.reader(),
                }));
            }
            let Some(file) = open_file(blobs, &self.key).await? else { return Ok(None) };
            let length = file.metadata()?.len();
            return Ok(Some(Opened { name, length, reader: Box::new(file) }));
        }
        let decoders = decoders.apart(self.owner_id);
        let opened = match open_bare(blobs, &decoders, &self.key).await? {
            Some(bare) => Some((bare, bare_name(self.asset_id, &self.name))),
            None => match &self.preview_key {
                Some(key) => open_bare(blobs, &decoders, key)
                    .await?
                    .map(|bare| (bare, format!("{}_preview.{}", self.asset_id, written_as(key).0))),
                None => None,
            },
        };
        Ok(opened.map(|(Bare { length, reader, .. }, name)| Opened {
            name,
            length,
            reader: Box::new(reader),
        }))
    }
}

/// A file that is being read.
pub(super) struct Opened {
    name: String,
    length: u64,
    reader: Box<dyn Read + Send>,
}

impl Opened {
    /// Its name, which others may have too.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Its length in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }
}

impl Read for Opened {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}
