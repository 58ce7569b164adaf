//! What is applied late is told by starting anew.
//!
//! A stream that waited in `work.parked` and is settled changes what phones were told, or not told, before: its
//! own changes have numbers that phones are past, what another read model shows was read without them, and what
//! others share was left out meanwhile whatever its number. So whoever may be past it begins again; the numbers
//! stay those of the log.

use sqlx::PgConnection;

use super::SyncProjection;
use crate::error::ProjectionError;
use crate::projection::Projection as _;

/// Stands among a session's acks as a type of its own until the phone has begun again.
pub const HAS_TO_START_ANEW: (&str, &str) = ("SyncResetV1", "SyncResetV1|reset");

/// Lets the phones of all sessions start anew, in the transaction that settles parked events of these streams;
/// nothing when none of them is synced.
///
/// Also who has acknowledged nothing yet is named: their first sync may run at this moment, and what it is told
/// was read before.
pub(crate) async fn start_anew_in_tx(
    tx: &mut PgConnection,
    settled: &[String],
) -> Result<(), ProjectionError> {
    let aggregates: Vec<&str> = settled
        .iter()
        .filter_map(|stream| stream.split_once('-').map(|(aggregate, _)| aggregate))
        .collect();
    anew_after_switch_in_tx(tx, &aggregates).await
}

/// Lets the phones of all sessions start anew, in the transaction that puts other rows in the place of those that
/// they were told from; nothing when no rows of these aggregates are synced.
pub(crate) async fn anew_after_switch_in_tx(
    tx: &mut PgConnection,
    aggregates: &[&str],
) -> Result<(), ProjectionError> {
    let synced = SyncProjection.aggregates();
    if !aggregates.iter().any(|aggregate| synced.contains(aggregate)) {
        return Ok(());
    }
    let (kind, ack) = HAS_TO_START_ANEW;
    sqlx::query(
        "insert into work.sync_acks (session_id, type, ack)
         select session_id, $1, $2 from read.sessions_v2
         on conflict (session_id, type) do update set updated_at = now()",
    )
    .bind(kind)
    .bind(ack)
    .execute(tx)
    .await?;
    Ok(())
}
