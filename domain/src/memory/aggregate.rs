//! The rules of a memory.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::event::{
    MemoryAssetsAdded, MemoryAssetsRemoved, MemoryCreated, MemoryDateChanged, MemoryDeleted,
    MemoryEvent, MemoryRestored, MemorySaved, MemorySeen, MemoryUnsaved,
};
use crate::access::Object;
use crate::event::{Aggregate, cqrs_aggregate};
use crate::id::{AssetId, UserId};
use crate::permission::Permission;
use crate::undo::way::{Row, back, never};
use crate::undo::{Asked, Need, Plan, States, Undo};

/// Most assets of one memory.
pub const MEMORY_ASSETS_MAX: usize = 1_000;

/// What a person changes about a memory in one go; `None` leaves a thing as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryChange {
    /// Whether it is kept.
    pub is_saved: Option<bool>,
    /// The day it tells of.
    pub memory_at: Option<DateTime<Utc>>,
    /// When it was looked at.
    pub seen_at: Option<DateTime<Utc>>,
}

/// A wish about one memory.
#[derive(Clone, Debug, PartialEq)]
pub enum MemoryCommand {
    /// Make it.
    Create(Box<MemoryCreated>),
    /// Change it.
    Change {
        /// Who wishes it.
        by: UserId,
        /// What changes.
        change: MemoryChange,
    },
    /// Put assets to it.
    AddAssets {
        /// Who wishes it.
        by: UserId,
        /// Which.
        asset_ids: Vec<AssetId>,
    },
    /// Take assets out.
    RemoveAssets {
        /// Who wishes it.
        by: UserId,
        /// Which.
        asset_ids: Vec<AssetId>,
    },
    /// Delete it.
    Delete {
        /// Who wishes it; nobody when its time is over.
        by: Option<UserId>,
    },
}

/// Why a wish about a memory was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    /// It was never made, is deleted, or is somebody else's.
    #[error("memory does not exist")]
    NotFound,
    /// It was made before.
    #[error("memory exists already")]
    AlreadyExists,
    /// Too many assets.
    #[error("memory has at most {MEMORY_ASSETS_MAX} assets")]
    TooManyAssets,
}

/// A memory, folded from its events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Memory {
    owner_id: Option<UserId>,
    memory_at: Option<DateTime<Utc>>,
    seen_at: Option<DateTime<Utc>>,
    is_saved: bool,
    asset_ids: Vec<AssetId>,
    deleted: bool,
}

impl Memory {
    fn owned_by(&self, by: UserId) -> Result<(), MemoryError> {
        if !self.deleted && self.owner_id == Some(by) { Ok(()) } else { Err(MemoryError::NotFound) }
    }

    fn change(&self, change: MemoryChange) -> Vec<MemoryEvent> {
        let mut events: Vec<MemoryEvent> = Vec::new();
        match change.is_saved {
            Some(true) if !self.is_saved => events.push(MemorySaved {}.into()),
            Some(false) if self.is_saved => events.push(MemoryUnsaved {}.into()),
            _ => {}
        }
        if let Some(memory_at) = change.memory_at
            && self.memory_at != Some(memory_at)
        {
            events.push(MemoryDateChanged { memory_at }.into());
        }
        if let Some(seen_at) = change.seen_at
            && self.seen_at != Some(seen_at)
        {
            events.push(MemorySeen { seen_at }.into());
        }
        events
    }

    fn add(&self, asset_ids: &[AssetId]) -> Result<Vec<MemoryEvent>, MemoryError> {
        let mut new: Vec<AssetId> = Vec::new();
        for asset_id in asset_ids {
            if !self.asset_ids.contains(asset_id) && !new.contains(asset_id) {
                new.push(*asset_id);
            }
        }
        if self.asset_ids.len() + new.len() > MEMORY_ASSETS_MAX {
            return Err(MemoryError::TooManyAssets);
        }
        Ok(if new.is_empty() { vec![] } else { vec![MemoryAssetsAdded { asset_ids: new }.into()] })
    }

