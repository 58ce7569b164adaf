//! `calotype verify --blobs`: whether the stored originals are what was uploaded.

use std::str::FromStr;

use anyhow::Context as _;
use calotype_domain::IdGen as _;
use calotype_media::blob::{BlobKey, BlobStore};
use calotype_projections::Queries;
use calotype_projections::integrity::StoredFile;
use futures::{StreamExt as _, TryStreamExt as _};
use serde::Serialize;
use uuid::Uuid;

use super::{Live, Target, say};
use crate::backup::{Digest, Progress, count};
use crate::clock::RandomIds;

/// Assets that are looked at together.
const PAGE: i64 = 1_000;
/// Originals that are read at once.
const READS_AT_ONCE: usize = 4;
/// How often one is looked for that was moved meanwhile.
const TRIES_MAX: u32 = 3;
/// The most findings that are told one by one.
const FINDINGS_MAX: usize = 10_000;

/// A share of all, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share(u32);

/// A text is no share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a share is a percentage above 0 and up to 100, such as 10% or 0.5%")]
pub(super) struct NoShare;

const ALL: u32 = 1_000_000;

impl Share {
    /// Whether an asset is one of those that are looked at. Each run takes others.
    fn has(self, asset_id: Uuid, run: Uuid) -> bool {
        let drawn = Digest::of(&[*run.as_bytes(), *asset_id.as_bytes()].concat()).0;
        let [first, second, third, fourth, ..] = drawn;
        u32::from_be_bytes([first, second, third, fourth]) % ALL < self.0
    }
}

impl FromStr for Share {
    type Err = NoShare;

    fn from_str(text: &str) -> Result<Self, NoShare> {
        let number = text.trim().strip_suffix('%').unwrap_or(text.trim());
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        let is_number = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
        if !is_number(whole) || !is_number(part) || whole.len() > 3 || part.len() > 4 {
            return Err(NoShare);
        }
        let millionths = format!("{whole}{part:0<4}").parse().map_err(|_| NoShare)?;
        Some(Self(millionths)).filter(|it| (1..=ALL).contains(&it.0)).ok_or(NoShare)
    }
}

/// What looking at originals found.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    is_good: bool,
    files: u64,
    findings: Vec<Finding>,
    findings_total: u64,
}

/// An original that is not what was uploaded.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    kind: &'static str,
    asset_id: Uuid,
    /// BLAKE3 of what was uploaded.
    recorded: Digest,
    /// BLAKE3 of what is there.
    found: Option<Digest>,
}

impl Finding {
    fn line(&self) -> String {
        let Self { kind, asset_id, recorded, found } = self;
        let found =
            found.map_or_else(|| "there is no file".to_owned(), |found| format!("it is {found}"));
        format!("{kind:<8} asset {asset_id}: {found}, {recorded} was uploaded")
    }
}

/// Reads originals through; false where one is missing or was changed.
pub(super) async fn verify(target: &Target, share: Share, json: bool) -> anyhow::Result<bool> {
    let live = Box::pin(Live::open(target)).await?;
    let looked = Box::pin(look(&live, share)).await;
    live.close().await;
    let report = looked?;
    if json {
        say(&serde_json::to_string_pretty(&report)?);
        return Ok(report.is_good);
    }
    report.findings.iter().for_each(|finding| say(&finding.line()));
    say(&format!("{} originals were read", count(report.files)));
    say(&match report.findings_total {
        0 => "They are what was uploaded.".to_owned(),
        total => format!("{} ORIGINALS ARE NOT WHAT WAS UPLOADED.", count(total)),
    });
    Ok(report.is_good)
}

async fn look(live: &Live, share: Share) -> anyhow::Result<Report> {
    live.settle().await?;
    let (queries, blobs, run) = (&live.core.queries, &live.blobs().await?, RandomIds.v4());
    let total = u64::try_from(queries.stored_count().await?).unwrap_or_default();
    let (mut report, mut progress) = (Report::default(), Progress::new());
    let (mut after, mut passed) = (Uuid::nil(), 0_u64);
    loop {
        let page = queries.stored_after(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.asset_id;
        let before = passed;
        passed += u64::try_from(page.len()).unwrap_or_default();
        let drawn = page.into_iter().filter(|file| share.has(file.asset_id, run));
        let mut looks = futures::stream::iter(drawn)
            .map(|file| original(queries, blobs, file))
            .buffer_unordered(READS_AT_ONCE);
        while let Some(finding) = looks.try_next().await? {
            report.files += 1;
            if let Some(finding) = finding {
                report.findings_total += 1;
                if report.findings.len() < FINDINGS_MAX {
                    report.findings.push(finding);
                }
            }
            progress.tell(|| {
                let read = count(report.files);
                format!("{read} originals read, past {} of {} assets", count(before), count(total))
            });
        }
    }
    report.is_good = report.findings_total == 0;
    Ok(report)
}

/// Reads an original; nothing where it is what was uploaded, or was deleted for good meanwhile.
async fn original(
    queries: &Queries,
    blobs: &BlobStore,
    mut file: StoredFile,
) -> anyhow::Result<Option<Finding>> {
    let asset_id = file.asset_id;
    let recorded: Digest =
        file.blake3.parse().with_context(|| format!("asset {asset_id} has no digest"))?;
    let mut tries = 0;
    loop {
        tries += 1;
        let found = blobs.digest(&BlobKey::parse(&file.original_key)?).await?;
        let found = found.map(|(_, blake3)| Digest(blake3));
        if found == Some(recorded) {
            return Ok(None);
        }
        match queries.stored(&[asset_id]).await?.pop() {
            None => return Ok(None),
            Some(now) if now != file && tries < TRIES_MAX => file = now,
            Some(_) => {
                let kind = if found.is_some() { "changed" } else { "missing" };
                return Ok(Some(Finding { kind, asset_id, recorded, found }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_percentages() {
        for (text, millionths) in [
            ("100%", 1_000_000),
            ("10%", 100_000),
            ("10", 100_000),
            ("0.5%", 5_000),
            ("0.0001%", 1),
            (" 33.3% ", 333_000),
        ] {
            assert_eq!(text.parse(), Ok(Share(millionths)), "{text}");
        }
        for text in ["", "%", "0%", "101%", "-1%", "1e2%", "0.00001%", "1.%", "all"] {
            assert_eq!(text.parse::<Share>(), Err(NoShare), "{text}");
        }
    }

    #[test]
    fn a_tenth_is_about_a_tenth_and_all_is_all() {
        let drawn = |share: Share, run| {
            (0..10_000).filter(|id| share.has(Uuid::from_u128(*id), Uuid::from_u128(run))).count()
        };
        for run in 0..5 {
            let tenth = drawn(Share(ALL / 10), run);
            assert!((800..1_200).contains(&tenth), "{tenth}");
            assert_eq!(drawn(Share(ALL), run), 10_000);
        }
    }
}
