//! Large files go in chunks (tus 1.0): a line that breaks costs what of one chunk did not arrive, and a proxy that takes
//! no long bodies is passed. Where a file stopped, whatever was restarted since, the server says.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use reqwest::Method;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, LOCATION};
use serde_json::Value;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::content::Content;
use crate::digest::Digests;
use crate::entry::File;
use crate::group::Work;
use crate::reader;
use crate::server::{Once, Server, Trouble};

/// The smallest chunk that may be wished for, in bytes.
const CHUNK_BYTES_MIN: u64 = 64 * 1024;
/// The smallest that is tried where something on the way takes no longer ones, in bytes.
const HALVED_BYTES_MIN: u64 = 16 * 1024;
/// How often an upload is begun that the server has forgotten.
const BEGUN_MAX: u32 = 3;
/// The first pause before a chunk is sent once more; each further one is twice as long.
const PAUSE_MIN: Duration = Duration::from_millis(250);
/// The longest such pause, unless the server wishes for a longer one.
const PAUSE_MAX: Duration = Duration::from_secs(15);

impl Work {
    /// Sends a file of the batch: as one body, or in chunks where it is large or something on the way says so. A file
    /// whose BLAKE3 is not known goes as one body, and the server tells it.
    /// `mends`: the server has lost these bytes, and they take their place.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub(crate) async fn send_file(
        &self,
        batch_id: Uuid,
        file: &File,
        digests: &Digests,
        mends: bool,
    ) -> Result<Option<String>, Trouble> {
        let Digests { sha1, blake3, size_bytes, .. } = digests;
        let extension = file.extension;
        let mut chunk_bytes = self.args.chunk;
        if *size_bytes <= chunk_bytes || blake3.is_empty() {
            let mending = if mends { "&mends=true" } else { "" };
            let told = if blake3.is_empty() { String::new() } else { format!("&blake3={blake3}") };
            let path = format!(
                "/calotype/batches/{batch_id}/files/{sha1}?extension={extension}{told}{mending}"
            );
            match self.server.put_file(&path, &file.content, *size_bytes).await {
                Err(Trouble::TooLarge) if !blake3.is_empty() => chunk_bytes = halved(*size_bytes)?,
                sent => return sent.map(|answer| answer["blake3"].as_str().map(str::to_owned)),
            }
        }
        let said = [
            ("batch", batch_id.to_string()),
            ("sha1", sha1.clone()),
            ("blake3", blake3.clone()),
            ("extension", extension.to_owned()),
            ("mends", mends.to_string()),
        ];
        let said = said.map(|(key, value)| format!("{key} {}", STANDARD.encode(value))).join(",");
        let upload = Upload {
            server: &self.server,
            content: &file.content,
            size_bytes: *size_bytes,
            metadata: said,
            key: format!("{batch_id}/{sha1}/{blake3}/{mends}"),
            mends,
        };
        upload.send(chunk_bytes).await?;
        Ok(None)
    }
}

fn halved(bytes: u64) -> Result<u64, Trouble> {
    Some(bytes / 2).filter(|bytes| *bytes >= HALVED_BYTES_MIN).ok_or(Trouble::TooLarge)
}

/// A file that goes in chunks.
struct Upload<'a> {
    server: &'a Server,
    content: &'a Content,
    size_bytes: u64,
    metadata: String,
    /// The same file of the same batch is the same upload, for an importer that was started anew, too.
    key: String,
    mends: bool,
}

