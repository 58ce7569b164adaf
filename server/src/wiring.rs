//! Puts the rooms together over a database, a NATS server and a data folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_nats::jetstream;
use calotype_commands::Commands;
use calotype_domain::Clock;
use calotype_eventstore::{Keyring, Log, PostgresOptions, PostgresStore};
use calotype_media::blob::BlobStore;
use calotype_media::decoder::{DecoderPool, PoolConfig};
use calotype_media::gazetteer::Gazetteer;
use calotype_media::hls::Sessions;
use calotype_media::transcode::Transcoder;
use calotype_ml::{Ml, MlConfig};
use calotype_processors::embed::Embedding;
use calotype_processors::encode::Encoding;
use calotype_processors::faces::Finding;
use calotype_processors::library::Scanning;
use calotype_processors::moves::Moving;
use calotype_processors::text::Reading;
use calotype_processors::worker::WorkerParts;
use calotype_processors::{Gate, InFlight, Trying, Worker};
use calotype_projections::Queries;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tracing::{info, warn};

use crate::clock::{RandomIds, SystemClock};
use crate::config::Config;
use crate::embedded::{DataFolder, Embedded, Needs, find_places, model_folders, onnxruntime_files};
use crate::external;
use crate::seeing::Seeing;

/// Connections to the database, beside those that the log opens for itself.
const CONNECTIONS_MAX: u32 = 16;
/// Connections for locks that are held while other work is done: one each for requests of queues, errands, the
/// scan of a library, the check of files, the trial of models and a turn on faces, as many as people may be alone with their accounts at once, as
/// many as turns are taken in all processes at once, three for originals that are moved and two for files in hand.
const LOCKS_MAX: u32 = 19;
/// How long such a connection stays that nobody uses.
const LOCKS_IDLE: Duration = Duration::from_secs(60);
/// How long a task waits for a free connection.
const CONNECTION_WAIT: Duration = Duration::from_secs(10);
/// Statements that one connection remembers.
const STATEMENTS_CACHED_MAX: usize = 256;

/// Where database and NATS are.
#[derive(Clone)]
pub struct Places {
    /// The database, as the role that owns it.
    pub owner_url: String,
    /// The database, as the role that the server runs as.
    pub app_url: String,
    /// The database, as its superuser, when it is an own one.
    pub admin_url: Option<String>,
    /// The NATS server.
    pub nats_url: String,
    /// Its token, when it is an own one.
    pub nats_token: Option<String>,
    /// The most bytes the stream may keep, when the server says so.
    pub nats_bytes_max: Option<u64>,
}

/// Starts what is needed of the own servers and says where everything is.
///
/// # Errors
/// When a server cannot be started.
pub async fn places(
    folder: &Arc<DataFolder>,
    database_url: Option<&str>,
    nats_url: Option<&str>,
    wants_nats: bool,
) -> anyhow::Result<(Embedded, Places)> {
    let needs = Needs { postgres: database_url.is_none(), nats: wants_nats && nats_url.is_none() };
    let embedded = Box::pin(Embedded::start(folder, needs)).await?;
    let (owner_url, app_url) = match (database_url, embedded.postgres()) {
        (Some(url), _) => (url.to_owned(), external::app_url(url).await?),
        (None, Some(access)) => (access.owner_url.clone(), access.app_url.clone()),
        (None, None) => anyhow::bail!("there is no database"),
    };
    let places = Places {
        owner_url,
        app_url,
        admin_url: embedded.postgres().map(|access| access.admin_url.clone()),
        nats_url: nats_url
            .map(str::to_owned)
            .or_else(|| embedded.nats().map(|access| access.url.clone()))
            .unwrap_or_default(),
        nats_token: embedded.nats().map(|access| access.token.clone()),
        nats_bytes_max: embedded.nats().map(|access| access.store_bytes_max),
    };
    Ok((embedded, places))
}

