//! How every part of this process is, for `GET /ready`: looked at once a second at most, however many ask.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_nats::connection::State;
use calotype_api::{Part, PartState, Readiness, Ready, reserve_bytes};
use calotype_projections::standing::{Standing, parked_streams, standing};
use calotype_projections::{Node, Progress};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long an answer is given again.
const KEPT: Duration = Duration::from_secs(1);
/// How long the database may take to answer.
const DATABASE_WAIT: Duration = Duration::from_secs(2);
/// Events that wait for longer than this, in seconds, are late.
pub(crate) const LATE_SECONDS: f64 = 30.0;
/// With room for fewer times what uploads usually leave free, the disk is called nearly full.
const RESERVES_FEW: u64 = 8;

/// What is looked at.
pub(crate) struct Watched {
    /// Set once the listener is open, or where there is none, once everything runs.
    pub(crate) is_listening: Arc<AtomicBool>,
    /// The lease, where other processes answer beside this one.
    pub(crate) lease: Option<Node>,
    /// The database.
    pub(crate) pool: PgPool,
    /// Up to where the read models show the log.
    pub(crate) progress: Progress,
    /// The connection to NATS, where this process rings or works.
    pub(crate) nats: Option<async_nats::Client>,
    /// The data folder.
    pub(crate) data: PathBuf,
    /// What uploads leave free of its disk, where an operator said how much.
    pub(crate) min_free_bytes: Option<u64>,
}

/// What is told of this process from the beginning of its start on.
#[derive(Clone, Default)]
pub(crate) struct Watching(Arc<OnceLock<Arc<Watch>>>);

impl Watching {
    /// From now on every part is looked at. Said once.
    pub(crate) fn begin(&self, watch: Arc<Watch>) {
        self.0.get_or_init(|| watch);
    }

    /// Answers `GET /ready`; until every part is there, that the server is not.
    pub(crate) fn readiness(&self) -> Readiness {
        let watching = self.0.clone();
        Arc::new(move || {
            let watch = watching.get().cloned();
            Box::pin(async move {
                match watch {
                    Some(watch) => watch.ready().await,
                    None => Ready { parts: vec![server(false)] },
                }
            })
        })
    }
}

/// Looks, and keeps what was seen for a moment.
pub(crate) struct Watch {
    watched: Watched,
    seen: Mutex<Seen>,
}

/// What was seen before.
#[derive(Default)]
struct Seen {
    answer: Option<(Instant, Ready)>,
    models: Pace,
}

/// Up to where the read models showed the log when it was last looked, and since when that is so.
#[derive(Default)]
struct Pace {
    at: Option<(i64, Instant)>,
}

impl Pace {
    /// Whether they have shown no more of the log for as long as makes events late.
    fn stands_still(&mut self, applied: i64, now: Instant) -> bool {
        match self.at {
            Some((before, since)) if before == applied => {
                now.duration_since(since).as_secs_f64() >= LATE_SECONDS
            }
            _ => {
                self.at = Some((applied, now));
                false
            }
        }
    }
}

impl Watch {
    pub(crate) fn new(watched: Watched) -> Arc<Self> {
        Arc::new(Self { watched, seen: Mutex::default() })
    }

    /// How every part is. Who asks while somebody looks waits for what that one sees.
    pub(crate) async fn ready(&self) -> Ready {
        let mut seen = self.seen.lock().await;
        if let Some((at, ready)) = &seen.answer
            && at.elapsed() < KEPT
            && (self.watched.answers() || !ready.is_ready())
        {
            return ready.clone();
        }
        let ready = self.watched.look(&mut seen.models).await;
        seen.answer = Some((Instant::now(), ready.clone()));
        ready
    }
}

impl Watched {
    /// Whether this process does its work, and answers requests where it is to.
    fn answers(&self) -> bool {
        self.is_listening.load(Ordering::Relaxed)
            && self.lease.as_ref().is_none_or(Node::holds_lease)
    }

