//! Parts of a backup as files: frames one after the other, compressed, and known by their digest.
//!
//! A file is one gzip stream of frames: a letter for the kind, the length as four bytes (big-endian), and so many
//! bytes. `H` is the first and says what it is, as JSON; `T` a table, as JSON; `R` a piece of PostgreSQL's binary
//! copy, or lines of text in the list of files; `A` a sealed attachment; `E` the end.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek as _, Write};

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use calotype_eventstore::backup::{FRAMES_WAITING_MAX, Frame};
use calotype_media::objects::Objects;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::Digest;

/// The longest frame: PostgreSQL has no longer value.
const FRAME_BYTES_MAX: u32 = 1 << 30;
/// The version of this format.
const VERSION: u32 = 1;
const FORMAT: &str = "calotype-backup";

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) blake3: Digest,
    #[serde(rename = "sizeBytes")]
    pub(crate) size_bytes: u64,
}

#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    version: u32,
    part: String,
}

/// A part that is being written.
pub(super) struct PartWriter {
    pub(super) frames: mpsc::Sender<Frame>,
    writing: JoinHandle<anyhow::Result<Written>>,
}

struct Written {
    draft: NamedTempFile,
    digest: Digest,
    size_bytes: u64,
}

impl PartWriter {
    pub(super) async fn begin(objects: &Objects, part: &str) -> anyhow::Result<Self> {
        let draft = objects.draft().await?;
        let (frames, taken) = mpsc::channel(FRAMES_WAITING_MAX);
        let part = part.to_owned();
        let writing = tokio::task::spawn_blocking(move || write(draft, part, taken));
        Ok(Self { frames, writing })
    }

    /// Puts the part under the name that its digest makes, once it is known that all frames were sent.
    pub(super) async fn finish(
        self,
        sent: Result<(), calotype_eventstore::StoreError>,
        objects: &Objects,
        name: impl FnOnce(Digest) -> String,
    ) -> anyhow::Result<Part> {
        drop(self.frames);
        // Where nothing could be written nobody could send either: that is the error to tell.
        let written = self.writing.await.context("writing was cut off")??;
        sent?;
        let Written { draft, digest, size_bytes } = written;
        let name = name(digest);
        objects.put_file(&name, draft).await?;
        Ok(Part { name, blake3: digest, size_bytes })
    }
}

