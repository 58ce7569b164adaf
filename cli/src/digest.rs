//! Digests of files.

use anyhow::Context as _;
use futures::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use crate::content::Content;
use crate::entry::File;

/// Both digests of one file in lower-case hex, and its length.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Digests {
    pub(crate) sha1: String,
    /// Empty where nobody has read the file here: another server told its SHA-1.
    pub(crate) blake3: String,
    pub(crate) size_bytes: u64,
}

/// The same in a third of the memory, where there are hundreds of thousands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Packed {
    sha1: [u8; 20],
    /// None where nobody has read the file here.
    blake3: Option<[u8; 32]>,
    size_bytes: u64,
}

impl Packed {
    /// Nothing for what is no digest.
    pub(crate) fn of(digests: &Digests) -> Option<Self> {
        let (sha1, size_bytes) = (bytes_of(&digests.sha1)?, digests.size_bytes);
        Some(Self { sha1, blake3: bytes_of(&digests.blake3), size_bytes })
    }

    /// As they are told.
    pub(crate) fn digests(&self) -> Digests {
        let blake3 = self.blake3.map_or_else(String::new, |blake3| hex(&blake3));
        Digests { sha1: hex(&self.sha1), blake3, size_bytes: self.size_bytes }
    }
}

/// Bytes in lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
        text
    })
}

/// So many bytes that stand there in hex; nothing for anything else.
pub(crate) fn bytes_of<const N: usize>(hex: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if hex.len() != N * 2 {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

impl Digests {
    /// Puts them into what is said of a file.
    pub(crate) fn put_into(&self, said: &mut Value) {
        said["sha1"] = json!(self.sha1);
        if !self.blake3.is_empty() {
            said["blake3"] = json!(self.blake3);
        }
    }
}

/// What another server tells of a file, so that it need not be fetched to know whether it is there.
pub(crate) fn told(file: &File) -> Option<Digests> {
    let Content::Elsewhere(content) = &file.content else { return None };
    let (sha1, size_bytes) = (content.sha1()?.to_owned(), file.size_bytes?);
    Some(Digests { sha1, blake3: String::new(), size_bytes })
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
        let sha1 = hex(&self.sha1.finalize());
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
        assert_eq!(Packed::of(&digests).unwrap().digests(), digests);
        let unread = Digests { blake3: String::new(), ..digests };
        assert_eq!(Packed::of(&unread).unwrap().digests(), unread);
        assert_eq!(Packed::of(&Digests { sha1: "a9".into(), ..unread }), None);
    }
}
