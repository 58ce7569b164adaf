//! Makes copies of films that every player shows, where administrators want them.
//!
//! Which films wait stands in the read model. A bell only says that it may be time to look; without
//! bells the look is taken every few seconds. So a film survives crashes, a lost stream and a pause
//! of its queue, and films never stand in the way of pictures.

mod film;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use calotype_domain::AssetId;
use calotype_domain::asset::Stage;
use tokio::sync::Notify;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use uuid::Uuid;

use crate::error::ProcessorError;
use crate::in_flight::InFlight;
use crate::worker::Worker;

/// Its name in logs and in the table of parked work.
pub const NAME: &str = "encode";
/// The queue that people may pause.
const QUEUE: &str = "videoConversion";
/// How often a look is taken without a bell.
const EVERY: Duration = Duration::from_secs(10);
/// How far the read model may be behind the bell.
const BEHIND: Duration = Duration::from_millis(250);
/// How often a film in hand is asked for whether it is still wanted.
const STILL_WANTED_EVERY: Duration = Duration::from_secs(2);
/// How often a film is tried when the fault may not be its own.
const TRIES_MAX: u32 = 3;
/// How long such a film waits; doubles with each try.
const RETRY_AFTER: Duration = Duration::from_secs(30);
/// Most films in hand, whatever the settings say.
const FILMS_MAX: usize = 64;

/// What is being encoded. Cheap to clone; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Encoding {
    /// How many films.
    pub in_flight: InFlight,
    /// How far each is, in percent.
    pub progress: Arc<Mutex<HashMap<Uuid, u8>>>,
    /// Rung when it may be time to look for films.
    pub(crate) bell: Arc<Notify>,
}

impl Encoding {
    fn tell(&self, asset_id: AssetId, percent: Option<u8>) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        match percent {
            Some(percent) => progress.insert(asset_id.uuid(), percent),
            None => progress.remove(&asset_id.uuid()),
        };
    }
}

/// What became of a film for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Became {
    /// It was recorded what.
    Recorded,
    /// Nothing was wanted (any more).
    NothingWanted,
    /// It is tried again later.
    Later,
}

/// Films in hand, and those that wait for another try.
#[derive(Default)]
struct InHand {
    tasks: JoinSet<Became>,
    films: HashMap<Id, AssetId>,
    later: HashMap<AssetId, (u32, Instant)>,
}

impl Worker {
    /// Encodes films until cancelled; then ends the encoders, whose films are begun anew later.
    pub async fn encode_films(self, cancel: CancellationToken) {
        let mut in_hand = InHand::default();
        while !cancel.is_cancelled() {
            if let Err(error) = self.take_films(&mut in_hand).await {
                warn!(error = &error as &dyn std::error::Error, "cannot look for films now");
            }
            tokio::select! {
                () = cancel.cancelled() => break,
                Some(done) = in_hand.tasks.join_next_with_id() => {
                    if in_hand.settle(done) == Became::NothingWanted {
                        // The read model has not heard of it yet.
                        tokio::time::sleep(BEHIND).await;
                    }
                }
                () = self.encoding.bell.notified() => tokio::time::sleep(BEHIND).await,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
        in_hand.tasks.shutdown().await;
        info!("encoding of films stopped");
    }

    /// Starts encoders for the films that wait longest, as many as administrators want at once.
    async fn take_films(&self, in_hand: &mut InHand) -> Result<(), ProcessorError> {
        if self.queries.paused_queues().await?.iter().any(|name| name == QUEUE) {
            return Ok(());
        }
        let settings = self.queries.settings().await?;
        let wish = usize::try_from(settings.number("job.videoConversion.concurrency"));
        let places = wish.unwrap_or(1).clamp(1, FILMS_MAX);
        let Some(free) = places.checked_sub(in_hand.tasks.len()).filter(|free| *free > 0) else {
            return Ok(());
        };
        let now = Instant::now();
        let busy: HashSet<AssetId> = in_hand.films.values().copied().collect();
        let looked = places + busy.len() + in_hand.later.len();
        let waiting = self
            .queries
            .assets_in_state(
                Stage::Video.as_str(),
                calotype_projections::jobs::StageState::Waiting,
                self.commands.clock().now(),
                i64::try_from(looked).unwrap_or(i64::MAX),
            )
            .await?;
        let due = waiting.into_iter().map(AssetId::new).filter(|asset_id| {
            let later = in_hand.later.get(asset_id);
            !busy.contains(asset_id) && later.is_none_or(|(_, at)| *at <= now)
        });
        for asset_id in due.take(free).collect::<Vec<_>>() {
            let tries = in_hand.later.get(&asset_id).map_or(0, |(tries, _)| *tries);
            let worker = self.clone();
            let task = in_hand.tasks.spawn(async move {
                worker.encode_while_wanted(asset_id, tries + 1 >= TRIES_MAX).await
            });
            in_hand.films.insert(task.id(), asset_id);
        }
        Ok(())
    }

    /// Encodes a film, and stops when it is deleted or taken off its queue.
    async fn encode_while_wanted(&self, asset_id: AssetId, last_try: bool) -> Became {
        let Some(_inside) = self.gate.enter() else { return Became::Later };
        let _working = self.encoding.in_flight.begin();
        let encoded = tokio::select! {
            encoded = self.encode(asset_id, last_try) => encoded,
            () = self.until_unwanted(asset_id) => {
                info!(asset.id = %asset_id, "stopped encoding a film that is not wanted any more");
                Ok(Became::NothingWanted)
            }
        };
        self.encoding.tell(asset_id, None);
        encoded.unwrap_or_else(|error| {
            warn!(asset.id = %asset_id, error = &error as &dyn std::error::Error, "cannot encode a film now");
            Became::Later
        })
    }

    async fn until_unwanted(&self, asset_id: AssetId) {
        loop {
            tokio::time::sleep(STILL_WANTED_EVERY).await;
            match self.queries.waits_for(asset_id.uuid(), Stage::Video.as_str()).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => debug!(%error, "cannot ask whether a film is still wanted"),
            }
        }
    }
}

impl InHand {
    /// Takes in what became of a film.
    fn settle(&mut self, done: Result<(Id, Became), tokio::task::JoinError>) -> Became {
        let (id, became) = match done {
            Ok(done) => done,
            Err(error) => (error.id(), Became::Later),
        };
        let Some(asset_id) = self.films.remove(&id) else { return became };
        if became == Became::Later {
            let tries = self.later.get(&asset_id).map_or(0, |(tries, _)| *tries);
            let wait = RETRY_AFTER * 2_u32.saturating_pow(tries.min(TRIES_MAX));
            self.later.insert(asset_id, (tries + 1, Instant::now() + wait));
        } else {
            self.later.remove(&asset_id);
        }
        became
    }
}
