//! Work that follows once from an event or a request: written down until it is done, and done again without
//! harm where that was cut off. Over a database of its own; no NATS is anywhere.

use std::time::Duration;

use anyhow::ensure;
use bytes::Bytes;
use calotype_commands::assets::Doomed;
use calotype_commands::encoded::FilmFound;
use calotype_domain::asset::{
    AssetVideoEncoded, AssetVideoEncodingSkipped, ProcessorRef, Purging, Stage,
};
use calotype_domain::queue::{BACKGROUND, ManualJob, QueueCommand, RerunScope};
use calotype_domain::{AssetId, IdGen as _, UserId};
use calotype_eventstore::{
    Actor, ActorKind, Append, Envelope, ExpectedRevision, NewEvent, StreamId,
};
use calotype_media::blob::BlobKey;
use calotype_processors::Worker;
use calotype_processors::requests::Turn;
use calotype_projections::Queries;
use calotype_tests::ids::{SeededIds, any_seed};
use calotype_tests::waiting::until;
use calotype_tests::walk::World;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Postgres, Transaction};
use uuid::Uuid;

const TAKEN: &str = "2019-06-01T12:00:00Z";
const QUEUE: &str = "thumbnailGeneration";
/// How long one step of a job may take.
const SOON: Duration = Duration::from_secs(20);

async fn photo(world: &mut World, owner_id: UserId) -> anyhow::Result<AssetId> {
    let taken: DateTime<Utc> = TAKEN.parse()?;
    world.photo(owner_id, taken).await
}

async fn errands(world: &World) -> anyhow::Result<i64> {
    Ok(sqlx::query_scalar("select count(*) from work.errands").fetch_one(world.pool()).await?)
}

async fn run(world: &World, worker: &Worker) -> anyhow::Result<()> {
    while worker.run_errands_once(world.applied()).await? {}
    Ok(())
}

/// Gives requests their turns until none has more to do; says how many were done.
async fn requests(world: &World, worker: &Worker) -> anyhow::Result<usize> {
    let mut done = 0;
    loop {
        let turn = worker.do_requests_once(world.applied()).await?;
        done += turn.done;
        if !turn.has_more {
            return Ok(done);
        }
    }
}

/// How often a step was asked for, over all assets.
async fn asked(world: &World) -> anyhow::Result<i64> {
    let sql = "select count(*) from log.events where type = 'AssetProcessingRequested'";
    Ok(sqlx::query_scalar(sql).fetch_one(world.pool()).await?)
}

async fn purge(world: &World, by: UserId, asset_id: AssetId) -> anyhow::Result<()> {
    let (why, sha1) = (Purging::Wished { by }, asset_id.to_string());
    let doomed = Doomed { why, owner_id: by, asset_id, sha1: &sha1 };
    world.commands().purge_assets(&world.by(Some(by)), &[doomed]).await?;
    Ok(())
}

/// A copy in its place, and a log that tells of it.
async fn film_with_a_copy(
    world: &mut World,
    worker: &Worker,
    owner_id: UserId,
) -> anyhow::Result<(AssetId, BlobKey)> {
    let film = photo(world, owner_id).await?;
    let key = BlobKey::encoded_video(owner_id.uuid(), film.uuid());
    worker.blobs.put_derived(&key, Bytes::from_static(b"film")).await?;
    let made = AssetVideoEncoded {
        processor: ProcessorRef { name: "encode".into(), version: 1 },
        input_blake3: film.to_string(),
        recipe: String::new(),
        key: key.to_string(),
        size_bytes: 4,
        video_codec: "h264".into(),
        audio_codec: None,
        width: 4,
        height: 3,
        duration_ms: None,
    };
    let ctx = world.by(None);
    world.commands().record_film(&ctx, film, FilmFound::Encoded(made)).await?;
    world.follow().await?;
    Ok((film, key))
}

