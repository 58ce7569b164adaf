//! `calotype serve`: starts everything in order, says where it is, and stops it in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use calotype_api::caller::Callers;
use calotype_api::{Api, ApiConfig, Caches, Parts, Reset, Uploads};
use calotype_commands::{NotificationMarks, SessionUses, SyncAcks};
use calotype_eventstore::{EventStore, Relay, RelayOptions, Sequencer};
use calotype_media::blob::BlobStore;
use calotype_media::gazetteer::Gazetteer;
use calotype_processors::InFlight;
use calotype_processors::consumer::{PEOPLE, RERUNS, Source, UPLOADS};
use calotype_projections::runner::Hook;
use calotype_projections::{Applied, Follower, Progress, Runner};
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use crate::config::{Config, Role};
use crate::embedded::{DataFolder, Embedded};
use crate::reset::TestingReset;
use crate::wiring::{self, Core, Places};
use crate::{lifecycle, log_level, telemetry};

/// How long tasks may take to finish after a stop was asked for.
const STOP_WAIT: Duration = Duration::from_secs(20);
/// How long answering waits at the start for the read side to apply what the log already held.
const CATCH_UP_WAIT: Duration = Duration::from_secs(600);
/// How often that is looked at.
const CATCH_UP_POLL: Duration = Duration::from_millis(5);
/// How often gauges are brought up to date.
const GAUGES_EVERY: Duration = Duration::from_secs(10);

/// Runs the server until it is asked to stop.
///
/// # Errors
/// When something it needs cannot be started.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    let started = Instant::now();
    let log = telemetry::start(&config.log, config.log_format)?;
    let metrics = telemetry::metrics()?;
    let (soft, hard) = (CancellationToken::new(), CancellationToken::new());
    lifecycle::on_signals(soft.clone(), hard.clone()).context("failed to listen for signals")?;

    std::fs::create_dir_all(&config.data)
        .with_context(|| format!("failed to make the data folder {}", config.data.display()))?;
    let folder = Arc::new(DataFolder::open_exclusive(&config.data)?);
    check_testing(&folder, config.testing)?;
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
        stopped = run(&config, &folder, &places, (log, metrics), started, soft.clone()) => stopped,
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
    (log, metrics): (telemetry::LogFilter, metrics_exporter_prometheus::PrometheusHandle),
    started: Instant,
    soft: CancellationToken,
) -> anyhow::Result<()> {
    Box::pin(wiring::migrate(&places.owner_url)).await?;
    let core = wiring::core(folder, places).await?;
    let blobs = wiring::blobs(folder).await?;
    let gazetteer = wiring::gazetteer(folder);
    let in_flight = InFlight::default();
    let tasks = TaskTracker::new();
    // Readers outlive writers: what was committed last still shows, and its events are still ordered.
    let late = CancellationToken::new();

    let (callers, uploads) = (Callers::default(), Uploads::default());
    let caches = Caches::default();
    let hooks: Vec<Hook> = {
        let (callers, caches) = (callers.clone(), caches.clone());
        let settings = core.queries.live_settings().clone();
        vec![
            Box::new(move |events| callers.on_applied(events)),
            Box::new(move |events| caches.on_applied(events)),
            Box::new(move |events| settings.on_applied(events)),
        ]
    };
    let (sequencer, until) = (Sequencer::new(core.store.clone()), late.clone());
    tasks.spawn(async move { sequencer.run(until).await });
    let ReadSide { progress, applied, reload } = read_side(config, &core, hooks, &tasks, &late);
    let following = log_level::follow(log, core.queries.clone(), applied.subscribe(), late.clone());
    tasks.spawn(following);
    if config.has(Role::Api) || config.has(Role::Processors) {
        catch_up(&core, &progress, &soft).await?;
    }
    let jetstream =
        start_workers(config, &core, places, &blobs, &gazetteer, &in_flight, &tasks, &soft, &late)
            .await?;

    tasks.spawn(gauges(core.clone(), late.clone()));
    if config.has(Role::Api) {
        let ready = Arc::new(AtomicBool::new(false));
        let is_ready = Arc::clone(&ready);
        let reset = config.testing.then(|| {
            Arc::new(TestingReset {
                owner_url: places.owner_url.clone(),
                core: core.clone(),
                folder: Arc::clone(folder),
                jetstream,
                progress: progress.clone(),
                reload,
                callers: callers.clone(),
                caches: caches.clone(),
            }) as Arc<dyn Reset>
        });
        let api = Api::new(Parts {
            commands: core.commands.clone(),
            queries: core.queries.clone(),
            sync_acks: SyncAcks::new(core.pool.clone()),
            session_uses: SessionUses::new(core.pool.clone()),
            notification_marks: NotificationMarks::new(core.pool.clone()),
            progress,
            blobs,
            gazetteer,
            callers,
            caches,
            uploads: uploads.clone(),
            applied,
            config: ApiConfig {
                testing: config.testing,
                web: config.web.clone(),
                trusted_proxies: config.trusted_proxies.clone(),
                external_url: None,
            },
            in_flight: calotype_api::InFlight {
                metadata: in_flight.gauge(),
                thumbnails: in_flight.gauge(),
            },
            ready: Arc::new(move || is_ready.load(Ordering::Relaxed)),
            metrics: Arc::new(move || metrics.render()),
            reset,
        });
        listen(config, api, &ready, started, &tasks, soft.clone()).await?;
    } else {
        info!(roles = ?config.roles, "ready in {} ms", started.elapsed().as_millis());
        soft.cancelled().await;
    }

    soft.cancel();
    uploads.finished().await;
    tasks.close();
    finish(&tasks, late).await;
    core.store.close().await;
    core.pool.close().await;
    Ok(())
}

