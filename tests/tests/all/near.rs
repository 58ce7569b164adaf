//! What assets show, as vectors: recorded as events, kept as rows, followed in memory, and found by what is
//! near. Over databases of their own, with vectors made by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::ensure;
use calotype_commands::assets::Doomed;
use calotype_commands::embedded::Seen;
use calotype_domain::asset::{Purging, Stage};
use calotype_domain::model::{ModelRef, pack, unpack};
use calotype_domain::queue::{DUPLICATES, QueueCommand, RerunScope};
use calotype_domain::{AssetId, DuplicateId, UserId};
use calotype_projections::embeddings::{Codes, Near};
use calotype_projections::search::{
    Compare, Condition, DateColumn, Direction, OrderColumn, Scope, Search,
};
use calotype_projections::{Follower, Queries};
use calotype_tests::walk::World;
use chrono::{DateTime, Utc};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use uuid::Uuid;

/// Where a vector lies that is so far from the first axis, as a part of a quarter turn.
fn turned(part: f32) -> Vec<f32> {
    let (sine, cosine) = (part * std::f32::consts::FRAC_PI_2).sin_cos();
    vec![cosine, sine, 0.0, 0.0]
}

fn model(name: &str) -> ModelRef {
    ModelRef { name: name.into(), revision: "1".into(), sha256: "0".repeat(64) }
}

fn first_axis() -> Near {
    Near::new(&model("a"), turned(0.0))
}

fn search(viewer_id: UserId, conditions: Vec<Condition>) -> Search {
    Search {
        viewer_id: viewer_id.uuid(),
        scope: Scope::People(vec![viewer_id.uuid()]),
        conditions,
        order: OrderColumn::Taken,
        direction: Direction::Descending,
        after: None,
        offset: 0,
        limit: 10,
    }
}

async fn found(queries: &Queries, search: &Search) -> anyhow::Result<Vec<AssetId>> {
    let page = queries.search_near(search, &first_axis()).await?;
    Ok(page.assets.iter().map(|hit| AssetId::new(hit.asset_id)).collect())
}

/// A photo that a model has looked at.
async fn seen(
    world: &mut World,
    owner_id: UserId,
    taken: &str,
    values: &[f32],
) -> anyhow::Result<AssetId> {
    let asset_id = world.photo(owner_id, taken.parse::<DateTime<Utc>>()?).await?;
    see(world, asset_id, "a", values).await?;
    Ok(asset_id)
}

async fn see(world: &mut World, asset_id: AssetId, by: &str, values: &[f32]) -> anyhow::Result<()> {
    let seen = Seen::new(model(by), &asset_id.to_string(), values)?;
    world.commands().record_embedding(&world.by(None), asset_id, &seen).await?;
    world.follow().await
}

async fn purge(world: &mut World, by: UserId, asset_id: AssetId) -> anyhow::Result<()> {
    let (why, sha1) = (Purging::Wished { by }, asset_id.to_string());
    let doomed = Doomed { why, owner_id: by, asset_id, sha1: &sha1 };
    world.commands().purge_assets(&world.by(Some(by)), &[doomed]).await?;
    world.follow().await
}

async fn count(world: &World, table: &'static str) -> anyhow::Result<i64> {
    Ok(sqlx::query_scalar(table).fetch_one(world.pool()).await?)
}

const ROWS: &str = "select count(*) from read.embeddings_v1";
const ATTACHMENTS: &str = "select count(*) from log.attachments";

