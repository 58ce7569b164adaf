//! `calotype serve`: starts everything in order, says where it is, and stops it in order.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::Router;
use calotype_api::caller::Callers;
use calotype_api::{
    Api, ApiConfig, Caches, FaceModels, MetricsText, Parts, Reset, TextEmbedder, Uploads,
};
use calotype_commands::integrity::Findings;
use calotype_commands::{IncomingFiles, NotificationMarks, SessionUses, SyncAcks};
use calotype_eventstore::{Prover, ProverOptions, Relay, RelayOptions};
use calotype_media::blob::BlobStore;
use calotype_media::gazetteer::Gazetteer;
use calotype_processors::consumer::{
    BESIDE, EMBEDDINGS, FACES, FILMS, LIBRARIES, PEOPLE, RERUNS, Source, TEXTS, UPLOADS,
};
use calotype_processors::embed::{Embedder, Embedding};
use calotype_processors::faces::{FaceFinder, Finding, Regrouping};
use calotype_processors::text::{Reader, Reading};
use calotype_projections::rebuild::follow_changes;
use calotype_projections::runner::{Forget, Hook};
use calotype_projections::{Applied, Follower, Node, Progress, Runner};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::Value;
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::answering::{Answering, Waiting, WrittenDown, url_here};
use crate::catch_up::catch_up;
use crate::config::{Config, Reclustering, Role};
use crate::embedded::{DataFolder, Embedded};
use crate::erasure::Eraser;
use crate::listener::Doors;
use crate::proofs::LogProofs;
use crate::ready::{Watch, Watched, Watching};
use crate::rebuilding::rebuilding;
use crate::reset::{self, TestingReset};
use crate::restore::refuse_unfinished;
use crate::wiring::{self, Core, Hands, Places};
use crate::{gauges, lifecycle, listener, log_level, ml_role, settings_file, storage, telemetry};

/// Connections at once to the port for the machines that watch.
const WATCHERS_MAX: usize = 32;
/// How long tasks may take to finish after a stop was asked for.
const STOP_WAIT: Duration = Duration::from_secs(20);

/// Runs the server until it is asked to stop.
///
/// # Errors
/// When something it needs cannot be started.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    serve_until(config, CancellationToken::new(), None).await
}

/// Runs the server until it is asked to stop or `soft` is cancelled, and tells who waits for it when it answers.
///
/// # Errors
/// As [`serve`].
pub(crate) async fn serve_until(
    config: Config,
    soft: CancellationToken,
    waiting: Option<Waiting>,
) -> anyhow::Result<()> {
    let started = Instant::now();
    let log = telemetry::start(&config.log, config.log_format)?;
    let metrics = telemetry::metrics()?;
    let hard = CancellationToken::new();
    lifecycle::on_signals(soft.clone(), hard.clone()).context("failed to listen for signals")?;

    if config.is_only_ml() {
        return Box::pin(ml_role::serve(&config, started, &soft)).await;
    }
    let settings = config.settings.as_deref().map(settings_file::read).transpose()?;
    std::fs::create_dir_all(&config.data)
        .with_context(|| format!("failed to make the data folder {}", config.data.display()))?;
    let folder = Arc::new(if config.is_divided() {
        DataFolder::open_shared(&config.data)?
    } else {
        DataFolder::open_exclusive(&config.data)?
    });
    refuse_unfinished(folder.root())?;
    check_testing(&folder, config.testing)?;
    anyhow::ensure!(
        !config.testing || config.event_store.is_none(),
        "--testing empties logs, and cannot empty one in KurrentDB"
    );
    info!(data = %folder.root().display(), "starting");
    let wants_nats = config.has(Role::Relay) || config.has(Role::Processors);
    let (mut embedded, places) = wiring::places(
        &folder,
        config.database_url.as_deref(),
        config.nats_url.as_deref(),
        wants_nats,
    )
    .await?;
    info!("own servers answer after {} ms", started.elapsed().as_millis());

    let stopped = tokio::select! {
        stopped = run(
            &config,
            &folder,
            &places,
            settings,
            (log, metrics),
            started,
            (soft.clone(), waiting),
        ) => stopped,
        reason = embedded.given_up() => Err(anyhow::Error::new(reason)),
        () = hard.cancelled() => Ok(()),
    };
    soft.cancel();
    stop(embedded).await;
    info!("stopped");
    stopped
}

