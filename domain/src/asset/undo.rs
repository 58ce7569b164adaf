//! Taking back what was done to an asset, and the events by which the file's own words hold again.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::edit::{AssetEdited, AssetEditsRemoved};
use super::event::{
    AssetDateChanged, AssetDescriptionChanged, AssetEvent, AssetFavorited, AssetLocationChanged,
    AssetPlaceFound, AssetRatingChanged, AssetRestored, AssetTrashed, AssetUnfavorited,
    AssetVisibilityChanged,
};
use super::live::{AssetFilmLinked, AssetFilmUnlinked};
use super::organize::{
    AssetDuplicatesDismissed, AssetDuplicatesFound, AssetKeyValueRemoved, AssetKeyValueSet,
    AssetTagged, AssetUntagged, KeyValue,
};
use super::state::Asset;
use super::undo_table::{PURGED, UPLOADED};
use super::values::Position;
use crate::access::{Object, Reach};
use crate::id::UserId;
use crate::sealed::Sealed;
use crate::undo::{Asked, Plan, States, Undo};

/// A person's caption was taken back: the file's own holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetDescriptionReverted {
    /// The file's caption; empty for none.
    pub description: Sealed<String>,
}

/// A person's stars were taken back: the file's own hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetRatingReverted {
    /// The file's stars.
    pub rating: Option<i8>,
}

/// A person's date was taken back: the file's own holds, or that of its upload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetDateReverted {
    /// The instant.
    pub taken_at: DateTime<Utc>,
    /// The photographer's wall clock at that instant.
    pub local_date_time: NaiveDateTime,
    /// The zone, where the file names one.
    pub time_zone: Option<String>,
}

/// A person's place was taken back: the file's own holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetLocationReverted {
    /// The file's place.
    pub position: Sealed<Option<Position>>,
}

/// When something was taken: instant, wall clock, zone.
pub(super) type Date = (DateTime<Utc>, NaiveDateTime, Option<String>);

/// What a file says, or a person said over it; `None` where neither did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Words {
    pub(super) description: Option<String>,
    pub(super) rating: Option<Option<i8>>,
    pub(super) date: Option<Date>,
    pub(super) position: Option<Position>,
}

impl Undo for Asset {
    fn object(&self, _by: UserId) -> Option<Object> {
        Some(Object::Asset {
            owner_id: self.owner_id()?,
            visibility: self.visibility,
            is_trashed: self.trashed,
            reach: Reach::default(),
        })
    }

    fn undo(states: &States<Self>, _asked: &Asked) -> Plan<AssetEvent> {
        let mut plan = Plan::default();
        if states.before.owner_id().is_none() {
            plan.never("uploaded", UPLOADED);
            return plan;
        }
        if states.after.owner_id().is_none() || states.now.owner_id().is_none() {
            plan.never("deleted", PURGED);
            return plan;
        }
        marks(&mut plan, states);
        words(&mut plan, states);
        organized(&mut plan, states);
        plan
    }
}

fn marks(plan: &mut Plan<AssetEvent>, states: &States<Asset>) {
    plan.facet("trashed", &states.map(|asset| asset.trashed), |trashed| {
        vec![if *trashed { AssetTrashed {}.into() } else { AssetRestored {}.into() }]
    });
    plan.facet("favorite", &states.map(|asset| asset.favorite), |favorite| {
        vec![if *favorite { AssetFavorited {}.into() } else { AssetUnfavorited {}.into() }]
    });
    let linked = states.now.live.film;
    plan.facet("film", &states.map(|asset| asset.live.film), |film| match (film, linked) {
        (Some(film_id), _) => vec![AssetFilmLinked { film_id: *film_id }.into()],
        (None, Some(film_id)) => vec![AssetFilmUnlinked { film_id }.into()],
        (None, None) => vec![],
    });
    plan.facet("visibility", &states.map(|asset| asset.visibility), |visibility| {
        vec![AssetVisibilityChanged { visibility: *visibility }.into()]
    });
    plan.facet("edits", &states.map(|asset| asset.editing.edits()), |edits| {
        vec![if edits.is_empty() {
            AssetEditsRemoved {}.into()
        } else {
            AssetEdited { edits: edits.to_vec() }.into()
        }]
    });
}

