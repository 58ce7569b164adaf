//! One player with one film: its segments, and the encoder that makes them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::fs;
use uuid::Uuid;

use super::arguments::arguments;
use super::encoder::{Encoder, State, segment};
use super::variant::Variant;
use super::{SEGMENT_MS, segments};
use crate::blob::LocalFile;
use crate::transcode::{Film, Run, TranscodeWish, Transcoder};

/// How long a player waits for a segment.
const SEGMENT_WAIT: Duration = Duration::from_secs(30);
/// How often it is looked whether the segment is there.
const LOOK_EVERY: Duration = Duration::from_millis(40);
/// Segments that are kept behind the one that plays: half a minute back costs nothing.
const KEPT_BEHIND: u64 = 15;
/// How far ahead of where a player jumps to segments of before are kept; more than an encoder makes ahead.
const KEPT_AHEAD: u64 = 30;
/// Segments of one variant that lie on the disk at once, at most, when a player jumps: those kept behind and
/// ahead, and what an encoder makes before it is held.
pub const SEGMENTS_KEPT_MAX: u64 = KEPT_BEHIND + KEPT_AHEAD + super::encoder::AHEAD_MAX + 4;
/// Largest segment that is handed over, in bytes: two seconds of 4K at many times their rate.
const PIECE_BYTES_MAX: u64 = 256 << 20;
/// How often an encoder may fail in a session before nothing is tried any more.
const FAILURES_MAX: u64 = 6;

/// A part of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// What stands before all segments.
    Init,
    /// A segment.
    Segment(u64),
}

/// Why there is no part of a stream.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// There is no such session, variant or segment.
    #[error("no such part of a stream")]
    NotFound,
    /// The film has no picture or no length.
    #[error("film cannot be streamed")]
    NoFilm,
    /// Too many films are streamed at once.
    #[error("too many films are streamed at once")]
    Busy,
    /// The encoder gives nothing.
    #[error("encoder gives nothing")]
    NotMade,
    /// A file cannot be written or read.
    #[error("failed to use a file of a stream")]
    Io(#[from] std::io::Error),
}

/// One player with one film.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) film_id: Uuid,
    pub(super) film: Film,
    /// Where the film lies; it may be moved while it plays.
    source: Mutex<LocalFile>,
    wish: TranscodeWish,
    pub(super) variants: Vec<Variant>,
    pub(super) duration_ms: u64,
    folder: PathBuf,
    /// When it was last asked for anything.
    last_used: Mutex<Instant>,
    /// The segment that plays.
    playing: AtomicU64,
    failures: AtomicU64,
    inits: Mutex<HashMap<usize, Bytes>>,
    encoder: tokio::sync::Mutex<Option<Encoder>>,
}

/// What a session begins with.
pub(super) struct Beginning {
    pub(super) film_id: Uuid,
    pub(super) film: Film,
    pub(super) source: LocalFile,
    pub(super) wish: TranscodeWish,
    pub(super) variants: Vec<Variant>,
    pub(super) duration_ms: u64,
    pub(super) folder: PathBuf,
}

impl Session {
    pub(super) fn new(begin: Beginning) -> Self {
        Self {
            film_id: begin.film_id,
            film: begin.film,
            source: Mutex::new(begin.source),
            wish: begin.wish,
            variants: begin.variants,
            duration_ms: begin.duration_ms,
            folder: begin.folder,
            last_used: Mutex::new(Instant::now()),
            playing: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            inits: Mutex::default(),
            encoder: tokio::sync::Mutex::default(),
        }
    }

    pub(super) fn touch(&self) {
        *self.used() = Instant::now();
    }

    pub(super) fn idle(&self) -> Duration {
        self.used().elapsed()
    }

    fn used(&self) -> MutexGuard<'_, Instant> {
        self.last_used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The film lies there now.
    pub(super) fn lies_at(&self, source: LocalFile) {
        *self.source.lock().unwrap_or_else(PoisonError::into_inner) = source;
    }