async fn stop(embedded: Embedded) {
    embedded.stop().await;
}

/// Everything between the start of the servers and their stop.
async fn run(
    config: &Config,
    folder: &Arc<DataFolder>,
    places: &Places,
    settings: Option<BTreeMap<String, Value>>,
    (log, metrics): (telemetry::LogFilter, PrometheusHandle),
    started: Instant,
    (soft, waiting): (CancellationToken, Option<Waiting>),
) -> anyhow::Result<()> {
    let tasks = TaskTracker::new();
    // Readers outlive writers: what was committed last still shows, and its events are still ordered.
    let late = CancellationToken::new();
    let watching = Watching::default();
    let recorder = metrics.clone();
    let metrics: MetricsText = Arc::new(move || metrics.render());
    watch(config, &watching, &metrics, &tasks, &late).await?;
    Box::pin(wiring::migrate(&places.owner_url)).await?;
    if config.testing && config.database_url.is_some() {
        reset::check_database(&places.owner_url).await?;
    }
    let core = wiring::core(folder, places, config.event_store.as_deref()).await?;
    if let Some(settings) = settings {
        info!("the settings are those of a file and cannot be changed");
        core.queries.live_settings().fix(settings);
    }
    let blobs = storage::open(config, folder).await?;
    let gazetteer = wiring::gazetteer(folder);
    let seeing = Arc::new(wiring::seeing(config, core.queries.clone())?);
    let embedding = Embedding::of(Arc::clone(&seeing) as Arc<dyn Embedder>);
    let reading = Reading::of(Arc::clone(&seeing) as Arc<dyn Reader>);
    let regrouping = match config.reclustering {
        Reclustering::Apply => Regrouping::AtOnce,
        Reclustering::Propose => Regrouping::Proposed,
    };
    let finding = Finding::of(Arc::clone(&seeing) as Arc<dyn FaceFinder>).regrouping(regrouping);
    let hands = Hands { embedding, reading, finding, ..Hands::default() };
    let (callers, uploads) = (Callers::default(), Uploads::default());
    let caches = Caches::default();
    let hooks: Vec<Hook> = {
        let (callers, caches) = (callers.clone(), caches.clone());
        let settings = core.queries.live_settings().clone();
        let vectors = core.queries.vectors().clone();
        let galleries = core.queries.galleries().clone();
        let trying = hands.trying.clone();
        vec![
            Box::new(move |events| trying.on_applied(events)),
            Box::new(move |events| galleries.on_applied(events)),
            Box::new(move |events| vectors.on_applied(events)),
            Box::new(move |events| callers.on_applied(events)),
            Box::new(move |events| caches.on_applied(events)),
            Box::new(move |events| settings.on_applied(events)),
        ]
    };
    let (orderer, until) = (Arc::clone(&core.log.orderer), late.clone());
    tasks.spawn(async move { orderer.run(until).await });
    let proofs = LogProofs::new(&core, folder);
    let prover = Prover::new(core.store.clone(), proofs.log().clone(), ProverOptions::default());
    let until = late.clone();
    tasks.spawn(async move { prover.run(until).await });
    let forget = {
        let (callers, caches, queries) = (callers.clone(), caches.clone(), core.queries.clone());
        let trying = hands.trying.clone();
        move || {
            trying.forget();
            callers.forget_all();
            caches.forget_all();
            queries.forget_all();
        }
    };
    tasks.spawn(follow_changes(core.pool.clone(), forget.clone(), late.clone()));
    if config.has(Role::Projections) {
        let (queries, pool) = (core.queries.clone(), core.pool.clone());
        let is_own = config.database_url.is_none();
        tasks.spawn(rebuilding(queries, pool, is_own, soft.clone()));
    }
    let ReadSide { progress, applied, reload } =
        read_side(config, &core, (hooks, Box::new(forget)), &tasks, &late);
    let following = log_level::follow(log, core.queries.clone(), applied.subscribe(), late.clone());
    tasks.spawn(following);
    if config.has(Role::Api) || config.has(Role::Processors) {
        tokio::select! {
            () = core.log.orderer.caught_up() => {}
            () = soft.cancelled() => {}
        }
        catch_up(&core.pool, &core.store, &progress, &soft).await?;
    }
    let jetstream = start_workers(
        config, &core, places, &blobs, &gazetteer, &hands, &progress, &tasks, &soft, &late,
    )
    .await?;

    tasks.spawn(gauges::keep(core.clone(), progress.clone(), recorder, late.clone()));
    if config.has(Role::Api) || config.has(Role::Processors) {
        tasks.spawn(crate::confinement::warn_if_open());
    }
    let ready = Arc::new(AtomicBool::new(false));
    let node = if config.has(Role::Api) {
        take_lease(config, &core, &progress, &tasks, &late).await?
    } else {
        None
    };
    watching.begin(Watch::new(Watched {
        is_listening: Arc::clone(&ready),
        lease: node.clone(),
        pool: core.pool.clone(),
        progress: progress.clone(),
        nats: jetstream.as_ref().map(async_nats::jetstream::Context::client),
        data: folder.root().to_owned(),
        min_free_bytes: config.min_free.map(|size| size.bytes),
    }));
    if config.has(Role::Api) {
        let queue = jetstream.clone();
        let reset = config.testing.then(|| {
            Arc::new(TestingReset {
                owner_url: places.owner_url.clone(),
                core: core.clone(),
                folder: Arc::clone(folder),
                blobs: blobs.clone(),
                jetstream,
                gate: hands.gate.clone(),
                progress: progress.clone(),
                reload,
                callers: callers.clone(),
                caches: caches.clone(),
            }) as Arc<dyn Reset>
        });
        tasks.spawn(core.queries.clone().follow_vectors(late.clone()));
        let streams = wiring::streams(folder)?;
        let (kept, until) = (streams.clone(), soft.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = kept.keep() => {}
                () = until.cancelled() => kept.end_all().await,
            }
        });
        let api = Api::new(Parts {
            decoders: wiring::decoders()?,
            streams,
            commands: core.commands.clone(),
            queries: core.queries.clone(),
            sync_acks: SyncAcks::new(core.pool.clone()),
            session_uses: SessionUses::new(core.pool.clone()),
            notification_marks: NotificationMarks::new(core.pool.clone()),
            findings: Findings::new(core.pool.clone()),
            incoming: IncomingFiles::new(core.pool.clone()),
            progress,
            blobs,
            gazetteer,
            embedder: Some(Arc::clone(&seeing) as Arc<dyn TextEmbedder>),
            face_models: Some(Arc::clone(&seeing) as Arc<dyn FaceModels>),
            models: Some(seeing),
            callers,
            caches,
            uploads: uploads.clone(),
            node,
            applied,
            config: ApiConfig {
                testing: config.testing,
                web: config.web.clone(),
                trusted_proxies: config.trusted_proxies.clone(),
                allow_setup: config.allow_setup,
                min_free_bytes: config.min_free.map(|size| size.bytes),
            },
            in_flight: calotype_api::InFlight {
                metadata: hands.in_flight.gauge(),
                thumbnails: hands.in_flight.gauge(),
                edits: hands.in_flight.gauge(),
                moves: hands.moving.in_flight.gauge(),
                video: hands.encoding.in_flight.gauge(),
                embedding: hands.embedding.in_flight.gauge(),
                text: hands.reading.in_flight.gauge(),
                faces: hands.finding.in_flight.gauge(),
                recognitions: hands.finding.comparing.gauge(),
                film_progress: Arc::clone(&hands.encoding.progress),
                scans: hands.scanning.in_flight.gauge(),
                checks: hands.scanning.checking.gauge(),
            },
            erasing: Arc::new(Eraser::new(core.clone(), places, queue, proofs.clone())),
            proofs: Arc::new(proofs),
            ready: watching.readiness(),
            metrics,
            reset,
        });
        listen(config, api, (&ready, waiting), started, &tasks, soft.clone()).await?;
    } else if !soft.is_cancelled() {
        ready.store(true, Ordering::Relaxed);
        info!(roles = ?config.roles, "ready in {} ms", started.elapsed().as_millis());
        soft.cancelled().await;
    }

    soft.cancel();
    uploads.finished().await;
    tasks.close();
    finish(&tasks, late).await;
    core.close().await;
    Ok(())
}

