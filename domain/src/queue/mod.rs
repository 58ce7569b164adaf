//! A work queue that people may pause, and whose work they may ask to be done again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::asset::Stage;
use crate::event::{Aggregate, cqrs_aggregate, events};

/// The queues of Immich's administration pages, in its order.
pub const NAMES: [&str; 19] = [
    "thumbnailGeneration",
    "metadataExtraction",
    "videoConversion",
    "faceDetection",
    "facialRecognition",
    "smartSearch",
    "duplicateDetection",
    "backgroundTask",
    "storageTemplateMigration",
    "migration",
    "search",
    "sidecar",
    "library",
    "notifications",
    "backupDatabase",
    "ocr",
    "workflow",
    "integrityCheck",
    "editor",
];

/// The step of processing that a queue stands for; none for a queue without work of that kind.
#[must_use]
pub fn stage_of(queue: &str) -> Option<Stage> {
    match queue {
        "metadataExtraction" => Some(Stage::Metadata),
        "thumbnailGeneration" => Some(Stage::Thumbnails),
        _ => None,
    }
}

/// Which assets a re-run covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RerunScope {
    /// Every asset.
    All,
    /// Those whose step failed, or was taken off the queue.
    Missing,
}

/// No new work is started from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QueuePaused {}

/// Work goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QueueResumed {}

/// The queue's work is to be done again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QueueRerunRequested {
    /// For which assets.
    pub scope: RerunScope,
}

/// What waited in the queue was taken off it; the assets go without until somebody asks again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QueueEmptied {}

/// What had failed counts as failed no longer; the assets go without until somebody asks again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QueueFailuresCleared {}

/// Housekeeping that can be started by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ManualJob {
    /// Let go memories that nobody kept.
    MemoryCleanup,
    /// Make memories.
    MemoryCreate,
    /// Remove people who have no face.
    PersonCleanup,
    /// Remove tags that no asset carries.
    TagCleanup,
    /// Remove accounts whose delay is over, and what else is due.
    UserCleanup,
}

/// Somebody started a piece of housekeeping by hand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QueueJobRequested {
    /// Which.
    pub job: ManualJob,
}

/// Version 2 knows a job more; what version 1 says stays true.
fn more_jobs(payload: Value) -> Value {
    payload
}

events! {
    /// Everything that can have happened to a queue.
    QueueEvent for "queue" {
        Emptied(QueueEmptied) 1,
        FailuresCleared(QueueFailuresCleared) 1,
        JobRequested(QueueJobRequested) 2 [more_jobs],
        Paused(QueuePaused) 1,
        RerunRequested(QueueRerunRequested) 1,
        Resumed(QueueResumed) 1,
    }
}

/// A wish about one queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueCommand {
    /// Start no new work.
    Pause,
    /// Go on.
    Resume,
    /// Do the work again.
    Rerun(RerunScope),
    /// Take off the queue what waits in it.
    Empty,
    /// Count as failed no longer what has failed.
    ClearFailures,
    /// Do a piece of housekeeping now.
    Job(ManualJob),
}

/// A queue refuses nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {}

/// A queue, folded from its events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Queue {
    paused: bool,
}

impl Aggregate for Queue {
    type Command = QueueCommand;
    type Event = QueueEvent;
    type Error = QueueError;

    fn decide(&self, command: &QueueCommand) -> Result<Vec<QueueEvent>, QueueError> {
        Ok(match command {
            QueueCommand::Pause if !self.paused => vec![QueuePaused {}.into()],
            QueueCommand::Resume if self.paused => vec![QueueResumed {}.into()],
            QueueCommand::Pause | QueueCommand::Resume => vec![],
            QueueCommand::Job(job) => vec![QueueJobRequested { job: *job }.into()],
            QueueCommand::Rerun(scope) => vec![QueueRerunRequested { scope: *scope }.into()],
            QueueCommand::Empty => vec![QueueEmptied {}.into()],
            QueueCommand::ClearFailures => vec![QueueFailuresCleared {}.into()],
        })
    }

    fn evolve(&mut self, event: &QueueEvent) {
        match event {
            QueueEvent::Paused(QueuePaused {}) => self.paused = true,
            QueueEvent::Resumed(QueueResumed {}) => self.paused = false,
            QueueEvent::JobRequested(_)
            | QueueEvent::RerunRequested(_)
            | QueueEvent::Emptied(QueueEmptied {})
            | QueueEvent::FailuresCleared(QueueFailuresCleared {}) => {}
        }
    }
}

cqrs_aggregate!(Queue, QueueCommand, QueueEvent, QueueError);

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

    #[test]
    fn pausing_twice_happens_once() {
        TestFramework::<Queue>::with(())
            .given(vec![QueuePaused {}.into()])
            .when(QueueCommand::Pause)
            .then_expect_events(vec![]);
    }
}
