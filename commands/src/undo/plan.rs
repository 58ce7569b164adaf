//! Finds the events of a command and asks the aggregates what taking them back means.

use std::collections::BTreeMap;

use calotype_domain::access::{Object, Viewer};
use calotype_domain::activity::{Activity, ActivityEvent};
use calotype_domain::album::{Album, AlbumEvent};
use calotype_domain::asset::{Asset, AssetEvent};
use calotype_domain::config::{Config, ConfigEvent};
use calotype_domain::event::DomainEvent as _;
use calotype_domain::faces::{Faces, FacesEvent};
use calotype_domain::memory::{Memory, MemoryEvent};
use calotype_domain::partner::{Partner, PartnerEvent};
use calotype_domain::person::{Person, PersonEvent};
use calotype_domain::shared_link::{SharedLink, SharedLinkEvent};
use calotype_domain::stack::{Stack, StackEvent};
use calotype_domain::tag::{Tag, TagEvent};
use calotype_domain::undo::{Asked, Facet, Impossible, Plan, States, Undo, Way, row};
use calotype_domain::user::{User, UserEvent};
use calotype_domain::{
    ActivityId, AlbumId, AssetId, MemoryId, PartnerId, PersonId, SharedLinkId, StackId, TagId,
    UserId,
};
use calotype_eventstore::{Recorded, Revision, StreamId};
use uuid::Uuid;

use super::{Item, Later, UNDO_EVENTS_MAX, UndoError};
use crate::dispatch::Commands;
use crate::error::CommandError;
use crate::reading::STREAMS_MAX;

/// A stream with what taking back the command means for it.
pub(crate) struct Planned<A: Undo> {
    pub(crate) now: A,
    pub(crate) last: Option<Revision>,
    pub(crate) plan: Plan<A::Event>,
    pub(crate) later: Option<Later>,
    /// What access is decided by.
    pub(crate) object: Option<Object>,
    /// The types of the command's own events.
    pub(crate) types: Vec<String>,
}

/// What taking back a command means, by kind of aggregate.
#[derive(Default)]
pub(crate) struct Plans {
    pub(crate) activities: BTreeMap<ActivityId, Planned<Activity>>,
    pub(crate) albums: BTreeMap<AlbumId, Planned<Album>>,
    pub(crate) assets: BTreeMap<AssetId, Planned<Asset>>,
    pub(crate) config: Option<Planned<Config>>,
    pub(crate) faces: BTreeMap<AssetId, Planned<Faces>>,
    pub(crate) links: BTreeMap<SharedLinkId, Planned<SharedLink>>,
    pub(crate) memories: BTreeMap<MemoryId, Planned<Memory>>,
    pub(crate) partners: BTreeMap<PartnerId, Planned<Partner>>,
    pub(crate) people: BTreeMap<PersonId, Planned<Person>>,
    pub(crate) stacks: BTreeMap<StackId, Planned<Stack>>,
    pub(crate) tags: BTreeMap<TagId, Planned<Tag>>,
    pub(crate) users: BTreeMap<UserId, Planned<User>>,
    /// Streams of aggregates that cannot be taken back, and why not.
    pub(crate) others: Vec<(StreamId, Vec<Impossible>)>,
    /// Who wants it taken back.
    pub(crate) by: UserId,
}

impl<A: Undo> Planned<A> {
    /// Something else stands in the way: what would go back stays.
    pub(crate) fn refuse(&mut self) {
        self.plan.events.clear();
        self.plan.changed_since.append(&mut self.plan.undone);
    }

    /// Something else stands in the way of one thing, whose events were left out: that stays.
    pub(crate) fn refuse_one(&mut self, what: Facet) {
        self.plan.undone.retain(|facet| *facet != what);
        self.leave(what);
    }

    /// Says that a part of something stays.
    pub(crate) fn leave(&mut self, what: Facet) {
        self.plan.changed_since.push(what);
    }

    /// The aggregate as it is once the command is taken back.
    pub(crate) fn taken_back(&self) -> A {
        let mut after = self.now.clone();
        for event in &self.plan.events {
            after.evolve(event);
        }
        after
    }
}

impl Plans {
    /// What is told of it.
    pub(crate) fn items(&self) -> Vec<Item> {
        let mut items: Vec<Item> = Vec::new();
        tell(&mut items, "asset", &self.assets);
        tell(&mut items, "stack", &self.stacks);
        tell(&mut items, "tag", &self.tags);
        tell(&mut items, "memory", &self.memories);
        tell(&mut items, "album", &self.albums);
        tell(&mut items, "shared_link", &self.links);
        tell(&mut items, "activity", &self.activities);
        tell(&mut items, "partner", &self.partners);
        tell(&mut items, "person", &self.people);
        tell(&mut items, "faces", &self.faces);
        tell(&mut items, "user", &self.users);
        items.extend(self.config.iter().map(|planned| item(config_stream(), planned)));
        items.extend(self.others.iter().map(|(stream_id, impossible)| Item {
            stream_id: stream_id.clone(),
            undone: Vec::new(),
            changed_since: Vec::new(),
            impossible: impossible.clone(),
            later: None,
        }));
        items.retain(|item| {
            !(item.undone.is_empty() && item.changed_since.is_empty() && item.impossible.is_empty())
        });
        items
    }
}