#[tokio::test]
async fn assets_are_found_by_nearness_within_what_is_asked_for() -> anyhow::Result<()> {
    let mut world = World::new(21).await?;
    let (owner, other) = (world.somebody().await?, world.somebody().await?);
    let far = seen(&mut world, owner, "2019-01-01T12:00:00Z", &turned(0.9)).await?;
    let near = seen(&mut world, owner, "2020-01-01T12:00:00Z", &turned(0.1)).await?;
    let middle = seen(&mut world, owner, "2021-01-01T12:00:00Z", &turned(0.5)).await?;
    let theirs = seen(&mut world, other, "2020-01-01T12:00:00Z", &turned(0.0)).await?;
    let queries = world.queries();

    let all = search(owner, vec![]);
    ensure!(found(&queries, &all).await? == [near, middle, far], "not in order");
    ensure!(found(&queries, &search(other, vec![])).await? == [theirs], "of somebody else");
    let since: DateTime<Utc> = "2020-06-01T00:00:00Z".parse()?;
    let later = Condition::Date(DateColumn::Taken, Compare::AtLeast(since));
    ensure!(found(&queries, &search(owner, vec![later])).await? == [middle], "by date");
    let one = Condition::Id(Compare::In(vec![far.uuid(), theirs.uuid()]));
    ensure!(
        found(&queries, &search(owner, vec![one])).await? == [far],
        "by what the database knows"
    );

    let first = queries.search_near(&Search { limit: 2, ..all.clone() }, &first_axis()).await?;
    ensure!(first.has_more && first.assets.len() == 2, "{first:?}");
    let rest = Search { limit: 2, offset: 2, ..all.clone() };
    let rest = queries.search_near(&rest, &first_axis()).await?;
    ensure!(!rest.has_more && rest.assets.len() == 1, "{rest:?}");

    // Of another model nothing can be compared.
    see(&mut world, near, "b", &turned(0.1)).await?;
    ensure!(found(&world.queries(), &all).await? == [middle, far], "of another model");
    let left = world.queries().to_embed_after(Uuid::nil(), Some(model("a").id()), 10).await?;
    let wanted: BTreeSet<Uuid> = [near.uuid()].into();
    ensure!(left.into_iter().collect::<BTreeSet<_>>() == wanted, "what the model has not seen");
    Ok(())
}

#[tokio::test]
async fn index_follows_what_is_applied() -> anyhow::Result<()> {
    let mut world = World::new(22).await?;
    let owner = world.somebody().await?;
    let worker = world.worker().await?;
    let queries = worker.queries.clone();
    let vectors = queries.vectors().clone();
    let mut follower = Follower::new(world.pool().clone(), Arc::clone(&worker.store));
    follower.on_applied(Box::new(move |events| vectors.on_applied(events)));
    let shown = search(owner, vec![Condition::Trashed(false)]);
    ensure!(found(&queries, &shown).await?.is_empty(), "there is something already");

    let one = seen(&mut world, owner, "2019-01-01T12:00:00Z", &turned(0.2)).await?;
    let two = seen(&mut world, owner, "2019-01-01T12:00:00Z", &turned(0.1)).await?;
    follower.step().await?;
    ensure!(found(&queries, &shown).await? == [two, one], "what is new is missing");

    world.commands().request_processing(&world.by(None), &[two], Stage::Embedding).await?;
    see(&mut world, two, "a", &turned(0.3)).await?;
    follower.step().await?;
    ensure!(found(&queries, &shown).await? == [one, two], "what is other than before is as before");

    world.trash(owner, &[one]).await?;
    // What the index has not heard of yet does not show either.
    ensure!(found(&queries, &shown).await? == [two], "the trash shows");
    follower.step().await?;
    ensure!(found(&queries, &shown).await? == [two], "the trash shows");

    purge(&mut world, owner, two).await?;
    follower.step().await?;
    ensure!(found(&queries, &search(owner, vec![])).await? == [one], "what is gone shows");
    Ok(())
}

#[tokio::test]
async fn vector_goes_with_its_asset() -> anyhow::Result<()> {
    let mut world = World::new(23).await?;
    let owner = world.somebody().await?;
    let kept = seen(&mut world, owner, "2019-01-01T12:00:00Z", &turned(0.2)).await?;
    let gone = seen(&mut world, owner, "2019-01-01T12:00:00Z", &turned(0.1)).await?;
    ensure!(count(&world, ROWS).await? == 2 && count(&world, ATTACHMENTS).await? == 2);
    let queries = world.queries();
    let told = queries.embedding_of(kept.uuid()).await?;
    let wanted = unpack(&pack(&turned(0.2))?).unwrap_or_default();
    ensure!(told == Some(Near::new(&model("a"), wanted)), "{told:?}");

    purge(&mut world, owner, gone).await?;
    ensure!(count(&world, ROWS).await? == 1, "the row is left over");
    ensure!(count(&world, ATTACHMENTS).await? == 1, "the vector is left over in the log");
    ensure!(world.queries().embedding_of(gone.uuid()).await?.is_none(), "the vector is known");

    let live = world.rows().await?;
    world.rebuild().await?;
    ensure!(live == world.rows().await?, "rebuilt rows are others");
    Ok(())
}

