//! What was live before is kept, can be had again, and is not kept for longer than it may; what would change can
//! be seen without a switch.

use anyhow::{Context as _, ensure};
use calotype_domain::{AssetId, UserId};
use calotype_projections::rebuild::{Changes, State, Wish};
use calotype_tests::database::ensure_same;
use calotype_tests::waiting::until;
use calotype_tests::walk::World;
use chrono::DateTime;
use sqlx::{Connection as _, PgPool};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

use super::{finished, state_of, tables_in};

/// How long something may take that a task does by itself.
const SOON: Duration = Duration::from_secs(60);

/// A photo, which one read model shows with other words than the log has.
async fn damaged() -> anyhow::Result<(World, UserId, AssetId)> {
    let mut world = World::new(11).await?;
    let owner_id = world.somebody().await?;
    let asset_id = world.photo(owner_id, DateTime::UNIX_EPOCH).await?;
    world.photo(owner_id, DateTime::UNIX_EPOCH).await?;
    world.follow().await?;
    sqlx::query("update read.timeline_v2 set is_favorite = true where asset_id = $1")
        .bind(asset_id.uuid())
        .execute(world.pool())
        .await?;
    Ok((world, owner_id, asset_id))
}

async fn is_favorite(world: &World, asset_id: AssetId) -> anyhow::Result<bool> {
    Ok(sqlx::query_scalar("select is_favorite from read.timeline_v2 where asset_id = $1")
        .bind(asset_id.uuid())
        .fetch_one(world.pool())
        .await?)
}

#[tokio::test]
async fn diff_names_the_row_that_differs_and_changes_nothing() -> anyhow::Result<()> {
    let (mut world, _, asset_id) = damaged().await?;
    let live = world.rows().await?;
    world.queries().start_rebuild("timeline", Wish::Diff, None).await?;

    let diff = finished(&world, "timeline").await?;

    let comparison = diff.comparison.as_ref().context("nothing was compared")?;
    ensure!(!comparison.is_same(), "{diff:?}");
    ensure!(comparison.position == world.applied().get(), "{comparison:?}");
    let table = comparison.tables.iter().find(|it| it.table == "timeline_v2");
    let table = table.context("the table is not told")?;
    ensure!((table.only_live, table.only_next, table.different) == (0, 0, 1), "{table:?}");
    ensure!((table.live_rows, table.next_rows) == (2, 2), "{table:?}");
    let [example] = &*diff.examples else { anyhow::bail!("examples: {:?}", diff.examples) };
    ensure!(example.key["asset_id"] == asset_id.to_string(), "{example:?}");
    ensure!(example.columns == ["is_favorite"], "{example:?}");
    let shows =
        |row: &Option<serde_json::Value>| row.as_ref().map(|row| row["is_favorite"].clone());
    ensure!(shows(&example.live) == Some(true.into()), "{example:?}");
    ensure!(shows(&example.next) == Some(false.into()), "{example:?}");
    ensure!(tables_in(world.pool(), "read_next").await?.is_empty(), "tables were left");
    ensure_same(&live, &world.rows().await?)?;

    sqlx::query("delete from read.timeline_v2 where asset_id = $1")
        .bind(asset_id.uuid())
        .execute(world.pool())
        .await?;
    world.queries().start_rebuild("timeline", Wish::Diff, None).await?;
    let diff = finished(&world, "timeline").await?;
    let [example] = &*diff.examples else { anyhow::bail!("examples: {:?}", diff.examples) };
    ensure!(example.live.is_none() && example.next.is_some(), "{example:?}");
    world.rebuild().await
}

#[tokio::test]
async fn diff_of_the_same_finds_nothing_in_any_read_model() -> anyhow::Result<()> {
    let mut world = World::new(12).await?;
    world.walk(60).await?;
    for projection in calotype_projections::projection::all() {
        let name = projection.name();
        world.queries().start_rebuild(name, Wish::Diff, None).await?;
        let diff = finished(&world, name).await?;
        let comparison = diff.comparison.context("nothing was compared")?;
        ensure!(comparison.is_same(), "{name}: {comparison:?} {:?}", diff.examples);
    }
    Ok(())
}

