//! Reaching what a command works on: a data folder that it opens, or a running server that it asks.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::Value;

use super::target::Target;
use crate::config::Config;
use crate::embedded::{DataFolder, Embedded, owner_elsewhere};
use crate::proofs::LogProofs;
use crate::restore::refuse_unfinished;
use crate::wiring::{self, Core};

/// A data folder, opened for one command.
pub(crate) struct Local {
    pub(crate) core: Core,
    embedded: Embedded,
    /// Locked until everything else is closed.
    folder: Arc<DataFolder>,
}

impl Local {
    pub(crate) async fn open(target: &Target) -> anyhow::Result<Self> {
        let Config { data, database_url, event_store, .. } = target.config()?;
        anyhow::ensure!(data.is_dir(), "there is no data folder {}", data.display());
        let folder = Arc::new(open_folder(&data)?);
        let (embedded, places) =
            wiring::places(&folder, database_url.as_deref(), None, false).await?;
        Box::pin(wiring::migrate(&places.owner_url)).await?;
        let core = wiring::core(&folder, &places, event_store.as_deref()).await?;
        Ok(Self { core, embedded, folder })
    }

    /// The tree over the folder's log.
    pub(super) fn proofs(&self) -> LogProofs {
        LogProofs::new(&self.core, &self.folder)
    }

    pub(crate) async fn close(self) {
        self.core.close().await;
        self.embedded.stop().await;
    }
}

/// Opens a folder that no server has open, and that is not another user's.
fn open_folder(data: &Path) -> anyhow::Result<DataFolder> {
    const IN_USE: &str = "to work on a running server, say --server URL and --api-key KEY";
    // Who has it open is told first; nothing is made before it is known whose it is.
    drop(DataFolder::open_as_it_is(data).context(IN_USE)?);
    if let Some(owner) = owner_elsewhere(data)? {
        anyhow::bail!(
            "the server of the data folder {} runs as the user {owner}; root would take the database away from \
             it: run the command as its owner, with `sudo -u {owner}` before it",
            data.display()
        );
    }
    refuse_unfinished(data)?;
    DataFolder::open_exclusive(data).context(IN_USE)
}

/// A running server, asked over HTTP.
pub(crate) struct Remote {
    client: reqwest::Client,
    base: String,
    api_key: String,
}

impl Remote {
    pub(crate) fn new(server: &str, target: &Target) -> anyhow::Result<Self> {
        let api_key = target
            .words
            .api_key
            .clone()
            .context("an API key is needed: --api-key or CALOTYPE_API_KEY")?;
        let base = format!("{}/api", server.trim_end_matches('/').trim_end_matches("/api"));
        Ok(Self { client: reqwest::Client::new(), base, api_key })
    }

    pub(crate) async fn call(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<Value>,
    ) -> anyhow::Result<Value> {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.base))
            .header("x-api-key", &self.api_key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.context("failed to reach the server")?;
        let status = response.status();
        let text = response.text().await.context("the server's answer broke off")?;
        if !status.is_success() {
            anyhow::bail!("the server answered {status}: {}", message(&text));
        }
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Asks for what is long, and hands it on as it comes.
    pub(crate) async fn stream(
        &self,
        path: &str,
        mut take: impl FnMut(&str) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let request = self.client.get(format!("{}{path}", self.base));
        let request = request.header("x-api-key", &self.api_key);
        let mut response = request.send().await.context("failed to reach the server")?;
        let status = response.status();
        if !status.is_success() {
            let text = response.text().await.context("the server's answer broke off")?;
            anyhow::bail!("the server answered {status}: {}", message(&text));
        }
        // A letter may be cut in two by where a piece ends.
        let mut rest = Vec::new();
        while let Some(piece) = response.chunk().await.context("the server's answer broke off")? {
            rest.extend_from_slice(&piece);
            let whole = match std::str::from_utf8(&rest) {
                Ok(text) => text.len(),
                Err(error) => error.valid_up_to(),
            };
            let begun = rest.split_off(whole);
            take(&String::from_utf8_lossy(&rest))?;
            rest = begun;
        }
        Ok(())
    }

    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.call(reqwest::Method::GET, path, None).await
    }
}

/// Why the server refused.
fn message(text: &str) -> String {
    let answer: Value = serde_json::from_str(text).unwrap_or(Value::Null);
    answer.get("message").and_then(Value::as_str).unwrap_or("no reason given").to_owned()
}