fn words(plan: &mut Plan<AssetEvent>, states: &States<Asset>) {
    let file = &states.now.file;
    plan.facet("description", &states.map(|asset| &asset.person.description), |words| {
        vec![match words {
            Some(words) => AssetDescriptionChanged { description: words.clone().into() }.into(),
            None => AssetDescriptionReverted {
                description: file.description.clone().unwrap_or_default().into(),
            }
            .into(),
        }]
    });
    plan.facet("rating", &states.map(|asset| asset.person.rating), |rating| {
        vec![match rating {
            Some(rating) => AssetRatingChanged { rating: *rating }.into(),
            None => AssetRatingReverted { rating: file.rating.flatten() }.into(),
        }]
    });
    plan.facet("date", &states.map(|asset| &asset.person.date), |date| match (date, &file.date) {
        (Some((taken_at, local, zone)), _) => vec![
            AssetDateChanged {
                taken_at: *taken_at,
                local_date_time: *local,
                time_zone: zone.clone(),
            }
            .into(),
        ],
        (None, Some((taken_at, local, zone))) => vec![
            AssetDateReverted {
                taken_at: *taken_at,
                local_date_time: *local,
                time_zone: zone.clone(),
            }
            .into(),
        ],
        (None, None) => vec![],
    });
    plan.facet("position", &states.map(|asset| asset.person.position), |position| {
        let back = match position {
            Some(position) => AssetLocationChanged { position: (*position).into() }.into(),
            None => AssetLocationReverted { position: file.position.into() }.into(),
        };
        // What it lay in before is known, so that nobody has to look it up again.
        let lies_there = |found: &&AssetPlaceFound| {
            let place = found.place.known();
            place.is_some_and(|place| Some(place.position) == position.or(file.position))
        };
        let named = states.before.place.iter().find(lies_there).cloned();
        std::iter::once(back).chain(named.map(AssetEvent::from)).collect()
    });
}

/// Tags, duplicates and programs' values, one by one. Stacks go back as a whole, by their own events.
fn organized(plan: &mut Plan<AssetEvent>, states: &States<Asset>) {
    let all = [&states.before.organized, &states.after.organized, &states.now.organized];
    let tags: BTreeSet<_> = all.iter().flat_map(|organized| &organized.tags).copied().collect();
    for tag_id in tags {
        let carries = states.map(|asset| asset.organized.tags.contains(&tag_id));
        plan.facet("tag", &carries, |carries| {
            vec![if *carries {
                AssetTagged { tag_id }.into()
            } else {
                AssetUntagged { tag_id }.into()
            }]
        });
    }
    plan.facet("duplicates", &states.map(|asset| asset.organized.duplicates), |group| {
        let now = states.now.organized.duplicates;
        match (group, now) {
            (Some(duplicate_id), _) => {
                vec![AssetDuplicatesFound { duplicate_id: *duplicate_id }.into()]
            }
            (None, Some(duplicate_id)) => vec![AssetDuplicatesDismissed { duplicate_id }.into()],
            (None, None) => vec![],
        }
    });
    let keys: BTreeSet<_> = all.iter().flat_map(|organized| organized.key_values.keys()).collect();
    for key in keys {
        let values = states.map(|asset| asset.organized.key_values.get(key));
        plan.facet("keyValue", &values, |value| {
            vec![match value {
                Some(value) => {
                    let entry = KeyValue { key: key.clone(), value: (*value).clone() };
                    AssetKeyValueSet { entry: entry.into() }.into()
                }
                None => AssetKeyValueRemoved { key: key.clone().into() }.into(),
            }]
        });
    }
}