#[tokio::test]
async fn a_copy_that_is_not_wanted_goes_though_the_encoder_died_after_saying_so()
-> anyhow::Result<()> {
    let mut world = World::new(11).await?;
    let owner_id = world.somebody().await?;
    let worker = world.worker().await?;
    let (film, key) = film_with_a_copy(&mut world, &worker, owner_id).await?;
    run(&world, &worker).await?;
    ensure!(worker.blobs.stat(&key).await?.is_some(), "the copy went too early");

    // All that an encoder records before it dies.
    let left = AssetVideoEncodingSkipped {
        processor: ProcessorRef { name: "encode".into(), version: 2 },
        input_blake3: film.to_string(),
        video_codec: None,
        audio_codec: None,
    };
    let ctx = world.by(None);
    world.commands().record_film(&ctx, film, FilmFound::Skipped(left)).await?;
    run(&world, &worker).await?;
    ensure!(worker.blobs.stat(&key).await?.is_some(), "removed before the read models knew");
    world.follow().await?;
    run(&world, &worker).await?;
    ensure!(worker.blobs.stat(&key).await?.is_none(), "the copy is left over");
    ensure!(errands(&world).await? == 0, "an errand is left over");
    Ok(())
}

#[tokio::test]
async fn an_errand_that_was_cut_off_is_run_again() -> anyhow::Result<()> {
    let mut world = World::new(12).await?;
    let owner_id = world.somebody().await?;
    let worker = world.worker().await?;
    let (film, key) = film_with_a_copy(&mut world, &worker, owner_id).await?;
    let kept = photo(&mut world, owner_id).await?;
    purge(&world, owner_id, film).await?;
    world.follow().await?;
    run(&world, &worker).await?;
    ensure!(worker.blobs.stat(&key).await?.is_none(), "the copy is left over");

    // As after the loss of everything under `work`: the log is gone through anew.
    worker.blobs.put_derived(&key, Bytes::from_static(b"film")).await?;
    sqlx::query("delete from work.checkpoints where name = 'errands'")
        .execute(world.pool())
        .await?;
    run(&world, &worker).await?;
    ensure!(worker.blobs.stat(&key).await?.is_none(), "the errand was not run again");
    world.follow().await?;
    ensure!(world.queries().asset(kept.uuid()).await?.is_some(), "something else is gone");
    Ok(())
}

#[tokio::test]
async fn an_errand_that_fails_stays_until_it_succeeds() -> anyhow::Result<()> {
    let mut world = World::new(13).await?;
    let owner_id = world.somebody().await?;
    let worker = world.worker().await?;
    let (film, key) = film_with_a_copy(&mut world, &worker, owner_id).await?;
    // A folder in the place of the file cannot be removed as a file.
    worker.blobs.remove(&key).await?;
    let path = worker.blobs.local_path(&key).ok_or_else(|| anyhow::anyhow!("no path"))?;
    std::fs::create_dir_all(path.join("in the way"))?;
    purge(&world, owner_id, film).await?;
    world.follow().await?;
    run(&world, &worker).await?;
    ensure!(errands(&world).await? == 1, "the errand was given up");

    std::fs::remove_dir_all(&path)?;
    sqlx::query("update work.errands set due_at = now()").execute(world.pool()).await?;
    run(&world, &worker).await?;
    ensure!(errands(&world).await? == 0, "the errand is still there");
    Ok(())
}

#[tokio::test]
async fn a_rerun_that_was_cut_off_goes_on_where_it_was() -> anyhow::Result<()> {
    let mut world = World::new(14).await?;
    let owner_id = world.somebody().await?;
    let worker = world.worker().await?;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(photo(&mut world, owner_id).await?);
    }
    ids.sort_unstable();
    let ctx = world.by(None);
    let again = QueueCommand::Rerun(RerunScope::All);
    world.commands().control_queue(&ctx, QUEUE, again).await?;
    world.follow().await?;
    let request = world.queries().queue_requests().await?.remove(0);

    // What a process leaves that died after the first asset.
    let ctx = world.by(None);
    world.commands().request_processing(&ctx, &ids[..1], Stage::Thumbnails).await?;
    sqlx::query("insert into work.reruns (request_id, after_id) values ($1, $2)")
        .bind(request.request_id)
        .bind(ids[0].uuid())
        .execute(world.pool())
        .await?;
    ensure!(requests(&world, &worker).await? == 1, "it was not done");
    ensure!(asked(&world).await? == 3, "{} times asked for", asked(&world).await?);

    // Done is done, whatever a reader still shows.
    ensure!(requests(&world, &worker).await? == 0, "it was done twice");
    world.follow().await?;
    ensure!(world.queries().queue_requests().await?.is_empty(), "it is still open");
    ensure!(asked(&world).await? == 3, "asked for again");
    let marks: i64 =
        sqlx::query_scalar("select count(*) from work.reruns").fetch_one(world.pool()).await?;
    ensure!(marks == 0, "a mark is left over");
    Ok(())
}

