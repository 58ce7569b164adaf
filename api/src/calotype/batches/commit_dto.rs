//! Bodies of a commit: albums, files and what is said of them, and what became of them.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// An album that is to be made.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(super) struct CommitAlbumDto {
    /// What the client calls it in this batch; the same key is the same album.
    key: String,
    album_name: String,
    description: Option<String>,
}

/// A file, and what is said of it.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(super) struct CommitFileDto {
    /// SHA-1 in hex; the file's key in the batch.
    sha1: String,
    /// BLAKE3 in hex; a file without it is `missing` unless its owner has the bytes.
    blake3: Option<String>,
    file_name: String,
    #[schema(format = DateTime)]
    file_created_at: String,
    #[schema(format = DateTime)]
    file_modified_at: String,
    is_favorite: Option<bool>,
    /// `timeline` or `archive`.
    visibility: Option<String>,
    /// The text of an XMP file that lies beside it, at most 1 MiB.
    sidecar: Option<String>,
    /// The film of the same request that makes it a live photo.
    film_sha1: Option<String>,
    description: Option<String>,
    date_time_original: Option<String>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    rating: Option<i8>,
    /// Albums that were there before.
    album_ids: Option<Vec<Uuid>>,
    /// Albums of this batch.
    album_keys: Option<Vec<String>>,
    /// Paths of tags, `Travel/Rhône`.
    tags: Option<Vec<String>>,
    /// Who is on it, at most 100; is said of new files only.
    people: Option<Vec<CommitPersonDto>>,
}

/// Somebody on a photo.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(super) struct CommitPersonDto {
    /// The caller's person of this name; made where there is none.
    name: String,
    /// Where their face is; without it they are on the photo without a place.
    face: Option<CommitFaceDto>,
}

/// A box on the photo as it shows: fractions of its width and height, 0 to 1, from the top left.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(super) struct CommitFaceDto {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
    /// Pixels of the photo as it shows, where the client knows them.
    image_width: Option<u32>,
    image_height: Option<u32>,
}

/// Files that show as one.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(super) struct CommitStackDto {
    /// What the client calls it in this batch; the same key is the same stack.
    key: String,
    /// Its files in order, of this request or earlier ones of the batch; others are left out.
    sha1s: Vec<String>,
    /// The one that stands for it; otherwise the first.
    primary_sha1: Option<String>,
}

/// Albums, files and stacks, at most 500 of each.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(super) struct CommitBatchDto {
    albums: Option<Vec<CommitAlbumDto>>,
    files: Vec<CommitFileDto>,
    /// With at most 500 files altogether; nothing happens where no file of the request is new to the batch.
    stacks: Option<Vec<CommitStackDto>>,
}

/// An album of the batch.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CommittedAlbumDto {
    pub(super) key: String,
    pub(super) album_id: Uuid,
}

/// What became of a file.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CommittedFileDto {
    pub(super) sha1: String,
    /// `created`; `duplicate`: its owner had the bytes; `missing`: it is to be sent first, and was left out.
    pub(super) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) asset_id: Option<Uuid>,
}

/// What became of a request.
#[derive(Serialize, ToSchema)]
pub(super) struct CommitBatchResponseDto {
    pub(super) albums: Vec<CommittedAlbumDto>,
    pub(super) files: Vec<CommittedFileDto>,
}
