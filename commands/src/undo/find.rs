//! Finds the events that a wish is about: of which streams, and which of their events.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use calotype_domain::UserId;
use calotype_domain::activity::ActivityEvent;
use calotype_domain::album::AlbumEvent;
use calotype_domain::asset::AssetEvent;
use calotype_domain::event::DomainEvent as _;
use calotype_domain::faces::FacesEvent;
use calotype_domain::memory::MemoryEvent;
use calotype_domain::partner::PartnerEvent;
use calotype_domain::person::PersonEvent;
use calotype_domain::shared_link::SharedLinkEvent;
use calotype_domain::stack::StackEvent;
use calotype_domain::tag::TagEvent;
use calotype_domain::user::UserEvent;
use calotype_eventstore::{Deed, GlobalPosition, Recorded, Revision, StreamId};
use chrono::TimeDelta;
use uuid::Uuid;

use super::wish::{Since, Span, Whole, Wish};
use super::{SPAN_EVENTS_MAX, STREAMS_CHANGED_MAX, UNDO_EVENTS_MAX, UndoError};
use crate::dispatch::Commands;
use crate::error::CommandError;

type Refused = CommandError<UndoError>;

/// Positions of the log that are looked through at once.
const PIECE_EVENTS: i64 = 10_000;
/// How far apart in time events may be that stand in another order in the log than their times are: a request that
/// waited for its turn stands behind later ones.
const CLOCKS_APART: TimeDelta = TimeDelta::minutes(5);

/// What goes back with a person's library: what only they have, and albums, of which only their own stay in the plan.
const OF_LIBRARIES: [&str; 11] = [
    ActivityEvent::AGGREGATE,
    AlbumEvent::AGGREGATE,
    AssetEvent::AGGREGATE,
    FacesEvent::AGGREGATE,
    MemoryEvent::AGGREGATE,
    PartnerEvent::AGGREGATE,
    PersonEvent::AGGREGATE,
    SharedLinkEvent::AGGREGATE,
    StackEvent::AGGREGATE,
    TagEvent::AGGREGATE,
    UserEvent::AGGREGATE,
];

/// Which events of a stream are taken back.
#[derive(Clone, Debug)]
pub(super) enum Own {
    /// These.
    These(BTreeSet<Revision>),
    /// All after a position.
    After(GlobalPosition),
}

/// A stream, and which of its events are taken back.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) stream_id: StreamId,
    pub(super) own: Own,
}

impl Commands {
    /// The streams that a wish of a person is about.
    pub(super) async fn written(&self, by: UserId, wish: &Wish) -> Result<Vec<Written>, Refused> {
        let mut found: BTreeMap<StreamId, BTreeSet<Revision>> = BTreeMap::new();
        match wish {
            Wish::Command(id) => {
                for event in self.events_of(by, *id).await? {
                    found.entry(event.stream_id).or_default().insert(event.revision);
                }
            }
            Wish::Span(span) => {
                for deed in self.deeds_of(by, span).await? {
                    found.entry(deed.stream_id).or_default().insert(deed.revision);
                }
            }
            Wish::Since(since) => return self.changed_since(by, since).await,
        }
        let written = found.into_iter();
        Ok(written.map(|(stream_id, own)| Written { stream_id, own: Own::These(own) }).collect())
    }

    /// What a person wrote with a command, or with all commands of a request.
    async fn events_of(&self, by: UserId, id: Uuid) -> Result<Vec<Recorded>, Refused> {
        let mut events = self.store.read_correlated(id, UNDO_EVENTS_MAX + 1).await?;
        if events.is_empty() {
            events = self.events_of_command(id).await?;
        }
        if events.len() > usize::try_from(UNDO_EVENTS_MAX).unwrap_or(usize::MAX) {
            return Err(CommandError::Refused(UndoError::TooLarge));
        }
        // What processors did because of the request follows from what is left of it.
        events.retain(|event| event.envelope.actor.user_id == Some(by.uuid()));
        if events.is_empty() {
            return Err(CommandError::Refused(UndoError::NotFound));
        }
        Ok(events)
    }

