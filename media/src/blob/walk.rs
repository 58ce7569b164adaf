//! Walking through what is stored.

use futures::TryStreamExt as _;
use tokio::sync::mpsc;
use walkdir::WalkDir;

use super::writer::in_background;
use super::{Area, BlobError, BlobKey, BlobStore};

impl BlobStore {
    /// Sends the keys of every blob, originals first, in batches of so many; ends early when nobody takes them any
    /// more. What has a name that no key has, or in the folder a hidden one, is not ours.
    ///
    /// # Errors
    /// [`BlobError::Away`] when the bucket stops answering: what was sent is not all then.
    pub async fn send_keys(
        &self,
        batch_keys: usize,
        batches: mpsc::Sender<Vec<String>>,
    ) -> Result<(), BlobError> {
        let Some(bucket) = self.bucket() else {
            let store = self.clone();
            return in_background(move || {
                store.send_files(batch_keys, &batches);
                Ok(())
            })
            .await;
        };
        let mut batch = Vec::new();
        for area in [Area::Library, Area::Derived] {
            let mut keys = bucket.keys(area);
            while let Some(key) = keys.try_next().await? {
                batch.push(key.to_string());
                if batch.len() >= batch_keys
                    && batches.send(std::mem::take(&mut batch)).await.is_err()
                {
                    return Ok(());
                }
            }
        }
        // Nobody listens any more where this fails.
        batches.send(batch).await.unwrap_or_default();
        Ok(())
    }

    /// Removes every blob of the bucket that has one of our names, for servers that are tested; nothing where blobs
    /// lie in the folder.
    ///
    /// # Errors
    /// [`BlobError::Away`] when the bucket does not answer: then some are left.
    pub async fn empty_bucket(&self) -> Result<(), BlobError> {
        let Some(bucket) = self.bucket() else { return Ok(()) };
        for area in [Area::Library, Area::Derived] {
            let mut keys = bucket.keys(area);
            while let Some(key) = keys.try_next().await? {
                bucket.remove(&key).await?;
            }
        }
        Ok(())
    }

    fn send_files(&self, batch_keys: usize, batches: &mpsc::Sender<Vec<String>>) {
        let mut batch = Vec::new();
        let mut is_heard = true;
        for area in [Area::Library, Area::Derived] {
            self.each(area, |key| {
                batch.push(key.to_string());
                if batch.len() >= batch_keys {
                    is_heard = batches.blocking_send(std::mem::take(&mut batch)).is_ok();
                }
                is_heard
            });
            if !is_heard {
                return;
            }
        }
        // Nobody listens any more where this fails.
        batches.blocking_send(batch).unwrap_or_default();
    }

    /// Names every blob of an area in the folder until `take` says `false`; blocks. Links are not followed.
    fn each(&self, area: Area, mut take: impl FnMut(BlobKey) -> bool) {
        let root = self.root_of(area);
        let files = WalkDir::new(&root).follow_links(false).into_iter().filter_map(Result::ok);
        for entry in files.filter(|entry| entry.file_type().is_file()) {
            let name = entry.path().strip_prefix(&root).ok().and_then(|path| path.to_str());
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            let key = name.filter(|_| !is_hidden).and_then(|name| BlobKey::parse(name).ok());
            let Some(key) = key.filter(|key| key.area() == area) else { continue };
            if !take(key) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_blob_of_an_area_is_named_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobStore::open(folder.path()).await.unwrap();
        for name in [
            "library/upload/u/aa/a.jpg",
            "library/upload/u/aa/a.jpg.xmp",
            "library/upload/.hidden",
            "library/else/b.jpg",
            // A key says which area it lies in: this one would name another file.
            "library/thumbs/c.jpg",
            "derived/thumbs/u/aa/a-preview.jpg",
            "derived/encoded-video/u/aa/a.mp4",
            "derived/upload/d.jpg",
        ] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"x").unwrap();
        }
        for (area, wanted) in [
            (Area::Library, ["upload/u/aa/a.jpg", "upload/u/aa/a.jpg.xmp"]),
            (Area::Derived, ["encoded-video/u/aa/a.mp4", "thumbs/u/aa/a-preview.jpg"]),
        ] {
            let mut keys = Vec::new();
            store.each(area, |key| {
                keys.push(key.to_string());
                true
            });
            keys.sort();
            assert_eq!(keys, wanted);
        }
    }
}
