//! After any walk of commands, every read model rebuilt from zero equals the live one, row for row, and
//! events that are applied once more change nothing.

use anyhow::Context as _;
use calotype_tests::database::ensure_same;
use calotype_tests::ids::any_seed;
use calotype_tests::walk::World;

/// Walks from seeds that everybody takes, and from those that have found something before.
///
/// - 2919220902384636228: an album changed when a member's account had been removed for good.
/// - 2954136159652475992: an asset was put into an album and then deleted for good, both applied once more.
const SEEDS: [u64; 6] = [1, 2, 3, 4, 2_919_220_902_384_636_228, 2_954_136_159_652_475_992];
/// Steps of one walk.
const STEPS: u32 = 250;

#[tokio::test]
async fn rebuilt_read_models_equal_the_live_ones() -> anyhow::Result<()> {
    for seed in SEEDS.into_iter().chain([any_seed()]) {
        walk_and_rebuild(seed).await.with_context(|| format!("seed {seed}"))?;
    }
    Ok(())
}

#[tokio::test]
async fn applying_events_once_more_changes_nothing() -> anyhow::Result<()> {
    for seed in SEEDS.into_iter().chain([any_seed()]) {
        walk_and_repeat(seed).await.with_context(|| format!("seed {seed}"))?;
    }
    Ok(())
}

async fn walk_and_rebuild(seed: u64) -> anyhow::Result<()> {
    let mut world = World::new(seed).await?;
    world.walk(STEPS).await?;
    let live = world.rows().await?;

    world.rebuild().await?;

    ensure_same(&live, &world.rows().await?).context("rebuilt from zero")
}

async fn walk_and_repeat(seed: u64) -> anyhow::Result<()> {
    let mut world = World::new(seed).await?;
    world.walk(STEPS).await?;
    let live = world.rows().await?;

    for events in [1, 7, 50, world.events().await?] {
        world.apply_again(events).await?;
        ensure_same(&live, &world.rows().await?)
            .with_context(|| format!("the last {events} events were applied once more"))?;
    }
    Ok(())
}
