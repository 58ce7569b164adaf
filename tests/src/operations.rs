//! What operators and people wish for while parts are killed: a rebuild, a look at the past, an import and an
//! erasure, each asked for again until it is done, as somebody at a keyboard would.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use chrono::{SecondsFormat, Utc};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::binary::{Done, command, finish};
use crate::client::Client;
use crate::import::{self, Acknowledged};
use crate::server::TestServer;

/// How long one wish may take, with all restarts.
const WISH_LIMIT: Duration = Duration::from_secs(300);
/// How long somebody waits before asking again.
const RETRY_AFTER: Duration = Duration::from_millis(300);
/// Files of one import.
const FILES: usize = 5;
/// Looks at the past in one round.
const LOOKS: usize = 10;
/// The read model that is made anew, and how fast, so that it lasts for some kills.
const REBUILT: [&str; 5] = ["projections", "rebuild", "timeline", "--rate", "300"];

/// Two people and a place to work.
#[derive(Clone, Debug)]
pub struct Wishes {
    url: String,
    data: PathBuf,
    folder: PathBuf,
    admin_key: String,
    anna: Client,
    annas_key: String,
    /// Files that anna imported.
    imported: usize,
}

impl Wishes {
    /// On a server that somebody signed up on.
    ///
    /// # Errors
    /// An account or key cannot be made.
    pub async fn new(server: &TestServer, admin: &Client) -> anyhow::Result<Self> {
        let anna = admin.create_user("anna@example.com").await?;
        Ok(Self {
            url: server.url(),
            data: server.data(),
            folder: server.scratch().join("wishes"),
            admin_key: admin.create_secret(&["all"]).await?,
            annas_key: anna.create_secret(&["all"]).await?,
            anna,
            imported: 0,
        })
    }

    /// One of each, all at once; `erased` is an asset of the administrator's.
    ///
    /// # Errors
    /// A wish is not fulfilled in time, or an answer is wrong.
    pub async fn round(&mut self, seed: u64, erased: &Acknowledged) -> anyhow::Result<()> {
        let folder = self.folder.join(format!("photos-{seed}"));
        fill(&folder, seed)?;
        let folder = folder.to_str().context("a path that is no text")?;
        let (wishes, import) = (&*self, ["import", folder]);
        tokio::try_join!(
            wishes.ask(&wishes.admin_key, &REBUILT),
            wishes.ask(&wishes.annas_key, &import),
            wishes.look_back(),
            wishes.erase(&erased.id),
        )?;
        self.imported += FILES;
        let told = self.anna.get_json("/api/assets/statistics?isTrashed=false").await?;
        ensure!(told["total"] == self.imported, "{} were imported: {told}", self.imported);
        Ok(())
    }

    /// What must hold once nothing is killed any more: the log is what was signed, and every read model what is made
    /// anew from it.
    ///
    /// # Errors
    /// It does not.
    pub async fn ensure_whole(&self) -> anyhow::Result<()> {
        let verified = self.ask(&self.admin_key, &["verify"]).await?;
        ensure!(verified.contains("The log is what was recorded and signed."), "{verified}");
        let rebuilt = self.ask(&self.admin_key, &["projections", "rebuild", "--all"]).await?;
        let changed: Vec<&str> = rebuilt.lines().filter(|line| line.contains("differ")).collect();
        ensure!(changed.is_empty(), "read models were not what is made anew: {changed:#?}");
        ensure!(rebuilt.contains("as they were"), "nothing was compared: {rebuilt}");
        Ok(())
    }

    /// Makes a backup beside the running server, and tries whether it can be restored.
    ///
    /// # Errors
    /// It cannot.
    pub async fn ensure_restorable(&self) -> anyhow::Result<()> {
        let to = self.folder.join("backup");
        let to = to.to_str().context("a path that is no text")?;
        for words in [vec!["backup", to], vec!["restore", "--rehearse", to]] {
            let mut command = command()?;
            command.args(&words).arg("--data").arg(&self.data);
            finish(command, "", WISH_LIMIT).await?.success().with_context(|| words.join(" "))?;
        }
        Ok(())
    }

    /// What was there is told the same, whatever dies meanwhile.
    #[expect(
        clippy::disallowed_methods,
        reason = "people look at a clock before they ask for a moment"
    )]
    async fn look_back(&self) -> anyhow::Result<String> {
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let words = ["as-of", "timeline", "--at", &now];
        let first = self.ask(&self.annas_key, &words).await?;
        for _ in 1..LOOKS {
            let again = self.ask(&self.annas_key, &words).await?;
            ensure!(again == first, "the past changed from {first} to {again}");
        }
        Ok(first)
    }

    /// Erases an asset, and looks at its receipt.
    async fn erase(&self, asset_id: &str) -> anyhow::Result<String> {
        let receipt = self.ask(&self.admin_key, &["erase", "asset", asset_id]).await?;
        ensure!(receipt.contains(&format!("\nasset {asset_id}\n")), "{receipt}");
        Ok(receipt)
    }

    /// Asks until a command succeeds, and says what it said.
    async fn ask(&self, key: &str, words: &[&str]) -> anyhow::Result<String> {
        let deadline = Instant::now() + WISH_LIMIT;
        loop {
            let Done { code, stdout, stderr } = self.once(key, words).await?;
            if code == Some(0) {
                return Ok(stdout);
            }
            if Instant::now() > deadline {
                bail!("`calotype {}` does not succeed: {stdout}{stderr}", words.join(" "));
            }
            tokio::time::sleep(RETRY_AFTER).await;
        }
    }

    async fn once(&self, key: &str, words: &[&str]) -> anyhow::Result<Done> {
        let mut command = command()?;
        command.env("XDG_STATE_HOME", self.folder.join("state"));
        command.args(words).args(["--server", &self.url, "--api-key", key]);
        finish(command, "", WISH_LIMIT).await
    }
}

/// Writes files that nobody sent before.
fn fill(folder: &Path, seed: u64) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    let (pictures, mut random) = (import::pictures()?, StdRng::seed_from_u64(seed));
    for number in 0..FILES {
        let file = import::new_file(&pictures, &mut random, &format!("wish {seed} {number}"))?;
        std::fs::write(folder.join(format!("{number}-{}", file.name)), file.bytes)?;
    }
    Ok(())
}
