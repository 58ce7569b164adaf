//! Wishes about partners. There is one sharing a pair and direction: the pair's reservation and the
//! sharing's event are written in one transaction.

use calotype_domain::partner::{Partner, PartnerCommand, PartnerError};
use calotype_domain::reservation::{Reservation, ReservationCommand};
use calotype_domain::{PartnerId, UserId};
use calotype_eventstore::StreamId;

use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome};
use crate::error::CommandError;

pub(crate) fn stream(partner_id: PartnerId) -> StreamId {
    StreamId::new("partner", partner_id)
}

impl Commands {
    pub(crate) fn pair_stream(&self, shared_by_id: UserId, shared_with_id: UserId) -> StreamId {
        let value = format!("{shared_by_id}/{shared_with_id}");
        StreamId::new("reservation", self.keyring.hmac("partner-pair", &value))
    }

    /// Shares a timeline with somebody.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn add_partner(
        &self,
        ctx: &CommandContext,
        shared_by_id: UserId,
        shared_with_id: UserId,
    ) -> Result<Outcome, CommandError<PartnerError>> {
        let partner_id = PartnerId::new(self.ids.v4());
        let reserve = ReservationCommand::Reserve { holder_id: partner_id.uuid() };
        let command = PartnerCommand::Add { shared_by_id, shared_with_id };
        for _ in 0..ATTEMPTS_MAX {
            let mut unit = self.unit(ctx);
            unit.apply::<Partner>(stream(partner_id), None, &command).await?;
            let pair = self.pair_stream(shared_by_id, shared_with_id);
            unit.apply::<Reservation>(pair, None, &reserve)
                .await
                .map_err(|error| error.map_refusal(|_| PartnerError::AlreadyExists))?;
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }

    /// Shows what somebody shares on the own timeline, or not.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn show_partner_in_timeline(
        &self,
        ctx: &CommandContext,
        shared_by_id: UserId,
        by: UserId,
        in_timeline: bool,
    ) -> Result<Outcome, CommandError<PartnerError>> {
        let partner_id = self.partner_of(shared_by_id, by).await?;
        let command = PartnerCommand::ShowInTimeline { by, in_timeline };
        self.dispatch::<Partner>(ctx, stream(partner_id), None, &command).await
    }

    /// Ends a sharing; nobody wishes it when the server does it by itself.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn remove_partner(
        &self,
        ctx: &CommandContext,
        by: Option<UserId>,
        shared_by_id: UserId,
        shared_with_id: UserId,
    ) -> Result<Outcome, CommandError<PartnerError>> {
        for _ in 0..ATTEMPTS_MAX {
            let partner_id = self.partner_of(shared_by_id, shared_with_id).await?;
            let mut unit = self.unit(ctx);
            unit.apply::<Partner>(stream(partner_id), None, &PartnerCommand::Remove { by }).await?;
            let release = ReservationCommand::Release { holder_id: partner_id.uuid() };
            let pair = self.pair_stream(shared_by_id, shared_with_id);
            unit.apply::<Reservation>(pair, None, &release)
                .await
                .map_err(|error| error.map_refusal(|_| PartnerError::NotFound))?;
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }

    /// The sharing between two people.
    async fn partner_of(
        &self,
        shared_by_id: UserId,
        shared_with_id: UserId,
    ) -> Result<PartnerId, CommandError<PartnerError>> {
        let pair = self.pair_stream(shared_by_id, shared_with_id);
        let (reservation, _) = self
            .load::<Reservation>(&pair)
            .await
            .map_err(|error| error.map_refusal(|_| PartnerError::NotFound))?;
        let holder_id =
            reservation.holder_id().ok_or(CommandError::Refused(PartnerError::NotFound))?;
        Ok(PartnerId::new(holder_id))
    }
}
