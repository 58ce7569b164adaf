//! A work queue that people may pause, and whose work they may ask to be done again.

mod proposal;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::EventId;
use crate::asset::Stage;
use crate::event::{Aggregate, cqrs_aggregate, events};
use crate::undo::way::{Row, never};

pub use proposal::{QueueProposalAccepted, QueueProposalDiscarded, QueueProposalRequested};

/// The queues of Immich's administration pages, in its order.
pub const NAMES: [&str; 19] = [
    "thumbnailGeneration",
    "metadataExtraction",
    "videoConversion",
    "faceDetection",
    RECOGNITION,
    "smartSearch",
    "duplicateDetection",
    "backgroundTask",
    STORAGE_TEMPLATE,
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
        "editor" => Some(Stage::Edits),
        "videoConversion" => Some(Stage::Video),
        "smartSearch" => Some(Stage::Embedding),
        "ocr" => Some(Stage::Text),
        "faceDetection" => Some(Stage::Faces),
        _ => None,
    }
}

/// The queue that reads the XMP files beside originals, which is a part of reading metadata.
pub const SIDECAR: &str = "sidecar";

/// The queue of housekeeping that is started by hand.
pub const BACKGROUND: &str = "backgroundTask";

/// The queue that looks at the files of external libraries.
pub const LIBRARY: &str = "library";

/// The queue that moves originals to where the storage template says.
pub const STORAGE_TEMPLATE: &str = "storageTemplateMigration";

/// The queue that finds assets which show the same.
pub const DUPLICATES: &str = "duplicateDetection";

/// The queue that says whose faces those are that were found.
pub const RECOGNITION: &str = "facialRecognition";

/// Whether people may ask for a queue's work to be done again.
#[must_use]
pub fn can_rerun(queue: &str) -> bool {
    matches!(queue, SIDECAR | LIBRARY | STORAGE_TEMPLATE | DUPLICATES | RECOGNITION)
        || stage_of(queue).is_some()
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
    /// This event, as its answer names it; none where it was asked for before requests were answered.
    pub request_id: Option<EventId>,
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
    /// This event, as its answer names it; none where it was asked for before requests were answered.
    pub request_id: Option<EventId>,
}

/// A job or a re-run that somebody asked for was done: everything that follows from it is in the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QueueRequestDone {
    /// The event that asked for it.
    pub request_id: EventId,
}

/// Version 2 knows a job more; what version 1 says stays true.
fn more_jobs(payload: Value) -> Value {
    payload
}

/// Before requests were answered they were done when they were heard of: nobody waits for an answer.
fn done_unanswered(mut payload: Value) -> Value {
    if let Value::Object(members) = &mut payload {
        members.insert("request_id".to_owned(), Value::Null);
    }
    payload
}

/// How events of queues go back: not at all.
pub(crate) const WAYS: &[Row] = &[
    never("QueueEmptied", "queue", QUEUE),
    never("QueueFailuresCleared", "queue", QUEUE),
    never("QueueJobRequested", "queue", QUEUE),
    never("QueuePaused", "queue", QUEUE),
    never("QueueProposalAccepted", "queue", QUEUE),
    never("QueueProposalDiscarded", "queue", "The proposal is forgotten; ask for another one"),
    never("QueueProposalRequested", "queue", "It changed nothing; discard the proposal by hand"),
    never("QueueRequestDone", "queue", "It tells what was done"),
    never("QueueRerunRequested", "queue", QUEUE),
    never("QueueResumed", "queue", QUEUE),
];
const QUEUE: &str = "Work was begun, held or left out; start or pause the queue by hand";

events! {
    /// Everything that can have happened to a queue.
    QueueEvent for "queue" {
        Emptied(QueueEmptied) 1,
        FailuresCleared(QueueFailuresCleared) 1,
        JobRequested(QueueJobRequested) 3 [more_jobs, done_unanswered],
        Paused(QueuePaused) 1,
        ProposalAccepted(QueueProposalAccepted) 1,
        ProposalDiscarded(QueueProposalDiscarded) 1,
        ProposalRequested(QueueProposalRequested) 1,
        RequestDone(QueueRequestDone) 1,
        RerunRequested(QueueRerunRequested) 2 [done_unanswered],
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
    /// Work out what doing all of it again would change, and change nothing.
    Propose,
    /// Do what was proposed last, where it is this proposal.
    Accept(EventId),
    /// Forget what was proposed last, where it is this proposal.
    Discard(EventId),
    /// A job or a re-run was done.
    Finish(EventId),
}

/// A wish, with the id that its event gets if it leads to one: a request is known by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueOrder {
    /// The id of the event.
    pub event_id: EventId,
    /// The wish.
    pub command: QueueCommand,
}

