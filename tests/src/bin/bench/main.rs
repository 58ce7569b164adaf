//! Measures speed and memory: `./dev bench [NAME...] [--full]`. What is measured against which target
//! stands in `docs/benchmarks.md`.
//!
//! Times on a shared machine are only a hint: what counts is processor time, summed over the server, its
//! decoders, PostgreSQL and NATS, and told beside the target and their ratio.

#![expect(clippy::print_stdout, reason = "figures go to standard output")]

mod anew;
mod appends;
mod as_of;
mod audit;
mod batches;
mod cpu;
mod faces;
mod figures;
mod films;
mod history;
mod import;
mod libraries;
mod library;
mod looks;
mod models;
mod parked;
mod pictures;
mod places;
mod proof;
mod reads;
mod recall;
mod searches;
mod starts;
mod sync;
mod uploads;

use clap::{Parser, ValueEnum};

/// The server's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Assets of the library in which requests about many are measured.
const BATCHES_LIBRARY: u32 = 20_000;
/// Assets of the library whose timeline is made anew.
const REBUILD_LIBRARY: u32 = 200_000;
/// Assets of the library whose log is compared with its heads.
const PROOF_LIBRARY: u32 = 100_000;
/// Assets of the library that is told as it was.
const AS_OF_LIBRARY: u32 = 100_000;
/// Assets of the library whose history is asked for.
const AUDIT_LIBRARY: u32 = 100_000;
/// Assets that are marked beside a stream that is parked.
const PARKED_LIBRARY: u32 = 20_000;
/// Files that are imported.
const IMPORT_FILES: u32 = 5_000;
/// The same, in full.
const IMPORT_FILES_FULL: u32 = 100_000;
/// Threads of the side that asks.
const THREADS: usize = 2;

/// One group of measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    /// Time until ready, and memory of a server without work.
    Starts,
    /// Uploads from the first byte to everything derived.
    Uploads,
    /// Commands and events written durably.
    Appends,
    /// A large library: writing its log, making a read model anew, and reading.
    Library,
    /// The timeline made anew from the log of a large library alone.
    Rebuild,
    /// Requests about 10,000 assets.
    Batches,
    /// Thumbnails against sharp.
    Pictures,
    /// Films against ffmpeg.
    Films,
    /// Models against the same models run barely.
    Models,
    /// All faces of a large library compared with one another.
    Faces,
    /// Photos found by words.
    Recall,
    /// An external library: scanned, and deleted.
    Libraries,
    /// The log compared with its signed heads, and an event proven.
    Proof,
    /// A large library as it was at moments of its log.
    AsOf,
    /// What happened to one asset, and questions to the whole log.
    Audit,
    /// Events applied beside a stream that is parked.
    Parked,
    /// Folders imported over HTTP and on the same machine, against Immich's client.
    Import,
}

/// Measures speed and memory.
#[derive(Debug, Parser)]
struct Arguments {
    /// What to measure; everything without a name.
    names: Vec<Name>,
    /// A library of 1,000,000 assets too, and more repetitions.
    #[arg(long)]
    full: bool,
    /// With `rebuild`: every read model, beside a server that answers.
    #[arg(long)]
    all: bool,
    /// Assets of the library, instead of 100,000 and, with `--full`, 1,000,000; or files of the import.
    #[arg(long)]
    assets: Option<u32>,
}

fn main() -> anyhow::Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some(pictures::DEVELOP) => return pictures::develop(true),
        Some(pictures::FACTS) => return pictures::develop(false),
        _ => {}
    }
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()?
        .block_on(measure())
}

async fn measure() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let wanted = |name| arguments.names.is_empty() || arguments.names.contains(&name);
    println!("{}", figures::machine());
    if wanted(Name::Starts) {
        Box::pin(starts::measure()).await?;
    }
    if wanted(Name::Uploads) {
        Box::pin(uploads::measure(arguments.full)).await?;
    }
    if wanted(Name::Appends) {
        Box::pin(appends::measure(arguments.full)).await?;
    }
    if wanted(Name::Pictures) {
        Box::pin(pictures::measure(arguments.full)).await?;
    }
    if wanted(Name::Batches) {
        Box::pin(library::measure_batches(arguments.assets.unwrap_or(BATCHES_LIBRARY))).await?;
    }
    if wanted(Name::Films) {
        Box::pin(films::measure(arguments.full)).await?;
    }
    if wanted(Name::Models) {
        Box::pin(models::measure(arguments.full)).await?;
    }
    if wanted(Name::Faces) {
        faces::measure(arguments.full)?;
    }
    if wanted(Name::Recall) {
        Box::pin(recall::measure()).await?;
    }
    if wanted(Name::Libraries) {
        Box::pin(libraries::measure()).await?;
    }
    if wanted(Name::Proof) {
        Box::pin(proof::measure(arguments.assets.unwrap_or(PROOF_LIBRARY))).await?;
    }
    if wanted(Name::AsOf) {
        Box::pin(as_of::measure(arguments.assets.unwrap_or(AS_OF_LIBRARY))).await?;
    }
    if wanted(Name::Audit) {
        Box::pin(audit::measure(arguments.assets.unwrap_or(AUDIT_LIBRARY))).await?;
    }
    if wanted(Name::Parked) {
        Box::pin(parked::measure(arguments.assets.unwrap_or(PARKED_LIBRARY))).await?;
    }
    if wanted(Name::Import) {
        let usual = if arguments.full { IMPORT_FILES_FULL } else { IMPORT_FILES };
        let files = usize::try_from(arguments.assets.unwrap_or(usual))?;
        Box::pin(import::measure(files)).await?;
    }
    if arguments.all && wanted(Name::Rebuild) {
        Box::pin(anew::measure(arguments.assets.unwrap_or(REBUILD_LIBRARY))).await?;
    } else if wanted(Name::Rebuild) {
        Box::pin(library::measure_rebuild(arguments.assets.unwrap_or(REBUILD_LIBRARY))).await?;
    }
    if wanted(Name::Library) {
        let sizes = match (arguments.assets, arguments.full) {
            (Some(assets), _) => vec![assets],
            (None, true) => vec![100_000, 1_000_000],
            (None, false) => vec![100_000],
        };
        for assets in sizes {
            Box::pin(library::measure(assets, arguments.full)).await?;
        }
    }
    Ok(())
}