    async fn look(&self, pace: &mut Pace) -> Ready {
        let mut parts = vec![server(self.answers())];
        let looked = standing(&self.pool, self.progress.applied());
        match tokio::time::timeout(DATABASE_WAIT, looked).await {
            Ok(Ok(standing)) => {
                parts.push(Part::new("database", PartState::Ok, json!({})));
                let applied = self.progress.applied().get();
                let stand_still = pace.stands_still(applied, Instant::now());
                parts.extend(readers(&standing, applied, stand_still));
                if let Ok((streams, assets)) = parked_streams(&self.pool).await {
                    parts.push(parked(streams, assets));
                }
            }
            Ok(Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the database fails");
                parts.push(Part::new("database", PartState::Failing, json!({})));
            }
            Err(_) => {
                tracing::warn!("the database does not answer within {DATABASE_WAIT:?}");
                parts.push(Part::new("database", PartState::Failing, json!({})));
            }
        }
        if let Some(nats) = &self.nats {
            let state = degraded_unless(nats.connection_state() == State::Connected);
            parts.push(Part::new("nats", state, json!({})));
        }
        parts.push(disk(Room::of(&self.data, self.min_free_bytes)));
        Ready { parts }
    }
}

/// The sequencer, the relay and the read models, which may stand still.
fn readers(standing: &Standing, applied: i64, stand_still: bool) -> [Part; 3] {
    // Without positions nobody sees what they did, nor with read models that have stopped; those that are behind
    // come after, and a relay that is late only makes work slow.
    let order = failing_unless(is_in_time(standing.unordered_seconds));
    let relay = degraded_unless(is_in_time(standing.relay_seconds));
    let models = match (is_in_time(standing.applied_seconds), stand_still) {
        (true, _) => PartState::Ok,
        (false, false) => PartState::Degraded,
        (false, true) => PartState::Failing,
    };
    [
        Part::new("order", order, waiting(standing.unordered_events, standing.unordered_seconds)),
        Part::new("relay", relay, waiting(standing.relay_events(), standing.relay_seconds)),
        Part::new(
            "projections",
            models,
            waiting((standing.head - applied).max(0), standing.applied_seconds),
        ),
    ]
}

/// A stream that a read model cannot apply shows what was before. A file that a processor could not open is often a
/// broken file, and would keep the server yellow for good.
fn parked(streams: i64, assets: i64) -> Part {
    let measured = json!({ "streams": streams, "assets": assets });
    Part::new("parked", degraded_unless(streams == 0), measured)
}

pub(crate) fn is_in_time(seconds: Option<f64>) -> bool {
    seconds.is_none_or(|seconds| seconds < LATE_SECONDS)
}

fn waiting(events: i64, seconds: Option<f64>) -> Value {
    json!({ "waitingEvents": events, "waitingSeconds": seconds.map_or(0.0, |it| it.max(0.0).round()) })
}

/// Without room uploads are refused by themselves; everybody else is answered, and can make room.
fn disk(room: Option<Room>) -> Part {
    let state = degraded_unless(room.is_some_and(|room| !room.is_short()));
    let measured = json!({
        "freeBytes": room.map(|room| room.free_bytes),
        "reserveBytes": room.map(|room| room.reserve_bytes),
    });
    Part::new("disk", state, measured)
}

/// Room on the disk of the data folder, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// What may still be written.
    pub(crate) free_bytes: u64,
    /// What uploads leave free.
    pub(crate) reserve_bytes: u64,
    /// With less than this the disk is called nearly full.
    few_bytes: u64,
}

impl Room {
    /// The room for a data folder; nothing where that cannot be told.
    pub(crate) fn of(data: &Path, min_free_bytes: Option<u64>) -> Option<Self> {
        let found = rustix::fs::statvfs(data).ok()?;
        let usual_bytes = reserve_bytes(found.f_blocks.saturating_mul(found.f_frsize));
        let free_bytes = found.f_bavail.saturating_mul(found.f_frsize);
        Some(Self::with(free_bytes, usual_bytes, min_free_bytes))
    }

