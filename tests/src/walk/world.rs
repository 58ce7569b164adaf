//! Log, write side and read side over a database of the walk's own, each moved by hand.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, ensure};
use calotype_commands::Commands;
use calotype_domain::{Clock, IdGen, UserId};
use calotype_eventstore::testing::{TestDatabase, database};
use calotype_eventstore::{
    EventStore, GlobalPosition, Keyring, PostgresOptions, PostgresStore, Sequencer,
};
use calotype_projections::{Runner, projection};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sqlx::PgPool;
use uuid::Uuid;

use crate::database::{Rows, read_rows};
use crate::ids::{SeededIds, TickingClock, any_seed};

/// How many steps the read side may be behind: the batches that it takes are of all sizes up to that.
const BEHIND_STEPS_MAX: u32 = 40;

/// The key of all walks.
pub(crate) fn key() -> Keyring {
    Keyring::from_bytes([7; 32])
}

/// Everything a walk needs.
pub struct World {
    pub(super) random: StdRng,
    /// What moves of originals are drawn from.
    pub(super) move_random: StdRng,
    pub(super) commands: Commands,
    pub(super) users: Vec<UserId>,
    pub(super) assets: Vec<super::assets::Known>,
    pub(super) people: Vec<(UserId, calotype_domain::PersonId)>,
    pub(super) sessions: Vec<calotype_domain::SessionId>,
    pub(super) links: Vec<(UserId, calotype_domain::SharedLinkId)>,
    pub(super) keys: Vec<(UserId, calotype_domain::ApiKeyId)>,
    pub(super) albums: Vec<(UserId, calotype_domain::AlbumId)>,
    pub(super) activities: Vec<(UserId, calotype_domain::ActivityId)>,
    pub(super) notifications: Vec<(UserId, calotype_domain::NotificationId)>,
    pub(super) tags: Vec<(UserId, calotype_domain::TagId)>,
    pub(super) stacks: Vec<(UserId, calotype_domain::StackId)>,
    pub(super) memories: Vec<(UserId, calotype_domain::MemoryId)>,
    /// Who wished what last, by the ids of their requests.
    pub(super) did: Mutex<VecDeque<(UserId, Uuid)>>,
    pub(super) libraries: super::libraries::Libraries,
    pub(super) store: Arc<dyn EventStore>,
    ids: Arc<dyn IdGen>,
    clock: Arc<dyn Clock>,
    sequencer: Sequencer,
    runner: Runner,
    pub(super) database: TestDatabase,
}

impl World {
    /// A new database; the same seed takes the same walk.
    ///
    /// # Errors
    /// The log cannot be opened.
    pub async fn new(seed: u64) -> anyhow::Result<Self> {
        let database = database().await;
        let store =
            PostgresStore::connect(database.pool.clone(), key(), PostgresOptions::default())
                .await
                .context("failed to open the log")?;
        let (shared, pool) = (Arc::new(store.clone()), database.pool.clone());
        Ok(Self::over(seed, database, store, shared, pool))
    }

    /// A walk over a database whose write side has a log and connections of its own.
    #[must_use]
    pub(crate) fn over(
        seed: u64,
        database: TestDatabase,
        store: PostgresStore,
        shared: Arc<dyn EventStore>,
        pool: PgPool,
    ) -> Self {
        let ids: Arc<dyn IdGen> = Arc::new(SeededIds::new(seed));
        let clock: Arc<dyn Clock> = Arc::<TickingClock>::default();
        let commands =
            Commands::new(shared.clone(), Arc::new(key()), Arc::clone(&ids), Arc::clone(&clock))
                .among_processes(pool);
        let runner = Runner::new(database.pool.clone(), shared.clone());
        Self {
            random: StdRng::seed_from_u64(seed),
            move_random: StdRng::seed_from_u64(!seed),
            commands,
            users: Vec::new(),
            assets: Vec::new(),
            people: Vec::new(),
            sessions: Vec::new(),
            links: Vec::new(),
            keys: Vec::new(),
            albums: Vec::new(),
            activities: Vec::new(),
            notifications: Vec::new(),
            tags: Vec::new(),
            stacks: Vec::new(),
            memories: Vec::new(),
            did: Mutex::default(),
            libraries: super::libraries::Libraries::new(StdRng::seed_from_u64(!seed)),
            store: shared,
            ids,
            clock,
            sequencer: Sequencer::new(store),
            runner,
            database,
        }
    }

