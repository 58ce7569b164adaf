//! What the server does by itself, day by day: over a database of its own, with the clock moved by hand.

use std::time::Duration;

use anyhow::ensure;
use calotype_commands::CommandError;
use calotype_commands::users::AccountError;
use calotype_domain::UserId;
use calotype_domain::user::{UserCommand, UserError};
use calotype_projections::memories::{MemoryFilter, MemoryOrder};
use calotype_tests::waiting::until;
use calotype_tests::walk::World;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

/// Photos in the trash, and how many go in one round.
const TRASH_ASSETS: usize = 7;
const ROUND_ASSETS: i64 = 2;
/// How long the server may take for one step.
const SOON: Duration = Duration::from_secs(20);
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
async fn what_was_taken_out_of_the_trash_stays_though_the_read_model_is_behind()
-> anyhow::Result<()> {
    let mut world = World::new(4).await?;
    let taken: DateTime<Utc> = TAKEN.parse()?;
    let owner_id = world.somebody().await?;
    let (still, film) = (world.photo(owner_id, taken).await?, world.film(owner_id, taken).await?);
    let gone = world.photo(owner_id, taken).await?;
    let ctx = world.by(Some(owner_id));
    world.commands().link_film(&ctx, owner_id, still, Some(film), None).await?;
    world.trash(owner_id, &[still, gone]).await?;
    let worker = world.worker().await?;
    let ctx = world.by(Some(owner_id));
    world.commands().restore_assets(&ctx, owner_id, &[still]).await?;

    let later = world.now() + TimeDelta::days(31);
    worker.empty_old_trash(later, 10, &CancellationToken::new()).await?;
    world.follow().await?;
    for kept in [still, film] {
        ensure!(world.queries().asset(kept.uuid()).await?.is_some(), "{kept} is gone");
    }
    ensure!(world.queries().asset(gone.uuid()).await?.is_none(), "the trash was not emptied");

    // In the trash for long enough, both go.
    world.trash(owner_id, &[still]).await?;
    worker.empty_old_trash(later, 10, &CancellationToken::new()).await?;
    world.follow().await?;
    for gone in [still, film] {
        ensure!(world.queries().asset(gone.uuid()).await?.is_none(), "{gone} is left over");
    }
    Ok(())
}

/// The read model follows, as it does beside a worker, until something fails.
async fn follow_on(world: &mut World) -> anyhow::Result<()> {
    loop {
        world.follow().await?;
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_large_trash_is_emptied_in_one_go() -> anyhow::Result<()> {
    let mut world = World::new(3).await?;
    let taken: DateTime<Utc> = TAKEN.parse()?;
    let owner_id = world.somebody().await?;
    let mut gone = Vec::new();
    for _ in 0..TRASH_ASSETS {
        gone.push(world.photo(owner_id, taken).await?);
    }
    world.trash(owner_id, &gone).await?;
    let (worker, queries) = (world.worker().await?, world.queries());
    let later = world.now() + TimeDelta::days(31);
    let never = CancellationToken::new();
    tokio::select! {
        done = worker.empty_old_trash(later, ROUND_ASSETS, &never) => done?,
        failed = follow_on(&mut world) => failed?,
    }
    world.follow().await?;
    ensure!(queries.trash_of(owner_id.uuid()).await?.is_empty(), "something is left");
    Ok(())
}

async fn count(world: &World, event_type: &str) -> anyhow::Result<i64> {
    let sql = "select count(*) from log.events where type = $1";
    Ok(sqlx::query_scalar(sql).bind(event_type).fetch_one(world.pool()).await?)
}

/// An account with photos that is marked to go at once.
async fn marked(world: &mut World) -> anyhow::Result<UserId> {
    let user_id = world.somebody().await?;
    for _ in 0..3 {
        world.photo(user_id, TAKEN.parse()?).await?;
    }
    let command = UserCommand::Delete { force: true };
    world.commands().user(&world.by(None), user_id, command).await?;
    world.follow().await?;
    Ok(user_id)
}

#[tokio::test]
async fn an_account_that_is_restored_keeps_everything_though_the_read_model_is_behind()
-> anyhow::Result<()> {
    let mut world = World::new(5).await?;
    let user_id = marked(&mut world).await?;
    let worker = world.worker().await?;
    world.commands().user(&world.by(None), user_id, UserCommand::Restore).await?;
    worker.keep_house_once(world.now()).await?;
    ensure!(count(&world, "AssetPurged").await? == 0, "photos are gone");

    // Nor does any other way lead to it.
    let purged = world.commands().purge_user(&world.by(None), user_id).await;
    let not_deleted = AccountError::User(UserError::NotDeleted);
    ensure!(
        matches!(&purged, Err(CommandError::Refused(refusal)) if *refusal == not_deleted),
        "{purged:?}"
    );
    Ok(())
}

#[tokio::test]
async fn an_account_that_is_restored_while_it_goes_stays_with_what_is_left() -> anyhow::Result<()> {
    let mut world = World::new(6).await?;
    let user_id = marked(&mut world).await?;
    let worker = world.worker().await?;
    // The read model shows it with all its photos for as long as nobody follows.
    let (kept_house, restored) = tokio::join!(worker.keep_house_once(world.now()), async {
        until("the first photo to be gone", SOON, async || {
            Ok((count(&world, "AssetPurged").await? > 0).then_some(()))
        })
        .await?;
        let restore = UserCommand::Restore;
        world.commands().user(&world.by(None), user_id, restore).await?;
        anyhow::Ok(())
    });
    restored?;
    kept_house?;
    world.follow().await?;
    worker.keep_house_once(world.now()).await?;
    ensure!(count(&world, "UserPurged").await? == 0, "the account is gone");
    let user = world.queries().user(user_id.uuid()).await?;
    ensure!(user.is_some_and(|user| user.deleted_at.is_none()), "it is not back");
    Ok(())
}

#[tokio::test]
async fn an_account_does_not_go_while_its_photos_do_not_show() -> anyhow::Result<()> {
    let mut world = World::new(8).await?;
    marked(&mut world).await?;
    let worker = world.worker().await?;
    sqlx::query("truncate read.assets_v1").execute(world.pool()).await?;
    worker.keep_house_once(world.now()).await?;
    ensure!(count(&world, "UserPurged").await? == 0, "gone, and nobody finds its files");

    world.rebuild().await?;
    tokio::select! {
        kept = worker.keep_house_once(world.now()) => kept?,
        failed = follow_on(&mut world) => failed?,
    }
    ensure!(count(&world, "AssetPurged").await? == 3, "not all photos are gone");
    ensure!(count(&world, "UserPurged").await? == 1, "the account stays");
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
