//! What of a group is missing goes to the server: into its data folder where that lies on this machine, else small
//! files together in one request, else one by one.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::json;

use crate::content::Content;
use crate::digest::Digests;
use crate::entry::File;
use crate::group::{Read, Work, status_of};
use crate::reader;
use crate::server::Trouble;
use crate::target::InBatch;

/// The largest file that is sent together with others, in bytes.
const PACKED_BYTES_MAX: u64 = 1 << 20;
/// Files of one request; one alone is sent alone.
const PACK_FILES: std::ops::RangeInclusive<usize> = 2..=50;
/// Bytes of one request.
const PACK_BYTES_MAX: u64 = 8 << 20;
/// Requests with many files that are on their way at once, of one group.
const PACKS_AT_ONCE: usize = 2;

/// A file of a request with many.
struct Packed {
    line: String,
    content: Content,
    digests: Digests,
}

impl Packed {
    fn new(file: &File, digests: &Digests) -> Self {
        let named = json!({
            "sha1": digests.sha1, "blake3": digests.blake3, "extension": file.extension,
            "sizeBytes": digests.size_bytes,
        });
        Self { line: format!("{named}\n"), content: file.content.clone(), digests: digests.clone() }
    }

    fn size_bytes(&self) -> u64 {
        let line = u64::try_from(self.line.len()).unwrap_or_default();
        line.saturating_add(self.digests.size_bytes)
    }
}

impl Work {
    /// Puts into the data folder what is missing, where one was named; says by the SHA-1 of an entry why it was not.
    ///
    /// # Errors
    /// Only where nothing further can be done.
    pub(crate) async fn place(
        &self,
        read: &[Read],
        status: &mut HashMap<String, String>,
        keys: &HashMap<String, String>,
    ) -> anyhow::Result<HashMap<String, String>> {
        let mut refused = HashMap::new();
        let Some(library) = &self.library else { return Ok(refused) };
        let (mut files, mut whose) = (Vec::new(), Vec::new());
        for one in read {
            for (file, digests) in one.files() {
                let is_known = !digests.blake3.is_empty();
                if !is_known || !matches!(status_of(status, digests), "missing" | "uploaded") {
                    continue;
                }
                let key = keys.get(&digests.sha1);
                anyhow::ensure!(
                    key.is_some() || status_of(status, digests) == "uploaded",
                    "the server keeps originals in a bucket: import without --data"
                );
                // Digests of a plan are of then.
                let is_read_now = self.args.apply.is_none() && self.journal.digests(file).is_none();
                let Some(key) = key else { continue };
                if let Some(file) = library.incoming(file, digests, key, is_read_now)? {
                    files.push(file);
                    whose.push((&one.digests.sha1, &digests.sha1));
                }
            }
        }
        for ((entry, sha1), why_not) in whose.into_iter().zip(library.place(files).await?) {
            let placed = if let Some(why_not) = why_not {
                refused.insert(entry.clone(), why_not);
                "refused"
            } else {
                "uploaded"
            };
            status.insert(sha1.clone(), placed.to_owned());
        }
        Ok(refused)
    }

    /// Sends small files that are missing, many in one request. What cannot go this way stays missing.
    ///
    /// # Errors
    /// Only where nothing further can be done.
    pub(crate) async fn send_together(
        &self,
        batch: &InBatch,
        read: &[Read],
        status: &mut HashMap<String, String>,
    ) -> anyhow::Result<()> {
        if self.sends_alone.load(Ordering::Relaxed) {
            return Ok(());
        }
        let small = read.iter().flat_map(Read::files).filter(|(_, digests)| {
            status_of(status, digests) == "missing"
                && digests.size_bytes <= PACKED_BYTES_MAX
                && !digests.blake3.is_empty()
        });
        let packs = packs(small.map(|(file, digests)| Packed::new(file, digests)));
        let sent: Vec<Vec<String>> = stream::iter(packs)
            .map(|pack| self.send_pack(batch, pack))
            .buffer_unordered(PACKS_AT_ONCE)
            .try_collect()
            .await?;
        for sha1 in sent.into_iter().flatten() {
            status.insert(sha1, "uploaded".to_owned());
        }
        Ok(())
    }

