//! The long tests, each bounded in count and time: `./dev soak [NAME] [--count N] [--seconds S] [--seed N]`.
//! What `./dev test` does a few times, this does hundreds of times, and prints figures.

#![expect(clippy::print_stdout, reason = "figures go to standard output")]

mod large;
mod player;
mod tree;

use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use calotype_media::fuzz::damaged as damaged_bytes;
use calotype_tests::crash::{self, Plan};
use calotype_tests::database::ensure_same;
use calotype_tests::ids::any_seed;
use calotype_tests::import;
use calotype_tests::media::media;
use calotype_tests::operations::Wishes;
use calotype_tests::server::{Options, Victim, story};
use calotype_tests::simulation::{Plan as Life, Report, live};
use calotype_tests::walk::World;
use calotype_tests::{Client, TestServer, Upload};
use clap::{Parser, ValueEnum};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

/// Kills in one crash round, and files imported meanwhile.
const ROUND: (usize, usize) = (8, 60);
/// Files of an import between two figures.
const IMPORT_PART: usize = 1_000;
/// Damaged files between two looks at the server.
const DAMAGED_PART: usize = 100;
/// Largest file that is damaged, in bytes.
const DAMAGED_BYTES_MAX: u64 = 1 << 20;
/// By how much the server may grow after the first thousand damaged files, in MiB.
const GROWTH_MIB_MAX: u64 = 128;
/// Files after which the server has what it keeps.
const GROWN_AFTER: usize = 1_000;
/// Steps of one walk.
const WALK_STEPS: u32 = 1_000;
/// Runs of one life, and steps of one run.
const LIFE: (u32, u32) = (40, 60);
/// Steps of one walk by REST.
const REST_STEPS: u32 = 1_500;
/// The test that takes it.
const REST_WALK: &str = "test(=sync::everything::what_is_rebuilt_is_what_was_there)";

/// The long tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    /// Kills of the server, PostgreSQL and nats-server during imports.
    Crash,
    /// The same, while read models are made anew, the past is looked at, somebody imports and photos are erased.
    Operations,
    /// A large folder imported twice: once while the importer and the server are killed.
    Import,
    /// Many uploads by an ordinary client.
    Uploads,
    /// Files with bytes overwritten or cut off.
    Damaged,
    /// Random walks, rebuilt and repeated.
    Rebuild,
    /// Random walks by REST with phones, rebuilt.
    Rest,
    /// Lives of a server whose loops are moved by hand while things break.
    Simulation,
    /// One large film, by whose length the server's memory must not rise.
    Large,
    /// Films streamed to a player in a browser.
    Player,
}

impl Name {
    /// Kills, kills, files, files, walks, walks, runs, MiB, plays.
    const fn count(self) -> usize {
        match self {
            Self::Crash | Self::Operations => 300,
            Self::Import | Self::Uploads => 100_000,
            Self::Damaged => 10_000,
            Self::Rebuild => 100,
            Self::Rest => 20,
            Self::Simulation => 5_000,
            Self::Large => 4_096,
            Self::Player => 3,
        }
    }
}

/// Runs one long test, or all.
#[derive(Debug, Parser)]
struct Arguments {
    /// Which one; all of them when left out.
    name: Option<Name>,
    /// How many: kills, files, walks, runs, MiB or plays.
    #[arg(long)]
    count: Option<usize>,
    /// How long one test may go on, in seconds.
    #[arg(long, default_value_t = 3600)]
    seconds: u64,
    /// Chooses everything; printed, to take the same way again.
    #[arg(long)]
    seed: Option<u64>,
}

/// How far a test goes.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    count: usize,
    seed: u64,
    deadline: Instant,
}

