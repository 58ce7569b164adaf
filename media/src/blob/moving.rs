//! Putting a blob under a second key, and taking it from the first, so that at every instant at least one of
//! them holds it whole.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use super::{
    BlobError, BlobKey, BlobStore,
    writer::{FOLDER_TRIES_MAX, in_background, is_missing, make_parents, sync_folder},
};

impl BlobStore {
    /// Puts a blob under a second key, durably; both hold it then. Where the file system can it is one file
    /// with two names, which takes no room and cannot be torn; elsewhere it is a copy that takes its name when
    /// it is whole. In a bucket the store copies it.
    ///
    /// # Errors
    /// - [`BlobError::Exists`]: the second key is taken; nothing changed.
    /// - [`BlobError::Read`]: there is nothing under the first, or it cannot be read.
    /// - [`BlobError::Commit`]: the disk refuses.
    /// - [`BlobError::Away`]: the bucket does.
    pub async fn duplicate(&self, from: &BlobKey, to: &BlobKey) -> Result<(), BlobError> {
        if let Some(bucket) = self.bucket() {
            return bucket.duplicate(from, to).await;
        }
        let (store, from, to) = (self.clone(), from.clone(), to.clone());
        in_background(move || {
            let (old, new) = (store.path_of(&from), store.path_of(&to));
            let failed = |source: io::Error| match source.kind() {
                io::ErrorKind::AlreadyExists => BlobError::Exists { key: to.clone() },
                _ => BlobError::Commit { key: to.clone(), source },
            };
            let source = File::open(&old)
                .and_then(|file| file.sync_all().map(|()| file))
                .map_err(|source| BlobError::Read { key: from.clone(), source })?;
            let parent = new.parent().unwrap_or(store.root());
            let mut tries = 0;
            loop {
                let linked =
                    make_parents(store.root(), parent).and_then(|()| {
                        match fs::hard_link(&old, &new) {
                            Err(error) if cannot_link(&error) => store.copy_in(&source, &new),
                            linked => linked,
                        }
                    });
                tries += 1;
                match linked {
                    Ok(()) => return sync_folder(parent).map_err(failed),
                    // Another move may have found the folder empty and removed it.
                    Err(error) if is_missing(&error) && tries < FOLDER_TRIES_MAX => {}
                    Err(error) => return Err(failed(error)),
                }
            }
        })
        .await
    }

    /// Length in bytes and BLAKE3 of a blob as it is on the disk or in the bucket now; `None` when there is none.
    ///
    /// # Errors
    /// [`BlobError::Read`] when it cannot be read, [`BlobError::Away`] when the bucket does not answer.
    pub async fn digest(&self, key: &BlobKey) -> Result<Option<(u64, [u8; 32])>, BlobError> {
        if let Some(bucket) = self.bucket() {
            return bucket.digest(key).await;
        }
        let (store, key) = (self.clone(), key.clone());
        in_background(move || {
            let failed = |source| BlobError::Read { key: key.clone(), source };
            let file = match File::open(store.path_of(&key)) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(failed(error)),
            };
            let mut hasher = blake3::Hasher::new();
            hasher.update_reader(&file).map_err(failed)?;
            Ok(Some((hasher.count(), *hasher.finalize().as_bytes())))
        })
        .await
    }

    /// Makes sure that a blob stays where it is when the power fails: its bytes, its name, and the names of the
    /// folders above it.
    ///
    /// # Errors
    /// [`BlobError::Commit`] when it is missing or the disk refuses, [`BlobError::Away`] when the bucket does not answer.
    pub async fn sync(&self, key: &BlobKey) -> Result<(), BlobError> {
        if let Some(bucket) = self.bucket() {
            // What a bucket says it has, it keeps.
            let source = || io::ErrorKind::NotFound.into();
            let missing = || BlobError::Commit { key: key.clone(), source: source() };
            return bucket.head(key).await?.map(drop).ok_or_else(missing);
        }
        let (store, key) = (self.clone(), key.clone());
        in_background(move || {
            let path = store.path_of(&key);
            let sync = || -> io::Result<()> {
                File::open(&path)?.sync_all()?;
                let inside = |folder: &&Path| folder.starts_with(store.root());
                path.ancestors().skip(1).take_while(inside).try_for_each(sync_folder)
            };
            sync().map_err(|source| BlobError::Commit { key: key.clone(), source })
        })
        .await
    }

    /// Removes a blob and the folders above it that are empty then, up to the area's. A missing one counts as
    /// removed.
    ///
    /// # Errors
    /// [`BlobError::Remove`] when it is there and cannot be removed.
    pub async fn remove_with_folders(&self, key: &BlobKey) -> Result<(), BlobError> {
        self.remove(key).await?;
        if self.is_remote() {
            return Ok(());
        }
        let (store, key) = (self.clone(), key.clone());
        in_background(move || {
            let path = store.path_of(&key);
            // The area, its first word and the owner's folder stay: library/library/anna.
            let depth = key.as_str().split('/').count();
            for folder in path.ancestors().skip(1).take(depth.saturating_sub(3)) {
                // It is not empty, or somebody else removed it.
                if fs::remove_dir(folder).is_err() {
                    break;
                }
            }
            Ok(())
        })
        .await
    }

    /// A copy that takes its name when it is whole and synced, unless the name is taken.
    fn copy_in(&self, mut source: &File, to: &Path) -> io::Result<()> {
        use io::Seek as _;
        let mut file = self.new_tmp().map_err(io::Error::other)?;
        source.rewind()?;
        io::copy(&mut source, &mut file)?;
        file.as_file().sync_all()?;
        file.persist_noclobber(to).map(drop).map_err(|error| error.error)
    }
}

