//! Legal holds: placing and releasing them, and asking for them before anything is deleted for good.
//!
//! Whoever deletes shares a gate with others who do, in all processes; whoever places a hold has it alone. So what
//! was answered as held is not deleted by somebody who asked a moment before.

use calotype_domain::asset::AssetError;
use calotype_domain::hold::{self, Held, HoldCommand, HoldError, Holds};
use calotype_domain::user::{User, UserError};
use calotype_domain::{AssetId, UserId};
use calotype_eventstore::StreamId;

use crate::context::CommandContext;
use crate::dispatch::{Commands, Outcome};
use crate::error::CommandError;
use crate::turns::Shared;

pub(crate) fn stream() -> StreamId {
    StreamId::new("hold", hold::KEY)
}

/// What is held, as long as nothing else can be.
pub(crate) struct Standing {
    pub(crate) holds: Holds,
    _gate: Shared,
}

impl Commands {
    /// Everything that is held.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn holds(&self) -> Result<Holds, CommandError<HoldError>> {
        self.load::<Holds>(&stream()).await.map(|(holds, _)| holds)
    }

    /// Holds an asset or an account: it is not deleted for good until that is released.
    ///
    /// # Errors
    /// [`HoldError::NotFound`] for what is not there or is deleted for good already; see [`CommandError`].
    pub async fn place_hold(
        &self,
        ctx: &CommandContext,
        held: Held,
        reason: &str,
    ) -> Result<Outcome, CommandError<HoldError>> {
        let _gate = self.turns.take_alone().await?;
        let owner_id = self.owner_of_held(held).await?;
        let owner_id = owner_id.ok_or(CommandError::Refused(HoldError::NotFound))?;
        let command = HoldCommand::Place { held, owner_id, reason: reason.to_owned() };
        self.dispatch::<Holds>(ctx, stream(), Some(subject(held)), &command).await
    }

    /// Releases a hold.
    ///
    /// # Errors
    /// [`HoldError::NotHeld`]; see [`CommandError`].
    pub async fn release_hold(
        &self,
        ctx: &CommandContext,
        held: Held,
        reason: Option<&str>,
    ) -> Result<Outcome, CommandError<HoldError>> {
        let command = HoldCommand::Release { held, reason: reason.map(str::to_owned) };
        self.dispatch::<Holds>(ctx, stream(), Some(subject(held)), &command).await
    }

    /// Whose something is that can be held or erased; nobody's where it is not there.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn owner_of_held(
        &self,
        held: Held,
    ) -> Result<Option<UserId>, CommandError<HoldError>> {
        match held {
            Held::Asset(asset_id) => {
                let asset = self.asset(asset_id).await;
                let asset = asset
                    .map_err(|error| error.map_refusal(|_: AssetError| HoldError::NotFound))?;
                Ok(asset.owner_id())
            }
            Held::User(user_id) => {
                let stream_id = StreamId::new("user", user_id);
                let (user, _) = self
                    .load::<User>(&stream_id)
                    .await
                    .map_err(|error| error.map_refusal(|_: UserError| HoldError::NotFound))?;
                Ok(user.is_there().then_some(user_id))
            }
        }
    }

    /// What is held, for somebody who is about to delete for good: nothing more is until this is dropped.
    pub(crate) async fn standing_holds(&self) -> Result<Standing, CommandError<HoldError>> {
        let gate = self.turns.take_shared().await?;
        Ok(Standing { holds: self.holds().await?, _gate: gate })
    }
}

impl Standing {
    /// Whether an asset may be deleted for good.
    pub(crate) fn allow_asset(
        &self,
        asset_id: AssetId,
        owner_id: UserId,
    ) -> Result<(), CommandError<AssetError>> {
        match self.holds.of_asset(asset_id, owner_id) {
            Some(held) => Err(CommandError::Refused(AssetError::Held(held))),
            None => Ok(()),
        }
    }
}

/// Whose key seals the reason: with what was held it is forgotten.
fn subject(held: Held) -> String {
    format!("{}-{}", held.kind(), held.id())
}

/// A failure to read holds, as one of whoever asked.
pub(crate) fn failed<E: std::error::Error + 'static>(
    error: CommandError<HoldError>,
) -> CommandError<E> {
    match error {
        CommandError::Refused(_) | CommandError::Contended => CommandError::Contended,
        CommandError::Decode(error) => CommandError::Decode(error),
        CommandError::Read(error) => CommandError::Read(error),
        CommandError::Append(error) => CommandError::Append(error),
        CommandError::Password => CommandError::Password,
    }
}