    /// What an operator wants left free may be most of a disk, so it is not taken several times.
    fn with(free_bytes: u64, usual_bytes: u64, min_free_bytes: Option<u64>) -> Self {
        let reserve_bytes = min_free_bytes.unwrap_or(usual_bytes);
        let few_bytes = usual_bytes.saturating_mul(RESERVES_FEW).max(reserve_bytes);
        Self { free_bytes, reserve_bytes, few_bytes }
    }

    /// Whether uploads are refused, or soon will be.
    pub(crate) fn is_short(self) -> bool {
        self.free_bytes < self.few_bytes
    }
}

/// The process as a whole.
fn server(is_there: bool) -> Part {
    Part::new("server", failing_unless(is_there), json!({}))
}

fn failing_unless(is_fine: bool) -> PartState {
    if is_fine { PartState::Ok } else { PartState::Failing }
}

fn degraded_unless(is_fine: bool) -> PartState {
    if is_fine { PartState::Ok } else { PartState::Degraded }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Standing = Standing {
        head: 9,
        unordered_events: 0,
        unordered_seconds: None,
        relay_position: Some(9),
        relay_seconds: None,
        applied_seconds: None,
    };

    fn states(standing: &Standing) -> [PartState; 3] {
        readers(standing, 9, false).map(|part| part.state)
    }

    #[test]
    fn what_waits_for_long_is_told_of() {
        use PartState::{Degraded, Failing, Ok};
        assert_eq!(states(&IDLE), [Ok, Ok, Ok]);
        // Under load something always waits, but not for long.
        let busy = Standing { relay_seconds: Some(2.0), applied_seconds: Some(29.0), ..IDLE };
        assert_eq!(states(&busy), [Ok, Ok, Ok]);
        let late = Some(LATE_SECONDS);
        assert_eq!(states(&Standing { unordered_seconds: late, ..IDLE }), [Failing, Ok, Ok]);
        assert_eq!(states(&Standing { relay_seconds: late, ..IDLE }), [Ok, Degraded, Ok]);
        assert_eq!(states(&Standing { applied_seconds: late, ..IDLE }), [Ok, Ok, Degraded]);
        let stopped = Standing { applied_seconds: late, ..IDLE };
        assert_eq!(readers(&stopped, 9, true).map(|part| part.state), [Ok, Ok, Failing]);
        // Nothing waits, so nothing has to move.
        assert_eq!(readers(&IDLE, 9, true).map(|part| part.state), [Ok, Ok, Ok]);
    }

    #[test]
    fn read_models_stand_still_when_they_show_no_more_for_long() {
        let (start, late) = (Instant::now(), Duration::from_secs_f64(LATE_SECONDS));
        let mut pace = Pace::default();
        assert!(!pace.stands_still(7, start));
        assert!(!pace.stands_still(7, start + late / 2));
        assert!(pace.stands_still(7, start + late));
        assert!(!pace.stands_still(8, start + late));
        assert!(!pace.stands_still(8, start + late * 3 / 2));
        // Made anew from the log: they go back, and on from there.
        assert!(!pace.stands_still(1, start + late * 3));
    }

    #[test]
    fn parked_streams_are_yellow_and_broken_files_are_not() {
        assert_eq!(parked(0, 0).state, PartState::Ok);
        assert_eq!(parked(0, 3).state, PartState::Ok);
        assert_eq!(parked(1, 0).state, PartState::Degraded);
        assert_eq!(Value::from(parked(1, 3).measured), json!({ "streams": 1, "assets": 3 }));
    }

    #[test]
    fn disk_without_room_takes_nobody_offline() {
        let state = |free_bytes| disk(Some(Room::with(free_bytes, 10, None))).state;
        assert_eq!(state(0), PartState::Degraded);
        assert_eq!(state(79), PartState::Degraded);
        assert_eq!(state(80), PartState::Ok);
        assert_eq!(disk(None).state, PartState::Degraded);
        let wanted = |free_bytes| disk(Some(Room::with(free_bytes, 10, Some(200)))).state;
        assert_eq!((wanted(199), wanted(200)), (PartState::Degraded, PartState::Ok));
    }
}
