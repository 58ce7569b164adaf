//! A rebuild while people go on: what is built is what is live, wherever it is cut off.

use anyhow::{Context as _, ensure};
use calotype_projections::rebuild::{Stage, State, Wish};
use calotype_tests::database::ensure_same;
use calotype_tests::ids::any_seed;
use calotype_tests::walk::World;

use super::{finished, state_of, tables_in};

/// Read models of every kind: folds, sums, a change log, some that read other events of the same batch.
const SOME: [&str; 7] =
    ["assets", "timeline", "albums", "sync", "people", "statistics", "shared_links"];
/// Steps before a rebuild.
const STEPS: u32 = 80;
/// Events of a batch: few, so that much happens between them.
const BATCH: u32 = 40;

#[tokio::test]
async fn what_is_built_while_people_go_on_is_what_is_live() -> anyhow::Result<()> {
    let seed = any_seed();
    build_while_walking(seed).await.with_context(|| format!("seed {seed}"))
}

async fn build_while_walking(seed: u64) -> anyhow::Result<()> {
    let mut world = World::new(seed).await?;
    world.walk(STEPS).await?;
    for name in SOME {
        world.queries().start_rebuild(name, Wish::Rebuild, None).await?;
        let mut rebuilder = world.queries().rebuilder().in_batches_of(BATCH);
        while rebuilder.step().await? {
            world.walk(2).await?;
        }
        let rebuild = state_of(&world, name).await?;
        ensure!(rebuild.state == State::Done, "{rebuild:?}");
        let comparison = rebuild.comparison.as_ref().context("it was not compared")?;
        ensure!(comparison.is_same(), "{name}: {comparison:?}");
        ensure!(!tables_in(world.pool(), "read_prev").await?.is_empty(), "{name} is not kept");
    }
    world.follow().await?;
    let live = world.rows().await?;
    world.rebuild().await?;
    ensure_same(&live, &world.rows().await?)
}

#[tokio::test]
async fn indexes_and_keys_are_those_of_the_live_tables() -> anyhow::Result<()> {
    let mut world = World::new(3).await?;
    world.walk(20).await?;
    let indexes = async |world: &World| -> anyhow::Result<Vec<String>> {
        let select = "select indexdef from pg_indexes where schemaname = 'read' order by indexdef";
        Ok(sqlx::query_scalar(select).fetch_all(world.pool()).await?)
    };
    let before = indexes(&world).await?;
    world.rebuild().await?;
    ensure!(before == indexes(&world).await?, "after a rebuild");
    for name in ["timeline", "sync"] {
        world.queries().start_rebuild(name, Wish::Rollback, None).await?;
        finished(&world, name).await?;
    }
    ensure!(before == indexes(&world).await?, "after going back");
    Ok(())
}

#[tokio::test]
async fn what_was_cut_off_goes_on_where_it_was() -> anyhow::Result<()> {
    let mut world = World::new(5).await?;
    world.walk(STEPS).await?;
    let head = world.events().await?;
    world.queries().start_rebuild("sync", Wish::Rebuild, None).await?;
    let mut at = 0;
    let mut lives = 0;
    loop {
        // Each one lives for two steps, and knows nothing of the one before.
        let mut rebuilder = world.queries().rebuilder().in_batches_of(BATCH);
        let is_on = rebuilder.step().await? && rebuilder.step().await?;
        let rebuild = state_of(&world, "sync").await?;
        ensure!(rebuild.position >= at, "it went back from {at} to {}", rebuild.position);
        at = rebuild.position;
        lives += 1;
        if !is_on {
            break;
        }
    }
    let rebuild = state_of(&world, "sync").await?;
    ensure!(rebuild.state == State::Done && lives > 3, "{lives} lives: {rebuild:?}");
    ensure!(rebuild.events == head, "{} events of {head} were read", rebuild.events);
    ensure!(rebuild.comparison.is_some_and(|compared| compared.is_same()), "other rows");
    Ok(())
}

#[tokio::test]
async fn paused_rebuild_stands_still_and_goes_on() -> anyhow::Result<()> {
    let mut world = World::new(6).await?;
    world.walk(STEPS).await?;
    let queries = world.queries();
    queries.start_rebuild("timeline", Wish::Rebuild, None).await?;
    let mut rebuilder = queries.rebuilder().in_batches_of(BATCH);
    ensure!(rebuilder.step().await?, "nothing to do");

    queries.change_rebuild("timeline", Some(true), None).await?;

    let paused = state_of(&world, "timeline").await?;
    ensure!(paused.state == State::Paused && paused.stage == Stage::Filling, "{paused:?}");
    ensure!(paused.position > 0 && paused.position < paused.target, "{paused:?}");
    ensure!(paused.seconds_left.is_none(), "it does not move: {paused:?}");
    ensure!(!rebuilder.step().await?, "it went on");
    world.walk(5).await?;
    let refused = queries.start_rebuild("timeline", Wish::Diff, None).await;
    ensure!(refused.is_err(), "two at once");
    ensure!(state_of(&world, "timeline").await?.position == paused.position, "it went on");

    queries.change_rebuild("timeline", Some(false), None).await?;
    let done = finished(&world, "timeline").await?;
    ensure!(done.comparison.is_some_and(|compared| compared.is_same()), "other rows");
    Ok(())
}

#[tokio::test]
async fn limit_on_events_cuts_batches() -> anyhow::Result<()> {
    let mut world = World::new(7).await?;
    world.walk(20).await?;
    let queries = world.queries();
    queries.start_rebuild("users", Wish::Rebuild, Some(7)).await?;
    ensure!(queries.rebuilder().step().await?, "nothing to do");
    let limited = state_of(&world, "users").await?;
    ensure!(limited.events == 7 && limited.events_per_second_max == Some(7), "{limited:?}");

    queries.change_rebuild("users", None, Some(None)).await?;

    let done = finished(&world, "users").await?;
    ensure!(done.events_per_second_max.is_none(), "{done:?}");
    Ok(())
}

#[tokio::test]
async fn what_is_given_up_leaves_nothing_behind() -> anyhow::Result<()> {
    let mut world = World::new(8).await?;
    world.walk(30).await?;
    let queries = world.queries();
    let live = world.rows().await?;
    queries.start_rebuild("timeline", Wish::Rebuild, None).await?;
    queries.rebuilder().in_batches_of(BATCH).step().await?;
    ensure!(!tables_in(world.pool(), "read_next").await?.is_empty(), "nothing is built");

    queries.discard_rebuild("timeline").await?;

    ensure!(tables_in(world.pool(), "read_next").await?.is_empty(), "tables were left");
    ensure!(state_of(&world, "timeline").await?.state == State::Discarded, "it is not given up");
    ensure!(!queries.rebuilder().step().await?, "it goes on");
    ensure!(queries.discard_rebuild("timeline").await.is_err(), "there is nothing more");
    ensure_same(&live, &world.rows().await?)
}
