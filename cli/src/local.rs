//! Files that a server on the same machine gets without the network: the importer puts them into its data folder
//! itself, and only says over HTTP what it did.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use anyhow::{Context as _, ensure};
use calotype_media::blob::{BlobKey, BlobStore, FileHere, Placing};
use clap::Args;

use crate::content::{Content, Here};
use crate::digest::Digests;
use crate::entry::File;

/// Space on the disk that is left free, in bytes.
const FREE_BYTES_MIN: u64 = 256 << 20;

/// A server on the same machine.
#[derive(Clone, Debug, Default, Args)]
pub struct LocalArgs {
    /// The data folder of a server on this machine: files are put there instead of being sent. Where no server has it
    /// open, it is opened for the time of the import.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Copy files into the data folder, which is what is done anyway.
    #[arg(long, requires = "data", conflicts_with_all = ["link", "take"])]
    pub copy: bool,
    /// Let the data folder have the same files, under a second name. A program that later writes into one of yours
    /// changes the library's original, too.
    #[arg(long, requires = "data", conflicts_with = "take")]
    pub link: bool,
    /// Move files into the data folder: yours are removed when they are imported. What the library had already stays
    /// where it is, and so do sidecars.
    #[arg(id = "take", long = "move", requires = "data")]
    pub take: bool,
    /// Whose photos they become, by e-mail address, where no server has the data folder open.
    #[arg(long, requires = "data", value_name = "EMAIL")]
    pub user: Option<String>,
    /// What an import into this folder is known by, where address and key are made for it alone.
    #[arg(skip)]
    pub whose: Option<String>,
}

/// The folder of a server on this machine.
pub(crate) struct Library {
    store: BlobStore,
    folder: PathBuf,
    how: Placing,
    takes: bool,
    begun: SystemTime,
    copied: AtomicU64,
}

impl Library {
    /// Opens the folder that was named, if one was.
    ///
    /// # Errors
    /// There is none, or it is another user's.
    #[expect(clippy::disallowed_methods, reason = "compared with the times of the file system")]
    pub(crate) async fn open(args: &LocalArgs) -> anyhow::Result<Option<Self>> {
        let Some(folder) = args.data.clone() else { return Ok(None) };
        let store = BlobStore::beside(&folder).await.context("failed to open the data folder")?;
        let how = if args.link || args.take { Placing::Link } else { Placing::Copy };
        let (begun, copied) = (SystemTime::now(), AtomicU64::new(0));
        Ok(Some(Self { store, folder, how, takes: args.take, begun, copied }))
    }

    /// Whether files are removed where they came from.
    pub(crate) const fn takes(&self) -> bool {
        self.takes
    }

    /// Files that were to be linked or moved, and had to be copied.
    pub(crate) fn copied(&self) -> u64 {
        self.copied.load(Ordering::Relaxed)
    }

    /// The folder, for words to people.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What is to be put under a key; nothing of what is no file on the disk, which is sent.
    ///
    /// # Errors
    /// The key is none.
    pub(crate) fn incoming(
        &self,
        file: &File,
        digests: &Digests,
        key: &str,
        is_read_now: bool,
    ) -> anyhow::Result<Option<FileHere>> {
        let Content::Here(Here::Disk(path)) = &file.content else { return Ok(None) };
        let key = BlobKey::parse(key).context("the server told a place that is none")?;
        let (source, size_bytes) = (path.to_path_buf(), digests.size_bytes);
        let blake3 = digests.blake3.clone();
        let read_after = is_read_now.then_some(self.begun);
        Ok(Some(FileHere { source, key, size_bytes, blake3, read_after }))
    }

    /// Puts files where they belong, durably. Why one was not stands in its place.
    ///
    /// # Errors
    /// The disk is full, or refuses.
    pub(crate) async fn place(&self, files: Vec<FileHere>) -> anyhow::Result<Vec<Option<String>>> {
        let wanted: u64 = files.iter().map(|file| file.size_bytes).sum();
        let space = self.store.space().await?;
        ensure!(
            self.how == Placing::Link
                || space.available_bytes >= wanted.saturating_add(FREE_BYTES_MIN),
            "the disk of the data folder is full"
        );
        let placed = self.store.place(files, self.how).await.context("the disk refuses")?;
        let copied =
            placed.iter().flatten().filter(|it| self.how == Placing::Link && !it.is_linked);
        self.copied.fetch_add(u64::try_from(copied.count()).unwrap_or_default(), Ordering::Relaxed);
        Ok(placed.into_iter().map(Result::err).collect())
    }

    /// Removes files that are imported where they came from, unless they have changed since.
    pub(crate) async fn remove_sources(&self, files: Vec<File>) {
        let removing = tokio::task::spawn_blocking(move || {
            for file in files {
                let Content::Here(Here::Disk(path)) = &file.content else { continue };
                let is_still = std::fs::metadata(path).is_ok_and(|now| {
                    let modified = now.modified().map(chrono::DateTime::<chrono::Utc>::from);
                    Some(now.len()) == file.size_bytes && modified.ok() == Some(file.modified)
                });
                if is_still {
                    // One that cannot be removed is imported all the same, and stays.
                    drop(std::fs::remove_file(path));
                }
            }
        });
        drop(removing.await);
    }
}
