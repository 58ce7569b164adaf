//! People as they were told apart.

use calotype_eventstore::GlobalPosition;
use uuid::Uuid;

use super::reading::{Reading, row_of};
use crate::error::ProjectionError;
use crate::people::{People, PersonRow};
use crate::query::Queries;

/// Most people of a library that are told at once.
const PEOPLE_MAX: i64 = 50_000;

impl Queries {
    /// Whoever was told apart in a library at a moment: favorites first, then by name, the nameless last. Those who
    /// were merged or deleted since are among them.
    ///
    /// # Errors
    /// What the database said.
    pub async fn people_then(
        &self,
        owner_id: Uuid,
        position: GlobalPosition,
    ) -> Result<Vec<PersonRow>, ProjectionError> {
        let ids = self.people_ever_of(owner_id, PEOPLE_MAX).await?;
        let found = self.folded(&ids, Reading::whole("person", position), row_of::<People>).await?;
        let mut people: Vec<PersonRow> =
            found.into_values().filter(|person| person.owner_id == owner_id).collect();
        people.sort_by_cached_key(|person| {
            let name = person.name.to_lowercase();
            (!person.is_favorite, name.is_empty(), name, person.person_id)
        });
        Ok(people)
    }
}
