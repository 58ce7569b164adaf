//! The form of a request, part by part: words into memory, a picture into a file that goes away with it.

use std::path::Path;

use axum::extract::Multipart;
use axum::extract::multipart::Field;
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt as _;

use super::refusal::Refusal;

/// The largest picture, in bytes.
const IMAGE_BYTES_MAX: usize = 128 << 20;
/// The longest text and the longest list of wishes, in bytes.
const WORDS_BYTES_MAX: usize = 64 << 10;
/// Parts of a form.
const PARTS_MAX: usize = 8;

/// What was sent.
#[derive(Debug, Default)]
pub(super) struct Form {
    pub(super) entries: Option<String>,
    pub(super) text: Option<String>,
    pub(super) image: Option<NamedTempFile>,
}

impl Form {
    /// Reads all parts. Pictures go into files in `tmp`.
    pub(super) async fn read(mut parts: Multipart, tmp: &Path) -> Result<Self, Refusal> {
        let mut form = Self::default();
        let mut count = 0;
        while let Some(part) = parts.next_field().await.map_err(|it| broken(&it))? {
            count += 1;
            if count > PARTS_MAX {
                return Err(Refusal::unreadable("too many parts"));
            }
            match part.name().unwrap_or_default() {
                "entries" => form.entries = Some(words(part).await?),
                "text" => form.text = Some(words(part).await?),
                "image" => form.image = Some(image(part, tmp).await?),
                _ => {}
            }
        }
        if form.text.is_none() && form.image.is_none() {
            return Err(Refusal::nothing_to_look_at());
        }
        Ok(form)
    }
}

async fn words(mut part: Field<'_>) -> Result<String, Refusal> {
    let mut bytes = Vec::new();
    while let Some(piece) = part.chunk().await.map_err(|it| broken(&it))? {
        if bytes.len() + piece.len() > WORDS_BYTES_MAX {
            return Err(Refusal::too_large());
        }
        bytes.extend_from_slice(&piece);
    }
    String::from_utf8(bytes).map_err(|_| Refusal::unreadable("words are no UTF-8"))
}

async fn image(mut part: Field<'_>, tmp: &Path) -> Result<NamedTempFile, Refusal> {
    let file = NamedTempFile::new_in(tmp).map_err(|error| Refusal::unkept(&error))?;
    let into = file.reopen().map_err(|error| Refusal::unkept(&error))?;
    let mut into = tokio::fs::File::from_std(into);
    let mut length = 0;
    while let Some(piece) = part.chunk().await.map_err(|it| broken(&it))? {
        length += piece.len();
        if length > IMAGE_BYTES_MAX {
            return Err(Refusal::too_large());
        }
        into.write_all(&piece).await.map_err(|error| Refusal::unkept(&error))?;
    }
    into.flush().await.map_err(|error| Refusal::unkept(&error))?;
    Ok(file)
}

fn broken(error: &axum::extract::multipart::MultipartError) -> Refusal {
    Refusal::unreadable(&error.body_text())
}
