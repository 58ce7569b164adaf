//! What a queue would change, worked out beforehand and kept until somebody agrees to it or not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::EventId;

/// It is to be worked out what the queue's work would change, and nothing is to be changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QueueProposalRequested {
    /// This event, as its answer names it; the proposal is known by it.
    pub request_id: EventId,
}

/// Somebody agreed to what was proposed: it is to be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QueueProposalAccepted {
    /// The event that asked for the proposal.
    pub proposal_id: EventId,
    /// This event, as its answer names it.
    pub request_id: EventId,
}

/// Somebody did not agree to what was proposed: it is forgotten.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QueueProposalDiscarded {
    /// The event that asked for the proposal.
    pub proposal_id: EventId,
}
