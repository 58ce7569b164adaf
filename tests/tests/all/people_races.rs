//! What people decide about people counts for more than what the machine does at the same moment.

use std::pin::pin;
use std::time::Duration;

use anyhow::ensure;
use calotype_commands::Commands;
use calotype_commands::faces::Drawing;
use calotype_domain::faces::PictureSize;
use calotype_domain::person::PersonCreated;
use calotype_domain::{PersonId, Sealed, UserId};
use calotype_tests::client::WORK_LIMIT;
use calotype_tests::waiting::until;
use calotype_tests::walk::World;
use chrono::DateTime;
use uuid::Uuid;

/// How long something is watched that must not happen.
const WATCHED: Duration = Duration::from_millis(500);

fn unnamed(owner_id: UserId) -> PersonCreated {
    PersonCreated {
        owner_id,
        name: String::new().into(),
        birth_date: Sealed::Known(None),
        is_hidden: false,
        is_favorite: false,
        color: None,
    }
}

#[tokio::test]
async fn nobody_is_deleted_while_they_are_given_a_face() -> anyhow::Result<()> {
    let world = World::new(32).await?;
    let same = world.commands().clone();
    ensure_waits_for_the_face(world, &same, Wish::Delete).await
}

#[tokio::test]
async fn nobody_is_deleted_elsewhere_while_they_are_given_a_face() -> anyhow::Result<()> {
    let world = World::new(34).await?;
    let another = world.another_process().await?;
    ensure_waits_for_the_face(world, &another, Wish::Delete).await
}

#[tokio::test]
async fn nobody_is_merged_elsewhere_while_they_are_given_a_face() -> anyhow::Result<()> {
    let world = World::new(35).await?;
    let another = world.another_process().await?;
    ensure_waits_for_the_face(world, &another, Wish::Merge).await
}

/// What somebody wishes about the person in between.
#[derive(Clone, Copy)]
enum Wish {
    Delete,
    Merge,
}

/// Lets `others` decide about somebody while they are given a face: that is done when the face is written.
async fn ensure_waits_for_the_face(
    mut world: World,
    others: &Commands,
    wish: Wish,
) -> anyhow::Result<()> {
    let owner_id = world.somebody().await?;
    let asset_id = world.photo(owner_id, DateTime::UNIX_EPOCH).await?;
    let (ctx, commands) = (world.by(Some(owner_id)), world.commands());
    let (person_id, _) = commands.create_person(&ctx, unnamed(owner_id)).await?;
    let ctx = world.by(Some(owner_id));
    let (into_id, _) = commands.create_person(&ctx, unnamed(owner_id)).await?;
    // The face is decided and cannot be written yet: its place in the log is taken by what is not committed.
    let mut held = world.pool().begin().await?;
    sqlx::query(
        "insert into log.events (event_id, stream_id, revision, type, version, payload, actor_kind,
                                 actor_id, correlation_id, recorded_at)
         values ($1, 'faces-' || $2, 0, 'None', 1, '{}', 'system', 'test', $1, now())",
    )
    .bind(Uuid::from_u128(32))
    .bind(asset_id.uuid())
    .execute(&mut *held)
    .await?;
    let drawing = Drawing { area: None, size: PictureSize { width: 0, height: 0 }, person_id };
    let by = world.by(Some(owner_id));
    let draw = commands.draw_face(&by, owner_id, asset_id, drawing);

    let decide = async {
        until("the face to wait", WORK_LIMIT, async || {
            let waiting: bool = sqlx::query_scalar(
                "select exists (select from pg_stat_activity
                                 where datname = current_database() and wait_event_type = 'Lock')",
            )
            .fetch_one(world.pool())
            .await?;
            Ok(waiting.then_some(()))
        })
        .await?;
        let by = world.by(Some(owner_id));
        let gone = [person_id];
        let mut decide = pin!(async {
            match wish {
                Wish::Delete => others.delete_people(&by, owner_id, &gone).await,
                Wish::Merge => others.merge_person(&by, owner_id, into_id, person_id).await,
            }
        });
        let early = tokio::time::timeout(WATCHED, &mut decide).await;
        held.rollback().await?;
        ensure!(early.is_err(), "the person was taken away in between");
        decide.await?;
        anyhow::Ok(())
    };
    let (drawn, decided) = tokio::join!(draw, decide);
    decided?;
    drawn?;
    Ok(())
}

#[tokio::test]
async fn the_nightly_look_leaves_whom_a_person_made() -> anyhow::Result<()> {
    let mut world = World::new(33).await?;
    let owner_id = world.somebody().await?;
    let commands = world.commands();
    let (made, _) = commands.create_person(&world.by(Some(owner_id)), unnamed(owner_id)).await?;
    let (guessed, _) = commands.create_person(&world.by(None), unnamed(owner_id)).await?;
    world.follow().await?;
    let worker = world.worker().await?;

    worker.keep_day(world.now()).await?;
    world.follow().await?;

    let left = world.queries().people(&[made.uuid(), guessed.uuid()]).await?;
    let left: Vec<PersonId> = left.iter().map(|row| PersonId::new(row.person_id)).collect();
    ensure!(left == [made], "{left:?} are left of {made}, whom a person made, and {guessed}");
    Ok(())
}
