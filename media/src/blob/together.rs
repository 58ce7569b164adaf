//! Several blobs that become durable together: the disk is waited for twice, however many they are.
//!
//! One `fsync` of a small file and one of its folder take a few milliseconds each, whatever their length.
//! `syncfs` waits once for everything that the file system has not written yet: files first, before they have their
//! names, then the names. So a name never stands for bytes that a power cut may take away.

use std::fs;
use std::path::Path;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use futures::stream::{self, StreamExt as _};
use tempfile::TempPath;

use super::writer::{FOLDER_TRIES_MAX, in_background, is_missing};
use super::{BlobError, BlobKey, BlobStore, StagedBlob};

/// From so many blobs on the whole file system is waited for, else each of them.
const TOGETHER_MIN: usize = 4;
/// Blobs that are put one by one at the same time.
const AT_ONCE_MAX: usize = 4;

impl BlobStore {
    /// Puts blobs under their keys, durably: when this returns, a power cut undoes none of them. A blob whose key is
    /// taken is dropped.
    ///
    /// # Errors
    /// [`BlobError::Write`], [`BlobError::Commit`]: the disk refuses; [`BlobError::Away`]: the bucket does. Some are
    /// there then, each of them whole.
    pub async fn commit_together(
        &self,
        blobs: Vec<(StagedBlob, BlobKey)>,
    ) -> Result<(), BlobError> {
        let one_by_one = blobs.len() < TOGETHER_MIN || self.has_refused.load(Ordering::Acquire);
        if self.is_remote() || one_by_one {
            let mut putting = stream::iter(blobs)
                .map(|(blob, key)| async move { blob.commit(&key).await })
                .buffer_unordered(AT_ONCE_MAX);
            while let Some(put) = putting.next().await {
                match put {
                    Ok(()) | Err(BlobError::Exists { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            return Ok(());
        }
        let store = self.clone();
        in_background(move || {
            store.flush()?;
            for (blob, key) in blobs {
                store.give_name(blob.file.into_temp_path(), &key)?;
            }
            store.flush()
        })
        .await
    }

    /// Waits until everything that was written is on the disk.
    ///
    /// # Errors
    /// [`BlobError::Write`] when the disk refuses, or has refused anything since the store was opened.
    pub(super) fn flush(&self) -> Result<(), BlobError> {
        let _alone = self.flushing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = rustix::fs::syncfs(self.disk()) {
            self.has_refused.store(true, Ordering::Release);
            return Err(BlobError::Write { source: error.into() });
        }
        if self.has_refused.load(Ordering::Acquire) {
            let source = std::io::Error::other("the disk has refused a write before");
            return Err(BlobError::Write { source });
        }
        Ok(())
    }

    /// Lets a file of `tmp/` have its name, unless the name is taken. Durable with the next [`BlobStore::flush`].
    pub(super) fn give_name(&self, mut file: TempPath, key: &BlobKey) -> Result<(), BlobError> {
        let path = self.path_of(key);
        let parent = path.parent().unwrap_or_else(|| Path::new("/"));
        let failed = |source| BlobError::Commit { key: key.clone(), source };
        let mut tries = 0;
        loop {
            tries += 1;
            fs::create_dir_all(parent).map_err(failed)?;
            match file.persist_noclobber(&path) {
                Ok(()) => return Ok(()),
                Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
                    return Ok(());
                }
                // A move may have found the folder empty and removed it.
                Err(error) if is_missing(&error.error) && tries < FOLDER_TRIES_MAX => {
                    file = error.path;
                }
                Err(error) => return Err(failed(error.error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn staged(store: &BlobStore, bytes: &[u8]) -> StagedBlob {
        let mut writer = store.begin().await.unwrap();
        writer.write(bytes).await.unwrap();
        writer.finish().await.unwrap()
    }

    #[tokio::test]
    async fn blobs_lie_under_their_keys_and_taken_keys_keep_what_they_have() {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobStore::open(folder.path()).await.unwrap();
        let key = |number: usize| {
            BlobKey::parse(&format!("upload/u/aa/{:02}/{number}.jpg", number % 3)).unwrap()
        };
        staged(&store, b"mine").await.commit(&key(0)).await.unwrap();
        for count in [TOGETHER_MIN - 1, 20] {
            let mut blobs = Vec::new();
            for number in 0..count {
                blobs
                    .push((staged(&store, &[7, u8::try_from(number).unwrap()]).await, key(number)));
            }
            store.commit_together(blobs).await.unwrap();
        }
        let read = |number| fs::read(store.local_path(&key(number)).unwrap()).unwrap();
        assert_eq!(read(0), b"mine");
        assert_eq!(
            (1..20).map(read).collect::<Vec<_>>(),
            (1..20).map(|it| [7, it]).collect::<Vec<_>>()
        );
        assert_eq!(fs::read_dir(folder.path().join("tmp")).unwrap().count(), 0, "files are left");
    }
}
