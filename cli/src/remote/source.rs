//! Asking the source. Once it stays away, nothing waits for it again.

use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use reqwest::Response;
use serde_json::{Value, json};

use crate::args::{ImportArgs, ServerArgs};
use crate::server::{Server, Trouble};

/// Assets of one page.
const PAGE_ASSETS: usize = 1_000;
/// Pages that are asked for: a million assets of one kind.
const PAGES_MAX: usize = 1_000;

/// The server from which files come.
pub(super) struct Source {
    server: Server,
    /// Why it is not asked any more.
    away: OnceLock<String>,
}

impl Source {
    /// Asks nothing yet.
    ///
    /// # Errors
    /// When no key was given.
    pub(super) fn try_new(args: &ImportArgs, from: &str) -> anyhow::Result<Arc<Self>> {
        let key = args.from_key.clone().filter(|key| !key.is_empty());
        let api_key = key.context(
            "a key of the other server is missing: set CALOTYPE_FROM_API_KEY, or say --from-key",
        )?;
        let patience = args.server.patience;
        let server = Server::try_new(&ServerArgs { server: from.to_owned(), api_key, patience })?;
        Ok(Arc::new(Self { server, away: OnceLock::new() }))
    }

    /// Reads something.
    ///
    /// # Errors
    /// When it is refused, or the source is away.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.require_there()?;
        self.told(self.server.get(path).await)
    }

    /// Reads something that not every server has.
    ///
    /// # Errors
    /// When the source is away.
    pub(super) async fn get_if_known(&self, path: &str) -> anyhow::Result<Option<Value>> {
        self.require_there()?;
        match self.server.get(path).await {
            Err(Trouble::Refused(_)) => Ok(None),
            answer => self.told(answer).map(Some),
        }
    }

    /// Begins to read a body, from a place in it on where the source can do that.
    ///
    /// # Errors
    /// When it is refused, or the source is away.
    pub(super) async fn open(&self, path: &str, from: u64) -> anyhow::Result<Response> {
        self.require_there()?;
        self.told(self.server.open(path, from).await)
    }

    /// Hands on every asset that is found, a page at a time.
    ///
    /// # Errors
    /// When the source is away, or has more than it can be asked for.
    pub(super) async fn search(
        &self,
        wish: &Value,
        mut take: impl FnMut(&Value),
    ) -> anyhow::Result<()> {
        let mut wish = wish.clone();
        wish["size"] = json!(PAGE_ASSETS);
        wish["order"] = json!("asc");
        for page in 1..=PAGES_MAX {
            wish["page"] = json!(page);
            self.require_there()?;
            let answer = self.told(self.server.post("/search/metadata", &wish).await)?;
            answer["assets"]["items"].as_array().into_iter().flatten().for_each(&mut take);
            if answer["assets"]["nextPage"].is_null() {
                return Ok(());
            }
        }
        anyhow::bail!("the other server has more photos than can be asked for")
    }

    fn require_there(&self) -> anyhow::Result<()> {
        match self.away.get() {
            Some(why) => anyhow::bail!("the other server is away: {why}"),
            None => Ok(()),
        }
    }

    fn told<T>(&self, answer: Result<T, Trouble>) -> anyhow::Result<T> {
        answer.map_err(|trouble| {
            if let Trouble::Fatal(error) = &trouble {
                // Several find out at the same time.
                drop(self.away.set(format!("{error:#}")));
            }
            trouble.into_error().context("the other server")
        })
    }
}
