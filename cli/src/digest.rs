//! Digests of files.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sha1::{Digest as _, Sha1};

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// Both digests of one file, in lower-case hex.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Digests {
    pub(crate) sha1: String,
    pub(crate) blake3: String,
}

/// Reads a file once for both digests.
///
/// # Errors
/// When it cannot be read.
pub(crate) async fn of_file(path: PathBuf) -> anyhow::Result<Digests> {
    tokio::task::spawn_blocking(move || read(&path)).await?
}

fn read(path: &Path) -> anyhow::Result<Digests> {
    let mut file = std::fs::File::open(path).context("failed to open the file")?;
    let (mut sha1, mut blake3) = (Sha1::new(), blake3::Hasher::new());
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let length = file.read(&mut chunk).context("failed to read the file")?;
        let Some(bytes) = chunk.get(..length).filter(|bytes| !bytes.is_empty()) else { break };
        sha1.update(bytes);
        blake3.update(bytes);
    }
    let sha1 = sha1.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Digests { sha1, blake3: blake3.finalize().to_hex().to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jpg");
        std::fs::write(&path, b"abc").unwrap();
        let digests = read(&path).unwrap();
        // FIPS 180-1, appendix A, and the test vectors of BLAKE3.
        assert_eq!(digests.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert!(digests.blake3.starts_with("6437b3ac38465133"));
    }
}