/// The stream of the configuration.
pub(super) fn config_stream() -> StreamId {
    StreamId::new("config", calotype_domain::config::KEY)
}

fn tell<K: std::fmt::Display, A: Undo>(
    items: &mut Vec<Item>,
    aggregate: &str,
    planned: &BTreeMap<K, Planned<A>>,
) {
    items.extend(planned.iter().map(|(key, planned)| item(StreamId::new(aggregate, key), planned)));
}

fn item<A: Undo>(stream_id: StreamId, planned: &Planned<A>) -> Item {
    let once = |facets: &[Facet]| {
        let mut once: Vec<Facet> = Vec::new();
        for facet in facets {
            if !once.contains(facet) {
                once.push(facet);
            }
        }
        once
    };
    Item {
        stream_id,
        undone: once(&planned.plan.undone),
        changed_since: once(&planned.plan.changed_since),
        impossible: planned.plan.impossible.clone(),
        later: planned.later.clone(),
    }
}

/// What a command wrote to a stream: its first and last revision, and the types of its events.
struct Written {
    stream_id: StreamId,
    first: Revision,
    last: Revision,
    types: Vec<String>,
}

impl Commands {
    pub(crate) async fn plan_undo(
        &self,
        viewer: &Viewer,
        id: Uuid,
    ) -> Result<Plans, CommandError<UndoError>> {
        let by = viewer.user_id;
        let mut found: BTreeMap<String, Written> = BTreeMap::new();
        for event in self.events_of(by, id).await? {
            if is_by_server(&event) {
                continue;
            }
            let written =
                found.entry(event.stream_id.as_str().to_owned()).or_insert_with(|| Written {
                    stream_id: event.stream_id.clone(),
                    first: event.revision,
                    last: event.revision,
                    types: Vec::new(),
                });
            written.first = written.first.min(event.revision);
            written.last = written.last.max(event.revision);
            if !written.types.contains(&event.event_type) {
                written.types.push(event.event_type);
            }
        }
        let mut plans = Plans { by, ..Plans::default() };
        let found: Vec<Written> = found.into_values().collect();
        for some in found.chunks(STREAMS_MAX) {
            let stream_ids: Vec<StreamId> =
                some.iter().map(|written| written.stream_id.clone()).collect();
            let read = self.read_each(&stream_ids).await?;
            for (written, events) in some.iter().zip(read) {
                plan_stream(&mut plans, written, events)?;
            }
        }
        self.settle_tags(&mut plans).await?;
        self.settle_stacks(&mut plans).await?;
        self.settle_albums(&mut plans, viewer).await?;
        self.settle_links(&mut plans, viewer).await?;
        self.settle_partners(&mut plans).await?;
        self.settle_activities(&mut plans).await?;
        self.settle_people(&mut plans).await?;
        self.settle_faces(&mut plans).await?;
        self.settle_users(&mut plans).await?;
        super::rights::require(&plans, viewer)?;
        Ok(plans)
    }

