//! Waiting at the start until the read side shows what the log held: a password that was changed meanwhile must
//! not open anything, and work that a crash left is found at once.
//!
//! A read model that is made anew from a large log takes its time, so the start waits as long as it moves, tells
//! how fast, and gives up only when it stands still.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use calotype_eventstore::{EventStore, PostgresStore};
use calotype_projections::Progress;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tracing::info;

/// How long the read side may show nothing more before the start fails. One batch of events takes seconds.
const STANDS_STILL_MAX: Duration = Duration::from_secs(300);
/// How often is looked, where nothing rings before.
const POLL: Duration = Duration::from_millis(250);
/// How often the log is told how far it is.
const TOLD_EVERY: Duration = Duration::from_secs(5);

/// Waits until the read side has applied everything that is in the log, or the server is to stop.
///
/// # Errors
/// When the database cannot be asked, or the read side stands still.
pub(crate) async fn catch_up(
    pool: &PgPool,
    store: &PostgresStore,
    progress: &Progress,
    soft: &CancellationToken,
) -> anyhow::Result<()> {
    let (mut applied, mut ordered) = (progress.watch(), store.positions());
    let mut pace = Pace::new(progress.applied().get(), Instant::now());
    while !soft.is_cancelled() {
        applied.mark_unchanged();
        ordered.mark_unchanged();
        let waiting: bool = sqlx::query_scalar("select exists (select from log.outbox)")
            .fetch_one(pool)
            .await
            .context("failed to look for events without a position")?;
        let head = store.head().await.context("failed to read the log's head")?;
        if !waiting && progress.applied() >= head {
            return Ok(());
        }
        match pace.look(progress.applied().get(), head.get(), Instant::now()) {
            Moves::StandsStill => anyhow::bail!(
                "the read side has applied nothing more of the log for {} s, at {} of {}; see `calotype projections \
                 list`",
                STANDS_STILL_MAX.as_secs(),
                progress.applied().get(),
                head.get()
            ),
            Moves::Tell { per_second, left_seconds } => info!(
                applied = progress.applied().get(),
                head = head.get(),
                per_second,
                left_seconds,
                "the read models take in what is in the log; then the port opens"
            ),
            Moves::On => {}
        }
        tokio::select! {
            () = soft.cancelled() => {}
            Ok(()) = applied.changed() => {}
            Ok(()) = ordered.changed() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
    Ok(())
}

/// What a look at the position says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moves {
    /// Nothing to tell.
    On,
    /// It is time to tell: events a second since it was told last, and seconds that are left at that; nothing
    /// where it did not move since.
    Tell { per_second: u64, left_seconds: Option<u64> },
    /// It has not moved for too long.
    StandsStill,
}

/// How a position moves.
struct Pace {
    at: i64,
    since: Instant,
    told_at: i64,
    told: Instant,
}

impl Pace {
    fn new(at: i64, now: Instant) -> Self {
        Self { at, since: now, told_at: at, told: now }
    }

    fn look(&mut self, at: i64, head: i64, now: Instant) -> Moves {
        // Back counts as well: whoever makes a read model anew begins at the first event.
        if at != self.at {
            (self.at, self.since) = (at, now);
        }
        if now.duration_since(self.since) >= STANDS_STILL_MAX {
            return Moves::StandsStill;
        }
        let took = now.duration_since(self.told);
        if took < TOLD_EVERY {
            return Moves::On;
        }
        let came = u64::try_from(at - self.told_at).unwrap_or_default();
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
        let per_second = came.saturating_mul(1_000) / millis;
        let left = u64::try_from(head - at).unwrap_or_default();
        (self.told_at, self.told) = (at, now);
        Moves::Tell { per_second, left_seconds: left.checked_div(per_second) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_moves_is_waited_for_however_long_it_takes() {
        let start = Instant::now();
        let mut pace = Pace::new(0, start);
        for minute in 1..=120_u32 {
            let moves =
                pace.look(i64::from(minute), 1_000, start + Duration::from_secs(60) * minute);
            assert_ne!(moves, Moves::StandsStill, "after {minute} minutes");
        }
    }

    #[test]
    fn who_stands_still_is_given_up() {
        let start = Instant::now();
        let mut pace = Pace::new(0, start);
        let later = start + Duration::from_secs(100);
        assert_ne!(pace.look(7, 9, later), Moves::StandsStill);
        assert_ne!(pace.look(7, 9, later + STANDS_STILL_MAX / 2), Moves::StandsStill);
        assert_eq!(pace.look(7, 9, later + STANDS_STILL_MAX), Moves::StandsStill);
    }

    #[test]
    fn rate_and_time_left_are_told_every_few_seconds() {
        let start = Instant::now();
        let mut pace = Pace::new(0, start);
        assert_eq!(pace.look(5_000, 60_000, start + TOLD_EVERY / 2), Moves::On);
        let told = Moves::Tell { per_second: 2_000, left_seconds: Some(25) };
        assert_eq!(pace.look(10_000, 60_000, start + TOLD_EVERY), told);
        assert_eq!(pace.look(11_000, 60_000, start + TOLD_EVERY * 3 / 2), Moves::On);
        let told = Moves::Tell { per_second: 0, left_seconds: None };
        let mut still = Pace::new(1, start);
        assert_eq!(still.look(1, 9, start + TOLD_EVERY), told);
    }
}
