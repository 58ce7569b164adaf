//! The rules of a stack.

use serde::{Deserialize, Serialize};

use super::event::{
    StackAssetAdded, StackAssetRemoved, StackCreated, StackDissolved, StackEvent,
    StackPrimaryChanged, StackRestored,
};
use crate::access::Object;
use crate::event::{Aggregate, cqrs_aggregate};
use crate::id::{AssetId, UserId};
use crate::permission::Permission;
use crate::undo::way::{Row, back};
use crate::undo::{Asked, Need, Plan, States, Undo};

/// Most assets of one stack; all of them may change in one transaction.
pub const STACK_ASSETS_MAX: usize = 500;
/// Fewer are no stack.
const STACK_ASSETS_MIN: usize = 2;

/// A wish about one stack.
#[derive(Clone, Debug, PartialEq)]
pub enum StackCommand {
    /// Stack assets.
    Create(StackCreated),
    /// Let another asset stand for it.
    ChangePrimary {
        /// Who wishes it.
        by: UserId,
        /// Which.
        asset_id: AssetId,
    },
    /// Take an asset out that is not the primary one.
    TakeOut {
        /// Who wishes it.
        by: UserId,
        /// Which.
        asset_id: AssetId,
    },
    /// Put assets to it.
    Add {
        /// Who wishes it.
        by: UserId,
        /// Which.
        asset_ids: Vec<AssetId>,
    },
    /// Assets leave, whichever they are: they were purged or went to another stack.
    Leave {
        /// Which.
        asset_ids: Vec<AssetId>,
    },
    /// Some of its assets are in the trash: the first that is not stands for it, if the primary one is.
    PassOver {
        /// Which.
        trashed: Vec<AssetId>,
    },
    /// Dissolve it.
    Dissolve {
        /// Who wishes it.
        by: UserId,
    },
}

/// Why a wish about a stack was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StackError {
    /// It was never made, is dissolved, or is somebody else's.
    #[error("stack does not exist")]
    NotFound,
    /// It was made before.
    #[error("stack exists already")]
    AlreadyExists,
    /// One of the assets is missing or somebody else's.
    #[error("asset cannot be stacked")]
    BadAsset,
    /// The asset is not in it.
    #[error("asset {0} is not in the stack")]
    NotInStack(AssetId),
    /// The primary asset cannot be taken out.
    #[error("asset {0} is the primary one of the stack")]
    IsPrimary(AssetId),
    /// Too few or too many assets.
    #[error("stack has {STACK_ASSETS_MIN} to {STACK_ASSETS_MAX} assets")]
    BadSize,
}

/// A stack, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    owner_id: Option<UserId>,
    /// None once it is dissolved.
    asset_ids: Vec<AssetId>,
    primary_asset_id: Option<AssetId>,
}

impl Stack {
    /// Its assets in order; none when it is dissolved.
    #[must_use]
    pub fn asset_ids(&self) -> &[AssetId] {
        &self.asset_ids
    }

    /// Whether an asset stands for it.
    #[must_use]
    pub fn is_primary(&self, asset_id: AssetId) -> bool {
        self.primary_asset_id == Some(asset_id)
    }

    fn owned_by(&self, by: UserId) -> Result<(), StackError> {
        if self.owner_id == Some(by) && !self.asset_ids.is_empty() {
            Ok(())
        } else {
            Err(StackError::NotFound)
        }
    }

    fn holds(&self, asset_id: AssetId) -> Result<(), StackError> {
        if self.asset_ids.contains(&asset_id) {
            Ok(())
        } else {
            Err(StackError::NotInStack(asset_id))
        }
    }

    fn add(&self, asset_ids: &[AssetId]) -> Result<Vec<StackEvent>, StackError> {
        let mut new: Vec<AssetId> = Vec::new();
        for asset_id in asset_ids {
            if !self.asset_ids.contains(asset_id) && !new.contains(asset_id) {
                new.push(*asset_id);
            }
        }
        if self.asset_ids.len() + new.len() > STACK_ASSETS_MAX {
            return Err(StackError::BadSize);
        }
        Ok(new.into_iter().map(|asset_id| StackAssetAdded { asset_id }.into()).collect())
    }

