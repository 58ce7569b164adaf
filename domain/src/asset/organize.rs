//! How an asset stands among others: its tags, its stack, its group of duplicates, and the values that
//! programs keep with it.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::AssetError;
use super::event::AssetEvent;
use crate::id::{DuplicateId, StackId, TagId};
use crate::sealed::Sealed;

/// Most values that programs may keep with one asset.
const KEY_VALUES_MAX: usize = 100;
/// The longest key, in characters.
const KEY_CHARS_MAX: usize = 256;
/// The longest value, in bytes as JSON.
const VALUE_BYTES_MAX: usize = 64 * 1024;

/// It carries a tag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetTagged {
    /// Which.
    pub tag_id: TagId,
}

/// It carries a tag no more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetUntagged {
    /// Which.
    pub tag_id: TagId,
}

/// The keywords of its file name a tag, so it carries it. A person's word about the tag counts for more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetTaggedByFile {
    /// Which.
    pub tag_id: TagId,
}

/// The keywords of its file name a tag no more, and no person said that it carries it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetUntaggedByFile {
    /// Which.
    pub tag_id: TagId,
}

/// It is in a stack, or has another place in it. Follows from the stack's own event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetStacked {
    /// Which; it is in no other any more.
    pub stack_id: StackId,
    /// Whether it stands for the stack.
    pub is_primary: bool,
}

/// It is in no stack any more. Follows from the stack's own event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetUnstacked {
    /// Which it was in.
    pub stack_id: StackId,
}

/// It shows the same as other assets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetDuplicatesFound {
    /// The group that they are.
    pub duplicate_id: DuplicateId,
}

/// It is in no group of duplicates any more: the group was resolved, or is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetDuplicatesDismissed {
    /// The group it was in.
    pub duplicate_id: DuplicateId,
}

/// A value that a program keeps with an asset under a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KeyValue {
    /// The key, chosen by the program.
    pub key: String,
    /// The value.
    pub value: Map<String, Value>,
}

/// A program keeps a value with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetKeyValueSet {
    /// Key and value.
    pub entry: Sealed<KeyValue>,
}

/// A program's value is gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetKeyValueRemoved {
    /// Under which key.
    pub key: Sealed<String>,
}

/// A wish about how an asset stands among others.
#[derive(Clone, Debug, PartialEq)]
pub enum Organize {
    /// Carry a tag.
    Tag(TagId),
    /// Carry a tag no more.
    Untag(TagId),
    /// Be in a stack; decided by the stack.
    Stack {
        /// Which.
        stack_id: StackId,
        /// Whether it stands for the stack.
        is_primary: bool,
    },
    /// Be in no stack; decided by the stack.
    Unstack,
    /// Be in a group of duplicates, and in no other.
    FindDuplicates(DuplicateId),
    /// Be in no group of duplicates.
    DismissDuplicates,
    /// Keep a value.
    SetKeyValue(KeyValue),
    /// Forget the value under a key.
    RemoveKeyValue(String),
}

/// How an asset stands among others, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Organized {
    pub(super) tags: BTreeSet<TagId>,
    /// What people said about tags last: carry it, or not. No file says otherwise.
    said: BTreeMap<TagId, bool>,
    pub(super) stack: Option<(StackId, bool)>,
    pub(super) duplicates: Option<DuplicateId>,
    /// The groups that a person took it out of: who was in one of them with it is no duplicate of it.
    #[serde(default)]
    told_apart: BTreeSet<DuplicateId>,
    pub(super) key_values: BTreeMap<String, Map<String, Value>>,
}

impl Organized {
    pub(super) fn decide(&self, wish: &Organize) -> Result<Vec<AssetEvent>, AssetError> {
        Ok(match wish {
            Organize::Tag(tag_id) if self.tags.contains(tag_id) => vec![],
            Organize::Tag(tag_id) => vec![AssetTagged { tag_id: *tag_id }.into()],
            Organize::Untag(tag_id) if self.tags.contains(tag_id) => {
                vec![AssetUntagged { tag_id: *tag_id }.into()]
            }
            Organize::Untag(_) => vec![],
            Organize::Stack { stack_id, is_primary } => {
                let (stack_id, is_primary) = (*stack_id, *is_primary);
                if self.stack == Some((stack_id, is_primary)) {
                    vec![]
                } else {
                    vec![AssetStacked { stack_id, is_primary }.into()]
                }
            }
            Organize::Unstack => self
                .stack
                .map(|(stack_id, _)| AssetUnstacked { stack_id }.into())
                .into_iter()
                .collect(),
            Organize::FindDuplicates(duplicate_id) if self.duplicates == Some(*duplicate_id) => {
                vec![]
            }
            Organize::FindDuplicates(duplicate_id) => {
                vec![AssetDuplicatesFound { duplicate_id: *duplicate_id }.into()]
            }
            Organize::DismissDuplicates => self
                .duplicates
                .map(|duplicate_id| AssetDuplicatesDismissed { duplicate_id }.into())
                .into_iter()
                .collect(),
            Organize::SetKeyValue(entry) => self.set(entry)?,
            Organize::RemoveKeyValue(key) if self.key_values.contains_key(key) => {
                vec![AssetKeyValueRemoved { key: key.clone().into() }.into()]
            }
            Organize::RemoveKeyValue(_) => vec![],
        })
    }

    /// Whether a person took both out of one group of duplicates.
    pub(super) fn was_told_apart_from(&self, other: &Self) -> bool {
        !self.told_apart.is_disjoint(&other.told_apart)
    }