#[tokio::test]
async fn what_is_asked_for_twice_before_it_begins_is_done_once() -> anyhow::Result<()> {
    let mut world = World::new(15).await?;
    let owner_id = world.somebody().await?;
    let worker = world.worker().await?;
    photo(&mut world, owner_id).await?;
    for command in [
        QueueCommand::Rerun(RerunScope::All),
        QueueCommand::Rerun(RerunScope::All),
        QueueCommand::Job(ManualJob::TagCleanup),
    ] {
        let ctx = world.by(None);
        world.commands().control_queue(&ctx, QUEUE, command).await?;
    }
    world.follow().await?;
    ensure!(requests(&world, &worker).await? == 3, "not all were done");
    world.follow().await?;
    ensure!(world.queries().queue_requests().await?.is_empty(), "some are still open");
    ensure!(asked(&world).await? == 1, "asked for {} times", asked(&world).await?);
    Ok(())
}

#[tokio::test]
async fn a_request_that_was_taken_off_its_queue_is_not_done() -> anyhow::Result<()> {
    let mut world = World::new(16).await?;
    let owner_id = world.somebody().await?;
    let worker = world.worker().await?;
    photo(&mut world, owner_id).await?;
    for command in [QueueCommand::Rerun(RerunScope::All), QueueCommand::Empty] {
        let ctx = world.by(None);
        world.commands().control_queue(&ctx, QUEUE, command).await?;
    }
    world.follow().await?;
    ensure!(requests(&world, &worker).await? == 0, "it was done");
    ensure!(asked(&world).await? == 0, "it was asked for");
    Ok(())
}

#[tokio::test]
async fn a_request_that_was_taken_off_is_not_done_though_the_read_model_is_behind()
-> anyhow::Result<()> {
    let mut world = World::new(18).await?;
    let owner_id = world.somebody().await?;
    let worker = world.worker().await?;
    let mut ids = [photo(&mut world, owner_id).await?, photo(&mut world, owner_id).await?];
    ids.sort_unstable();
    let again = QueueCommand::Rerun(RerunScope::All);
    world.commands().control_queue(&world.by(None), QUEUE, again).await?;
    world.follow().await?;
    let request = world.queries().queue_requests().await?.remove(0);
    // A re-run that has done the first asset, and is to go on with the second.
    sqlx::query("insert into work.reruns (request_id, after_id) values ($1, $2)")
        .bind(request.request_id)
        .bind(ids[0].uuid())
        .execute(world.pool())
        .await?;

    world.commands().control_queue(&world.by(None), QUEUE, QueueCommand::Empty).await?;
    ensure!(world.queries().queue_requests().await? == [request], "the read model knows of it");
    ensure!(requests(&world, &worker).await? == 0, "it was done");
    ensure!(asked(&world).await? == 0, "it was asked for");
    world.follow().await?;
    ensure!(world.queries().queue_requests().await?.is_empty(), "it is still open");
    Ok(())
}

#[tokio::test]
async fn a_long_rerun_lets_others_have_their_turn_and_ends_at_a_closed_gate() -> anyhow::Result<()>
{
    let mut world = World::new(19).await?;
    let owner_id = world.somebody().await?;
    let worker = world.worker().await?;
    photo(&mut world, owner_id).await?;
    let again = QueueCommand::Rerun(RerunScope::All);
    for queue in ["metadataExtraction", QUEUE] {
        world.commands().control_queue(&world.by(None), queue, again).await?;
    }
    world.follow().await?;
    let closed = worker.gate.close(Duration::ZERO).await?;
    ensure!(requests(&world, &worker).await? == 0, "it was done behind a closed gate");
    ensure!(asked(&world).await? == 0, "it was asked for behind a closed gate");
    drop(closed);

    let first = worker.do_requests_once(world.applied()).await?;
    ensure!(first == Turn { done: 0, has_more: true }, "{first:?}");
    ensure!(asked(&world).await? == 2, "{} of both were asked for", asked(&world).await?);
    ensure!(requests(&world, &worker).await? == 2, "they were not done");
    ensure!(asked(&world).await? == 2, "asked for {} times", asked(&world).await?);
    Ok(())
}

