//! The files of an archive: originals under their names, or for links that hide metadata what is left of
//! them without it, under their ids.

use std::collections::HashMap;
use std::io::{self, Read};

use calotype_domain::AssetId;
use calotype_media::blob::BlobStore;
use calotype_projections::assets::AssetRow;
use chrono::{DateTime, Datelike as _, Timelike as _, Utc};
use uuid::Uuid;

use crate::assets::linked::bare_name;
use crate::assets::written_as;
use crate::caller::Caller;
use crate::files::{Bare, open_bare, open_file};
use crate::problem::Problem;
use crate::state::Api;

/// One file to be.
pub(super) struct Entry {
    asset_id: Uuid,
    name: String,
    key: String,
    preview_key: Option<String>,
    modified: DateTime<Utc>,
    is_bare: bool,
}

/// The entries of some assets, in the order of their ids.
pub(super) async fn entries(
    _api: &Api,
    caller: &Caller,
    asset_ids: &[AssetId],
    assets: Vec<AssetRow>,
) -> Result<Vec<Entry>, Problem> {
    let is_bare = !caller.shows_metadata();
    let rows: HashMap<Uuid, AssetRow> = assets.into_iter().map(|row| (row.asset_id, row)).collect();
    Ok(asset_ids
        .iter()
        .filter_map(|asset_id| rows.get(&asset_id.uuid()))
        .map(|row| Entry {
            asset_id: row.asset_id,
            name: row.file_name.clone(),
            key: row.original_key.clone(),
            preview_key: row.preview_key.clone(),
            modified: row.file_modified_at,
            is_bare,
        })
        .collect())
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
    pub(super) async fn open(&self, blobs: &BlobStore) -> io::Result<Option<Opened>> {
        if !self.is_bare {
            let name =
                if self.name.is_empty() { self.asset_id.to_string() } else { self.name.clone() };
            let Some(file) = open_file(blobs, &self.key).await? else { return Ok(None) };
            let length = file.metadata()?.len();
            return Ok(Some(Opened { name, length, reader: Box::new(file) }));
        }
        let opened = match open_bare(blobs, &self.key).await? {
            Some(bare) => Some((bare, bare_name(self.asset_id, &self.name))),
            None => match &self.preview_key {
                Some(key) => open_bare(blobs, key)
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
