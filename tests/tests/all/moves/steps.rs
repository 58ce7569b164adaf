//! Moves taken step by step, with everything but log, tables and disk forgotten between any two of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use calotype_commands::integrity::Findings;
use calotype_domain::asset::MediaKind;
use calotype_domain::{AssetId, UserId};
use calotype_media::blob::BlobKey;
use calotype_processors::moves::Step;
use calotype_projections::assets::AssetRow;
use calotype_tests::walk::World;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

const BYTES: &[u8] = b"not a picture, but an original";
const WORDS: &[u8] = b"<x:xmpmeta/>";
const STILL: (&str, MediaKind) = ("Meer.jpg", MediaKind::Image);
/// More steps than any move takes.
const STEPS_MAX: u32 = 40;

/// A world with the template switched on, somebody in it, and a folder for files.
async fn world(template: &str) -> anyhow::Result<(World, UserId, tempfile::TempDir)> {
    let mut world = World::new(7).await?;
    let owner_id = world.somebody().await?;
    let settings =
        [("storageTemplate.enabled", json!(true)), ("storageTemplate.template", json!(template))];
    world.set(&settings).await?;
    Ok((world, owner_id, tempfile::tempdir()?))
}

async fn row(world: &World, asset_id: AssetId) -> anyhow::Result<AssetRow> {
    world.queries().asset(asset_id.uuid()).await?.context("there is no such asset")
}

fn read(folder: &Path, key: &str) -> anyhow::Result<Vec<u8>> {
    fs::read(folder.join("library").join(key)).with_context(|| format!("nothing at {key}"))
}

/// Every stored original and sidecar, by its key.
fn files(folder: &Path) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let root = folder.join("library");
    let (mut files, mut folders) = (BTreeMap::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let key = path.strip_prefix(&root)?.to_string_lossy().into_owned();
                files.insert(key, fs::read(&path)?);
            }
        }
    }
    Ok(files)
}

/// Takes one step as a process that was just started would.
async fn step(
    world: &mut World,
    folder: &Path,
    asset_id: AssetId,
    now: &mut DateTime<Utc>,
) -> anyhow::Result<bool> {
    let step = world.worker_in(folder).await?.move_step(asset_id, *now).await?;
    world.follow().await?;
    if let Step::Later(wait) = step {
        *now += TimeDelta::from_std(wait)? + TimeDelta::seconds(1);
    }
    Ok(step != Step::Done)
}

/// Moves an asset to the end.
async fn moved(world: &mut World, folder: &Path, asset_id: AssetId) -> anyhow::Result<String> {
    let mut now = world.now();
    for _ in 0..STEPS_MAX {
        if !step(world, folder, asset_id, &mut now).await? {
            return Ok(row(world, asset_id).await?.original_key);
        }
    }
    anyhow::bail!("the move comes to no end")
}

#[tokio::test]
async fn original_is_whole_after_every_step() -> anyhow::Result<()> {
    let (mut world, owner_id, folder) = world("{{y}}/{{MM}}/{{filename}}").await?;
    let worker = world.worker_in(folder.path()).await?;
    let id = world.upload_file(&worker, owner_id, STILL, (BYTES, Some(WORDS))).await?;
    let mut now = world.now();
    let mut steps = 0;
    while step(&mut world, folder.path(), id, &mut now).await? {
        steps += 1;
        ensure!(steps < STEPS_MAX, "the move comes to no end");
        let shown = row(&world, id).await?;
        ensure!(read(folder.path(), &shown.original_key)? == BYTES, "step {steps}");
        let sidecar = shown.sidecar_key.context("no sidecar")?;
        ensure!(read(folder.path(), &sidecar)? == WORDS, "step {steps}");
        // A check of the stored files takes none of them for nobody's.
        let keys: Vec<String> = files(folder.path())?.into_keys().collect();
        let strange = world.queries().untracked(&keys).await?;
        ensure!(strange.is_empty(), "step {steps}: {strange:?}");
    }
    ensure!(steps >= 5, "a move of {steps} steps is not looked at between them");
    let key = format!("library/{owner_id}/2024/05/Meer.jpg");
    let wanted = [(key.clone(), BYTES.to_vec()), (format!("{key}.xmp"), WORDS.to_vec())];
    ensure!(files(folder.path())? == BTreeMap::from(wanted), "files are left over or lost");
    let told = world.queries().history("asset", id.uuid()).await?;
    let moves =
        told.iter().filter(|event| event.recorded.event_type == "AssetOriginalMoved").count();
    ensure!(moves == 1, "{moves} moves were recorded");

    // Everything that is shown comes from the log alone.
    let before = world.rows().await?;
    world.rebuild().await?;
    ensure!(world.rows().await? == before, "a rebuild shows something else");
    ensure!(!step(&mut world, folder.path(), id, &mut now).await?, "it is moved again");
    Ok(())
}

