//! Folds a stream to the states that its aggregate compares, and asks it what goes back.

use calotype_domain::UserId;
use calotype_domain::access::Object;
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
use calotype_domain::undo::{Asked, Impossible, Plan, States, Undo, Way, row};
use calotype_domain::user::{User, UserEvent};
use calotype_eventstore::{Recorded, StreamId};

use super::find::{Own, Written};
use super::plan::{Planned, Plans};
use super::{Later, UndoError};
use crate::error::CommandError;

type Refused = CommandError<UndoError>;

/// Stretches of a stream that are taken back one by one, each compared with what came between it and the next; the
/// oldest of more go back as one.
const STRETCHES_MAX: usize = 32;

const STACKED: &str =
    "A stack is several photos: it goes back by the request that changed it, or with the library";

/// One arm for each aggregate that can be taken back.
pub(super) fn plan_stream(
    plans: &mut Plans,
    written: &Written,
    events: Vec<Recorded>,
) -> Result<(), Refused> {
    let by = plans.by;
    let stretches = stretches(&written.own, &events);
    let is_since = matches!(written.own, Own::After(_));
    if events.is_empty() || (stretches.is_empty() && !is_since) {
        return Ok(());
    }
    let types = types(&stretches, &events);
    macro_rules! plan {
        ($into:ident, $aggregate:ty) => {{
            let key = key(&written.stream_id)?;
            let mut planned = planned::<$aggregate>(by, &stretches, &types, events)?;
            if is_since {
                // Nobody takes back a request of theirs: only what is to be done now is asked about.
                planned.types.clear();
                planned.later = None;
            }
            plans.$into.insert(key, planned);
        }};
    }
    match written.stream_id.aggregate() {
        ActivityEvent::AGGREGATE => plan!(activities, Activity),
        AlbumEvent::AGGREGATE => plan!(albums, Album),
        AssetEvent::AGGREGATE => {
            let is_stacked = is_since && changes_stack(&stretches, &events);
            plan!(assets, Asset);
            let planned = key(&written.stream_id).map(|key| plans.assets.get_mut(&key))?;
            if let Some(planned) = planned.filter(|_| is_stacked) {
                planned.plan.never("stack", STACKED);
            }
        }
        ConfigEvent::AGGREGATE => {
            plans.config = Some(planned::<Config>(by, &stretches, &types, events)?);
        }
        FacesEvent::AGGREGATE => plan!(faces, Faces),
        MemoryEvent::AGGREGATE => plan!(memories, Memory),
        PartnerEvent::AGGREGATE => plan!(partners, Partner),
        PersonEvent::AGGREGATE => plan!(people, Person),
        SharedLinkEvent::AGGREGATE => plan!(links, SharedLink),
        StackEvent::AGGREGATE => plan!(stacks, Stack),
        TagEvent::AGGREGATE => plan!(tags, Tag),
        UserEvent::AGGREGATE => {
            plan!(users, User);
            let user_id: UserId = key(&written.stream_id)?;
            if let Some(account) = plans.users.get_mut(&user_id) {
                // Anybody's own account is theirs, others' are administrators' matter.
                account.object = Some(if user_id == by {
                    Object::Owned { owner_id: by }
                } else {
                    Object::Route { admin: true }
                });
            }
        }
        _ => {
            let impossible = impossible(&types);
            if !impossible.is_empty() {
                plans.others.push((written.stream_id.clone(), impossible));
            }
        }
    }
    Ok(())
}

/// A stretch of events that follow each other: the places of its first and its last.
type Stretch = (usize, usize);

