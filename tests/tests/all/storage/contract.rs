//! What both kinds of store do alike, and what only a bucket does.

use std::path::Path;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use calotype_media::blob::{BlobError, BlobKey, BlobStore, HowWritten, Location, Outage, Role};
use calotype_media::image::ImageFormat;
use calotype_tests::bucket::{self, Bucket};
use futures::TryStreamExt as _;
use sha1::{Digest as _, Sha1};
use tokio::io::AsyncReadExt as _;
use uuid::Uuid;

const USER: Uuid = Uuid::from_u128(7);
/// Longer than two parts of an upload.
const LONG_BYTES: u32 = 17_000_001;
/// A key that a template made, of words that addresses and documents write otherwise.
const WORDS: &str = "library/anna/Ä b & c/100%25 #1 + (2)='~!.jpg";

/// Both kinds of store, each with the folder of what it is writing.
struct Both {
    bucket: Bucket,
    folder: tempfile::TempDir,
}

impl Both {
    async fn new() -> anyhow::Result<Self> {
        Ok(Self { bucket: Bucket::start().await?, folder: tempfile::tempdir()? })
    }

    async fn stores(&self) -> anyhow::Result<[(BlobStore, &Path); 2]> {
        let local = BlobStore::open(self.folder.path()).await?;
        Ok([(local, self.folder.path()), (self.bucket.blobs().await?, self.bucket.folder())])
    }
}

fn original(id: u128) -> BlobKey {
    BlobKey::original(USER, Uuid::from_u128(id), "jpg")
}

fn made(id: u128, format: ImageFormat) -> BlobKey {
    BlobKey::made((USER, Uuid::from_u128(id)), Role::Preview, "x", format)
}

async fn stored(store: &BlobStore, key: &BlobKey, bytes: &[u8]) -> Result<(), BlobError> {
    let mut writer = store.begin().await?;
    for part in bytes.chunks(700_001) {
        writer.write(part).await?;
    }
    writer.finish().await?.commit(key).await
}

async fn read(store: &BlobStore, key: &BlobKey) -> anyhow::Result<Option<Vec<u8>>> {
    let Some(mut file) = store.open_blob(key).await? else { return Ok(None) };
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).await?;
    Ok(Some(bytes))
}

fn left_in_tmp(folder: &Path) -> anyhow::Result<usize> {
    Ok(std::fs::read_dir(folder.join("tmp"))?.count())
}

fn long() -> anyhow::Result<Vec<u8>> {
    (0..LONG_BYTES).map(|index| Ok(u8::try_from(index % 251)?)).collect()
}

#[tokio::test]
async fn blob_comes_back_with_its_digests() -> anyhow::Result<()> {
    let (both, bytes) = (Both::new().await?, long()?);
    for (store, folder) in both.stores().await? {
        let mut writer = store.begin().await?;
        for part in bytes.chunks(700_001) {
            writer.write(part).await?;
        }
        let staged = writer.finish().await?;
        ensure!(staged.sha1 == <[u8; 20]>::from(Sha1::digest(&bytes)), "another SHA-1");
        ensure!(staged.blake3 == *blake3::hash(&bytes).as_bytes(), "another BLAKE3");
        staged.commit(&original(1)).await?;
        ensure!(left_in_tmp(folder)? == 0, "the spool is left");

        ensure!(read(&store, &original(1)).await?.as_deref() == Some(&*bytes), "other bytes");
        let found = store.stat(&original(1)).await?.context("no blob")?;
        ensure!(found.size_bytes == u64::from(LONG_BYTES) && found.modified.is_some());
        let digest = store.digest(&original(1)).await?.context("no digest")?;
        ensure!(digest == (u64::from(LONG_BYTES), *blake3::hash(&bytes).as_bytes()), "digest");
        store.sync(&original(1)).await?;
        let fetched = store.fetch(&original(1)).await?.context("no file")?;
        ensure!(std::fs::read(fetched.path())? == bytes, "another file");
        let file = store.open_at(&Location::Stored(original(1))).await?.context("no file")?;
        ensure!(file.metadata()?.len() == u64::from(LONG_BYTES), "another length");
        drop((fetched, file));
        ensure!(left_in_tmp(folder)? == 0, "the fetched file is left");

        stored(&store, &original(2), b"").await?;
        ensure!(read(&store, &original(2)).await? == Some(Vec::new()), "an empty blob is none");
    }
    Ok(())
}

