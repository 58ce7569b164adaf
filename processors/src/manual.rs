//! Housekeeping that an administrator starts by hand.

use calotype_commands::CommandError;
use calotype_domain::queue::ManualJob;
use calotype_domain::{PersonId, TagId, UserId};
use uuid::Uuid;

use crate::error::ProcessorError;
use crate::leave::Leave;
use crate::requests::Asked;
use crate::worker::Worker;

/// Its name in the log.
const NAME: &str = "manual";
/// Empty tags removed in one go.
const TAGS_MAX: i64 = 10_000;
/// People without a face removed in one go.
const PEOPLE_MAX: i64 = 10_000;

impl Worker {
    /// Does a job; says whether it came to its end. It ends early at a closed gate, and when all that asked for
    /// it was taken off the queue. Twice is once.
    ///
    /// # Errors
    /// [`ProcessorError`]; what was done stays done.
    pub(crate) async fn manual_job(
        &self,
        job: ManualJob,
        asked: &[Asked],
    ) -> Result<bool, ProcessorError> {
        let now = self.commands.clock().now();
        let leave = Leave::of_requests(self, asked);
        match job {
            ManualJob::MemoryCreate => {
                self.make_memories_while(now.date_naive(), leave).await.map(drop)
            }
            ManualJob::MemoryCleanup => self.clean_memories_while(now, leave).await.map(drop),
            ManualJob::PersonCleanup => self.remove_faceless_people(true, leave).await,
            ManualJob::TagCleanup => self.remove_empty_tags(leave).await,
            ManualJob::UserCleanup => self.keep_house_while(now, leave).await,
        }?;
        Ok(!leave.is_over().await?)
    }

    /// Removes people whom no face is of; those of whom a person ever said anything (made, named, hidden, marked)
    /// only where that is asked for.
    ///
    /// # Errors
    /// [`ProcessorError`]; who was removed stays removed.
    pub(crate) async fn remove_faceless_people(
        &self,
        touched_too: bool,
        leave: Leave<'_>,
    ) -> Result<(), ProcessorError> {
        let faceless = self.queries.people_without_faces(PEOPLE_MAX).await?;
        // A name is somebody's word, be it that of another program.
        let faceless: Vec<_> =
            faceless.into_iter().filter(|person| touched_too || person.name.is_empty()).collect();
        if faceless.is_empty() {
            return Ok(());
        }
        let ids: Vec<PersonId> =
            faceless.iter().map(|person| PersonId::new(person.person_id)).collect();
        let in_use = self.commands.people_in_use(&self.pool, &ids).await?;
        let is_shown = |id: Uuid| in_use.contains(&PersonId::new(id));
        for person in faceless.iter().filter(|person| !is_shown(person.person_id)) {
            if leave.is_over().await? {
                break;
            }
            let ctx = self.context(NAME, self.commands.ids().v7(), None);
            let (by, person_id) = (UserId::new(person.owner_id), PersonId::new(person.person_id));
            let removed = if touched_too {
                self.commands.delete_people(&ctx, by, &[person_id]).await.map(drop)
            } else {
                self.commands.delete_untouched_person(&ctx, by, person_id).await.map(drop)
            };
            match removed {
                // Somebody merged or deleted them meanwhile.
                Ok(()) | Err(CommandError::Refused(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn remove_empty_tags(&self, leave: Leave<'_>) -> Result<(), ProcessorError> {
        let empty = self.queries.empty_tags(TAGS_MAX).await?;
        if empty.is_empty() {
            return Ok(());
        }
        let ids: Vec<TagId> = empty.iter().map(|tag| TagId::new(tag.tag_id)).collect();
        let in_use = self.commands.tags_in_use(&self.pool, &ids).await?;
        let carried: Vec<_> =
            empty.iter().filter(|tag| in_use.contains(&TagId::new(tag.tag_id))).collect();
        // A tag above one that is carried is in use with it.
        let is_in_use = |owner_id: Uuid, value: &str| {
            carried.iter().any(|below| {
                let rest = below.value.strip_prefix(value);
                below.owner_id == owner_id
                    && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        };
        for tag in empty.iter().filter(|tag| !is_in_use(tag.owner_id, &tag.value)) {
            if leave.is_over().await? {
                break;
            }
            let ctx = self.context(NAME, self.commands.ids().v7(), None);
            let (by, tag_id) = (UserId::new(tag.owner_id), TagId::new(tag.tag_id));
            match self.commands.delete_tags(&ctx, by, &[tag_id]).await {
                // Its owner deleted it meanwhile.
                Ok(_) | Err(CommandError::Refused(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