    fn leave(&self, leaving: &[AssetId]) -> Vec<StackEvent> {
        let (gone, left): (Vec<AssetId>, Vec<AssetId>) =
            self.asset_ids.iter().copied().partition(|asset_id| leaving.contains(asset_id));
        if gone.is_empty() {
            return vec![];
        }
        if left.len() < STACK_ASSETS_MIN {
            return vec![StackDissolved {}.into()];
        }
        let mut events: Vec<StackEvent> =
            gone.iter().map(|asset_id| StackAssetRemoved { asset_id: *asset_id }.into()).collect();
        if let (true, Some(first)) =
            (gone.iter().any(|asset_id| self.is_primary(*asset_id)), left.first())
        {
            events.push(StackPrimaryChanged { primary_asset_id: *first }.into());
        }
        events
    }

    fn pass_over(&self, trashed: &[AssetId]) -> Vec<StackEvent> {
        if !self.primary_asset_id.is_some_and(|primary| trashed.contains(&primary)) {
            return vec![];
        }
        let next = self.asset_ids.iter().find(|asset_id| !trashed.contains(asset_id));
        next.map(|next| StackPrimaryChanged { primary_asset_id: *next }.into())
            .into_iter()
            .collect()
    }
}

impl Aggregate for Stack {
    type Command = StackCommand;
    type Event = StackEvent;
    type Error = StackError;

    fn decide(&self, command: &StackCommand) -> Result<Vec<StackEvent>, StackError> {
        match command {
            StackCommand::Create(_) if self.owner_id.is_some() => Err(StackError::AlreadyExists),
            StackCommand::Create(created) => {
                let mut once = created.asset_ids.clone();
                once.sort_unstable();
                once.dedup();
                let size = created.asset_ids.len();
                if once.len() != size || !(STACK_ASSETS_MIN..=STACK_ASSETS_MAX).contains(&size) {
                    return Err(StackError::BadSize);
                }
                Ok(vec![created.clone().into()])
            }
            StackCommand::ChangePrimary { by, asset_id } => {
                self.owned_by(*by)?;
                self.holds(*asset_id)?;
                Ok(if self.is_primary(*asset_id) {
                    vec![]
                } else {
                    vec![StackPrimaryChanged { primary_asset_id: *asset_id }.into()]
                })
            }
            StackCommand::TakeOut { by, asset_id } => {
                self.owned_by(*by)?;
                self.holds(*asset_id)?;
                if self.is_primary(*asset_id) {
                    return Err(StackError::IsPrimary(*asset_id));
                }
                Ok(self.leave(&[*asset_id]))
            }
            StackCommand::Add { by, asset_ids } => {
                self.owned_by(*by)?;
                self.add(asset_ids)
            }
            StackCommand::Leave { asset_ids } => Ok(self.leave(asset_ids)),
            StackCommand::PassOver { trashed } => Ok(self.pass_over(trashed)),
            StackCommand::Dissolve { by } => {
                self.owned_by(*by)?;
                Ok(vec![StackDissolved {}.into()])
            }
        }
    }

    fn evolve(&mut self, event: &StackEvent) {
        match event {
            StackEvent::Created(created) => {
                self.owner_id = Some(created.owner_id);
                self.asset_ids.clone_from(&created.asset_ids);
                self.primary_asset_id = created.asset_ids.first().copied();
            }
            StackEvent::PrimaryChanged(changed) => {
                self.primary_asset_id = Some(changed.primary_asset_id);
            }
            StackEvent::AssetAdded(added) => self.asset_ids.push(added.asset_id),
            StackEvent::AssetRemoved(removed) => {
                self.asset_ids.retain(|asset_id| *asset_id != removed.asset_id);
            }
            StackEvent::Dissolved(StackDissolved {}) => {
                self.asset_ids.clear();
                self.primary_asset_id = None;
            }
            StackEvent::Restored(restored) => {
                self.asset_ids.clone_from(&restored.asset_ids);
                self.primary_asset_id = Some(restored.primary_asset_id);
            }
        }
    }
}

/// How events of stacks go back: members and primary together.
pub(crate) const WAYS: &[Row] = &[
    back("StackAssetAdded", "members", MEMBERS, UPDATE),
    back("StackAssetRemoved", "members", MEMBERS, UPDATE),
    back("StackCreated", "members", MEMBERS, Need::of(Permission::StackCreate)),
    back("StackDissolved", "members", MEMBERS, Need::of(Permission::StackDelete)),
    back("StackPrimaryChanged", "members", MEMBERS, UPDATE),
    back("StackRestored", "members", MEMBERS, UPDATE),
];
const MEMBERS: &[&str] = &["StackRestored", "StackDissolved"];
const UPDATE: Need = Need::of(Permission::StackUpdate);

