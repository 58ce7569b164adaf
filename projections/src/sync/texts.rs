//! What is written in assets, line by line, in the feed of whose assets they are. A text takes the place of the one
//! before, and an edit may cut lines off or show them.

use calotype_domain::asset::AssetEvent;
use calotype_domain::catalogue::AnyEvent;
use uuid::Uuid;

use super::change;
use super::kind::Kind;
use super::ledger::{Key, Ledger, Wanted};
use crate::event::Event;

/// What these events may change.
pub(super) fn want(events: &[&Event], wanted: &mut Wanted) {
    for event in events {
        let AnyEvent::Asset(what) = &event.what else { continue };
        match what {
            AssetEvent::TextRead(read) => {
                wanted.whole.push((Kind::AssetText, event.key));
                wanted.keys.extend((0..read.line_count).map(|place| line(event.key, place)));
            }
            AssetEvent::Edited(_) | AssetEvent::EditsRemoved(_) | AssetEvent::Purged(_) => {
                wanted.whole.push((Kind::AssetText, event.key));
            }
            _ => {}
        }
    }
}

/// Takes in what an event of an asset of `owner_id` says about its text.
pub(super) fn apply(event: &Event, what: &AssetEvent, owner_id: Option<Uuid>, ledger: &mut Ledger) {
    match what {
        AssetEvent::TextRead(read) => {
            let Some(owner_id) = owner_id else { return };
            replace(event, read.line_count, owner_id, ledger);
        }
        AssetEvent::Edited(_) | AssetEvent::EditsRemoved(_) => show(event, ledger),
        // A phone drops the text of an asset together with it.
        AssetEvent::Purged(_) => ledger.vanish_all_of(Kind::AssetText, event.key),
        _ => {}
    }
}

/// How many lines there are stays known when what they say is forgotten, so a rebuild gives the same rows.
fn replace(event: &Event, line_count: u32, owner_id: Uuid, ledger: &mut Ledger) {
    let number = |place: usize| change(event.position.get(), place);
    let lines: Vec<Key> = (0..line_count).map(|place| line(event.key, place)).collect();
    let former = ledger.all_of(Kind::AssetText, event.key, None);
    for (place, key) in former.iter().filter(|key| !lines.contains(key)).enumerate() {
        ledger.gone(key, number(place), event.recorded_at);
    }
    for (place, key) in lines.iter().enumerate() {
        ledger.live(key, owner_id, number(place));
    }
}

/// Lines are told once more, because some may be cut off now, or be no longer.
fn show(event: &Event, ledger: &mut Ledger) {
    let lines = ledger.all_of(Kind::AssetText, event.key, None);
    for (place, key) in lines.iter().enumerate() {
        ledger.touch(key, change(event.position.get(), place));
    }
}

fn line(asset_id: Uuid, place: u32) -> Key {
    Key::with_part(Kind::AssetText, asset_id, place.to_string())
}
