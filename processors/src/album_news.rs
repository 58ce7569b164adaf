//! Hears that something was put into an album, and lets its other members be told who want to be.

use calotype_domain::{AlbumId, UserId};
use calotype_eventstore::{Revision, StreamId};
use chrono::TimeDelta;
use serde_json::Value;
use uuid::Uuid;

use crate::error::ProcessorError;
use crate::worker::Worker;

/// Its name in the log.
const NAME: &str = "album-news";
/// What is older is no news: bells of long ago ring again when their stream was made anew.
const NEWS_FOR: TimeDelta = TimeDelta::hours(1);

impl Worker {
    /// Tells the members of an album what the event at a revision put into it. Twice is once.
    pub(crate) async fn tell_album_news(
        &self,
        album_id: AlbumId,
        revision: Revision,
        event_id: Uuid,
    ) -> Result<(), ProcessorError> {
        let stream_id = StreamId::new("album", album_id);
        let one = async |at| {
            Ok::<_, ProcessorError>(self.store.read_stream(&stream_id, at, 1).await?.pop())
        };
        let Some(added) = one(revision).await?.filter(|event| event.event_id == event_id) else {
            return Ok(());
        };
        let made = one(Revision::FIRST).await?;
        let at = added.envelope.recorded_at;
        // Who is invited into an album with photos in it is told so already.
        let is_new =
            made.is_some_and(|made| made.envelope.correlation_id == added.envelope.correlation_id);
        if is_new || self.commands.clock().now() - at > NEWS_FOR {
            return Ok(());
        }
        let by = added.envelope.actor.user_id.map(UserId::new);
        let mut members = Vec::new();
        for member in self.commands.album_members_but(album_id, by).await? {
            let user = self.queries.user(member.uuid()).await?;
            if user.is_some_and(|user| user.deleted_at.is_none() && wants_news(&user.preferences)) {
                members.push(member);
            }
        }
        if members.is_empty() {
            return Ok(());
        }
        let ctx = self.context(NAME, added.envelope.correlation_id, Some(event_id));
        self.commands.tell_of_album(&ctx, album_id, &members, at).await?;
        Ok(())
    }
}

/// Whether somebody wants to hear of albums: unless they switched it off.
fn wants_news(preferences: &Value) -> bool {
    let told = &preferences["emailNotifications"];
    ["enabled", "albumUpdate"].iter().all(|name| told[name] != Value::Bool(false))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn news_are_wanted_unless_they_were_switched_off() {
        assert!(wants_news(&json!({})));
        assert!(wants_news(&json!({ "emailNotifications": { "albumInvite": false } })));
        assert!(!wants_news(&json!({ "emailNotifications": { "albumUpdate": false } })));
        assert!(!wants_news(&json!({ "emailNotifications": { "enabled": false } })));
    }
}