/// Runs the errands, and does what was asked of queues.
async fn work(world: &mut World) -> anyhow::Result<()> {
    let worker = world.worker().await?;
    while worker.run_errands_once(world.applied()).await? {}
    while worker.do_requests_once(world.applied()).await?.has_more {}
    world.follow().await
}

async fn groups(world: &World, owner: UserId) -> anyhow::Result<Vec<BTreeSet<Uuid>>> {
    let mut groups: BTreeMap<Uuid, BTreeSet<Uuid>> = BTreeMap::new();
    for (duplicate_id, asset_id) in world.queries().duplicates_of(owner.uuid()).await? {
        groups.entry(duplicate_id).or_default().insert(asset_id);
    }
    Ok(groups.into_values().collect())
}

#[tokio::test]
async fn assets_of_one_owner_that_show_the_same_are_grouped_until_a_person_says_otherwise()
-> anyhow::Result<()> {
    let mut world = World::new(25).await?;
    let (owner, other) = (world.somebody().await?, world.somebody().await?);
    let taken = "2019-01-01T12:00:00Z";
    let one = seen(&mut world, owner, taken, &turned(0.200)).await?;
    let two = seen(&mut world, owner, taken, &turned(0.201)).await?;
    seen(&mut world, owner, taken, &turned(0.6)).await?;
    seen(&mut world, other, taken, &turned(0.2)).await?;
    work(&mut world).await?;
    let pair = BTreeSet::from([one.uuid(), two.uuid()]);
    ensure!(groups(&world, owner).await? == [pair], "{:?}", groups(&world, owner).await?);
    ensure!(groups(&world, other).await?.is_empty(), "of somebody else");

    let third = seen(&mut world, owner, taken, &turned(0.202)).await?;
    work(&mut world).await?;
    let all = BTreeSet::from([one.uuid(), two.uuid(), third.uuid()]);
    ensure!(groups(&world, owner).await? == [all], "{:?}", groups(&world, owner).await?);

    let ctx = world.by(Some(owner));
    world.commands().dismiss_duplicates(&ctx, owner, &[one, two, third]).await?;
    let ctx = world.by(None);
    let rerun = QueueCommand::Rerun(RerunScope::All);
    world.commands().control_queue(&ctx, DUPLICATES, rerun).await?;
    world.follow().await?;
    work(&mut world).await?;
    ensure!(groups(&world, owner).await?.is_empty(), "a person had said that they are none");

    let fourth = seen(&mut world, owner, taken, &turned(0.203)).await?;
    work(&mut world).await?;
    let found = groups(&world, owner).await?;
    let is_pair = |group: &BTreeSet<Uuid>| group.len() == 2 && group.contains(&fourth.uuid());
    ensure!(found.len() == 1 && found.iter().all(is_pair), "{found:?}");
    Ok(())
}

#[tokio::test]
async fn who_was_told_apart_does_not_meet_again_through_a_third() -> anyhow::Result<()> {
    let mut world = World::new(26).await?;
    let owner = world.somebody().await?;
    let taken = "2019-01-01T12:00:00Z";
    // The two are too far from each other to be found, and were told apart all the same.
    let one = seen(&mut world, owner, taken, &turned(0.0)).await?;
    let two = seen(&mut world, owner, taken, &turned(0.14)).await?;
    let group = DuplicateId::new(Uuid::from_u128(26));
    let ctx = world.by(Some(owner));
    world.commands().record_duplicates(&ctx, owner, group, &[one, two]).await?;
    let ctx = world.by(Some(owner));
    world.commands().dismiss_duplicates(&ctx, owner, &[one, two]).await?;
    work(&mut world).await?;
    let by_one = seen(&mut world, owner, taken, &turned(0.04)).await?;
    work(&mut world).await?;
    let first = BTreeSet::from([one.uuid(), by_one.uuid()]);
    let found = groups(&world, owner).await?;
    ensure!(found == std::slice::from_ref(&first), "{found:?} instead of {first:?}");

    // Near the second, and near who is with the first.
    let between = seen(&mut world, owner, taken, &turned(0.12)).await?;
    work(&mut world).await?;
    let second = BTreeSet::from([two.uuid(), between.uuid()]);
    let found: BTreeSet<_> = groups(&world, owner).await?.into_iter().collect();
    ensure!(found == BTreeSet::from([first, second]), "{found:?}");
    Ok(())
}

