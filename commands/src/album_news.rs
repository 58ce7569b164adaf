//! Telling the members of an album that something new is in it: each of them once an hour, however much comes.

use calotype_domain::album::Album;
use calotype_domain::notification::{
    Notification, NotificationCommand, NotificationError, NotificationKind, NotificationLevel,
    NotificationSent, NotificationText,
};
use calotype_domain::{AlbumId, NotificationId, UserId};
use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use serde_json::{Map, json};
use uuid::Builder;

use crate::albums;
use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome};
use crate::error::CommandError;
use crate::notifications::stream;
use crate::users::subject as user_subject;

/// Within which a person is told of an album once.
const GATHERED_FOR: TimeDelta = TimeDelta::hours(1);

impl Commands {
    /// Who has a part in an album, but for the one who put something into it.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn album_members_but(
        &self,
        album_id: AlbumId,
        by: Option<UserId>,
    ) -> Result<Vec<UserId>, CommandError<NotificationError>> {
        let album = self.shared_album(album_id).await?;
        Ok(album.members().filter(|member| Some(*member) != by).collect())
    }

    /// Tells people that something was put into an album at an instant. Who was told of it within the same hour
    /// is not told again, so telling twice is harmless.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn tell_of_album(
        &self,
        ctx: &CommandContext,
        album_id: AlbumId,
        members: &[UserId],
        at: DateTime<Utc>,
    ) -> Result<Outcome, CommandError<NotificationError>> {
        let album = self.shared_album(album_id).await?;
        let Some(name) = album.name() else { return Ok(Outcome::AlreadyTrue) };
        let text = NotificationText {
            title: "New photos in an album".to_owned(),
            description: Some(format!("There is something new in the album ({name})")),
            data: Some(Map::from_iter([("albumId".to_owned(), json!(album_id))])),
        };
        let hour = at.duration_trunc(GATHERED_FOR).unwrap_or(at).timestamp();
        let told: Vec<(UserId, NotificationId)> = members
            .iter()
            .map(|member| (*member, self.news_id(&format!("{album_id}/{member}/{hour}"))))
            .collect();
        let streams: Vec<_> = told.iter().map(|(_, id)| stream(*id)).collect();
        for _ in 0..ATTEMPTS_MAX {
            let loaded = self.load_each::<Notification>(&streams).await?;
            let mut unit = self.unit(ctx);
            for ((member, notification_id), (known, last)) in told.iter().zip(loaded) {
                if last.is_some() {
                    continue;
                }
                let send = NotificationCommand::Send(NotificationSent {
                    user_id: *member,
                    level: NotificationLevel::Info,
                    kind: NotificationKind::AlbumUpdate,
                    text: text.clone().into(),
                });
                let subject = Some(user_subject(*member));
                unit.decide(&known, last, stream(*notification_id), subject, &[send])?;
            }
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }

    async fn shared_album(
        &self,
        album_id: AlbumId,
    ) -> Result<Album, CommandError<NotificationError>> {
        let loaded = self.load::<Album>(&albums::stream(album_id)).await;
        let (album, _) =
            loaded.map_err(|error| error.map_refusal(|_| NotificationError::NotFound))?;
        Ok(album)
    }

    /// The same id for the same news. Clients see it, so it looks like any other.
    fn news_id(&self, news: &str) -> NotificationId {
        let digest = self.keyring.hmac("album-news", news);
        let number = digest.get(..32).and_then(|hex| u128::from_str_radix(hex, 16).ok());
        let bytes = number.unwrap_or_default().to_be_bytes();
        NotificationId::new(Builder::from_random_bytes(bytes).into_uuid())
    }
}
