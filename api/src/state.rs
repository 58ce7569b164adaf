//! What every handler holds: commands to change things, queries to read them, blobs for bytes.

use std::collections::HashMap;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use calotype_commands::integrity::Findings;
use calotype_commands::{
    CommandContext, Commands, IncomingFiles, NotificationMarks, Outcome, SessionUses, SyncAcks,
};
use calotype_domain::model::ModelRef;
use calotype_domain::{CommandId, ModelTask};
use calotype_media::blob::BlobStore;
use calotype_media::decoder::DecoderPool;
use calotype_media::gazetteer::Gazetteer;
use calotype_media::hls::Sessions;
use calotype_projections::config::Settings;
use calotype_projections::wait::READ_OWN_WRITE_MAX;
use calotype_projections::{Applied, Node, Progress, Queries};
use ipnet::IpNet;
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::admin_views::AdminViews;
use crate::assets::uploads::Uploads;
use crate::caches::Caches;
use crate::caller::Callers;
use crate::calotype::{Erasing, Proofs};
use crate::download::turns::ArchiveTurns;
use crate::links::LinkViews;
use crate::logins::LoginLimits;
use crate::problem::Problem;
use crate::ready::Readiness;
use crate::search::texts::{TextEmbedder, Texts};

/// How long an answer waits for what it was asked to make.
const READ_BACK_MAX: Duration = Duration::from_secs(30);

/// How many changed things the read models take in within a second, at least, on a slow machine.
const THINGS_A_SECOND_MIN: usize = 1_000;

/// What the surface is told by configuration.
#[derive(Clone, Debug)]
pub struct ApiConfig {
    /// Whether the first account may still be made.
    pub allow_setup: bool,
    /// Space that uploads leave free, in bytes, where an operator said how much.
    pub min_free_bytes: Option<u64>,
    /// Whether the routes for black-box suites are there.
    pub testing: bool,
    /// A folder with a single-page client to serve instead of the built-in page.
    pub web: Option<PathBuf>,
    /// Networks of proxies whose `X-Forwarded-*` headers count, beside loopback.
    pub trusted_proxies: Vec<IpNet>,
}

/// How many assets each processor works on at this moment; processors count up and down.
#[derive(Clone, Debug, Default)]
pub struct InFlight {
    /// Reading metadata.
    pub metadata: Arc<AtomicUsize>,
    /// Making thumbnails and previews.
    pub thumbnails: Arc<AtomicUsize>,
    /// Making the pictures of edited photos.
    pub edits: Arc<AtomicUsize>,
    /// Moving originals.
    pub moves: Arc<AtomicUsize>,
    /// Encoding films.
    pub video: Arc<AtomicUsize>,
    /// Letting a model look at what assets show.
    pub embedding: Arc<AtomicUsize>,
    /// Letting a model read what is written in assets.
    pub text: Arc<AtomicUsize>,
    /// Letting a model look for faces.
    pub faces: Arc<AtomicUsize>,
    /// Telling apart whose faces are.
    pub recognitions: Arc<AtomicUsize>,
    /// How far the films in hand are, in percent, by asset.
    pub film_progress: Arc<Mutex<HashMap<Uuid, u8>>>,
    /// Scanning libraries.
    pub scans: Arc<AtomicUsize>,
    /// Checking stored files.
    pub checks: Arc<AtomicUsize>,
}

impl InFlight {
    /// How far a film in hand is, in percent; none for one that is not in hand.
    #[must_use]
    pub fn progress_of(&self, asset_id: Uuid) -> Option<u8> {
        self.film_progress.lock().unwrap_or_else(PoisonError::into_inner).get(&asset_id).copied()
    }

    /// The gauge of a step (`metadata`, `thumbnails`, `edits`, `video`, `embedding`, `text`, `faces`, `library`), or of
    /// moving originals or telling people apart by its queue; zero for a step without one.
    #[must_use]
    pub fn of(&self, stage: &str) -> usize {
        match stage {
            "metadata" => self.metadata.load(Ordering::Relaxed),
            "thumbnails" => self.thumbnails.load(Ordering::Relaxed),
            "edits" => self.edits.load(Ordering::Relaxed),
            calotype_domain::queue::STORAGE_TEMPLATE => self.moves.load(Ordering::Relaxed),
            "video" => self.video.load(Ordering::Relaxed),
            "embedding" => self.embedding.load(Ordering::Relaxed),
            "text" => self.text.load(Ordering::Relaxed),
            "faces" => self.faces.load(Ordering::Relaxed),
            calotype_domain::queue::RECOGNITION => self.recognitions.load(Ordering::Relaxed),
            "integrityCheck" => self.checks.load(Ordering::Relaxed),
            "library" => self.scans.load(Ordering::Relaxed),
            _ => 0,
        }
    }
}

