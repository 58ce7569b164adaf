//! Wishes about sessions.

use calotype_domain::session::{Session, SessionCommand, SessionError, SessionOpened};
use calotype_domain::{SessionId, UserId};
use calotype_eventstore::StreamId;

use crate::context::CommandContext;
use crate::dispatch::{Commands, Outcome};
use crate::error::CommandError;
use crate::users::subject as user_subject;

fn stream(session_id: SessionId) -> StreamId {
    StreamId::new("session", session_id)
}

impl Commands {
    /// Opens a session; says its id and where it was written.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn open_session(
        &self,
        ctx: &CommandContext,
        opened: SessionOpened,
    ) -> Result<(SessionId, Outcome), CommandError<SessionError>> {
        let session_id = SessionId::new(self.ids.v4());
        let subject = Some(user_subject(opened.user_id));
        let command = SessionCommand::Open(opened);
        let outcome = self.dispatch::<Session>(ctx, stream(session_id), subject, &command).await?;
        Ok((session_id, outcome))
    }

    /// Asks a session's app to start its sync anew, or takes that back.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn set_session_sync_reset(
        &self,
        ctx: &CommandContext,
        user_id: UserId,
        session_id: SessionId,
        pending: bool,
    ) -> Result<Outcome, CommandError<SessionError>> {
        let command = SessionCommand::SetSyncReset(pending);
        self.dispatch::<Session>(ctx, stream(session_id), Some(user_subject(user_id)), &command)
            .await
    }

    /// Opens what is locked to a session, keeps it open for longer, or closes it again.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn lock_or_unlock_session(
        &self,
        ctx: &CommandContext,
        session_id: SessionId,
        command: SessionCommand,
    ) -> Result<Outcome, CommandError<SessionError>> {
        self.dispatch::<Session>(ctx, stream(session_id), None, &command).await
    }

    /// Closes a session.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn close_session(
        &self,
        ctx: &CommandContext,
        session_id: SessionId,
    ) -> Result<Outcome, CommandError<SessionError>> {
        self.dispatch::<Session>(ctx, stream(session_id), None, &SessionCommand::Close).await
    }
}
