//! A simulated server, from a seed: every loop is moved by hand, one step at a time, and things break in between.
//!
//! Everything in it is real: PostgreSQL, nats-server, files, commands, and the loops themselves. Three processes
//! (writing, ordering, reading) reach the database through doors that cut or hold a chosen round trip
//! ([`proxy`]); processes die, nats-server is killed, its stream is lost, deliveries come twice and out of order,
//! and the disk is gone for a while. After each run everything is let through, and what has to hold is looked at
//! ([`invariants`]).
//!
//! What a seed chooses is the order of steps and faults. Which connection a held or cut round trip belongs to may
//! depend on tasks of the store that listen beside it, so a seed repeats a life nearly, not exactly.

#![expect(clippy::large_futures, reason = "few of them live at once, and in tests only")]

mod commanded;
mod components;
mod faults;
mod harm;
mod invariants;
mod process;
pub mod proxy;
mod settle;
mod witness;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use async_nats::jetstream;
use calotype_domain::{AssetId, UserId};
use calotype_eventstore::testing::database;
use calotype_eventstore::{
    EventStore, ProofLog, Prover, ProverOptions, Relay, RelayOptions, Sequencer,
};
use calotype_processors::Worker;
use calotype_projections::rebuild::Rebuilder;
use calotype_projections::{Queries, Runner};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;

pub use self::harm::{Harm, live_and_harm};

use self::components::Delivery;
use self::process::Process;
use self::witness::{Told, Witness};
use crate::nats::OwnNats;
use crate::walk::{Sent, World};

/// Accounts, at most, that there are from the beginning.
const NEWCOMERS: usize = 6;
/// Runs after which the whole stream of JetStream is read.
const RUNS_OF_A_STREAM: u32 = 10;

/// How much is simulated.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Chooses everything.
    pub seed: u64,
    /// Runs in one life of a database; after each, what has to hold is looked at.
    pub runs: u32,
    /// Steps of one run.
    pub steps: u32,
}

/// What happened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Report {
    /// Runs that held.
    pub runs: u32,
    /// Round trips to the database that were cut.
    pub cuts: u32,
    /// Round trips that were held while others went on.
    pub holds: u32,
    /// Deaths of a process.
    pub crashes: u32,
    /// Deaths of nats-server, and losses of its stream.
    pub losses: u32,
    /// Times that the disk was away.
    pub disks: u32,
    /// Deliveries that were heard.
    pub deliveries: u32,
    /// Rebuilds that were begun.
    pub rebuilds: u32,
    /// Events in the log at the end.
    pub events: u64,
    /// Assets that somebody was seen to see of others, over all looks.
    pub shared: u64,
}

impl Report {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            runs: self.runs + other.runs,
            cuts: self.cuts + other.cuts,
            holds: self.holds + other.holds,
            crashes: self.crashes + other.crashes,
            losses: self.losses + other.losses,
            disks: self.disks + other.disks,
            deliveries: self.deliveries + other.deliveries,
            rebuilds: self.rebuilds + other.rebuilds,
            events: self.events + other.events,
            shared: self.shared + other.shared,
        }
    }
}

/// One life of a database with all that works on it.
pub struct Simulation {
    random: StdRng,
    options: PgConnectOptions,
    world: World,
    told: Told,
    writing: Process,
    ordering: Process,
    reading: Process,
    sequencer: Sequencer,
    relay: Relay,
    prover: Prover,
    proof: ProofLog,
    runner: Runner,
    rebuilder: Rebuilder,
    worker: Worker,
    nats: OwnNats,
    is_nats_up: bool,
    jetstream: jetstream::Context,
    /// Whether the relay may find NATS other than it left it.
    is_nats_shaken: bool,
    /// Up to where the stream may have lost what was rung.
    lost_to: i64,
    deliveries: Vec<Delivery>,
    folder: TempDir,
    is_disk_away: bool,
    files: BTreeMap<AssetId, (UserId, Sent)>,
    report: Report,
}

/// Lives a life, and looks after each run whether everything holds.
///
/// # Errors
/// Something does not hold; the seed is told.
pub async fn live(plan: Plan) -> anyhow::Result<Report> {
    let seed = plan.seed;
    let mut simulation = Simulation::new(seed).await?;
    for run in 0..plan.runs {
        simulation.run(plan.steps).await.with_context(|| {
            format!("run {run} of seed {seed}; again with CALOTYPE_SEED={seed}")
        })?;
    }
    let ended = simulation.end().await;
    ended.with_context(|| format!("at the end of seed {seed}; again with CALOTYPE_SEED={seed}"))
}

