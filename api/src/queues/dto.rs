//! A queue as clients see it, counted from what assets still wait for and from what people asked of it.

use calotype_domain::asset::Stage;
use calotype_domain::queue::{
    DUPLICATES, LIBRARY, NAMES, RECOGNITION, SIDECAR, STORAGE_TEMPLATE, stage_of,
};
use calotype_projections::assets::MovesLeft;
use calotype_projections::jobs::{QueueCounts, QueueStanding};
use chrono::TimeDelta;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::state::Api;
use crate::validate::not_an_option;

/// What was to be written or taken out of a file for longer is kept by something that waiting does not end; it is
/// done when that ends, and is not counted until then.
const COUNTED_FOR: TimeDelta = TimeDelta::hours(1);
/// The queue that checks the stored files.
const CHECKS: &str = "integrityCheck";

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
    let standing = api.queries.queue_standing(api.commands.clock().now() - COUNTED_FOR).await?;
    let paused = api.queries.paused_queues().await?;
    let checks = i64::try_from(api.queries.checks_due().await?.len()).unwrap_or(i64::MAX);
    let moves = api.queries.moves_left(api.commands.clock().now()).await?;
    let queue = |name: &'static str| {
        let is_paused = paused.iter().any(|paused| paused == name);
        let open = standing.asked.get(name).copied().unwrap_or_default();
        if name == STORAGE_TEMPLATE {
            let statistics = of_moves(moves, api.in_flight.of(name), open, is_paused);
            return QueueResponseDto { name, is_paused, statistics };
        }
        let counts = counts_of(name, &standing, checks);
        let in_flight = match stage_of(name) {
            Some(stage) => api.in_flight.of(stage.as_str()),
            None if [LIBRARY, CHECKS, RECOGNITION].contains(&name) => api.in_flight.of(name),
            None => 0,
        };
        let statistics = statistics(counts, in_flight, open, is_paused);
        QueueResponseDto { name, is_paused, statistics }
    };
    Ok(NAMES.into_iter().map(queue).collect())
}

/// What waits in a queue, and what failed there. Beside the steps of assets it holds what Immich's queue of the same
/// name does: people's pictures are thumbnails, and live photos are put together while files are read.
fn counts_of(name: &str, standing: &QueueStanding, checks: i64) -> QueueCounts {
    let stage = stage_of(name);
    let steps = stage.and_then(|stage| standing.steps.get(stage.as_str())).copied();
    let steps = steps.unwrap_or_default();
    let more = match (stage, name) {
        (Some(Stage::Thumbnails), _) => standing.people,
        (Some(Stage::Metadata), _) => standing.live_photos,
        (_, SIDECAR) => standing.sidecars,
        // Each is one job, however many files it has.
        (_, LIBRARY) => standing.libraries,
        (_, CHECKS) => checks,
        (_, DUPLICATES) => standing.comparisons,
        (_, RECOGNITION) => standing.recognitions,
        _ => 0,
    };
    QueueCounts { waiting: steps.waiting.saturating_add(more), ..steps }
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

/// Those being worked on are among the waiting ones in our counts, and apart from them in Immich's. Of `open`
/// requests, for instance a re-run of everything, one is worked on; it counts until what it asks for waits, so
/// that a queue does not look done in between.
fn statistics(
    counts: QueueCounts,
    in_flight: usize,
    open: i64,
    is_paused: bool,
) -> QueueStatisticsDto {
    let undone = counts.waiting.max(0);
    let working = i64::try_from(in_flight).unwrap_or(i64::MAX).min(undone);
    let active = working.saturating_add(open.min(1));
    let rest = (undone - working).saturating_add((open - 1).max(0));
    let (waiting, paused) = if is_paused { (0, rest) } else { (rest, 0) };
    QueueStatisticsDto {
        active,
        failed: counts.failed,
        waiting,
        paused,
        ..QueueStatisticsDto::default()
    }
}

fn of_moves(left: MovesLeft, in_flight: usize, open: i64, is_paused: bool) -> QueueStatisticsDto {
    let counts = QueueCounts { waiting: left.waiting, failed: left.failed, missing: 0 };
    QueueStatisticsDto { delayed: left.delayed, ..statistics(counts, in_flight, open, is_paused) }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const COUNTS: QueueCounts = QueueCounts { waiting: 5, failed: 2, missing: 1 };

    #[test]
    fn what_is_worked_on_does_not_wait() {
        let counted = statistics(COUNTS, 2, 0, false);
        assert_eq!((counted.active, counted.waiting, counted.failed, counted.paused), (2, 3, 2, 0));
    }

    #[test]
    fn no_more_is_active_than_is_undone() {
        let counted = statistics(QueueCounts::default(), 3, 0, false);
        assert_eq!((counted.active, counted.waiting), (0, 0));
    }

    #[test]
    fn paused_work_does_not_wait() {
        let counted = statistics(COUNTS, 1, 0, true);
        assert_eq!((counted.active, counted.waiting, counted.paused), (1, 0, 4));
    }

    #[test]
    fn what_was_asked_for_counts_until_it_is_done() {
        let counted = statistics(QueueCounts::default(), 0, 3, false);
        assert_eq!((counted.active, counted.waiting), (1, 2));
        let counted = statistics(COUNTS, 2, 1, false);
        assert_eq!((counted.active, counted.waiting), (3, 3));
    }

    #[test]
    fn former_files_of_what_was_moved_are_removed_later() {
        let left = MovesLeft { waiting: 3, delayed: 4, failed: 1 };
        let counted = of_moves(left, 1, 0, false);
        let all = (counted.active, counted.waiting, counted.delayed, counted.failed);
        assert_eq!(all, (1, 2, 4, 1));
    }

    #[test]
    fn work_without_a_step_counts_in_its_queue() {
        let steps = HashMap::from([("thumbnails".to_owned(), COUNTS)]);
        let standing = QueueStanding {
            steps,
            asked: HashMap::new(),
            libraries: 1,
            live_photos: 3,
            sidecars: 4,
            people: 6,
            comparisons: 8,
            recognitions: 9,
        };
        let waiting = |name: &str| counts_of(name, &standing, 7).waiting;
        assert_eq!(waiting("thumbnailGeneration"), 5 + 6);
        assert_eq!(waiting("metadataExtraction"), 3);
        assert_eq!((waiting("sidecar"), waiting("library"), waiting("integrityCheck")), (4, 1, 7));
        assert_eq!((waiting("duplicateDetection"), waiting("videoConversion")), (8, 0));
        assert_eq!((waiting("facialRecognition"), waiting("faceDetection")), (9, 0));
    }

    #[test]
    fn unknown_queue_is_refused() {
        assert!(known("metadataExtraction").is_ok());
        assert!(known("nope").is_err());
    }
}
