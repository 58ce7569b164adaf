//! Finds the events of a command and asks the aggregates what taking them back means.

use std::collections::BTreeMap;

use calotype_domain::asset::{Asset, AssetEvent};
use calotype_domain::event::DomainEvent as _;
use calotype_domain::memory::{Memory, MemoryEvent};
use calotype_domain::stack::{Stack, StackEvent};
use calotype_domain::tag::{Tag, TagEvent};
use calotype_domain::undo::{Plan, States, Undo};
use calotype_domain::{AssetId, StackId, UserId};
use calotype_eventstore::{Recorded, Revision, StreamId};
use uuid::Uuid;

use super::{Item, Later, UNDO_EVENTS_MAX, UndoError};
use crate::dispatch::Commands;
use crate::error::CommandError;

/// Events of one stream read at once.
const PAGE_EVENTS: u32 = 1_000;

/// A stream with what taking back the command means for it.
pub(crate) struct Planned<A: Undo> {
    pub(crate) now: A,
    pub(crate) last: Option<Revision>,
    pub(crate) plan: Plan<A::Event>,
    pub(crate) later: Option<Later>,
}

/// What taking back a command means, by kind of aggregate.
#[derive(Default)]
pub(crate) struct Plans {
    pub(crate) assets: BTreeMap<AssetId, Planned<Asset>>,
    pub(crate) memories: Vec<(StreamId, Planned<Memory>)>,
    pub(crate) stacks: BTreeMap<StackId, Planned<Stack>>,
    pub(crate) tags: Vec<(StreamId, Planned<Tag>)>,
    /// Streams of aggregates that cannot be taken back.
    pub(crate) others: Vec<StreamId>,
    /// Who wants it taken back.
    pub(crate) by: UserId,
}

impl<A: Undo> Planned<A> {
    /// Something else stands in the way: what would go back stays.
    pub(crate) fn refuse(&mut self) {
        self.plan.events.clear();
        self.plan.changed_since.append(&mut self.plan.undone);
    }
}

impl Plans {
    /// What is told of it.
    pub(crate) fn items(&self) -> Vec<Item> {
        let mut items: Vec<Item> = Vec::new();
        for (asset_id, planned) in &self.assets {
            items.push(item(&StreamId::new("asset", asset_id), planned));
        }
        for (stack_id, planned) in &self.stacks {
            items.push(item(&StreamId::new("stack", stack_id), planned));
        }
        items.extend(self.tags.iter().map(|(stream_id, planned)| item(stream_id, planned)));
        items.extend(self.memories.iter().map(|(stream_id, planned)| item(stream_id, planned)));
        items.extend(self.others.iter().map(|stream_id| Item {
            stream_id: stream_id.clone(),
            undone: Vec::new(),
            changed_since: Vec::new(),
            impossible: vec!["everything"],
            later: None,
        }));
        items.retain(|item| {
            !(item.undone.is_empty() && item.changed_since.is_empty() && item.impossible.is_empty())
        });
        items
    }
}

fn item<A: Undo>(stream_id: &StreamId, planned: &Planned<A>) -> Item {
    Item {
        stream_id: stream_id.clone(),
        undone: planned.plan.undone.clone(),
        changed_since: planned.plan.changed_since.clone(),
        impossible: planned.plan.impossible.clone(),
        later: planned.later.clone(),
    }
}

/// The first and last revision that a command wrote to a stream.
type Span = (Revision, Revision);

impl Commands {
    pub(crate) async fn plan_undo(
        &self,
        by: UserId,
        id: Uuid,
    ) -> Result<Plans, CommandError<UndoError>> {
        let mut spans: BTreeMap<String, (StreamId, Span)> = BTreeMap::new();
        for event in self.events_of(by, id).await? {
            let span = spans
                .entry(event.stream_id.as_str().to_owned())
                .or_insert_with(|| (event.stream_id.clone(), (event.revision, event.revision)));
            span.1.0 = span.1.0.min(event.revision);
            span.1.1 = span.1.1.max(event.revision);
        }
        let mut plans = Plans { by, ..Plans::default() };
        for (stream_id, span) in spans.into_values() {
            self.plan_stream(&mut plans, stream_id, span).await?;
        }
        self.settle_tags(&mut plans).await?;
        self.settle_stacks(&mut plans).await?;
        Ok(plans)
    }

    /// One arm for each aggregate that can be taken back.
    async fn plan_stream(
        &self,
        plans: &mut Plans,
        stream_id: StreamId,
        span: Span,
    ) -> Result<(), CommandError<UndoError>> {
        let by = plans.by;
        match stream_id.aggregate() {
            AssetEvent::AGGREGATE => {
                let planned = self.planned::<Asset>(by, &stream_id, span).await?;
                plans.assets.insert(key(&stream_id)?, planned);
            }
            StackEvent::AGGREGATE => {
                let planned = self.planned::<Stack>(by, &stream_id, span).await?;
                plans.stacks.insert(key(&stream_id)?, planned);
            }
            TagEvent::AGGREGATE => {
                let planned = self.planned::<Tag>(by, &stream_id, span).await?;
                plans.tags.push((stream_id, planned));
            }
            MemoryEvent::AGGREGATE => {
                let planned = self.planned::<Memory>(by, &stream_id, span).await?;
                plans.memories.push((stream_id, planned));
            }
            // They follow from what holds them.
            "reservation" => {}
            _ => plans.others.push(stream_id),
        }
        Ok(())
    }

    /// Folds a stream to the three states and asks its aggregate.
    async fn planned<A: Undo>(
        &self,
        by: UserId,
        stream_id: &StreamId,
        (first, last_written): Span,
    ) -> Result<Planned<A>, CommandError<UndoError>> {
        let mut now = A::default();
        let (mut before, mut after) = (None, None);
        let (mut last, mut later) = (None, None);
        loop {
            let from = last
                .map_or(Revision::new(0), |revision: Revision| Revision::new(revision.get() + 1));
            let page = self.store.read_stream(stream_id, from, PAGE_EVENTS).await?;
            let full = page.len() >= usize::try_from(PAGE_EVENTS).unwrap_or(usize::MAX);
            for event in page {
                if event.revision >= first && before.is_none() {
                    before = Some(now.clone());
                }
                last = Some(event.revision);
                later = (event.revision > last_written).then(|| later_of(&event));
                now.evolve(&A::Event::from_raw(&event.event_type, event.version, event.payload)?);
                if event.revision == last_written {
                    after = Some(now.clone());
                }
            }
            if !full {
                break;
            }
        }
        let states = States {
            before: before.unwrap_or_default(),
            after: after.unwrap_or_else(|| now.clone()),
            now: now.clone(),
        };
        // What is gone has no owner any more; the aggregate says so itself.
        let is_others = now.owner().is_some_and(|owner_id| owner_id != by);
        let plan = if is_others { Plan::default() } else { A::undo(&states) };
        Ok(Planned { now, last, plan, later })
    }

    /// What a person wrote with a command, or with all commands of a request.
    async fn events_of(
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

fn key<T: std::str::FromStr>(stream_id: &StreamId) -> Result<T, CommandError<UndoError>> {
    stream_id.key().parse().map_err(|_| CommandError::Refused(UndoError::NotFound))
}

fn later_of(event: &Recorded) -> Later {
    Later {
        event_id: event.event_id,
        event_type: event.event_type.clone(),
        recorded_at: event.envelope.recorded_at,
        actor: event.envelope.actor.clone(),
    }
}