#[tokio::test]
async fn original_is_not_overwritten_and_sidecar_is() -> anyhow::Result<()> {
    let both = Both::new().await?;
    for (store, folder) in both.stores().await? {
        stored(&store, &original(1), b"first").await?;
        let refused = stored(&store, &original(1), b"other").await;
        ensure!(matches!(refused, Err(BlobError::Exists { .. })), "{refused:?}");
        ensure!(read(&store, &original(1)).await?.as_deref() == Some(&b"first"[..]));
        let mut writer = store.begin().await?;
        writer.write(b"second").await?;
        writer.finish().await?.replace(&original(1)).await?;
        ensure!(read(&store, &original(1)).await?.as_deref() == Some(&b"second"[..]));
        // What was begun and dropped leaves nothing.
        let mut writer = store.begin().await?;
        writer.write(b"half").await?;
        drop(writer.finish().await?);
        ensure!(left_in_tmp(folder)? == 0, "the spool is left");
    }
    Ok(())
}

#[tokio::test]
async fn made_blobs_are_replaced_looked_at_and_removed() -> anyhow::Result<()> {
    let both = Both::new().await?;
    let webp = b"RIFF\x0e\0\0\0WEBPVP8X\x0a\0\0\0\x10\0\0\0\0".as_slice();
    for (store, _) in both.stores().await? {
        let (key, empty, missing) =
            (made(1, ImageFormat::Webp), made(2, ImageFormat::Jpeg), made(3, ImageFormat::Jpeg));
        store.put_derived(&key, Bytes::from_static(b"old")).await?;
        store.put_derived(&key, Bytes::copy_from_slice(webp)).await?;
        store.put_derived(&empty, Bytes::new()).await?;
        ensure!(read(&store, &key).await?.as_deref() == Some(webp));
        let lost = store.not_whole(vec![key.clone(), empty.clone(), missing.clone()]).await?;
        ensure!(lost == [empty, missing.clone()], "{lost:?}");
        let how = store.how_written(vec![None, Some(key.clone()), Some(missing.clone())]).await?;
        let transparent = HowWritten { is_transparent: true, ..HowWritten::default() };
        ensure!(how == [HowWritten::default(), transparent, HowWritten::default()], "{how:?}");
        for _ in 0..2 {
            store.remove(&key).await?;
        }
        ensure!(store.stat(&key).await?.is_none() && read(&store, &key).await?.is_none());
        ensure!(store.digest(&missing).await?.is_none());

        let film = BlobKey::encoded_video(USER, Uuid::from_u128(4));
        for bytes in [&b"first"[..], b"second"] {
            let making = store.begin_derived().await?;
            std::fs::write(making.path(), bytes)?;
            ensure!(making.commit(&film).await? == u64::try_from(bytes.len())?);
            ensure!(read(&store, &film).await?.as_deref() == Some(bytes));
        }
    }
    Ok(())
}

#[tokio::test]
async fn blob_gets_a_second_key_of_any_words() -> anyhow::Result<()> {
    let both = Both::new().await?;
    let to = BlobKey::parse(WORDS)?;
    for (store, _) in both.stores().await? {
        stored(&store, &original(1), b"picture").await?;
        store.duplicate(&original(1), &to).await?;
        ensure!(store.digest(&to).await? == store.digest(&original(1)).await?, "another blob");
        let taken = store.duplicate(&original(1), &to).await;
        ensure!(matches!(taken, Err(BlobError::Exists { .. })), "{taken:?}");
        let missing = store.duplicate(&original(2), &original(3)).await;
        ensure!(matches!(missing, Err(BlobError::Read { .. })), "{missing:?}");
        store.remove_with_folders(&original(1)).await?;
        ensure!(store.stat(&original(1)).await?.is_none(), "the former key is left");
        ensure!(read(&store, &to).await?.as_deref() == Some(&b"picture"[..]), "it went with it");
    }
    Ok(())
}

#[tokio::test]
async fn every_blob_is_listed_once() -> anyhow::Result<()> {
    // More than S3 lists in a page.
    const SOME: u128 = 1_003;
    let both = Both::new().await?;
    for (store, _) in both.stores().await? {
        let mut wanted = vec![BlobKey::parse(WORDS)?.to_string()];
        stored(&store, &BlobKey::parse(WORDS)?, b"x").await?;
        for id in 0..SOME {
            let key = made(id << 112, ImageFormat::Jpeg);
            store.put_derived(&key, Bytes::from_static(b"x")).await?;
            wanted.push(key.to_string());
        }
        wanted.sort();
        let keys = bucket::keys(&store).await?;
        ensure!(keys == wanted, "{} of {} keys", keys.len(), wanted.len());
    }
    Ok(())
}