impl Undo for Stack {
    fn object(&self, _by: UserId) -> Option<Object> {
        self.owner_id.map(|owner_id| Object::Owned { owner_id })
    }

    /// Members and primary go back together, or not at all.
    fn undo(states: &States<Self>, _asked: &Asked) -> Plan<StackEvent> {
        let mut plan = Plan::default();
        let members = states.map(|stack| (stack.asset_ids.clone(), stack.primary_asset_id));
        plan.facet("members", &members, |(asset_ids, primary)| {
            vec![primary.map_or_else(
                || StackDissolved {}.into(),
                |primary_asset_id| {
                    StackRestored { asset_ids: asset_ids.clone(), primary_asset_id }.into()
                },
            )]
        });
        plan
    }
}

cqrs_aggregate!(Stack, StackCommand, StackEvent, StackError);

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use uuid::Uuid;

    use super::*;

    const OWNER: UserId = UserId::new(Uuid::from_u128(1));
    const STRANGER: UserId = UserId::new(Uuid::from_u128(2));

    type Given = TestFramework<Stack>;

    fn asset(number: u128) -> AssetId {
        AssetId::new(Uuid::from_u128(number))
    }

    fn created(size: u128) -> StackEvent {
        StackCreated { owner_id: OWNER, asset_ids: (10..10 + size).map(asset).collect() }.into()
    }

    #[test]
    fn one_asset_is_no_stack() {
        let wish = StackCreated { owner_id: OWNER, asset_ids: vec![asset(10)] };
        Given::with(())
            .given_no_previous_events()
            .when(StackCommand::Create(wish))
            .then_expect_error(StackError::BadSize);
    }

    #[test]
    fn primary_cannot_be_taken_out_by_hand() {
        Given::with(())
            .given(vec![created(3)])
            .when(StackCommand::TakeOut { by: OWNER, asset_id: asset(10) })
            .then_expect_error(StackError::IsPrimary(asset(10)));
    }

    #[test]
    fn next_asset_stands_in_for_a_primary_that_leaves() {
        Given::with(())
            .given(vec![created(3)])
            .when(StackCommand::Leave { asset_ids: vec![asset(10)] })
            .then_expect_events(vec![
                StackAssetRemoved { asset_id: asset(10) }.into(),
                StackPrimaryChanged { primary_asset_id: asset(11) }.into(),
            ]);
    }

    #[test]
    fn stack_of_one_is_dissolved() {
        Given::with(())
            .given(vec![created(2)])
            .when(StackCommand::TakeOut { by: OWNER, asset_id: asset(11) })
            .then_expect_events(vec![StackDissolved {}.into()]);
    }

    #[test]
    fn trashed_primary_is_passed_over() {
        Given::with(())
            .given(vec![created(3)])
            .when(StackCommand::PassOver { trashed: vec![asset(10), asset(11)] })
            .then_expect_events(vec![StackPrimaryChanged { primary_asset_id: asset(12) }.into()]);
    }

    #[test]
    fn stack_wholly_in_the_trash_keeps_its_primary() {
        Given::with(())
            .given(vec![created(2)])
            .when(StackCommand::PassOver { trashed: vec![asset(10), asset(11)] })
            .then_expect_events(vec![]);
    }

    #[test]
    fn stranger_sees_no_stack() {
        Given::with(())
            .given(vec![created(2)])
            .when(StackCommand::Dissolve { by: STRANGER })
            .then_expect_error(StackError::NotFound);
    }

    #[test]
    fn dissolving_is_taken_back_unless_it_changed_since() {
        let mut before = Stack::default();
        before.evolve(&created(2));
        let mut after = before.clone();
        after.evolve(&StackDissolved {}.into());
        let states = States { before: before.clone(), now: after.clone(), after };
        let back =
            StackRestored { asset_ids: vec![asset(10), asset(11)], primary_asset_id: asset(10) };
        let asked = Asked { by: OWNER, began_at: chrono::DateTime::UNIX_EPOCH };
        assert_eq!(Stack::undo(&states, &asked).events, vec![back.into()]);
        let mut now = before;
        now.evolve(&StackAssetAdded { asset_id: asset(12) }.into());
        let plan = Stack::undo(&States { now, ..states }, &asked);
        assert_eq!((plan.events, plan.changed_since), (vec![], vec!["members"]));
    }
}