    fn source(&self) -> LocalFile {
        self.source.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The player says which segment it plays.
    pub(super) fn plays(&self, number: u64) {
        self.playing.store(number.min(segments(self.duration_ms)), Ordering::Relaxed);
    }

    /// The player says at which millisecond of the film it is.
    pub(super) fn plays_at(&self, position_ms: u64) {
        self.plays(position_ms / SEGMENT_MS);
    }

    pub(super) async fn has_encoder(&self) -> bool {
        self.encoder.lock().await.is_some()
    }

    /// Ends the encoder; its segments stay.
    pub(super) async fn stop(&self) {
        if let Some(encoder) = self.encoder.lock().await.take() {
            drop(encoder);
        }
    }

    /// Ends the encoder and removes all files.
    pub(super) async fn end(&self) {
        self.stop().await;
        if let Err(error) = fs::remove_dir_all(&self.folder).await
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "files of a stream are left over until the next start");
        }
    }

    /// Holds the encoder or lets it go on, and lets go of what was played long ago.
    pub(super) async fn keep_pace(&self) {
        let playing = self.playing.load(Ordering::Relaxed);
        {
            let Ok(mut held) = self.encoder.try_lock() else { return };
            let Some(encoder) = held.as_mut() else { return };
            encoder.keep_pace(playing);
        }
        self.keep_only(|number| number + KEPT_BEHIND >= playing).await;
    }

    /// Lets go of other segments, of whichever variant.
    async fn keep_only(&self, is_kept: impl Fn(u64) -> bool) {
        for variant in 0..self.variants.len() {
            let Ok(mut entries) = fs::read_dir(self.folder_of(variant)).await else { continue };
            while let Ok(Some(entry)) = entries.next_entry().await {
                let number = entry.file_name().to_str().and_then(number_of);
                if number.is_some_and(|number| !is_kept(number)) {
                    fs::remove_file(entry.path()).await.unwrap_or_default();
                }
            }
        }
    }

    fn folder_of(&self, variant: usize) -> PathBuf {
        self.folder.join(variant.to_string())
    }

    /// A part of the stream; waits until it is made.
    pub(super) async fn piece(
        &self,
        transcoder: &Transcoder,
        variant: usize,
        piece: Piece,
    ) -> Result<Bytes, StreamError> {
        if variant >= self.variants.len() {
            return Err(StreamError::NotFound);
        }
        let count = segments(self.duration_ms);
        let number = match piece {
            Piece::Segment(number) if number < count => number,
            Piece::Segment(_) => return Err(StreamError::NotFound),
            Piece::Init => {
                if let Some(init) = self.inits().get(&variant) {
                    return Ok(init.clone());
                }
                self.playing.load(Ordering::Relaxed).min(count - 1)
            }
        };
        let path = segment(&self.folder_of(variant), number);
        let deadline = Instant::now() + SEGMENT_WAIT;
        loop {
            self.touch();
            if self.is_ready(&path, piece, variant).await {
                break;
            }
            self.encode(transcoder, variant, number).await?;
            if Instant::now() > deadline {
                return Err(StreamError::NotMade);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        match piece {
            Piece::Segment(_) => read(&path).await,
            Piece::Init => {
                let init = read(&self.folder_of(variant).join("init.mp4")).await?;
                self.inits().insert(variant, init.clone());
                Ok(init)
            }
        }
    }

    fn inits(&self) -> MutexGuard<'_, HashMap<usize, Bytes>> {
        self.inits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn is_ready(&self, path: &Path, piece: Piece, variant: usize) -> bool {
        match piece {
            Piece::Segment(_) => path.exists(),
            Piece::Init => match self.encoder.lock().await.as_mut() {
                Some(encoder) => encoder.variant == variant && encoder.has_begun(),
                None => false,
            },
        }
    }

    /// Sees to it that an encoder makes a segment: waits for the one that will, else begins there.
    async fn encode(
        &self,
        transcoder: &Transcoder,
        variant: usize,
        number: u64,
    ) -> Result<(), StreamError> {
        let mut held = self.encoder.lock().await;
        if let Some(encoder) = held.as_mut()
            && encoder.variant == variant
            && encoder.will_make(number)
        {
            match encoder.state() {
                State::Running => {
                    encoder.keep_pace(number);
                    return Ok(());
                }
                // Its last segments may have been let go, or it ended before them.
                State::Finished | State::Failed => {
                    if segment(&self.folder_of(variant), number).exists() {
                        return Ok(());
                    }
                    if self.failures.fetch_add(1, Ordering::Relaxed) >= FAILURES_MAX {
                        return Err(StreamError::NotMade);
                    }
                }
            }
        }
        // The old one ends before the new one begins: one encoder a session.
        drop(held.take());
        // Who jumps to and fro must not fill the disk with what was made elsewhere.
        let near = number.saturating_sub(KEPT_BEHIND)..=number.saturating_add(KEPT_AHEAD);
        self.keep_only(|made| near.contains(&made)).await;
        let folder = self.folder_of(variant);
        fs::create_dir_all(&folder).await?;
        // Where hardware failed, software takes over.
        let failed = self.failures.load(Ordering::Relaxed) > 0;
        let wish =
            TranscodeWish { accel: self.wish.accel.filter(|_| !failed), ..self.wish.clone() };
        let chosen = self.variants.get(variant).ok_or(StreamError::NotFound)?;
        let args = arguments(&self.film, &wish, chosen, number);
        let source = self.source();
        let run = Run {
            args: &args,
            film: source.path(),
            made: &folder,
            duration_ms: Some(self.duration_ms),
            is_hardware: wish.accel.is_some(),
        };
        let child = transcoder.start_streaming(&run)?;
        *held = Some(Encoder::new(child, folder, variant, number));
        Ok(())
    }
}

/// The number of a segment's file.
fn number_of(name: &str) -> Option<u64> {
    name.strip_prefix("seg_")?.strip_suffix(".m4s")?.parse().ok()
}

async fn read(path: &Path) -> Result<Bytes, StreamError> {
    if fs::metadata(path).await?.len() > PIECE_BYTES_MAX {
        return Err(StreamError::NotMade);
    }
    Ok(Bytes::from(fs::read(path).await?))
}
