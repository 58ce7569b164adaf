//! Where a backup lies.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use calotype_media::blob::S3Place;
use calotype_media::objects::Objects;
use clap::Args;

use crate::config::Config;
use crate::operator::Live;
use crate::storage::{self, said};

/// What the address of a bucket begins with.
const BUCKET: &str = "s3://";

/// The store of a backup, where it is a bucket. Its access key is in `CALOTYPE_BACKUP_S3_KEY_ID` and
/// `CALOTYPE_BACKUP_S3_SECRET`, else it is that of the server's own bucket.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub(crate) struct StoreWords {
    /// The address of the backup's store, such as `https://s3.example.com`. Default: that of the server's own
    /// bucket, else Amazon's.
    #[arg(long, env = "CALOTYPE_BACKUP_S3_ENDPOINT", value_name = "URL")]
    s3_endpoint: Option<String>,
    /// The region of the backup's bucket.
    #[arg(long, env = "CALOTYPE_BACKUP_S3_REGION", value_name = "REGION")]
    s3_region: Option<String>,
}

/// The place of that name. Nothing is made, and nobody is asked.
///
/// # Errors
/// An address that is none, or an access key that is missing.
pub(crate) fn open(address: &str, words: &StoreWords, config: &Config) -> anyhow::Result<Objects> {
    if !address.starts_with(BUCKET) {
        ensure!(!address.is_empty(), "say where the backup lies");
        return Ok(Objects::in_folder(PathBuf::from(address)));
    }
    let key = (
        said(&["CALOTYPE_BACKUP_S3_KEY_ID", "CALOTYPE_S3_KEY_ID", "AWS_ACCESS_KEY_ID"]),
        said(&["CALOTYPE_BACKUP_S3_SECRET", "CALOTYPE_S3_SECRET", "AWS_SECRET_ACCESS_KEY"]),
    );
    let endpoint = words.s3_endpoint.clone().or_else(|| config.s3_endpoint.clone());
    let region = words.s3_region.clone().or_else(|| config.s3_region.clone());
    let place = S3Place::parse(address, endpoint, region, key).context(
        "the place of the backup is not right: it is a folder, or s3://BUCKET/FOLDER with \
         CALOTYPE_BACKUP_S3_KEY_ID and CALOTYPE_BACKUP_S3_SECRET in the environment",
    )?;
    Ok(Objects::in_bucket(&place)?)
}

/// Refuses a place that goes where the server goes.
pub(super) fn require_apart(address: &str, live: &Live) -> anyhow::Result<()> {
    if address.starts_with(BUCKET) {
        let own = storage::place(&live.config)?;
        let own = own.map(|own| format!("{BUCKET}{}/{}", own.bucket, own.prefix));
        ensure!(
            own.as_deref() != Some(address.trim_end_matches('/')),
            "the server's own files lie there: say another folder of a bucket"
        );
        return Ok(());
    }
    let path = Path::new(address);
    let there = path.ancestors().find_map(|some| {
        let some = if some.as_os_str().is_empty() { Path::new(".") } else { some };
        some.canonicalize().ok()
    });
    ensure!(
        !there.is_some_and(|there| there.starts_with(live.root())),
        "a backup inside the data folder is lost with it: say another folder"
    );
    Ok(())
}
