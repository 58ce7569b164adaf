//! The steps of the simulated server's parts, each of which may meet a fault of its process.

use std::time::Duration;

use anyhow::{Context as _, bail};
use async_nats::jetstream::AckKind;
use bytes::Bytes;
use calotype_domain::asset::MediaKind;
use calotype_eventstore::Sequencer;
use calotype_processors::consumer::{
    self, BESIDE, DELIVERIES_MAX, PEOPLE, RERUNS, Source, Subscription, UPLOADS,
};
use calotype_projections::rebuild::Wish;
use calotype_projections::{ProjectionError, Runner};
use futures::StreamExt as _;
use rand::Rng as _;
use rand::seq::{IndexedRandom as _, SliceRandom as _};

use super::faults::Faults;
use super::process::Process;
use super::{Simulation, commanded, relay_options};

/// Bells taken from JetStream at once.
const BELLS_MAX: usize = 16;
/// How long those that follow wait where nothing moves.
const FOLLOW_PAUSE: Duration = Duration::from_millis(5);
/// How many steps of a rebuild are taken together: they are many and small.
const REBUILD_STEPS: usize = 3;
/// The consumers that are simulated. The others only ring for loops of their own.
const SUBSCRIPTIONS: [Subscription; 4] = [UPLOADS, RERUNS, BESIDE, PEOPLE];

/// A bell that was taken from JetStream and is to be heard.
pub(super) struct Delivery {
    payload: Bytes,
    subscription: Subscription,
    /// How often it was delivered, the next time included.
    deliveries: i64,
}

impl Simulation {
    /// Somebody wishes something.
    pub(super) async fn wish(&mut self) -> anyhow::Result<()> {
        let faults = Faults::any(&mut self.random, &self.writing.proxy, &mut self.report);
        faults.meet(self.world.wish()).await.map(drop)
    }

    /// Somebody sends a file, whose bytes are all its own.
    pub(super) async fn send_file(&mut self) -> anyhow::Result<()> {
        let Some(owner_id) = self.world.some_user() else { return Ok(()) };
        let bytes: [u8; 32] = self.random.random();
        let mut faults = Faults::any(&mut self.random, &self.writing.proxy, &mut self.report);
        faults.is_expected = self.is_disk_away;
        let named = ("IMG_1.jpg", MediaKind::Image);
        let sending = self.world.send_file(&self.worker, owner_id, named, (&bytes, None));
        if let Some(Some((asset_id, sent))) = faults.meet(sending).await? {
            self.files.insert(asset_id, (owner_id, sent));
        }
        Ok(())
    }

    /// A file that was sent is deleted for good.
    pub(super) async fn purge_file(&mut self) -> anyhow::Result<()> {
        let known: Vec<_> = self.files.iter().map(|(id, of)| (*id, of.clone())).collect();
        let Some((asset_id, (owner_id, sent))) = known.choose(&mut self.random) else {
            return Ok(());
        };
        let faults = Faults::any(&mut self.random, &self.writing.proxy, &mut self.report);
        faults.meet(self.world.purge_sent(*owner_id, *asset_id, &sent.sha1)).await.map(drop)
    }

    /// The sequencer gives places.
    pub(super) async fn order(&mut self) -> anyhow::Result<()> {
        let faults = Faults::any(&mut self.random, &self.ordering.proxy, &mut self.report);
        faults.meet(self.sequencer.step()).await.map(drop)
    }

    /// The relay rings.
    pub(super) async fn ring(&mut self) -> anyhow::Result<()> {
        // Each try at a nats-server that is down takes as long as an acknowledgement may.
        if !self.is_nats_up && self.random.random_bool(0.8) {
            return Ok(());
        }
        let store = &self.ordering.store;
        let mut faults = Faults::any(&mut self.random, &self.ordering.proxy, &mut self.report);
        faults.is_expected = self.is_nats_shaken;
        let rung = faults.meet(async {
            look(store).await?;
            Ok::<_, anyhow::Error>(self.relay.step().await?)
        });
        if rung.await?.is_some_and(|count| count > 0) && self.is_nats_up {
            self.is_nats_shaken = false;
        }
        Ok(())
    }

    /// The read models follow.
    pub(super) async fn apply(&mut self) -> anyhow::Result<()> {
        let store = &self.reading.store;
        let faults = Faults::any(&mut self.random, &self.reading.proxy, &mut self.report);
        let applied = faults.meet(async {
            look(store).await?;
            Ok::<_, anyhow::Error>(self.runner.step().await?)
        });
        applied.await.map(drop)
    }