impl Upload<'_> {
    async fn send(&self, mut chunk_bytes: u64) -> Result<(), Trouble> {
        let (mut place, mut begun) = (self.begin().await?, 1);
        let mut reading = None;
        let (mut offset, mut pause) = (self.offset_at(&place).await?, PAUSE_MIN);
        if self.mends && offset == self.size_bytes {
            // It was mended before, and lost again since.
            self.server.headers(|| self.server.tus(Method::DELETE, &place)).await?;
            place = self.begin().await?;
            offset = self.offset_at(&place).await?;
        }
        let mut failing: Option<Instant> = None;
        while offset < self.size_bytes {
            let length = chunk_bytes.min(self.size_bytes - offset);
            let broken = Arc::new(OnceLock::new());
            let source = match reading.take() {
                Some(source) => source,
                None => Arc::new(Mutex::new(Reading::at(self.content, offset).await?)),
            };
            let sent = self.send_chunk(&place, offset, length, &source, &broken).await;
            if let Some(why) = broken.get() {
                return Err(Trouble::Refused(why.clone()));
            }
            match sent {
                Once::Answered((headers, _)) => {
                    offset = offset_of(&headers)?;
                    reading = Some(source);
                    (failing, pause) = (None, PAUSE_MIN);
                    continue;
                }
                Once::Failed(Trouble::TooLarge) => chunk_bytes = halved(length)?,
                Once::Failed(Trouble::Refused(why)) if is_gone(&why) && begun < BEGUN_MAX => {
                    (place, begun) = (self.begin().await?, begun + 1);
                }
                Once::Failed(trouble) => return Err(trouble),
                Once::Again { why, pause: wished } => {
                    let since = *failing.get_or_insert_with(Instant::now);
                    self.server.be_patient(since, &why)?;
                    tokio::time::sleep(wished.unwrap_or(pause)).await;
                    pause = pause.saturating_mul(2).min(PAUSE_MAX);
                }
            }
            let told = match self.offset_at(&place).await {
                Err(Trouble::Refused(why)) if is_gone(&why) && begun < BEGUN_MAX => {
                    (place, begun) = (self.begin().await?, begun + 1);
                    self.offset_at(&place).await?
                }
                told => told?,
            };
            // A line over which something comes each time is slow, and not broken.
            if told > offset {
                failing = None;
            }
            offset = told;
        }
        Ok(())
    }

    /// Begins it, or finds it begun; says where its chunks go.
    async fn begin(&self) -> Result<String, Trouble> {
        let begun = self
            .server
            .headers(|| {
                self.server
                    .tus(Method::POST, "/calotype/uploads")
                    .header("idempotency-key", &self.key)
                    .header("upload-length", self.size_bytes)
                    .header("upload-metadata", &self.metadata)
            })
            .await?;
        let place = begun.get(LOCATION).and_then(|place| place.to_str().ok());
        let place = place.and_then(|place| place.split_once("/api/")).map(|(_, path)| path);
        place.map(|path| format!("/{path}")).ok_or_else(no_tus)
    }

    async fn offset_at(&self, place: &str) -> Result<u64, Trouble> {
        let told = self.server.headers(|| self.server.tus(Method::HEAD, place)).await?;
        offset_of(&told)
    }

    async fn send_chunk(
        &self,
        place: &str,
        offset: u64,
        length: u64,
        source: &Arc<Mutex<Reading>>,
        broken: &Arc<OnceLock<String>>,
    ) -> Once<(HeaderMap, Value)> {
        let body = chunk(Arc::clone(source), length, Arc::clone(broken));
        let request = self
            .server
            .tus_upload(place, length)
            .header(CONTENT_TYPE, "application/offset+octet-stream")
            .header(CONTENT_LENGTH, length)
            .header("upload-offset", offset)
            .body(reqwest::Body::wrap_stream(body));
        self.server.once(request).await
    }
}

/// What the server says of an upload that it has forgotten.
fn is_gone(why: &str) -> bool {
    why.starts_with("404") || why.starts_with("410")
}

fn no_tus() -> Trouble {
    Trouble::Fatal(anyhow::anyhow!("what answers there takes no files in chunks"))
}

fn offset_of(headers: &HeaderMap) -> Result<u64, Trouble> {
    let told = headers.get("upload-offset").and_then(|told| told.to_str().ok()?.parse().ok());
    told.ok_or_else(no_tus)
}