/// Which events are taken back, in stretches from the oldest on.
fn stretches(own: &Own, events: &[Recorded]) -> Vec<Stretch> {
    let mut found: Vec<Stretch> = Vec::new();
    for (at, event) in events.iter().enumerate() {
        let is_own = match own {
            Own::These(revisions) => revisions.contains(&event.revision) && !is_by_server(event),
            Own::After(position) => event.position.is_none_or(|placed| placed > *position),
        };
        match found.last_mut() {
            Some((_, last)) if is_own && *last + 1 == at => *last = at,
            _ if is_own => found.push((at, at)),
            _ => {}
        }
    }
    if let Some(more) = found.len().checked_sub(STRETCHES_MAX)
        && let (Some((first, _)), Some((_, last))) = (found.first(), found.get(more))
    {
        let merged = (*first, *last);
        found.splice(..=more, [merged]);
    }
    found
}

/// The types of the events that are taken back.
fn types(stretches: &[Stretch], events: &[Recorded]) -> Vec<String> {
    let mut types: Vec<String> = Vec::new();
    for (first, last) in stretches {
        for event in events.get(*first..=*last).unwrap_or_default() {
            if !types.contains(&event.event_type) {
                types.push(event.event_type.clone());
            }
        }
    }
    types
}

/// Whether an album's event says that the server did it by itself: what goes behind the PIN leaves albums,
/// whosever they are, and does not come back into them.
fn is_by_server(event: &Recorded) -> bool {
    matches!(event.event_type.as_str(), "AlbumAssetsAdded" | "AlbumAssetsRemoved")
        && event.payload.to_value().is_ok_and(|payload| payload["by"].is_null())
}

fn changes_stack(stretches: &[Stretch], events: &[Recorded]) -> bool {
    let types = types(stretches, events);
    types.iter().any(|it| ["AssetStacked", "AssetUnstacked"].contains(&it.as_str()))
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

/// Folds a stream to its states around each stretch and asks its aggregate, from the newest stretch on: what stands
/// before it is then as if it had not been.
fn planned<A: Undo>(
    by: UserId,
    stretches: &[Stretch],
    types: &[String],
    events: Vec<Recorded>,
) -> Result<Planned<A>, Refused> {
    let mut now = A::default();
    let mut around: Vec<(A, A)> = Vec::with_capacity(stretches.len());
    let mut before = None;
    let (mut last, mut later) = (None, None);
    let end = stretches.last().map(|(_, end)| *end);
    let asked = Asked {
        by,
        began_at: events.first().map(|event| event.envelope.recorded_at).unwrap_or_default(),
    };
    for (at, event) in events.into_iter().enumerate() {
        if stretches.iter().any(|(first, _)| *first == at) {
            before = Some(now.clone());
        }
        last = Some(event.revision);
        // What processors made of it since is told only where no person did anything.
        let is_persons = event.envelope.actor.user_id.is_some();
        let tells = is_persons || later.as_ref().is_none_or(is_processors);
        if end.is_some_and(|end| at > end) && tells {
            later = Some(later_of(&event));
        }
        now.evolve(&A::Event::from_raw(&event.event_type, event.version, event.payload.as_str())?);
        if stretches.iter().any(|(_, last)| *last == at)
            && let Some(before) = before.take()
        {
            around.push((before, now.clone()));
        }
    }
    let mut plan: Plan<A::Event> = Plan::default();
    let mut back = now.clone();
    while let Some((before, after)) = around.pop() {
        let part = A::undo(&States { before, after, now: back.clone() }, &asked);
        for event in &part.events {
            back.evolve(event);
        }
        plan.events.extend(part.events);
        plan.undone.extend(part.undone);
        plan.changed_since.extend(part.changed_since);
        for never in part.impossible {
            never_once(&mut plan, never);
        }
    }
    for never in impossible(types) {
        never_once(&mut plan, never);
    }
    let object = now.object(by);
    Ok(Planned { now, last, plan, later, object, types: types.to_vec() })
}

fn never_once<E>(plan: &mut Plan<E>, never: Impossible) {
    if plan.impossible.iter().all(|it| it.what != never.what) {
        plan.impossible.push(never);
    }
}

fn key<T: std::str::FromStr>(stream_id: &StreamId) -> Result<T, Refused> {
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
