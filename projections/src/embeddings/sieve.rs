//! What is known of an asset beside its vector, and which of that a search wants: whose, when, what, where.
//!
//! Only what most searches ask for is here. All else is asked of the database.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::search::{Compare, Condition, DateColumn, Scope, Search};

/// Kinds of marks there are.
const MARKS: usize = 16;
const VIDEO: u8 = 1;
const TRASHED: u8 = 2;
/// Bits before those of the place.
const PLACE_SHIFT: u8 = 2;
/// Where an asset can show, in the order of their bits.
const PLACES: [&str; 4] = ["timeline", "archive", "hidden", "locked"];

/// Whether an asset is a film, whether it is in the trash, and where it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks(u8);

impl Marks {
    /// Of what nothing is known: no search wants it.
    pub(super) const UNKNOWN: Self = Self(u8::MAX);

    /// Of what is known; a word that names no place stands for none that is searched.
    #[must_use]
    pub fn new(is_video: bool, is_trashed: bool, visibility: &str) -> Self {
        let Some(place) = (0..).zip(PLACES).find(|(_, word)| *word == visibility) else {
            return Self::UNKNOWN;
        };
        let place: u8 = place.0;
        Self(u8::from(is_video) | (u8::from(is_trashed) << 1) | (place << PLACE_SHIFT))
    }

    /// All there are.
    fn all() -> impl Iterator<Item = Self> {
        (0..MARKS).filter_map(|marks| u8::try_from(marks).ok().map(Self))
    }

    const fn is_video(self) -> bool {
        self.0 & VIDEO != 0
    }

    const fn is_trashed(self) -> bool {
        self.0 & TRASHED != 0
    }

    fn place(self) -> &'static str {
        PLACES.get(usize::from(self.0 >> PLACE_SHIFT)).copied().unwrap_or_default()
    }
}

/// What is known of an asset beside its vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// When it was taken, in microseconds since 1970.
    pub taken_us: i64,
    /// What it is and where it shows.
    pub marks: Marks,
}

impl Facts {
    /// Of what nothing is known yet.
    pub(super) const UNKNOWN: Self = Self { taken_us: 0, marks: Marks::UNKNOWN };
}

/// The marks that are wanted, by their number.
pub(super) type Wanted = [bool; MARKS];

/// What of the assets in memory a search wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sieve {
    owners: Vec<(Uuid, Wanted)>,
    from_us: i64,
    until_us: i64,
    is_whole: bool,
}

impl Sieve {
    /// Everything of these owners.
    #[must_use]
    pub fn of_owners(owner_ids: &[Uuid]) -> Self {
        Self {
            owners: owner_ids.iter().map(|owner_id| (*owner_id, [true; MARKS])).collect(),
            from_us: i64::MIN,
            until_us: i64::MAX,
            is_whole: true,
        }
    }

    /// Only what was taken between two instants, both included, in microseconds since 1970.
    #[must_use]
    pub fn taken(mut self, from_us: i64, until_us: i64) -> Self {
        self.from_us = self.from_us.max(from_us);
        self.until_us = self.until_us.min(until_us);
        self
    }

    /// As far as what is in memory tells: wider than the search, never narrower. Nothing for a search that
    /// does not say whose assets it is about.
    #[must_use]
    pub fn of(search: &Search) -> Option<Self> {
        let Scope::People(owner_ids) = &search.scope else { return None };
        let mut sieve = Self::of_owners(owner_ids);
        for condition in &search.conditions {
            sieve.take(condition);
        }
        for (owner_id, wanted) in &mut sieve.owners {
            if *owner_id != search.viewer_id {
                keep(wanted, |marks| marks.place() == "timeline" && !marks.is_trashed());
            }
        }
        Some(sieve)
    }

    /// Whether it wants exactly what the search wants.
    pub(super) const fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Whose assets, and which marks of theirs.
    pub(super) fn owners(&self) -> impl Iterator<Item = (Uuid, &Wanted)> {
        self.owners.iter().map(|(owner_id, wanted)| (*owner_id, wanted))
    }

    /// Whether an asset of somebody whose `wanted` marks these are passes.
    pub(super) fn passes(&self, wanted: &Wanted, facts: Facts) -> bool {
        wanted.get(usize::from(facts.marks.0)).copied().unwrap_or_default()
            && facts.taken_us >= self.from_us
            && facts.taken_us <= self.until_us
    }

