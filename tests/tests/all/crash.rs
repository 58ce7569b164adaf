//! Parts die in the middle of an import, and nothing that was acknowledged is lost or doubled.
//! Short walks; `./dev soak crash` takes hundreds.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::binary;
use calotype_tests::crash::{self, Plan};
use calotype_tests::database;
use calotype_tests::ids::any_seed;
use calotype_tests::import;
use calotype_tests::operations::Wishes;
use calotype_tests::server::Victim;
use calotype_tests::waiting::until;
use calotype_tests::{Options, story};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// Files of one import.
const FILES: usize = 60;
/// Kills during it.
const KILLS: usize = 5;
/// How long half of an import may take beside other tests.
const HALF_MAX: Duration = Duration::from_secs(180);

/// Whether three captions were written beside their originals, and every read model knows.
const SETTLED: &str = "
    select (select count(*) from log.events where type = 'AssetSidecarWritten') >= 3
       and not exists (
            select from work.checkpoints
             where name <> 'relay' and position < (select position from log.head))";

#[tokio::test]
async fn acknowledged_files_survive_kills() -> anyhow::Result<()> {
    let seed = any_seed();
    let plan = Plan { seed, files: FILES, kills: KILLS };
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        crash::round(server, &admin, plan, &mut Vec::new()).await.map(drop)
    })
    .await
    .with_context(|| format!("seed {seed}"))
}

#[tokio::test]
async fn what_was_wished_for_is_done_whatever_is_killed_meanwhile() -> anyhow::Result<()> {
    let seed = any_seed();
    let plan = Plan { seed, files: FILES / 3, kills: 3 };
    story(Options { testing: false, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let mut wishes = Wishes::new(server, &admin).await?;
        let file = import::new_file(
            &import::pictures()?,
            &mut StdRng::seed_from_u64(seed),
            &format!("to be erased {seed}"),
        )?;
        let erased = import::import(&admin, vec![file], &AtomicUsize::new(0)).await?;
        let wished = wishes.round(seed, &erased[0]);
        crash::round_beside(server, &admin, plan, &mut Vec::new(), wished).await?;
        wishes.ensure_whole().await
    })
    .await
    .with_context(|| format!("seed {seed}"))
}

#[tokio::test]
async fn losing_the_stream_in_the_middle_of_an_import_loses_nothing() -> anyhow::Result<()> {
    let seed = any_seed();
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let data = server.data();
        let mut random = StdRng::seed_from_u64(seed);
        let pictures = import::pictures()?;
        let files = (0..FILES)
            .map(|index| import::new_file(&pictures, &mut random, &format!("{seed}-{index}")))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let done = AtomicUsize::new(0);

        let delete = async {
            until("half of the import", HALF_MAX, async || {
                Ok((done.load(Ordering::Relaxed) >= FILES / 2).then_some(()))
            })
            .await?;
            crash::delete_stream(&data).await
        };
        let (kept, ()) = tokio::try_join!(import::import(&admin, files, &done), delete)?;

        import::ensure_kept(&admin, &kept).await
    })
    .await
    .with_context(|| format!("seed {seed}"))
}

#[tokio::test]
async fn emptied_read_tables_are_rebuilt_to_the_same_rows() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let friend = admin.create_user("friend@example.com").await?;
        let mut random = StdRng::seed_from_u64(1);
        let pictures = import::pictures()?;
        for index in 0..6 {
            let file = import::new_file(&pictures, &mut random, &format!("row {index}"))?;
            let id = admin.upload(&file).await?;
            friend.upload(&file).await?;
            if index % 2 == 0 {
                let favorite = serde_json::json!({ "isFavorite": true, "description": "words" });
                admin.put(&format!("/api/assets/{id}"), &favorite).await?.expect(200)?;
            } else {
                let ids = serde_json::json!({ "ids": [id] });
                admin.delete("/api/assets", &ids).await?.expect(204)?;
            }
        }
        admin.wait_until_idle().await?;
        let pool = database::connect(&server.data()).await?;
        until(
            "the captions to stand beside their originals",
            Duration::from_secs(60),
            async || {
                let is_settled: bool = sqlx::query_scalar(SETTLED).fetch_one(&pool).await?;
                Ok(is_settled.then_some(()))
            },
        )
        .await?;
        let before = database::read_rows(&pool).await?;
        ensure!(before.values().any(|rows| rows.len() >= 12), "too little to compare");

        database::truncate_read_tables(&pool).await?;
        pool.close().await;
        server.terminate().await?;
        let data = server.data();
        let words = binary::with_data(&["projections", "rebuild", "--all"], &data);
        binary::run(&words, "").await?.success()?;

        server.go_on().await?;
        let pool = database::connect(&data).await?;
        database::ensure_same(&before, &database::read_rows(&pool).await?)?;
        pool.close().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn nothing_is_lost_while_nats_is_killed_again_and_again() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let mut random = StdRng::seed_from_u64(2);
        let pictures = import::pictures()?;
        let mut kept = Vec::new();
        for round in 0..3 {
            let files = (0..3)
                .map(|index| import::new_file(&pictures, &mut random, &format!("{round}-{index}")))
                .collect::<anyhow::Result<Vec<_>>>()?;
            until("nats-server to be there", Duration::from_secs(60), async || {
                Ok(crash::jetstream(&server.data()).await.ok())
            })
            .await?;
            server.kill(Victim::Nats).await?;
            kept.extend(import::import(&admin, files, &AtomicUsize::new(0)).await?);
        }
        import::ensure_kept(&admin, &kept).await
    })
    .await
}
