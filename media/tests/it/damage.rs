//! Damaged files, made of real ones: every parser of ours on thousands of them, and the real child
//! on hundreds. `./dev soak damaged` gives 10,000 to a whole server.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    time::{Duration, Instant},
};

use crate::{
    broken::{EVERYTHING, TIME_MAX},
    support::{media_folder, pool_config, rows},
};
use calotype_media::{
    decoder::{DecodeError, DecoderPool, Job},
    fuzz::{TARGETS, damaged},
};

/// Files given to the child.
const FILES: usize = 300;

/// Largest file that is damaged, in bytes: the largest say nothing that the others do not.
const FILE_BYTES_MAX: u64 = 200 << 10;

/// The same where every parser of ours gets it.
const SMALL_BYTES_MAX: usize = 24 << 10;

/// Damages of each small file; `CALOTYPE_DAMAGES` takes another number.
const DAMAGES: u64 = 6;

/// How long one parser of ours may take for one small file, unoptimized and beside other tests.
const PARSER_TIME_MAX: Duration = Duration::from_secs(5);

/// By how much this process may grow while children decode, in KiB.
const GROWTH_KIB_MAX: u64 = 64 << 10;

/// Good files and broken ones, in the order of their names.
fn seeds() -> Vec<(PathBuf, Vec<u8>)> {
    let mut paths: Vec<PathBuf> = rows().iter().map(|it| media_folder().join(&it.path)).collect();
    let broken = fs::read_dir(media_folder().join("broken")).expect("broken files");
    paths.extend(broken.map(|it| it.expect("an entry").path()));
    paths.sort();
    paths.dedup();
    paths.retain(|it| {
        let is_bomb = it.file_name().is_some_and(|it| it.to_string_lossy().starts_with("bomb_"));
        // Bombs are tried by themselves, and each takes the time that is allowed to it.
        !is_bomb && fs::metadata(it).is_ok_and(|it| it.is_file() && it.len() <= FILE_BYTES_MAX)
    });
    let seeds: Vec<_> =
        paths.into_iter().filter_map(|it| fs::read(&it).ok().map(|bytes| (it, bytes))).collect();
    assert!(seeds.len() > 150, "only {} seeds", seeds.len());
    seeds
}

#[test]
fn no_parser_of_ours_falls_over_damage() {
    let stated = std::env::var("CALOTYPE_DAMAGES").ok().and_then(|it| it.parse().ok());
    let damages: u64 = stated.unwrap_or(DAMAGES);
    let mut fallen = Vec::new();
    let mut runs = 0_u32;
    for (number, (path, bytes)) in (0_u64..).zip(seeds()) {
        if bytes.len() > SMALL_BYTES_MAX {
            continue;
        }
        let broken = (0..damages).map(|it| damaged(&bytes, number * damages + it));
        for bytes in broken.chain([bytes.clone()]) {
            for target in TARGETS {
                let started = Instant::now();
                let ended = catch_unwind(AssertUnwindSafe(|| (target.run)(&bytes)));
                runs += 1;
                if ended.is_err() || started.elapsed() > PARSER_TIME_MAX {
                    fallen.push(format!(
                        "{} on {} in {:?}",
                        target.name,
                        path.display(),
                        started.elapsed()
                    ));
                }
            }
        }
    }
    assert!(runs > 3_000, "only {runs} runs");
    assert!(fallen.is_empty(), "{fallen:#?}");
}

/// Memory of this process in KiB.
fn memory_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("status");
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:")).expect("VmRSS");
    line.split_whitespace().next().expect("a number").parse().expect("a number")
}

#[tokio::test]
async fn damaged_files_cost_nobody_but_themselves() {
    let mut config = pool_config();
    config.children_max = 2;
    let pool = DecoderPool::new(config);
    let folder = tempfile::tempdir().expect("a folder");
    let seeds = seeds();
    let mut want = EVERYTHING;
    want.images = want.images.map(|it| calotype_media::image::ImageWish { preview_px: 320, ..it });
    let (mut bad, mut decoded) = (Vec::new(), 0_usize);
    let mut before = 0;
    for number in 0..FILES {
        // A step that shares no factor with the number of seeds takes files of all folders.
        let (path, bytes) = &seeds[number * 7 % seeds.len()];
        let seed = u64::try_from(number).expect("a small number");
        let source = folder.path().join(number.to_string());
        fs::write(&source, damaged(bytes, seed)).expect("a file");
        let started = Instant::now();
        let result = pool.run(&Job { source: source.clone(), sidecar: None, want }).await;
        let took = started.elapsed();
        let error = match &result {
            Ok(report) => report.images.as_ref().and_then(|it| it.as_ref().err()),
            Err(error) => Some(error),
        };
        let is_bad = matches!(
            error,
            Some(
                DecodeError::Crashed { .. }
                    | DecodeError::TimedOut
                    | DecodeError::Unavailable { .. }
            )
        );
        decoded += usize::from(error.is_none());
        if is_bad || took > TIME_MAX {
            bad.push(format!("{} seed {seed}: {error:?} in {took:?}", path.display()));
        }
        fs::remove_file(source).expect("the file");
        if number == FILES / 3 {
            before = memory_kib();
        }
    }
    let grown = memory_kib().saturating_sub(before);
    assert!(bad.is_empty(), "{bad:#?}");
    assert!((FILES / 10..FILES).contains(&decoded), "{decoded} of {FILES} were decoded");
    assert!(grown < GROWTH_KIB_MAX, "grown by {grown} KiB");
    let good = Job { source: media_folder().join("photos/zoo/IPTC.jpg"), sidecar: None, want };
    pool.run(&good).await.expect("a good file").images.expect("wanted").expect("pictures");
}
