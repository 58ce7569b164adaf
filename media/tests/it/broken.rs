//! Hostile and damaged files: every one ends in an answer, and the pool works afterwards.

use std::{
    fs,
    time::{Duration, Instant},
};

use crate::support::{media_folder, pool, pool_config};
use calotype_media::{
    decoder::{DecodeError, DecoderPool, Job, PoolConfig, Want},
    image::{Colorspace, ImageFormat, ImageWish},
    transcode::ToneMap,
};

/// How long a file may take until its answer.
pub(crate) const TIME_MAX: Duration = Duration::from_secs(30);

/// Address space that must be enough for every broken file, in bytes.
pub(crate) const MEMORY_BYTES_MAX: u64 = 1 << 30;

pub(crate) const EVERYTHING: Want = Want {
    metadata: true,
    images: Some(ImageWish {
        thumbnail_px: 250,
        preview_px: 1_440,
        thumbnail_format: ImageFormat::Webp,
        preview_format: ImageFormat::Jpeg,
        thumbnail_quality: 80,
        preview_quality: 80,
        thumbnail_progressive: false,
        preview_progressive: false,
        colorspace: Colorspace::Srgb,
        full: None,
        edit: None,
        tone_map: ToneMap::Hable,
    }),
};

fn job(path: &str) -> Job {
    Job { source: media_folder().join(path), sidecar: None, want: EVERYTHING }
}

async fn assert_works(pool: &DecoderPool) {
    let report = pool.run(&job("photos/nature/prairie_falcon.jpg")).await.expect("a good picture");
    report.images.expect("pictures were wanted").expect("a good picture");
}

#[tokio::test]
async fn every_broken_file_ends_in_an_answer() {
    let mut config = pool_config();
    config.memory_bytes = MEMORY_BYTES_MAX;
    let pool = DecoderPool::new(config);
    let mut names: Vec<_> = fs::read_dir(media_folder().join("broken"))
        .expect("the folder of broken files")
        .map(|it| it.expect("an entry").path())
        .collect();
    names.sort();
    assert!(names.len() > 50);
    for source in names {
        let name = source.file_name().expect("a name").to_string_lossy().into_owned();
        let job = Job { source, sidecar: None, want: EVERYTHING };
        let started = Instant::now();
        let result = pool.run(&job).await;
        let took = started.elapsed();
        assert!(took < TIME_MAX, "{name} took {took:?}");
        let error = match &result {
            Ok(report) => report.images.as_ref().and_then(|it| it.as_ref().err()),
            Err(error) => Some(error),
        };
        let fine = !matches!(
            error,
            Some(
                DecodeError::Crashed { .. }
                    | DecodeError::TimedOut
                    | DecodeError::Unavailable { .. }
            )
        );
        assert!(fine, "{name}: {error:?}");
        if let Some(error) = error {
            assert!(!error.to_string().contains(&name), "{name} is named in {error}");
        }
        if name.starts_with("bomb_")
            && !name.contains("12000x12000")
            && !name.ends_with("ccp.png")
            && !name.ends_with("ztxt.png")
        {
            assert!(error.is_some(), "{name} was decoded");
        }
    }
    assert_works(&pool).await;
}

#[tokio::test]
async fn the_type_comes_from_the_bytes() {
    let pool = pool();
    for (path, mime) in [
        ("broken/wrong_ext_heic_is_jpg.heic", "image/jpeg"),
        ("broken/wrong_ext_jpg_is_heic.jpg", "image/heic"),
        ("broken/wrong_ext_jpg_is_mp4.jpg", "video/mp4"),
        ("broken/wrong_ext_jpg_is_png.jpg", "image/png"),
        ("broken/wrong_ext_mp4_is_jpg.mp4", "image/jpeg"),
    ] {
        let report = pool.run(&job(path)).await.expect(path);
        assert_eq!(report.facts.true_mime.as_deref(), Some(mime), "{path}");
        assert!(report.images.is_some_and(|it| it.is_ok()), "{path}");
    }
}

#[tokio::test]
async fn a_bomb_is_refused_before_it_is_unpacked() {
    let pool = pool();
    for path in [
        "broken/bomb_50000x50000_1bit.png",
        "broken/bomb_sof_65500x65500.jpg",
        "broken/bomb_screen_65535.gif",
        "broken/bomb_100000x100000.tif",
    ] {
        let report = pool.run(&job(path)).await.expect(path);
        let error = report.images.expect("pictures were wanted").expect_err(path);
        assert!(matches!(error, DecodeError::TooLarge { .. }), "{path}: {error:?}");
    }
}

#[tokio::test]
async fn a_child_without_memory_is_an_error_of_one_file() {
    let mut config = pool_config();
    config.memory_bytes = 64 << 20;
    let pool = DecoderPool::new(config);
    let result = pool.run(&job("photos/jpeg/canon_5d3_22mp.jpg")).await;
    let error = match result {
        Ok(report) => report.images.expect("pictures were wanted").expect_err("64 MiB are too few"),
        Err(error) => error,
    };
    assert_eq!(error, DecodeError::OutOfMemory);
    assert_works(&pool).await;
}

#[tokio::test]
async fn a_child_that_takes_too_long_is_ended() {
    let mut config = pool_config();
    config.job_timeout = Duration::from_millis(1);
    let pool = DecoderPool::new(config);
    let error = pool.run(&job("photos/jpeg/canon_5d3_22mp.jpg")).await.expect_err("a millisecond");
    assert_eq!(error, DecodeError::TimedOut);
    assert_eq!(pool.idle_children(), 0);
}

#[tokio::test]
async fn children_end_when_there_is_no_work() {
    let mut config = pool_config();
    config.idle = Duration::from_secs(1);
    let pool = DecoderPool::new(config);
    assert_works(&pool).await;
    assert_eq!(pool.idle_children(), 1);
    tokio::time::timeout(Duration::from_secs(20), async {
        while pool.idle_children() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the child ends");
    assert_works(&pool).await;
}

#[tokio::test]
async fn children_are_replaced_after_their_jobs() {
    let mut config = pool_config();
    config.jobs_per_child_max = 1;
    let pool = DecoderPool::new(config);
    for _ in 0..3 {
        assert_works(&pool).await;
        assert_eq!(pool.idle_children(), 0);
    }
}

#[tokio::test]
async fn a_missing_decoder_is_nobodys_picture() {
    let pool = DecoderPool::new(PoolConfig::new("/does/not/exist", []));
    let error = pool.run(&job("photos/nature/prairie_falcon.jpg")).await.expect_err("no program");
    assert!(matches!(error, DecodeError::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_missing_file_is_unreadable() {
    let error = pool().run(&job("photos/none.jpg")).await.expect_err("no file");
    assert!(matches!(error, DecodeError::Unreadable { .. }), "{error:?}");
    assert!(error.is_worth_retrying());
}
