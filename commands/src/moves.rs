//! Recording that the files of an asset were moved, and having them in hand.

use std::sync::Arc;

use calotype_domain::AssetId;
use calotype_domain::asset::{Asset, AssetCommand, AssetError, Move};
use calotype_eventstore::Revision;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::assets::{stream, subject};
use crate::context::CommandContext;
use crate::dispatch::{Commands, Outcome};
use crate::error::CommandError;

/// First number of the advisory locks of assets in hand: ASCII `move`. The second is the hash of the asset's id.
pub const FILES_LOCK: i32 = 0x6d6f_7665;
/// Assets that a process has in hand at once beside those that it moves, each with a connection to the database.
const HELD_MAX: usize = 2;

/// Takes an asset's files in hand until the transaction ends; `false` when somebody has them. Who moves them,
/// puts one in the place of another or removes them for good does it with this in hand.
///
/// # Errors
/// What the database said.
pub async fn hold_in_tx(tx: &mut PgConnection, asset_id: AssetId) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select pg_try_advisory_xact_lock($1, hashtext($2::uuid::text))")
        .bind(FILES_LOCK)
        .bind(asset_id.uuid())
        .fetch_one(tx)
        .await
}

/// Takes files in hand. Cheap to clone; clones take turns.
#[derive(Clone, Debug)]
pub struct FileHolds {
    pool: PgPool,
    turns: Arc<Semaphore>,
}

/// An asset's files are in hand until this is dropped.
#[derive(Debug)]
pub struct Held {
    _tx: Transaction<'static, Postgres>,
    _turn: Option<OwnedSemaphorePermit>,
}

impl FileHolds {
    /// Over a pool of connections.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool, turns: Arc::new(Semaphore::new(HELD_MAX)) }
    }

    /// Takes an asset's files in hand; nothing when somebody has them.
    ///
    /// # Errors
    /// What the database said.
    pub async fn hold(&self, asset_id: AssetId) -> Result<Option<Held>, sqlx::Error> {
        // Nobody closes it.
        let turn = Arc::clone(&self.turns).acquire_owned().await.ok();
        let mut tx = self.pool.begin().await?;
        let is_mine = hold_in_tx(&mut tx, asset_id).await?;
        Ok(is_mine.then_some(Held { _tx: tx, _turn: turn }))
    }
}

impl Commands {
    /// Records that an asset's files lie elsewhere, where they are whole and durable.
    ///
    /// `known` is the asset as the processor read it, before it looked at the files.
    ///
    /// # Errors
    /// See [`CommandError`]; [`CommandError::Contended`] where it has changed since: then its files may have.
    pub async fn record_move(
        &self,
        ctx: &CommandContext,
        asset_id: AssetId,
        known: (Asset, Revision),
        wish: Move,
    ) -> Result<Outcome, CommandError<AssetError>> {
        let mut unit = self.unit(ctx);
        let command = [AssetCommand::RecordMove(Box::new(wish))];
        let subject = Some(subject(asset_id));
        unit.decide(&known.0, Some(known.1), stream(asset_id), subject, &command)?;
        unit.commit().await.map_err(CommandError::Append)?.ok_or(CommandError::Contended)
    }
}
