//! Digests of files.

use anyhow::Context as _;
use futures::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use sha1::{Digest as _, Sha1};

use crate::content::Content;

/// Both digests of one file in lower-case hex, and its length.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Digests {
    pub(crate) sha1: String,
    pub(crate) blake3: String,
    pub(crate) size_bytes: u64,
}

/// Both digests on the way.
#[derive(Default)]
pub(crate) struct Hashing {
    sha1: Sha1,
    blake3: blake3::Hasher,
    size_bytes: u64,
}

impl Hashing {
    /// Takes in the next bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.sha1.update(bytes);
        self.blake3.update(bytes);
        self.size_bytes += u64::try_from(bytes.len()).unwrap_or_default();
    }

    /// What they came to.
    pub(crate) fn finish(self) -> Digests {
        let sha1 = self.sha1.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let blake3 = self.blake3.finalize().to_hex().to_string();
        Digests { sha1, blake3, size_bytes: self.size_bytes }
    }
}

/// Reads a file once for both digests.
///
/// # Errors
/// When it cannot be read.
pub(crate) async fn of_content(content: Content) -> anyhow::Result<Digests> {
    let read = || "failed to read the file";
    let here = match content {
        Content::Here(here) => here,
        Content::Elsewhere(file) => {
            let mut hashing = Hashing::default();
            let mut chunks = file.open();
            while let Some(chunk) = chunks.try_next().await.with_context(read)? {
                hashing.update(&chunk);
            }
            return Ok(hashing.finish());
        }
    };
    tokio::task::spawn_blocking(move || {
        let mut hashing = Hashing::default();
        here.read(&mut |chunk| {
            hashing.update(chunk);
            true
        })
        .with_context(read)?;
        Ok(hashing.finish())
    })
    .await?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn digests_are_those_of_the_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jpg");
        std::fs::write(&path, b"abc").unwrap();
        let digests = of_content(Content::disk(path)).await.unwrap();
        // FIPS 180-1, appendix A, and the test vectors of BLAKE3.
        assert_eq!(digests.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert!(digests.blake3.starts_with("6437b3ac38465133"));
        assert_eq!(digests.size_bytes, 3);
    }
}