    /// The events whose ids are derived from a command's id.
    async fn events_of_command(&self, id: Uuid) -> Result<Vec<Recorded>, Refused> {
        let derived = |index: u32| Uuid::new_v5(&id, &index.to_be_bytes());
        let Some(position) = self.store.position_of(derived(0)).await? else {
            return Ok(Vec::new());
        };
        let before = GlobalPosition::new(position.get() - 1);
        let Some(first) = self.store.read_all(before, 1).await?.into_iter().next() else {
            return Ok(Vec::new());
        };
        let correlation_id = first.envelope.correlation_id;
        let mut events = self.store.read_correlated(correlation_id, UNDO_EVENTS_MAX + 1).await?;
        let own: HashSet<Uuid> = (0..UNDO_EVENTS_MAX).map(derived).collect();
        events.retain(|event| own.contains(&event.event_id));
        Ok(events)
    }

    /// What a person did with a session or key in a span.
    async fn deeds_of(&self, by: UserId, span: &Span) -> Result<Vec<Deed>, Refused> {
        let apart = |instant: chrono::DateTime<chrono::Utc>, by: TimeDelta| {
            instant.checked_add_signed(by).unwrap_or(instant)
        };
        let after = self.store.position_at(apart(span.from, -CLOCKS_APART)).await?;
        let until = self.store.position_at(apart(span.to, CLOCKS_APART)).await?;
        let id = span.id.to_string();
        let is_own = |deed: &Deed| {
            deed.actor.user_id == Some(by.uuid())
                && (deed.actor.kind, &deed.actor.id) == (span.kind, &id)
                && (span.from..=span.to).contains(&deed.recorded_at)
        };
        let mut found = Vec::new();
        self.look_through(after, until, |deed| {
            if is_own(&deed) {
                found.push(deed);
            }
            found.len() <= usize::try_from(UNDO_EVENTS_MAX).unwrap_or(usize::MAX)
        })
        .await?;
        if found.is_empty() {
            return Err(CommandError::Refused(UndoError::NotFound));
        }
        Ok(found)
    }

    /// What may have to go back for something to be as it was; whose it is is asked once it is known.
    async fn changed_since(&self, by: UserId, since: &Since) -> Result<Vec<Written>, Refused> {
        let Since { whole, position } = *since;
        let written = |stream_id| Written { stream_id, own: Own::After(position) };
        let user_id = match whole {
            Whole::Asset(asset_id) => {
                let streams = [crate::assets::stream(asset_id), crate::faces::stream(asset_id)];
                return Ok(streams.map(written).into());
            }
            Whole::Album(album_id) => return Ok(vec![written(crate::albums::stream(album_id))]),
            Whole::Library(user_id) => user_id,
        };
        if user_id != by {
            return Err(CommandError::Refused(UndoError::NotFound));
        }
        let account = crate::users::stream(user_id);
        let mut changed: BTreeSet<StreamId> = BTreeSet::new();
        let head = self.store.head().await?;
        self.look_through(position, head, |deed| {
            // Others change albums and sharings with them; what is theirs alone only they change.
            let aggregate = deed.stream_id.aggregate();
            let is_shared = [AlbumEvent::AGGREGATE, PartnerEvent::AGGREGATE].contains(&aggregate);
            let is_theirs = deed.actor.user_id == Some(by.uuid()) || is_shared;
            let is_of_others = aggregate == UserEvent::AGGREGATE && deed.stream_id != account;
            if (is_theirs || deed.stream_id == account)
                && !is_of_others
                && OF_LIBRARIES.contains(&aggregate)
            {
                changed.insert(deed.stream_id);
            }
            changed.len() <= STREAMS_CHANGED_MAX
        })
        .await?;
        Ok(changed.into_iter().map(written).collect())
    }

    /// Shows every deed in a part of the log, until told that it is enough, which is too much.
    async fn look_through(
        &self,
        after: GlobalPosition,
        until: GlobalPosition,
        mut show: impl FnMut(Deed) -> bool,
    ) -> Result<(), Refused> {
        if until.get() - after.get() > SPAN_EVENTS_MAX {
            return Err(CommandError::Refused(UndoError::TooLarge));
        }
        let mut after = after;
        while after < until {
            let to = until.min(GlobalPosition::new(after.get() + PIECE_EVENTS));
            for deed in self.store.deeds(after, to).await? {
                if !show(deed) {
                    return Err(CommandError::Refused(UndoError::TooLarge));
                }
            }
            after = to;
        }
        Ok(())
    }
}