/// Which models for faces there are.
#[async_trait]
pub trait FaceModels: Send + Sync {
    /// Whether the model of this name can be used, here or on another machine.
    async fn finds_with(&self, model: &str) -> bool;
}

/// Which models there are.
#[async_trait]
pub trait Models: Send + Sync {
    /// The names of the models for a task that are installed on this machine.
    async fn installed(&self, task: ModelTask) -> Vec<String>;

    /// Which model answers to a name, here or on another machine; none where there is no such model.
    async fn identity(&self, task: ModelTask, name: &str) -> Option<ModelRef>;
}

/// Why a reset did not happen; whoever implements [`Reset`] knows the kinds.
pub type ResetError = Box<dyn std::error::Error + Send + Sync>;

/// Empties the server between two runs of a black-box suite.
#[async_trait]
pub trait Reset: Send + Sync {
    /// Forgets everything of these aggregates, or of all when there is no list.
    ///
    /// # Errors
    /// Whatever kept it from being done; what is left is then unknown.
    async fn reset(&self, only: Option<&[String]>) -> Result<(), ResetError>;
}

/// Writes all metrics in the Prometheus text format.
pub type MetricsText = Arc<dyn Fn() -> String + Send + Sync>;

/// The parts that the surface is put together from.
pub struct Parts {
    /// The write side.
    pub commands: Commands,
    /// The read side.
    pub queries: Queries,
    /// What phones have of their sync.
    pub sync_acks: SyncAcks,
    /// When sessions were last used.
    pub session_uses: SessionUses,
    /// What people have read of what they were told.
    pub notification_marks: NotificationMarks,
    /// What checks of the stored files found.
    pub findings: Findings,
    /// What was sent and is no asset yet.
    pub incoming: IncomingFiles,
    /// How far the projections are.
    pub progress: Progress,
    /// The stored bytes.
    pub blobs: BlobStore,
    /// Children that tell what of a file says something about it.
    pub decoders: DecoderPool,
    /// Films that are streamed while they are encoded.
    pub streams: Sessions,
    /// Names of places, where they are installed.
    pub gazetteer: Option<Arc<Gazetteer>>,
    /// What turns words into vectors, where there is a model for that.
    pub embedder: Option<Arc<dyn TextEmbedder>>,
    /// Which models for faces there are, where there are any.
    pub face_models: Option<Arc<dyn FaceModels>>,
    /// Which models there are, where there are any.
    pub models: Option<Arc<dyn Models>>,
    /// Who is calling, cached.
    pub callers: Callers,
    /// What is kept in memory of the read models.
    pub caches: Caches,
    /// Turns for uploads, and their unfinished work.
    pub uploads: Uploads,
    /// The lease of this process, where others may answer beside it.
    pub node: Option<Node>,
    /// The applied batches, for what is told over web sockets.
    pub applied: broadcast::Sender<Applied>,
    /// Configuration.
    pub config: ApiConfig,
    /// What processors work on.
    pub in_flight: InFlight,
    /// The tree over the log.
    pub proofs: Arc<dyn Proofs>,
    /// Forgets for good.
    pub erasing: Arc<dyn Erasing>,
    /// Answers `GET /ready`.
    pub ready: Readiness,
    /// Answers `GET /metrics`.
    pub metrics: MetricsText,
    /// Answers `POST /api/calotype/testing/reset`, with [`ApiConfig::testing`] only.
    pub reset: Option<Arc<dyn Reset>>,
}

/// A cheap handle on the parts.
#[derive(Clone)]
pub struct Api {
    parts: Arc<Parts>,
    /// Counts failed logins.
    pub(crate) logins: LoginLimits,
    /// Whose visits of shared links are written down.
    pub(crate) link_views: LinkViews,
    /// What administrators looked at, and is written down.
    pub(crate) admin_views: AdminViews,
    /// Turns for archives.
    pub(crate) archives: ArchiveTurns,
    /// Vectors of texts that were searched for.
    pub(crate) texts: Texts,
}