impl Bounds {
    fn is_over(&self, done: usize) -> bool {
        done >= self.count || Instant::now() >= self.deadline
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let names = match arguments.name {
        Some(name) => vec![name],
        None => Name::value_variants().to_vec(),
    };
    for name in names {
        let seed = arguments.seed.unwrap_or_else(any_seed);
        let bounds = Bounds {
            count: arguments.count.unwrap_or(name.count()),
            seed,
            deadline: Instant::now() + Duration::from_secs(arguments.seconds),
        };
        println!(
            "{name:?}: {} at most, {} s at most, seed {seed}",
            bounds.count, arguments.seconds
        );
        let started = Instant::now();
        match name {
            Name::Crash => crash(bounds).await,
            Name::Operations => operations(bounds).await,
            Name::Import => tree::import(bounds).await,
            Name::Uploads => uploads(bounds).await,
            Name::Damaged => damaged(bounds).await,
            Name::Rebuild => rebuild(bounds).await,
            Name::Rest => rest(bounds).await,
            Name::Simulation => simulation(bounds).await,
            Name::Large => large::upload(bounds).await,
            Name::Player => player::play(bounds).await,
        }
        .with_context(|| format!("{name:?} with seed {seed}"))?;
        println!("{name:?}: passed in {} s", started.elapsed().as_secs());
    }
    Ok(())
}

async fn crash(bounds: Bounds) -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let mut kept = Vec::new();
        let (mut kills, mut round) = (0, 0);
        while !bounds.is_over(kills) {
            let plan = Plan { seed: bounds.seed.wrapping_add(round), files: ROUND.1, kills: ROUND.0 };
            let report = crash::round(server, &admin, plan, &mut kept)
                .await
                .with_context(|| format!("round {round}"))?;
            kills += report.kills.values().sum::<usize>();
            round += 1;
            println!(
                "  {kills} kills, {} files kept; this round {:?}, slowest restart {} ms, settled in {} ms",
                kept.len(),
                report.kills,
                report.restart_max.as_millis(),
                report.settled.as_millis()
            );
        }
        Ok(())
    })
    .await
}

async fn operations(bounds: Bounds) -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let mut wishes = Wishes::new(server, &admin).await?;
        let (mut kept, mut kills, mut rounds) = (Vec::new(), 0, 0);
        while !bounds.is_over(kills) {
            let seed = bounds.seed.wrapping_add(rounds);
            let first = import::new_file(
                &import::pictures()?,
                &mut StdRng::seed_from_u64(seed),
                &format!("to be erased {seed}"),
            )?;
            let erased = import::import(&admin, vec![first], &AtomicUsize::new(0)).await?;
            let erased = erased.first().context("nothing was imported")?;
            let plan = Plan { seed, files: ROUND.1, kills: ROUND.0 };
            let wished = wishes.round(seed, erased);
            let report = crash::round_beside(server, &admin, plan, &mut kept, wished)
                .await
                .with_context(|| format!("round {rounds}"))?;
            wishes.ensure_whole().await.with_context(|| format!("round {rounds}"))?;
            kills += report.kills.values().sum::<usize>();
            rounds += 1;
            println!(
                "  {kills} kills, {} files kept, {rounds} rebuilds, imports and erasures; slowest restart {} ms",
                kept.len(),
                report.restart_max.as_millis()
            );
        }
        wishes.ensure_restorable().await
    })
    .await
}

async fn uploads(bounds: Bounds) -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let pictures = import::pictures()?;
        let mut random = StdRng::seed_from_u64(bounds.seed);
        let mut kept = Vec::new();
        while !bounds.is_over(kept.len()) {
            let part = IMPORT_PART.min(bounds.count - kept.len());
            let files = (0..part)
                .map(|index| {
                    let comment = format!("{}-{}-{index}", bounds.seed, kept.len());
                    import::new_file(&pictures, &mut random, &comment)
                })
                .collect::<anyhow::Result<Vec<_>>>()?;
            let started = Instant::now();
            kept.extend(import::import(&admin, files, &AtomicUsize::new(0)).await?);
            let sent = started.elapsed();
            admin.wait_until_idle().await?;
            println!(
                "  {} files; the last {part} sent in {} ms, processed in {} ms; memory {} MiB",
                kept.len(),
                sent.as_millis(),
                started.elapsed().as_millis(),
                memory_mib(server)?
            );
        }
        import::ensure_kept(&admin, &kept).await
    })
    .await
}

async fn damaged(bounds: Bounds) -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let (pictures, seeds) = (import::pictures()?, seeds()?);
        let mut random = StdRng::seed_from_u64(bounds.seed);
        let (mut done, mut accepted, mut grown) = (0, 0, None);
        while !bounds.is_over(done) {
            let part = DAMAGED_PART.min(bounds.count - done);
            for _ in 0..part {
                let file = damage(&seeds, &mut random)?;
                accepted += usize::from(is_accepted(&admin, &file).await?);
            }
            done += part;
            admin.wait_until_idle().await?;
            ensure!(server.is_alive()?, "the server died");
            let jobs = admin.get_json("/api/jobs").await?;
            let memory = memory_mib(server)?;
            println!(
                "  {done} files, {accepted} accepted, {} without pictures; memory {memory} MiB",
                jobs["thumbnailGeneration"]["jobCounts"]["failed"],
            );
            if done >= GROWN_AFTER {
                let most = *grown.get_or_insert(memory) + GROWTH_MIB_MAX;
                ensure!(memory <= most, "the server has grown to {memory} MiB");
            }
        }
        let good = import::new_file(&pictures, &mut random, "good")?;
        let id = admin.upload(&good).await?;
        admin.wait_for_thumbnail(&id).await.map(drop)
    })
    .await
}