    fn remove(&self, asset_ids: &[AssetId]) -> Vec<MemoryEvent> {
        let gone: Vec<AssetId> = self
            .asset_ids
            .iter()
            .copied()
            .filter(|asset_id| asset_ids.contains(asset_id))
            .collect();
        if gone.is_empty() { vec![] } else { vec![MemoryAssetsRemoved { asset_ids: gone }.into()] }
    }
}

impl Aggregate for Memory {
    type Command = MemoryCommand;
    type Event = MemoryEvent;
    type Error = MemoryError;

    fn decide(&self, command: &MemoryCommand) -> Result<Vec<MemoryEvent>, MemoryError> {
        match command {
            MemoryCommand::Create(_) if self.owner_id.is_some() => Err(MemoryError::AlreadyExists),
            MemoryCommand::Create(created) if created.asset_ids.len() > MEMORY_ASSETS_MAX => {
                Err(MemoryError::TooManyAssets)
            }
            MemoryCommand::Create(created) => Ok(vec![(**created).clone().into()]),
            MemoryCommand::Change { by, change } => {
                self.owned_by(*by)?;
                Ok(self.change(*change))
            }
            MemoryCommand::AddAssets { by, asset_ids } => {
                self.owned_by(*by)?;
                self.add(asset_ids)
            }
            MemoryCommand::RemoveAssets { by, asset_ids } => {
                self.owned_by(*by)?;
                Ok(self.remove(asset_ids))
            }
            MemoryCommand::Delete { by: Some(by) } => {
                self.owned_by(*by)?;
                Ok(vec![MemoryDeleted {}.into()])
            }
            MemoryCommand::Delete { by: None } => Ok(if self.deleted || self.owner_id.is_none() {
                vec![]
            } else {
                vec![MemoryDeleted {}.into()]
            }),
        }
    }

    fn evolve(&mut self, event: &MemoryEvent) {
        match event {
            MemoryEvent::Created(created) => {
                self.owner_id = Some(created.owner_id);
                self.memory_at = Some(created.memory_at);
                self.seen_at = created.seen_at;
                self.is_saved = created.is_saved;
                self.asset_ids.clone_from(&created.asset_ids);
            }
            MemoryEvent::Saved(MemorySaved {}) => self.is_saved = true,
            MemoryEvent::Unsaved(MemoryUnsaved {}) => self.is_saved = false,
            MemoryEvent::Seen(seen) => self.seen_at = Some(seen.seen_at),
            MemoryEvent::DateChanged(changed) => self.memory_at = Some(changed.memory_at),
            MemoryEvent::AssetsAdded(added) => self.asset_ids.extend(&added.asset_ids),
            MemoryEvent::AssetsRemoved(removed) => {
                self.asset_ids.retain(|asset_id| !removed.asset_ids.contains(asset_id));
            }
            MemoryEvent::Deleted(MemoryDeleted {}) => self.deleted = true,
            MemoryEvent::Restored(MemoryRestored {}) => self.deleted = false,
        }
    }
}

/// How events of memories go back.
pub(crate) const WAYS: &[Row] = &[
    back("MemoryAssetsAdded", "assets", ASSETS, Need::of(Permission::MemoryAssetCreate)),
    back("MemoryAssetsRemoved", "assets", ASSETS, Need::of(Permission::MemoryAssetDelete)),
    back("MemoryCreated", "existence", &["MemoryDeleted"], Need::of(Permission::MemoryCreate)),
    back("MemoryDateChanged", "date", &["MemoryDateChanged"], UPDATE),
    back("MemoryDeleted", "existence", &["MemoryRestored"], Need::of(Permission::MemoryDelete)),
    back("MemoryRestored", "existence", &["MemoryDeleted"], Need::of(Permission::MemoryDelete)),
    back("MemorySaved", "saved", &["MemoryUnsaved"], UPDATE),
    never("MemorySeen", "seen", "It was looked at; that cannot be undone"),
    back("MemoryUnsaved", "saved", &["MemorySaved"], UPDATE),
];
const ASSETS: &[&str] = &["MemoryAssetsAdded", "MemoryAssetsRemoved"];
const UPDATE: Need = Need::of(Permission::MemoryUpdate);

