//! What taking something back means, gathered by kind of aggregate, and how it is told.

use std::collections::BTreeMap;

use calotype_domain::access::{AlbumRole, Object, Viewer, check};
use calotype_domain::activity::Activity;
use calotype_domain::album::Album;
use calotype_domain::asset::Asset;
use calotype_domain::config::Config;
use calotype_domain::faces::Faces;
use calotype_domain::memory::Memory;
use calotype_domain::partner::Partner;
use calotype_domain::permission::Permission;
use calotype_domain::person::Person;
use calotype_domain::shared_link::SharedLink;
use calotype_domain::stack::Stack;
use calotype_domain::tag::Tag;
use calotype_domain::undo::{Facet, Impossible, Plan, Undo};
use calotype_domain::user::User;
use calotype_domain::{
    ActivityId, AlbumId, AssetId, MemoryId, PartnerId, PersonId, SharedLinkId, StackId, TagId,
    UserId,
};
use calotype_eventstore::{Revision, StreamId};

use super::compare::plan_stream;
use super::wish::{Since, Whole, Wish};
use super::{Item, Later, UndoError};
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

impl Plans {
    /// Whether the viewer may bring this back to what it was, and leaves what is not theirs out of it.
    fn keep_own(&mut self, whole: Whole, viewer: &Viewer) -> Result<(), CommandError<UndoError>> {
        let found = match whole {
            Whole::Asset(asset_id) => {
                let planned = self.assets.get(&asset_id);
                // Of what was deleted for good its owner is told that it does not come back.
                let owner_id = viewer.user_id;
                let gone = planned.filter(|it| it.object.is_none() && it.now.was_of(owner_id));
                let gone = gone.map(|_| Object::Owned { owner_id });
                let object = planned.and_then(|planned| planned.object).or(gone);
                object.map(|object| (Permission::AssetUpdate, object))
            }
            Whole::Album(album_id) => {
                let object = self.albums.get(&album_id).and_then(|planned| planned.object);
                object.map(|object| (Permission::AlbumUpdate, object))
            }
            Whole::Library(user_id) => {
                self.keep_library(user_id);
                return Ok(());
            }
        };
        let (permission, object) = found.ok_or(CommandError::Refused(UndoError::NotFound))?;
        check(&viewer.person(), permission, object)
            .map_err(|_| CommandError::Refused(UndoError::NotFound))
    }

    /// Of albums those that are somebody's own, and of everything else what is theirs.
    fn keep_library(&mut self, user_id: UserId) {
        let is_own = |object: Option<Object>| match object {
            Some(Object::Album { role, .. }) => role == Some(AlbumRole::Owner),
            Some(Object::Owned { owner_id } | Object::Asset { owner_id, .. }) => {
                owner_id == user_id
            }
            // Whose faces are is looked up later; what was said in albums is told by who said it.
            _ => true,
        };
        self.albums.retain(|_, planned| is_own(planned.object));
        self.assets.retain(|_, planned| is_own(planned.object));
        self.links.retain(|_, planned| is_own(planned.object));
        self.memories.retain(|_, planned| is_own(planned.object));
        self.partners.retain(|_, planned| is_own(planned.object));
        self.people.retain(|_, planned| is_own(planned.object));
        self.stacks.retain(|_, planned| is_own(planned.object));
        self.tags.retain(|_, planned| is_own(planned.object));
        // Stacks go back beside their photos.
        for planned in self.assets.values_mut() {
            planned.plan.impossible.retain(|it| it.what != "stack");
        }
    }
}

impl Commands {
    pub(crate) async fn plan_undo(
        &self,
        viewer: &Viewer,
        wish: &Wish,
    ) -> Result<Plans, CommandError<UndoError>> {
        let by = viewer.user_id;
        let mut plans = Plans { by, ..Plans::default() };
        let found = self.written(by, wish).await?;
        for some in found.chunks(STREAMS_MAX) {
            let stream_ids: Vec<StreamId> =
                some.iter().map(|written| written.stream_id.clone()).collect();
            let read = self.read_each(&stream_ids).await?;
            for (written, events) in some.iter().zip(read) {
                plan_stream(&mut plans, written, events)?;
            }
        }
        if let Wish::Since(Since { whole, .. }) = wish {
            plans.keep_own(*whole, viewer)?;
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
}
