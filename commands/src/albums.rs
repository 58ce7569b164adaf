//! Wishes about albums. Many people add to one album at once, so each waits for its turn on it.

use calotype_domain::access::AlbumRole;
use calotype_domain::album::{Album, AlbumChange, AlbumCommand, AlbumError, NewAlbum};
use calotype_domain::hold::Held;
use calotype_domain::notification::{
    NotificationKind, NotificationLevel, NotificationSent, NotificationText,
};
use calotype_domain::{AlbumId, AssetId, NotificationId, UserId};
use calotype_eventstore::StreamId;
use serde_json::{Map, json};

use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome};
use crate::error::CommandError;
use crate::holds;

/// Albums changed in one transaction.
pub const BULK_ALBUMS_MAX: usize = 100;

/// The subject whose key seals what an album's events say.
#[must_use]
pub fn subject(album_id: AlbumId) -> String {
    format!("album-{album_id}")
}

pub(crate) fn stream(album_id: AlbumId) -> StreamId {
    StreamId::new("album", album_id)
}

/// What became of a wish to put assets into an album, or to take them out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlbumChanged {
    /// Which album.
    pub album_id: AlbumId,
    /// Those assets of the wish that were in it before.
    pub inside_before: Vec<AssetId>,
}

/// What people are told who get a part in an album.
#[derive(Clone, Copy, Debug)]
pub struct Invitation<'a> {
    /// Who shares it, by name.
    pub by: &'a str,
    /// What the album is called.
    pub album: &'a str,
}

impl Invitation<'_> {
    fn to_each(self, album_id: AlbumId, users: &[(UserId, AlbumRole)]) -> Vec<NotificationSent> {
        let Self { by, album } = self;
        let text = NotificationText {
            title: "Shared Album Invitation".to_owned(),
            description: Some(format!("{by} shared an album ({album}) with you")),
            data: Some(Map::from_iter([("albumId".to_owned(), json!(album_id))])),
        };
        users
            .iter()
            .map(|(user_id, _)| NotificationSent {
                user_id: *user_id,
                level: NotificationLevel::Success,
                kind: NotificationKind::AlbumInvite,
                text: text.clone().into(),
            })
            .collect()
    }
}

