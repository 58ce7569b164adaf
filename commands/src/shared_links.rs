//! Wishes about shared links. A slug names one link: its reservation and the link's event are written in
//! one transaction.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use calotype_domain::link_view::{LinkView, LinkViewError, LinkViewed, RecordView};
use calotype_domain::reservation::{Reservation, ReservationCommand};
use calotype_domain::shared_link::{
    LinkChange, SharedLink, SharedLinkCommand, SharedLinkCreated, SharedLinkError,
};
use calotype_domain::{AssetId, SharedLinkId, UserId};
use calotype_eventstore::StreamId;
use rand::RngCore as _;
use uuid::Uuid;

use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome, Unit};
use crate::error::CommandError;
use crate::users::subject as user_subject;

/// Why a wish about a shared link was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The link's own refusal.
    #[error(transparent)]
    Link(#[from] SharedLinkError),
    /// Another link has the slug.
    #[error("slug is taken")]
    SlugTaken,
}

/// A new key: 50 random bytes as base64url, 67 characters, as Immich makes them.
#[must_use]
pub fn generate_key() -> String {
    let mut bytes = [0_u8; 50];
    rand::rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn stream(shared_link_id: SharedLinkId) -> StreamId {
    StreamId::new("shared_link", shared_link_id)
}

impl Commands {
    pub(crate) fn slug_stream(&self, slug: &str) -> StreamId {
        StreamId::new("reservation", self.keyring.hmac("slug", slug))
    }

    async fn take_slug(
        &self,
        unit: &mut Unit<'_>,
        slug: &str,
        command: ReservationCommand,
    ) -> Result<(), CommandError<LinkError>> {
        unit.apply::<Reservation>(self.slug_stream(slug), None, &command)
            .await
            .map(drop)
            .map_err(|error| error.map_refusal(|_| LinkError::SlugTaken))
    }

    /// Makes a link.
    ///
    /// # Errors
    /// See [`CommandError`] and [`LinkError`].
    pub async fn create_shared_link(
        &self,
        ctx: &CommandContext,
        shared_link_id: SharedLinkId,
        created: SharedLinkCreated,
    ) -> Result<Outcome, CommandError<LinkError>> {
        let subject = user_subject(created.owner_id);
        let slug = created.slug.known().cloned().flatten();
        let holder_id = shared_link_id.uuid();
        let command = SharedLinkCommand::Create { now: ctx.now, created: Box::new(created) };
        for _ in 0..ATTEMPTS_MAX {
            let mut unit = self.unit(ctx);
            if let Some(slug) = &slug {
                let reserve = ReservationCommand::Reserve { holder_id };
                self.take_slug(&mut unit, slug, reserve).await?;
            }
            unit.apply::<SharedLink>(stream(shared_link_id), Some(subject.clone()), &command)
                .await
                .map_err(|error| error.map_refusal(LinkError::Link))?;
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }

    /// Changes a link; a new slug is reserved and the old one let go.
    ///
    /// # Errors
    /// See [`CommandError`] and [`LinkError`].
    pub async fn change_shared_link(
        &self,
        ctx: &CommandContext,
        by: UserId,
        shared_link_id: SharedLinkId,
        change: LinkChange,
    ) -> Result<Outcome, CommandError<LinkError>> {
        let slug = change.slug.clone();
        let command = SharedLinkCommand::Change { by, change: Box::new(change) };
        self.with_slug(ctx, by, shared_link_id, slug, &command).await
    }

    /// Makes a link open nothing, and lets its slug go.
    ///
    /// # Errors
    /// See [`CommandError`] and [`LinkError`].
    pub async fn revoke_shared_link(
        &self,
        ctx: &CommandContext,
        by: UserId,
        shared_link_id: SharedLinkId,
    ) -> Result<Outcome, CommandError<LinkError>> {
        let command = SharedLinkCommand::Revoke { by };
        self.with_slug(ctx, by, shared_link_id, Some(None), &command).await
    }

    async fn with_slug(
        &self,
        ctx: &CommandContext,
        by: UserId,
        shared_link_id: SharedLinkId,
        slug: Option<Option<String>>,
        command: &SharedLinkCommand,
    ) -> Result<Outcome, CommandError<LinkError>> {
        let holder_id = shared_link_id.uuid();
        let subject = user_subject(by);
        for _ in 0..ATTEMPTS_MAX {
            let mut unit = self.unit(ctx);
            let link = unit
                .apply::<SharedLink>(stream(shared_link_id), Some(subject.clone()), command)
                .await
                .map_err(|error| error.map_refusal(LinkError::Link))?;
            if let Some(wish) = &slug
                && wish.as_deref() != link.slug()
            {
                if let Some(old) = link.slug() {
                    let release = ReservationCommand::Release { holder_id };
                    self.take_slug(&mut unit, old, release).await?;
                }
                if let Some(new) = wish {
                    let reserve = ReservationCommand::Reserve { holder_id };
                    self.take_slug(&mut unit, new, reserve).await?;
                }
            }
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }

    /// Lets a link show more assets, or fewer.
    ///
    /// # Errors
    /// See [`CommandError`] and [`LinkError`].
    pub async fn change_link_assets(
        &self,
        ctx: &CommandContext,
        by: UserId,
        shared_link_id: SharedLinkId,
        asset_ids: Vec<AssetId>,
        adds: bool,
    ) -> Result<Outcome, CommandError<LinkError>> {
        let command = if adds {
            SharedLinkCommand::AddAssets { by, asset_ids }
        } else {
            SharedLinkCommand::RemoveAssets { by, asset_ids }
        };
        self.dispatch::<SharedLink>(ctx, stream(shared_link_id), None, &command)
            .await
            .map_err(|error| error.map_refusal(LinkError::Link))
    }

    /// Records that somebody looked at a link of `owner_id`'s; once for each visitor and hour.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn record_link_view(
        &self,
        ctx: &CommandContext,
        owner_id: UserId,
        visitor: &str,
        viewed: LinkViewed,
    ) -> Result<Outcome, CommandError<LinkViewError>> {
        let name = self.keyring.hmac("link-visitor", &format!("{}/{visitor}", viewed.hour));
        let view_id = Uuid::new_v5(&viewed.shared_link_id.uuid(), name.as_bytes());
        let subject = Some(user_subject(owner_id));
        let stream_id = StreamId::new("link_view", view_id);
        self.dispatch::<LinkView>(ctx, stream_id, subject, &RecordView(viewed)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_as_long_as_immichs() {
        assert_eq!(generate_key().len(), 67);
        assert_ne!(generate_key(), generate_key());
    }
}
