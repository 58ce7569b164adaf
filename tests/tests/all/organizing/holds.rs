//! What is held stays, whatever the server does by itself, and whoever comes first.

use anyhow::ensure;
use calotype_commands::CommandError;
use calotype_commands::assets::Doomed;
use calotype_domain::asset::{AssetError, Purging};
use calotype_domain::hold::{Held, HoldError};
use calotype_domain::user::UserCommand;
use calotype_domain::{AssetId, UserId};
use calotype_tests::walk::World;
use chrono::TimeDelta;

/// When the photos are taken.
const TAKEN: &str = "2019-06-01T12:00:00Z";
/// Photos of which somebody is held while it is deleted.
const RACES: usize = 20;

async fn is_there(world: &World, asset_id: AssetId) -> anyhow::Result<bool> {
    let owner_id = world.commands().owner_of_held(Held::Asset(asset_id)).await?;
    Ok(owner_id.is_some())
}

#[tokio::test]
async fn trash_keeps_what_is_held_and_nothing_else() -> anyhow::Result<()> {
    let mut world = World::new(41).await?;
    let owner_id = world.somebody().await?;
    let taken = TAKEN.parse()?;
    let (held, gone) = (world.photo(owner_id, taken).await?, world.photo(owner_id, taken).await?);
    world.trash(owner_id, &[held, gone]).await?;
    let (worker, later) = (world.worker().await?, world.now() + TimeDelta::days(31));
    world.commands().place_hold(&world.by(None), Held::Asset(held), "case 7").await?;

    worker.keep_house_once(later).await?;
    world.follow().await?;
    ensure!(is_there(&world, held).await?, "what is held is gone");
    ensure!(!is_there(&world, gone).await?, "what is not held is kept");

    world.commands().release_hold(&world.by(None), Held::Asset(held), None).await?;
    worker.keep_house_once(later).await?;
    ensure!(!is_there(&world, held).await?, "it is kept for ever");
    Ok(())
}

#[tokio::test]
async fn account_stays_whole_while_one_photo_of_it_is_held() -> anyhow::Result<()> {
    let mut world = World::new(42).await?;
    let owner_id = world.somebody().await?;
    let taken = TAKEN.parse()?;
    let (held, other) = (world.photo(owner_id, taken).await?, world.photo(owner_id, taken).await?);
    world.commands().place_hold(&world.by(None), Held::Asset(held), "case 7").await?;
    let delete = UserCommand::Delete { force: true };
    world.commands().user(&world.by(None), owner_id, delete).await?;
    world.follow().await?;
    let worker = world.worker().await?;

    worker.keep_house_once(world.now()).await?;
    ensure!(is_there(&world, held).await? && is_there(&world, other).await?, "photos are gone");
    let purged = world.commands().purge_user(&world.by(None), owner_id).await;
    ensure!(matches!(purged, Err(CommandError::Refused(_))), "{purged:?}");

    let nobody = Held::User(UserId::default());
    let placed = world.commands().place_hold(&world.by(None), nobody, "case 7").await;
    ensure!(
        matches!(placed, Err(CommandError::Refused(HoldError::NotFound))),
        "held what is not there: {placed:?}"
    );
    Ok(())
}

#[tokio::test]
async fn what_was_answered_as_held_is_not_deleted_by_who_came_at_once() -> anyhow::Result<()> {
    let mut world = World::new(43).await?;
    let owner_id = world.somebody().await?;
    let mut photos = Vec::new();
    for _ in 0..RACES {
        photos.push(world.photo(owner_id, TAKEN.parse()?).await?);
    }
    world.follow().await?;
    let world = &world;
    for (index, asset_id) in photos.into_iter().enumerate() {
        let row = world.queries().asset(asset_id.uuid()).await?;
        let sha1 = row.map(|row| row.sha1).unwrap_or_default();
        let why = Purging::Wished { by: owner_id };
        let doomed = [Doomed { why, owner_id, asset_id, sha1: &sha1 }];
        let (by_owner, by_nobody) = (world.by(Some(owner_id)), world.by(None));
        let hold = world.commands().place_hold(&by_nobody, Held::Asset(asset_id), "case 7");
        let purge = world.commands().purge_assets(&by_owner, &doomed);
        // Each begins first in turn.
        let (hold, purge) = if index % 2 == 0 {
            tokio::join!(hold, purge)
        } else {
            let (purge, hold) = tokio::join!(purge, hold);
            (hold, purge)
        };
        let is_there = is_there(world, asset_id).await?;
        match (hold, purge) {
            (Ok(_), Err(CommandError::Refused(AssetError::Held(_)))) => {
                ensure!(is_there, "{asset_id} was held, and is gone");
            }
            (Err(CommandError::Refused(HoldError::NotFound)), Ok(_)) => {
                ensure!(!is_there, "{asset_id} was deleted, and is there");
            }
            other => anyhow::bail!("{asset_id} is held and deleted, or neither: {other:?}"),
        }
    }
    Ok(())
}