    /// What a person wrote with a command, or with all commands of a request.
    pub(super) async fn events_of(
        &self,
        by: UserId,
        id: Uuid,
    ) -> Result<Vec<Recorded>, CommandError<UndoError>> {
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
    async fn events_of_command(&self, id: Uuid) -> Result<Vec<Recorded>, CommandError<UndoError>> {
        let derived = |index: u32| Uuid::new_v5(&id, &index.to_be_bytes());
        let Some(position) = self.store.position_of(derived(0)).await? else {
            return Ok(Vec::new());
        };
        let before = calotype_eventstore::GlobalPosition::new(position.get() - 1);
        let Some(first) = self.store.read_all(before, 1).await?.into_iter().next() else {
            return Ok(Vec::new());
        };
        let correlation_id = first.envelope.correlation_id;
        let mut events = self.store.read_correlated(correlation_id, UNDO_EVENTS_MAX + 1).await?;
        let own: std::collections::HashSet<Uuid> = (0..UNDO_EVENTS_MAX).map(derived).collect();
        events.retain(|event| own.contains(&event.event_id));
        Ok(events)
    }
}

/// Whether an album's event says that the server did it by itself: what goes behind the PIN leaves albums,
/// whosever they are, and does not come back into them.
fn is_by_server(event: &Recorded) -> bool {
    matches!(event.event_type.as_str(), "AlbumAssetsAdded" | "AlbumAssetsRemoved")
        && event.payload.to_value().is_ok_and(|payload| payload["by"].is_null())
}

/// One arm for each aggregate that can be taken back.
fn plan_stream(
    plans: &mut Plans,
    written: &Written,
    events: Vec<Recorded>,
) -> Result<(), CommandError<UndoError>> {
    let by = plans.by;
    macro_rules! plan {
        ($into:ident, $aggregate:ty) => {{
            let key = key(&written.stream_id)?;
            plans.$into.insert(key, planned::<$aggregate>(by, written, events)?);
        }};
    }
    match written.stream_id.aggregate() {
        ActivityEvent::AGGREGATE => plan!(activities, Activity),
        AlbumEvent::AGGREGATE => plan!(albums, Album),
        AssetEvent::AGGREGATE => plan!(assets, Asset),
        ConfigEvent::AGGREGATE => plans.config = Some(planned::<Config>(by, written, events)?),
        FacesEvent::AGGREGATE => plan!(faces, Faces),
        MemoryEvent::AGGREGATE => plan!(memories, Memory),
        PartnerEvent::AGGREGATE => plan!(partners, Partner),
        PersonEvent::AGGREGATE => plan!(people, Person),
        SharedLinkEvent::AGGREGATE => plan!(links, SharedLink),
        StackEvent::AGGREGATE => plan!(stacks, Stack),
        TagEvent::AGGREGATE => plan!(tags, Tag),
        UserEvent::AGGREGATE => {
            let user_id: UserId = key(&written.stream_id)?;
            let mut account = planned::<User>(by, written, events)?;
            // Anybody's own account is theirs, others' are administrators' matter.
            account.object = Some(if user_id == by {
                Object::Owned { owner_id: by }
            } else {
                Object::Route { admin: true }
            });
            plans.users.insert(user_id, account);
        }
        _ => {
            let impossible = impossible(&written.types);
            if !impossible.is_empty() {
                plans.others.push((written.stream_id.clone(), impossible));
            }
        }
    }
    Ok(())
}

/// What the tables say about those events that never go back.
fn impossible(types: &[String]) -> Vec<Impossible> {
    let mut found: Vec<Impossible> = Vec::new();
    for row in types.iter().filter_map(|event_type| row(event_type)) {
        if let Way::Never(why) = row.way
            && found.iter().all(|it| it.what != row.what)
        {
            found.push(Impossible { what: row.what, why });
        }
    }
    found
}

/// Folds a stream to the three states and asks its aggregate.
fn planned<A: Undo>(
    by: UserId,
    written: &Written,
    events: Vec<Recorded>,
) -> Result<Planned<A>, CommandError<UndoError>> {
    let mut now = A::default();
    let (mut before, mut after) = (None, None);
    let (mut last, mut later) = (None, None);
    let began_at = events.first().map(|event| event.envelope.recorded_at).unwrap_or_default();
    for event in events {
        if event.revision >= written.first && before.is_none() {
            before = Some(now.clone());
        }
        last = Some(event.revision);
        // What processors made of it since is told only where no person did anything.
        let is_persons = event.envelope.actor.user_id.is_some();
        let tells = is_persons || later.as_ref().is_none_or(is_processors);
        if event.revision > written.last && tells {
            later = Some(later_of(&event));
        }
        now.evolve(&A::Event::from_raw(&event.event_type, event.version, event.payload.as_str())?);
        if event.revision == written.last {
            after = Some(now.clone());
        }
    }
    let states = States {
        before: before.unwrap_or_default(),
        after: after.unwrap_or_else(|| now.clone()),
        now: now.clone(),
    };
    let mut plan = A::undo(&states, &Asked { by, began_at });
    for never in impossible(&written.types) {
        if plan.impossible.iter().all(|it| it.what != never.what) {
            plan.impossible.push(never);
        }
    }
    let (object, types) = (now.object(by), written.types.clone());
    Ok(Planned { now, last, plan, later, object, types })
}

fn key<T: std::str::FromStr>(stream_id: &StreamId) -> Result<T, CommandError<UndoError>> {
    stream_id.key().parse().map_err(|_| CommandError::Refused(UndoError::NotFound))
}

fn is_processors(later: &Later) -> bool {
    later.actor.user_id.is_none()
}

fn later_of(event: &Recorded) -> Later {
    Later {
        event_id: event.event_id,
        event_type: event.event_type.clone(),
        recorded_at: event.envelope.recorded_at,
        actor: event.envelope.actor.clone(),
    }
}
