//! What breaks, and who may fail of it.

use std::time::Duration;

use anyhow::Context as _;
use rand::Rng as _;
use rand::rngs::StdRng;

use super::proxy::{Fault, Proxy};
use super::{Report, Simulation, blobs_of, new_rebuilder, new_worker, relay_options, witnessed};

/// How often a step meets a cut.
const CUT_CHANCE: f64 = 0.12;
/// Round trips that pass before one is cut or held.
const ROUND_TRIPS_MAX: u32 = 8;
/// How long a step may take; what takes longer is stuck.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// What one step may meet.
pub(super) struct Faults<'a> {
    proxy: &'a Proxy,
    report: &'a mut Report,
    /// Whether it may fail for another reason.
    pub(super) is_expected: bool,
}

impl<'a> Faults<'a> {
    /// Perhaps one round trip of the step is cut.
    pub(super) fn any(random: &mut StdRng, proxy: &'a Proxy, report: &'a mut Report) -> Self {
        if random.random_bool(CUT_CHANCE) {
            let fault = if random.random() { Fault::CutBefore } else { Fault::CutAfter };
            proxy.arm(fault, random.random_range(0..ROUND_TRIPS_MAX));
        }
        Self { proxy, report, is_expected: false }
    }

    /// Nothing breaks.
    pub(super) fn none(proxy: &'a Proxy, report: &'a mut Report) -> Self {
        Self { proxy, report, is_expected: false }
    }