/// Three empty tags in the order in which they go, and a job by hand that removes them.
async fn tags_that_go(world: &mut World) -> anyhow::Result<Vec<String>> {
    let owner_id = world.somebody().await?;
    let names = ["one", "six", "two"].map(str::to_owned);
    world.commands().upsert_tags(&world.by(Some(owner_id)), owner_id, &names).await?;
    let job = QueueCommand::Job(ManualJob::TagCleanup);
    world.commands().control_queue(&world.by(None), BACKGROUND, job).await?;
    world.follow().await?;
    let tags = world.queries().empty_tags(10).await?;
    ensure!(tags.len() == 3, "{tags:?}");
    Ok(tags.iter().map(|tag| format!("tag-{}", tag.tag_id)).collect())
}

/// Lets nothing be written into a stream until it is dropped: an event that is never committed has the place.
async fn hold(world: &World, stream_id: &str) -> anyhow::Result<Transaction<'static, Postgres>> {
    let mut held = world.pool().begin().await?;
    sqlx::query(
        "insert into log.events (event_id, stream_id, revision, type, version, payload,
                                 actor_kind, actor_id, correlation_id, recorded_at)
         select gen_random_uuid(), stream_id, max(revision) + 1, 'Held', 1, '{}',
                'system', 'test', gen_random_uuid(), now()
           from log.events where stream_id = $1 group by stream_id",
    )
    .bind(stream_id)
    .execute(&mut *held)
    .await?;
    Ok(held)
}

async fn tags_gone(world: &World) -> anyhow::Result<i64> {
    let sql = "select count(*) from log.events where type = 'TagDeleted'";
    Ok(sqlx::query_scalar(sql).fetch_one(world.pool()).await?)
}

async fn until_one_tag_is_gone(world: &World) -> anyhow::Result<()> {
    until(
        "the first tag to be gone",
        SOON,
        async || Ok((tags_gone(world).await? > 0).then_some(())),
    )
    .await
}

#[tokio::test]
async fn a_job_ends_at_a_closed_gate_and_is_done_when_it_is_open() -> anyhow::Result<()> {
    let mut world = World::new(20).await?;
    let tags = tags_that_go(&mut world).await?;
    let worker = world.worker().await?;
    let held = hold(&world, &tags[1]).await?;
    let (turn, closed) = tokio::join!(worker.do_requests_once(world.applied()), async {
        until_one_tag_is_gone(&world).await?;
        let closed = worker.gate.close(Duration::ZERO).await?;
        held.rollback().await?;
        anyhow::Ok(closed)
    });
    ensure!(turn? == Turn::default(), "it counts as done");
    ensure!(tags_gone(&world).await? < 3, "it went on behind a closed gate");
    world.follow().await?;
    ensure!(world.queries().queue_requests().await?.len() == 1, "nobody waits for it any more");

    drop(closed?);
    ensure!(requests(&world, &worker).await? == 1, "it was not done");
    ensure!(tags_gone(&world).await? == 3, "{} are gone", tags_gone(&world).await?);
    Ok(())
}