/// Brings the database's tables up to date, as their owner.
///
/// # Errors
/// When the database cannot be reached or a migration fails.
pub async fn migrate(owner_url: &str) -> anyhow::Result<()> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect(owner_url)
        .await
        .context("failed to reach the database")?;
    calotype_migrations::MIGRATOR
        .run(&pool)
        .await
        .context("failed to bring the database's tables up to date")?;
    pool.close().await;
    Ok(())
}

/// The rooms that everything else stands on.
#[derive(Clone)]
pub struct Core {
    /// For read models and tables of processors.
    pub pool: PgPool,
    /// For locks that are held while other work is done.
    locks: PgPool,
    /// The log's tables in the database: the log itself, or a copy of it with its keys.
    pub store: PostgresStore,
    /// The log, wherever it is.
    pub log: Log,
    /// The write side.
    pub commands: Commands,
    /// The read side.
    pub queries: Queries,
}

/// Opens log, write side and read side. `event_store`: the KurrentDB that has the log, where one has it.
///
/// # Errors
/// When the database or the keys cannot be opened, or the log is elsewhere.
pub async fn core(
    folder: &DataFolder,
    places: &Places,
    event_store: Option<&str>,
) -> anyhow::Result<Core> {
    core_in(&folder.keys(), places, event_store).await
}

/// The same, with the keys of a data folder that somebody else may have open.
pub(crate) async fn core_in(
    keys: &Path,
    places: &Places,
    event_store: Option<&str>,
) -> anyhow::Result<Core> {
    let options: PgConnectOptions =
        places.app_url.parse().context("the database's address is not right")?;
    let options = options
        .application_name("calotype")
        .statement_cache_capacity(STATEMENTS_CACHED_MAX)
        // Compiling a plan costs more than any of ours takes to run.
        .options([("jit", "off")]);
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS_MAX)
        .acquire_timeout(CONNECTION_WAIT)
        .test_before_acquire(false)
        .connect_with(options.clone())
        .await
        .context("failed to reach the database")?;
    let master = keys.join("master.key");
    anyhow::ensure!(
        master.exists() || !PostgresStore::has_sealed(&pool).await?,
        "the log is sealed, and {} is missing: put it back from its backup",
        master.display()
    );
    let locks = PgPoolOptions::new()
        .max_connections(LOCKS_MAX)
        .acquire_timeout(CONNECTION_WAIT)
        .idle_timeout(LOCKS_IDLE)
        .connect_lazy_with(options.application_name("calotype locks"));
    let keyring = || Keyring::open(keys).context("failed to open the keys");
    let store = PostgresStore::connect(pool.clone(), keyring()?, PostgresOptions::default())
        .await
        .context("failed to open the event log")?;
    let log = Log::open(&store, event_store).await.context("failed to open the event log")?;
    let shared = Arc::clone(&log.store);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let commands =
        Commands::new(Arc::clone(&shared), Arc::new(keyring()?), Arc::new(RandomIds), clock)
            .among_processes(locks.clone());
    let queries = Queries::new(pool.clone(), shared).with_locks(locks.clone());
    Ok(Core { pool, locks, store, log, commands, queries })
}

impl Core {
    /// Ends all connections to the database.
    pub async fn close(&self) {
        self.log.close().await;
        self.store.close().await;
        self.locks.close().await;
        self.pool.close().await;
    }
}

/// Opens the names of places; none when they are not installed or cannot be read.
#[must_use]
pub fn gazetteer(folder: &DataFolder) -> Option<Arc<Gazetteer>> {
    let Some(path) = find_places(folder.root()) else {
        info!("names of places are not installed: positions get no city and country");
        return None;
    };
    match Gazetteer::open(&path) {
        Ok(gazetteer) => {
            info!(dataset = gazetteer.dataset(), version = gazetteer.version(), "opened places");
            Some(Arc::new(gazetteer))
        }
        Err(error) => {
            warn!(error = &error as &dyn std::error::Error, "cannot open the names of places");
            None
        }
    }
}

/// The models of a server, and what runs them.
#[must_use]
pub fn ml_config_of(config: &Config) -> MlConfig {
    let providers = config.execution_providers.clone();
    MlConfig { providers, ..ml_config(&config.data) }
}

