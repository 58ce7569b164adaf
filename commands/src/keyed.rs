//! Commands that their caller names by a key of their own choice: repeated, they do nothing more and lead to the
//! same answer.
//!
//! Nothing is kept for it but the log. The key makes the command's id, so the events of a repeated command have the
//! ids of the first one's, and the store recognises them. To get there, what the command makes has the same ids
//! again, and aggregates are loaded as they were before it.

use std::collections::HashSet;

use calotype_domain::CommandId;
use calotype_domain::event::Aggregate;
use calotype_eventstore::{Revision, StreamId};
use uuid::Uuid;

use crate::context::CommandContext;
use crate::dispatch::{Commands, fold_in};
use crate::error::CommandError;

/// Events of one command by which its place in a stream is found; commands with keys lead to a handful.
const OWN_EVENTS_MAX: u32 = 1_000;
/// Events read at once.
const PAGE_EVENTS: u32 = 1_000;

/// The id of the command that somebody, by their id, named with a key, among those of one operation: version 5.
#[must_use]
pub fn command_id(who: Uuid, operation: &str, key: &str) -> CommandId {
    CommandId::new(Uuid::new_v5(&who, format!("{operation}/{key}").as_bytes()))
}

impl CommandContext {
    /// Whether its caller named the command: all other commands have ids of version 7.
    #[must_use]
    pub fn is_keyed(&self) -> bool {
        self.command_id.uuid().get_version_num() == 5
    }

    /// The id of what a command with a key makes, under a word that nothing else it makes has. It looks like one of
    /// version 4, as all ids that clients see. `None` for a command without a key: its ids are drawn.
    #[must_use]
    pub(crate) fn id_by_key(&self, word: &str) -> Option<Uuid> {
        let mixed = || {
            Uuid::new_v5(&self.command_id.uuid(), format!("made/{word}").as_bytes()).into_bytes()
        };
        self.is_keyed().then(|| uuid::Builder::from_random_bytes(mixed()).into_uuid())
    }
}

impl Commands {
    /// The id of something new, under a word that nothing else the command makes has.
    #[must_use]
    pub fn new_id(&self, ctx: &CommandContext, word: &str) -> Uuid {
        ctx.id_by_key(word).unwrap_or_else(|| self.ids.v4())
    }

    /// Folds an aggregate for a command. One with a key finds it as it was before its own events, and so decides as
    /// it did at first.
    pub(crate) async fn load_for<A: Aggregate>(
        &self,
        ctx: &CommandContext,
        stream_id: &StreamId,
    ) -> Result<(A, Option<Revision>), CommandError<A::Error>> {
        if !ctx.is_keyed() {
            return self.load(stream_id).await;
        }
        let own: HashSet<Uuid> = (0..OWN_EVENTS_MAX).map(|place| ctx.event_id(place)).collect();
        let (mut aggregate, mut last) = (A::default(), None);
        loop {
            let from = last.map_or(Revision::FIRST, Revision::next);
            let page = self.store.read_stream(stream_id, from, PAGE_EVENTS).await?;
            let is_full = page.len() >= usize::try_from(PAGE_EVENTS).unwrap_or(usize::MAX);
            for recorded in page {
                if own.contains(&recorded.event_id) {
                    return Ok((aggregate, last));
                }
                last = Some(recorded.revision);
                fold_in(&mut aggregate, &recorded)?;
            }
            if !is_full {
                return Ok((aggregate, last));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use calotype_eventstore::{Actor, ActorKind};

    use super::*;

    fn context(command_id: CommandId) -> CommandContext {
        CommandContext {
            actor: Actor { kind: ActorKind::User, id: String::new(), user_id: None },
            client: None,
            command_id,
            correlation_id: Uuid::nil(),
            causation_id: None,
            now: chrono::DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn same_key_names_the_same_ids_and_any_other_does_not() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let id = |who, operation, key, word| {
            context(command_id(who, operation, key)).id_by_key(word).unwrap()
        };
        let first = id(one, "createAlbum", "k", "album");
        assert_eq!(first, id(one, "createAlbum", "k", "album"));
        assert_eq!(first.get_version_num(), 4);
        for another in [
            id(other, "createAlbum", "k", "album"),
            id(one, "createTag", "k", "album"),
            id(one, "createAlbum", "l", "album"),
            id(one, "createAlbum", "k", "notification"),
        ] {
            assert_ne!(first, another);
        }
    }

    #[test]
    fn commands_without_a_key_draw_their_ids() {
        let drawn = context(CommandId::new(Uuid::from_u128(0x7000_8000_0000_0000_0000)));
        assert!(!drawn.is_keyed() && drawn.id_by_key("album").is_none());
    }
}
