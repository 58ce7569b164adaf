//! Where the bytes of an asset are read: where its original, or its file of a library, lies now.

use std::path::{Path, PathBuf};

use calotype_domain::AssetId;
use calotype_domain::asset::{Asset, AssetUploaded, TEMPLATED_ROOT};
use calotype_media::blob::{LocalFile, Location};
use calotype_media::decoder::DecodeError;

use crate::error::ProcessorError;
use crate::worker::Worker;

/// The first event of an asset with what its file is now and where it lies; `None` of one that is missing: there is nothing to
/// work on.
pub(crate) fn as_it_lies(asset: &Asset, mut uploaded: AssetUploaded) -> Option<AssetUploaded> {
    let Some(file) = asset.external() else {
        asset.places().original().clone_into(&mut uploaded.original.key);
        return Some(uploaded);
    };
    if file.is_offline {
        return None;
    }
    let name = file.path.rsplit('/').next().unwrap_or_default().to_owned();
    uploaded.original.key.clone_from(&file.path);
    uploaded.original.size_bytes = file.content.size_bytes;
    uploaded.original.blake3.clone_from(&file.content.blake3);
    uploaded.file = calotype_domain::asset::UploadedFile { original_file_name: name }.into();
    uploaded.file_created_at = uploaded.file_created_at.min(file.content.modified_at);
    uploaded.file_modified_at = file.content.modified_at;
    Some(uploaded)
}

/// A path where nothing is.
pub(crate) const NOTHING: &str = "/nonexistent/blob";

impl Worker {
    /// The file that an original is read from, as long as it is kept; one in the bucket is fetched. Of one that is
    /// missing there it names nothing, as a missing file of the data folder does: its reader finds out.
    pub(crate) async fn source_of(&self, original: &str) -> Result<LocalFile, ProcessorError> {
        let unavailable = |reason: &str| {
            ProcessorError::Decoder(DecodeError::Unavailable { reason: reason.to_owned() })
        };
        let lies = Location::parse(original).map_err(|_| unavailable("its key is not right"))?;
        match (self.blobs.readable(&lies).await?, lies) {
            (Some(file), _) => Ok(file),
            (None, Location::Stored(_)) => Ok(LocalFile::at(PathBuf::from(NOTHING))),
            (None, Location::External(_)) => Err(unavailable("its file is not there")),
        }
    }

    /// Whether an original lies where it was read a while ago. Once it was moved away another may lie there, so
    /// what was read is not taken for its own.
    pub(crate) async fn lies_still(
        &self,
        asset_id: AssetId,
        original: &str,
    ) -> Result<bool, ProcessorError> {
        if !original.starts_with(TEMPLATED_ROOT) {
            return Ok(true);
        }
        Ok(self.commands.asset(asset_id).await?.places().original() == original)
    }

    /// The XMP file that lies beside a file of a library: `a.jpg.xmp`, or else `a.xmp`. None beside what is
    /// stored here.
    pub(crate) async fn sidecar_beside(
        &self,
        original: &str,
    ) -> Result<Option<LocalFile>, ProcessorError> {
        let Ok(Location::External(path)) = Location::parse(original) else { return Ok(None) };
        let mut appended = path.clone().into_os_string();
        appended.push(".xmp");
        for beside in [PathBuf::from(appended), path.with_extension("xmp")] {
            let found = self.blobs.readable(&Location::External(beside)).await?;
            if let Some(found) = found.filter(|found| found.path() != Path::new(original)) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}