/// Waits until the read side knows what the log knew when the last server ended, or an operator's command:
/// a password that was changed meanwhile must not open anything, and work that a crash left is found at once.
async fn catch_up(
    core: &Core,
    progress: &Progress,
    soft: &CancellationToken,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + CATCH_UP_WAIT;
    while !soft.is_cancelled() {
        let waiting: bool = sqlx::query_scalar("select exists (select from log.outbox)")
            .fetch_one(&core.pool)
            .await
            .context("failed to look for events without a position")?;
        let head = core.store.head().await.context("failed to read the log's head")?;
        if !waiting && progress.applied() >= head {
            return Ok(());
        }
        anyhow::ensure!(
            Instant::now() < deadline,
            "the read side did not apply the log within {} s; see `calotype projections list`",
            CATCH_UP_WAIT.as_secs()
        );
        tokio::time::sleep(CATCH_UP_POLL).await;
    }
    Ok(())
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
    hooks: Vec<Hook>,
    tasks: &TaskTracker,
    late: &CancellationToken,
) -> ReadSide {
    let store: Arc<dyn EventStore> = Arc::new(core.store.clone());
    let (position, applied, reload) = if config.has(Role::Projections) {
        let mut runner = Runner::new(core.pool.clone(), Arc::clone(&store));
        for hook in hooks {
            runner.on_applied(hook);
        }
        let told = (runner.position(), runner.applied(), runner.reload());
        tasks.spawn(runner.run(late.clone()));
        told
    } else {
        let mut follower = Follower::new(core.pool.clone(), Arc::clone(&store));
        for hook in hooks {
            follower.on_applied(hook);
        }
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
    in_flight: &InFlight,
    tasks: &TaskTracker,
    soft: &CancellationToken,
    late: &CancellationToken,
) -> anyhow::Result<Option<async_nats::jetstream::Context>> {
    if !config.has(Role::Relay) && !config.has(Role::Processors) {
        return Ok(None);
    }
    let jetstream = wiring::jetstream(places).await?;
    let mut options = RelayOptions::default();
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
        let worker = wiring::worker(core, blobs.clone(), gazetteer.clone(), in_flight.clone())?;
        for subscription in [UPLOADS, RERUNS, PEOPLE] {
            tasks.spawn(worker.clone().consume(
                jetstream.clone(),
                source.clone(),
                subscription,
                soft.clone(),
            ));
        }
        tasks.spawn(worker.clone().picture_people(soft.clone()));
        tasks.spawn(worker.clone().reconcile(soft.clone()));
        tasks.spawn(worker.keep_house(soft.clone()));
    }
    Ok(Some(jetstream))
}

async fn listen(
    config: &Config,
    api: Api,
    ready: &AtomicBool,
    started: Instant,
    tasks: &TaskTracker,
    soft: CancellationToken,
) -> anyhow::Result<()> {
    let address = SocketAddr::new(config.host, config.port);
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .with_context(|| format!("failed to listen on {address}; is another server there?"))?;
    let address = listener.local_addr()?;
    let is_set_up = api.queries.has_admin().await?;
    let realtime = calotype_api::realtime::attach(&api, tasks, soft.clone());
    let router = calotype_api::router(api).layer(realtime);
    ready.store(true, Ordering::Relaxed);
    info!("ready in {} ms: http://{address}", started.elapsed().as_millis());
    if !is_set_up {
        info!("next: open http://{address} and make the first account");
    }
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving =
        axum::serve(listener, service).with_graceful_shutdown(soft.clone().cancelled_owned());
    let bounded = async {
        soft.cancelled().await;
        tokio::time::sleep(STOP_WAIT).await;
    };
    tokio::select! {
        served = serving => served.context("the listener failed")?,
        () = bounded => warn!("some requests did not finish in time"),
    }
    Ok(())
}

/// Keeps the gauges of lag and parked work up to date for `/metrics`.
async fn gauges(core: Core, cancel: CancellationToken) {
    while !cancel.is_cancelled() {
        match core.queries.projections().await {
            Ok(statuses) => {
                for status in statuses {
                    metrics::gauge!("calotype_projection_lag_events", "projection" => status.name)
                        .set(f64::from(i32::try_from(status.lag_events).unwrap_or(i32::MAX)));
                }
            }
            Err(error) => {
                error!(error = &error as &dyn std::error::Error, "cannot measure the lag");
            }
        }
        if let Ok(counts) = core.queries.queue_counts().await {
            for (stage, counts) in counts {
                for (state, count) in [("waiting", counts.waiting), ("failed", counts.failed)] {
                    metrics::gauge!("calotype_queue_assets", "stage" => stage.clone(), "state" => state)
                        .set(f64::from(i32::try_from(count).unwrap_or(i32::MAX)));
                }
            }
        }
        tokio::select! {
            () = cancel.cancelled() => {}
            () = tokio::time::sleep(GAUGES_EVERY) => {}
        }
    }
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
