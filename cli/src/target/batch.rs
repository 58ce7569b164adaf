//! A batch, and which files of its stacks it has.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::group::Read;

/// Files of one stack that one request names.
const NAMED_MAX: usize = 500;

/// A batch that is being filled.
pub(crate) struct InBatch {
    /// Its id.
    pub(crate) id: Uuid,
    /// SHA-1 of files that the batch has, by stack.
    stacked: Mutex<HashMap<String, Vec<String>>>,
}

impl InBatch {
    pub(crate) fn new(id: Uuid) -> Self {
        Self { id, stacked: Mutex::default() }
    }

    /// Takes note that the batch has an entry.
    pub(crate) fn stacked(&self, one: &Read) {
        if let Some(stack) = one.stack() {
            let mut stacked = self.stacked.lock().unwrap_or_else(PoisonError::into_inner);
            stacked.entry(stack.key.clone()).or_default().push(one.digests.sha1.clone());
        }
    }

    /// The stacks of some entries, with those of their files that the batch has already.
    pub(crate) fn stacks(&self, read: &[Read]) -> Vec<Value> {
        let stacked = self.stacked.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stacks: BTreeMap<&str, (Vec<&str>, Option<&str>)> = BTreeMap::new();
        for one in read {
            let Some(stack) = one.stack() else { continue };
            let (sha1s, primary) = stacks.entry(&stack.key).or_insert_with(|| {
                let there = stacked.get(&stack.key).into_iter().flatten();
                (there.map(String::as_str).collect(), None)
            });
            sha1s.push(&one.digests.sha1);
            if stack.is_primary {
                *primary = Some(&one.digests.sha1);
            }
        }
        let told = stacks.into_iter().filter(|(_, (sha1s, _))| sha1s.len() > 1);
        told.map(|(key, (mut sha1s, primary))| {
            sha1s.truncate(NAMED_MAX);
            // Keys may be long, and may be names of files.
            let key = blake3::hash(key.as_bytes()).to_hex().to_string();
            let mut told = json!({ "key": key, "sha1s": sha1s });
            if let Some(primary) = primary {
                told["primarySha1"] = json!(primary);
            }
            told
        })
        .collect()
    }
}