/// A queue refuses nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {}

/// A queue, folded from its events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Queue {
    paused: bool,
    /// Requests that wait to be done; people ask by hand, so there are few.
    open: BTreeSet<EventId>,
    /// The last request that may have led to a proposal, until somebody agrees to it or not.
    #[serde(default)]
    proposal: Option<EventId>,
    /// The last that somebody agreed to, and the request to do it.
    #[serde(default)]
    accepted: Option<(EventId, EventId)>,
}

impl Queue {
    /// Whether a job or a re-run is still to be done: it was asked for, is not done and was not taken off.
    #[must_use]
    pub fn is_open(&self, request_id: EventId) -> bool {
        self.open.contains(&request_id)
    }

    /// The request that may have led to the last proposal, to which nobody has agreed yet, or not.
    #[must_use]
    pub const fn proposal(&self) -> Option<EventId> {
        self.proposal
    }

    /// The last proposal that somebody agreed to, and whether it is still to be done.
    #[must_use]
    pub fn accepted(&self) -> Option<(EventId, bool)> {
        self.accepted.map(|(proposal_id, request_id)| (proposal_id, self.is_open(request_id)))
    }
}

impl Aggregate for Queue {
    type Command = QueueOrder;
    type Event = QueueEvent;
    type Error = QueueError;

    fn decide(&self, order: &QueueOrder) -> Result<Vec<QueueEvent>, QueueError> {
        let request_id = Some(order.event_id);
        Ok(match &order.command {
            QueueCommand::Pause if !self.paused => vec![QueuePaused {}.into()],
            QueueCommand::Resume if self.paused => vec![QueueResumed {}.into()],
            QueueCommand::Pause | QueueCommand::Resume => vec![],
            QueueCommand::Job(_) | QueueCommand::Rerun(_) | QueueCommand::Propose
                if self.is_open(order.event_id) =>
            {
                vec![]
            }
            QueueCommand::Job(job) => vec![QueueJobRequested { job: *job, request_id }.into()],
            QueueCommand::Rerun(scope) => {
                vec![QueueRerunRequested { scope: *scope, request_id }.into()]
            }
            QueueCommand::Propose => {
                vec![QueueProposalRequested { request_id: order.event_id }.into()]
            }
            QueueCommand::Accept(proposal_id) if self.proposal == Some(*proposal_id) => {
                let (proposal_id, request_id) = (*proposal_id, order.event_id);
                vec![QueueProposalAccepted { proposal_id, request_id }.into()]
            }
            QueueCommand::Discard(proposal_id) if self.proposal == Some(*proposal_id) => {
                vec![QueueProposalDiscarded { proposal_id: *proposal_id }.into()]
            }
            QueueCommand::Accept(_) | QueueCommand::Discard(_) => vec![],
            QueueCommand::Empty => vec![QueueEmptied {}.into()],
            QueueCommand::ClearFailures => vec![QueueFailuresCleared {}.into()],
            QueueCommand::Finish(request_id) if self.is_open(*request_id) => {
                vec![QueueRequestDone { request_id: *request_id }.into()]
            }
            QueueCommand::Finish(_) => vec![],
        })
    }

    fn evolve(&mut self, event: &QueueEvent) {
        match event {
            QueueEvent::Paused(QueuePaused {}) => self.paused = true,
            QueueEvent::Resumed(QueueResumed {}) => self.paused = false,
            QueueEvent::JobRequested(asked) => self.open.extend(asked.request_id),
            QueueEvent::RerunRequested(asked) => {
                self.open.extend(asked.request_id);
                if asked.scope == RerunScope::All {
                    self.proposal = asked.request_id;
                }
            }
            QueueEvent::ProposalRequested(asked) => {
                self.open.insert(asked.request_id);
                self.proposal = Some(asked.request_id);
            }
            QueueEvent::ProposalAccepted(accepted) => {
                self.open.insert(accepted.request_id);
                self.accepted = Some((accepted.proposal_id, accepted.request_id));
                self.proposal = None;
            }
            QueueEvent::ProposalDiscarded(discarded) => {
                self.open.remove(&discarded.proposal_id);
                self.proposal = None;
            }
            QueueEvent::RequestDone(done) => {
                self.open.remove(&done.request_id);
            }
            QueueEvent::Emptied(QueueEmptied {}) => self.open.clear(),
            QueueEvent::FailuresCleared(QueueFailuresCleared {}) => {}
        }
    }
}