    /// Takes the step. It may fail where a fault was met, and only there.
    pub(super) async fn meet<T, E>(
        self,
        step: impl Future<Output = Result<T, E>>,
    ) -> anyhow::Result<Option<T>>
    where
        E: Into<anyhow::Error>,
    {
        let stepped = tokio::time::timeout(STUCK_AFTER, step).await;
        let was_cut = self.proxy.disarmed();
        self.report.cuts += u32::from(was_cut);
        match stepped.context("it is stuck")? {
            Ok(done) => Ok(Some(done)),
            Err(_) if was_cut || self.is_expected => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Simulation {
    /// One process is slow: a round trip of it waits while others take steps.
    pub(super) async fn hold(&mut self) -> anyhow::Result<()> {
        let after = self.random.random_range(0..ROUND_TRIPS_MAX);
        match self.random.random_range(0..3) {
            0 => self.hold_writing(after).await,
            1 => self.hold_ordering(after).await,
            _ => self.hold_reading(after).await,
        }
    }

    async fn hold_writing(&mut self, after: u32) -> anyhow::Result<()> {
        let Self { world, writing, sequencer, runner, prover, report, .. } = self;
        writing.proxy.arm(Fault::Hold, after);
        let others = async {
            sequencer.step().await?;
            runner.step().await?;
            prover.step().await?;
            sequencer.step().await?;
            anyhow::Ok(())
        };
        let held = beside(&writing.proxy, world.wish(), others).await?;
        report.holds += u32::from(held);
        Ok(())
    }

    async fn hold_ordering(&mut self, after: u32) -> anyhow::Result<()> {
        let Self { world, ordering, sequencer, runner, report, .. } = self;
        ordering.proxy.arm(Fault::Hold, after.min(1));
        let others = async {
            world.wish().await?;
            runner.step().await?;
            world.wish().await
        };
        let ordered = async { anyhow::Ok(sequencer.step().await?) };
        let held = beside(&ordering.proxy, ordered, others).await?;
        report.holds += u32::from(held);
        Ok(())
    }

    async fn hold_reading(&mut self, after: u32) -> anyhow::Result<()> {
        let Self { world, reading, sequencer, runner, report, .. } = self;
        reading.proxy.arm(Fault::Hold, after);
        let others = async {
            world.wish().await?;
            sequencer.step().await?;
            world.wish().await
        };
        let applied = async { anyhow::Ok(runner.step().await?) };
        let held = beside(&reading.proxy, applied, others).await?;
        report.holds += u32::from(held);
        Ok(())
    }

    /// One process dies without warning, and another takes its place.
    pub(super) async fn crash(&mut self) -> anyhow::Result<()> {
        self.report.crashes += 1;
        match self.random.random_range(0..3) {
            0 => self.restart_writing().await,
            1 => self.restart_ordering().await,
            _ => self.restart_reading().await,
        }
    }

    pub(super) async fn restart_writing(&mut self) -> anyhow::Result<()> {
        self.writing.restart(&self.options).await?;
        let shared = witnessed(&self.writing, &self.told);
        self.world.restart_writing(shared, self.writing.pool.clone());
        Ok(())
    }

    pub(super) async fn restart_ordering(&mut self) -> anyhow::Result<()> {
        use calotype_eventstore::{Prover, ProverOptions, Relay, Sequencer};

        self.ordering.restart(&self.options).await?;
        let store = || self.ordering.store.clone();
        self.sequencer = Sequencer::new(store());
        self.relay = Relay::new(store(), self.jetstream.clone(), relay_options());
        self.prover = Prover::new(store(), self.proof.clone(), ProverOptions::default());
        Ok(())
    }

    pub(super) async fn restart_reading(&mut self) -> anyhow::Result<()> {
        use calotype_projections::Runner;

        self.reading.restart(&self.options).await?;
        let (pool, store) = (self.reading.pool.clone(), self.reading.store.clone());
        self.runner = Runner::new(pool, std::sync::Arc::new(store));
        self.runner.load().await?;
        self.rebuilder = new_rebuilder(&mut self.random, &self.reading);
        if !self.is_disk_away {
            let folder = blobs_of(&self.folder);
            self.worker = new_worker(&self.world, &self.reading, &self.told, folder).await?;
        }
        // What was heard and not answered is heard again; what was not, too.
        Ok(())
    }

    /// nats-server dies or comes back, or its stream is lost.
    pub(super) async fn shake_nats(&mut self) -> anyhow::Result<()> {
        self.is_nats_shaken = true;
        if !self.is_nats_up {
            return self.start_nats().await;
        }
        self.report.losses += 1;
        if self.random.random() {
            self.is_nats_up = false;
            return self.nats.stop().await;
        }
        let position = "select position from work.checkpoints where name = 'relay'";
        let rung: Option<i64> =
            sqlx::query_scalar(position).fetch_optional(self.world.pool()).await?;
        self.lost_to = rung.unwrap_or_default();
        // There may be none yet, or the connection is on its way back.
        drop(self.jetstream.delete_stream(relay_options().stream).await);
        Ok(())
    }

    pub(super) async fn start_nats(&mut self) -> anyhow::Result<()> {
        self.nats.go_on().await?;
        self.is_nats_up = true;
        Ok(())
    }

    /// The disk with the files goes away or comes back: a file stands in the place of its folder.
    pub(super) async fn shake_disk(&mut self) -> anyhow::Result<()> {
        if self.is_disk_away {
            return self.bring_disk_back().await;
        }
        let folder = blobs_of(&self.folder);
        tokio::fs::rename(&folder, folder.with_extension("away")).await?;
        tokio::fs::write(&folder, "").await?;
        self.is_disk_away = true;
        self.report.disks += 1;
        Ok(())
    }

    pub(super) async fn bring_disk_back(&mut self) -> anyhow::Result<()> {
        let folder = blobs_of(&self.folder);
        tokio::fs::remove_file(&folder).await?;
        tokio::fs::rename(folder.with_extension("away"), &folder).await?;
        self.is_disk_away = false;
        // Whoever was started meanwhile has no folder.
        self.worker = new_worker(&self.world, &self.reading, &self.told, folder).await?;
        Ok(())
    }
}

/// Takes a step, and others once it is held; says whether it was.
async fn beside<T>(
    proxy: &Proxy,
    step: impl Future<Output = anyhow::Result<T>>,
    others: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<bool> {
    let both = async {
        tokio::pin!(step);
        tokio::select! {
            stepped = &mut step => {
                stepped?;
                return Ok(false);
            }
            () = proxy.held() => {}
        }
        let went = others.await;
        proxy.release();
        step.await?;
        went?;
        anyhow::Ok(true)
    };
    let held = tokio::time::timeout(STUCK_AFTER, both).await;
    proxy.disarm();
    proxy.release();
    held.context("it is stuck")?
}
