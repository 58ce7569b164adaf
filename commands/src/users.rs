//! Wishes about accounts. An e-mail and a storage label belong to one account: their reservations and the account's event
//! are written in one transaction.

use calotype_domain::UserId;
use calotype_domain::reservation::{Reservation, ReservationCommand, ReservationError};
use calotype_domain::user::{ProfileChange, User, UserCommand, UserError, UserRegistered};
use calotype_eventstore::StreamId;

use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome, Unit};
use crate::error::CommandError;
use crate::holds;

/// Why a wish about an account was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// The account's own refusal.
    #[error(transparent)]
    User(#[from] UserError),
    /// Another account has the e-mail.
    #[error("e-mail is taken")]
    EmailTaken,
    /// Another account has the storage label.
    #[error("storage label is taken")]
    LabelTaken,
    /// The first administrator exists already.
    #[error("the first administrator exists already")]
    SetUpDone,
}

/// The subject whose key seals what an account's events say.
#[must_use]
pub fn subject(user_id: UserId) -> String {
    format!("user-{user_id}")
}

pub(crate) fn stream(user_id: UserId) -> StreamId {
    StreamId::new("user", user_id)
}

impl Commands {
    pub(crate) fn email_stream(&self, email: &str) -> StreamId {
        StreamId::new("reservation", self.keyring.hmac("user-email", email))
    }

    pub(crate) fn label_stream(&self, label: &str) -> StreamId {
        StreamId::new("reservation", self.keyring.hmac("user-storage-label", label))
    }

    /// Holds a value for an account, and lets go what it held before.
    async fn hold(
        unit: &mut Unit<'_>,
        user_id: UserId,
        (old, new): (Option<StreamId>, Option<StreamId>),
        taken: AccountError,
    ) -> Result<(), CommandError<AccountError>> {
        let holder_id = user_id.uuid();
        let steps = [
            (new, ReservationCommand::Reserve { holder_id }),
            (old, ReservationCommand::Release { holder_id }),
        ];
        for (stream_id, command) in steps {
            let Some(stream_id) = stream_id else { continue };
            unit.apply::<Reservation>(stream_id, None, &command)
                .await
                .map_err(|error| error.map_refusal(|_: ReservationError| taken.clone()))?;
        }
        Ok(())
    }

    /// Makes an account; `first_admin` is refused once such an account exists.
    ///
    /// # Errors
    /// See [`CommandError`] and [`AccountError`].
    pub async fn register_user(
        &self,
        ctx: &CommandContext,
        email: &str,
        registered: UserRegistered,
        first_admin: bool,
    ) -> Result<(UserId, Outcome), CommandError<AccountError>> {
        let user_id = UserId::new(self.ids.v4());
        let label = registered.storage_label.known().cloned().flatten();
        let reserve = ReservationCommand::Reserve { holder_id: user_id.uuid() };
        let command = UserCommand::Register(Box::new(registered));
        // Of several first accounts at once, whatever is taken was taken by the one that came first.
        let taken = |refusal| if first_admin { AccountError::SetUpDone } else { refusal };
        for _ in 0..ATTEMPTS_MAX {
            let mut unit = self.unit(ctx);
            if first_admin {
                let stream_id =
                    StreamId::new("reservation", self.keyring.hmac("first-admin", "first-admin"));
                unit.apply::<Reservation>(stream_id, None, &reserve)
                    .await
                    .map_err(|error| error.map_refusal(|_| AccountError::SetUpDone))?;
            }
            let email = Some(self.email_stream(email));
            Self::hold(&mut unit, user_id, (None, email), taken(AccountError::EmailTaken)).await?;
            let label = label.as_deref().map(|label| self.label_stream(label));
            Self::hold(&mut unit, user_id, (None, label), taken(AccountError::LabelTaken)).await?;
            unit.apply::<User>(stream(user_id), Some(subject(user_id)), &command)
                .await
                .map_err(|error| error.map_refusal(AccountError::User))?;
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok((user_id, outcome));
            }
        }
        Err(CommandError::Contended)
    }

    /// Changes an account; a new e-mail or storage label is reserved and the old one let go.
    ///
    /// # Errors
    /// See [`CommandError`] and [`AccountError`].
    pub async fn change_user(
        &self,
        ctx: &CommandContext,
        user_id: UserId,
        change: ProfileChange,
    ) -> Result<Outcome, CommandError<AccountError>> {
        let (email, label) = (change.email.clone(), change.storage_label.clone());
        let command = UserCommand::Change(Box::new(change));
        for _ in 0..ATTEMPTS_MAX {
            let mut unit = self.unit(ctx);
            let (user, last) = self.load::<User>(&stream(user_id)).await.map_err(user_refusal)?;
            if let Some(email) = email.as_deref().filter(|wish| user.email() != Some(wish)) {
                let held = (
                    user.email().map(|old| self.email_stream(old)),
                    Some(self.email_stream(email)),
                );
                Self::hold(&mut unit, user_id, held, AccountError::EmailTaken).await?;
            }
            if let Some(label) =
                label.as_ref().filter(|wish| user.storage_label() != wish.as_deref())
            {
                let held = (
                    user.storage_label().map(|old| self.label_stream(old)),
                    label.as_deref().map(|label| self.label_stream(label)),
                );
                Self::hold(&mut unit, user_id, held, AccountError::LabelTaken).await?;
            }
            unit.decide(
                &user,
                last,
                stream(user_id),
                Some(subject(user_id)),
                std::slice::from_ref(&command),
            )
            .map_err(user_refusal)?;
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }

    /// Any other wish about one account.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn user(
        &self,
        ctx: &CommandContext,
        user_id: UserId,
        command: UserCommand,
    ) -> Result<Outcome, CommandError<AccountError>> {
        self.dispatch::<User>(ctx, stream(user_id), Some(subject(user_id)), &command)
            .await
            .map_err(user_refusal)
    }

    /// Removes an account for good: lets its e-mail and storage label go, then destroys its key.
    ///
    /// # Errors
    /// [`UserError::NotDeleted`] while it is not marked as deleted, [`UserError::Held`] while it or anything in it is
    /// under a legal hold; see [`CommandError`].
    pub async fn purge_user(
        &self,
        ctx: &CommandContext,
        user_id: UserId,
    ) -> Result<Outcome, CommandError<AccountError>> {
        let standing = self.standing_holds().await.map_err(holds::failed)?;
        if let Some(held) = standing.holds.of_user(user_id) {
            return Err(CommandError::Refused(UserError::Held(held).into()));
        }
        for _ in 0..ATTEMPTS_MAX {
            let mut unit = self.unit(ctx);
            let user = unit
                .apply::<User>(stream(user_id), Some(subject(user_id)), &UserCommand::Purge)
                .await
                .map_err(user_refusal)?;
            let email = user.email().map(|email| self.email_stream(email));
            Self::hold(&mut unit, user_id, (email, None), AccountError::EmailTaken).await?;
            let label = user.storage_label().map(|label| self.label_stream(label));
            Self::hold(&mut unit, user_id, (label, None), AccountError::LabelTaken).await?;
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                self.store.forget(&subject(user_id)).await?;
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }
}

fn user_refusal(error: CommandError<UserError>) -> CommandError<AccountError> {
    error.map_refusal(AccountError::User)
}
