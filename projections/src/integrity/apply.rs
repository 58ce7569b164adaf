//! Events of checks to `integrity_works_v1`.

use async_trait::async_trait;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::integrity::{CheckWork, IntegrityEvent};
use sqlx::PgConnection;

use crate::error::ProjectionError;
use crate::event::Event;
use crate::projection::Projection;

/// Keeps `integrity_works_v1`.
pub struct IntegrityProjection;

#[async_trait]
impl Projection for IntegrityProjection {
    fn name(&self) -> &'static str {
        "integrity"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["integrity_works_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["integrity"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        for event in events {
            let AnyEvent::Integrity(what) = &event.what else { continue };
            let name = event.stream_id.strip_prefix("integrity-").unwrap_or_default();
            match what {
                IntegrityEvent::CheckRequested(requested) => {
                    sqlx::query(
                        "insert into integrity_works_v1 (name, number, work, asked_at)
                         values ($1, $2, $3, $4) on conflict do nothing",
                    )
                    .bind(name)
                    .bind(event.revision)
                    .bind(word(requested.work))
                    .bind(event.recorded_at)
                    .execute(&mut *tx)
                    .await?;
                }
                IntegrityEvent::CheckDone(done) => {
                    sqlx::query("delete from integrity_works_v1 where name = $1 and number <= $2")
                        .bind(name)
                        .bind(done.upto)
                        .execute(&mut *tx)
                        .await?;
                }
            }
        }
        Ok(())
    }
}

const fn word(work: CheckWork) -> &'static str {
    match work {
        CheckWork::Look => "look",
        CheckWork::LookAgain => "look_again",
        CheckWork::Clear => "clear",
    }
}

/// The work that a word names.
pub(super) fn work(word: &str) -> CheckWork {
    match word {
        "clear" => CheckWork::Clear,
        "look_again" => CheckWork::LookAgain,
        _ => CheckWork::Look,
    }
}