#[tokio::test]
async fn parts_of_a_blob_are_read_where_it_lies() -> anyhow::Result<()> {
    let (bucket, bytes) = (Bucket::start().await?, long()?);
    let store = bucket.blobs().await?;
    stored(&store, &original(1), &bytes).await?;
    for (first, length) in [(0, 10), (2_097_150, 4), (5_000_000, 9_000_000), (17_000_000, 5)] {
        let blob = store.open_remote(&original(1)).await?.context("no blob")?;
        let parts: Vec<Bytes> = blob.stream(first, length).try_collect().await?;
        let from = usize::try_from(first)?;
        let to = bytes.len().min(from + usize::try_from(length)?);
        ensure!(parts.concat() == bytes[from..to], "other bytes from {first}");
    }
    let mut reader = store.open_remote(&original(1)).await?.context("no blob")?.reader();
    let read = tokio::task::spawn_blocking(move || {
        let mut read = Vec::new();
        reader.read_to_end(&mut read).map(|_| read)
    });
    ensure!(read.await?? == bytes, "other bytes from a thread");
    // One that is replaced while it is read is not put together from two.
    let blob = store.open_remote(&original(1)).await?.context("no blob")?;
    let mut writer = store.begin().await?;
    writer.write(b"another").await?;
    writer.finish().await?.replace(&original(1)).await?;
    let read: Result<Vec<Bytes>, _> = blob.stream(0, 10_000_000).try_collect().await;
    ensure!(read.is_err(), "two blobs were put together");
    Ok(())
}

#[tokio::test]
async fn fetched_files_share_a_bounded_place() -> anyhow::Result<()> {
    let bucket = Bucket::start().await?;
    let all = bucket.blobs().await?;
    stored(&all, &original(1), &vec![1; 900_000]).await?;
    stored(&all, &original(2), &vec![2; 900_000]).await?;
    let folder = tempfile::tempdir()?;
    let store = BlobStore::open(folder.path()).await?.in_bucket(bucket.place(None)?, 1 << 20)?;
    let first = store.fetch(&original(1)).await?.context("no file")?;
    let again = store.fetch(&original(1)).await?.context("no file")?;
    ensure!(first.path() == again.path(), "it was fetched twice");
    ensure!(first.is_fetched() && left_in_tmp(folder.path())? == 1);
    drop(first);
    // There is room for one: the other is fetched when the first one's last reader is done.
    let other = original(2);
    let waits = store.fetch(&other);
    let (second, seen) = tokio::join!(waits, async {
        let seen = std::fs::read(again.path());
        drop(again);
        seen
    });
    ensure!(seen? == vec![1; 900_000], "it was taken away while it was read");
    ensure!(std::fs::read(second?.context("no file")?.path())? == vec![2; 900_000]);
    ensure!(left_in_tmp(folder.path())? == 0, "a fetched file is left");

    // One that was replaced is fetched anew, and who reads the former bytes keeps them.
    let kept = all.fetch(&original(1)).await?.context("no file")?;
    all.remove(&original(1)).await?;
    stored(&all, &original(1), b"other").await?;
    let anew = all.fetch(&original(1)).await?.context("no file")?;
    ensure!(std::fs::read(anew.path())? == b"other", "the former bytes were given");
    ensure!(std::fs::read(kept.path())? == vec![1; 900_000], "they changed while they were read");
    ensure!(store.fetch(&original(9)).await?.is_none(), "a file of nothing");
    Ok(())
}

#[tokio::test]
async fn bucket_that_is_away_is_no_bucket_without_blobs() -> anyhow::Result<()> {
    let bucket = Bucket::start().await?;
    let folder = tempfile::tempdir()?;
    let local = BlobStore::open(folder.path()).await?;
    let elsewhere = local.in_bucket(bucket.place(Some("no-such-bucket"))?, 1 << 20)?;
    let source = |result: Result<(), BlobError>| match result {
        Err(BlobError::Away { source }) => Ok(source),
        other => anyhow::bail!("{other:?}"),
    };
    let missing = source(elsewhere.stat(&original(1)).await.map(drop))?;
    ensure!(missing == Outage::NoBucket, "{missing}");
    source(stored(&elsewhere, &original(1), b"x").await)?;
    let store = bucket.blobs().await?;
    stored(&store, &original(1), b"x").await?;

    bucket.shut();
    let unreachable = source(store.stat(&original(1)).await.map(drop))?;
    ensure!(unreachable == Outage::Unreachable, "{unreachable}");
    source(stored(&store, &original(2), b"x").await)?;
    source(store.fetch(&original(1)).await.map(drop))?;
    source(store.digest(&original(1)).await.map(drop))?;
    source(store.remove(&original(1)).await)?;
    let (batches, _sent) = tokio::sync::mpsc::channel(1);
    source(store.send_keys(10, batches).await)?;
    ensure!(store.not_whole(vec![made(1, ImageFormat::Jpeg)]).await?.is_empty(), "taken for lost");

    bucket.open();
    ensure!(store.stat(&original(1)).await?.is_some(), "it is not back");
    stored(&store, &original(2), b"x").await?;
    Ok(())
}
