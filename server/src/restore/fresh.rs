//! The empty place that a backup is restored into: a new data folder, and its own database or an empty one.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use calotype_eventstore::Keyring;
use calotype_eventstore::backup::is_empty;
use calotype_media::blob::BlobStore;
use sqlx::postgres::{PgPool, PgPoolOptions};

use super::plan::Plan;
use crate::backup::{Digest, SECRETS};
use crate::config::Config;
use crate::embedded::{DataFolder, Embedded};
use crate::storage;
use crate::wiring::{self, Core, Places};

/// The file that says that a restore was begun and did not end.
const MARK: &str = "restoring";
/// What may lie in the folder before.
const ALLOWED: [&str; 2] = ["calotype.toml", "keys"];

/// A data folder that is being filled. Its own servers run.
pub(super) struct Fresh {
    folder: Arc<DataFolder>,
    embedded: Embedded,
    places: Places,
    config: Config,
    /// The database, as its owner.
    pub(super) owner: PgPool,
}

/// Refuses a data folder whose restore did not end.
///
/// # Errors
/// It did not.
pub(crate) fn refuse_unfinished(root: &Path) -> anyhow::Result<()> {
    ensure!(
        !root.join(MARK).exists(),
        "a restore into {} did not end: remove the folder (keep its keys where you have no others), and restore again",
        root.display()
    );
    Ok(())
}

impl Fresh {
    /// Makes the folder and its database; refuses what is not empty.
    pub(super) async fn open(config: &Config, plan: &Plan) -> anyhow::Result<Self> {
        let root = make_root(&config.data)?;
        put_secrets(&root, plan).await?;
        ensure!(
            root.join("keys").join("master.key").exists(),
            "the master key is needed, and this backup has none: put the one of that server into {}",
            root.join("keys").join("master.key").display()
        );
        mark(&root)?;
        let opened = Box::pin(Self::open_marked(config, &root)).await;
        if opened.is_err() {
            // Nothing was restored: what is in the way is somewhere else.
            std::fs::remove_file(root.join(MARK)).ok();
        }
        opened
    }

    async fn open_marked(config: &Config, root: &Path) -> anyhow::Result<Self> {
        let folder = Arc::new(DataFolder::open_exclusive(root)?);
        let (embedded, places) =
            Box::pin(wiring::places(&folder, config.database_url.as_deref(), None, false)).await?;
        match open_database(&places).await {
            Ok(owner) => Ok(Self { folder, embedded, places, config: config.clone(), owner }),
            Err(error) => {
                embedded.stop().await;
                Err(error)
            }
        }
    }

    pub(super) fn root(&self) -> &Path {
        self.folder.root()
    }

    pub(super) fn keyring(&self) -> anyhow::Result<Keyring> {
        Keyring::open(self.folder.keys()).context("failed to open the keys")
    }

    pub(super) async fn core(&self) -> anyhow::Result<Core> {
        wiring::core(&self.folder, &self.places, None).await
    }

    pub(super) async fn blobs(&self) -> anyhow::Result<BlobStore> {
        storage::open(&self.config, &self.folder).await
    }

    /// Says that the restore ended.
    pub(super) fn finish(&self) -> anyhow::Result<()> {
        std::fs::remove_file(self.root().join(MARK)).context("failed to say that it ended")
    }

    pub(super) async fn close(self) {
        self.owner.close().await;
        self.embedded.stop().await;
    }
}

async fn open_database(places: &Places) -> anyhow::Result<PgPool> {
    Box::pin(wiring::migrate(&places.owner_url)).await?;
    let owner = PgPoolOptions::new()
        .max_connections(2)
        .connect(&places.owner_url)
        .await
        .context("failed to reach the database")?;
    let is_empty = is_empty(&owner).await?;
    if !is_empty {
        owner.close().await;
        bail!("the database has a log already: a backup is restored into an empty one only");
    }
    Ok(owner)
}

fn make_root(data: &Path) -> anyhow::Result<PathBuf> {
    if data.exists() {
        refuse_unfinished(data)?;
        for entry in std::fs::read_dir(data).context("failed to look into the data folder")? {
            let name = entry?.file_name();
            ensure!(
                ALLOWED.iter().any(|allowed| name == *allowed),
                "{} is not empty: a backup is restored into a new folder, in which only keys and calotype.toml may lie",
                data.display()
            );
        }
    }
    let mode = if rustix::process::geteuid().is_root() { 0o711 } else { 0o700 };
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(data)
        .with_context(|| format!("failed to make {}", data.display()))?;
    data.canonicalize().context("failed to find the data folder")
}

/// Puts the keys of the backup where there are none, if it has them.
async fn put_secrets(root: &Path, plan: &Plan) -> anyhow::Result<()> {
    let Some(part) = &plan.manifest.secrets else { return Ok(()) };
    let bytes = plan.objects.get(&part.name).await?;
    let bytes = bytes.with_context(|| format!("{} is missing in the backup", part.name))?;
    ensure!(Digest::of(&bytes) == part.blake3, "{} was changed in the backup", part.name);
    let secrets: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&bytes)?;
    let keys = root.join("keys");
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&keys)?;
    for name in SECRETS {
        let (path, text) = (keys.join(name), secrets.get(name).and_then(|text| text.as_str()));
        let Some(text) = text.filter(|_| !path.exists()) else { continue };
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
    }
    Ok(())
}

fn mark(root: &Path) -> anyhow::Result<()> {
    let text = "calotype restore has begun here, and has not ended\n";
    std::fs::write(root.join(MARK), text).context("failed to mark the data folder")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_new_folders_are_filled() {
        let parent = tempfile::tempdir().unwrap();
        let data = parent.path().join("new");
        std::fs::create_dir_all(data.join("keys")).unwrap();
        std::fs::write(data.join("calotype.toml"), "port = 1").unwrap();
        let root = make_root(&data).unwrap();
        refuse_unfinished(&root).unwrap();

        mark(&root).unwrap();
        refuse_unfinished(&root).unwrap_err();
        let refused = make_root(&data).unwrap_err().to_string();
        assert!(refused.contains("did not end"), "{refused}");
        std::fs::rename(root.join(MARK), root.join("library")).unwrap();
        let refused = make_root(&data).unwrap_err().to_string();
        assert!(refused.contains("not empty"), "{refused}");
    }
}
