//! A data folder that is only read, whether a server has it open or nobody: what is copied or compared comes from
//! its database and its files, beside a running server as on a closed folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use calotype_eventstore::{Keyring, Sequencer};
use calotype_media::blob::BlobStore;
use calotype_projections::Runner;
use calotype_projections::projection::{self, checkpoint_name};

use super::{Local, Target};
use crate::config::Config;
use crate::embedded::{DataFolder, EmbeddedError, owner_elsewhere, running_postgres};
use crate::proofs::LogProofs;
use crate::storage;
use crate::wiring::{self, Core, Places};

/// How often a running server is asked how far its read models are.
const POLL: Duration = Duration::from_millis(100);
/// How long its read models may stand still.
const STANDS_STILL_MAX: Duration = Duration::from_secs(120);

/// An opened data folder. Nothing is locked where a server has it open.
pub(crate) struct Live {
    pub(crate) core: Core,
    pub(crate) config: Config,
    root: PathBuf,
    /// Where nobody else has the folder open.
    local: Option<Local>,
}

impl Live {
    /// Opens a folder as it is.
    ///
    /// # Errors
    /// There is none, no server ever had it open, or it is another user's.
    pub(crate) async fn open(target: &Target) -> anyhow::Result<Self> {
        ensure!(
            target.server().is_none(),
            "this works on the machine that has the data folder, also while its server runs: say --data DIR, and no \
             --server"
        );
        let config = target.config()?;
        ensure!(
            config.event_store.is_none(),
            "the log is in KurrentDB: this copies and compares only logs in PostgreSQL; back up both by their own means"
        );
        ensure!(config.data.is_dir(), "there is no data folder {}", config.data.display());
        let root = config.data.canonicalize().context("failed to find the data folder")?;
        match DataFolder::open_as_it_is(&root) {
            Ok(None) => bail!("no server has had the data folder {} open yet", root.display()),
            Ok(Some(folder)) => {
                drop(folder);
                let local = Box::pin(Local::open(target)).await?;
                Ok(Self { core: local.core.clone(), config, root, local: Some(local) })
            }
            Err(EmbeddedError::AlreadyOpen { .. }) => {
                let core = Box::pin(beside(&config, &root)).await?;
                Ok(Self { core, config, root, local: None })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a server may be at work in it.
    pub(crate) const fn is_open_elsewhere(&self) -> bool {
        self.local.is_none()
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    pub(crate) fn keyring(&self) -> anyhow::Result<Keyring> {
        let master = self.keys().join("master.key");
        ensure!(master.exists(), "there is no {}", master.display());
        Keyring::open(self.keys()).context("failed to open the keys")
    }

    pub(crate) fn proofs(&self) -> LogProofs {
        LogProofs::of(&self.core, &self.root)
    }

    pub(crate) async fn blobs(&self) -> anyhow::Result<BlobStore> {
        storage::open_shared(&self.config, &self.root).await
    }

    /// In a folder that nobody has open: gives every event its place, and brings the read models up to the log, as
    /// a start would.
    pub(crate) async fn settle(&self) -> anyhow::Result<()> {
        if self.is_open_elsewhere() {
            return Ok(());
        }
        let sequencer = Sequencer::new(self.core.store.clone());
        while sequencer.step().await.context("failed to order the log")? > 0 {}
        let mut runner = Runner::new(self.core.pool.clone(), Arc::new(self.core.store.clone()));
        runner.load().await?;
        runner.run_until_quiet().await.context("failed to bring the read models up to the log")?;
        Ok(())
    }

    /// Waits until every read model has passed a position.
    pub(crate) async fn wait_applied(&self, position: i64) -> anyhow::Result<()> {
        let names: Vec<String> =
            projection::all().iter().map(|one| checkpoint_name(&**one)).collect();
        let (mut at, mut since) = (-1, Instant::now());
        loop {
            let applied: i64 = sqlx::query_scalar(
                "select coalesce(min(coalesce(position, 0)), 0)
                   from unnest($1::text[]) as names (name)
                   left join work.checkpoints using (name)",
            )
            .bind(&names)
            .fetch_one(&self.core.pool)
            .await?;
            if applied >= position {
                return Ok(());
            }
            if applied != at {
                (at, since) = (applied, Instant::now());
            }
            ensure!(
                since.elapsed() < STANDS_STILL_MAX,
                "the read models stand still at {applied} of {position}; see `calotype projections list`"
            );
            tokio::time::sleep(POLL).await;
        }
    }

    pub(crate) async fn close(self) {
        match self.local {
            Some(local) => local.close().await,
            None => self.core.close().await,
        }
    }
}

/// Opens the database of a folder that a server has open, as the role that owns it.
async fn beside(config: &Config, root: &Path) -> anyhow::Result<Core> {
    if let Some(owner) = owner_elsewhere(root)? {
        bail!(
            "the server of the data folder {} runs as the user {owner}: run the command as its owner, with `sudo -u \
             {owner}` before it",
            root.display()
        );
    }
    let url = match &config.database_url {
        Some(url) => url.clone(),
        None => running_postgres(root)?,
    };
    let places = Places {
        admin_url: None,
        owner_url: url.clone(),
        app_url: url,
        nats_url: String::new(),
        nats_token: None,
        nats_bytes_max: None,
    };
    let core = wiring::core_in(&root.join("keys"), &places, None).await?;
    let newest: Option<i64> =
        sqlx::query_scalar("select max(version) from _sqlx_migrations where success")
            .fetch_one(&core.pool)
            .await?;
    let known = calotype_migrations::MIGRATOR.iter().map(|migration| migration.version).max();
    ensure!(
        newest == known,
        "the running server is of another version than this program: use the program that it runs"
    );
    Ok(core)
}
