//! A queue as clients see it, counted from what assets still wait for.

use std::collections::HashMap;

use calotype_domain::queue::{NAMES, stage_of};
use calotype_projections::jobs::QueueCounts;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::state::Api;
use crate::validate::not_an_option;

/// How many jobs are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct QueueStatisticsDto {
    pub(crate) active: i64,
    completed: i64,
    failed: i64,
    delayed: i64,
    waiting: i64,
    paused: i64,
}

/// One queue.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueueResponseDto {
    #[schema(value_type = String)]
    pub(crate) name: &'static str,
    pub(crate) is_paused: bool,
    pub(crate) statistics: QueueStatisticsDto,
}

/// Every queue, in the order of Immich's page.
pub(crate) async fn all(api: &Api) -> Result<Vec<QueueResponseDto>, Problem> {
    let counts: HashMap<String, QueueCounts> = api.queries.queue_counts().await?;
    let paused = api.queries.paused_queues().await?;
    let queue = |name: &'static str| {
        let is_paused = paused.iter().any(|paused| paused == name);
        let statistics = stage_of(name).map_or_else(QueueStatisticsDto::default, |stage| {
            let counts = counts.get(stage.as_str()).copied().unwrap_or_default();
            statistics(counts, api.in_flight.of(stage.as_str()), is_paused)
        });
        QueueResponseDto { name, is_paused, statistics }
    };
    Ok(NAMES.into_iter().map(queue).collect())
}

/// One queue.
pub(crate) async fn one(api: &Api, name: &str) -> Result<QueueResponseDto, Problem> {
    let found = all(api).await?.into_iter().find(|queue| queue.name == name);
    found.ok_or_else(no_such_queue)
}

/// The queue that a path names.
///
/// # Errors
/// 400 when there is none.
pub(crate) fn known(name: &str) -> Result<&'static str, Problem> {
    NAMES.into_iter().find(|known| *known == name).ok_or_else(no_such_queue)
}

fn no_such_queue() -> Problem {
    Problem::validation(vec![not_an_option(&NAMES, &["name"])])
}

/// Those being worked on are among the waiting ones in our counts, and apart from them in Immich's.
fn statistics(counts: QueueCounts, in_flight: usize, is_paused: bool) -> QueueStatisticsDto {
    let undone = counts.waiting.max(0);
    let active = i64::try_from(in_flight).unwrap_or(i64::MAX).min(undone);
    let rest = undone - active;
    let (waiting, paused) = if is_paused { (0, rest) } else { (rest, 0) };
    QueueStatisticsDto {
        active,
        failed: counts.failed,
        waiting,
        paused,
        ..QueueStatisticsDto::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTS: QueueCounts = QueueCounts { waiting: 5, failed: 2, missing: 1 };

    #[test]
    fn what_is_worked_on_does_not_wait() {
        let counted = statistics(COUNTS, 2, false);
        assert_eq!((counted.active, counted.waiting, counted.failed, counted.paused), (2, 3, 2, 0));
    }

    #[test]
    fn no_more_is_active_than_is_undone() {
        let counted = statistics(QueueCounts::default(), 3, false);
        assert_eq!((counted.active, counted.waiting), (0, 0));
    }

    #[test]
    fn paused_work_does_not_wait() {
        let counted = statistics(COUNTS, 1, true);
        assert_eq!((counted.active, counted.waiting, counted.paused), (1, 0, 4));
    }

    #[test]
    fn unknown_queue_is_refused() {
        assert!(known("metadataExtraction").is_ok());
        assert!(known("nope").is_err());
    }
}