impl Undo for Memory {
    fn object(&self, _by: UserId) -> Option<Object> {
        self.owner_id.map(|owner_id| Object::Owned { owner_id })
    }

    fn undo(states: &States<Self>, _asked: &Asked) -> Plan<MemoryEvent> {
        let mut plan = Plan::default();
        let exists = states.map(|memory| memory.owner_id.is_some() && !memory.deleted);
        plan.facet("existence", &exists, |existed| {
            vec![if *existed { MemoryRestored {}.into() } else { MemoryDeleted {}.into() }]
        });
        if !(exists.before && exists.now) {
            return plan;
        }
        plan.facet("saved", &states.map(|memory| memory.is_saved), |saved| {
            vec![if *saved { MemorySaved {}.into() } else { MemoryUnsaved {}.into() }]
        });
        plan.facet("date", &states.map(|memory| memory.memory_at), |memory_at| {
            memory_at.map(|memory_at| MemoryDateChanged { memory_at }.into()).into_iter().collect()
        });
        // What comes back comes to the end: the order is not what is taken back.
        let inside = states.map(|memory| memory.asset_ids.iter().copied().collect::<BTreeSet<_>>());
        plan.facet("assets", &inside, |_| {
            let (asset_ids, now) = (&states.before.asset_ids, &states.now);
            let gone: Vec<AssetId> = now
                .asset_ids
                .iter()
                .copied()
                .filter(|asset_id| !asset_ids.contains(asset_id))
                .collect();
            let mut events = now.remove(&gone);
            // What was there before is never too much.
            events.extend(now.add(asset_ids).unwrap_or_default());
            events
        });
        plan
    }
}

cqrs_aggregate!(Memory, MemoryCommand, MemoryEvent, MemoryError);

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use uuid::Uuid;

    use super::super::event::OnThisDay;
    use super::*;

    const OWNER: UserId = UserId::new(Uuid::from_u128(1));
    const STRANGER: UserId = UserId::new(Uuid::from_u128(2));

    type Given = TestFramework<Memory>;

    fn asset(number: u128) -> AssetId {
        AssetId::new(Uuid::from_u128(number))
    }

    fn created() -> MemoryEvent {
        MemoryCreated {
            owner_id: OWNER,
            on_this_day: OnThisDay { year: 2019 },
            memory_at: "2019-06-01T00:00:00Z".parse().unwrap(),
            show_at: None,
            hide_at: None,
            seen_at: None,
            is_saved: false,
            asset_ids: vec![asset(1)],
        }
        .into()
    }

    #[test]
    fn saving_twice_happens_once() {
        let change = MemoryChange { is_saved: Some(true), ..MemoryChange::default() };
        Given::with(())
            .given(vec![created(), MemorySaved {}.into()])
            .when(MemoryCommand::Change { by: OWNER, change })
            .then_expect_events(vec![]);
    }

    #[test]
    fn asset_that_is_there_is_not_added_again() {
        Given::with(())
            .given(vec![created()])
            .when(MemoryCommand::AddAssets { by: OWNER, asset_ids: vec![asset(1), asset(2)] })
            .then_expect_events(vec![MemoryAssetsAdded { asset_ids: vec![asset(2)] }.into()]);
    }

    #[test]
    fn stranger_sees_no_memory() {
        Given::with(())
            .given(vec![created()])
            .when(MemoryCommand::Delete { by: Some(STRANGER) })
            .then_expect_error(MemoryError::NotFound);
    }

    #[test]
    fn memory_whose_time_is_over_is_deleted_once() {
        Given::with(())
            .given(vec![created(), MemoryDeleted {}.into()])
            .when(MemoryCommand::Delete { by: None })
            .then_expect_events(vec![]);
    }
}
