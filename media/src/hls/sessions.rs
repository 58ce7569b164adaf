//! Who watches what: sessions by id, ended when nobody asks for anything any more.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tracing::{debug, info, warn};
use uuid::Uuid;

use super::session::{Beginning, Piece, Session, StreamError};
use super::variant::{Ladder, Variant, variants};
use crate::blob::LocalFile;
use crate::transcode::{Film, TranscodeWish, Transcoder};

/// How much may be streamed at once, and for how long nobody may use it.
#[derive(Debug, Clone, Copy)]
pub struct StreamLimits {
    /// Sessions at once; a further one ends that which was idle longest.
    pub sessions_max: usize,
    /// Encoders at once.
    pub encoders_max: usize,
    /// How long an encoder must have been of no use to make room for another.
    pub encoder_idle: Duration,
    /// How long nobody may ask for anything of a session before it ends.
    pub session_idle: Duration,
}

impl Default for StreamLimits {
    /// 64 sessions with 8 encoders; an encoder may be idle for 20 seconds, a session for five minutes.
    fn default() -> Self {
        Self {
            sessions_max: 64,
            encoders_max: 8,
            encoder_idle: Duration::from_secs(20),
            session_idle: Duration::from_secs(300),
        }
    }
}

/// How often encoders are held or let go on, and sessions ended.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Longest film that is streamed: a playlist of a million segments.
const DURATION_MS_MAX: u64 = 2_000_000_000;

/// Who watches what. Cheap to clone; clones share the sessions.
#[derive(Debug, Clone)]
pub struct Sessions {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    transcoder: Transcoder,
    folder: PathBuf,
    limits: StreamLimits,
    known: Mutex<HashMap<Uuid, Arc<Session>>>,
}

/// What a playlist of a session needs.
#[derive(Debug, Clone)]
pub struct Streamed {
    /// What there is to choose from.
    pub variants: Vec<Variant>,
    /// The film's length.
    pub duration_ms: u64,
    /// Whether it has sound.
    pub has_sound: bool,
}

