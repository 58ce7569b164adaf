//! What every handler holds: commands to change things, queries to read them, blobs for bytes.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use calotype_commands::{
    CommandContext, Commands, NotificationMarks, Outcome, SessionUses, SyncAcks,
};
use calotype_domain::CommandId;
use calotype_media::blob::BlobStore;
use calotype_media::gazetteer::Gazetteer;
use calotype_projections::wait::READ_OWN_WRITE_MAX;
use calotype_projections::{Applied, Progress, Queries};
use tokio::sync::broadcast;

use crate::assets::uploads::Uploads;
use crate::caches::Caches;
use crate::caller::Callers;
use crate::download::turns::ArchiveTurns;
use crate::links::LinkViews;
use crate::logins::LoginLimits;
use crate::problem::Problem;

/// How long an answer waits for what it was asked to make.
const READ_BACK_MAX: Duration = Duration::from_secs(30);

/// What the surface is told by configuration.
#[derive(Clone, Debug, Default)]
pub struct ApiConfig {
    /// Whether the routes for black-box suites are there.
    pub testing: bool,
    /// A folder with a single-page client to serve instead of the built-in page.
    pub web: Option<PathBuf>,
    /// Addresses of proxies whose `X-Forwarded-*` headers count, beside loopback.
    pub trusted_proxies: Vec<std::net::IpAddr>,
    /// The address clients reach the server at, where it is known.
    pub external_url: Option<String>,
}

/// How many assets each processor works on at this moment; processors count up and down.
#[derive(Clone, Debug, Default)]
pub struct InFlight {
    /// Reading metadata.
    pub metadata: Arc<AtomicUsize>,
    /// Making thumbnails and previews.
    pub thumbnails: Arc<AtomicUsize>,
}

impl InFlight {
    /// The gauge of a step (`metadata`, `thumbnails`); zero for a step without one.
    #[must_use]
    pub fn of(&self, stage: &str) -> usize {
        match stage {
            "metadata" => self.metadata.load(Ordering::Relaxed),
            "thumbnails" => self.thumbnails.load(Ordering::Relaxed),
            _ => 0,
        }
    }
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

/// Says whether the server can do its work: migrations done, projections running, disk there.
pub type Readiness = Arc<dyn Fn() -> bool + Send + Sync>;
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
    /// How far the projections are.
    pub progress: Progress,
    /// The stored bytes.
    pub blobs: BlobStore,
    /// Names of places, where they are installed.
    pub gazetteer: Option<Arc<Gazetteer>>,
    /// Who is calling, cached.
    pub callers: Callers,
    /// What is kept in memory of the read models.
    pub caches: Caches,
    /// Turns for uploads, and their unfinished work.
    pub uploads: Uploads,
    /// The applied batches, for what is told over web sockets.
    pub applied: broadcast::Sender<Applied>,
    /// Configuration.
    pub config: ApiConfig,
    /// What processors work on.
    pub in_flight: InFlight,
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
    /// Turns for archives.
    pub(crate) archives: ArchiveTurns,
}

impl Api {
    /// Puts the surface together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
            logins: LoginLimits::default(),
            link_views: LinkViews::default(),
            archives: ArchiveTurns::default(),
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
    /// when this returns.
    ///
    /// # Errors
    /// 503 when that takes longer than two seconds; the change stands.
    pub async fn surely_seen(&self, outcome: &Outcome) -> Result<(), Problem> {
        match outcome.written() {
            Some(written) if !self.progress.seen(written.event_id, READ_OWN_WRITE_MAX).await => {
                tracing::error!(event.id = %written.event_id, "access that was taken away may still show");
                Err(Problem::unavailable())
            }
            _ => Ok(()),
        }
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
