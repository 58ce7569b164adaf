//! Stored bytes: digests, places, and what is left after a write that did not end.

use std::{fs, path::Path};

use bytes::Bytes;
use calotype_media::blob::{BlobError, BlobKey, BlobStore, Role};
use calotype_media::image::ImageFormat;
use sha1::{Digest as _, Sha1};
use tokio::io::AsyncReadExt as _;
use uuid::Uuid;

fn key(id: u128) -> BlobKey {
    BlobKey::original(Uuid::from_u128(7), Uuid::from_u128(id), "jpg")
}

fn tmp_files(root: &Path) -> usize {
    fs::read_dir(root.join("tmp")).expect("tmp/").count()
}

#[tokio::test]
async fn a_blob_comes_back_with_its_digests() {
    let root = tempfile::tempdir().unwrap();
    let store = BlobStore::open(root.path()).await.unwrap();
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|i| u8::try_from(i % 251).unwrap()).collect();
    let mut writer = store.begin().await.unwrap();
    for part in bytes.chunks(70_001) {
        writer.write(part).await.unwrap();
    }
    let staged = writer.finish().await.unwrap();
    assert_eq!(staged.size_bytes, 3_000_000);
    assert_eq!(staged.sha1, <[u8; 20]>::from(Sha1::digest(&bytes)));
    assert_eq!(staged.blake3, *blake3::hash(&bytes).as_bytes());
    assert_eq!(staged.head(), &bytes[..4096]);

    staged.commit(&key(1)).await.unwrap();

    let mut read = Vec::new();
    let mut file = store.open_blob(&key(1)).await.unwrap().expect("the blob");
    file.read_to_end(&mut read).await.unwrap();
    assert_eq!(read, bytes);
    assert_eq!(store.stat(&key(1)).await.unwrap().map(|it| it.size_bytes), Some(3_000_000));
    assert_eq!(fs::read(store.local_path(&key(1)).unwrap()).unwrap(), bytes);
    assert_eq!(tmp_files(root.path()), 0);
}

#[tokio::test]
async fn an_empty_blob_is_a_blob() {
    let root = tempfile::tempdir().unwrap();
    let store = BlobStore::open(root.path()).await.unwrap();
    let staged = store.begin().await.unwrap().finish().await.unwrap();
    assert_eq!(staged.size_bytes, 0);
    staged.commit(&key(1)).await.unwrap();
    assert_eq!(store.stat(&key(1)).await.unwrap().map(|it| it.size_bytes), Some(0));
}

#[tokio::test]
async fn dropped_writes_leave_nothing() {
    let root = tempfile::tempdir().unwrap();
    let store = BlobStore::open(root.path()).await.unwrap();
    let mut writer = store.begin().await.unwrap();
    writer.write(b"half").await.unwrap();
    drop(writer);
    let mut writer = store.begin().await.unwrap();
    writer.write(b"whole").await.unwrap();
    drop(writer.finish().await.unwrap());
    assert_eq!(tmp_files(root.path()), 0);
}

#[tokio::test]
async fn leftovers_of_a_crash_are_cleaned_at_the_start() {
    let root = tempfile::tempdir().unwrap();
    let store = BlobStore::open(root.path()).await.unwrap();
    let mut writer = store.begin().await.unwrap();
    writer.write(b"lost").await.unwrap();
    std::mem::forget(writer);
    fs::write(root.path().join("tmp/of-somebody-else"), b"x").unwrap();
    assert_eq!(tmp_files(root.path()), 2);

    BlobStore::open(root.path()).await.unwrap();

    assert_eq!(tmp_files(root.path()), 1);
}

#[tokio::test]
async fn what_another_process_still_writes_is_no_leftover() {
    let root = tempfile::tempdir().unwrap();
    let store = BlobStore::open_shared(root.path()).await.unwrap();
    let mut writers = [store.begin().await.unwrap(), store.begin().await.unwrap()];
    for writer in &mut writers {
        writer.write(b"half").await.unwrap();
    }
    let mut files = fs::read_dir(root.path().join("tmp")).unwrap();
    let abandoned = files.next().unwrap().unwrap().path();
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(7_200);
    fs::File::open(&abandoned).unwrap().set_modified(long_ago).unwrap();
    drop(files);

    BlobStore::open_shared(root.path()).await.unwrap();

    assert!(!abandoned.exists());
    assert_eq!(tmp_files(root.path()), 1);
}

#[tokio::test]
async fn an_original_is_never_overwritten() {
    let root = tempfile::tempdir().unwrap();
    let store = BlobStore::open(root.path()).await.unwrap();
    for (bytes, is_first) in [(b"first", true), (b"other", false)] {
        let mut writer = store.begin().await.unwrap();
        writer.write(bytes).await.unwrap();
        let committed = writer.finish().await.unwrap().commit(&key(1)).await;
        assert_eq!(committed.is_ok(), is_first);
        assert!(is_first || matches!(committed, Err(BlobError::Exists { .. })));
    }
    assert_eq!(fs::read(store.local_path(&key(1)).unwrap()).unwrap(), b"first");
    assert_eq!(tmp_files(root.path()), 0);
}

#[tokio::test]
async fn derived_blobs_are_replaced_and_removed() {
    let root = tempfile::tempdir().unwrap();
    let store = BlobStore::open(root.path()).await.unwrap();
    let key = BlobKey::made(
        (Uuid::from_u128(7), Uuid::from_u128(1)),
        Role::Thumbnail,
        "x",
        ImageFormat::Webp,
    );
    store.put_derived(&key, Bytes::from_static(b"old")).await.unwrap();
    store.put_derived(&key, Bytes::from_static(b"new")).await.unwrap();
    assert_eq!(fs::read(store.local_path(&key).unwrap()).unwrap(), b"new");
    store.remove(&key).await.unwrap();
    store.remove(&key).await.unwrap();
    assert!(store.stat(&key).await.unwrap().is_none());
    assert!(store.open_blob(&key).await.unwrap().is_none());
    assert!(store.space().await.unwrap().available_bytes > 0);
}
