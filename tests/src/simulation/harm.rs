//! Things that must never happen, done on purpose: who looks has to find them.

use anyhow::{Context as _, ensure};
use uuid::Uuid;

use super::{Plan, Report, Simulation};

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// Somebody was told that an event is safe, which is nowhere.
    LoseAcknowledged,
    /// Everybody is everybody's partner, and no event says so.
    ShareWithEverybody,
    /// A row differs from what the log makes of it.
    ChangeRow,
    /// The file of an asset is gone.
    RemoveFile,
}

/// As [`super::live`], with one harm before the last look.
///
/// # Errors
/// Something does not hold.
pub async fn live_and_harm(plan: Plan, harm: Harm) -> anyhow::Result<Report> {
    let mut simulation = Simulation::new(plan.seed).await?;
    for _ in 0..plan.runs {
        simulation.run(plan.steps).await?;
    }
    simulation.harm(harm).await.context("no harm was done")?;
    simulation.run(0).await?;
    simulation.end().await
}

impl Simulation {
    async fn harm(&mut self, harm: Harm) -> anyhow::Result<()> {
        match harm {
            Harm::LoseAcknowledged => {
                let mut told = self.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                told.push(Uuid::nil());
                Ok(())
            }
            Harm::ShareWithEverybody => {
                self.change(
                    "insert into read.partners_v1
                     select gen_random_uuid(), 0, gives.user_id, sees.user_id, false, now(), now()
                       from read.users_v1 as gives cross join read.users_v1 as sees",
                )
                .await
            }
            Harm::ChangeRow => {
                self.change("update read.assets_v1 set is_favorite = not is_favorite").await
            }
            Harm::RemoveFile => {
                for (_, sent) in self.files.values() {
                    self.worker.blobs.remove(&sent.key).await?;
                }
                ensure!(!self.files.is_empty(), "no file was sent");
                Ok(())
            }
        }
    }

    async fn change(&self, sql: &'static str) -> anyhow::Result<()> {
        let changed = sqlx::query(sql).execute(self.world.pool()).await?;
        ensure!(changed.rows_affected() > 0, "no row was changed");
        Ok(())
    }
}