impl Sessions {
    /// No sessions yet; what lies in `folder` of an earlier run is removed.
    #[must_use]
    pub fn new(transcoder: Transcoder, folder: PathBuf) -> Self {
        Self::with_limits(transcoder, folder, StreamLimits::default())
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(transcoder: Transcoder, folder: PathBuf, limits: StreamLimits) -> Self {
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                warn!(%error, "cannot remove the streams of an earlier run");
            }
            _ => {}
        }
        Self { inner: Arc::new(Inner { transcoder, folder, limits, known: Mutex::default() }) }
    }

    /// Holds encoders that are far ahead and ends sessions that nobody uses, until dropped.
    pub async fn keep(&self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            for (id, session) in self.all() {
                if session.idle() > self.inner.limits.session_idle {
                    debug!(session.id = %id, "nobody watches a stream any more");
                    self.remove(id, &session).await;
                } else {
                    session.keep_pace().await;
                }
            }
        }
    }

    /// Ends every session, at the end of the program.
    pub async fn end_all(&self) {
        for (id, session) in self.all() {
            self.remove(id, &session).await;
        }
    }

    /// Begins a session under a new id.
    ///
    /// # Errors
    /// [`StreamError::NoFilm`] when the file has no picture or no length.
    pub async fn begin(
        &self,
        id: Uuid,
        film_id: Uuid,
        source: LocalFile,
        wish: TranscodeWish,
        ladder: &Ladder,
    ) -> Result<Streamed, StreamError> {
        let film = self.inner.transcoder.probe(source.path()).await.map_err(|error| {
            info!(%error, "a film cannot be streamed");
            StreamError::NoFilm
        })?;
        let duration_ms = length(&film).ok_or(StreamError::NoFilm)?;
        let picture = film.video.as_ref().ok_or(StreamError::NoFilm)?;
        let streamed = Streamed {
            variants: variants(picture, ladder),
            duration_ms,
            has_sound: film.audio.is_some(),
        };
        let session = Session::new(Beginning {
            film_id,
            source,
            wish,
            variants: streamed.variants.clone(),
            duration_ms,
            folder: self.inner.folder.join(id.to_string()),
            film,
        });
        let all = self.all();
        if all.len() >= self.inner.limits.sessions_max
            && let Some((idle, session)) = all.iter().max_by_key(|(_, it)| it.idle())
        {
            self.remove(*idle, session).await;
        }
        self.known().insert(id, Arc::new(session));
        Ok(streamed)
    }

    /// A session that goes on, where the film is that one; `position_ms` is where its player is.
    ///
    /// # Errors
    /// [`StreamError::NotFound`].
    pub fn look_up(
        &self,
        id: Uuid,
        film_id: Uuid,
        variant: usize,
        position_ms: Option<u64>,
    ) -> Result<Streamed, StreamError> {
        let session = self.of(id, film_id)?;
        if variant >= session.variants.len() {
            return Err(StreamError::NotFound);
        }
        if let Some(position_ms) = position_ms {
            session.plays_at(position_ms);
        }
        Ok(Streamed {
            variants: session.variants.clone(),
            duration_ms: session.duration_ms,
            has_sound: session.film.audio.is_some(),
        })
    }

    /// A part of a stream; waits until it is made. `source` is where the film lies now, `playing` the segment
    /// that the player says it plays.
    ///
    /// # Errors
    /// See [`StreamError`].
    pub async fn piece(
        &self,
        id: Uuid,
        (film_id, source): (Uuid, LocalFile),
        variant: usize,
        piece: Piece,
        playing: Option<u64>,
    ) -> Result<Bytes, StreamError> {
        let session = self.of(id, film_id)?;
        session.lies_at(source);
        if !session.has_encoder().await {
            self.make_room().await?;
        }
        match (playing, piece) {
            (Some(playing), _) | (None, Piece::Segment(playing)) => session.plays(playing),
            (None, Piece::Init) => {}
        }
        let made = session.piece(&self.inner.transcoder, variant, piece).await;
        if !self.known().contains_key(&id) {
            // Ended meanwhile: what was begun since must not stay.
            session.end().await;
            return Err(StreamError::NotFound);
        }
        made
    }

    /// Ends a session. One that is not there has ended.
    pub async fn end(&self, id: Uuid, film_id: Uuid) {
        if let Ok(session) = self.of(id, film_id) {
            self.remove(id, &session).await;
        }
    }

    fn of(&self, id: Uuid, film_id: Uuid) -> Result<Arc<Session>, StreamError> {
        let session = self.known().get(&id).filter(|it| it.film_id == film_id).cloned();
        let session = session.ok_or(StreamError::NotFound)?;
        session.touch();
        Ok(session)
    }

    /// Sees to it that one encoder more may begin.
    async fn make_room(&self) -> Result<(), StreamError> {
        let mut busy = Vec::new();
        for (_, session) in self.all() {
            if session.has_encoder().await {
                busy.push(session);
            }
        }
        if busy.len() < self.inner.limits.encoders_max {
            return Ok(());
        }
        let idle = busy.iter().max_by_key(|it| it.idle());
        match idle.filter(|it| it.idle() >= self.inner.limits.encoder_idle) {
            Some(idle) => {
                idle.stop().await;
                Ok(())
            }
            None => Err(StreamError::Busy),
        }
    }

    async fn remove(&self, id: Uuid, session: &Session) {
        self.known().remove(&id);
        session.end().await;
    }

    fn all(&self) -> Vec<(Uuid, Arc<Session>)> {
        self.known().iter().map(|(id, session)| (*id, Arc::clone(session))).collect()
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<Session>>> {
        self.inner.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The picture's length, or else the file's: sound may go on after the last picture.
fn length(film: &Film) -> Option<u64> {
    let picture = film.video.as_ref().and_then(|it| it.duration_ms);
    picture.or(film.duration_ms).filter(|it| *it <= DURATION_MS_MAX)
}