cqrs_aggregate!(Queue, QueueOrder, QueueEvent, QueueError);

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;
    use crate::event::DomainEvent as _;

    const REQUEST: EventId = EventId::new(uuid::Uuid::from_u128(1));
    const LATER: EventId = EventId::new(uuid::Uuid::from_u128(2));

    fn order(command: QueueCommand) -> QueueOrder {
        QueueOrder { event_id: LATER, command }
    }

    fn asked() -> QueueEvent {
        QueueRerunRequested { scope: RerunScope::All, request_id: Some(REQUEST) }.into()
    }

    fn done() -> QueueEvent {
        QueueRequestDone { request_id: REQUEST }.into()
    }

    fn queue(events: &[QueueEvent]) -> Queue {
        let mut queue = Queue::default();
        events.iter().for_each(|event| queue.evolve(event));
        queue
    }

    #[test]
    fn pausing_twice_happens_once() {
        TestFramework::<Queue>::with(())
            .given(vec![QueuePaused {}.into()])
            .when(order(QueueCommand::Pause))
            .then_expect_events(vec![]);
    }

    #[test]
    fn a_request_is_known_by_its_event() {
        let job = ManualJob::TagCleanup;
        TestFramework::<Queue>::with(())
            .given(vec![asked()])
            .when(order(QueueCommand::Job(job)))
            .then_expect_events(vec![QueueJobRequested { job, request_id: Some(LATER) }.into()]);
    }

    #[test]
    fn a_request_is_done_once() {
        TestFramework::<Queue>::with(())
            .given(vec![asked()])
            .when(order(QueueCommand::Finish(REQUEST)))
            .then_expect_events(vec![done()]);
        TestFramework::<Queue>::with(())
            .given(vec![asked(), done()])
            .when(order(QueueCommand::Finish(REQUEST)))
            .then_expect_events(vec![]);
    }

    #[test]
    fn what_was_taken_off_is_open_no_more() {
        assert!(queue(&[asked()]).is_open(REQUEST));
        assert!(!queue(&[asked(), QueueEmptied {}.into()]).is_open(REQUEST));
        assert!(queue(&[QueueEmptied {}.into(), asked()]).is_open(REQUEST));
        TestFramework::<Queue>::with(())
            .given(vec![asked(), QueueEmptied {}.into()])
            .when(order(QueueCommand::Finish(REQUEST)))
            .then_expect_events(vec![]);
    }

    #[test]
    fn only_the_last_proposal_is_agreed_to_and_once() {
        let proposed: QueueEvent = QueueProposalRequested { request_id: REQUEST }.into();
        let accepted = QueueProposalAccepted { proposal_id: REQUEST, request_id: LATER };
        TestFramework::<Queue>::with(())
            .given(vec![proposed.clone(), done()])
            .when(order(QueueCommand::Accept(REQUEST)))
            .then_expect_events(vec![accepted.clone().into()]);
        for given in [
            vec![proposed.clone(), done(), accepted.into()],
            vec![proposed.clone(), QueueProposalDiscarded { proposal_id: REQUEST }.into()],
            vec![proposed, QueueProposalRequested { request_id: LATER }.into()],
            vec![],
        ] {
            TestFramework::<Queue>::with(())
                .given(given.clone())
                .when(order(QueueCommand::Accept(REQUEST)))
                .then_expect_events(vec![]);
            TestFramework::<Queue>::with(())
                .given(given)
                .when(order(QueueCommand::Discard(REQUEST)))
                .then_expect_events(vec![]);
        }
    }

    #[test]
    fn a_rerun_of_everything_may_lead_to_a_proposal() {
        TestFramework::<Queue>::with(())
            .given(vec![asked(), done()])
            .when(order(QueueCommand::Discard(REQUEST)))
            .then_expect_events(vec![QueueProposalDiscarded { proposal_id: REQUEST }.into()]);
    }

    #[test]
    fn a_proposal_that_is_discarded_is_waited_for_no_more() {
        let proposed: QueueEvent = QueueProposalRequested { request_id: REQUEST }.into();
        assert!(queue(std::slice::from_ref(&proposed)).is_open(REQUEST));
        let discarded = QueueProposalDiscarded { proposal_id: REQUEST }.into();
        assert!(!queue(&[proposed, discarded]).is_open(REQUEST));
    }

    #[test]
    fn what_was_asked_for_before_there_were_answers_is_not_open() {
        let old = [
            ("QueueJobRequested", 1, r#"{"job":"tag_cleanup"}"#),
            ("QueueJobRequested", 2, r#"{"job":"person_cleanup"}"#),
            ("QueueRerunRequested", 1, r#"{"scope":"all"}"#),
        ];
        for (event_type, version, payload) in old {
            let event = QueueEvent::from_raw(event_type, version, payload).unwrap();
            assert!(queue(&[event]).open.is_empty(), "{event_type} of version {version}");
        }
    }
}