impl Api {
    /// Puts the surface together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
            logins: LoginLimits::default(),
            link_views: LinkViews::default(),
            admin_views: AdminViews::default(),
            archives: ArchiveTurns::default(),
            texts: Texts::default(),
        }
    }

    /// Whether faces are to be found, and there is a model that does.
    pub async fn finds_faces(&self, settings: &Settings) -> bool {
        let is_wanted = settings.is_on("machineLearning.enabled")
            && settings.is_on("machineLearning.facialRecognition.enabled");
        let model = settings.text("machineLearning.facialRecognition.modelName");
        match &self.face_models {
            Some(models) if is_wanted => models.finds_with(model).await,
            _ => false,
        }
    }

    /// Waits until what was written shows, at most two seconds.
    pub async fn seen(&self, outcome: &Outcome) {
        if let Some(written) = outcome.written()
            && !self.progress.seen(written.event_id, READ_OWN_WRITE_MAX).await
        {
            tracing::warn!(event.id = %written.event_id, read_own_write = "late", "answering before the write shows");
        }
    }

    /// Waits until what was made shows, because the answer is read back: longer than [`Api::seen`] does, for
    /// there is nothing to answer with before.
    ///
    /// # Errors
    /// 503 when that takes longer than half a minute; what was made is there.
    pub async fn made(&self, outcome: &Outcome) -> Result<(), Problem> {
        match outcome.written() {
            Some(written) if !self.progress.seen(written.event_id, READ_BACK_MAX).await => {
                tracing::error!(event.id = %written.event_id, "what was made does not show");
                Err(Problem::unavailable())
            }
            _ => Ok(()),
        }
    }

    /// Waits until what was written shows, where it takes something away: who lost access has lost it
    /// when this returns, whichever process they ask. Where nothing was written because it was taken away
    /// before, that is waited for.
    ///
    /// # Errors
    /// 503 when that takes longer than two seconds, and six for other processes, or when a read model could
    /// not take it in; the change stands.
    pub async fn surely_seen(&self, outcome: &Outcome) -> Result<(), Problem> {
        self.surely_seen_of(outcome, 1).await
    }

    /// As [`Api::surely_seen`], of so many things that changed: what is many takes longer to take in, a second
    /// more is waited for each thousand.
    ///
    /// # Errors
    /// As [`Api::surely_seen`].
    pub async fn surely_seen_of(&self, outcome: &Outcome, things: usize) -> Result<(), Problem> {
        let more = u64::try_from(things / THINGS_A_SECOND_MIN).unwrap_or(u64::MAX);
        let wait = READ_OWN_WRITE_MAX.saturating_add(Duration::from_secs(more)).min(READ_BACK_MAX);
        let seen = match outcome.written() {
            Some(written) => self.progress.seen_at(written.event_id, wait).await,
            None => self.progress.caught_up(wait).await,
        };
        // A read model that could not take it in shows what was before.
        let is_held_up = match outcome.written() {
            Some(written) => self.queries.is_held_up(written.stream_id.as_str()).await?,
            None => false,
        };
        let is_lost = match (seen, &self.node) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(position), Some(node)) => node.is_passed_by_others(position).await?,
        };
        if is_lost && !is_held_up {
            return Ok(());
        }
        let event_id = outcome.written().map(|written| tracing::field::display(written.event_id));
        tracing::error!(event.id = event_id, "access that was taken away may still show");
        Err(Problem::unavailable())
    }

    /// Forgets everything that is kept in memory of the read models: their rows changed without an event.
    pub fn forget_read_models(&self) {
        self.callers.forget_all();
        self.caches.forget_all();
        self.queries.forget_all();
    }

    /// A context for the server's own commands.
    #[must_use]
    pub fn system_context(&self) -> CommandContext {
        CommandContext {
            actor: calotype_commands::context::Actor {
                kind: calotype_commands::context::ActorKind::System,
                id: "server".into(),
                user_id: None,
            },
            client: None,
            command_id: CommandId::new(self.commands.ids().v7()),
            correlation_id: self.commands.ids().v7(),
            causation_id: None,
            now: self.commands.clock().now(),
        }
    }
}

impl Deref for Api {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}