/// Models: the data folder's and those installed beside the program. Nothing is loaded yet.
#[must_use]
pub fn ml_config(data: &Path) -> MlConfig {
    MlConfig::new(model_folders(data), onnxruntime_files(data))
}

/// The models of this machine, for whoever asks what pictures show.
///
/// # Errors
/// When an address of a service cannot be used.
pub fn seeing(config: &Config, queries: Queries) -> anyhow::Result<Seeing> {
    let config = ml_config_of(config);
    let has_runtime = config.runtime.iter().any(|file| file.is_file());
    let ml = Ml::new(config).context("failed to set up the models")?;
    Ok(Seeing::new(&ml, has_runtime, queries))
}

/// Connects to NATS; the connection makes itself anew when it is lost.
///
/// # Errors
/// When the address is not right.
pub async fn jetstream(places: &Places) -> anyhow::Result<jetstream::Context> {
    let mut options = async_nats::ConnectOptions::new()
        .name("calotype")
        .retry_on_initial_connect()
        .max_reconnects(None);
    if let Some(token) = &places.nats_token {
        options = options.token(token.clone());
    }
    let client = crate::nats::connect(&places.nats_url, options)
        .await
        .context("failed to set up the NATS client")?;
    Ok(jetstream::new(client))
}

/// How decoders are started: as children of this program.
///
/// # Errors
/// When this program cannot find itself.
pub(crate) fn decoder_config() -> anyhow::Result<PoolConfig> {
    let program: PathBuf =
        std::env::current_exe().context("failed to find this program to start decoders with")?;
    Ok(PoolConfig::new(program, ["decoder".into()]))
}

/// Decoders of those who answer, apart from those of processors: nobody waits behind an import.
///
/// # Errors
/// When this program cannot find itself.
pub(crate) fn decoders() -> anyhow::Result<DecoderPool> {
    decoder_config().map(DecoderPool::new)
}

/// Streams of films; those of an earlier run are removed.
///
/// # Errors
/// When this program cannot find itself to start encoders.
pub fn streams(folder: &DataFolder) -> anyhow::Result<Sessions> {
    let transcoder = Transcoder::new(decoder_config()?);
    Ok(Sessions::new(transcoder, folder.root().join("tmp").join("streams")))
}

/// What the processors have in hand, which those who answer tell, and the gate that all of it passes. Clones share
/// it.
#[derive(Clone, Default)]
pub struct Hands {
    /// Uploads that are developed.
    pub in_flight: InFlight,
    /// Films that are encoded.
    pub encoding: Encoding,
    /// What a model looks at.
    pub embedding: Embedding,
    /// What a model reads.
    pub reading: Reading,
    /// What is searched for faces, and compared.
    pub finding: Finding,
    /// Libraries that are scanned, and stored files that are checked.
    pub scanning: Scanning,
    /// Originals that are moved.
    pub moving: Moving,
    /// Models that are tried.
    pub trying: Trying,
    /// Closed while the server is reset.
    pub gate: Gate,
}

/// The processors over the core.
///
/// # Errors
/// When this program cannot find itself to start decoders.
pub fn worker(
    core: &Core,
    blobs: BlobStore,
    gazetteer: Option<Arc<Gazetteer>>,
    hands: Hands,
) -> anyhow::Result<Worker> {
    let Hands { in_flight, encoding, embedding, reading, finding, scanning, moving, trying, gate } =
        hands;
    let config = decoder_config()?;
    let places = config.children_max;
    Ok(Worker::new(WorkerParts {
        commands: core.commands.clone(),
        queries: core.queries.clone(),
        store: Arc::clone(&core.log.store),
        blobs,
        transcoder: Transcoder::new(config.clone()),
        encoding,
        embedding,
        reading,
        finding,
        scanning,
        moving,
        trying,
        decoders: DecoderPool::new(config),
        gazetteer,
        places,
        in_flight,
        pool: core.pool.clone(),
        gate,
    }))
}
