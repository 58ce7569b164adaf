//! What kind of file something is: by its name for accepting uploads, by its bytes for decoding.

mod sniff;
mod table;

use serde::Serialize;

pub(crate) use sniff::{RAW_MIMES, raw_mime_of_maker};
pub use sniff::{Sniffed, sniff};

/// The families of files that the library takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// A still picture, camera RAW included.
    Image,
    /// A film.
    Video,
    /// A file beside a picture that says something about it (XMP).
    Sidecar,
}

/// One accepted file type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileType {
    /// Lower-case extension without the dot.
    pub extension: &'static str,
    /// MIME type that the API reports for files of this extension.
    pub mime: &'static str,
    /// Family.
    pub family: Family,
}

/// Answer of `GET /server/media-types`: extensions with their dots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MediaTypes {
    /// Extensions of films.
    pub video: Vec<String>,
    /// Extensions of pictures.
    pub image: Vec<String>,
    /// Extensions of sidecars.
    pub sidecar: Vec<String>,
}

/// The lists of accepted extensions, in the order in which Immich gives them.
#[must_use]
pub fn media_types() -> MediaTypes {
    let dotted = |types: &[FileType]| types.iter().map(|it| format!(".{}", it.extension)).collect();
    MediaTypes {
        video: dotted(table::VIDEOS),
        image: dotted(table::IMAGES),
        sidecar: dotted(table::SIDECARS),
    }
}

/// Types of pictures that every browser shows.
const WEB_SAFE: [&str; 6] =
    ["image/avif", "image/bmp", "image/gif", "image/jpeg", "image/png", "image/webp"];

/// Whether a file name promises a picture that every browser shows.
#[must_use]
pub fn is_web_safe_name(file_name: &str) -> bool {
    by_name(file_name).is_some_and(|it| WEB_SAFE.contains(&it.mime))
}

/// The type that a file name promises, by its last extension, in any case of letters.
#[must_use]
pub fn by_name(file_name: &str) -> Option<&'static FileType> {
    let (_, extension) = file_name.rsplit_once('.')?;
    by_extension(extension)
}

/// The type of an extension without its dot, in any case of letters.
#[must_use]
pub fn by_extension(extension: &str) -> Option<&'static FileType> {
    [table::IMAGES, table::VIDEOS, table::SIDECARS]
        .into_iter()
        .flatten()
        .find(|it| it.extension.eq_ignore_ascii_case(extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_found_in_any_case() {
        assert_eq!(by_name("IMG_1.JPG").map(|it| it.mime), Some("image/jpeg"));
        assert_eq!(by_name("a.b.HeIc").map(|it| it.mime), Some("image/heic"));
        assert_eq!(by_name("clip.MOV").map(|it| it.family), Some(Family::Video));
        assert_eq!(by_name("a.jpg.xmp").map(|it| it.family), Some(Family::Sidecar));
        assert_eq!(by_name("notes.txt"), None);
        assert_eq!(by_name("jpg"), None);
    }

    #[test]
    fn lists_have_the_numbers_immich_has() {
        let types = media_types();
        assert_eq!((types.video.len(), types.image.len(), types.sidecar.len()), (20, 48, 1));
    }
}
