//! One large film, sent piece by piece: the server must need no more memory for it than for a small one.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use calotype_tests::media::media;
use calotype_tests::server::{Options, Victim, story};
use calotype_tests::{TestServer, Upload};
use futures::StreamExt as _;
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Method};

use crate::Bounds;

/// Length of one piece in bytes.
const PIECE_BYTES: usize = 1 << 20;
/// By how much the server's peak may rise while it takes in the film, in MiB.
const RISE_MIB_MAX: u64 = 64;

/// A film of so many MiB.
pub(crate) async fn upload(bounds: Bounds) -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        // What a first upload costs is paid before.
        admin.upload_file(&media("video/made/h264_aac_creation_location.mp4")?).await?;
        admin.wait_until_idle().await?;
        let before = peak_mib(server)?;
        let length = u64::try_from(bounds.count)? * u64::try_from(PIECE_BYTES)?;
        let form = Upload::new("large.mp4", Vec::new())
            .fields
            .into_iter()
            .fold(Form::new(), |form, (name, value)| form.text(name, value));
        let pieces =
            futures::stream::iter(0..bounds.count).map(move |number| piece(number, bounds.seed));
        let part = Part::stream_with_length(Body::wrap_stream(pieces), length);
        let form = form.part("assetData", part.file_name("large.mp4"));
        let limit = bounds.deadline.saturating_duration_since(Instant::now());
        let request = admin.request(Method::POST, "/api/assets").multipart(form);
        let started = Instant::now();
        let answer = admin.send(request.timeout(limit.max(Duration::from_secs(60)))).await?;
        let id = answer.expect(201)?.json()?["id"].as_str().context("no id")?.to_owned();
        let took = started.elapsed();
        admin.wait_until_idle().await?;
        let after = peak_mib(server)?;
        println!(
            "  {} MiB in {} ms; peak memory {before} MiB before, {after} MiB after",
            bounds.count,
            took.as_millis()
        );
        ensure!(after <= before + RISE_MIB_MAX, "the server's memory rises with the film");
        // The last bytes, as they were sent.
        let request = admin.request(Method::GET, &format!("/api/assets/{id}/original"));
        let range = format!("bytes={}-", length - u64::try_from(PIECE_BYTES)?);
        let end = admin.send(request.header("range", range)).await?.expect(206)?;
        let last = piece(bounds.count - 1, bounds.seed)?;
        ensure!(end.body == last, "other bytes came back");
        Ok(())
    })
    .await
}

/// The film: a beginning that is a film's, then bytes that are like no others.
fn piece(number: usize, seed: u64) -> anyhow::Result<Bytes> {
    let mut bytes = Vec::with_capacity(PIECE_BYTES);
    if number == 0 {
        bytes.extend(std::fs::read(media("video/made/h264_aac_creation_location.mp4")?)?);
        bytes.truncate(PIECE_BYTES);
    }
    // SplitMix64 (Steele, Lea and Flood, 2014): fast, and nothing compresses it.
    let mut state = seed ^ u64::try_from(number)?.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    while bytes.len() < PIECE_BYTES {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend((word ^ (word >> 31)).to_le_bytes());
    }
    bytes.truncate(PIECE_BYTES);
    Ok(bytes.into())
}

/// The most resident memory that the server process had.
fn peak_mib(server: &TestServer) -> anyhow::Result<u64> {
    crate::memory_mib_of(server, Victim::Server, "VmHWM:")
}