    /// The write side dies and is started again: it remembers nothing.
    pub(crate) fn restart_writing(&mut self, shared: Arc<dyn EventStore>, pool: PgPool) {
        self.commands = self.commands_over(shared.clone(), pool);
        self.store = shared;
    }

    /// The write side of a process with a log and connections of its own.
    pub(crate) fn commands_over(&self, shared: Arc<dyn EventStore>, pool: PgPool) -> Commands {
        let (ids, clock) = (Arc::clone(&self.ids), Arc::clone(&self.clock));
        Commands::new(shared, Arc::new(key()), ids, clock).among_processes(pool)
    }

    /// One wish of somebody, of each kind that there is; nothing follows.
    ///
    /// # Errors
    /// A command fails for another reason than a rule.
    pub(crate) async fn wish(&mut self) -> anyhow::Result<()> {
        self.step().await?;
        self.library_step().await?;
        self.move_now_and_then().await
    }

    /// The write side of another process over the same database.
    ///
    /// # Errors
    /// The log cannot be opened.
    pub async fn another_process(&self) -> anyhow::Result<Commands> {
        let (pool, options) = (self.database.pool.clone(), PostgresOptions::default());
        let store = PostgresStore::connect(pool, key(), options).await?;
        let ids: Arc<dyn IdGen> = Arc::new(SeededIds::new(any_seed()));
        let clock: Arc<dyn Clock> = Arc::<TickingClock>::default();
        let commands = Commands::new(Arc::new(store), Arc::new(key()), ids, clock);
        Ok(commands.among_processes(self.database.pool.clone()))
    }

    /// Takes so many steps; the read side follows now and then, so that its batches are of many sizes.
    ///
    /// # Errors
    /// A command fails for another reason than a rule.
    pub async fn walk(&mut self, steps: u32) -> anyhow::Result<()> {
        let mut behind = 0;
        for _ in 0..steps {
            self.wish().await?;
            if behind == 0 {
                self.follow().await?;
                behind = self.random.random_range(1..=BEHIND_STEPS_MAX);
            }
            behind -= 1;
        }
        self.follow().await
    }

    /// Orders what was written and applies it.
    ///
    /// # Errors
    /// What the database said, or that a stream was parked.
    pub async fn follow(&mut self) -> anyhow::Result<()> {
        while self.sequencer.step().await? > 0 {}
        self.runner.run_until_quiet().await?;
        let parked: Vec<String> = sqlx::query_scalar(
            "select name || ': ' || stream_id || ': ' || reason from work.parked where kind = 'projection'",
        )
        .fetch_all(&self.database.pool)
        .await?;
        ensure!(parked.is_empty(), "a projection could not apply events: {parked:?}");
        Ok(())
    }

    /// Up to where every read model has applied the log.
    #[must_use]
    pub fn applied(&self) -> GlobalPosition {
        *self.runner.position().borrow()
    }

    /// What the read tables hold.
    ///
    /// # Errors
    /// What the database said.
    pub async fn rows(&self) -> anyhow::Result<Rows> {
        read_rows(&self.database.pool).await
    }

    /// Makes every projection anew from the whole log.
    ///
    /// # Errors
    /// An event cannot be applied.
    pub async fn rebuild(&mut self) -> anyhow::Result<()> {
        let queries = self.queries();
        for projection in projection::all() {
            queries.rebuild(projection.name()).await?;
        }
        Ok(())
    }

    /// Puts all checkpoints back by some events, so that these are applied once more.
    ///
    /// # Errors
    /// What the database said.
    pub async fn apply_again(&mut self, events: i64) -> anyhow::Result<()> {
        sqlx::query(
            "update work.checkpoints
                set position = greatest(0, position - $1)
              where name <> 'relay'",
        )
        .bind(events)
        .execute(&self.database.pool)
        .await?;
        self.runner.load().await?;
        self.follow().await
    }

    /// Events in the log.
    ///
    /// # Errors
    /// What the database said.
    pub async fn events(&self) -> anyhow::Result<i64> {
        Ok(sqlx::query_scalar("select count(*) from log.events")
            .fetch_one(&self.database.pool)
            .await?)
    }
}