impl Simulation {
    /// An empty database, and everything that works on it.
    ///
    /// # Errors
    /// PostgreSQL or nats-server cannot be had.
    pub async fn new(seed: u64) -> anyhow::Result<Self> {
        let database = database().await;
        let options = database.pool.connect_options().as_ref().clone();
        let mut random = StdRng::seed_from_u64(seed);
        let writing = Process::start(&options).await?;
        let ordering = Process::start(&options).await?;
        let reading = Process::start(&options).await?;
        let told = Told::default();
        let shared = witnessed(&writing, &told);
        let (store, pool) = (writing.store.clone(), writing.pool.clone());
        let mut world = World::over(random.random(), database, store, shared, pool);
        for _ in 0..NEWCOMERS {
            world.register().await?;
        }
        let folder = TempDir::new()?;
        let nats = OwnNats::start().await?;
        let jetstream = jetstream::new(async_nats::connect(nats.url()).await?);
        let keys = folder.path().join("keys");
        let proof = ProofLog::new(world.pool().clone(), keys, folder.path().join("proof/heads"));
        let worker = new_worker(&world, &reading, &told, blobs_of(&folder)).await?;
        let rebuilder = new_rebuilder(&mut random, &reading);
        Ok(Self {
            sequencer: Sequencer::new(ordering.store.clone()),
            relay: Relay::new(ordering.store.clone(), jetstream.clone(), relay_options()),
            prover: Prover::new(ordering.store.clone(), proof.clone(), ProverOptions::default()),
            runner: Runner::new(reading.pool.clone(), Arc::new(reading.store.clone())),
            rebuilder,
            worker,
            random,
            options,
            world,
            told,
            writing,
            ordering,
            reading,
            proof,
            nats,
            is_nats_up: true,
            jetstream,
            is_nats_shaken: true,
            lost_to: 0,
            deliveries: Vec::new(),
            folder,
            is_disk_away: false,
            files: BTreeMap::new(),
            report: Report::default(),
        })
    }

    /// Takes steps, lets everything through, and looks whether everything holds.
    ///
    /// # Errors
    /// Something does not hold.
    pub async fn run(&mut self, steps: u32) -> anyhow::Result<()> {
        for step in 0..steps {
            // In a box of its own: all kinds of steps together are more than a thread's stack.
            Box::pin(self.step()).await.with_context(|| format!("step {step}"))?;
        }
        Box::pin(self.settle()).await?;
        Box::pin(self.ensure_holds()).await?;
        self.report.runs += 1;
        Ok(())
    }

    /// One step of anybody, or something breaks.
    async fn step(&mut self) -> anyhow::Result<()> {
        match self.random.random_range(0..1000) {
            0..360 => self.wish().await,
            360..390 => self.send_file().await,
            390..405 => self.purge_file().await,
            405..540 => self.order().await,
            540..620 => self.ring().await,
            620..760 => self.apply().await,
            760..775 => self.order_rebuild().await,
            775..830 => self.rebuild().await,
            830..850 => self.prove().await,
            850..860 => self.sign().await,
            860..910 => self.deliver().await,
            910..935 => self.run_errands().await,
            935..940 => self.do_requests().await,
            940..955 => self.look_who_sees().await,
            955..970 => self.hold().await,
            970..985 => self.crash().await,
            985..990 => self.shake_nats().await,
            _ => self.shake_disk().await,
        }
    }

    /// Up to where every read model has applied the log, as far as this process knows.
    fn applied(&self) -> calotype_eventstore::GlobalPosition {
        *self.runner.position().borrow()
    }

    fn queries(&self) -> Queries {
        self.world.queries()
    }
}

fn witnessed(process: &Process, told: &Told) -> Arc<dyn EventStore> {
    Arc::new(Witness::new(process.store.clone(), Arc::clone(told)))
}

fn blobs_of(folder: &TempDir) -> PathBuf {
    folder.path().join("blobs")
}

async fn new_worker(
    world: &World,
    reading: &Process,
    told: &Told,
    folder: PathBuf,
) -> anyhow::Result<Worker> {
    let store = witnessed(reading, told);
    let commands = world.commands_over(Arc::clone(&store), reading.pool.clone());
    World::worker_over(&folder, commands, store, reading.pool.clone()).await
}

/// In batches of any size, so that it can be cut off in the middle of a small log.
fn new_rebuilder(random: &mut StdRng, reading: &Process) -> Rebuilder {
    let events_max = random.random_range(5..200);
    Rebuilder::new(reading.pool.clone(), Arc::new(reading.store.clone())).in_batches_of(events_max)
}

fn relay_options() -> RelayOptions {
    RelayOptions {
        stream: "SIMULATED".to_owned(),
        prefix: "simulated".to_owned(),
        size_bytes_max: 64 * 1024 * 1024,
        ack_timeout: std::time::Duration::from_secs(1),
        ..RelayOptions::default()
    }
}
