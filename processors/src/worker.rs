//! What every processor holds.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use calotype_commands::context::{Actor, ActorKind};
use calotype_commands::{CommandContext, Commands};
use calotype_domain::{AssetId, CommandId};
use calotype_eventstore::EventStore;
use calotype_media::blob::BlobStore;
use calotype_media::decoder::DecoderPool;
use calotype_media::gazetteer::Gazetteer;
use calotype_media::transcode::Transcoder;
use calotype_projections::Queries;
use sqlx::PgPool;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::embed::Embedding;
use crate::encode::Encoding;
use crate::faces::Finding;
use crate::gate::Gate;
use crate::in_flight::InFlight;
use crate::library::Scanning;
use crate::moves::Moving;
use crate::priority::Places;
use crate::text::Reading;
use crate::trials::Trying;
use calotype_commands::moves::FileHolds;

/// What every processor holds. Cheap to clone.
#[derive(Clone)]
pub struct Worker {
    /// The write side.
    pub commands: Commands,
    /// The read side.
    pub queries: Queries,
    /// The log, to read an asset's own stream.
    pub store: Arc<dyn EventStore>,
    /// The stored bytes.
    pub blobs: BlobStore,
    /// The children that open foreign bytes.
    pub decoders: DecoderPool,
    /// What makes copies of films.
    pub transcoder: Transcoder,
    /// What is being encoded.
    pub encoding: Encoding,
    /// What a model looks at.
    pub embedding: Embedding,
    /// What a model reads.
    pub reading: Reading,
    /// What is searched for faces, and compared.
    pub finding: Finding,
    /// What is being scanned.
    pub scanning: Scanning,
    /// Names of places, where they are installed.
    pub gazetteer: Option<Arc<Gazetteer>>,
    /// Places at the decoder.
    pub places: Places,
    /// How much is being worked on.
    pub in_flight: InFlight,
    /// What moves originals.
    pub moving: Moving,
    /// What is known of models that are tried.
    pub trying: Trying,
    /// Takes files in hand that are written to.
    pub(crate) holds: FileHolds,
    /// For the tables of work.
    pub pool: PgPool,
    /// Where all work goes in and out.
    pub gate: Gate,
    /// How often reconciling has tried in vain.
    pub(crate) tries: Tries,
    /// How often writing a sidecar was tried in vain.
    pub(crate) sidecar_tries: Tries,
    /// Rung when it may be time to look for missing pictures of people.
    pub(crate) people_bell: Arc<Notify>,
    /// How often a picture of a face was tried in vain.
    pub(crate) people_tries: Arc<Mutex<HashMap<Uuid, u32>>>,
    /// The most places at the decoder that this machine has use for.
    pub(crate) places_max: usize,
    /// Held while one asset is compared with others.
    pub(crate) comparing: Arc<tokio::sync::Mutex<()>>,
    /// Held while faces are compared with others.
    pub(crate) recognising: Arc<tokio::sync::Mutex<()>>,
    /// Assets in hand in this process, so that two bells for one asset are one job at a time.
    in_hand: Arc<Mutex<HashSet<AssetId>>>,
}

/// The parts of a [`Worker`].
pub struct WorkerParts {
    /// The write side.
    pub commands: Commands,
    /// The read side.
    pub queries: Queries,
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// The stored bytes.
    pub blobs: BlobStore,
    /// The children that open foreign bytes.
    pub decoders: DecoderPool,
    /// What makes copies of films.
    pub transcoder: Transcoder,
    /// What is being encoded.
    pub encoding: Encoding,
    /// What a model looks at.
    pub embedding: Embedding,
    /// What a model reads.
    pub reading: Reading,
    /// What is searched for faces, and compared.
    pub finding: Finding,
    /// What is being scanned.
    pub scanning: Scanning,
    /// Names of places, where they are installed.
    pub gazetteer: Option<Arc<Gazetteer>>,
    /// How many assets are worked on at once.
    pub places: usize,
    /// How much is being worked on.
    pub in_flight: InFlight,
    /// What moves originals.
    pub moving: Moving,
    /// What is known of models that are tried.
    pub trying: Trying,
    /// For the tables of work.
    pub pool: PgPool,
    /// Where all work goes in and out.
    pub gate: Gate,
}

impl Worker {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: WorkerParts) -> Self {
        let holds = FileHolds::new(parts.queries.locks().clone());
        Self {
            commands: parts.commands,
            queries: parts.queries,
            store: parts.store,
            blobs: parts.blobs,
            decoders: parts.decoders,
            transcoder: parts.transcoder,
            encoding: parts.encoding,
            embedding: parts.embedding,
            reading: parts.reading,
            finding: parts.finding,
            scanning: parts.scanning,
            gazetteer: parts.gazetteer,
            places: Places::new(parts.places),
            places_max: parts.places.max(1),
            in_flight: parts.in_flight,
            moving: parts.moving,
            trying: parts.trying,
            holds,
            pool: parts.pool,
            gate: parts.gate,
            tries: Tries::default(),
            sidecar_tries: Tries::default(),
            people_bell: Arc::default(),
            people_tries: Arc::default(),
            comparing: Arc::default(),
            recognising: Arc::default(),
            in_hand: Arc::new(Mutex::new(HashSet::new())),
        }
    }

    /// Takes an asset in hand; `None` when it is in hand already.
    pub(crate) fn take(&self, asset_id: AssetId) -> Option<InHand> {
        let mut in_hand = self.in_hand.lock().unwrap_or_else(PoisonError::into_inner);
        in_hand.insert(asset_id).then(|| InHand { asset_id, in_hand: Arc::clone(&self.in_hand) })
    }

    /// The context of a command that `processor` dispatches because of an event.
    pub(crate) fn context(
        &self,
        processor: &str,
        correlation_id: Uuid,
        causation_id: Option<Uuid>,
    ) -> CommandContext {
        CommandContext {
            actor: Actor { kind: ActorKind::Processor, id: processor.to_owned(), user_id: None },
            client: None,
            command_id: CommandId::new(self.commands.ids().v7()),
            correlation_id,
            causation_id,
            now: self.commands.clock().now(),
        }
    }
}

/// Assets whose failed tries are remembered at once; further ones are tried for longer.
const TRIES_REMEMBERED_MAX: usize = 10_000;

/// How often reconciling has tried an asset in vain, in this process.
#[derive(Clone, Default)]
pub(crate) struct Tries(Arc<Mutex<HashMap<AssetId, u32>>>);

impl Tries {
    pub(crate) fn count(&self, asset_id: AssetId) -> u32 {
        self.lock().get(&asset_id).copied().unwrap_or_default()
    }

    pub(crate) fn add(&self, asset_id: AssetId) {
        let mut tries = self.lock();
        if tries.len() < TRIES_REMEMBERED_MAX || tries.contains_key(&asset_id) {
            *tries.entry(asset_id).or_default() += 1;
        }
    }

    pub(crate) fn forget(&self, asset_id: AssetId) {
        self.lock().remove(&asset_id);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<AssetId, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An asset in hand until this is dropped.
pub(crate) struct InHand {
    asset_id: AssetId,
    in_hand: Arc<Mutex<HashSet<AssetId>>>,
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.asset_id);
    }
}