#[tokio::test]
async fn step_that_was_cut_off_is_taken_again() -> anyhow::Result<()> {
    let (mut world, owner_id, folder) = world("{{y}}/{{filename}}").await?;
    let worker = world.worker_in(folder.path()).await?;
    let id = world.upload_file(&worker, owner_id, STILL, (BYTES, None)).await?;
    let former = row(&world, id).await?.original_key;
    let key = format!("library/{owner_id}/2024/Meer.jpg");
    let mut now = world.now();
    // The key is spoken for. The file is put there, and the process dies before it knows.
    step(&mut world, folder.path(), id, &mut now).await?;
    worker.blobs.duplicate(&BlobKey::parse(&former)?, &BlobKey::parse(&key)?).await?;
    while row(&world, id).await?.original_key == former {
        ensure!(step(&mut world, folder.path(), id, &mut now).await?, "it ended too early");
    }
    // It is recorded. The former file is removed, and the process dies before it knows.
    worker.blobs.remove(&BlobKey::parse(&former)?).await?;
    while step(&mut world, folder.path(), id, &mut now).await? {}
    ensure!(files(folder.path())? == BTreeMap::from([(key, BYTES.to_vec())]), "not one file");
    Ok(())
}

/// What the table of work says of an asset's files.
async fn place(world: &World, asset_id: AssetId) -> anyhow::Result<Option<Value>> {
    let row = "select to_jsonb(place) from work.original_places as place where asset_id = $1";
    Ok(sqlx::query_scalar(row).bind(asset_id.uuid()).fetch_optional(world.pool()).await?)
}

/// Lets the table of work say that again.
async fn put_back(world: &World, id: AssetId, place: Option<Value>) -> anyhow::Result<()> {
    let forget = "delete from work.original_places where asset_id = $1";
    sqlx::query(forget).bind(id.uuid()).execute(world.pool()).await?;
    let again = "insert into work.original_places
                 select * from jsonb_populate_record(null::work.original_places, $1)";
    if let Some(place) = place {
        sqlx::query(again).bind(place).execute(world.pool()).await?;
    }
    Ok(())
}

#[tokio::test]
async fn crash_in_the_middle_of_any_step_loses_and_doubles_nothing() -> anyhow::Result<()> {
    let (mut world, owner_id, folder) = world("{{y}}/{{filename}}").await?;
    let worker = world.worker_in(folder.path()).await?;
    let mut wanted = BTreeMap::new();
    for cut in 0.. {
        let name = format!("{cut}.jpg");
        let bytes = format!("original {cut}").into_bytes();
        let upload = (bytes.as_slice(), Some(WORDS));
        let kind = (name.as_str(), MediaKind::Image);
        let id = world.upload_file(&worker, owner_id, kind, upload).await?;
        let mut now = world.now();
        let mut is_cut = false;
        for number in 0..STEPS_MAX {
            let before = place(&world, id).await?;
            let goes_on = step(&mut world, folder.path(), id, &mut now).await?;
            if number == cut {
                // Disk and log have it, the table does not: the process died in between.
                put_back(&world, id, before).await?;
                is_cut = goes_on;
            }
            let shown = row(&world, id).await?;
            ensure!(read(folder.path(), &shown.original_key)? == bytes, "{cut} at {number}");
            if !goes_on && number > cut {
                break;
            }
        }
        let key = moved(&mut world, folder.path(), id).await?;
        ensure!(key == format!("library/{owner_id}/2024/{name}"), "cut {cut}: {key}");
        wanted.extend([(format!("{key}.xmp"), WORDS.to_vec()), (key, bytes)]);
        let lie = files(folder.path())?;
        ensure!(lie == wanted, "cut {cut}: {:?}", lie.keys());
        if !is_cut {
            ensure!(cut >= 5, "a move of {cut} steps is not cut everywhere");
            return Ok(());
        }
    }
    Ok(())
}

#[tokio::test]
async fn names_that_some_file_systems_take_for_one_are_two() -> anyhow::Result<()> {
    let (mut world, owner_id, folder) = world("{{filename}}").await?;
    let worker = world.worker_in(folder.path()).await?;
    let mut keys = Vec::new();
    for (name, bytes) in [("MEER.jpg", b"one"), ("Meer.JPG", b"two")] {
        let kind = (name, MediaKind::Image);
        let id = world.upload_file(&worker, owner_id, kind, (bytes, None)).await?;
        keys.push(moved(&mut world, folder.path(), id).await?);
    }
    ensure!(keys[0].ends_with("/MEER.jpg") && keys[1].ends_with("/Meer+1.jpg"), "{keys:?}");
    Ok(())
}

