//! Walking through all stored files.

use calotype_media::blob::BlobError;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::worker::Worker;

/// Files that are compared with the read model together: each time it is looked through whole.
const BATCH_KEYS: usize = 50_000;

impl Worker {
    /// The keys of all files, in batches: originals and what lies beside them, then what is made of them. What has
    /// a name that no key has is not ours, and is left alone. The walk's own result says whether it came to the end.
    pub(super) fn walk_files(
        &self,
    ) -> (mpsc::Receiver<Vec<String>>, JoinHandle<Result<(), BlobError>>) {
        let (batches, walked) = mpsc::channel(1);
        let blobs = self.blobs.clone();
        let runtime = tokio::runtime::Handle::current();
        let walking = tokio::task::spawn_blocking(move || {
            runtime.block_on(blobs.send_keys(BATCH_KEYS, batches))
        });
        (walked, walking)
    }
}
