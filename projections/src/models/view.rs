//! Rows about models.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A model that said something, and of how many assets.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct KnownModel {
    /// What it is asked for.
    pub task: String,
    /// Made of its name, revision and digest.
    pub model_id: Uuid,
    /// Its name.
    pub name: String,
    /// Its revision.
    pub revision: String,
    /// SHA-256 of its file, lower-case hex.
    pub sha256: String,
    /// Assets of which what it says counts.
    pub assets: i64,
    /// Assets of which it is kept beside what counts.
    pub beside: i64,
}

/// A trial.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ModelTrialView {
    /// Its id.
    pub trial_id: Uuid,
    /// What the model is asked for.
    pub task: String,
    /// The name that it is asked by.
    pub name: String,
    /// The model's id.
    pub model_id: Uuid,
    /// The model's own name.
    pub model_name: String,
    /// Its revision.
    pub model_revision: String,
    /// SHA-256 of its file, lower-case hex.
    pub model_sha256: String,
    /// Whose assets it is shown; everybody's where there is none.
    pub user_ids: Vec<Uuid>,
    /// How many assets at most.
    pub sample: Option<i64>,
    /// `open`, `finished` or `cancelled`.
    pub state: String,
    /// When it began.
    pub begun_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Assets that the model said something of, once it is finished.
    pub tried: i64,
    /// Assets that it could say nothing of, once it is finished.
    pub failed: i64,
}

impl ModelTrialView {
    /// Whether it is of the whole library.
    #[must_use]
    pub fn is_of_all(&self) -> bool {
        self.user_ids.is_empty() && self.sample.is_none()
    }

    /// Whether the model was shown all that it was to be shown.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.state == "finished"
    }
}

/// How far a trial is that is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct TrialProgress {
    /// The last asset in the order of ids that was done.
    pub after_id: Uuid,
    /// Assets that were looked at, also those whose result was known.
    pub seen: i64,
    /// Assets that the model said something of.
    pub tried: i64,
    /// Assets that it could say nothing of.
    pub failed: i64,
    /// Where the log was when it had been shown every asset; of faces the groups are being made.
    pub shown_at: Option<i64>,
}

/// The last switch of a task's model.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ModelSwitch {
    /// What the model is asked for.
    pub task: String,
    /// The event.
    pub event_id: Uuid,
    /// The name that the model is asked by.
    pub name: String,
    /// The model that was switched to.
    pub model_id: Uuid,
    /// The model before.
    pub former_id: Uuid,
    /// Whether it is a way back.
    pub is_rollback: bool,
    /// Whether there is a way back.
    pub can_roll_back: bool,
    /// When.
    pub switched_at: DateTime<Utc>,
}
