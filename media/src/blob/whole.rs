//! Whether a picture that was made is there to its last byte.
//!
//! Such pictures are written without waiting for the disk, so a power cut may leave none, an empty file, or one
//! that ends in the middle or in zeros. JPEG says where it ends by its last marker (ITU-T T.81, B.1.1.3), WebP by
//! the length in its first chunk (RFC 9649, 2.4).

use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom};
use std::time::{Duration, SystemTime};

use futures::stream::{self, StreamExt as _};

use super::remote::LOOKS_AT_ONCE;
use super::writer::in_background;
use super::{Area, BlobError, BlobKey, BlobStore};

/// Bytes at the beginning that are looked at.
const HEAD_BYTES: usize = 12;
/// Bytes at the end that are looked at.
const TAIL_BYTES: usize = 2;
/// What a WebP's length leaves out: its own word and the one before.
const RIFF_PREFIX_BYTES: u64 = 8;
const JPEG_BEGINS: [u8; 2] = [0xff, 0xd8];
const JPEG_ENDS: [u8; 2] = [0xff, 0xd9];
/// A picture that was written longer ago outlived every power cut since, and only its size is looked at.
const WRITTEN_LATELY: Duration = Duration::from_secs(8 * 24 * 3_600);

/// The formats of pictures that are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Jpeg,
    Webp,
}

impl Format {
    fn of(key: &BlobKey) -> Option<Self> {
        match key.as_str().rsplit_once('.')?.1 {
            "jpg" | "jpeg" => Some(Self::Jpeg),
            "webp" => Some(Self::Webp),
            _ => None,
        }
    }

    fn is_whole(self, head: &[u8], tail: &[u8], size_bytes: u64) -> bool {
        match self {
            Self::Jpeg => head.starts_with(&JPEG_BEGINS) && tail.ends_with(&JPEG_ENDS),
            Self::Webp => {
                let length = head.get(4..8).and_then(|word| <[u8; 4]>::try_from(word).ok());
                let length = length.map(|word| u64::from(u32::from_le_bytes(word)));
                head.starts_with(b"RIFF")
                    && head.get(8..HEAD_BYTES) == Some(b"WEBP")
                    && length.is_some_and(|length| size_bytes >= length + RIFF_PREFIX_BYTES)
            }
        }
    }
}

/// Whether an opened picture that was made is whole. Films only may not be empty, and originals are not looked
/// at. The position in the file is at its beginning before and after.
///
/// # Errors
/// What the disk said.
pub fn is_whole(key: &BlobKey, file: &mut File) -> io::Result<bool> {
    if key.area() != Area::Derived {
        return Ok(true);
    }
    let size_bytes = file.metadata()?.len();
    let Some(format) = Format::of(key) else { return Ok(size_bytes > 0) };
    let (mut head, mut tail) = ([0; HEAD_BYTES], [0; TAIL_BYTES]);
    let least = u64::try_from(HEAD_BYTES).unwrap_or(u64::MAX);
    if size_bytes < least {
        return Ok(false);
    }
    file.read_exact(&mut head)?;
    file.seek(SeekFrom::End(-i64::try_from(TAIL_BYTES).unwrap_or_default()))?;
    file.read_exact(&mut tail)?;
    file.rewind()?;
    Ok(format.is_whole(&head, &tail, size_bytes))
}

impl BlobStore {
    /// Those of some made pictures and films that are missing or empty, or were written lately and end too early.
    /// What cannot be looked at is not among them. In a bucket nothing ends too early.
    ///
    /// # Errors
    /// When looking was cut off.
    pub async fn not_whole(&self, keys: Vec<BlobKey>) -> Result<Vec<BlobKey>, BlobError> {
        if let Some(bucket) = self.bucket() {
            let lost = stream::iter(keys)
                .map(|key| async move {
                    let found = bucket.head(&key).await;
                    let is_lost = found.is_ok_and(|found| found.is_none_or(|it| it.size == 0));
                    is_lost.then_some(key)
                })
                .buffered(LOOKS_AT_ONCE)
                .filter_map(std::future::ready);
            return Ok(lost.collect().await);
        }
        let store = self.clone();
        in_background(move || {
            Ok(keys.into_iter().filter(|key| !store.looks_whole(key).unwrap_or(true)).collect())
        })
        .await
    }

    fn looks_whole(&self, key: &BlobKey) -> io::Result<bool> {
        let path = self.path_of(key);
        let found = match std::fs::metadata(&path) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        if found.len() == 0 {
            return Ok(false);
        }
        #[expect(clippy::disallowed_methods, reason = "the disk's clock is this machine's")]
        let age = SystemTime::now().duration_since(found.modified()?).unwrap_or_default();
        if age > WRITTEN_LATELY {
            return Ok(true);
        }
        is_whole(key, &mut File::open(&path)?)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use uuid::Uuid;

    use super::*;
    use crate::blob::Role;
    use crate::image::ImageFormat;

    fn key(format: ImageFormat) -> BlobKey {
        BlobKey::made((Uuid::from_u128(1), Uuid::from_u128(2)), Role::Preview, "r1", format)
    }

    const JPEG: &[u8] = b"\xff\xd8 a small picture \xff\xd9";
    const WEBP: &[u8] = b"RIFF\x0c\0\0\0WEBPVP8 \0\0\0\0";

    #[tokio::test]
    async fn what_a_power_cut_leaves_is_not_whole() {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobStore::open(folder.path()).await.unwrap();
        for (format, bytes) in [(ImageFormat::Jpeg, JPEG), (ImageFormat::Webp, WEBP)] {
            let key = key(format);
            let not_whole = async || store.not_whole(vec![key.clone()]).await.unwrap();
            assert_eq!(not_whole().await, std::slice::from_ref(&key), "missing");
            store.put_derived(&key, bytes.into()).await.unwrap();
            assert!(not_whole().await.is_empty(), "{format:?}");
            let path = store.local_path(&key).unwrap();
            fs::write(&path, b"").unwrap();
            assert_eq!(not_whole().await.len(), 1, "empty");
            fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
            assert_eq!(not_whole().await.len(), 1, "cut off");
            fs::write(&path, vec![0; bytes.len()]).unwrap();
            assert_eq!(not_whole().await.len(), 1, "zeros");
        }
    }

    #[tokio::test]
    async fn of_what_has_no_known_end_only_the_size_counts() {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobStore::open(folder.path()).await.unwrap();
        let film = BlobKey::encoded_video(Uuid::from_u128(1), Uuid::from_u128(2));
        store.put_derived(&film, b"film".as_slice().into()).await.unwrap();
        assert!(store.not_whole(vec![film.clone()]).await.unwrap().is_empty());
        store.put_derived(&film, b"".as_slice().into()).await.unwrap();
        assert_eq!(store.not_whole(vec![film]).await.unwrap().len(), 1);
    }
}
