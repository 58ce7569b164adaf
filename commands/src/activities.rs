//! Wishes about comments and likes. A person likes a thing once: the like's reservation and its event
//! are written in one transaction.

use calotype_domain::activity::{
    Activity, ActivityCommand, ActivityCommented, ActivityError, ActivityLiked, ActivityTarget,
};
use calotype_domain::reservation::{Reservation, ReservationCommand, ReservationError};
use calotype_domain::{ActivityId, UserId};
use calotype_eventstore::{Revision, StreamId};

use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome, Written};
use crate::error::CommandError;
use crate::users::subject as user_subject;

/// What became of a like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Liked {
    /// It is new.
    Created(ActivityId, Outcome),
    /// They liked it before; where that was written, because it may not show yet.
    Before(ActivityId, Outcome),
}

pub(crate) fn stream(activity_id: ActivityId) -> StreamId {
    StreamId::new("activity", activity_id)
}

impl Commands {
    pub(crate) fn like_stream(&self, user_id: UserId, target: ActivityTarget) -> StreamId {
        let asset = target.asset_id.map(|asset_id| asset_id.to_string()).unwrap_or_default();
        let value = format!("{user_id}/{}/{asset}", target.album_id);
        StreamId::new("reservation", self.keyring.hmac("activity-like", &value))
    }

    /// Comments; says the comment's id and where it was written.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn comment(
        &self,
        ctx: &CommandContext,
        commented: ActivityCommented,
    ) -> Result<(ActivityId, Outcome), CommandError<ActivityError>> {
        let activity_id = ActivityId::new(self.new_id(ctx, "activity"));
        let subject = Some(user_subject(commented.user_id));
        let command = ActivityCommand::Comment(commented);
        let outcome =
            self.dispatch::<Activity>(ctx, stream(activity_id), subject, &command).await?;
        Ok((activity_id, outcome))
    }

    /// Likes, unless the same person likes the same thing already.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn like(
        &self,
        ctx: &CommandContext,
        liked: ActivityLiked,
    ) -> Result<Liked, CommandError<ActivityError>> {
        let activity_id = ActivityId::new(self.new_id(ctx, "activity"));
        let once = self.like_stream(liked.user_id, liked.target);
        let reserve = ReservationCommand::Reserve { holder_id: activity_id.uuid() };
        let command = ActivityCommand::Like(liked);
        for _ in 0..ATTEMPTS_MAX {
            let mut unit = self.unit(ctx);
            match unit.apply::<Reservation>(once.clone(), None, &reserve).await {
                Ok(_) => {}
                Err(CommandError::Refused(ReservationError::Taken { holder_id })) => {
                    let before = ActivityId::new(holder_id);
                    return Ok(Liked::Before(before, self.first_of(before).await?));
                }
                Err(error) => return Err(error.map_refusal(|_| ActivityError::AlreadyExists)),
            }
            unit.apply::<Activity>(stream(activity_id), None, &command).await?;
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(Liked::Created(activity_id, outcome));
            }
        }
        Err(CommandError::Contended)
    }

    /// Where a comment or a like was written.
    async fn first_of(
        &self,
        activity_id: ActivityId,
    ) -> Result<Outcome, CommandError<ActivityError>> {
        let stream_id = stream(activity_id);
        let page = self.store.read_stream(&stream_id, Revision::new(0), 1).await?;
        Ok(page.into_iter().next().map_or(Outcome::AlreadyTrue, |first| {
            Outcome::Committed(Written {
                stream_id,
                revision: first.revision,
                event_id: first.event_id,
            })
        }))
    }

    /// Removes a comment or a like; a like may be given again then.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn delete_activity(
        &self,
        ctx: &CommandContext,
        by: UserId,
        owns_album: bool,
        activity_id: ActivityId,
    ) -> Result<Outcome, CommandError<ActivityError>> {
        let command = ActivityCommand::Delete { by, owns_album };
        for _ in 0..ATTEMPTS_MAX {
            let mut unit = self.unit(ctx);
            let before = unit.apply::<Activity>(stream(activity_id), None, &command).await?;
            if let Some((target, user_id)) = before.about().filter(|_| before.is_like()) {
                let release = ReservationCommand::Release { holder_id: activity_id.uuid() };
                unit.apply::<Reservation>(self.like_stream(user_id, target), None, &release)
                    .await
                    .map_err(|error| error.map_refusal(|_| ActivityError::NotFound))?;
            }
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }
}
