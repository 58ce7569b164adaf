//! Edits of photos, in the feed of whose photos they are; and the faces that a crop hides or shows.

use calotype_domain::asset::AssetEvent;
use calotype_domain::catalogue::AnyEvent;
use uuid::Uuid;

use super::feed::Feed;
use super::kind::Kind;
use super::ledger::{Key, Ledger, Wanted};
use super::{change, last_change};
use crate::event::Event;

/// What these events may change.
pub(super) fn want(events: &[&Event], wanted: &mut Wanted) {
    for event in events {
        let AnyEvent::Asset(what) = &event.what else { continue };
        match what {
            AssetEvent::Edited(_) | AssetEvent::EditsRemoved(_) => {
                wanted.whole.push((Kind::AssetEdit, event.key));
                wanted.parts.push(event.key.to_string());
                wanted.keys.extend(listed(what).into_iter().map(|id| edit(event.key, id)));
            }
            AssetEvent::Purged(_) => wanted.whole.push((Kind::AssetEdit, event.key)),
            _ => {}
        }
    }
}

/// Takes in what an event of an asset of `owner_id` says about its edits.
pub(super) fn apply(event: &Event, what: &AssetEvent, owner_id: Option<Uuid>, ledger: &mut Ledger) {
    match what {
        AssetEvent::Edited(_) | AssetEvent::EditsRemoved(_) => {
            let Some(owner_id) = owner_id else { return };
            replace(event, &listed(what), owner_id, ledger);
            show_faces(event, owner_id, ledger);
        }
        // A phone drops the edits of an asset together with it.
        AssetEvent::Purged(_) => ledger.vanish_all_of(Kind::AssetEdit, event.key),
        _ => {}
    }
}

fn replace(event: &Event, edit_ids: &[Uuid], owner_id: Uuid, ledger: &mut Ledger) {
    let position = event.position.get();
    let keys: Vec<Key> = edit_ids.iter().map(|id| edit(event.key, *id)).collect();
    let former = ledger.all_of(Kind::AssetEdit, event.key, None);
    for (place, key) in former.iter().filter(|key| !keys.contains(key)).enumerate() {
        ledger.gone(key, change(position, place), event.recorded_at);
    }
    for (place, key) in keys.iter().enumerate() {
        ledger.live(key, owner_id, change(position, place));
    }
}

/// Faces are told once more, because some may be cut off now. What was found is forgotten when the photo is
/// erased, so the head does not depend on how many there are.
fn show_faces(event: &Event, owner_id: Uuid, ledger: &mut Ledger) {
    let last = last_change(event.position.get());
    ledger.raise(Feed::Rows(Kind::Face), owner_id, last);
    let faces = ledger.living_with_part(Kind::Face, &event.key.to_string());
    let first = last - i64::try_from(faces.len()).unwrap_or_default() + 1;
    for (number, key) in (first..).zip(&faces) {
        ledger.note(key, owner_id, number);
    }
}

/// The edits that an event names.
fn listed(what: &AssetEvent) -> Vec<Uuid> {
    match what {
        AssetEvent::Edited(edited) => edited.edits.iter().map(|edit| edit.edit_id.uuid()).collect(),
        _ => Vec::new(),
    }
}

fn edit(asset_id: Uuid, edit_id: Uuid) -> Key {
    Key::with_part(Kind::AssetEdit, asset_id, edit_id.to_string())
}
