//! Where originals and what is made of them lie: in the data folder, or in a bucket that the configuration names.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use calotype_media::blob::{BlobStore, S3Place};

use crate::config::Config;
use crate::embedded::DataFolder;

/// Of blobs that programs need as files so many bytes are fetched at once, unless somebody says otherwise.
const SCRATCH_BYTES: u64 = 8 << 30;
/// The file of the data folder that names the bucket its blobs are in.
const MARK: &str = "storage";

/// The bucket that is configured, with the access key from the environment; none where blobs lie in the folder.
///
/// # Errors
/// When the address is none, or the access key is missing.
pub fn place(config: &Config) -> anyhow::Result<Option<S3Place>> {
    let Some(address) = &config.storage else { return Ok(None) };
    let key = (
        said(&["CALOTYPE_S3_KEY_ID", "AWS_ACCESS_KEY_ID"]),
        said(&["CALOTYPE_S3_SECRET", "AWS_SECRET_ACCESS_KEY"]),
    );
    let place = S3Place::parse(address, config.s3_endpoint.clone(), config.s3_region.clone(), key)
        .context(
            "the storage is not right: it is s3://BUCKET/FOLDER, with CALOTYPE_S3_KEY_ID and \
             CALOTYPE_S3_SECRET in the environment, and the store's address in s3_endpoint where \
             it is not Amazon's",
        )?;
    Ok(Some(place))
}

/// The first of some variables that says something.
pub(crate) fn said(names: &[&str]) -> String {
    let said = names.iter().filter_map(|name| std::env::var(name).ok());
    said.into_iter().find(|value| !value.is_empty()).unwrap_or_default()
}

/// Opens originals and what is made of them. A bucket is not asked anything yet: it may be away for now.
///
/// # Errors
/// When the folder cannot be made or read, or its blobs lie elsewhere than the configuration says.
pub async fn open(config: &Config, folder: &DataFolder) -> anyhow::Result<BlobStore> {
    let place = place(config)?;
    // Before the store makes its folders, which tell that blobs lie here.
    require_same(folder.root(), place.as_ref())?;
    let opened = if config.is_divided() {
        BlobStore::open_shared(folder.root()).await
    } else {
        BlobStore::open(folder.root()).await
    };
    let store = opened.context("failed to open the folder of originals")?;
    if let Some(place) = &place {
        tracing::info!(storage = %place, "originals and what is made of them lie in a bucket");
    }
    in_place(store, place, config)
}

/// Opens them beside a server that may have the folder open.
///
/// # Errors
/// As [`open`].
pub(crate) async fn open_shared(config: &Config, root: &Path) -> anyhow::Result<BlobStore> {
    let place = place(config)?;
    require_same(root, place.as_ref())?;
    let opened = BlobStore::open_shared(root).await;
    in_place(opened.context("failed to open the folder of originals")?, place, config)
}

fn in_place(
    store: BlobStore,
    place: Option<S3Place>,
    config: &Config,
) -> anyhow::Result<BlobStore> {
    let Some(place) = place else { return Ok(store) };
    let scratch_bytes = config.scratch.map_or(SCRATCH_BYTES, |size| size.bytes);
    store.in_bucket(place, scratch_bytes).context("failed to set up the bucket")
}

/// Refuses to go on where the blobs of a data folder lie elsewhere: all would seem to be missing.
fn require_same(data: &Path, place: Option<&S3Place>) -> anyhow::Result<()> {
    let mark = data.join(MARK);
    let known = match std::fs::read_to_string(&mark) {
        Ok(text) => Some(text.trim().to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => {
            return Err(error).with_context(|| format!("failed to read {}", mark.display()));
        }
    };
    let wanted = place.map(|place| format!("s3://{}/{}", place.bucket, place.prefix));
    match (known, wanted) {
        (None, None) => Ok(()),
        (Some(known), Some(wanted)) if known == wanted => Ok(()),
        (None, Some(wanted)) => {
            ensure!(
                !has_files(&data.join("library")),
                "the originals of {} lie in its folder library, and the storage is {wanted}: copy \
                 the folders library and derived into the bucket, and move them away here",
                data.display()
            );
            std::fs::write(&mark, format!("{wanted}\n"))
                .with_context(|| format!("failed to write {}", mark.display()))
        }
        (Some(known), wanted) => bail!(
            "the originals of {} lie in {known}, and the storage is {}: copy them there, and then \
             remove {}",
            data.display(),
            wanted.as_deref().unwrap_or("the data folder"),
            mark.display()
        ),
    }
}

/// Whether something lies in a folder, or below it.
fn has_files(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.filter_map(Result::ok).any(|entry| {
        let is_folder = entry.file_type().is_ok_and(|it| it.is_dir());
        !is_folder || has_files(&entry.path())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(name: &str) -> S3Place {
        let key = ("AKID".to_owned(), "hush".to_owned());
        S3Place::parse(&format!("s3://{name}/home"), None, None, key).unwrap()
    }

    #[test]
    fn folder_stays_with_its_bucket() {
        let data = tempfile::tempdir().unwrap();
        require_same(data.path(), None).unwrap();
        for _ in 0..2 {
            require_same(data.path(), Some(&bucket("photos"))).unwrap();
        }
        for other in [None, Some(&bucket("others"))] {
            let refused = require_same(data.path(), other).unwrap_err().to_string();
            assert!(refused.contains("s3://photos/home"), "{refused}");
        }
    }

    #[test]
    fn folder_with_originals_gets_no_bucket() {
        let data = tempfile::tempdir().unwrap();
        let below = data.path().join("library/upload/anna");
        std::fs::create_dir_all(&below).unwrap();
        std::fs::write(below.join("a.jpg"), b"a").unwrap();
        require_same(data.path(), Some(&bucket("photos"))).unwrap_err();
        std::fs::remove_file(below.join("a.jpg")).unwrap();
        require_same(data.path(), Some(&bucket("photos"))).unwrap();
    }
}
