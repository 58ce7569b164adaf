//! Several rebuilds read the log once, and none of them depends on the others (docs/adr/0037).

use anyhow::{Context as _, ensure};
use calotype_projections::projection;
use calotype_projections::rebuild::{Rebuilder, State, Wish};
use calotype_tests::database::ensure_same;
use calotype_tests::ids::any_seed;
use calotype_tests::walk::World;

use super::{finished, state_of, tables_in};

/// Some that take the same events, and some that take others.
const SOME: [&str; 5] = ["timeline", "assets", "albums", "sync", "users"];
/// Steps before a rebuild.
const STEPS: u32 = 80;
/// Events of a batch: few, so that much happens between them.
const BATCH: u32 = 40;

fn rebuilder(world: &World) -> Rebuilder {
    world.queries().rebuilder().in_batches_of(BATCH)
}

async fn positions(world: &World, names: &[&str]) -> anyhow::Result<Vec<i64>> {
    let mut positions = Vec::new();
    for name in names {
        positions.push(state_of(world, name).await?.position);
    }
    Ok(positions)
}

async fn ensure_all_are_the_same(world: &World, names: &[&str]) -> anyhow::Result<()> {
    for name in names {
        let rebuild = state_of(world, name).await?;
        ensure!(rebuild.state == State::Done, "{rebuild:?}");
        let comparison = rebuild.comparison.as_ref().context("it was not compared")?;
        ensure!(comparison.is_same(), "{name}: {comparison:?}");
    }
    Ok(())
}

#[tokio::test]
async fn all_read_models_are_made_anew_while_people_go_on() -> anyhow::Result<()> {
    let seed = any_seed();
    all_anew(seed).await.with_context(|| format!("seed {seed}"))
}

async fn all_anew(seed: u64) -> anyhow::Result<()> {
    let mut world = World::new(seed).await?;
    world.walk(STEPS).await?;
    let names: Vec<&str> = projection::all().iter().map(|it| it.name()).collect();
    for name in &names {
        world.queries().start_rebuild(name, Wish::Rebuild, None).await?;
    }
    let mut lives = 0;
    loop {
        // Each one lives for three steps, and knows nothing of the one before.
        let mut rebuilder = rebuilder(&world);
        let mut is_on = true;
        for _ in 0..3 {
            is_on = is_on && rebuilder.step().await?;
        }
        if !is_on {
            break;
        }
        lives += 1;
        if lives % 8 == 0 {
            world.walk(1).await?;
        }
    }
    ensure_all_are_the_same(&world, &names).await?;
    ensure!(tables_in(world.pool(), "read_next").await?.is_empty(), "tables were left");
    world.follow().await?;
    let live = world.rows().await?;
    world.rebuild().await?;
    ensure_same(&live, &world.rows().await?)
}

#[tokio::test]
async fn who_comes_late_is_waited_for() -> anyhow::Result<()> {
    let mut world = World::new(7).await?;
    world.walk(STEPS).await?;
    let (late, first) = SOME.split_last().context("no names")?;
    for name in first {
        world.queries().start_rebuild(name, Wish::Rebuild, None).await?;
    }
    let mut working = rebuilder(&world);
    working.step().await?;
    working.step().await?;
    let stand = positions(&world, first).await?;
    // Its tables are looked at in a step of their own where they were not known.
    ensure!(stand.iter().all(|at| *at == stand[0] && *at > 0), "{stand:?}");

    world.queries().start_rebuild(late, Wish::Rebuild, None).await?;
    let mut steps = 0;
    while state_of(&world, late).await?.position < stand[0] {
        ensure!(positions(&world, first).await? == stand, "they went on without it");
        ensure!(working.step().await?, "nothing to do");
        steps += 1;
        ensure!(steps < 100, "it does not come closer");
    }
    ensure!(positions(&world, &[late]).await? == [stand[0]], "it went past them");
    working.step().await?;
    let now = positions(&world, &SOME).await?;
    ensure!(now.iter().all(|at| *at == now[0] && *at > stand[0]), "{now:?}");

    finished(&world, late).await?;
    ensure_all_are_the_same(&world, &SOME).await
}

#[tokio::test]
async fn who_is_paused_or_given_up_holds_nobody_up() -> anyhow::Result<()> {
    let mut world = World::new(9).await?;
    world.walk(STEPS).await?;
    for name in SOME {
        world.queries().start_rebuild(name, Wish::Rebuild, None).await?;
    }
    let mut working = rebuilder(&world);
    working.step().await?;
    working.step().await?;
    let [paused, given_up, limited, others @ ..] = SOME;
    world.queries().change_rebuild(paused, Some(true), None).await?;
    world.queries().discard_rebuild(given_up).await?;
    world.queries().change_rebuild(limited, None, Some(Some(1_000_000))).await?;
    let at = state_of(&world, paused).await?.position;
    while working.step().await? {}
    ensure_all_are_the_same(&world, &others).await?;
    ensure_all_are_the_same(&world, &[limited]).await?;
    let rebuild = state_of(&world, paused).await?;
    ensure!(rebuild.state == State::Paused && rebuild.position == at, "{rebuild:?}");
    ensure!(state_of(&world, given_up).await?.state == State::Discarded, "it went on");

    world.queries().change_rebuild(paused, Some(false), None).await?;
    finished(&world, paused).await?;
    ensure_all_are_the_same(&world, &[paused]).await
}