/// Rows made by hand, of one owner: every tenth is a favorite.
async fn make_rows(world: &World, vectors: &[Vec<f32>]) -> anyhow::Result<(UserId, Vec<Uuid>)> {
    let owner_id = Uuid::from_u128(0xa);
    let ids: Vec<Uuid> = (1..).take(vectors.len()).map(Uuid::from_u128).collect();
    let coded: Vec<Codes> = vectors.iter().map(|values| Codes::of(values)).collect();
    let codes: Vec<Vec<u8>> =
        coded.iter().map(|it| it.codes.iter().map(|code| code.cast_unsigned()).collect()).collect();
    let scales: Vec<f32> = coded.iter().map(|it| it.scale).collect();
    let told = vectors.iter().map(|values| pack(values)).collect::<Result<Vec<_>, _>>()?;
    sqlx::query(
        "with rows as (
             select id, codes, scale, told, number
               from unnest($1::uuid[], $2::bytea[], $3::real[], $4::bytea[])
                    with ordinality as rows (id, codes, scale, told, number)
         ), kept as (
             insert into read.embeddings_v1
                    (asset_id, revision, owner_id, model_id, event_id, scale, codes)
             select id, 1, $5, $6, id, scale, codes from rows
         ), attached as (
             insert into log.attachments (event_id, name, subject, bytes)
             select id, 'vector', 'asset-' || id, told from rows
         )
         insert into read.search_v1
                (asset_id, revision, owner_id, taken_at, local_date_time, month, created_at, visibility,
                 is_favorite, is_video, is_motion, size_bytes, original_key, file_name, description,
                 date_by_person, description_by_person, position_by_person, rating_by_person)
         select id, 1, $5, now(), now(), now(), now(), 'timeline', number % 10 = 1, false, false, 1, '', '',
                '', false, false, false, false
           from rows",
    )
    .bind(&ids)
    .bind(codes)
    .bind(scales)
    .bind(told)
    .bind(owner_id)
    .bind(model("a").id())
    .execute(world.pool())
    .await?;
    Ok((UserId::new(owner_id), ids))
}

#[tokio::test]
async fn pages_fit_together_and_hold_the_true_nearest() -> anyhow::Result<()> {
    let world = World::new(24).await?;
    let mut random = StdRng::seed_from_u64(24);
    let mut vectors: Vec<Vec<f32>> =
        (0..2_000).map(|_| (0..64).map(|_| random.random_range(-1.0..1.0_f32)).collect()).collect();
    // Favorites lie on the far side, so that none of them is among the nearest.
    for values in vectors.iter_mut().step_by(10) {
        values[0] = -9.0;
    }
    let (owner, ids) = make_rows(&world, &vectors).await?;
    let mut asked = vec![0.0; 64];
    (asked[0], asked[1]) = (0.8, 0.6);
    let near = Near::new(&model("a"), asked.clone());
    let exact = |wanted: &dyn Fn(usize) -> bool| -> anyhow::Result<Vec<Uuid>> {
        let mut scored = Vec::new();
        for (number, values) in vectors.iter().enumerate().filter(|(number, _)| wanted(*number)) {
            let told = unpack(&pack(values)?).unwrap_or_default();
            let product: f64 =
                told.iter().zip(&asked).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            scored.push((product, ids[number]));
        }
        scored.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        Ok(scored.into_iter().map(|(_, id)| id).collect())
    };
    let queries = world.queries();
    let page = async |search: Search| -> anyhow::Result<(Vec<Uuid>, bool)> {
        let page = queries.search_near(&search, &near).await?;
        Ok((page.assets.iter().map(|hit| hit.asset_id).collect(), page.has_more))
    };

    let mut all = Vec::new();
    for number in 0..20 {
        let (some, has_more) =
            page(Search { limit: 100, offset: number * 100, ..search(owner, vec![]) }).await?;
        ensure!(some.len() == 100 && has_more == (number < 19), "page {number}");
        all.extend(some);
    }
    ensure!(all.iter().collect::<BTreeSet<_>>().len() == 2_000, "pages overlap");
    ensure!(all[..100] == exact(&|_| true)?[..100], "the first hundred are not the nearest");

    let favorites = Search { limit: 100, ..search(owner, vec![Condition::Favorite(true)]) };
    let (some, has_more) = page(favorites).await?;
    ensure!(has_more, "200 are favorites");
    ensure!(some == exact(&|number| number % 10 == 0)?[..100], "not the nearest favorites");
    Ok(())
}
