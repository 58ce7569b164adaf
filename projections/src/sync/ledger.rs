//! The rows of a batch in memory: loaded once, changed event by event in the order of the log, stored once.
//!
//! Because every event is taken in order, it does not matter how the log is cut into batches.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::feed::Feed;
use super::kind::Kind;
use super::rows::{self, Changed};
use crate::error::ProjectionError;

/// What names a synced thing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) kind: Kind,
    pub(super) id: Uuid,
    pub(super) part: String,
}

impl Key {
    /// Of a thing that an id names.
    pub(super) fn new(kind: Kind, id: Uuid) -> Self {
        Self::with_part(kind, id, String::new())
    }

    /// Of a thing that an id and a part name.
    pub(super) fn with_part(kind: Kind, id: Uuid, part: impl Into<String>) -> Self {
        Self { kind, id, part: part.into() }
    }
}

/// What a batch may change.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// These things.
    pub(super) keys: Vec<Key>,
    /// Everything that such an id names, whatever its part.
    pub(super) whole: Vec<(Kind, Uuid)>,
    /// What hangs on these assets because its part names them.
    pub(super) parts: Vec<String>,
}

/// How a thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) scope: Uuid,
    pub(super) change: i64,
    /// When it left its feed; nothing while it lives.
    pub(super) gone_at: Option<DateTime<Utc>>,
}

impl Mark {
    const fn is_live(self) -> bool {
        self.gone_at.is_none()
    }
}

/// A thing before a batch and after it.
#[derive(Clone, Copy, Debug, Default)]
struct Fate {
    before: Option<Mark>,
    after: Option<Mark>,
}

/// The rows of a batch.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    fates: BTreeMap<Key, Fate>,
    heads: BTreeMap<(Uuid, i16), i64>,
}

impl Ledger {
    /// Loads how these things stand. Only they may be changed.
    pub(super) async fn load_in_tx(
        tx: &mut PgConnection,
        mut wanted: Wanted,
    ) -> Result<Self, ProjectionError> {
        wanted.keys.sort_unstable();
        wanted.keys.dedup();
        let mut fates: BTreeMap<Key, Fate> = rows::load_in_tx(tx, &wanted)
            .await?
            .into_iter()
            .map(|(key, mark)| (key, Fate { before: Some(mark), after: Some(mark) }))
            .collect();
        for key in wanted.keys {
            fates.entry(key).or_default();
        }
        Ok(Self { fates, heads: BTreeMap::new() })
    }

    /// Whose feed the thing stands in, or stood in last.
    pub(super) fn scope(&self, key: &Key) -> Option<Uuid> {
        self.fates.get(key)?.after.map(|mark| mark.scope)
    }

    /// The position at which the thing left its feed; none while it lives.
    pub(super) fn left_at(&self, key: &Key) -> Option<i64> {
        let mark = self.fates.get(key)?.after?;
        mark.gone_at.map(|_| super::position(mark.change))
    }

    /// What an id names and left its feed at a position, or lives for none; in the order of the parts.
    pub(super) fn all_of(&self, kind: Kind, id: Uuid, left_at: Option<i64>) -> Vec<Key> {
        self.fates
            .range(Key::new(kind, id)..)
            .take_while(|(key, _)| key.kind == kind && key.id == id)
            .map(|(key, _)| key)
            .filter(|key| self.scope(key).is_some() && self.left_at(key) == left_at)
            .cloned()
            .collect()
    }

    /// What lives of a kind and has this part, of what was loaded.
    pub(super) fn living_with_part(&self, kind: Kind, part: &str) -> Vec<Key> {
        let keys = self.fates.keys().filter(|key| key.kind == kind && key.part == part);
        keys.filter(|key| self.scope(key).is_some() && self.left_at(key).is_none())
            .cloned()
            .collect()
    }

    /// Everything that an id names ends together with everybody who could hear of it.
    pub(super) fn vanish_all_of(&mut self, kind: Kind, id: Uuid) {
        let all = self.fates.range_mut(Key::new(kind, id)..);
        for (_, fate) in all.take_while(|(key, _)| key.kind == kind && key.id == id) {
            fate.after = None;
        }
    }

    /// What hangs on an asset, because its part names it, ends together with the asset.
    pub(super) fn vanish_with_part(&mut self, part: &str) {
        for (key, fate) in &mut self.fates {
            if rows::HANGING.contains(&key.kind) && key.part == part {
                fate.after = None;
            }
        }
    }

    /// The thing is there, or changed; the head is raised by somebody else.
    pub(super) fn note(&mut self, key: &Key, scope: Uuid, change: i64) {
        self.mark(key, Mark { scope, change, gone_at: None });
    }

    /// The thing is back in the feed that it left.
    pub(super) fn revive(&mut self, key: &Key, change: i64) {
        if let Some(scope) = self.scope(key) {
            self.live(key, scope, change);
        }
    }

    /// The thing is there, or changed.
    pub(super) fn live(&mut self, key: &Key, scope: Uuid, change: i64) {
        self.raise(Feed::Rows(key.kind), scope, change);
        self.mark(key, Mark { scope, change, gone_at: None });
    }

    /// Something about the thing changed, if it is there.
    pub(super) fn touch(&mut self, key: &Key, change: i64) {
        if let Some(Mark { scope, gone_at: None, .. }) =
            self.fates.get(key).and_then(|fate| fate.after)
        {
            self.live(key, scope, change);
        }
    }