/// Hashes and counts what goes through.
struct Hashing<W> {
    inner: W,
    hasher: blake3::Hasher,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hasher.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn write(
    draft: NamedTempFile,
    part: String,
    mut frames: mpsc::Receiver<Frame>,
) -> anyhow::Result<Written> {
    let inner = BufWriter::new(draft.reopen()?);
    let hashing = Hashing { inner, hasher: blake3::Hasher::new() };
    let mut out = GzEncoder::new(hashing, Compression::fast());
    let head = Head { format: FORMAT.to_owned(), version: VERSION, part };
    put(&mut out, b'H', &serde_json::to_vec(&head)?)?;
    while let Some(frame) = frames.blocking_recv() {
        match frame {
            Frame::Table(table) => put(&mut out, b'T', &serde_json::to_vec(&table)?)?,
            Frame::Rows(bytes) => put(&mut out, b'R', &bytes)?,
            Frame::Attachment(bytes) => put(&mut out, b'A', &bytes)?,
        }
    }
    put(&mut out, b'E', &[])?;
    let Hashing { mut inner, hasher } = out.finish().context("failed to write a part")?;
    inner.flush().context("failed to write a part")?;
    let digest = Digest(*hasher.finalize().as_bytes());
    Ok(Written { draft, digest, size_bytes: hasher.count() })
}

fn put(out: &mut impl Write, kind: u8, bytes: &[u8]) -> anyhow::Result<()> {
    let length = u32::try_from(bytes.len()).ok().filter(|length| *length <= FRAME_BYTES_MAX);
    let length = length.context("a frame is too long")?;
    let mut write = || -> io::Result<()> {
        out.write_all(&[kind])?;
        out.write_all(&length.to_be_bytes())?;
        out.write_all(bytes)
    };
    write().context("failed to write a part")
}

/// A part that is being read.
pub(crate) struct PartReader {
    pub(crate) frames: mpsc::Receiver<Frame>,
    reading: JoinHandle<anyhow::Result<()>>,
    name: String,
}

impl PartReader {
    /// Whether all of it was read. What took the frames is to be undone where this fails.
    pub(crate) async fn finish(self) -> anyhow::Result<()> {
        drop(self.frames);
        let read = self.reading.await.context("reading was cut off")?;
        read.with_context(|| format!("{} cannot be read", self.name))
    }
}

/// Reads a part, after its digest was compared.
///
/// # Errors
/// It is missing or was changed; both name it.
pub(crate) async fn read(objects: &Objects, part: &Part, what: &str) -> anyhow::Result<PartReader> {
    let name = part.name.clone();
    let opened = objects.open(&name).await?;
    let mut opened = opened.with_context(|| format!("{name} is missing in the backup"))?;
    let found = tokio::task::spawn_blocking(move || {
        let digest = Digest::of_reader(&opened)?;
        opened.rewind()?;
        io::Result::Ok((opened, digest))
    });
    let (opened, (digest, _)) =
        found.await?.with_context(|| format!("{name} cannot be read in the backup"))?;
    ensure!(
        digest == part.blake3,
        "{name} was changed in the backup: its digest is {digest}, and {} was recorded",
        part.blake3
    );
    let (sent, frames) = mpsc::channel(FRAMES_WAITING_MAX);
    let what = what.to_owned();
    let reading = tokio::task::spawn_blocking(move || take(opened, &what, &sent));
    Ok(PartReader { frames, reading, name })
}

/// Blocks until all frames were sent, or nobody takes them any more.
fn take(file: File, what: &str, frames: &mpsc::Sender<Frame>) -> anyhow::Result<()> {
    let mut input = BufReader::new(GzDecoder::new(BufReader::new(file)));
    let head = match next(&mut input)? {
        (b'H', bytes) => serde_json::from_slice::<Head>(&bytes)?,
        _ => bail!("it does not say what it is"),
    };
    ensure!(head.format == FORMAT && head.part == what, "it is no part of the kind {what}");
    ensure!(
        head.version == VERSION,
        "it is of version {}, and this program knows {VERSION}",
        head.version
    );
    loop {
        let frame = match next(&mut input)? {
            (b'T', bytes) => Frame::Table(serde_json::from_slice(&bytes)?),
            (b'R', bytes) => Frame::Rows(bytes),
            (b'A', bytes) => Frame::Attachment(bytes),
            (b'E', _) => return Ok(()),
            (other, _) => bail!("it has a frame of the kind {other}"),
        };
        ensure!(frames.blocking_send(frame).is_ok(), "nobody takes it");
    }
}

fn next(input: &mut impl Read) -> anyhow::Result<(u8, Bytes)> {
    let mut head = [0; 5];
    input.read_exact(&mut head).context("it ends too early")?;
    let [kind, length @ ..] = head;
    let length = u32::from_be_bytes(length);
    ensure!(length <= FRAME_BYTES_MAX, "it has a frame of {length} bytes");
    let mut bytes = Vec::new();
    let read = input.take(u64::from(length)).read_to_end(&mut bytes)?;
    ensure!(u32::try_from(read).ok() == Some(length), "it ends too early");
    Ok((kind, bytes.into()))
}

#[cfg(test)]
mod tests {
    use calotype_eventstore::backup::Table;

    use super::*;

    async fn written(objects: &Objects) -> Part {
        let writer = PartWriter::begin(objects, "log").await.unwrap();
        let table = Table::new("log.events", &["event_id"]);
        for frame in [
            Frame::Table(table),
            Frame::Rows(Bytes::from_static(b"rows")),
            Frame::Attachment(Bytes::from_static(b"vector")),
        ] {
            writer.frames.send(frame).await.unwrap();
        }
        writer.finish(Ok(()), objects, |digest| format!("log/{}.gz", digest.short())).await.unwrap()
    }

    #[tokio::test]
    async fn parts_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::in_folder(folder.path().to_owned());
        let part = written(&objects).await;

        let mut reader = read(&objects, &part, "log").await.unwrap();
        let mut told = Vec::new();
        while let Some(frame) = reader.frames.recv().await {
            told.push(match frame {
                Frame::Table(table) => table.name,
                Frame::Rows(bytes) | Frame::Attachment(bytes) => {
                    String::from_utf8(bytes.to_vec()).unwrap()
                }
            });
        }
        reader.finish().await.unwrap();
        assert_eq!(told, ["log.events", "rows", "vector"]);
        assert!(read(&objects, &part, "keys").await.unwrap().finish().await.is_err());
    }

    #[tokio::test]
    async fn changed_and_missing_parts_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::in_folder(folder.path().to_owned());
        let part = written(&objects).await;
        let path = folder.path().join(&part.name);
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, &bytes).unwrap();

        let refused = read(&objects, &part, "log").await.err().unwrap().to_string();
        assert!(refused.contains(&part.name) && refused.contains("was changed"), "{refused}");
        std::fs::remove_file(&path).unwrap();
        let refused = read(&objects, &part, "log").await.err().unwrap().to_string();
        assert!(refused.contains(&part.name) && refused.contains("missing"), "{refused}");
    }
}
