//! The manifest: written last, and what makes a backup count. Its name has the beginning of its digest.

use anyhow::Context as _;
use calotype_media::objects::Objects;
use chrono::{DateTime, SecondsFormat, Utc};
use futures::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Digest, Part, remark};

const FOLDER: &str = "backups";
const ENDING: &str = ".json";
const VERSION: u32 = 1;

/// One backup.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    pub(crate) version: u32,
    pub(crate) id: String,
    pub(crate) created_at: DateTime<Utc>,
    /// When keys, small tables and the list of files go.
    pub(crate) keep_until: DateTime<Utc>,
    /// The program that made it.
    pub(crate) program: String,
    pub(crate) log_id: Uuid,
    /// The log from 1 to this.
    pub(crate) position: i64,
    pub(crate) last_event_id: Option<Uuid>,
    /// The last signed head.
    pub(crate) head: Option<String>,
    /// Of the key that signs heads.
    pub(crate) public_key: Option<String>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) keys: Option<Part>,
    pub(crate) work: Option<Part>,
    pub(crate) files: Option<Part>,
    pub(crate) secrets: Option<Part>,
    pub(crate) files_total: u64,
    pub(crate) file_bytes_total: u64,
}

/// A piece of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Segment {
    pub(crate) first: i64,
    pub(crate) last: i64,
    #[serde(flatten)]
    pub(crate) part: Part,
}

impl Manifest {
    pub(super) fn begin(
        now: DateTime<Utc>,
        keep_until: DateTime<Utc>,
        log_id: Uuid,
        position: i64,
    ) -> Self {
        Self {
            version: VERSION,
            id: format!("{}-{position:012}", now.format("%Y%m%dT%H%M%S%3fZ")),
            created_at: now,
            keep_until,
            program: concat!("calotype ", env!("CARGO_PKG_VERSION")).to_owned(),
            log_id,
            position,
            last_event_id: None,
            head: None,
            public_key: None,
            segments: Vec::new(),
            keys: None,
            work: None,
            files: None,
            secrets: None,
            files_total: 0,
            file_bytes_total: 0,
        }
    }

    /// Writes it; from then on the backup counts.
    pub(super) async fn write(&self, objects: &Objects) -> anyhow::Result<()> {
        let bytes = serde_json::to_vec_pretty(self)?;
        let name = format!("{FOLDER}/{}-{}{ENDING}", self.id, Digest::of(&bytes).short());
        objects.put(&name, bytes.into()).await.context("failed to write the manifest")
    }

    /// Removes it; from then on the backup does not count.
    pub(super) async fn remove(&self, objects: &Objects) -> anyhow::Result<()> {
        let begin = format!("{FOLDER}/{}-", self.id);
        let mut listed = objects.list(FOLDER);
        while let Some(found) = listed.try_next().await? {
            if found.name.starts_with(&begin) {
                objects.remove(&found.name).await?;
            }
        }
        Ok(())
    }

    /// When it was made, for people.
    pub(crate) fn made_at(&self) -> String {
        self.created_at.to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}

/// The backups of a place, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Manifests {
    pub(crate) all: Vec<Manifest>,
    /// Names of manifests that were changed, or cannot be understood.
    pub(crate) damaged: Vec<String>,
}

impl Manifests {
    pub(crate) async fn read(objects: &Objects) -> anyhow::Result<Self> {
        let mut found = Self::default();
        let mut listed = objects.list(FOLDER);
        let mut names = Vec::new();
        while let Some(item) = listed.try_next().await? {
            names.push(item.name);
        }
        names.sort();
        for name in names {
            let Some(bytes) = objects.get(&name).await? else { continue };
            match parse(&name, &bytes) {
                Some(manifest) => found.all.push(manifest),
                None => found.damaged.push(name),
            }
        }
        Ok(found)
    }

    /// The newest.
    pub(crate) fn last(&self) -> Option<&Manifest> {
        self.all.last()
    }

    /// The backup of that id; else the newest.
    pub(crate) fn choose(&self, id: Option<&str>) -> anyhow::Result<&Manifest> {
        for name in &self.damaged {
            remark(&format!("{name} is damaged, and does not count as a backup"));
        }
        match id {
            Some(id) => {
                let known = || {
                    let ids: Vec<&str> = self.all.iter().map(|one| one.id.as_str()).collect();
                    format!("there is no backup {id}; there are: {}", ids.join(", "))
                };
                self.all.iter().find(|one| one.id == id).with_context(known)
            }
            None => self.last().context("there is no backup: a manifest makes one"),
        }
    }
}

fn parse(name: &str, bytes: &[u8]) -> Option<Manifest> {
    let known = name.strip_suffix(ENDING)?.rsplit('-').next()?;
    if Digest::of(bytes).short() != known {
        return None;
    }
    serde_json::from_slice::<Manifest>(bytes).ok().filter(|one| one.version == VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn manifests_that_were_changed_do_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::in_folder(folder.path().to_owned());
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let manifest = |seconds| Manifest::begin(at(seconds), at(0), Uuid::nil(), 7);
        for seconds in [2, 1, 3] {
            manifest(seconds).write(&objects).await.unwrap();
        }
        let found = Manifests::read(&objects).await.unwrap();
        assert_eq!(found.all, [manifest(1), manifest(2), manifest(3)]);
        assert_eq!(found.choose(Some(&manifest(2).id)).unwrap(), &manifest(2));
        found.choose(Some("yesterday")).unwrap_err();

        let newest = std::fs::read_dir(folder.path().join(FOLDER)).unwrap();
        let newest = newest.map(|it| it.unwrap().path()).max().unwrap();
        let text = std::fs::read_to_string(&newest).unwrap();
        std::fs::write(&newest, text.replace("\"position\": 7", "\"position\": 6")).unwrap();
        manifest(1).remove(&objects).await.unwrap();
        let found = Manifests::read(&objects).await.unwrap();
        assert_eq!(found.choose(None).unwrap(), &manifest(2));
        assert_eq!(found.damaged.len(), 1);
    }
}
