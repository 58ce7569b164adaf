//! What changed for whom, in the order of the log: the change log behind the mobile app's sync.
//!
//! It holds no content. Each living thing has one row with the number of its last change, each thing that
//! left a feed one row with the number of its leaving; the content is read from the other read models.
//! Numbers are made of positions in the log, so a rebuild gives the same ones and what a phone
//! acknowledged before stays true.

mod album_assets;
mod alone;
mod anew;
mod apply;
mod assets;
mod edits;
mod feed;
mod kind;
mod ledger;
mod organized;
mod people;
mod query;
mod rows;
mod shares;
mod sharing;
mod texts;
mod touches;

pub use anew::HAS_TO_START_ANEW;
pub(crate) use anew::{anew_after_switch_in_tx, start_anew_in_tx};
pub use apply::{SyncProjection, VERSION};
pub use feed::Feed;
pub use kind::Kind;
pub use query::{Entry, Page, Shared, Standing};

/// Bits of a change's number for its place among the things that one event changed.
const PLACE_BITS: u32 = 20;

/// The number of the `place`-th change that the event at `position` makes.
pub(crate) fn change(position: i64, place: usize) -> i64 {
    let place_max = (1_i64 << PLACE_BITS) - 1;
    (position << PLACE_BITS) | i64::try_from(place).unwrap_or(place_max).min(place_max)
}

/// The position of the event that made a change.
pub(crate) const fn position(change: i64) -> i64 {
    change >> PLACE_BITS
}

/// The highest number of the event at `position`.
#[must_use]
pub fn last_change(position: i64) -> i64 {
    change(position, usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_ordered_by_position_then_place() {
        assert!(change(1, 0) < change(1, 1));
        assert!(change(1, 1) < last_change(1));
        assert!(last_change(1) < change(2, 0));
        assert_eq!(last_change(0), (1 << 20) - 1);
        assert_eq!(position(change(7, 3)), 7);
    }
}
