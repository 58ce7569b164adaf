//! Kills without warning in the middle of an import, at moments that a seed chooses.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use async_nats::jetstream;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::client::Client;
use crate::import::{self, Acknowledged};
use crate::server::{TestServer, Victim};
use crate::waiting::until;

/// Longest wait between the moment that a seed chose and the kill.
const DELAY_MS_MAX: u64 = 150;
/// How long a killed child may take to be there again.
const REVIVAL_LIMIT: Duration = Duration::from_secs(60);
/// The stream that the relay rings.
const STREAM: &str = "CALOTYPE_EVENTS";

/// One import and what happens during it.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Chooses files, victims and moments.
    pub seed: u64,
    /// Files to import.
    pub files: usize,
    /// Kills during the import.
    pub kills: usize,
}

/// What a round did.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Kills by victim.
    pub kills: BTreeMap<&'static str, usize>,
    /// Files acknowledged in this round.
    pub acknowledged: usize,
    /// The longest that a killed server took to be ready again.
    pub restart_max: Duration,
    /// From the last acknowledgement to the end of all checks.
    pub settled: Duration,
}

/// Imports while parts are killed, starts what does not start by itself, and checks all that was ever
/// acknowledged; `kept` grows.
///
/// # Errors
/// Something was lost, doubled or did not come back; the caller tells the seed.
pub async fn round(
    server: &mut TestServer,
    admin: &Client,
    plan: Plan,
    kept: &mut Vec<Acknowledged>,
) -> anyhow::Result<Report> {
    round_beside(server, admin, plan, kept, std::future::ready(Ok(()))).await
}

/// As [`round`], with something else that is done meanwhile.
///
/// # Errors
/// As [`round`], or that is not done.
pub async fn round_beside(
    server: &mut TestServer,
    admin: &Client,
    plan: Plan,
    kept: &mut Vec<Acknowledged>,
    beside: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<Report> {
    let mut random = StdRng::seed_from_u64(plan.seed);
    let pictures = import::pictures()?;
    let files = (0..plan.files)
        .map(|index| import::new_file(&pictures, &mut random, &format!("{}-{index}", plan.seed)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let done = AtomicUsize::new(0);
    let (imported, report, ()) = tokio::try_join!(
        import::import(admin, files, &done),
        kill_now_and_then(server, plan, &mut random, &done),
        beside
    )?;
    let mut report = report;
    report.acknowledged = imported.len();
    kept.extend(imported);
    let checking = Instant::now();
    import::ensure_kept(admin, kept).await?;
    report.settled = checking.elapsed();
    ensure!(server.is_alive()?, "the server ended by itself");
    Ok(report)
}

async fn kill_now_and_then(
    server: &mut TestServer,
    plan: Plan,
    random: &mut StdRng,
    done: &AtomicUsize,
) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let mut moments: Vec<usize> =
        (0..plan.kills).map(|_| random.random_range(0..plan.files.max(1))).collect();
    moments.sort_unstable();
    for moment in moments {
        until("the import to go on", REVIVAL_LIMIT * 2, async || {
            Ok((done.load(Ordering::Relaxed) >= moment).then_some(()))
        })
        .await?;
        tokio::time::sleep(Duration::from_millis(random.random_range(0..DELAY_MS_MAX))).await;
        let victim = choose(random);
        wait_until_alive(server, victim).await?;
        server.kill(victim).await?;
        *report.kills.entry(name(victim)).or_default() += 1;
        if victim == Victim::Server {
            let started = Instant::now();
            server.go_on().await?;
            report.restart_max = report.restart_max.max(started.elapsed());
        }
    }
    Ok(report)
}

fn choose(random: &mut StdRng) -> Victim {
    match random.random_range(0..4) {
        0 | 1 => Victim::Server,
        2 => Victim::Postgres,
        _ => Victim::Nats,
    }
}

const fn name(victim: Victim) -> &'static str {
    match victim {
        Victim::Server => "server",
        Victim::Postgres => "postgres",
        Victim::Nats => "nats-server",
    }
}

/// A part that was killed a moment ago may not be there yet.
async fn wait_until_alive(server: &mut TestServer, victim: Victim) -> anyhow::Result<()> {
    until(&format!("{} to be there again", name(victim)), REVIVAL_LIMIT, async || {
        let Ok(pid) = server.pid(victim) else { return Ok(None) };
        Ok(rustix::process::test_kill_process(pid).is_ok().then_some(()))
    })
    .await
}

/// Deletes the stream that processors are fed from, as if JetStream had lost its disk.
///
/// # Errors
/// nats-server does not answer, or there is no stream.
pub async fn delete_stream(data: &Path) -> anyhow::Result<()> {
    let jetstream = jetstream(data).await?;
    jetstream.delete_stream(STREAM).await.context("failed to delete the stream")?;
    Ok(())
}

/// A connection to the embedded nats-server of a data folder.
///
/// # Errors
/// It does not answer.
pub async fn jetstream(data: &Path) -> anyhow::Result<jetstream::Context> {
    let config = std::fs::read_to_string(data.join("run/nats.conf"))?;
    let port = config
        .lines()
        .find_map(|line| line.strip_prefix("port:"))
        .context("nats.conf names no port")?;
    let token = std::fs::read_to_string(data.join("keys/nats.token"))?;
    let client = async_nats::ConnectOptions::with_token(token.trim().to_owned())
        .connect(format!("nats://127.0.0.1:{}", port.trim()))
        .await
        .context("failed to reach nats-server")?;
    Ok(jetstream::new(client))
}
