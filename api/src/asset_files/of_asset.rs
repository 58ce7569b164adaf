//! Which files lie beside an asset's original, and by which ids they are known.
//!
//! The id of a file is that of its asset with other last bits, one pattern for each kind of file: so it stays
//! the same when the file is made anew, and no table has to keep it.

use calotype_domain::asset::DerivedFile;
use calotype_domain::permission::Permission;
use calotype_media::blob::{BlobKey, HowWritten};
use calotype_projections::assets::AssetRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::require_asset;
use crate::caller::Caller;
use crate::dates;
use crate::problem::Problem;
use crate::state::Api;

/// Immich's words for kinds of files, in the order of its schema.
pub(super) const TYPES: [&str; 5] =
    ["fullsize", "preview", "thumbnail", "sidecar", "encoded_video"];

/// Every kind of file, whether it is of the edited photo, and the bits that make its id. Bits never change.
const KINDS: [(DerivedFile, bool, u8); 8] = [
    (DerivedFile::FullSize, false, 1),
    (DerivedFile::Preview, false, 2),
    (DerivedFile::Thumbnail, false, 3),
    (DerivedFile::Sidecar, false, 4),
    (DerivedFile::EncodedVideo, false, 5),
    (DerivedFile::FullSize, true, 6),
    (DerivedFile::Preview, true, 7),
    (DerivedFile::Thumbnail, true, 8),
];

/// A file beside an original.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileOf {
    pub(super) id: Uuid,
    pub(super) asset_id: Uuid,
    pub(super) file: DerivedFile,
    pub(super) is_edited: bool,
    pub(super) key: String,
    pub(super) written: HowWritten,
    created_at: String,
    updated_at: String,
}

impl FileOf {
    /// Immich's word for its kind.
    pub(super) const fn kind(&self) -> &'static str {
        match self.file {
            DerivedFile::FullSize => "fullsize",
            DerivedFile::Preview => "preview",
            DerivedFile::Thumbnail => "thumbnail",
            DerivedFile::Sidecar => "sidecar",
            DerivedFile::EncodedVideo => "encoded_video",
        }
    }
}

/// A file as clients see it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AssetFileResponseDto {
    id: Uuid,
    #[schema(value_type = String)]
    r#type: &'static str,
    path: String,
    is_edited: bool,
    is_progressive: bool,
    is_transparent: bool,
    created_at: String,
    updated_at: String,
}

impl From<FileOf> for AssetFileResponseDto {
    fn from(file: FileOf) -> Self {
        Self {
            id: file.id,
            r#type: file.kind(),
            path: format!("/data/{}", file.key),
            is_edited: file.is_edited,
            is_progressive: file.written.is_progressive,
            is_transparent: file.written.is_transparent,
            created_at: file.created_at,
            updated_at: file.updated_at,
        }
    }
}

/// The other of an asset's id and a file's.
const fn turned(id: Uuid, bits: u8) -> Uuid {
    let mut bytes = *id.as_bytes();
    bytes[15] ^= bits;
    Uuid::from_bytes(bytes)
}

/// The files that lie beside an asset's original.
pub(super) fn files_of(row: &AssetRow, encoded_key: Option<&str>) -> Vec<FileOf> {
    let edited = row.edited_pictures();
    let key = |file, is_edited| match (file, is_edited) {
        (DerivedFile::FullSize, false) => row.full_size_key.as_deref(),
        (DerivedFile::Preview, false) => row.preview_key.as_deref(),
        (DerivedFile::Thumbnail, false) => row.thumbnail_key.as_deref(),
        (DerivedFile::Sidecar, _) => row.sidecar_key.as_deref(),
        (DerivedFile::EncodedVideo, _) => encoded_key,
        (DerivedFile::FullSize, true) => edited.map(|made| made.full_size_key.as_str()),
        (DerivedFile::Preview, true) => edited.map(|made| made.preview_key.as_str()),
        (DerivedFile::Thumbnail, true) => edited.map(|made| made.thumbnail_key.as_str()),
    };
    let there = KINDS.iter().filter_map(|(file, is_edited, bits)| {
        Some((*file, *is_edited, *bits, key(*file, *is_edited)?))
    });
    there
        .map(|(file, is_edited, bits, key)| FileOf {
            id: turned(row.asset_id, bits),
            asset_id: row.asset_id,
            file,
            is_edited,
            key: key.to_owned(),
            written: HowWritten::default(),
            created_at: dates::iso(row.created_at),
            updated_at: dates::iso(row.updated_at),
        })
        .collect()
}

/// Looks into the pictures among some files how they are written: nothing else keeps that.
///
/// # Errors
/// When looking was cut off.
pub(super) async fn look_into(api: &Api, files: &mut [FileOf]) -> Result<(), Problem> {
    let picture = |file: &FileOf| match file.file {
        DerivedFile::FullSize | DerivedFile::Preview | DerivedFile::Thumbnail => {
            BlobKey::parse(&file.key).ok()
        }
        DerivedFile::Sidecar | DerivedFile::EncodedVideo => None,
    };
    let looks = api.blobs.how_written(files.iter().map(picture).collect()).await;
    let looks = looks.map_err(|error| Problem::internal(&error))?;
    for (file, written) in files.iter_mut().zip(looks) {
        file.written = written;
    }
    Ok(())
}

/// The file of an id, which the caller may use for `permission`: it is theirs.
///
/// # Errors
/// 400 `Not found or no … access`, for a missing file too.
pub(super) async fn allowed_file(
    api: &Api,
    caller: &Caller,
    permission: Permission,
    id: Uuid,
) -> Result<(FileOf, AssetRow), Problem> {
    let candidates: Vec<Uuid> = KINDS.iter().map(|(.., bits)| turned(id, *bits)).collect();
    for row in api.queries.assets(&candidates).await? {
        let encoded = api.queries.encoded_film(row.asset_id).await?;
        let found = files_of(&row, encoded.as_deref()).into_iter().find(|file| file.id == id);
        if let Some(file) = found {
            require_asset(api, caller, permission, Some(&row)).await?;
            caller.require_owned(permission, Some(row.owner_id))?;
            return Ok((file, row));
        }
    }
    Err(Problem::no_access(permission))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_kind_of_file_has_an_id_of_its_own_that_leads_back_to_the_asset() {
        let asset_id = Uuid::from_u128(0x9b1d_eb4d_3b7d_4bad_9bdd_2b0d_7b3d_cb6d);
        let ids: BTreeSet<Uuid> = KINDS.iter().map(|(.., bits)| turned(asset_id, *bits)).collect();
        assert_eq!(ids.len(), KINDS.len());
        assert!(!ids.contains(&asset_id));
        for (.., bits) in KINDS {
            let id = turned(asset_id, bits);
            assert_eq!((turned(id, bits), id.get_version_num()), (asset_id, 4));
        }
    }
}
