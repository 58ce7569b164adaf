//! Vectors of a model that is tried: beside those in use until one event exchanges them. With vectors made by hand.

use anyhow::ensure;
use calotype_commands::embedded::Seen;
use calotype_domain::config::{ConfigCommand, ConfigModelSwitched};
use calotype_domain::model::ModelRef;
use calotype_domain::{AssetId, ModelTask, UserId};
use calotype_projections::embeddings::Near;
use calotype_projections::search::{Direction, OrderColumn, Scope, Search};
use calotype_tests::database::ensure_same;
use calotype_tests::walk::World;
use uuid::Uuid;

fn model(name: &str) -> ModelRef {
    ModelRef { name: name.into(), revision: "1".into(), sha256: "0".repeat(64) }
}

/// Where a vector lies that is so far from the first axis, as a part of a quarter turn.
fn turned(part: f32) -> Vec<f32> {
    let (sine, cosine) = (part * std::f32::consts::FRAC_PI_2).sin_cos();
    vec![cosine, sine, 0.0, 0.0]
}

async fn found(world: &World, owner_id: UserId, by: &str) -> anyhow::Result<Vec<AssetId>> {
    let search = Search {
        viewer_id: owner_id.uuid(),
        scope: Scope::People(vec![owner_id.uuid()]),
        conditions: vec![],
        order: OrderColumn::Taken,
        direction: Direction::Descending,
        after: None,
        offset: 0,
        limit: 10,
    };
    let near = Near::new(&model(by), turned(0.0));
    let page = world.queries().search_near(&search, &near).await?;
    Ok(page.assets.iter().map(|hit| AssetId::new(hit.asset_id)).collect())
}

async fn see(world: &World, asset_id: AssetId, by: &str, part: f32) -> anyhow::Result<()> {
    let seen = Seen::new(model(by), &asset_id.to_string(), &turned(part))?;
    world.commands().record_embedding(&world.by(None), asset_id, &seen).await?;
    Ok(())
}

async fn try_on(
    world: &World,
    owner_id: UserId,
    asset_id: AssetId,
    by: &str,
    part: f32,
) -> anyhow::Result<()> {
    let seen = Seen::new(model(by), &asset_id.to_string(), &turned(part))?;
    let tried = seen.tried(Uuid::from_u128(1), owner_id);
    world.commands().record_tried(&world.by(None), asset_id, &tried).await?;
    Ok(())
}

async fn configure(world: &mut World, command: &ConfigCommand) -> anyhow::Result<()> {
    world.commands().configure(&world.by(None), command).await?;
    world.follow().await
}

fn to_b() -> ConfigCommand {
    ConfigCommand::SwitchModel(Box::new(ConfigModelSwitched {
        task: ModelTask::SmartSearch,
        name: "b".into(),
        model: model("b"),
        former_name: "a".into(),
        former: model("a"),
    }))
}

#[tokio::test]
async fn one_event_exchanges_what_searches_find() -> anyhow::Result<()> {
    let mut world = World::new(205).await?;
    let owner = world.somebody().await?;
    let mut photos = Vec::new();
    for part in [0.1, 0.2, 0.3_f32] {
        let taken = "2020-01-01T12:00:00Z".parse()?;
        let photo = world.photo(owner, taken).await?;
        see(&world, photo, "a", part).await?;
        photos.push(photo);
    }
    let [one, two, three] = photos[..] else { anyhow::bail!("not three photos") };
    // Another model sees the first two the other way round, and never the third.
    try_on(&world, owner, one, "b", 0.9).await?;
    try_on(&world, owner, two, "b", 0.5).await?;
    try_on(&world, owner, two, "b", 0.5).await?;
    world.follow().await?;
    let before = world.rows().await?;
    ensure!(found(&world, owner, "a").await? == [one, two, three], "a trial changed a search");
    ensure!(found(&world, owner, "b").await?.is_empty(), "what is tried is found");

    let diffs = world
        .queries()
        .searches_diff((model("a").id(), &[turned(0.0)]), (model("b").id(), &[turned(0.0)]))
        .await?;
    ensure!(diffs.len() == 1 && diffs[0].kept == 2 && diffs[0].entered.is_empty(), "{diffs:?}");

    configure(&mut world, &to_b()).await?;
    ensure!(found(&world, owner, "b").await? == [two, one], "not what the other model sees");
    ensure!(found(&world, owner, "a").await? == [three], "what it has not seen is not kept");
    let missing = world.queries().to_embed_after(Uuid::nil(), Some(model("b").id()), 10).await?;
    ensure!(missing == [three.uuid()], "{missing:?}");

    let live = world.rows().await?;
    world.apply_again(4).await?;
    ensure_same(&live, &world.rows().await?)?;
    world.rebuild().await?;
    ensure_same(&live, &world.rows().await?)?;

    let back = ConfigCommand::RollBackModel(ModelTask::SmartSearch);
    configure(&mut world, &back).await?;
    ensure!(found(&world, owner, "a").await? == [one, two, three], "the way back lost something");
    let after = world.rows().await?;
    for table in ["embeddings_v1", "trial_results_v1"] {
        let of = |rows: &calotype_tests::database::Rows| rows.get(table).cloned();
        ensure!(of(&before) == of(&after), "{table} is another than before");
    }
    let live = world.rows().await?;
    world.rebuild().await?;
    ensure_same(&live, &world.rows().await?)
}

#[tokio::test]
async fn what_was_tried_goes_with_its_photo() -> anyhow::Result<()> {
    let mut world = World::new(206).await?;
    let owner = world.somebody().await?;
    let photo = world.photo(owner, "2020-01-01T12:00:00Z".parse()?).await?;
    try_on(&world, owner, photo, "b", 0.5).await?;
    world.follow().await?;
    let kept = "select (select count(*) from read.embeddings_beside_v1)
                     + (select count(*) from read.trial_results_v1)
                     + (select count(*) from log.attachments)";
    let count = async |world: &World| -> anyhow::Result<i64> {
        Ok(sqlx::query_scalar(kept).fetch_one(world.pool()).await?)
    };
    ensure!(count(&world).await? == 3, "nothing was tried");
    world.purge_photo(owner, photo).await?;
    world.follow().await?;
    ensure!(count(&world).await? == 0, "something of a photo that is gone stays");
    try_on(&world, owner, photo, "c", 0.5).await?;
    world.follow().await?;
    ensure!(count(&world).await? == 0, "something was told of a photo that is gone");
    Ok(())
}