    /// The thing left its feed. Who never heard of it does not hear of its end; what came after the event, which is
    /// applied once more then, did not leave by it.
    pub(super) fn gone(&mut self, key: &Key, change: i64, at: DateTime<Utc>) {
        let Some(Mark { scope, gone_at: None, change: known }) =
            self.fates.get(key).and_then(|fate| fate.after)
        else {
            return;
        };
        if known <= change {
            self.gone_from(key, scope, change, at);
        }
    }

    /// The thing left the feed of a scope, whether or not its row stands here.
    pub(super) fn gone_from(&mut self, key: &Key, scope: Uuid, change: i64, at: DateTime<Utc>) {
        self.raise(Feed::Gone(key.kind), scope, change);
        self.mark(key, Mark { scope, change, gone_at: Some(at) });
    }

    /// The thing, whose row stands elsewhere, is back in its feed.
    pub(super) fn back(&mut self, key: &Key, change: i64) {
        if let Some(fate) = self.fates.get_mut(key)
            && fate.after.is_some_and(|mark| mark.change < change)
        {
            fate.after = None;
        }
    }

    /// The thing ends together with everybody who could hear of it.
    pub(super) fn vanish(&mut self, key: &Key) {
        if let Some(fate) = self.fates.get_mut(key) {
            fate.after = None;
        }
    }

    /// A feed has a change with this number.
    pub(super) fn raise(&mut self, feed: Feed, scope: Uuid, change: i64) {
        let head = self.heads.entry((scope, feed.head())).or_insert(change);
        *head = change.max(*head);
    }

    /// Keeps the newer of two marks: an event that is applied once more changes nothing.
    fn mark(&mut self, key: &Key, mark: Mark) {
        let Some(fate) = self.fates.get_mut(key) else { return };
        if fate.after.is_none_or(|known| known.change < mark.change) {
            fate.after = Some(mark);
        }
    }

    /// Writes what changed.
    pub(super) async fn store_in_tx(self, tx: &mut PgConnection) -> Result<(), ProjectionError> {
        let mut changed = Changed { heads: self.heads, ..Changed::default() };
        for (key, Fate { before, after }) in self.fates {
            if before == after {
                continue;
            }
            let kept = after.map(Mark::is_live);
            match before.map(Mark::is_live).filter(|stood| kept != Some(*stood)) {
                Some(true) => changed.not_live.push(key.clone()),
                Some(false) => changed.not_gone.push(key.clone()),
                None => {}
            }
            match after {
                Some(mark) if mark.is_live() => changed.live.push((key, mark)),
                Some(mark) => changed.gone.push((key, mark)),
                None => {}
            }
        }
        rows::store_in_tx(tx, changed).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCOPE: Uuid = Uuid::from_u128(7);

    fn ledger(keys: &[&Key]) -> Ledger {
        let fates = keys.iter().map(|key| ((*key).clone(), Fate::default())).collect();
        Ledger { fates, heads: BTreeMap::new() }
    }

    #[test]
    fn who_never_heard_of_a_thing_does_not_hear_of_its_end() {
        let key = Key::new(Kind::Stack, Uuid::from_u128(1));
        let mut ledger = ledger(&[&key]);
        ledger.gone(&key, 5, DateTime::UNIX_EPOCH);
        assert_eq!(ledger.scope(&key), None);
        ledger.live(&key, SCOPE, 6);
        ledger.gone(&key, 7, DateTime::UNIX_EPOCH);
        assert_eq!(ledger.scope(&key), Some(SCOPE));
        assert!(ledger.left_at(&key).is_some());
        ledger.revive(&key, 8);
        assert_eq!(ledger.left_at(&key), None);
    }

    #[test]
    fn event_that_is_applied_once_more_changes_nothing() {
        let key = Key::new(Kind::Stack, Uuid::from_u128(1));
        let mut ledger = ledger(&[&key]);
        ledger.live(&key, SCOPE, 6);
        ledger.gone(&key, 7, DateTime::UNIX_EPOCH);
        ledger.live(&key, SCOPE, 6);
        assert!(ledger.left_at(&key).is_some());
    }

    #[test]
    fn living_things_of_an_id_are_found_by_id_and_kind() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let keys = [
            Key::with_part(Kind::MemoryAsset, one, "a"),
            Key::with_part(Kind::MemoryAsset, one, "b"),
            Key::with_part(Kind::MemoryAsset, other, "a"),
            Key::with_part(Kind::Face, one, "a"),
        ];
        let mut ledger = ledger(&keys.iter().collect::<Vec<_>>());
        assert!(ledger.all_of(Kind::MemoryAsset, one, None).is_empty(), "they are not there yet");
        for key in &keys {
            ledger.live(key, SCOPE, 3);
        }
        assert_eq!(ledger.all_of(Kind::MemoryAsset, one, None), keys[..2]);
        ledger.gone(&keys[0], 4 << 20, DateTime::UNIX_EPOCH);
        assert_eq!(ledger.all_of(Kind::MemoryAsset, one, None), keys[1..2]);
        assert_eq!(ledger.all_of(Kind::MemoryAsset, one, Some(4)), keys[..1]);
    }
}