/// Small files of all kinds, good and broken; without bombs, each of which takes the time it may.
fn seeds() -> anyhow::Result<Vec<Upload>> {
    let mut seeds = Vec::new();
    for folder in ["broken", "photos/edge", "photos/zoo", "photos/immich", "video/made", "raw"] {
        for entry in std::fs::read_dir(media(folder)?)? {
            let entry = entry?;
            let (path, about) = (entry.path(), entry.metadata()?);
            let is_bomb =
                path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("bomb_"));
            if about.is_file() && about.len() <= DAMAGED_BYTES_MAX && !is_bomb {
                seeds.push(Upload::of(&path)?);
            }
        }
    }
    ensure!(seeds.len() > 150, "only {} files to damage", seeds.len());
    Ok(seeds)
}

/// A real file, damaged.
fn damage(seeds: &[Upload], random: &mut StdRng) -> anyhow::Result<Upload> {
    let mut file = seeds.choose(random).context("no files")?.clone();
    file.bytes = damaged_bytes(&file.bytes, random.random());
    Ok(file)
}

async fn is_accepted(admin: &Client, file: &Upload) -> anyhow::Result<bool> {
    let answer = admin.send_upload(file).await?;
    ensure!(
        matches!(answer.status, 200 | 201 | 400),
        "a damaged file was answered {}: {}",
        answer.status,
        answer.shown()
    );
    Ok(answer.status != 400)
}

async fn rebuild(bounds: Bounds) -> anyhow::Result<()> {
    let mut events = 0;
    let mut walks = 0;
    while !bounds.is_over(walks) {
        let seed = bounds.seed.wrapping_add(u64::try_from(walks)?);
        let mut world = World::new(seed).await?;
        world.walk(WALK_STEPS).await?;
        let live = world.rows().await?;
        world.apply_again(world.events().await? / 2).await?;
        ensure_same(&live, &world.rows().await?)
            .with_context(|| format!("repeated, seed {seed}"))?;
        world.rebuild().await?;
        ensure_same(&live, &world.rows().await?)
            .with_context(|| format!("rebuilt, seed {seed}"))?;
        events += world.events().await?;
        walks += 1;
        println!("  {walks} walks, {events} events");
    }
    Ok(())
}

/// Lives one life after the other, each of a seed of its own.
async fn simulation(bounds: Bounds) -> anyhow::Result<()> {
    let (mut lives, mut all) = (0, Report::default());
    while !bounds.is_over(usize::try_from(all.runs)?) {
        let seed = bounds.seed.wrapping_add(lives);
        let report = live(Life { seed, runs: LIFE.0, steps: LIFE.1 }).await?;
        all = all.and(report);
        lives += 1;
        println!("  {lives} lives: {all:?}");
    }
    Ok(())
}

/// Takes the walk that stands among the tests, of more wishes and with one seed after the other.
async fn rest(bounds: Bounds) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut walks = 0;
    while !bounds.is_over(walks) {
        let seed = bounds.seed.wrapping_add(u64::try_from(walks)?);
        let walked = tokio::process::Command::new(&cargo)
            .args(["nextest", "run", "--workspace", "-E", REST_WALK])
            .env("CALOTYPE_WALK_SEED", seed.to_string())
            .env("CALOTYPE_WALK_STEPS", REST_STEPS.to_string())
            .status()
            .await
            .context("failed to start cargo")?;
        ensure!(walked.success(), "a walk with seed {seed} failed");
        walks += 1;
        println!("  {walks} walks by REST");
    }
    Ok(())
}

/// Resident memory of the server process.
fn memory_mib(server: &TestServer) -> anyhow::Result<u64> {
    memory_mib_of(server, Victim::Server, "VmRSS:")
}

/// A figure of `/proc/PID/status`.
fn memory_mib_of(server: &TestServer, of: Victim, field: &str) -> anyhow::Result<u64> {
    let pid = server.pid(of)?.as_raw_nonzero();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)).context("no figure")?;
    let kib: u64 = line.split_whitespace().next().context("no number")?.parse()?;
    Ok(kib / 1024)
}
