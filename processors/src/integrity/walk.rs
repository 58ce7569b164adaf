//! Walking through all stored files.

use calotype_media::blob::Area;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::worker::Worker;

/// Files that are compared with the read model together: each time it is looked through whole.
const BATCH_KEYS: usize = 50_000;

impl Worker {
    /// The keys of all files, in batches: originals and what lies beside them, then what is made of them. What has
    /// a name that no key has is not ours, and is left alone.
    pub(super) fn walk_files(&self) -> (mpsc::Receiver<Vec<String>>, JoinHandle<()>) {
        let (batches, walked) = mpsc::channel(1);
        let blobs = self.blobs.clone();
        let walking = tokio::task::spawn_blocking(move || {
            let mut batch = Vec::new();
            let mut is_heard = true;
            for area in [Area::Library, Area::Derived] {
                blobs.each(area, |key| {
                    batch.push(key.to_string());
                    if batch.len() >= BATCH_KEYS {
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
        });
        (walked, walking)
    }
}