#[tokio::test]
async fn what_was_live_comes_back_with_what_happened_since() -> anyhow::Result<()> {
    let (mut world, owner_id, asset_id) = damaged().await?;
    let queries = world.queries();
    let mut changes = Changes::new(world.pool().clone());
    changes.look().await?;
    queries.start_rebuild("timeline", Wish::Rebuild, None).await?;
    let rebuilt = finished(&world, "timeline").await?;
    ensure!(!is_favorite(&world, asset_id).await?, "the damage is still there");
    ensure!(rebuilt.comparison.is_some_and(|compared| !compared.is_same()), "no difference");
    ensure!(rebuilt.previous.is_some(), "what was live is not kept");
    ensure!(changes.look().await?, "nobody heard that rows changed");
    let newer = world.photo(owner_id, DateTime::UNIX_EPOCH).await?;
    world.follow().await?;

    queries.start_rebuild("timeline", Wish::Rollback, None).await?;
    finished(&world, "timeline").await?;

    ensure!(is_favorite(&world, asset_id).await?, "it is not what was live before");
    ensure!(!is_favorite(&world, newer).await?, "what happened since is not there");
    ensure!(tables_in(world.pool(), "read_next").await?.is_empty(), "tables were left");
    let newest = world.photo(owner_id, DateTime::UNIX_EPOCH).await?;
    world.follow().await?;
    ensure!(!is_favorite(&world, newest).await?, "it does not go on");

    // There and back again, and then for good.
    queries.start_rebuild("timeline", Wish::Rollback, None).await?;
    finished(&world, "timeline").await?;
    ensure!(!is_favorite(&world, asset_id).await?, "the damage is back");
    queries.discard_rebuild("timeline").await?;
    ensure!(tables_in(world.pool(), "read_prev").await?.is_empty(), "it is still kept");
    let refused = queries.start_rebuild("timeline", Wish::Rollback, None).await;
    ensure!(refused.is_err(), "it went back to nothing");
    let live = world.rows().await?;
    world.rebuild().await?;
    ensure_same(&live, &world.rows().await?)
}

#[tokio::test]
async fn rollback_that_is_given_up_keeps_what_was_live() -> anyhow::Result<()> {
    let (mut world, owner_id, asset_id) = damaged().await?;
    let queries = world.queries();
    queries.start_rebuild("timeline", Wish::Rebuild, None).await?;
    finished(&world, "timeline").await?;
    world.photo(owner_id, DateTime::UNIX_EPOCH).await?;
    world.follow().await?;
    queries.start_rebuild("timeline", Wish::Rollback, None).await?;
    ensure!(queries.rebuilder().step().await?, "nothing to do");

    queries.discard_rebuild("timeline").await?;

    ensure!(!is_favorite(&world, asset_id).await?, "it went back all the same");
    queries.start_rebuild("timeline", Wish::Rollback, None).await?;
    finished(&world, "timeline").await?;
    ensure!(is_favorite(&world, asset_id).await?, "what was live is lost");
    Ok(())
}

/// What was prepared before a table changed its shape cannot be run again; a later release begins without.
async fn forget_statements(pool: &PgPool) -> anyhow::Result<()> {
    let mut all = Vec::new();
    while let Some(mut connection) = pool.try_acquire() {
        connection.clear_cached_statements().await?;
        all.push(connection);
    }
    Ok(())
}

#[tokio::test]
async fn tables_of_another_shape_are_never_gone_back_to() -> anyhow::Result<()> {
    let (world, ..) = damaged().await?;
    let queries = world.queries();
    for name in ["timeline", "users"] {
        queries.start_rebuild(name, Wish::Rebuild, None).await?;
        finished(&world, name).await?;
    }
    // As a migration of a later release does.
    sqlx::query("alter table read.timeline_v2 add column fresh text").execute(world.pool()).await?;
    forget_statements(world.pool()).await?;
    let refused = queries.start_rebuild("timeline", Wish::Rollback, None).await;
    ensure!(refused.is_err(), "it went back to tables without the column");

    // One that was built before the migration begins again.
    queries.start_rebuild("users", Wish::Rebuild, None).await?;
    queries.rebuilder().in_batches_of(1).step().await?;
    sqlx::query("alter table read.users_v1 add column fresh text").execute(world.pool()).await?;
    forget_statements(world.pool()).await?;
    finished(&world, "users").await?;
    sqlx::query("select fresh from read.users_v1").fetch_all(world.pool()).await?;
    Ok(())
}

#[tokio::test]
async fn nothing_that_was_deleted_for_good_is_kept_beside() -> anyhow::Result<()> {
    let (mut world, owner_id, asset_id) = damaged().await?;
    let queries = world.queries();
    queries.start_rebuild("timeline", Wish::Rebuild, None).await?;
    finished(&world, "timeline").await?;
    queries.start_rebuild("assets", Wish::Rebuild, None).await?;
    queries.rebuilder().in_batches_of(3).step().await?;
    queries.change_rebuild("assets", Some(true), None).await?;
    world.purge_photo(owner_id, asset_id).await?;
    world.follow().await?;

    let cancel = CancellationToken::new();
    let keeping = queries.clone().keep_rebuilding(cancel.clone());
    let looking = async {
        let gone = until("tables with what is gone", SOON, async || {
            let kept = [
                tables_in(world.pool(), "read_prev").await?,
                tables_in(world.pool(), "read_next").await?,
            ];
            Ok(kept.concat().is_empty().then_some(()))
        })
        .await;
        cancel.cancel();
        gone
    };
    let ((), gone) = tokio::join!(keeping, looking);
    gone?;

    ensure!(state_of(&world, "timeline").await?.previous.is_none(), "it is still told of");
    let paused = state_of(&world, "assets").await?;
    ensure!(paused.state == State::Paused && paused.position == 0, "{paused:?}");
    queries.change_rebuild("assets", Some(false), None).await?;
    let done = finished(&world, "assets").await?;
    ensure!(done.comparison.is_some_and(|compared| compared.is_same()), "it did not begin again");
    Ok(())
}
