//! Whatever breaks between any two steps: nothing that was acknowledged is lost, streams keep their order, read models
//! are what the log makes of them, and nobody sees more than was commanded.

use anyhow::{Context as _, ensure};
use calotype_tests::ids::any_seed;
use calotype_tests::simulation::{Plan, Report, live};

/// Lives from seeds that everybody takes; beside them one of any seed.
const SEEDS: [u64; 5] = [1, 2, 3, 4, 5];
/// Runs of one life, and steps of one run: `./dev soak simulation` takes many more of both.
const RUNS: u32 = 35;
const STEPS: u32 = 8;
/// Lives at once.
const AT_ONCE: usize = 2;

#[tokio::test]
async fn nothing_is_lost_or_shown_whatever_breaks() -> anyhow::Result<()> {
    use futures::{StreamExt as _, TryStreamExt as _};

    let seeds = SEEDS.into_iter().chain([any_seed()]);
    let lives = seeds.map(|seed| live(Plan { seed, runs: RUNS, steps: STEPS }));
    let reports: Vec<Report> =
        futures::stream::iter(lives).buffer_unordered(AT_ONCE).try_collect().await?;
    let report = reports.into_iter().fold(Report::default(), Report::and);
    // Where nothing broke, nothing was shown to hold.
    ensure!(report.runs == RUNS * u32::try_from(SEEDS.len() + 1)?, "{report:?}");
    ensure!(report.cuts > 30 && report.holds > 1 && report.crashes > 5, "{report:?}");
    ensure!(report.losses > 1 && report.disks > 1, "{report:?}");
    ensure!(report.deliveries > 50 && report.rebuilds > 5, "{report:?}");
    ensure!(report.shared > 50, "nobody was shown anything: {report:?}");
    Ok(())
}

#[tokio::test]
async fn what_does_not_hold_is_found() -> anyhow::Result<()> {
    use calotype_tests::simulation::Harm;

    for (harm, complaint) in [
        (Harm::LoseAcknowledged, "acknowledged events are lost"),
        (Harm::ShareWithEverybody, "which nobody commanded"),
        (Harm::ChangeRow, "made anew from the whole log"),
        (Harm::RemoveFile, "its file there: false"),
    ] {
        let plan = Plan { seed: 6, runs: 2, steps: 120 };
        let found = Box::pin(calotype_tests::simulation::live_and_harm(plan, harm)).await;
        let found = found.err().with_context(|| format!("{harm:?} was not found"))?;
        ensure!(format!("{found:#}").contains(complaint), "{harm:?}: {found:#}");
    }
    Ok(())
}