#[tokio::test]
async fn log_alone_says_whose_the_files_are() -> anyhow::Result<()> {
    let (mut world, owner_id, folder) = world("{{filename}}").await?;
    let worker = world.worker_in(folder.path()).await?;
    let id = world.upload_file(&worker, owner_id, STILL, (BYTES, Some(WORDS))).await?;
    let key = moved(&mut world, folder.path(), id).await?;
    put_back(&world, id, None).await?;
    sqlx::query("delete from read.assets_v1").execute(world.pool()).await?;
    let beside = format!("{key}.xmp");
    let stray = format!("library/{owner_id}/stray.jpg");
    let keys = [key.clone(), beside.clone(), stray];
    let mut strange = world.queries().untracked(&keys).await?;
    strange.sort();
    ensure!(strange == keys, "something still speaks of them");
    let findings = Findings::new(world.pool().clone());
    let wanted = worker.commands.spoken_for(&findings, &keys).await?;
    ensure!(wanted.into_iter().eq([key, beside]), "the log was not asked");
    Ok(())
}

#[tokio::test]
async fn files_of_one_name_are_told_apart() -> anyhow::Result<()> {
    let (mut world, owner_id, folder) = world("{{filename}}").await?;
    let worker = world.worker_in(folder.path()).await?;
    let stranger_key = BlobKey::parse(&format!("library/{owner_id}/Meer+1.jpg"))?;
    let mut writer = worker.blobs.begin().await?;
    writer.write(b"nobody knows of it").await?;
    writer.finish().await?.commit(&stranger_key).await?;
    let mut keys = Vec::new();
    for bytes in [&b"one"[..], b"two"] {
        let id = world.upload_file(&worker, owner_id, STILL, (bytes, None)).await?;
        keys.push((id, moved(&mut world, folder.path(), id).await?));
    }
    ensure!(keys[0].1.ends_with("/Meer.jpg") && keys[1].1.ends_with("/Meer+2.jpg"), "{keys:?}");
    ensure!(read(folder.path(), stranger_key.as_str())? == b"nobody knows of it", "written over");

    // Once the name is free again, the other comes there, and whoever asks twice moves once.
    world.purge_photo(owner_id, keys[0].0).await?;
    moved(&mut world, folder.path(), keys[1].0).await?;
    let gone = world.worker_in(folder.path()).await?.move_step(keys[0].0, world.now()).await?;
    ensure!(gone == Step::Done, "{gone:?}");
    ensure!(read(folder.path(), &keys[0].1).is_err(), "a deleted file is left over");
    let key = moved(&mut world, folder.path(), keys[1].0).await?;
    ensure!(key.ends_with("/Meer.jpg") && read(folder.path(), &key)? == b"two", "{key}");
    ensure!(files(folder.path())?.len() == 2, "files are left over or lost");
    Ok(())
}

#[tokio::test]
async fn film_of_a_live_photo_lies_beside_its_still() -> anyhow::Result<()> {
    let (mut world, owner_id, folder) = world("{{filetype}}/{{filename}}").await?;
    let worker = world.worker_in(folder.path()).await?;
    let film = ("clip.mov", MediaKind::Video);
    let still_id = world.upload_file(&worker, owner_id, STILL, (BYTES, None)).await?;
    let film_id = world.upload_file(&worker, owner_id, film, (b"film", None)).await?;
    world.pair(still_id, film_id).await?;
    let first = moved(&mut world, folder.path(), film_id).await?;
    ensure!(first.ends_with("/IMG/Meer.mov"), "{first}");
    let still = moved(&mut world, folder.path(), still_id).await?;
    ensure!(still.ends_with("/IMG/Meer.jpg"), "{still}");
    ensure!(moved(&mut world, folder.path(), film_id).await? == first, "it was moved away");
    Ok(())
}

#[tokio::test]
async fn damaged_original_stays_where_it_is() -> anyhow::Result<()> {
    let (mut world, owner_id, folder) = world("{{filename}}").await?;
    let worker = world.worker_in(folder.path()).await?;
    let id = world.upload_file(&worker, owner_id, STILL, (BYTES, None)).await?;
    let key = row(&world, id).await?.original_key;
    let damaged = b"not a picture, but an Original";
    fs::write(folder.path().join("library").join(&key), damaged)?;
    let refused = moved(&mut world, folder.path(), id).await;
    ensure!(refused.is_err(), "{refused:?}");
    ensure!(files(folder.path())? == BTreeMap::from([(key, damaged.to_vec())]), "it was moved");
    Ok(())
}

