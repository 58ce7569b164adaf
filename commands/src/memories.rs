//! Wishes about memories. What the server itself makes it makes once for each person, day and year: that
//! is reserved in the transaction of the memory's first event, and stays reserved when it is deleted.

use calotype_domain::memory::{Memory, MemoryCommand, MemoryCreated, MemoryError};
use calotype_domain::reservation::{Reservation, ReservationCommand, ReservationError};
use calotype_domain::{MemoryId, UserId};
use calotype_eventstore::StreamId;
use chrono::NaiveDate;

use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome};
use crate::error::CommandError;

pub(crate) fn stream(memory_id: MemoryId) -> StreamId {
    StreamId::new("memory", memory_id)
}

impl Commands {
    fn on_this_day_stream(&self, owner_id: UserId, day: NaiveDate, year: u16) -> StreamId {
        let value = format!("{owner_id}/{day}/{year}");
        StreamId::new("reservation", self.keyring.hmac("memory-on-this-day", &value))
    }

    /// Makes a memory that a person wishes.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn create_memory(
        &self,
        ctx: &CommandContext,
        created: MemoryCreated,
    ) -> Result<(MemoryId, Outcome), CommandError<MemoryError>> {
        let memory_id = MemoryId::new(self.new_id(ctx, "memory"));
        let command = MemoryCommand::Create(Box::new(created));
        let outcome = self.dispatch::<Memory>(ctx, stream(memory_id), None, &command).await?;
        Ok((memory_id, outcome))
    }

    /// Makes the memory of a day and a year, unless it was made before, deleted or not.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn remember_day(
        &self,
        ctx: &CommandContext,
        day: NaiveDate,
        created: MemoryCreated,
    ) -> Result<Option<(MemoryId, Outcome)>, CommandError<MemoryError>> {
        let memory_id = MemoryId::new(self.ids.v4());
        let reserved = self.on_this_day_stream(created.owner_id, day, created.on_this_day.year);
        let reserve = ReservationCommand::Reserve { holder_id: memory_id.uuid() };
        let command = [MemoryCommand::Create(Box::new(created))];
        for _ in 0..ATTEMPTS_MAX {
            let mut unit = self.unit(ctx);
            match unit.apply::<Reservation>(reserved.clone(), None, &reserve).await {
                Ok(_) => {}
                Err(CommandError::Refused(ReservationError::Taken { .. })) => return Ok(None),
                Err(error) => return Err(error.map_refusal(|_| MemoryError::AlreadyExists)),
            }
            unit.decide(&Memory::default(), None, stream(memory_id), None, &command)?;
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(Some((memory_id, outcome)));
            }
        }
        Err(CommandError::Contended)
    }

    /// Any other wish about one memory.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn memory(
        &self,
        ctx: &CommandContext,
        memory_id: MemoryId,
        command: &MemoryCommand,
    ) -> Result<Outcome, CommandError<MemoryError>> {
        self.dispatch::<Memory>(ctx, stream(memory_id), None, command).await
    }
}
