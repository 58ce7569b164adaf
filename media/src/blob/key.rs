//! Names of blobs. A key is made of ids and fixed words, so it never leads out of the store.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::image::ImageFormat;

/// Longest key, in bytes.
const KEY_BYTES_MAX: usize = 512;

/// Longest extension taken over from a file name, in bytes.
const EXTENSION_BYTES_MAX: usize = 16;

/// Which root a key lies under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// Originals and their sidecars: lost is lost.
    Library,
    /// Made from originals: may be deleted and made again.
    Derived,
}

/// Name of a blob, like `upload/<user>/<aa>/<bb>/<uuid>.jpg`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BlobKey(String);

/// Why a text is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Empty, or longer than a key may be.
    #[error("blob key is empty or too long")]
    Length,
    /// The first word names no known root.
    #[error("blob key lies under no known root")]
    Root,
    /// A part is empty, `.` or `..`, or the key is absolute.
    #[error("blob key has an empty or climbing part")]
    Part,
    /// A byte that keys do not have: control characters, NUL, backslash.
    #[error("blob key has a forbidden character")]
    Character,
}

impl BlobKey {
    /// Key of an original: `upload/<user>/<aa>/<bb>/<file>.<extension>`.
    ///
    /// Of `extension` only ASCII letters and digits are kept, in lower case; without any the key
    /// has none.
    #[must_use]
    pub fn original(user_id: Uuid, file_id: Uuid, extension: &str) -> Self {
        Self(format!("{}{}", spread("upload", user_id, file_id), suffix(extension)))
    }

    /// Key of a sidecar that lies beside an original: the original's key with `.xmp` behind it.
    #[must_use]
    pub fn sidecar(&self) -> Self {
        Self(format!("{}.xmp", self.0))
    }

    /// Key of the small picture: `thumbs/<user>/<aa>/<bb>/<asset>-thumbnail.webp`, or `.jpg`.
    #[must_use]
    pub fn thumbnail(user_id: Uuid, asset_id: Uuid, format: ImageFormat) -> Self {
        Self(format!("{}-thumbnail.{}", spread("thumbs", user_id, asset_id), ending(format)))
    }

    /// Key of the large picture: `thumbs/<user>/<aa>/<bb>/<asset>-preview.jpg`, or `.webp`.
    #[must_use]
    pub fn preview(user_id: Uuid, asset_id: Uuid, format: ImageFormat) -> Self {
        Self(format!("{}-preview.{}", spread("thumbs", user_id, asset_id), ending(format)))
    }

    /// Key of a person's picture: `thumbs/<user>/<aa>/<bb>/<person>-<file>.jpeg`.
    #[must_use]
    pub fn person(user_id: Uuid, person_id: Uuid, file_id: Uuid) -> Self {
        Self(format!("{}-{file_id}.jpeg", spread("thumbs", user_id, person_id)))
    }

    /// Key of a transcoded film: `encoded-video/<user>/<aa>/<bb>/<asset>.mp4`.
    #[must_use]
    pub fn encoded_video(user_id: Uuid, asset_id: Uuid) -> Self {
        Self(format!("{}.mp4", spread("encoded-video", user_id, asset_id)))
    }

    /// Key of a user's own picture: `profile/<user>/<file>.<extension>`.
    #[must_use]
    pub fn profile(user_id: Uuid, file_id: Uuid, extension: &str) -> Self {
        Self(format!("profile/{user_id}/{file_id}{}", suffix(extension)))
    }

    /// Checks a stored key.
    ///
    /// # Errors
    /// [`KeyError`] says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        if text.is_empty() || text.len() > KEY_BYTES_MAX {
            return Err(KeyError::Length);
        }
        if text.chars().any(|it| it.is_control() || it == '\\') {
            return Err(KeyError::Character);
        }
        if text.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
            return Err(KeyError::Part);
        }
        root_of(text).ok_or(KeyError::Root)?;
        Ok(Self(text.to_owned()))
    }

    /// The root under which the blob lies.
    #[must_use]
    pub fn area(&self) -> Area {
        // Every constructor writes a known root, and `parse` has checked foreign ones.
        root_of(&self.0).unwrap_or(Area::Derived)
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BlobKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl FromStr for BlobKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for BlobKey {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        Self::parse(&text)
    }
}

impl From<BlobKey> for String {
    fn from(key: BlobKey) -> Self {
        key.0
    }
}

fn root_of(text: &str) -> Option<Area> {
    match text.split_once('/')?.0 {
        "upload" | "library" | "profile" => Some(Area::Library),
        "thumbs" | "encoded-video" => Some(Area::Derived),
        _ => None,
    }
}

/// `<root>/<user>/<aa>/<bb>/<id>`: two levels of 256 folders keep folders small.
fn spread(root: &str, user_id: Uuid, id: Uuid) -> String {
    let name = id.to_string();
    let (first, second) = (&name[0..2], &name[2..4]);
    format!("{root}/{user_id}/{first}/{second}/{name}")
}

fn suffix(extension: &str) -> String {
    let clean: String = extension
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(EXTENSION_BYTES_MAX)
        .map(|it| it.to_ascii_lowercase())
        .collect();
    if clean.is_empty() { clean } else { format!(".{clean}") }
}

/// The ending that tells readers of the format.
const fn ending(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Jpeg => "jpg",
        ImageFormat::Webp => "webp",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_spread_over_two_levels() {
        let user_id = Uuid::from_u128(1);
        let file_id = Uuid::from_u128(0xabcd_ef01_2345_6789_abcd_ef01_2345_6789);
        let key = BlobKey::original(user_id, file_id, "J/../PG");
        assert_eq!(
            key.as_str(),
            format!("upload/{user_id}/ab/cd/abcdef01-2345-6789-abcd-ef0123456789.jpg")
        );
        assert_eq!(key.area(), Area::Library);
        assert_eq!(BlobKey::thumbnail(user_id, file_id, ImageFormat::Webp).area(), Area::Derived);
    }

    #[test]
    fn made_keys_are_valid_keys() {
        let (user_id, id) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let original = BlobKey::original(user_id, id, "");
        let keys = [
            original.sidecar(),
            original,
            BlobKey::thumbnail(user_id, id, ImageFormat::Webp),
            BlobKey::preview(user_id, id, ImageFormat::Jpeg),
            BlobKey::person(user_id, id, user_id),
            BlobKey::encoded_video(user_id, id),
            BlobKey::profile(user_id, id, "png"),
        ];
        for key in keys {
            assert_eq!(BlobKey::parse(key.as_str()), Ok(key.clone()), "{key}");
        }
    }

    #[test]
    fn climbing_keys_are_refused() {
        let refused = [
            ("", KeyError::Length),
            ("/etc/passwd", KeyError::Part),
            ("upload/../../etc/passwd", KeyError::Part),
            ("upload//x", KeyError::Part),
            ("upload/./x", KeyError::Part),
            ("upload/x\0.jpg", KeyError::Character),
            ("upload\\..\\x/y", KeyError::Character),
            ("tmp/x", KeyError::Root),
            ("upload", KeyError::Root),
        ];
        for (text, why) in refused {
            assert_eq!(BlobKey::parse(text), Err(why), "{text:?}");
        }
    }
}
