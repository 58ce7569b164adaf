//! A comment or a like in an album.

mod undo;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::{Aggregate, cqrs_aggregate, events};
use crate::id::{AlbumId, AssetId, UserId};
use crate::sealed::Sealed;

pub(crate) use undo::WAYS;

/// What a comment or a like is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ActivityTarget {
    /// The album.
    pub album_id: AlbumId,
    /// One of its assets; nothing for the album as a whole.
    pub asset_id: Option<AssetId>,
}

/// Somebody commented.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ActivityCommented {
    /// About what.
    pub target: ActivityTarget,
    /// Who.
    pub user_id: UserId,
    /// What they said; sealed under the key of who said it.
    pub comment: Sealed<String>,
}

/// Somebody liked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ActivityLiked {
    /// What.
    pub target: ActivityTarget,
    /// Who.
    pub user_id: UserId,
}

/// It was taken back, or the owner of the album removed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ActivityDeleted {
    /// By whom.
    pub by: UserId,
}

/// Its removal was taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ActivityRestored {
    /// What it is about.
    pub target: ActivityTarget,
    /// Whose it is.
    pub user_id: UserId,
    /// What they said; nothing for a like. Sealed under the key of who said it.
    pub comment: Sealed<Option<String>>,
    /// When it was said.
    pub created_at: DateTime<Utc>,
}

events! {
    /// Everything that can have happened to a comment or a like.
    ActivityEvent for "activity" {
        Commented(ActivityCommented) 1,
        Deleted(ActivityDeleted) 1,
        Liked(ActivityLiked) 1,
        Restored(ActivityRestored) 1,
    }
}

/// A wish about one comment or like.
#[derive(Clone, Debug, PartialEq)]
pub enum ActivityCommand {
    /// Comment.
    Comment(ActivityCommented),
    /// Like.
    Like(ActivityLiked),
    /// Remove it.
    Delete {
        /// Who wishes it.
        by: UserId,
        /// Whether they own the album.
        owns_album: bool,
    },
}

/// Why a wish about a comment or a like was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActivityError {
    /// There is none, it is deleted, or it is somebody else's.
    #[error("activity does not exist")]
    NotFound,
    /// It was made before.
    #[error("activity exists already")]
    AlreadyExists,
}

/// A comment or a like, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    about: Option<(ActivityTarget, UserId)>,
    is_like: bool,
    comment: Option<String>,
    deleted: bool,
}

impl Activity {
    /// What it is about and whose it is, while it exists.
    #[must_use]
    pub fn about(&self) -> Option<(ActivityTarget, UserId)> {
        self.about.filter(|_| !self.deleted)
    }

    /// What it was about and whose it was, whether it is deleted or not.
    #[must_use]
    pub fn was_about(&self) -> Option<(ActivityTarget, UserId)> {
        self.about
    }

    /// Whether it is a like.
    #[must_use]
    pub fn is_like(&self) -> bool {
        self.is_like
    }
}

impl Aggregate for Activity {
    type Command = ActivityCommand;
    type Event = ActivityEvent;
    type Error = ActivityError;

    fn decide(&self, command: &ActivityCommand) -> Result<Vec<ActivityEvent>, ActivityError> {
        match command {
            ActivityCommand::Comment(_) | ActivityCommand::Like(_) if self.about.is_some() => {
                Err(ActivityError::AlreadyExists)
            }
            ActivityCommand::Comment(commented) => Ok(vec![commented.clone().into()]),
            ActivityCommand::Like(liked) => Ok(vec![liked.clone().into()]),
            ActivityCommand::Delete { by, owns_album } => match self.about() {
                Some((_, author)) if author == *by || *owns_album => {
                    Ok(vec![ActivityDeleted { by: *by }.into()])
                }
                _ => Err(ActivityError::NotFound),
            },
        }
    }

    fn evolve(&mut self, event: &ActivityEvent) {
        match event {
            ActivityEvent::Commented(said) => {
                self.about = Some((said.target, said.user_id));
                self.comment = said.comment.known().cloned();
            }
            ActivityEvent::Liked(liked) => {
                self.about = Some((liked.target, liked.user_id));
                self.is_like = true;
            }
            ActivityEvent::Deleted(_) => self.deleted = true,
            ActivityEvent::Restored(_) => self.deleted = false,
        }
    }
}

cqrs_aggregate!(Activity, ActivityCommand, ActivityEvent, ActivityError);

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use uuid::Uuid;

    use super::*;

    const AUTHOR: UserId = UserId::new(Uuid::from_u128(1));
    const OTHER: UserId = UserId::new(Uuid::from_u128(2));

    fn commented() -> ActivityEvent {
        let target = ActivityTarget { album_id: AlbumId::new(Uuid::from_u128(3)), asset_id: None };
        ActivityCommented { target, user_id: AUTHOR, comment: "Nice".to_owned().into() }.into()
    }

    fn delete(by: UserId, owns_album: bool) -> ActivityCommand {
        ActivityCommand::Delete { by, owns_album }
    }

    #[test]
    fn author_and_owner_of_the_album_delete() {
        for (by, owns_album) in [(AUTHOR, false), (OTHER, true)] {
            TestFramework::<Activity>::with(())
                .given(vec![commented()])
                .when(delete(by, owns_album))
                .then_expect_events(vec![ActivityDeleted { by }.into()]);
        }
    }

    #[test]
    fn others_do_not_delete() {
        TestFramework::<Activity>::with(())
            .given(vec![commented()])
            .when(delete(OTHER, false))
            .then_expect_error(ActivityError::NotFound);
    }

    #[test]
    fn deleted_activity_is_not_found() {
        TestFramework::<Activity>::with(())
            .given(vec![commented(), ActivityDeleted { by: AUTHOR }.into()])
            .when(delete(AUTHOR, false))
            .then_expect_error(ActivityError::NotFound);
    }
}
