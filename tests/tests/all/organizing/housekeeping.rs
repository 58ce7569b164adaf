//! What the server does by itself, day by day: over a database of its own, with the clock moved by hand.

use anyhow::ensure;
use calotype_projections::memories::{MemoryFilter, MemoryOrder};
use calotype_tests::walk::World;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

/// When the photos of this story are taken.
const TAKEN: &str = "2019-06-01T12:00:00Z";

#[tokio::test]
async fn trash_is_emptied_when_its_time_is_over() -> anyhow::Result<()> {
    let mut world = World::new(1).await?;
    let taken: DateTime<Utc> = TAKEN.parse()?;
    let owner_id = world.somebody().await?;
    let (kept, gone) = (world.photo(owner_id, taken).await?, world.photo(owner_id, taken).await?);
    world.trash(owner_id, &[gone]).await?;
    let now = world.now();
    let worker = world.worker().await?;

    worker.keep_house_once(now + TimeDelta::days(29)).await?;
    world.follow().await?;
    ensure!(world.queries().asset(gone.uuid()).await?.is_some(), "emptied too early");

    worker.keep_house_once(now + TimeDelta::days(31)).await?;
    worker.keep_house_once(now + TimeDelta::days(31)).await?;
    world.follow().await?;
    ensure!(world.queries().asset(gone.uuid()).await?.is_none(), "not emptied");
    ensure!(world.queries().asset(kept.uuid()).await?.is_some(), "emptied too much");
    Ok(())
}

#[tokio::test]
async fn memories_are_made_once_and_let_go_in_time() -> anyhow::Result<()> {
    let mut world = World::new(2).await?;
    let taken: DateTime<Utc> = TAKEN.parse()?;
    let owner_id = world.somebody().await?;
    let first = world.photo(owner_id, taken).await?;
    let second = world.photo(owner_id, taken + TimeDelta::hours(1)).await?;
    world.photo(owner_id, taken + TimeDelta::days(365)).await?;
    let trashed = world.photo(owner_id, taken).await?;
    world.trash(owner_id, &[trashed]).await?;
    let worker = world.worker().await?;
    let day = NaiveDate::from_ymd_opt(2026, 5, 30).unwrap_or_default();

    let made = worker.make_memories(day).await?;
    let again = worker.make_memories(day).await?;
    world.follow().await?;
    let next_day = worker.make_memories(day + TimeDelta::days(1)).await?;
    ensure!((made, again, next_day) == (2, 0, 0), "made {made}, then {again}, then {next_day}");

    let memories = world
        .queries()
        .memories_of(owner_id.uuid(), MemoryFilter::default(), MemoryOrder::default(), 10)
        .await?;
    let newest_first: Vec<i32> = memories.iter().map(|memory| memory.year).collect();
    ensure!(newest_first == [2020, 2019], "{newest_first:?}");
    ensure!(memories[1].asset_ids == [second.uuid(), first.uuid()], "{:?}", memories[1].asset_ids);

    let now = world.now();
    ensure!(worker.clean_memories(now + TimeDelta::days(29)).await? == 0, "let go too early");
    ensure!(worker.clean_memories(now + TimeDelta::days(31)).await? == 2, "not let go");
    world.follow().await?;
    ensure!(worker.make_memories(day).await? == 0, "a memory came back");
    Ok(())
}
