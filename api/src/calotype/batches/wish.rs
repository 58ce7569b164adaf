//! What clients say of the files of a batch, checked.

use calotype_commands::batches::{AlbumOf, NewBatchAlbum, PersonOn};
use calotype_domain::AlbumId;
use calotype_domain::album::AlbumText;
use calotype_domain::asset::{Details, Visibility};
use calotype_media::kind::{Family, FileType, by_extension};
use chrono::{DateTime, Utc};
use serde_json::json;

use super::said_of_others::people;
use crate::assets::names;
use crate::assets::update_asset::details;
use crate::problem::Problem;
use crate::validate::Fields;

/// Files that one question may be about.
pub(super) const FILES_CHECKED_MAX: usize = 5_000;
/// The longest key of an album in a batch, in characters.
pub(super) const KEY_CHARS_MAX: usize = 255;
/// The largest sidecar, in bytes.
const SIDECAR_BYTES_MAX: usize = 1024 * 1024;
/// Tags, and albums, of one file.
pub(super) const WORDS_MAX: usize = 100;

/// A file by its digests, in lower-case hex.
pub(super) struct FileName {
    /// 40 characters.
    pub(super) sha1: String,
    /// 64 characters; nothing where the client has not read the file.
    pub(super) blake3: Option<String>,
    /// As this server spells it.
    pub(super) extension: &'static str,
}

/// What is said of one file that is to be committed.
pub(super) struct Said {
    pub(super) sha1: String,
    /// Nothing where the client has not read the file: then it is one that its owner has.
    pub(super) blake3: Option<String>,
    pub(super) file_name: String,
    pub(super) file_type: Option<&'static FileType>,
    pub(super) file_created_at: Option<DateTime<Utc>>,
    pub(super) file_modified_at: Option<DateTime<Utc>>,
    pub(super) is_favorite: bool,
    pub(super) visibility: Visibility,
    /// The text of an XMP file.
    pub(super) sidecar: Option<String>,
    pub(super) film_sha1: Option<String>,
    pub(super) details: Details,
    pub(super) date: Option<crate::validate::Said>,
    pub(super) albums: Vec<AlbumOf>,
    pub(super) tags: Vec<String>,
    pub(super) people: Vec<PersonOn>,
}

/// 400 for a longer list.
pub(super) fn too_many(most: usize) -> Problem {
    Problem::bad_request(format!("Too big: expected at most {most} files"))
}

/// A file in a list.
pub(super) fn file_name(fields: &mut Fields) -> FileName {
    let sha1 = digest(fields, "sha1", 40);
    named_file(fields, &sha1)
}

/// A file whose SHA-1 is told elsewhere.
pub(super) fn named_file(fields: &mut Fields, sha1: &str) -> FileName {
    let sha1 = sha1.to_ascii_lowercase();
    if !is_hex(&sha1, 40) {
        bad(fields, "sha1", "Invalid digest");
    }
    let blake3 = blake3(fields);
    let extension = fields.required_string("extension");
    let file_type = by_extension(&extension).filter(|it| it.family != Family::Sidecar);
    if file_type.is_none() {
        bad(fields, "extension", "Unsupported file type");
    }
    FileName { sha1, blake3, extension: file_type.map_or("", |it| it.extension) }
}

/// An album that a batch is to make.
pub(super) fn album(fields: &mut Fields) -> NewBatchAlbum {
    let key = fields.required_string_of("key", 1);
    if key.chars().count() > KEY_CHARS_MAX {
        bad(fields, "key", "Too big: expected string to have <=255 characters");
    }
    let name = fields.required_string_of("albumName", 1);
    let description = fields.string("description").unwrap_or_default();
    NewBatchAlbum { key, text: AlbumText { name, description } }
}

/// What is said of a file.
pub(super) fn said(fields: &mut Fields) -> Result<Said, Problem> {
    let sha1 = digest(fields, "sha1", 40);
    let blake3 = blake3(fields);
    let file_name = names::clean(&fields.required_string_of("fileName", 1));
    let file_type = names::file_type(&file_name).filter(|it| it.family != Family::Sidecar);
    if file_type.is_none() {
        bad(fields, "fileName", "Unsupported file type");
    }
    let created = fields.required_datetime("fileCreatedAt");
    let modified = fields.required_datetime("fileModifiedAt");
    let sidecar = fields.string("sidecar").filter(|text| !text.is_empty());
    if sidecar.as_ref().is_some_and(|text| text.len() > SIDECAR_BYTES_MAX) {
        bad(fields, "sidecar", "Too big: expected at most 1 MiB");
    }
    let film_sha1 = fields.has("filmSha1").then(|| digest(fields, "filmSha1", 40));
    let albums = albums(fields);
    let tags =
        if fields.has("tags") { fields.required_strings("tags", WORDS_MAX) } else { Vec::new() };
    let people = people(fields);
    let (mut details, date) = details(fields)?;
    let is_favorite = details.favorite.take().unwrap_or_default();
    let visibility = details.visibility.take().unwrap_or_default();
    if !matches!(visibility, Visibility::Timeline | Visibility::Archive) {
        bad(fields, "visibility", "Invalid option: expected one of \"timeline\"|\"archive\"");
    }
    Ok(Said {
        sha1,
        blake3,
        file_name,
        file_type,
        file_created_at: created.map(|at| at.to_utc()),
        file_modified_at: modified.map(|at| at.to_utc()),
        is_favorite,
        visibility,
        sidecar,
        film_sha1,
        details,
        date,
        albums,
        tags,
        people,
    })
}

fn albums(fields: &mut Fields) -> Vec<AlbumOf> {
    let mut albums: Vec<AlbumOf> = Vec::new();
    let ids = fields.uuids("albumIds").unwrap_or_default();
    albums.extend(ids.into_iter().map(|id| AlbumOf::Library(AlbumId::new(id))));
    if fields.has("albumKeys") {
        let keys = fields.required_strings("albumKeys", WORDS_MAX);
        albums.extend(keys.into_iter().map(AlbumOf::Batch));
    }
    if albums.len() > WORDS_MAX {
        bad(fields, "albumIds", "Too big: expected at most 100 albums");
    }
    albums
}

fn blake3(fields: &mut Fields) -> Option<String> {
    fields.has("blake3").then(|| digest(fields, "blake3", 64))
}

pub(super) fn digest(fields: &mut Fields, name: &str, chars: usize) -> String {
    let text = fields.required_string(name).to_ascii_lowercase();
    if !text.is_empty() && !is_hex(&text, chars) {
        bad(fields, name, "Invalid digest");
    }
    text
}

pub(super) fn is_hex(text: &str, chars: usize) -> bool {
    text.len() == chars && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

pub(super) fn bad(fields: &mut Fields, name: &str, message: &str) {
    fields.issue(json!({ "code": "custom", "path": [name], "message": message }));
}