    fn take(&mut self, condition: &Condition) {
        match condition {
            Condition::Video(is) => self.keep_marks(|marks| marks.is_video() == *is),
            Condition::Trashed(is) => self.keep_marks(|marks| marks.is_trashed() == *is),
            Condition::Visibility(words) => {
                self.keep_marks(|marks| words.iter().any(|word| word == marks.place()));
            }
            Condition::Date(DateColumn::Taken, test) => self.take_dates(test),
            _ => self.is_whole = false,
        }
    }

    fn keep_marks(&mut self, wants: impl Fn(Marks) -> bool) {
        for (_, wanted) in &mut self.owners {
            keep(wanted, &wants);
        }
    }

    fn take_dates(&mut self, test: &Compare<DateTime<Utc>>) {
        let (from_us, until_us) = match test {
            Compare::AtLeast(instant) => (instant.timestamp_micros(), i64::MAX),
            Compare::AtMost(instant) => (i64::MIN, instant.timestamp_micros()),
            // Wider by the instant itself.
            Compare::Above(instant) => {
                self.is_whole = false;
                (instant.timestamp_micros(), i64::MAX)
            }
            Compare::Below(instant) => {
                self.is_whole = false;
                (i64::MIN, instant.timestamp_micros())
            }
            _ => {
                self.is_whole = false;
                return;
            }
        };
        self.from_us = self.from_us.max(from_us);
        self.until_us = self.until_us.min(until_us);
    }
}

fn keep(wanted: &mut Wanted, wants: impl Fn(Marks) -> bool) {
    for (wanted, marks) in wanted.iter_mut().zip(Marks::all()) {
        *wanted &= wants(marks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{Direction, OrderColumn};

    const OWN: Uuid = Uuid::from_u128(1);
    const PARTNER: Uuid = Uuid::from_u128(2);

    fn sieve(conditions: Vec<Condition>) -> Sieve {
        let search = Search {
            viewer_id: OWN,
            scope: Scope::People(vec![OWN, PARTNER]),
            conditions,
            order: OrderColumn::Taken,
            direction: Direction::Descending,
            after: None,
            offset: 0,
            limit: 1,
        };
        Sieve::of(&search).unwrap()
    }

    fn passes(sieve: &Sieve, owner_id: Uuid, taken_us: i64, marks: Marks) -> bool {
        let facts = Facts { taken_us, marks };
        sieve.owners().any(|(id, wanted)| id == owner_id && sieve.passes(wanted, facts))
    }

    #[test]
    fn partner_shows_only_what_is_on_the_timeline() {
        let all = sieve(vec![]);
        let archived = Marks::new(false, false, "archive");
        let trashed = Marks::new(false, true, "timeline");
        let shown = Marks::new(true, false, "timeline");
        for marks in [archived, trashed, shown] {
            assert!(passes(&all, OWN, 0, marks));
            assert_eq!(passes(&all, PARTNER, 0, marks), marks == shown);
        }
        assert!(!passes(&all, OWN, 0, Marks::UNKNOWN));
        assert!(!passes(&all, OWN, 0, Marks::new(false, false, "nowhere")));
    }

    #[test]
    fn conditions_narrow_it() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let (from, until) = (at("2024-01-01T00:00:00Z"), at("2024-12-31T00:00:00Z"));
        let narrow = sieve(vec![
            Condition::Video(false),
            Condition::Trashed(false),
            Condition::Visibility(vec!["archive".into(), "timeline".into()]),
            Condition::Date(DateColumn::Taken, Compare::AtLeast(from)),
            Condition::Date(DateColumn::Taken, Compare::AtMost(until)),
        ]);
        assert!(narrow.is_whole());
        let photo = Marks::new(false, false, "archive");
        assert!(passes(&narrow, OWN, from.timestamp_micros(), photo));
        assert!(passes(&narrow, OWN, until.timestamp_micros(), photo));
        assert!(!passes(&narrow, OWN, from.timestamp_micros() - 1, photo));
        assert!(!passes(&narrow, OWN, until.timestamp_micros() + 1, photo));
        let inside = from.timestamp_micros();
        assert!(!passes(&narrow, OWN, inside, Marks::new(true, false, "archive")));
        assert!(!passes(&narrow, OWN, inside, Marks::new(false, true, "archive")));
        assert!(!passes(&narrow, OWN, inside, Marks::new(false, false, "locked")));
    }

    #[test]
    fn what_is_not_in_memory_leaves_it_wider() {
        let wide = sieve(vec![Condition::Favorite(true)]);
        assert!(!wide.is_whole());
        assert!(passes(&wide, OWN, 0, Marks::new(false, false, "timeline")));
    }
}
