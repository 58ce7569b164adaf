//! Names of blobs. A key is made of ids and fixed words, or by a storage template and then checked here, so it
//! never leads out of the store.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::image::ImageFormat;

/// Longest key, in bytes.
const KEY_BYTES_MAX: usize = 1_024;

/// Longest extension taken over from a file name, in bytes.
const EXTENSION_BYTES_MAX: usize = 16;

/// Longest name of a set of options in a key, in characters.
const RECIPE_CHARS_MAX: usize = 32;

/// What a picture that is made of an asset is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The small picture.
    Thumbnail,
    /// The screen-sized picture.
    Preview,
    /// The picture at full size.
    FullSize,
    /// The small picture of the edited photo.
    EditedThumbnail,
    /// Its screen-sized picture.
    EditedPreview,
    /// Its picture at full size.
    EditedFullSize,
}

impl Role {
    const fn word(self) -> &'static str {
        match self {
            Self::Thumbnail => "thumbnail",
            Self::Preview => "preview",
            Self::FullSize => "fullsize",
            Self::EditedThumbnail => "thumbnail_edited",
            Self::EditedPreview => "preview_edited",
            Self::EditedFullSize => "fullsize_edited",
        }
    }
}
/// What the keys of films that were taken out of stills end with, as Immich names them.
const MOTION_PART: &str = "-MP.mp4";

/// Which root a key lies under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// Originals and their sidecars: lost is lost.
    Library,
    /// Made from originals: may be deleted and made again.
    Derived,
}

/// Name of a blob, like `upload/<user>/<aa>/<bb>/<uuid>.jpg`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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

    /// Key of a film that was taken out of a still's file: `upload/<user>/<aa>/<bb>/<film>-MP.mp4`.
    #[must_use]
    pub fn motion_part(user_id: Uuid, film_id: Uuid) -> Self {
        Self(format!("{}{MOTION_PART}", spread("upload", user_id, film_id)))
    }

    /// Whether it is such a film's.
    #[must_use]
    pub fn is_motion_part(&self) -> bool {
        self.0.ends_with(MOTION_PART)
    }

    /// Key of a sidecar that lies beside an original: the original's key with `.xmp` behind it.
    #[must_use]
    pub fn sidecar(&self) -> Self {
        Self(format!("{}.xmp", self.0))
    }

    /// Key of a picture made of an asset: `thumbs/<user>/<aa>/<bb>/<asset>-preview-<recipe>.jpg`, or `.webp`.
    ///
    /// Of `recipe`, which names the options it is made with, only ASCII letters and digits are kept.
    #[must_use]
    pub fn made(
        (user_id, asset_id): (Uuid, Uuid),
        role: Role,
        recipe: &str,
        format: ImageFormat,
    ) -> Self {
        let recipe: String =
            recipe.chars().filter(char::is_ascii_alphanumeric).take(RECIPE_CHARS_MAX).collect();
        let (name, ending) = (spread("thumbs", user_id, asset_id), ending(format));
        Self(format!("{name}-{}-{recipe}.{ending}", role.word()))
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

    /// What the key ends with, from the name of its file: `.jpg`, or for a film that was taken out of a still
    /// `-MP.mp4`; empty where the name has no ending.
    #[must_use]
    pub fn ending(&self) -> &str {
        if self.is_motion_part() {
            return MOTION_PART;
        }
        let name = self.0.rsplit('/').next().unwrap_or_default();
        name.rfind('.').filter(|dot| *dot > 0).and_then(|dot| name.get(dot..)).unwrap_or_default()
    }

    /// The key as logs may have it: one that a storage template made is of people's words, and is left out.
    #[must_use]
    pub fn for_logs(&self) -> &str {
        if self.0.starts_with("library/") { "library/(not told)" } else { &self.0 }
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for BlobKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "BlobKey({:?})", self.for_logs())
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
        assert_eq!(BlobKey::person(user_id, file_id, user_id).area(), Area::Derived);
    }

    #[test]
    fn made_keys_are_valid_keys() {
        let (user_id, id) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let original = BlobKey::original(user_id, id, "");
        let keys = [
            original.sidecar(),
            original,
            BlobKey::made((user_id, id), Role::Thumbnail, "0a1b2c", ImageFormat::Webp),
            BlobKey::made((user_id, id), Role::EditedFullSize, "../x", ImageFormat::Jpeg),
            BlobKey::person(user_id, id, user_id),
            BlobKey::encoded_video(user_id, id),
            BlobKey::motion_part(user_id, id),
            BlobKey::profile(user_id, id, "png"),
        ];
        for key in keys {
            assert_eq!(BlobKey::parse(key.as_str()), Ok(key.clone()), "{key}");
        }
    }

    #[test]
    fn endings_are_what_follows_the_name() {
        for (key, ending) in [
            ("upload/u/aa/bb/a.jpg", ".jpg"),
            ("upload/u/aa/bb/a", ""),
            ("upload/u/aa/bb/a-MP.mp4", "-MP.mp4"),
            ("library/an.na/.hidden", ""),
        ] {
            assert_eq!(BlobKey::parse(key).unwrap().ending(), ending, "{key}");
        }
    }

    #[test]
    fn words_of_people_are_not_told_to_logs() {
        let key = BlobKey::parse("library/anna/2024/Meer.jpg").unwrap();
        assert!(!format!("{key:?} {}", key.for_logs()).contains("anna"));
        assert_eq!(key.to_string(), "library/anna/2024/Meer.jpg");
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
