//! The page of an asset as it was, with what stood beside it.

use std::collections::HashMap;

use calotype_domain::asset::Asset;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::event::Aggregate as _;
use calotype_domain::faces::Faces;
use calotype_domain::person::Person;
use calotype_domain::stack::Stack;
use calotype_domain::{AssetId, PersonId, StackId};
use calotype_eventstore::GlobalPosition;
use sqlx::types::Json;
use uuid::Uuid;

use super::reading::{Reading, row_of};
use crate::asset_extras::{AssetExtras, AssetPage, StackShown};
use crate::assets::Assets;
use crate::error::ProjectionError;
use crate::event::Event;
use crate::people::{People, PersonRow};
use crate::query::Queries;
use crate::tags::{TagRow, Tags};

/// Merges that are followed to tell who somebody was.
const MERGES_MAX: usize = 100;

impl Queries {
    /// An asset at a moment, with what only its owner sees; nothing where it was not there.
    ///
    /// # Errors
    /// What the database said.
    pub async fn asset_then(
        &self,
        asset_id: Uuid,
        position: GlobalPosition,
    ) -> Result<Option<AssetPage>, ProjectionError> {
        let reading = Reading::whole("asset", position);
        let fold = |events: &[Event]| Some((row_of::<Assets>(events)?, asset(events)));
        let Some((row, rules)) = self.folded_one(asset_id, reading, fold).await? else {
            return Ok(None);
        };
        let tag_ids: Vec<Uuid> = rules.tags().iter().map(|tag_id| tag_id.uuid()).collect();
        let stack = match rules.stack() {
            Some((stack_id, _)) => self.stack_then(stack_id, position).await?,
            None => None,
        };
        let extras = AssetExtras {
            tags: Json(self.tags_then(&tag_ids, position).await?),
            stack: stack.map(Json),
            duplicate_id: rules.duplicates().map(|duplicate_id| duplicate_id.uuid()),
            people: Json(self.people_on_then(asset_id, position).await?),
        };
        Ok(Some(AssetPage { asset: row, extras }))
    }

    /// By path.
    async fn tags_then(
        &self,
        tag_ids: &[Uuid],
        position: GlobalPosition,
    ) -> Result<Vec<TagRow>, ProjectionError> {
        let found = self.folded(tag_ids, Reading::whole("tag", position), row_of::<Tags>).await?;
        let mut tags: Vec<TagRow> = found.into_values().filter(|tag| !tag.is_deleted).collect();
        tags.sort_by(|one, other| one.value.cmp(&other.value));
        Ok(tags)
    }

    async fn stack_then(
        &self,
        stack_id: StackId,
        position: GlobalPosition,
    ) -> Result<Option<StackShown>, ProjectionError> {
        let reading = Reading::whole("stack", position);
        let fold = |events: &[Event]| Some(stack(events));
        let Some(rules) = self.folded_one(stack_id.uuid(), reading, fold).await? else {
            return Ok(None);
        };
        let ids: Vec<Uuid> = rules.asset_ids().iter().map(|asset_id| asset_id.uuid()).collect();
        let primary = rules.asset_ids().iter().copied().find(|id| rules.is_primary(*id));
        let assets = self.assets_then(&ids, position).await?;
        let there = assets.iter().filter(|it| it.then.is_some_and(|then| !then.is_trashed));
        let count = i64::try_from(there.count()).unwrap_or(i64::MAX);
        Ok(primary.map(|primary| StackShown {
            stack_id: stack_id.uuid(),
            primary_asset_id: AssetId::uuid(primary),
            count,
        }))
    }

    /// Who was on an asset, from left to right.
    async fn people_on_then(
        &self,
        asset_id: Uuid,
        position: GlobalPosition,
    ) -> Result<Vec<PersonRow>, ProjectionError> {
        let reading = Reading::whole("faces", position);
        let fold = |events: &[Event]| Some(faces(events));
        let Some(rules) = self.folded_one(asset_id, reading, fold).await? else {
            return Ok(Vec::new());
        };
        // By the left edge of the leftmost face; a face without a place stands left of all.
        let mut edges: HashMap<PersonId, f64> = HashMap::new();
        let mut known: HashMap<PersonId, Option<PersonId>> = HashMap::new();
        for face_id in rules.ids() {
            let Some(Some(person_id)) = rules.person_of(face_id) else { continue };
            let stood_for = match known.get(&person_id) {
                Some(known) => *known,
                None => {
                    let found = self.stood_for(person_id, position).await?;
                    known.insert(person_id, found);
                    found
                }
            };
            let Some(person_id) = stood_for else { continue };
            let left = rules.area_of(face_id).map_or(0.0, |area| area.left);
            let edge = edges.entry(person_id).or_insert(left);
            *edge = edge.min(left);
        }
        let ids: Vec<Uuid> = edges.keys().map(|person_id| person_id.uuid()).collect();
        let found = self.folded(&ids, Reading::whole("person", position), row_of::<People>).await?;
        let mut people: Vec<PersonRow> = found.into_values().collect();
        let edge = |person: &PersonRow| edges.get(&PersonId::new(person.person_id)).copied();
        people.sort_by(|one, other| {
            let by_edge = edge(one).unwrap_or_default().total_cmp(&edge(other).unwrap_or_default());
            by_edge.then_with(|| one.person_id.cmp(&other.person_id))
        });
        Ok(people)
    }

    /// Who somebody was by then; nothing where they were nobody any more.
    async fn stood_for(
        &self,
        person_id: PersonId,
        position: GlobalPosition,
    ) -> Result<Option<PersonId>, ProjectionError> {
        let mut person_id = person_id;
        for _ in 0..MERGES_MAX {
            let reading = Reading::whole("person", position);
            let fold = |events: &[Event]| Some(person(events));
            let Some(rules) = self.folded_one(person_id.uuid(), reading, fold).await? else {
                return Ok(None);
            };
            match rules.merged_into() {
                Some(into_id) => person_id = into_id,
                None => return Ok(rules.owner_id().map(|_| person_id)),
            }
        }
        Ok(None)
    }
}

/// What an aggregate's rules know after events.
macro_rules! folds {
    ($($name:ident: $aggregate:ident),+ $(,)?) => {
        $(fn $name(events: &[Event]) -> $aggregate {
            let mut aggregate = $aggregate::default();
            for event in events {
                if let AnyEvent::$aggregate(what) = &event.what {
                    aggregate.evolve(what);
                }
            }
            aggregate
        })+
    };
}

folds! { asset: Asset, faces: Faces, person: Person, stack: Stack }
