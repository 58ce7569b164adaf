//! Housekeeping that an administrator starts by hand.

use calotype_commands::CommandError;
use calotype_domain::event::DomainEvent as _;
use calotype_domain::queue::{ManualJob, QueueEvent};
use calotype_domain::{PersonId, TagId, UserId};
use calotype_eventstore::{Revision, StreamId};
use calotype_media::blob::BlobKey;
use uuid::Uuid;

use crate::error::ProcessorError;
use crate::worker::Worker;

/// Its name in the log.
const NAME: &str = "manual";
/// Events of one queue looked at.
const QUEUE_EVENTS_MAX: u32 = 10_000;
/// Empty tags removed in one go.
const TAGS_MAX: i64 = 10_000;
/// People without a face removed in one go.
const PEOPLE_MAX: i64 = 10_000;

impl Worker {
    /// Does the job that an event of a queue asks for.
    pub(crate) async fn manual_job(
        &self,
        queue: &str,
        event_id: Uuid,
    ) -> Result<(), ProcessorError> {
        let stream_id = StreamId::new("queue", queue);
        let events = self.store.read_stream(&stream_id, Revision::new(0), QUEUE_EVENTS_MAX).await?;
        let Some(event) = events.into_iter().find(|event| event.event_id == event_id) else {
            return Ok(());
        };
        let what = QueueEvent::from_raw(&event.event_type, event.version, event.payload)
            .map_err(|error| ProcessorError::Command(Box::new(error)))?;
        let QueueEvent::JobRequested(requested) = what else { return Ok(()) };
        let now = self.commands.clock().now();
        match requested.job {
            ManualJob::MemoryCreate => self.make_memories(now.date_naive()).await.map(drop),
            ManualJob::MemoryCleanup => self.clean_memories(now).await.map(drop),
            ManualJob::PersonCleanup => self.remove_faceless_people().await,
            ManualJob::TagCleanup => self.remove_empty_tags().await,
            ManualJob::UserCleanup => self.keep_house_once(now).await,
        }
    }

    async fn remove_faceless_people(&self) -> Result<(), ProcessorError> {
        for person in self.queries.people_without_faces(PEOPLE_MAX).await? {
            let ctx = self.context(NAME, self.commands.ids().v7(), None);
            let (by, person_id) = (UserId::new(person.owner_id), PersonId::new(person.person_id));
            match self.commands.delete_people(&ctx, by, &[person_id]).await {
                // Somebody merged or deleted them meanwhile.
                Ok(_) | Err(CommandError::Refused(_)) => {}
                Err(error) => return Err(error.into()),
            }
            if let Some(Ok(key)) = person.thumbnail_key.as_deref().map(BlobKey::parse) {
                self.blobs.remove(&key).await?;
            }
        }
        Ok(())
    }

    async fn remove_empty_tags(&self) -> Result<(), ProcessorError> {
        for tag in self.queries.empty_tags(TAGS_MAX).await? {
            let ctx = self.context(NAME, self.commands.ids().v7(), None);
            let (by, tag_id) = (UserId::new(tag.owner_id), TagId::new(tag.tag_id));
            self.commands.delete_tags(&ctx, by, &[tag_id]).await?;
        }
        Ok(())
    }
}
