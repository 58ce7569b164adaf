//! What `/metrics` tells of the log, its readers, the queues and parked work: looked at every few seconds, in every
//! process.

use std::time::Duration;

use calotype_domain::asset::Stage;
use calotype_projections::standing::{parked_streams, standing};
use calotype_projections::{Progress, ProjectionError};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::wiring::Core;

/// How often gauges are brought up to date.
const EVERY: Duration = Duration::from_secs(10);

/// Keeps the gauges up to date until cancelled.
pub(crate) async fn keep(
    core: Core,
    progress: Progress,
    recorder: PrometheusHandle,
    cancel: CancellationToken,
) {
    while !cancel.is_cancelled() {
        // Samples of histograms pile up until somebody reads or sums them, and maybe nobody reads.
        recorder.run_upkeep();
        if let Err(error) = measure(&core, &progress).await {
            error!(error = &error as &dyn std::error::Error, "cannot measure how everybody stands");
        }
        tokio::select! {
            () = cancel.cancelled() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

async fn measure(core: &Core, progress: &Progress) -> Result<(), ProjectionError> {
    for status in core.queries.projections().await? {
        metrics::gauge!("calotype_projection_lag_events", "projection" => status.name)
            .set(count(status.lag_events));
    }
    let standing = standing(&core.pool, progress.applied()).await?;
    metrics::gauge!("calotype_unordered_events").set(count(standing.unordered_events));
    metrics::gauge!("calotype_unordered_seconds").set(seconds(standing.unordered_seconds));
    metrics::gauge!("calotype_relay_lag_events").set(count(standing.relay_events()));
    metrics::gauge!("calotype_relay_lag_seconds").set(seconds(standing.relay_seconds));
    let (streams, assets) = parked_streams(&core.pool).await?;
    metrics::gauge!("calotype_parked_streams").set(count(streams));
    metrics::gauge!("calotype_parked_assets").set(count(assets));
    let counts = core.queries.queue_counts().await?;
    for stage in Stage::ALL.map(Stage::as_str) {
        // What has nothing left has no row, and its gauge goes back to zero.
        let counts = counts.get(stage).copied().unwrap_or_default();
        for (state, number) in [("waiting", counts.waiting), ("failed", counts.failed)] {
            metrics::gauge!("calotype_queue_assets", "stage" => stage, "state" => state)
                .set(count(number));
        }
    }
    Ok(())
}

fn count(number: i64) -> f64 {
    f64::from(i32::try_from(number).unwrap_or(i32::MAX))
}

/// Nothing waits where there is no age.
fn seconds(age: Option<f64>) -> f64 {
    age.map_or(0.0, |age| age.max(0.0))
}