#[tokio::test]
async fn a_job_ends_when_it_is_taken_off_its_queue() -> anyhow::Result<()> {
    let mut world = World::new(21).await?;
    let tags = tags_that_go(&mut world).await?;
    let worker = world.worker().await?;
    let held = hold(&world, &tags[1]).await?;
    let (turn, emptied) = tokio::join!(worker.do_requests_once(world.applied()), async {
        until_one_tag_is_gone(&world).await?;
        // This process's own writer waits, too.
        let elsewhere = world.another_process().await?;
        elsewhere.control_queue(&world.by(None), BACKGROUND, QueueCommand::Empty).await?;
        held.rollback().await?;
        anyhow::Ok(())
    });
    emptied?;
    ensure!(turn? == Turn::default(), "it counts as done");
    let gone = tags_gone(&world).await?;
    ensure!(gone < 3, "it went on");
    world.follow().await?;
    ensure!(requests(&world, &worker).await? == 0, "it was done again");
    ensure!(tags_gone(&world).await? == gone, "it went on later");
    Ok(())
}

#[tokio::test]
async fn what_holds_a_lock_while_it_works_takes_no_connection_from_those_that_answer()
-> anyhow::Result<()> {
    let mut world = World::new(22).await?;
    let owner_id = world.somebody().await?;
    let mut worker = world.worker().await?;
    let (film, key) = film_with_a_copy(&mut world, &worker, owner_id).await?;
    purge(&world, owner_id, film).await?;
    let again = QueueCommand::Rerun(RerunScope::All);
    world.commands().control_queue(&world.by(None), QUEUE, again).await?;
    world.follow().await?;

    // One connection answers everybody.
    let options = world.pool().connect_options().as_ref().clone();
    let answers =
        PgPoolOptions::new().max_connections(1).acquire_timeout(SOON / 4).connect_with(options);
    let answers = answers.await?;
    worker.queries =
        Queries::new(answers.clone(), worker.store.clone()).with_locks(world.pool().clone());
    worker.pool = answers;
    let alone = worker.queries.alone_with(owner_id.uuid()).await?;
    let for_long = worker.queries.try_alone_with(film.uuid()).await?;
    run(&world, &worker).await?;
    ensure!(worker.blobs.stat(&key).await?.is_none(), "the errand was not run");
    ensure!(requests(&world, &worker).await? == 1, "the request was not done");
    drop((alone, for_long));
    Ok(())
}

/// Writes down what an earlier release did: requests that nothing answers.
async fn asked_before_answers(worker: &Worker, queue: &str, old: NewEvent) -> anyhow::Result<()> {
    let envelope = Envelope {
        actor: Actor { kind: ActorKind::System, id: "test".into(), user_id: None },
        client: None,
        correlation_id: Uuid::nil(),
        causation_id: None,
        recorded_at: DateTime::UNIX_EPOCH,
    };
    let stream_id = StreamId::new("queue", queue);
    let expected = ExpectedRevision::NoStream;
    let append = Append { stream_id, expected, subject: None, events: vec![old] };
    worker.store.append(vec![append], envelope).await?;
    Ok(())
}

#[tokio::test]
async fn what_was_asked_for_before_there_were_answers_is_not_done_again() -> anyhow::Result<()> {
    let mut world = World::new(17).await?;
    let owner_id = world.somebody().await?;
    let worker = world.worker().await?;
    photo(&mut world, owner_id).await?;
    let ids = SeededIds::new(any_seed());
    let old = |event_type: &str, version: u16, payload: Value| NewEvent {
        event_id: ids.v4(),
        event_type: event_type.into(),
        version,
        payload,
        attachments: Vec::new(),
    };
    let again = old("QueueRerunRequested", 1, json!({ "scope": "all" }));
    asked_before_answers(&worker, QUEUE, again).await?;
    let job = old("QueueJobRequested", 2, json!({ "job": "person_cleanup" }));
    asked_before_answers(&worker, "backgroundTask", job).await?;
    world.follow().await?;
    ensure!(world.queries().queue_requests().await?.is_empty(), "an old request is open");
    ensure!(requests(&world, &worker).await? == 0, "it was done again");
    ensure!(asked(&world).await? == 0, "the library was asked for again");

    // The same asked for now is done.
    let ctx = world.by(None);
    let again = QueueCommand::Rerun(RerunScope::All);
    world.commands().control_queue(&ctx, QUEUE, again).await?;
    world.follow().await?;
    ensure!(requests(&world, &worker).await? == 1, "it was not done");
    ensure!(asked(&world).await? == 1, "asked for {} times", asked(&world).await?);
    Ok(())
}
