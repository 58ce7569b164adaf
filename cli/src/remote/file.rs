//! The bytes of a file on another server, read on where a connection breaks, and compared with what the server tells of
//! them before the last of them is handed on.

use std::fmt::{self, Debug};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt as _, StreamExt as _};
use reqwest::StatusCode;
use sha1::{Digest as _, Sha1};

use super::details;
use super::source::Source;
use crate::content::RemoteFile;
use crate::entry::Entry;
use crate::server::chain;

/// How often a connection may break without a byte in between.
const BREAKS_MAX: u32 = 5;
/// The pause after that.
const PAUSE: Duration = Duration::from_millis(250);

/// A file of an asset.
#[derive(Clone)]
pub(super) struct FileThere {
    pub(super) source: Arc<Source>,
    /// Where its bytes are.
    pub(super) path: String,
    /// Whether it is an asset's original, and not a film or a sidecar of one.
    pub(super) asset_id: Option<String>,
    /// In lower-case hex, where the server tells it.
    pub(super) sha1: Option<String>,
    pub(super) size_bytes: Option<u64>,
}

impl Debug for FileThere {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FileThere").field("path", &self.path).finish_non_exhaustive()
    }
}

impl RemoteFile for FileThere {
    fn open(&self) -> BoxStream<'static, io::Result<Bytes>> {
        let reading = Reading {
            file: self.clone(),
            body: None,
            at: 0,
            sha1: Sha1::new(),
            held: None,
            is_over: false,
        };
        futures::stream::unfold(reading, Reading::next).boxed()
    }

    fn sha1(&self) -> Option<&str> {
        self.sha1.as_deref()
    }

    fn identity(&self) -> String {
        format!("{}#{}", self.path, self.sha1.as_deref().unwrap_or_default())
    }

    fn complete(&self, entry: Entry) -> BoxFuture<'_, anyhow::Result<Entry>> {
        async move {
            match &self.asset_id {
                Some(asset_id) => details::complete(&self.source, asset_id, entry).await,
                None => Ok(entry),
            }
        }
        .boxed()
    }
}

/// How far a file is read.
struct Reading {
    file: FileThere,
    /// What is being read, and how many bytes of it are known already.
    body: Option<(BoxStream<'static, reqwest::Result<Bytes>>, u64)>,
    /// Bytes that were read.
    at: u64,
    sha1: Sha1,
    /// Is handed on when the next chunk is there, or all of the file is known to be right.
    held: Option<Bytes>,
    is_over: bool,
}

impl Reading {
    async fn next(mut self) -> Option<(io::Result<Bytes>, Self)> {
        while !self.is_over {
            let told = match self.read().await {
                Ok(Some(chunk)) => {
                    self.sha1.update(&chunk);
                    self.at += length(&chunk);
                    self.held.replace(chunk).map(Ok)
                }
                Ok(None) => {
                    self.is_over = true;
                    let checked = self.check();
                    checked.map(|()| self.held.take()).transpose()
                }
                Err(error) => {
                    self.is_over = true;
                    Some(Err(error))
                }
            };
            if let Some(told) = told {
                return Some((told.map_err(|error| io::Error::other(format!("{error:#}"))), self));
            }
        }
        None
    }

    /// The next bytes; connections that break are made anew.
    async fn read(&mut self) -> anyhow::Result<Option<Bytes>> {
        let mut breaks = 0;
        loop {
            let (body, known) = match &mut self.body {
                Some(body) => body,
                None => {
                    let response = self.file.source.open(&self.file.path, self.at).await?;
                    // Who knows no ranges begins anew.
                    let is_part = response.status() == StatusCode::PARTIAL_CONTENT;
                    let known = if is_part { 0 } else { self.at };
                    self.body.insert((response.bytes_stream().boxed(), known))
                }
            };
            match body.next().await {
                Some(Ok(mut chunk)) => {
                    let skipped = (*known).min(length(&chunk));
                    *known -= skipped;
                    let rest = chunk.split_off(usize::try_from(skipped)?);
                    if !rest.is_empty() {
                        return Ok(Some(rest));
                    }
                }
                Some(Err(error)) => {
                    breaks += 1;
                    self.body = None;
                    if breaks > BREAKS_MAX {
                        return Err(anyhow::anyhow!(chain(&error)))
                            .context("the other server breaks off again and again");
                    }
                    tokio::time::sleep(PAUSE).await;
                }
                None => return Ok(None),
            }
        }
    }

    /// Whether what was read is what the server tells of it.
    fn check(&mut self) -> anyhow::Result<()> {
        if let Some(size_bytes) = self.file.size_bytes.filter(|size_bytes| *size_bytes != self.at) {
            let at = self.at;
            anyhow::bail!("the other server sent {at} bytes of a file of {size_bytes}");
        }
        let sha1: String =
            self.sha1.finalize_reset().iter().map(|byte| format!("{byte:02x}")).collect();
        let is_right = self.file.sha1.as_ref().is_none_or(|told| *told == sha1);
        anyhow::ensure!(is_right, "the other server sent other bytes than its checksum is of");
        Ok(())
    }
}

fn length(chunk: &Bytes) -> u64 {
    u64::try_from(chunk.len()).unwrap_or(u64::MAX)
}
