//! Stacks, memories, and values that programs keep with assets: things in their owner's feed.

use calotype_domain::asset::AssetEvent;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::memory::MemoryEvent;
use calotype_domain::stack::StackEvent;
use uuid::Uuid;

use super::change;
use super::feed::Feed;
use super::kind::Kind;
use super::ledger::{Key, Ledger, Wanted};
use crate::event::Event;

/// What these events may change.
pub(super) fn want(events: &[&Event], wanted: &mut Wanted) {
    for event in events {
        match &event.what {
            AnyEvent::Stack(_) => wanted.keys.push(Key::new(Kind::Stack, event.key)),
            AnyEvent::Memory(what) => {
                wanted.keys.push(Key::new(Kind::Memory, event.key));
                wanted.whole.push((Kind::MemoryAsset, event.key));
                let (MemoryEvent::Created(_) | MemoryEvent::AssetsAdded(_)) = what else {
                    continue;
                };
                wanted.keys.extend(
                    memory_assets(what)
                        .into_iter()
                        .map(|asset_id| memory_asset(event.key, asset_id)),
                );
            }
            AnyEvent::Asset(AssetEvent::KeyValueSet(set)) => {
                wanted.whole.push((Kind::AssetMetadata, event.key));
                wanted.keys.extend(set.entry.known().map(|entry| key_value(event.key, &entry.key)));
            }
            AnyEvent::Asset(AssetEvent::KeyValueRemoved(_)) => {
                wanted.whole.push((Kind::AssetMetadata, event.key));
            }
            AnyEvent::Asset(AssetEvent::VisibilityChanged(_) | AssetEvent::Restored(_)) => {
                wanted.parts.push(event.key.to_string());
            }
            AnyEvent::Asset(AssetEvent::Purged(_)) => {
                wanted.whole.push((Kind::AssetMetadata, event.key));
                wanted.parts.push(event.key.to_string());
            }
            _ => {}
        }
    }
}

/// Takes in one event of a stack.
pub(super) fn apply_stack(event: &Event, what: &StackEvent, ledger: &mut Ledger) {
    let number = change(event.position.get(), 0);
    let key = Key::new(Kind::Stack, event.key);
    match what {
        StackEvent::Created(created) => ledger.live(&key, created.owner_id.uuid(), number),
        StackEvent::PrimaryChanged(_) | StackEvent::AssetAdded(_) | StackEvent::AssetRemoved(_) => {
            ledger.touch(&key, number);
        }
        StackEvent::Dissolved(_) => ledger.gone(&key, number, event.recorded_at),
        StackEvent::Restored(_) => ledger.revive(&key, number),
    }
}

/// Takes in one event of a memory.
pub(super) fn apply_memory(event: &Event, what: &MemoryEvent, ledger: &mut Ledger) {
    let position = event.position.get();
    let number = change(position, 0);
    let key = Key::new(Kind::Memory, event.key);
    match what {
        MemoryEvent::Created(created) => {
            let owner_id = created.owner_id.uuid();
            ledger.live(&key, owner_id, number);
            add(event, what, owner_id, ledger);
        }
        MemoryEvent::AssetsAdded(_) => {
            if let Some(owner_id) = ledger.scope(&key) {
                ledger.touch(&key, number);
                add(event, what, owner_id, ledger);
            }
        }
        MemoryEvent::AssetsRemoved(removed) => {
            ledger.touch(&key, number);
            for (place, asset_id) in removed.asset_ids.iter().enumerate() {
                let inside = memory_asset(event.key, asset_id.uuid());
                ledger.gone(&inside, change(position, place), event.recorded_at);
            }
        }
        MemoryEvent::Deleted(_) => {
            ledger.gone(&key, number, event.recorded_at);
            let all = ledger.all_of(Kind::MemoryAsset, event.key, None);
            for (place, inside) in all.iter().enumerate() {
                ledger.gone(inside, change(position, place), event.recorded_at);
            }
        }
        MemoryEvent::Restored(_) => {
            // What left together with the memory comes back with it.
            let Some(left_at) = ledger.left_at(&key) else { return };
            ledger.revive(&key, number);
            let all = ledger.all_of(Kind::MemoryAsset, event.key, Some(left_at));
            for (place, inside) in all.iter().enumerate() {
                ledger.revive(inside, change(position, place));
            }
        }
        MemoryEvent::Saved(_)
        | MemoryEvent::Unsaved(_)
        | MemoryEvent::Seen(_)
        | MemoryEvent::DateChanged(_) => ledger.touch(&key, number),
    }
}

/// Puts assets into a memory.
fn add(event: &Event, what: &MemoryEvent, owner_id: Uuid, ledger: &mut Ledger) {
    for (place, asset_id) in memory_assets(what).into_iter().enumerate() {
        let number = change(event.position.get(), place);
        ledger.live(&memory_asset(event.key, asset_id), owner_id, number);
    }
}

/// Partners of an asset's owner see it again: their phones dropped its places in their memories together with it.
/// The owner's own phone never did.
pub(super) fn show_in_memories(event: &Event, owner_id: Uuid, ledger: &mut Ledger) {
    let mut places = ledger.living_with_part(Kind::MemoryAsset, &event.key.to_string());
    places.retain(|inside| ledger.scope(inside) != Some(owner_id));
    for (place, inside) in places.iter().enumerate() {
        ledger.touch(inside, change(event.position.get(), place));
    }
}

fn memory_assets(what: &MemoryEvent) -> Vec<Uuid> {
    let asset_ids = match what {
        MemoryEvent::Created(created) => &created.asset_ids,
        MemoryEvent::AssetsAdded(added) => &added.asset_ids,
        _ => return Vec::new(),
    };
    asset_ids.iter().map(|asset_id| asset_id.uuid()).collect()
}

/// Takes in what an event of an asset says about things that hang on it.
pub(super) fn apply_asset(
    event: &Event,
    what: &AssetEvent,
    owner_id: Option<Uuid>,
    ledger: &mut Ledger,
) {
    let number = change(event.position.get(), 0);
    match what {
        AssetEvent::KeyValueSet(set) => {
            let Some(owner_id) = owner_id else { return };
            // A forgotten key raises the head all the same: a rebuild gives the same rows.
            ledger.raise(Feed::Rows(Kind::AssetMetadata), owner_id, number);
            if let Some(entry) = set.entry.known() {
                ledger.live(&key_value(event.key, &entry.key), owner_id, number);
            }
        }
        AssetEvent::KeyValueRemoved(removed) => {
            let Some(owner_id) = owner_id else { return };
            ledger.raise(Feed::Gone(Kind::AssetMetadata), owner_id, number);
            if let Some(key) = removed.key.known() {
                ledger.gone(&key_value(event.key, key), number, event.recorded_at);
            }
        }
        // A phone drops what hangs on an asset together with it.
        AssetEvent::Purged(_) => {
            ledger.vanish_all_of(Kind::AssetMetadata, event.key);
            ledger.vanish_with_part(&event.key.to_string());
        }
        _ => {}
    }
}

fn memory_asset(memory_id: Uuid, asset_id: Uuid) -> Key {
    Key::with_part(Kind::MemoryAsset, memory_id, asset_id.to_string())
}

fn key_value(asset_id: Uuid, key: &str) -> Key {
    Key::with_part(Kind::AssetMetadata, asset_id, key)
}
