//! Large derived blobs that another program writes: a file in `tmp/` that takes its place under a
//! key when it is whole.

use std::{fs, io, path::Path};

use tempfile::NamedTempFile;

use super::{
    BlobError, BlobKey, BlobStore,
    writer::{in_background, make_parents, sync_folder},
};

/// A file in `tmp/` that another program writes. Dropped, it is removed.
#[derive(Debug)]
pub struct DerivedFile {
    store: BlobStore,
    file: NamedTempFile,
}

impl BlobStore {
    /// Begins a derived blob that another program writes to [`DerivedFile::path`].
    ///
    /// # Errors
    /// [`BlobError::Write`] when no temporary file can be made.
    pub async fn begin_derived(&self) -> Result<DerivedFile, BlobError> {
        let store = self.clone();
        in_background(move || {
            let file = store.new_tmp()?;
            Ok(DerivedFile { store, file })
        })
        .await
    }
}

impl DerivedFile {
    /// Where the program writes.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Puts the file under its key, durably, in the place of an older one. Says its length in bytes.
    ///
    /// # Errors
    /// [`BlobError::Write`] or [`BlobError::Commit`] when the disk refuses, [`BlobError::Away`] when the bucket does.
    pub async fn commit(self, key: &BlobKey) -> Result<u64, BlobError> {
        let (store, file, key) = (self.store, self.file, key.clone());
        if let Some(bucket) = store.bucket() {
            // Opened anew: the program may have put another file under the name.
            let written = tokio::fs::File::open(file.path()).await;
            let written = written.map_err(|source| BlobError::Write { source })?;
            let found = written.metadata().await.map_err(|source| BlobError::Write { source })?;
            bucket.put_file(&key, written.into_std().await, found.len()).await?;
            return Ok(found.len());
        }
        in_background(move || {
            let sync = || -> io::Result<u64> {
                // Opened anew: the program may have put another file under the name.
                let written = fs::File::open(file.path())?;
                written.sync_all()?;
                Ok(written.metadata()?.len())
            };
            let size_bytes = sync().map_err(|source| BlobError::Write { source })?;
            let path = store.path_of(&key);
            let put = || -> io::Result<()> {
                let parent = path.parent().unwrap_or(store.root());
                make_parents(store.root(), parent)?;
                file.persist(&path)?;
                sync_folder(parent)
            };
            put().map_err(|source| BlobError::Commit { key, source })?;
            Ok(size_bytes)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn whole_file_takes_the_place_of_an_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobStore::open(folder.path()).await.unwrap();
        let key = BlobKey::encoded_video(Uuid::from_u128(1), Uuid::from_u128(2));
        for bytes in [&b"first"[..], b"second"] {
            let made = store.begin_derived().await.unwrap();
            fs::write(made.path(), bytes).unwrap();
            let length = u64::try_from(bytes.len()).unwrap();
            assert_eq!(made.commit(&key).await.unwrap(), length);
            assert_eq!(fs::read(store.local_path(&key).unwrap()).unwrap(), bytes);
        }
        let dropped = store.begin_derived().await.unwrap().path().to_owned();
        assert!(!dropped.exists());
    }
}
