//! The rules of a tag.

use serde::{Deserialize, Serialize};

use super::event::{TagColorChanged, TagCreated, TagDeleted, TagEvent, TagRestored};
use crate::access::Object;
use crate::event::{Aggregate, cqrs_aggregate};
use crate::id::UserId;
use crate::permission::Permission;
use crate::undo::way::{Row, back, never};
use crate::undo::{Asked, Need, Plan, States, Undo};

/// The longest path, in characters.
const VALUE_CHARS_MAX: usize = 1_000;

/// A wish about one tag.
#[derive(Clone, Debug, PartialEq)]
pub enum TagCommand {
    /// Make it.
    Create(TagCreated),
    /// Show it in another colour.
    ChangeColor {
        /// Who wishes it.
        by: UserId,
        /// The colour; none for the usual one.
        color: Option<String>,
    },
    /// Delete it.
    Delete {
        /// Who wishes it.
        by: UserId,
    },
}

/// Why a wish about a tag was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// It was never made, is deleted, or is somebody else's.
    #[error("tag does not exist")]
    NotFound,
    /// The person has a tag with this path.
    #[error("tag exists already")]
    AlreadyExists,
    /// The path is empty or too long.
    #[error("path of a tag has 1 to {VALUE_CHARS_MAX} characters")]
    BadValue,
}

/// A tag, folded from its events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tag {
    owner_id: Option<UserId>,
    value: String,
    color: Option<String>,
    deleted: bool,
}

impl Tag {
    /// Its path, whether it is deleted or not.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Its path, for its owner while it exists.
    ///
    /// # Errors
    /// [`TagError::NotFound`].
    pub fn value_for(&self, by: UserId) -> Result<&str, TagError> {
        if self.deleted || self.owner_id != Some(by) {
            return Err(TagError::NotFound);
        }
        Ok(&self.value)
    }
}

/// The parts of a path, without empty ones: `/a//b/` is `a`, `b`.
pub fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}

impl Aggregate for Tag {
    type Command = TagCommand;
    type Event = TagEvent;
    type Error = TagError;

    fn decide(&self, command: &TagCommand) -> Result<Vec<TagEvent>, TagError> {
        match command {
            TagCommand::Create(_) if self.owner_id.is_some() => Err(TagError::AlreadyExists),
            TagCommand::Create(created) => {
                let chars = created.value.known().map_or(0, |value| value.chars().count());
                if !(1..=VALUE_CHARS_MAX).contains(&chars) {
                    return Err(TagError::BadValue);
                }
                Ok(vec![created.clone().into()])
            }
            TagCommand::ChangeColor { by, color } => {
                self.value_for(*by)?;
                Ok(if *color == self.color {
                    vec![]
                } else {
                    vec![TagColorChanged { color: color.clone() }.into()]
                })
            }
            TagCommand::Delete { by } => {
                self.value_for(*by)?;
                Ok(vec![TagDeleted {}.into()])
            }
        }
    }

    fn evolve(&mut self, event: &TagEvent) {
        match event {
            TagEvent::Created(created) => {
                self.owner_id = Some(created.owner_id);
                self.value = created.value.known().cloned().unwrap_or_default();
                self.color.clone_from(&created.color);
            }
            TagEvent::ColorChanged(changed) => self.color.clone_from(&changed.color),
            TagEvent::Deleted(TagDeleted {}) => self.deleted = true,
            TagEvent::Restored(TagRestored {}) => self.deleted = false,
        }
    }
}

/// Why a new tag is not taken back.
const CREATED: &str = "Others may have tagged with it; deleting it is a wish of its own";
/// How events of tags go back.
pub(crate) const WAYS: &[Row] = &[
    back("TagColorChanged", "color", &["TagColorChanged"], Need::of(Permission::TagUpdate)),
    never("TagCreated", "created", CREATED),
    back("TagDeleted", "deleted", &["TagRestored"], Need::of(Permission::TagDelete)),
    back("TagRestored", "deleted", &["TagDeleted"], Need::of(Permission::TagDelete)),
];

impl Undo for Tag {
    fn object(&self, _by: UserId) -> Option<Object> {
        self.owner_id.map(|owner_id| Object::Owned { owner_id })
    }

    fn undo(states: &States<Self>, _asked: &Asked) -> Plan<TagEvent> {
        let mut plan = Plan::default();
        if states.before.owner_id.is_none() {
            // Others may have tagged with it; deleting it is a wish of its own.
            plan.never("created", CREATED);
            return plan;
        }
        plan.facet("deleted", &states.map(|tag| tag.deleted), |deleted| {
            vec![if *deleted { TagDeleted {}.into() } else { TagRestored {}.into() }]
        });
        plan.facet("color", &states.map(|tag| tag.color.clone()), |color| {
            vec![TagColorChanged { color: color.clone() }.into()]
        });
        plan
    }
}

cqrs_aggregate!(Tag, TagCommand, TagEvent, TagError);

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use uuid::Uuid;

    use super::*;

    const OWNER: UserId = UserId::new(Uuid::from_u128(1));
    const STRANGER: UserId = UserId::new(Uuid::from_u128(2));

    fn created(value: &str) -> TagCreated {
        TagCreated {
            owner_id: OWNER,
            parent_id: None,
            value: value.to_owned().into(),
            color: Some("#fff".into()),
        }
    }

    #[test]
    fn stranger_sees_no_tag() {
        TestFramework::<Tag>::with(())
            .given(vec![created("a").into()])
            .when(TagCommand::Delete { by: STRANGER })
            .then_expect_error(TagError::NotFound);
    }

    #[test]
    fn same_colour_again_changes_nothing() {
        TestFramework::<Tag>::with(())
            .given(vec![created("a").into()])
            .when(TagCommand::ChangeColor { by: OWNER, color: Some("#fff".into()) })
            .then_expect_events(vec![]);
    }

    #[test]
    fn deleted_tag_is_not_found() {
        TestFramework::<Tag>::with(())
            .given(vec![created("a").into(), TagDeleted {}.into()])
            .when(TagCommand::ChangeColor { by: OWNER, color: None })
            .then_expect_error(TagError::NotFound);
    }

    #[test]
    fn path_without_words_is_refused() {
        TestFramework::<Tag>::with(())
            .given_no_previous_events()
            .when(TagCommand::Create(created("")))
            .then_expect_error(TagError::BadValue);
    }

    #[test]
    fn path_is_cut_at_slashes() {
        assert_eq!(segments("/a//b c/").collect::<Vec<_>>(), ["a", "b c"]);
        assert_eq!(segments("//").count(), 0);
    }

    #[test]
    fn deletion_is_taken_back() {
        let mut before = Tag::default();
        before.evolve(&created("a").into());
        let mut after = before.clone();
        after.evolve(&TagDeleted {}.into());
        let asked = Asked { by: OWNER, began_at: chrono::DateTime::UNIX_EPOCH };
        let plan = Tag::undo(&States { before, now: after.clone(), after }, &asked);
        assert_eq!(plan.events, vec![TagRestored {}.into()]);
    }
}
