//! An import that does not give up: each file is sent until it is acknowledged, as clients do.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use serde_json::json;

use crate::answer::sha1_hex;
use crate::client::{Client, Upload, WORK_LIMIT};
use crate::jpeg::with_comment;
use crate::media::media;
use crate::waiting::until;

/// Files that are sent at once.
pub const PARALLEL: usize = 4;
/// Checks that run at once.
const CHECKS_PARALLEL: usize = 8;
/// How long one file may take to be acknowledged, restarts included.
const ACKNOWLEDGE_LIMIT: Duration = Duration::from_secs(120);
/// How long a client waits before it tries again.
const RETRY_AFTER: Duration = Duration::from_millis(100);
/// Real pictures that imports are made of: small, and of several cameras.
const PICTURES: [&str; 8] = [
    "photos/edge/date_offset_positive.jpg",
    "photos/edge/jpeg_progressive.jpg",
    "photos/edge/orient_6.webp",
    "photos/edge/gps_south_west.jpg",
    "photos/nature/el_torcal_rocks.jpg",
    "photos/png/density_plot.png",
    "photos/jpeg/fujifilm_s1pro_gps_small.jpg",
    "photos/zoo/IPTC.jpg",
];

/// A file that the server said it has.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    /// The asset's id.
    pub id: String,
    /// SHA-1 of what was sent, lower-case hex.
    pub sha1: String,
}

/// The pictures that imports are made of.
///
/// # Errors
/// One is not there.
pub fn pictures() -> anyhow::Result<Vec<Upload>> {
    PICTURES.iter().map(|path| Upload::of(&media(path)?)).collect()
}

/// A file that nobody sent before: a real picture with a comment of its own.
///
/// # Errors
/// There are no pictures.
pub fn new_file(pictures: &[Upload], random: &mut StdRng, comment: &str) -> anyhow::Result<Upload> {
    let picture = pictures.choose(random).context("no pictures")?;
    Ok(Upload::new(&picture.name, with_comment(&picture.bytes, comment)))
}

/// Sends every file until it is acknowledged, [`PARALLEL`] at a time; `done` counts.
///
/// # Errors
/// A file is refused, or not acknowledged in time.
pub async fn import(
    client: &Client,
    files: Vec<Upload>,
    done: &AtomicUsize,
) -> anyhow::Result<Vec<Acknowledged>> {
    futures::stream::iter(files)
        .map(|file| async move {
            let acknowledged = send_until_acknowledged(client, &file).await?;
            done.fetch_add(1, Ordering::Relaxed);
            anyhow::Ok(acknowledged)
        })
        .buffer_unordered(PARALLEL)
        .try_collect()
        .await
}

async fn send_until_acknowledged(client: &Client, file: &Upload) -> anyhow::Result<Acknowledged> {
    let sha1 = sha1_hex(&file.bytes);
    until(&format!("the upload of {sha1} to be acknowledged"), ACKNOWLEDGE_LIMIT, async || {
        let answer = match client.send_upload(file).await {
            Ok(answer) if answer.status < 500 => answer,
            // Down, or not able to: whether the file is there is not known, so it is sent again.
            Ok(_) | Err(_) => {
                tokio::time::sleep(RETRY_AFTER).await;
                return Ok(None);
            }
        };
        if answer.status != 201 && answer.status != 200 {
            bail!("an upload was refused with {}: {}", answer.status, answer.shown());
        }
        let id = answer.json()?["id"].as_str().context("an upload without an id")?.to_owned();
        Ok(Some(Acknowledged { id, sha1: sha1.clone() }))
    })
    .await
}

/// Checks what a library promises: every acknowledged file is there exactly once, with its bytes and
/// its thumbnail, and nothing else is.
///
/// # Errors
/// A promise that does not hold.
pub async fn ensure_kept(admin: &Client, acknowledged: &[Acknowledged]) -> anyhow::Result<()> {
    let ids: BTreeSet<&str> = acknowledged.iter().map(|one| one.id.as_str()).collect();
    ensure!(ids.len() == acknowledged.len(), "two files were given one id");
    wait_for_every_thumbnail(admin, acknowledged).await?;
    futures::stream::iter(acknowledged)
        .map(|one| async move {
            let original =
                admin.get(&format!("/api/assets/{}/original", one.id)).await?.expect(200)?;
            ensure!(original.sha1() == one.sha1, "asset {} has other bytes than were sent", one.id);
            Ok(())
        })
        .buffer_unordered(CHECKS_PARALLEL)
        .try_collect::<()>()
        .await?;
    let shown = admin.timeline("").await?;
    let distinct: BTreeSet<&str> = shown.iter().map(String::as_str).collect();
    ensure!(shown.len() == distinct.len(), "an asset shows twice on the timeline");
    ensure!(
        distinct == ids,
        "{} files were acknowledged, {} show on the timeline; lost: {:?}, doubled or unknown: {:?}",
        ids.len(),
        distinct.len(),
        ids.difference(&distinct).collect::<Vec<_>>(),
        distinct.difference(&ids).collect::<Vec<_>>()
    );
    ensure_found_by_checksum(admin, acknowledged).await?;
    let statistics = admin.get_json("/api/assets/statistics").await?;
    ensure!(
        statistics["total"] == json!(acknowledged.len()),
        "{} files and statistics of {statistics}",
        acknowledged.len()
    );
    Ok(())
}

/// Waits for all of them together, so that one limit holds for the whole library.
async fn wait_for_every_thumbnail(
    admin: &Client,
    acknowledged: &[Acknowledged],
) -> anyhow::Result<()> {
    let mut missing: Vec<&str> = acknowledged.iter().map(|one| one.id.as_str()).collect();
    let waited = until("the thumbnails of all acknowledged files", WORK_LIMIT, async || {
        let looked: Vec<(&str, u16)> = futures::stream::iter(missing.drain(..))
            .map(|id| async move {
                let answer = admin.get(&format!("/api/assets/{id}/thumbnail")).await?;
                anyhow::Ok((id, answer.status))
            })
            .buffer_unordered(CHECKS_PARALLEL)
            .try_collect()
            .await?;
        missing.extend(looked.iter().filter(|(_, status)| *status != 200).map(|(id, _)| *id));
        Ok(missing.is_empty().then_some(()))
    })
    .await;
    let (Err(error), Some(first)) = (waited, missing.first()) else { return Ok(()) };
    let history: Vec<_> =
        admin.history(first).await?.iter().map(|event| event["sentence"].clone()).collect();
    Err(error
        .context(format!("without a thumbnail: {missing:?}; of the first is known {history:?}")))
}

async fn ensure_found_by_checksum(
    admin: &Client,
    acknowledged: &[Acknowledged],
) -> anyhow::Result<()> {
    let asked: Vec<_> =
        acknowledged.iter().map(|one| json!({ "id": one.id, "checksum": one.sha1 })).collect();
    let body = json!({ "assets": asked });
    let answer = admin.post("/api/assets/bulk-upload-check", &body).await?.expect(200)?.json()?;
    for result in answer["results"].as_array().context("no results")? {
        ensure!(
            result["action"] == "reject" && result["assetId"] == result["id"],
            "a client that asks whether a file is there is told {result}"
        );
    }
    Ok(())
}