/// Whether the file system has no second names for files, or not for this one.
pub(super) fn cannot_link(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied
            | io::ErrorKind::Unsupported
            | io::ErrorKind::CrossesDevices
            | io::ErrorKind::TooManyLinks
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> BlobKey {
        BlobKey::parse(text).unwrap()
    }

    async fn stored(store: &BlobStore, text: &str, bytes: &[u8]) -> BlobKey {
        let mut writer = store.begin().await.unwrap();
        writer.write(bytes).await.unwrap();
        let key = key(text);
        writer.finish().await.unwrap().commit(&key).await.unwrap();
        key
    }

    #[tokio::test]
    async fn both_keys_hold_the_blob_until_one_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobStore::open(folder.path()).await.unwrap();
        let from = stored(&store, "upload/u/aa/bb/a.jpg", b"picture").await;
        let to = key("library/u/2024/05/a.jpg");
        store.duplicate(&from, &to).await.unwrap();
        let digest = store.digest(&from).await.unwrap();
        assert_eq!(digest, Some((7, *blake3::hash(b"picture").as_bytes())));
        assert_eq!(store.digest(&to).await.unwrap(), digest);
        store.remove_with_folders(&from).await.unwrap();
        assert_eq!(store.digest(&from).await.unwrap(), None);
        assert_eq!(store.digest(&to).await.unwrap(), digest);
        assert!(!folder.path().join("library/upload/u/aa").exists());
        assert!(folder.path().join("library/upload/u").exists());
    }

    #[tokio::test]
    async fn taken_key_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobStore::open(folder.path()).await.unwrap();
        let from = stored(&store, "upload/u/aa/bb/a.jpg", b"mine").await;
        let to = stored(&store, "library/u/a.jpg", b"other").await;
        let refused = store.duplicate(&from, &to).await;
        assert!(matches!(refused, Err(BlobError::Exists { .. })), "{refused:?}");
        assert_eq!(fs::read(store.local_path(&to).unwrap()).unwrap(), b"other");
        let missing = store.duplicate(&key("upload/u/none"), &key("library/u/none")).await;
        assert!(matches!(missing, Err(BlobError::Read { .. })), "{missing:?}");
    }

    #[tokio::test]
    async fn copy_is_whole_where_no_second_name_can_be_given() {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobStore::open(folder.path()).await.unwrap();
        let from = stored(&store, "upload/u/aa/bb/a.jpg", b"picture").await;
        let source = File::open(store.local_path(&from).unwrap()).unwrap();
        let to = folder.path().join("library").join("copy");
        store.copy_in(&source, &to).unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"picture");
        let taken = store.copy_in(&source, &to).unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
    }
}