/// Opens the port for the machines that watch, where there is to be one.
async fn watch(
    config: &Config,
    watching: &Watching,
    metrics: &MetricsText,
    tasks: &TaskTracker,
    late: &CancellationToken,
) -> anyhow::Result<()> {
    let Some(port) = config.watch_port else { return Ok(()) };
    let (listener, address) = bind(config.host, port).await?;
    let router: Router = calotype_api::watched(watching.readiness(), Arc::clone(metrics));
    let doors = Doors::new(WATCHERS_MAX, config.trusted_proxies.clone());
    info!("watched at http://{address}");
    tasks.spawn(listener::serve(
        listener,
        router,
        doors,
        listener::Patience::default(),
        late.clone(),
    ));
    Ok(())
}

async fn bind(host: IpAddr, port: u16) -> anyhow::Result<(tokio::net::TcpListener, SocketAddr)> {
    let address = SocketAddr::new(host, port);
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .with_context(|| format!("failed to listen on {address}; is another server there?"))?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// The lease to answer, where other processes may do so too.
async fn take_lease(
    config: &Config,
    core: &Core,
    progress: &Progress,
    tasks: &TaskTracker,
    late: &CancellationToken,
) -> anyhow::Result<Option<Node>> {
    if !config.is_divided() {
        return Ok(None);
    }
    let node = Node::new(core.pool.clone(), core.commands.ids().v4(), progress.watch());
    node.renew().await.context("failed to take the lease to answer")?;
    tasks.spawn(node.clone().run(late.clone()));
    Ok(Some(node))
}

/// Lets workers finish, then stops the read side.
async fn finish(tasks: &TaskTracker, late: CancellationToken) {
    let grace = tokio::time::sleep(Duration::from_millis(100));
    grace.await;
    late.cancel();
    if tokio::time::timeout(STOP_WAIT, tasks.wait()).await.is_err() {
        warn!("some tasks did not finish in time; what they did is redone at the next start");
    }
}

/// What the rest of the server needs of the read side.
struct ReadSide {
    progress: Progress,
    applied: broadcast::Sender<Applied>,
    /// Makes the projections of this process look at their checkpoints anew.
    reload: Arc<Notify>,
}

/// The projections themselves, or a follower of those in another process.
fn read_side(
    config: &Config,
    core: &Core,
    (hooks, forget): (Vec<Hook>, Forget),
    tasks: &TaskTracker,
    late: &CancellationToken,
) -> ReadSide {
    let store = Arc::clone(&core.log.store);
    let (position, applied, reload) = if config.has(Role::Projections) {
        let mut runner = Runner::new(core.pool.clone(), Arc::clone(&store));
        for hook in hooks {
            runner.on_applied(hook);
        }
        runner.on_unreadable(forget);
        let told = (runner.position(), runner.applied(), runner.reload());
        tasks.spawn(runner.run(late.clone()));
        told
    } else {
        let mut follower = Follower::new(core.pool.clone(), Arc::clone(&store));
        for hook in hooks {
            follower.on_applied(hook);
        }
        follower.on_unreadable(forget);
        let told = (follower.position(), follower.applied(), Arc::default());
        tasks.spawn(follower.run(late.clone()));
        told
    };
    ReadSide { progress: Progress::new(store, position), applied, reload }
}

/// Relay and processors, where this process has those roles.
#[expect(clippy::too_many_arguments, reason = "called once, to keep `run` on one screen")]
async fn start_workers(
    config: &Config,
    core: &Core,
    places: &Places,
    blobs: &BlobStore,
    gazetteer: &Option<Arc<Gazetteer>>,
    hands: &Hands,
    progress: &Progress,
    tasks: &TaskTracker,
    soft: &CancellationToken,
    late: &CancellationToken,
) -> anyhow::Result<Option<async_nats::jetstream::Context>> {
    if !config.has(Role::Relay) && !config.has(Role::Processors) {
        return Ok(None);
    }
    let jetstream = wiring::jetstream(places).await?;
    let mut options = RelayOptions { replicas: config.nats_replicas, ..RelayOptions::default() };
    if let Some(bytes_max) = places.nats_bytes_max {
        let half = i64::try_from(bytes_max / 2).unwrap_or(i64::MAX);
        options.size_bytes_max = options.size_bytes_max.min(half);
    }
    let source = Source { stream: options.stream.clone(), prefix: options.prefix.clone() };
    if config.has(Role::Relay) {
        let relay = Relay::new(core.store.clone(), jetstream.clone(), options);
        let late = late.clone();
        tasks.spawn(async move { relay.run(late).await });
    }
    if config.has(Role::Processors) {
        let worker = wiring::worker(core, blobs.clone(), gazetteer.clone(), hands.clone())?;
        for subscription in
            [UPLOADS, RERUNS, PEOPLE, BESIDE, FILMS, EMBEDDINGS, TEXTS, FACES, LIBRARIES]
        {
            tasks.spawn(worker.clone().consume(
                jetstream.clone(),
                source.clone(),
                subscription,
                soft.clone(),
            ));
        }
        tasks.spawn(worker.clone().do_requests(progress.watch(), soft.clone()));
        tasks.spawn(worker.clone().run_errands(progress.watch(), soft.clone()));
        tasks.spawn(worker.clone().picture_people(soft.clone()));
        tasks.spawn(worker.clone().encode_films(soft.clone()));
        tasks.spawn(worker.clone().embed_assets(soft.clone()));
        tasks.spawn(worker.clone().read_texts(soft.clone()));
        tasks.spawn(worker.clone().try_models(progress.watch(), soft.clone()));
        tasks.spawn(worker.clone().find_faces(soft.clone()));
        tasks.spawn(worker.clone().keep_libraries(soft.clone()));
        tasks.spawn(worker.clone().watch_libraries(soft.clone()));
        tasks.spawn(worker.clone().check_files(soft.clone()));
        tasks.spawn(worker.clone().move_originals(soft.clone()));
        tasks.spawn(worker.clone().reconcile(soft.clone()));
        tasks.spawn(worker.keep_house(soft.clone()));
    }
    Ok(Some(jetstream))
}

async fn listen(
    config: &Config,
    api: Api,
    (ready, waiting): (&AtomicBool, Option<Waiting>),
    started: Instant,
    tasks: &TaskTracker,
    soft: CancellationToken,
) -> anyhow::Result<()> {
    let (listener, address) = bind(config.host, config.port).await?;
    let is_set_up = api.queries.has_admin().await?;
    let realtime = calotype_api::realtime::attach(&api, tasks, soft.clone());
    let url = url_here(address);
    let _written = WrittenDown::write(api.blobs.folder(), &url).await;
    let (commands, queries) = (api.commands.clone(), api.queries.clone());
    let answering = Answering { url, commands, queries, progress: api.progress.clone() };
    let router = calotype_api::router(api).layer(realtime);
    if soft.is_cancelled() {
        // Stopped before it was ready, it never says that it is.
        return Ok(());
    }
    ready.store(true, Ordering::Relaxed);
    info!("ready in {} ms: http://{address}", started.elapsed().as_millis());
    if !is_set_up {
        info!("next: open http://{address} and make the first account");
    }
    if let Some(waiting) = waiting {
        // Who does not wait any more has gone.
        drop(waiting.send(answering));
    }
    let doors = Doors::of_machine(config.trusted_proxies.clone());
    let serving =
        listener::serve(listener, router, doors, listener::Patience::default(), soft.clone());
    let bounded = async {
        soft.cancelled().await;
        tokio::time::sleep(STOP_WAIT).await;
    };
    tokio::select! {
        () = serving => {}
        () = bounded => warn!("some requests did not finish in time"),
    }
    Ok(())
}

/// A folder with people's photos in it can never be reset: only one that was made for testing can.
fn check_testing(folder: &DataFolder, testing: bool) -> anyhow::Result<()> {
    let mark = folder.root().join("testing");
    let is_new = !folder.postgres().exists() && !folder.root().join("library").exists();
    if testing && is_new {
        std::fs::write(&mark, "made by calotype serve --testing\n")
            .context("failed to mark the data folder as one for testing")?;
    }
    anyhow::ensure!(
        !testing || mark.exists(),
        "this data folder was not made with --testing, so it cannot be opened with it"
    );
    Ok(())
}