    /// Somebody orders something about a read model's next generation.
    pub(super) async fn order_rebuild(&mut self) -> anyhow::Result<()> {
        let all = calotype_projections::all();
        let Some(projection) = all.choose(&mut self.random) else { return Ok(()) };
        let (queries, name) = (self.queries(), projection.name());
        let ordered = match self.random.random_range(0..10) {
            0..5 => queries.start_rebuild(name, Wish::Rebuild, None).await,
            5..7 => queries.start_rebuild(name, Wish::Diff, None).await,
            7 => queries.start_rebuild(name, Wish::Rollback, None).await,
            8 => queries.change_rebuild(name, Some(self.random.random()), None).await,
            _ => queries.discard_rebuild(name).await,
        };
        match ordered {
            Ok(()) => self.report.rebuilds += 1,
            Err(
                ProjectionError::UnderWay { .. }
                | ProjectionError::NotUnderWay { .. }
                | ProjectionError::NothingBuilt { .. },
            ) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// A rebuild goes on.
    pub(super) async fn rebuild(&mut self) -> anyhow::Result<()> {
        for _ in 0..REBUILD_STEPS {
            let faults = Faults::any(&mut self.random, &self.reading.proxy, &mut self.report);
            if faults.meet(self.rebuilder.step()).await? != Some(true) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The tree over the log takes events in.
    pub(super) async fn prove(&mut self) -> anyhow::Result<()> {
        let faults = Faults::any(&mut self.random, &self.ordering.proxy, &mut self.report);
        faults.meet(self.prover.step()).await.map(drop)
    }

    /// A head is signed.
    pub(super) async fn sign(&mut self) -> anyhow::Result<()> {
        self.proof.sign().await.context("failed to sign a head").map(drop)
    }

    /// Bells are taken, and some that were taken are heard: late, twice, and in any order.
    pub(super) async fn deliver(&mut self) -> anyhow::Result<()> {
        self.take_bells().await?;
        self.deliveries.shuffle(&mut self.random);
        for _ in 0..self.random.random_range(0..6) {
            self.hear_one().await?;
        }
        Ok(())
    }

    /// Takes bells from JetStream; says how many. None where it is away.
    pub(super) async fn take_bells(&mut self) -> anyhow::Result<usize> {
        if !self.is_nats_up {
            return Ok(0);
        }
        let Some(subscription) = SUBSCRIPTIONS.choose(&mut self.random).copied() else {
            return Ok(0);
        };
        self.take_bells_of(subscription).await
    }

    /// The same of every consumer.
    pub(super) async fn take_all_bells(&mut self) -> anyhow::Result<usize> {
        let mut taken = 0;
        for subscription in SUBSCRIPTIONS {
            taken += self.take_bells_of(subscription).await?;
        }
        Ok(taken)
    }

    async fn take_bells_of(&mut self, subscription: Subscription) -> anyhow::Result<usize> {
        let options = relay_options();
        let source = Source { stream: options.stream, prefix: options.prefix };
        let opened = consumer::open(&self.jetstream, &source, subscription).await;
        // The stream may be lost, and the relay has not come to it yet.
        let Ok(bells) = opened else { return Ok(0) };
        let Ok(mut batch) = bells.fetch().max_messages(BELLS_MAX).messages().await else {
            return Ok(0);
        };
        let mut taken = 0;
        while let Some(Ok(message)) = batch.next().await {
            let times = if self.random.random_bool(0.2) { 2 } else { 1 };
            for _ in 0..times {
                let payload = message.payload.clone();
                self.deliveries.push(Delivery { payload, subscription, deliveries: 1 });
            }
            taken += 1;
            if message.ack().await.is_err() {
                break;
            }
        }
        Ok(taken)
    }

    /// Hears the bell that is next; false where none is.
    pub(super) async fn hear_one(&mut self) -> anyhow::Result<bool> {
        let Some(delivery) = self.deliveries.pop() else { return Ok(false) };
        self.hear_next(delivery).await?;
        Ok(true)
    }

    async fn hear_next(&mut self, delivery: Delivery) -> anyhow::Result<()> {
        let Delivery { payload, subscription, deliveries } = delivery;
        let Self { random, reading, ordering, worker, sequencer, runner, report, .. } = self;
        let faults = Faults::any(random, &reading.proxy, report);
        let hearing = worker.hear_bell(&payload, deliveries, subscription);
        let hearing = async { anyhow::Ok(Box::pin(hearing).await) };
        let heard = faults.meet(followed(hearing, sequencer, runner, [ordering, reading])).await?;
        self.report.deliveries += 1;
        if matches!(heard, Some(AckKind::Nak(_))) && deliveries < DELIVERIES_MAX {
            let again = Delivery { payload, subscription, deliveries: deliveries + 1 };
            self.deliveries.insert(0, again);
        }
        Ok(())
    }

    /// The same of the one that waits longest, and nothing breaks; what is not possible yet is not tried again.
    pub(super) async fn hear_one_in_peace(&mut self) -> anyhow::Result<bool> {
        if self.deliveries.is_empty() {
            return Ok(false);
        }
        let Delivery { payload, subscription, .. } = self.deliveries.remove(0);
        let Self { reading, ordering, worker, sequencer, runner, report, .. } = self;
        let hearing = worker.hear_bell(&payload, DELIVERIES_MAX, subscription);
        let hearing = async { anyhow::Ok(Box::pin(hearing).await) };
        let hearing = followed(hearing, sequencer, runner, [ordering, reading]);
        Faults::none(&reading.proxy, report).meet(hearing).await?;
        self.report.deliveries += 1;
        Ok(true)
    }

    /// What follows once from events is done.
    pub(super) async fn run_errands(&mut self) -> anyhow::Result<()> {
        // What failed before is due at once.
        sqlx::query("update work.errands set due_at = now()").execute(self.world.pool()).await?;
        let applied = self.applied();
        let faults = Faults::any(&mut self.random, &self.reading.proxy, &mut self.report);
        faults.meet(Box::pin(self.worker.run_errands_once(applied))).await.map(drop)
    }

    /// What was asked of queues is done.
    pub(super) async fn do_requests(&mut self) -> anyhow::Result<()> {
        let applied = self.applied();
        let Self { random, reading, ordering, worker, sequencer, runner, report, .. } = self;
        let faults = Faults::any(random, &reading.proxy, report);
        let doing = async { anyhow::Ok(Box::pin(worker.do_requests_once(applied)).await?) };
        faults.meet(followed(doing, sequencer, runner, [ordering, reading])).await.map(drop)
    }

    /// Whether anybody sees more than was commanded.
    pub(super) async fn look_who_sees(&mut self) -> anyhow::Result<()> {
        let checkpoints: Vec<i64> = sqlx::query_scalar(
            "select distinct position from work.checkpoints where name like 'albums_v%'
                or name like 'assets_v%' or name like 'partners_v%' or name like 'users_v%'",
        )
        .fetch_all(self.world.pool())
        .await?;
        let position = match checkpoints.as_slice() {
            [] => return Ok(()),
            [position] => *position,
            several => bail!("read models stand at {several:?}"),
        };
        let (pool, queries) = (self.world.pool().clone(), self.queries());
        let seen = commanded::ensure_not_wider(&pool, &queries, position).await?;
        self.report.shared += u64::try_from(seen)?;
        Ok(())
    }
}

/// Work that may wait until the read models have heard of what it did itself: they follow meanwhile. What fails of
/// that fails again in a step of its own, or it met the fault that was meant for the work.
async fn followed<T>(
    work: impl Future<Output = anyhow::Result<T>>,
    sequencer: &Sequencer,
    runner: &mut Runner,
    processes: [&Process; 2],
) -> anyhow::Result<T> {
    tokio::pin!(work);
    loop {
        let following = follow(sequencer, runner, processes);
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = following => {}
        }
    }
}

/// One round of everybody who follows.
async fn follow(sequencer: &Sequencer, runner: &mut Runner, processes: [&Process; 2]) {
    let moved = sequencer.step().await;
    for process in processes {
        drop(look(&process.store).await);
    }
    let applied = runner.step().await;
    if moved.unwrap_or_default() + applied.unwrap_or_default() == 0 {
        tokio::time::sleep(FOLLOW_PAUSE).await;
    }
}

/// Looks how far the log has come: a process hears of it in its own time.
async fn look(store: &calotype_eventstore::PostgresStore) -> anyhow::Result<()> {
    calotype_eventstore::EventStore::head(store).await?;
    Ok(())
}
