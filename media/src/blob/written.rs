//! How a picture that was made is written: in several passes, with transparency. Both stand before its pixels.
//!
//! JPEG says by its start-of-frame marker whether it is progressive (ITU-T T.81, table B.1), WebP by a bit in its
//! first chunk whether it has an alpha channel (RFC 9649, 2.7 and 3.4).

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use futures::stream::{self, StreamExt as _};

use super::remote::{Bucket, LOOKS_AT_ONCE};
use super::writer::in_background;
use super::{BlobError, BlobKey, BlobStore};

/// Segments of a JPEG that are passed over before its frame; profiles and metadata take several.
const SEGMENTS_MAX: usize = 256;
/// Bytes that are read of a picture in a bucket; what made pictures have before their pixels is shorter.
const HEAD_BYTES: u64 = 128 * 1024;
/// Bytes of a WebP up to the last one that says something.
const WEBP_HEAD_BYTES: usize = 25;
/// Of the first chunk's flags: there is an alpha channel.
const VP8X_ALPHA: u8 = 0x10;
/// Of the four bytes after the signature of a lossless picture: alpha is used.
const VP8L_ALPHA: u32 = 1 << 28;

/// What a picture says of itself. Neither is true of what is no picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HowWritten {
    /// Whether a JPEG is built up in several passes.
    pub is_progressive: bool,
    /// Whether it has an alpha channel.
    pub is_transparent: bool,
}

impl HowWritten {
    /// Reads what stands before the pixels.
    fn of(picture: &mut (impl Read + Seek)) -> io::Result<Self> {
        let mut word = [0; 2];
        picture.read_exact(&mut word)?;
        if word == [0xff, 0xd8] {
            return Ok(Self { is_progressive: is_progressive(picture)?, ..Self::default() });
        }
        picture.rewind()?;
        let mut head = [0; WEBP_HEAD_BYTES];
        picture.read_exact(&mut head)?;
        Ok(Self { is_transparent: is_transparent(&head), ..Self::default() })
    }
}

/// Of a JPEG behind its first marker.
fn is_progressive(picture: &mut (impl Read + Seek)) -> io::Result<bool> {
    for _ in 0..SEGMENTS_MAX {
        let mut segment = [0; 4];
        picture.read_exact(&mut segment)?;
        let [0xff, marker, high, low] = segment else { return Ok(false) };
        match marker {
            0xc2 | 0xc6 | 0xca | 0xce => return Ok(true),
            // Other frames; pixels before any frame.
            0xc0 | 0xc1 | 0xc3 | 0xc5 | 0xc7 | 0xc9 | 0xcb | 0xcd | 0xcf | 0xd8..=0xda => {
                return Ok(false);
            }
            // The length counts itself.
            _ => {
                let length = u16::from_be_bytes([high, low]);
                picture.seek(SeekFrom::Current(i64::from(length) - 2))?;
            }
        }
    }
    Ok(false)
}

/// Of a WebP by its head.
fn is_transparent(head: &[u8; WEBP_HEAD_BYTES]) -> bool {
    let [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', rest @ ..] = head else {
        return false;
    };
    match rest {
        [b'V', b'P', b'8', b'X', _, _, _, _, flags, ..] => flags & VP8X_ALPHA != 0,
        [b'V', b'P', b'8', b'L', _, _, _, _, _, bits @ ..] => {
            u32::from_le_bytes(*bits) & VP8L_ALPHA != 0
        }
        _ => false,
    }
}

impl BlobStore {
    /// How each of some made pictures is written, in their order. What cannot be read is neither progressive nor
    /// transparent.
    ///
    /// # Errors
    /// When looking was cut off.
    pub async fn how_written(
        &self,
        keys: Vec<Option<BlobKey>>,
    ) -> Result<Vec<HowWritten>, BlobError> {
        if let Some(bucket) = self.bucket() {
            let looks = stream::iter(keys)
                .map(|key| async move {
                    match key {
                        Some(key) => how_written(bucket, &key).await.unwrap_or_default(),
                        None => HowWritten::default(),
                    }
                })
                .buffered(LOOKS_AT_ONCE);
            return Ok(looks.collect().await);
        }
        let store = self.clone();
        in_background(move || {
            let look = |key: &BlobKey| {
                let mut file = File::open(store.path_of(key)).ok()?;
                HowWritten::of(&mut file).ok()
            };
            let looks = keys.iter().map(|key| key.as_ref().and_then(look).unwrap_or_default());
            Ok(looks.collect())
        })
        .await
    }
}

async fn how_written(bucket: &Bucket, key: &BlobKey) -> Option<HowWritten> {
    let head = bucket.range(key, 0..HEAD_BYTES, None).await.ok()??;
    HowWritten::of(&mut Cursor::new(head)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> io::Result<(bool, bool)> {
        let how = HowWritten::of(&mut Cursor::new(bytes))?;
        Ok((how.is_progressive, how.is_transparent))
    }

    #[test]
    fn jpeg_says_by_its_frame_whether_it_is_progressive() {
        let jpeg = |frame: u8| {
            let before = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc4\0\x03c\xff";
            [before.as_slice(), &[frame], b"\0\x08......"].concat()
        };
        assert_eq!(read(&jpeg(0xc0)).unwrap(), (false, false));
        assert_eq!(read(&jpeg(0xc2)).unwrap(), (true, false));
        assert_eq!(read(b"\xff\xd8\xff\xda\0\x02").unwrap(), (false, false), "pixels first");
        assert_eq!(read(b"\xff\xd8 no marker").unwrap(), (false, false));
        assert!(read(b"\xff\xd8\xff\xe0\0\0\xff").is_err(), "cut off");
    }

    #[test]
    fn webp_says_by_a_bit_whether_it_is_transparent() {
        let webp = |kind: &[u8], rest: [u8; 5]| {
            [b"RIFF\x11\0\0\0WEBP", kind, b"\x0a\0\0\0", rest.as_slice()].concat()
        };
        assert_eq!(read(&webp(b"VP8X", [0x30, 0, 0, 0, 0])).unwrap(), (false, true));
        assert_eq!(read(&webp(b"VP8X", [0x20, 0, 0, 0, 0])).unwrap(), (false, false));
        assert_eq!(read(&webp(b"VP8L", [0x2f, 0, 0, 0, 0x10])).unwrap(), (false, true));
        assert_eq!(read(&webp(b"VP8L", [0x2f, 0, 0, 0, 0])).unwrap(), (false, false));
        assert_eq!(read(&webp(b"VP8 ", [0xff; 5])).unwrap(), (false, false));
        assert!(read(b"RIFF").is_err());
    }
}
