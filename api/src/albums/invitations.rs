//! Tells people inside the app that somebody shared an album with them.

use calotype_domain::UserId;
use calotype_domain::notification::{
    NotificationKind, NotificationLevel, NotificationSent, NotificationText,
};
use serde_json::{Map, json};
use tracing::warn;
use uuid::Uuid;

use crate::caller::Caller;
use crate::state::Api;

/// Tells each of these people, who have a part in the album already. A failure is logged: the album is shared
/// all the same.
pub(super) async fn tell(
    api: &Api,
    caller: &Caller,
    album_id: Uuid,
    name: &str,
    user_ids: impl IntoIterator<Item = UserId>,
) {
    for user_id in user_ids {
        let data = Map::from_iter([("albumId".to_owned(), json!(album_id))]);
        let text = NotificationText {
            title: "Shared Album Invitation".to_owned(),
            description: Some(format!("{} shared an album ({name}) with you", caller.user().name)),
            data: Some(data),
        };
        let sent = NotificationSent {
            user_id,
            level: NotificationLevel::Success,
            kind: NotificationKind::AlbumInvite,
            text: text.into(),
        };
        match api.commands.notify(&caller.next_context(api), sent).await {
            Ok((_, outcome)) => api.seen(&outcome).await,
            Err(error) => {
                warn!(album.id = %album_id, error = &error as &dyn std::error::Error, "an invitation was not told");
            }
        }
    }
}