    /// Sends some files together; says which are there.
    async fn send_pack(&self, batch: &InBatch, pack: Vec<Packed>) -> anyhow::Result<Vec<String>> {
        let path = format!("/calotype/batches/{}/files", batch.id);
        let size_bytes = pack.iter().map(Packed::size_bytes).sum();
        let broken = Arc::new(OnceLock::new());
        let body = || body(&pack, &broken);
        match self.server.put_body(&path, size_bytes, body, &broken).await {
            Ok(answer) => {
                let told = answer["files"].as_array().into_iter().flatten();
                let is_there = told.filter(|file| file["status"] == "uploaded");
                Ok(is_there.filter_map(|file| Some(file["sha1"].as_str()?.to_owned())).collect())
            }
            Err(Trouble::Fatal(error)) => Err(error),
            Err(trouble) => {
                // One that cannot be read is told when it is sent alone; a server or proxy that takes no such request
                // takes none later.
                if broken.get().is_none() || matches!(trouble, Trouble::TooLarge) {
                    self.sends_alone.store(true, Ordering::Relaxed);
                }
                Ok(Vec::new())
            }
        }
    }
}

/// Files in requests of a bounded length; who would be alone is left out.
fn packs(files: impl Iterator<Item = Packed>) -> Vec<Vec<Packed>> {
    let (mut packs, mut size_bytes): (Vec<Vec<Packed>>, u64) = (Vec::new(), 0);
    for file in files {
        let length = file.size_bytes();
        size_bytes = size_bytes.saturating_add(length);
        match packs.last_mut() {
            Some(pack) if pack.len() < *PACK_FILES.end() && size_bytes <= PACK_BYTES_MAX => {
                pack.push(file);
            }
            Some(_) | None => {
                packs.push(vec![file]);
                size_bytes = length;
            }
        }
    }
    packs.retain(|pack| pack.len() >= *PACK_FILES.start());
    packs
}

/// One file after the other, each behind the line that names it.
fn body(
    pack: &[Packed],
    broken: &Arc<OnceLock<String>>,
) -> BoxStream<'static, std::io::Result<Bytes>> {
    let files: Vec<_> = pack
        .iter()
        .map(|file| {
            let line = Bytes::from(file.line.clone());
            (line, file.content.clone(), file.digests.size_bytes, Arc::clone(broken))
        })
        .collect();
    stream::iter(files)
        .flat_map(|(line, content, size_bytes, broken)| {
            let bytes = reader::body(&content, size_bytes, broken);
            stream::once(std::future::ready(Ok(line))).chain(bytes)
        })
        .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(size_bytes: u64) -> Packed {
        let digests = Digests { sha1: String::new(), blake3: String::new(), size_bytes };
        Packed { line: "{}\n".into(), content: Content::disk(std::path::Path::new("a")), digests }
    }

    #[test]
    fn requests_have_bounds_and_nobody_is_sent_alone() {
        let count = |files: Vec<u64>| -> Vec<usize> {
            packs(files.into_iter().map(packed)).iter().map(Vec::len).collect()
        };
        assert_eq!(count(vec![10; 120]), [50, 50, 20]);
        assert_eq!(count(vec![10; 51]), [50]);
        assert_eq!(count(vec![PACKED_BYTES_MAX - 3; 10]), [8, 2]);
        assert_eq!(count(vec![10]), [0; 0]);
    }

    #[tokio::test]
    async fn body_names_each_file_before_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, name).unwrap();
            Packed { content: Content::disk(path), ..packed(3) }
        };
        let broken = Arc::new(OnceLock::new());
        let sent: Vec<Bytes> =
            body(&[file("abc"), file("def")], &broken).try_collect().await.unwrap();
        assert_eq!(sent.concat(), b"{}\nabc{}\ndef");
        std::fs::write(folder.path().join("def"), "longer").unwrap();
        let cut =
            [file("abc"), Packed { content: Content::disk(folder.path().join("x")), ..packed(3) }];
        assert!(body(&cut, &broken).try_collect::<Vec<Bytes>>().await.is_err());
        assert!(broken.get().is_some());
    }
}
