//! How much streaming may take: sessions, encoders, room on the disk, and time that nobody uses it.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{media_folder, pool_config};
use calotype_media::{
    blob::LocalFile,
    hls::{Ladder, Piece, SEGMENTS_KEPT_MAX, Sessions, StreamError, StreamLimits},
    transcode::{TranscodeWish, Transcoder, VideoCodec},
};
use tempfile::TempDir;
use uuid::Uuid;

/// Six minutes, 180 segments.
const LONG: &str = "video/long_6min_1080p.mp4";
const FILM: Uuid = Uuid::from_u128(1);
/// How long a session that ends may take for it.
const SOON: Duration = Duration::from_secs(30);

struct Stage {
    folder: TempDir,
    sessions: Sessions,
}

impl Stage {
    fn new(limits: StreamLimits) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let transcoder = Transcoder::new(pool_config());
        let streams = folder.path().join("streams");
        Self { folder, sessions: Sessions::with_limits(transcoder, streams, limits) }
    }

    async fn begin(&self, number: u128) -> Uuid {
        let id = Uuid::from_u128(number);
        let ladder = Ladder { codecs: vec![VideoCodec::H264], short_sides: vec![144] };
        let film = LocalFile::at(media_folder().join(LONG));
        let wish = TranscodeWish::default();
        self.sessions.begin(id, FILM, film, wish, &ladder).await.expect("a film");
        id
    }

    async fn segment(&self, id: Uuid, number: u64) -> Result<usize, StreamError> {
        let film = (FILM, LocalFile::at(media_folder().join(LONG)));
        let piece = self.sessions.piece(id, film, 0, Piece::Segment(number), None).await;
        piece.map(|bytes| bytes.len())
    }

    fn is_on(&self, id: Uuid) -> bool {
        self.sessions.look_up(id, FILM, 0, None).is_ok()
    }

    fn files_of(&self, id: Uuid) -> usize {
        files(&self.folder.path().join("streams").join(id.to_string()))
    }
}

fn files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .map(|it| it.expect("an entry").path())
        .map(|path| if path.is_dir() { files(&path) } else { 1 })
        .sum()
}

#[tokio::test]
async fn further_session_ends_that_which_nobody_used_longest() {
    let limits = StreamLimits { sessions_max: 2, ..StreamLimits::default() };
    let stage = Stage::new(limits);
    let (one, two) = (stage.begin(1).await, stage.begin(2).await);
    stage.segment(one, 0).await.expect("a segment");
    assert!(stage.files_of(one) > 0);
    assert!(stage.is_on(two) && stage.is_on(two), "asked for last");
    let three = stage.begin(3).await;
    assert!(!stage.is_on(one) && stage.is_on(two) && stage.is_on(three));
    assert_eq!(stage.files_of(one), 0, "its files are left over");
    assert!(matches!(stage.segment(one, 1).await, Err(StreamError::NotFound)));
}

#[tokio::test]
async fn encoder_that_is_of_use_is_not_taken_away() {
    let limits = StreamLimits { encoders_max: 1, ..StreamLimits::default() };
    let stage = Stage::new(limits);
    let (one, two) = (stage.begin(1).await, stage.begin(2).await);
    stage.segment(one, 0).await.expect("a segment");
    assert!(matches!(stage.segment(two, 0).await, Err(StreamError::Busy)));
    // One that is idle makes room, and begins again when it is asked.
    let limits = StreamLimits { encoder_idle: Duration::ZERO, ..limits };
    let stage = Stage::new(limits);
    let (one, two) = (stage.begin(1).await, stage.begin(2).await);
    for (id, number) in [(one, 0), (two, 0), (one, 60)] {
        stage.segment(id, number).await.expect("a segment");
    }
    stage.sessions.end_all().await;
}

#[tokio::test]
async fn jumping_to_and_fro_does_not_fill_the_disk() {
    let stage = Stage::new(StreamLimits::default());
    let id = stage.begin(1).await;
    // The first part, and each segment takes room for one more file: what stands before all.
    let most = usize::try_from(SEGMENTS_KEPT_MAX).expect("a few") + 2;
    for number in [170, 130, 90, 50, 10, 100] {
        stage.segment(id, number).await.expect("a segment");
        let made = stage.files_of(id);
        assert!(made <= most, "{made} files after a jump to {number}");
    }
    stage.sessions.end(id, FILM).await;
    assert_eq!(stage.files_of(id), 0);
}

#[tokio::test]
async fn stream_that_nobody_watches_ends() {
    let limits =
        StreamLimits { session_idle: Duration::from_millis(1_500), ..StreamLimits::default() };
    let stage = Stage::new(limits);
    let id = stage.begin(1).await;
    let sessions = stage.sessions.clone();
    #[expect(clippy::disallowed_methods, reason = "nothing waits for the end of a test")]
    let keeper = tokio::spawn(async move { sessions.keep().await });
    stage.segment(id, 0).await.expect("a segment");
    // Without asking: whoever asks uses it.
    let begun = Instant::now();
    while stage.files_of(id) > 0 {
        assert!(begun.elapsed() < SOON, "it goes on without anybody");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(begun.elapsed() > Duration::from_secs(1), "it ended too soon");
    assert!(!stage.is_on(id));
    keeper.abort();
}