/// Puts a file there that nobody told of.
fn put_foreign(folder: &Path, key: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let path = folder.join("library").join(key);
    fs::create_dir_all(path.parent().context("no folder")?)?;
    Ok(fs::write(path, bytes)?)
}

#[tokio::test]
async fn foreign_sidecar_is_neither_written_over_nor_removed() -> anyhow::Result<()> {
    const FOREIGN: &[u8] = b"<x:xmpmeta>nobody knows of it</x:xmpmeta>";
    let (mut world, owner_id, folder) = world("{{filename}}").await?;
    let worker = world.worker_in(folder.path()).await?;
    let at = |name: &str| format!("library/{owner_id}/{name}");
    put_foreign(folder.path(), &at("Meer.jpg.xmp"), FOREIGN)?;
    let id = world.upload_file(&worker, owner_id, STILL, (BYTES, Some(WORDS))).await?;
    let mut now = world.now();
    // The key is spoken for, and the original lies there; then another program writes beside it.
    for _ in 0..2 {
        step(&mut world, folder.path(), id, &mut now).await?;
    }
    ensure!(read(folder.path(), &at("Meer+1.jpg"))? == BYTES, "its first name was not free");
    put_foreign(folder.path(), &at("Meer+1.jpg.xmp"), FOREIGN)?;
    let key = moved(&mut world, folder.path(), id).await?;
    ensure!(key == at("Meer+2.jpg"), "{key}");
    let wanted = [
        (at("Meer.jpg.xmp"), FOREIGN),
        (at("Meer+1.jpg.xmp"), FOREIGN),
        (at("Meer+2.jpg"), BYTES),
        (at("Meer+2.jpg.xmp"), WORDS),
    ];
    let wanted: BTreeMap<String, Vec<u8>> =
        wanted.into_iter().map(|(key, bytes)| (key, bytes.to_vec())).collect();
    let lie = files(folder.path())?;
    ensure!(lie == wanted, "{:?}", lie.keys());
    Ok(())
}

#[tokio::test]
async fn photo_that_is_purged_while_it_is_moved_leaves_no_file() -> anyhow::Result<()> {
    let (mut world, owner_id, folder) = world("{{filename}}").await?;
    let worker = world.worker_in(folder.path()).await?;
    let id = world.upload_file(&worker, owner_id, STILL, (BYTES, None)).await?;
    let mut now = world.now();
    for _ in 0..2 {
        step(&mut world, folder.path(), id, &mut now).await?;
    }
    ensure!(files(folder.path())?.len() == 2, "it does not lie at both places");
    world.purge_photo(owner_id, id).await?;
    // A move has it in hand, which would go on by what it read before.
    let mut hand = world.pool().begin().await?;
    sqlx::query("select pg_advisory_xact_lock($1, hashtext($2::text))")
        .bind(0x6d6f_7665_i32)
        .bind(id.to_string())
        .execute(&mut *hand)
        .await?;
    while worker.run_errands_once(world.applied()).await? {}
    let rows = "select count(*) from work.original_places";
    let left: i64 = sqlx::query_scalar(rows).fetch_one(world.pool()).await?;
    ensure!(left == 1, "its keys were let go while a move had it in hand");
    hand.rollback().await?;
    ensure!(worker.move_step(id, now).await? == Step::Done);
    ensure!(files(folder.path())?.is_empty(), "a deleted file is left over");
    Ok(())
}

#[tokio::test]
async fn template_that_changes_moves_nothing_by_itself() -> anyhow::Result<()> {
    let (mut world, owner_id, folder) = world("{{filename}}").await?;
    let worker = world.worker_in(folder.path()).await?;
    let id = world.upload_file(&worker, owner_id, STILL, (BYTES, None)).await?;
    moved(&mut world, folder.path(), id).await?;
    let lay = files(folder.path())?;
    let settings = [
        ("storageTemplate.enabled", json!(true)),
        ("storageTemplate.template", json!("{{y}}/{{filename}}")),
    ];
    world.set(&settings).await?;
    worker.restore_places().await?;
    ensure!(worker.move_some().await? == 0, "something is moved at the start");
    // While the read model is being made anew, nothing is taken for deleted.
    sqlx::query("delete from read.assets_v1").execute(world.pool()).await?;
    worker.restore_places().await?;
    ensure!(worker.move_some().await? == 0, "something is moved during a rebuild");
    ensure!(files(folder.path())? == lay, "it was moved");
    Ok(())
}