impl Commands {
    /// Makes an album; says its id and where it was written. Whoever gets a part in it is told, where there
    /// is something to tell.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn create_album(
        &self,
        ctx: &CommandContext,
        new: NewAlbum,
        invitation: Option<&Invitation<'_>>,
    ) -> Result<(AlbumId, Outcome), CommandError<AlbumError>> {
        let album_id = AlbumId::new(self.new_id(ctx, "album"));
        let told = invitation.map(|it| it.to_each(album_id, &new.users)).unwrap_or_default();
        let command = AlbumCommand::Create(Box::new(new));
        // The album is new by its random id: nothing to load.
        let mut unit = self.unit(ctx);
        unit.decide(
            &Album::default(),
            None,
            stream(album_id),
            Some(subject(album_id)),
            std::slice::from_ref(&command),
        )?;
        for sent in told {
            let word = format!("notification/{}", sent.user_id);
            unit.tell(NotificationId::new(self.new_id(ctx, &word)), sent)?;
        }
        let outcome = unit.commit().await.map_err(CommandError::Append)?;
        Ok((album_id, outcome.ok_or(CommandError::Contended)?))
    }

    /// Changes what the owner of an album may change.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn change_album(
        &self,
        ctx: &CommandContext,
        by: UserId,
        album_id: AlbumId,
        change: AlbumChange,
    ) -> Result<Outcome, CommandError<AlbumError>> {
        let command = AlbumCommand::Change { by, change: Box::new(change) };
        self.album(ctx, album_id, &command).await
    }

    /// Gives people a part in an album, and tells them in the same transaction.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn add_album_users(
        &self,
        ctx: &CommandContext,
        by: UserId,
        album_id: AlbumId,
        users: Vec<(UserId, AlbumRole)>,
        invitation: Option<&Invitation<'_>>,
    ) -> Result<Outcome, CommandError<AlbumError>> {
        let told = invitation.map(|it| it.to_each(album_id, &users)).unwrap_or_default();
        let command = AlbumCommand::AddUsers { by, users };
        let (_, outcome) = self.albums_part(ctx, &[album_id], &[], &command, &told).await?;
        Ok(outcome)
    }

    /// Gives somebody another part in an album.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn change_album_role(
        &self,
        ctx: &CommandContext,
        by: UserId,
        album_id: AlbumId,
        user_id: UserId,
        role: AlbumRole,
    ) -> Result<Outcome, CommandError<AlbumError>> {
        self.album(ctx, album_id, &AlbumCommand::ChangeRole { by, user_id, role }).await
    }

    /// Takes somebody out of an album; nobody wishes it when the server does it by itself.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn remove_album_user(
        &self,
        ctx: &CommandContext,
        by: Option<UserId>,
        album_id: AlbumId,
        user_id: UserId,
    ) -> Result<Outcome, CommandError<AlbumError>> {
        self.album(ctx, album_id, &AlbumCommand::RemoveUser { by, user_id }).await
    }

    /// Deletes an album; its assets stay. A person may take that back for a while; what the server deletes by
    /// itself is gone for good.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn delete_album(
        &self,
        ctx: &CommandContext,
        by: Option<UserId>,
        album_id: AlbumId,
    ) -> Result<Outcome, CommandError<AlbumError>> {
        let outcome = self.album(ctx, album_id, &AlbumCommand::Delete { by }).await?;
        if by.is_some() {
            return Ok(outcome);
        }
        self.purge_album(&self.next_command(ctx), album_id).await
    }

    /// Lets a deleted album not be taken back any more, and destroys the key of its name; nothing where one of its
    /// owners is under a legal hold.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn purge_album(
        &self,
        ctx: &CommandContext,
        album_id: AlbumId,
    ) -> Result<Outcome, CommandError<AlbumError>> {
        let standing = self.standing_holds().await.map_err(holds::failed)?;
        let (album, _) = self.load::<Album>(&stream(album_id)).await?;
        if album.owners().any(|owner_id| standing.holds.has(Held::User(owner_id))) {
            return Ok(Outcome::AlreadyTrue);
        }
        let outcome = self.album(ctx, album_id, &AlbumCommand::Purge).await?;
        if outcome != Outcome::AlreadyTrue {
            self.store.forget(&subject(album_id)).await?;
        }
        Ok(outcome)
    }

    /// Puts assets into albums, each of which keeps what it has already: all albums, or none.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn add_to_albums(
        &self,
        ctx: &CommandContext,
        by: Option<UserId>,
        album_ids: &[AlbumId],
        asset_ids: &[AssetId],
    ) -> Result<(Vec<AlbumChanged>, Outcome), CommandError<AlbumError>> {
        let command = AlbumCommand::AddAssets { by, asset_ids: asset_ids.to_vec() };
        self.albums(ctx, album_ids, asset_ids, &command).await
    }

    /// Takes assets out of albums: all albums, or none.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn remove_from_albums(
        &self,
        ctx: &CommandContext,
        by: Option<UserId>,
        album_ids: &[AlbumId],
        asset_ids: &[AssetId],
    ) -> Result<(Vec<AlbumChanged>, Outcome), CommandError<AlbumError>> {
        let command = AlbumCommand::RemoveAssets { by, asset_ids: asset_ids.to_vec() };
        self.albums(ctx, album_ids, asset_ids, &command).await
    }

    async fn album(
        &self,
        ctx: &CommandContext,
        album_id: AlbumId,
        command: &AlbumCommand,
    ) -> Result<Outcome, CommandError<AlbumError>> {
        self.albums(ctx, &[album_id], &[], command).await.map(|(_, outcome)| outcome)
    }

    async fn albums(
        &self,
        ctx: &CommandContext,
        album_ids: &[AlbumId],
        asset_ids: &[AssetId],
        command: &AlbumCommand,
    ) -> Result<(Vec<AlbumChanged>, Outcome), CommandError<AlbumError>> {
        let mut changed = Vec::new();
        let mut outcome = Outcome::AlreadyTrue;
        for (part, chunk) in album_ids.chunks(BULK_ALBUMS_MAX).enumerate() {
            let ctx = self.part_of(ctx, part);
            let (some, written) = self.albums_part(&ctx, chunk, asset_ids, command, &[]).await?;
            changed.extend(some);
            if let committed @ Outcome::Committed(_) = written {
                outcome = committed;
            }
        }
        Ok((changed, outcome))
    }

    async fn albums_part(
        &self,
        ctx: &CommandContext,
        album_ids: &[AlbumId],
        asset_ids: &[AssetId],
        command: &AlbumCommand,
        told: &[NotificationSent],
    ) -> Result<(Vec<AlbumChanged>, Outcome), CommandError<AlbumError>> {
        let streams: Vec<StreamId> = album_ids.iter().copied().map(stream).collect();
        let _turn = self.turns.take(&streams).await;
        for _ in 0..ATTEMPTS_MAX {
            let mut unit = self.unit(ctx);
            let mut changed = Vec::with_capacity(album_ids.len());
            let mut had_part = Vec::new();
            for album_id in album_ids.iter().copied() {
                let before =
                    unit.apply::<Album>(stream(album_id), Some(subject(album_id)), command).await?;
                had_part.extend(
                    told.iter().map(|sent| sent.user_id).filter(|id| before.role(*id).is_some()),
                );
                let inside_before =
                    asset_ids.iter().copied().filter(|id| before.contains(*id)).collect();
                changed.push(AlbumChanged { album_id, inside_before });
            }
            for sent in told.iter().filter(|sent| !had_part.contains(&sent.user_id)) {
                unit.tell(NotificationId::new(self.ids.v4()), sent.clone())?;
            }
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok((changed, outcome));
            }
        }
        Err(CommandError::Contended)
    }
}
