//! Erasures: what was forgotten for good, with a signed receipt of each.
//!
//! All of a server are one stream: there are few, and whoever asks asks for all.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::{Aggregate, cqrs_aggregate, events};
use crate::hold::Held;
use crate::id::ErasureId;
use crate::undo::way::{Row, never};

/// The key of the stream.
pub const KEY: &str = "receipts";

/// Something was erased, and what it left was scrubbed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErasureDone {
    /// Which erasure.
    pub erasure_id: ErasureId,
    /// What.
    pub erased: Held,
    /// When that was done.
    pub done_at: DateTime<Utc>,
    /// The receipt: what was destroyed and what is kept, as text signed by the log's key.
    pub receipt: String,
}

/// How erasures go back: not at all.
pub(crate) const WAYS: &[Row] =
    &[never("ErasureDone", "erased", "It was erased: nobody has what it was")];

events! {
    /// Everything that can have happened to the erasures of a server.
    ErasureEvent for "erasure" {
        Done(ErasureDone) 1,
    }
}

/// Taking note of an erasure.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordErasure(pub ErasureDone);

/// What was done is never refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ErasureError {}

/// The erasures of a server; nothing of them decides anything.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Erasures {}

impl Aggregate for Erasures {
    type Command = RecordErasure;
    type Event = ErasureEvent;
    type Error = ErasureError;

    fn decide(
        &self,
        RecordErasure(done): &RecordErasure,
    ) -> Result<Vec<ErasureEvent>, ErasureError> {
        Ok(vec![done.clone().into()])
    }

    fn evolve(&mut self, event: &ErasureEvent) {
        match event {
            ErasureEvent::Done(_) => {}
        }
    }
}

cqrs_aggregate!(Erasures, RecordErasure, ErasureEvent, ErasureError);

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

    #[test]
    fn each_erasure_is_recorded() {
        let done = ErasureDone {
            erasure_id: ErasureId::default(),
            erased: Held::User(crate::id::UserId::default()),
            done_at: DateTime::UNIX_EPOCH,
            receipt: "receipt".to_owned(),
        };
        TestFramework::<Erasures>::with(())
            .given(vec![done.clone().into()])
            .when(RecordErasure(done.clone()))
            .then_expect_events(vec![done.into()]);
    }
}