    /// Whether people ever said about a tag that it carries it, or does not.
    pub(super) fn is_said(&self) -> bool {
        !self.said.is_empty()
    }

    /// Carries the tags that the file's keywords name, and no others of those that they named before; but
    /// what a person gave or took stays given or taken.
    pub(super) fn follow_file(&self, named: &BTreeSet<TagId>) -> Vec<AssetEvent> {
        let unsaid = |tag_id: &&TagId| !self.said.contains_key(*tag_id);
        let gone = self.tags.iter().filter(unsaid).filter(|tag_id| !named.contains(*tag_id));
        let new = named.iter().filter(unsaid).filter(|tag_id| !self.tags.contains(*tag_id));
        gone.map(|tag_id| AssetUntaggedByFile { tag_id: *tag_id }.into())
            .chain(new.map(|tag_id| AssetTaggedByFile { tag_id: *tag_id }.into()))
            .collect()
    }

    fn set(&self, entry: &KeyValue) -> Result<Vec<AssetEvent>, AssetError> {
        let known = self.key_values.get(&entry.key);
        if known == Some(&entry.value) {
            return Ok(vec![]);
        }
        let json = serde_json::to_string(&entry.value).unwrap_or_default();
        // The marks of sealed values are the log's own.
        let is_mark = json.contains("\"$seal") || json.contains("\"$forgotten");
        if is_mark
            || !(1..=KEY_CHARS_MAX).contains(&entry.key.chars().count())
            || json.len() > VALUE_BYTES_MAX
            || (known.is_none() && self.key_values.len() >= KEY_VALUES_MAX)
        {
            return Err(AssetError::BadKeyValue);
        }
        Ok(vec![AssetKeyValueSet { entry: entry.clone().into() }.into()])
    }

    /// Takes in those events that are about how it stands among others.
    pub(super) fn evolve(&mut self, event: &AssetEvent) {
        match event {
            AssetEvent::Tagged(tagged) => {
                self.tags.insert(tagged.tag_id);
                self.said.insert(tagged.tag_id, true);
            }
            AssetEvent::Untagged(untagged) => {
                self.tags.remove(&untagged.tag_id);
                self.said.insert(untagged.tag_id, false);
            }
            AssetEvent::TaggedByFile(tagged) => {
                self.tags.insert(tagged.tag_id);
            }
            AssetEvent::UntaggedByFile(untagged) => {
                self.tags.remove(&untagged.tag_id);
            }
            AssetEvent::Stacked(stacked) => {
                self.stack = Some((stacked.stack_id, stacked.is_primary));
            }
            AssetEvent::Unstacked(_) => self.stack = None,
            AssetEvent::DuplicatesFound(found) => {
                self.told_apart.remove(&found.duplicate_id);
                self.duplicates = Some(found.duplicate_id);
            }
            AssetEvent::DuplicatesDismissed(dismissed) => {
                self.told_apart.insert(dismissed.duplicate_id);
                self.duplicates = None;
            }
            AssetEvent::KeyValueSet(set) => {
                if let Some(entry) = set.entry.known() {
                    self.key_values.insert(entry.key.clone(), entry.value.clone());
                }
            }
            AssetEvent::KeyValueRemoved(removed) => {
                if let Some(key) = removed.key.known() {
                    self.key_values.remove(key);
                }
            }
            // The aggregate's own match names every event.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const A: TagId = TagId::new(Uuid::from_u128(1));
    const B: TagId = TagId::new(Uuid::from_u128(2));

    fn after(events: Vec<AssetEvent>) -> Organized {
        let mut organized = Organized::default();
        for event in events {
            organized.evolve(&event);
        }
        organized
    }

    #[test]
    fn file_gives_tags_and_takes_back_its_own() {
        let fresh = Organized::default();
        let both = fresh.follow_file(&BTreeSet::from([A, B]));
        assert_eq!(
            both,
            [AssetTaggedByFile { tag_id: A }.into(), AssetTaggedByFile { tag_id: B }.into()]
        );
        let tagged = after(both);
        assert!(tagged.follow_file(&BTreeSet::from([A, B])).is_empty());
        let left = tagged.follow_file(&BTreeSet::from([A]));
        assert_eq!(left, [AssetUntaggedByFile { tag_id: B }.into()]);
    }

    #[test]
    fn who_left_one_group_together_was_told_apart() {
        let (one, two) =
            (DuplicateId::new(Uuid::from_u128(1)), DuplicateId::new(Uuid::from_u128(2)));
        let left = |duplicate_id| AssetDuplicatesDismissed { duplicate_id }.into();
        let both = after(vec![left(one), left(two)]);
        assert!(both.was_told_apart_from(&after(vec![left(two)])));
        assert!(!after(vec![left(one)]).was_told_apart_from(&after(vec![left(two)])));
        // Taken back, it is as if nobody had said so.
        let back = after(vec![left(one), AssetDuplicatesFound { duplicate_id: one }.into()]);
        assert!(!back.was_told_apart_from(&both));
    }

    #[test]
    fn what_a_person_said_stays() {
        let given = after(vec![AssetTagged { tag_id: A }.into()]);
        assert!(given.follow_file(&BTreeSet::new()).is_empty());
        let taken =
            after(vec![AssetTaggedByFile { tag_id: A }.into(), AssetUntagged { tag_id: A }.into()]);
        assert!(taken.follow_file(&BTreeSet::from([A])).is_empty());
    }
}