/// A file that is read on from chunk to chunk.
struct Reading {
    chunks: BoxStream<'static, io::Result<Bytes>>,
    /// What was read and belongs to the next chunk.
    rest: Bytes,
}

impl Reading {
    /// Behind so many bytes.
    async fn at(content: &Content, offset: u64) -> Result<Self, Trouble> {
        let mut reading = Self { chunks: reader::stream(content), rest: Bytes::new() };
        let mut left = offset;
        while left > 0 {
            match reading.next(left).await {
                Ok(bytes) => left -= length_of(&bytes),
                Err(error) => return Err(Trouble::Refused(error.to_string())),
            }
        }
        Ok(reading)
    }

    /// The next bytes, at most so many and at least one.
    async fn next(&mut self, bytes_max: u64) -> io::Result<Bytes> {
        while self.rest.is_empty() {
            let read = self.chunks.next().await.transpose()?;
            self.rest = read.ok_or_else(|| io::Error::other("the file was changed meanwhile"))?;
        }
        let length = usize::try_from(bytes_max).unwrap_or(usize::MAX).min(self.rest.len());
        Ok(self.rest.split_to(length))
    }
}

/// The next so many bytes of a file as a body. What is wrong with the file, and not with the network, is kept in
/// `broken`.
fn chunk(
    source: Arc<Mutex<Reading>>,
    length: u64,
    broken: Arc<OnceLock<String>>,
) -> BoxStream<'static, io::Result<Bytes>> {
    futures::stream::unfold((source, length, broken), |(source, left, broken)| async move {
        if left == 0 {
            return None;
        }
        let read = source.lock().await.next(left).await;
        let left = match &read {
            Ok(bytes) => left - length_of(bytes),
            Err(error) => {
                drop(broken.set(error.to_string()));
                0
            }
        };
        Some((read, (source, left, broken)))
    })
    .boxed()
}

fn length_of(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// Reads a length on the command line: `100000`, `512K`, `64M`, `1G`.
///
/// # Errors
/// When it is none, or less than the smallest chunk.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let (number, unit) = match text.trim_end_matches(['B', 'b']).to_ascii_uppercase() {
        text if text.ends_with('K') => (text.trim_end_matches('K').to_owned(), 1 << 10),
        text if text.ends_with('M') => (text.trim_end_matches('M').to_owned(), 1 << 20),
        text if text.ends_with('G') => (text.trim_end_matches('G').to_owned(), 1 << 30),
        text => (text, 1),
    };
    let bytes = number.trim().parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    bytes
        .filter(|bytes| *bytes >= CHUNK_BYTES_MIN)
        .ok_or_else(|| "a size is a number such as 64M, and at least 64K".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        assert_eq!(size("64M"), Ok(64 << 20));
        assert_eq!(size("100000"), Ok(100_000));
        assert_eq!(size("1g"), Ok(1 << 30));
        for bad in ["", "M", "1K", "-64M", "64X", "99999999999999999999G"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn chunks_follow_one_another_and_begin_anywhere() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mp4");
        let bytes: Vec<u8> = (0..300_000_u32).map(|number| number.to_le_bytes()[1]).collect();
        std::fs::write(&path, &bytes).unwrap();
        let content = Content::disk(path);
        let source = Arc::new(Mutex::new(Reading::at(&content, 5).await.unwrap()));
        let mut read = Vec::new();
        for length in [100_000, 199_995] {
            let broken = Arc::new(OnceLock::new());
            let mut chunk = chunk(Arc::clone(&source), length, Arc::clone(&broken));
            while let Some(bytes) = chunk.next().await {
                read.extend_from_slice(&bytes.unwrap());
            }
            assert!(broken.get().is_none());
        }
        assert_eq!(read, bytes[5..]);
        let broken = Arc::new(OnceLock::new());
        let behind = chunk(source, 1, Arc::clone(&broken)).next().await.unwrap();
        assert!(behind.is_err() && broken.get().is_some(), "there is more than the file has");
        assert!(Reading::at(&content, 300_001).await.is_err());
    }
}
