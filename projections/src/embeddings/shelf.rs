//! The vectors of one model of one owner's assets, side by side, so that looking through them is reading memory
//! from one end to the other.
//!
//! They stand on trays of a fixed size: a growing shelf is never copied as a whole.

use uuid::Uuid;

use super::codes::{Codes, nearness};
use super::sieve::{Facts, Marks, Sieve, Wanted};
use super::top::Top;

/// Vectors on a tray.
const TRAY_VECTORS: usize = 1_024;

/// Some vectors with what is known of their assets. All columns are of one length.
#[derive(Debug, Default)]
struct Tray {
    codes: Vec<i8>,
    scales: Vec<f32>,
    taken_us: Vec<i64>,
    marks: Vec<Marks>,
    asset_ids: Vec<Uuid>,
}

impl Tray {
    /// The first tray of a shelf grows; the others are whole from the start.
    fn new(dims: usize, is_first: bool) -> Self {
        if is_first {
            return Self::default();
        }
        Self {
            codes: Vec::with_capacity(TRAY_VECTORS * dims),
            scales: Vec::with_capacity(TRAY_VECTORS),
            taken_us: Vec::with_capacity(TRAY_VECTORS),
            marks: Vec::with_capacity(TRAY_VECTORS),
            asset_ids: Vec::with_capacity(TRAY_VECTORS),
        }
    }

    fn bytes(&self) -> usize {
        self.codes.capacity()
            + self.scales.capacity() * size_of::<f32>()
            + self.taken_us.capacity() * size_of::<i64>()
            + self.marks.capacity() * size_of::<Marks>()
            + self.asset_ids.capacity() * size_of::<Uuid>()
    }
}

/// A vector that was taken off a shelf.
struct Lifted {
    asset_id: Uuid,
    facts: Facts,
    codes: Vec<i8>,
    scale: f32,
}

/// The vectors of one model of one owner's assets.
#[derive(Debug)]
pub(super) struct Shelf {
    dims: usize,
    trays: Vec<Tray>,
    count: usize,
}

impl Shelf {
    pub(super) const fn new(dims: usize) -> Self {
        Self { dims, trays: Vec::new(), count: 0 }
    }

    /// Puts a vector at the end; says its place. The caller has compared the length.
    pub(super) fn push(&mut self, asset_id: Uuid, facts: Facts, codes: &[i8], scale: f32) -> usize {
        let place = self.count;
        if place == self.trays.len() * TRAY_VECTORS {
            self.trays.push(Tray::new(self.dims, self.trays.is_empty()));
        }
        if let Some(tray) = self.trays.last_mut() {
            tray.codes.extend_from_slice(codes);
            tray.scales.push(scale);
            tray.taken_us.push(facts.taken_us);
            tray.marks.push(facts.marks);
            tray.asset_ids.push(asset_id);
        }
        self.count += 1;
        place
    }

    /// The asset whose vector stands at the end, and that place.
    pub(super) fn last(&self) -> Option<(Uuid, usize)> {
        let place = self.count.checked_sub(1)?;
        Some((self.asset_id(place)?, place))
    }

    /// Takes a vector off; the last one takes its place.
    pub(super) fn remove(&mut self, place: usize) {
        if let Some(last) = self.pop()
            && place != self.count
        {
            self.set(place, &last);
        }
    }

    /// Puts another vector of the same asset where the former was.
    pub(super) fn replace(&mut self, place: usize, facts: Facts, codes: &Codes) {
        let Some(asset_id) = self.asset_id(place) else { return };
        let Codes { codes, scale } = codes.clone();
        self.set(place, &Lifted { asset_id, facts, codes, scale });
    }

    pub(super) fn set_facts(&mut self, place: usize, facts: Facts) {
        let (tray, at) = (place / TRAY_VECTORS, place % TRAY_VECTORS);
        let Some(tray) = self.trays.get_mut(tray) else { return };
        if let (Some(taken_us), Some(marks)) = (tray.taken_us.get_mut(at), tray.marks.get_mut(at)) {
            (*taken_us, *marks) = (facts.taken_us, facts.marks);
        }
    }

    pub(super) fn asset_id(&self, place: usize) -> Option<Uuid> {
        let tray = self.trays.get(place / TRAY_VECTORS)?;
        tray.asset_ids.get(place % TRAY_VECTORS).copied()
    }

    /// Offers every vector that passes; says how many those were.
    pub(super) fn look_through(
        &self,
        asked: &[i8],
        sieve: &Sieve,
        wanted: &Wanted,
        top: &mut Top,
    ) -> usize {
        let mut passed = 0;
        for tray in &self.trays {
            let vectors = tray.codes.chunks_exact(self.dims).zip(&tray.scales);
            let facts = tray.taken_us.iter().zip(&tray.marks);
            for (((codes, scale), (taken_us, marks)), asset_id) in
                vectors.zip(facts).zip(&tray.asset_ids)
            {
                if sieve.passes(wanted, Facts { taken_us: *taken_us, marks: *marks }) {
                    passed += 1;
                    top.offer(nearness(asked, codes, *scale), || *asset_id);
                }
            }
        }
        passed
    }

    /// Offers the vector at a place.
    pub(super) fn look_at(&self, place: usize, asked: &[i8], top: &mut Top) {
        let (tray, at) = (place / TRAY_VECTORS, place % TRAY_VECTORS);
        let Some(tray) = self.trays.get(tray) else { return };
        let codes = tray.codes.get(at * self.dims..(at + 1) * self.dims);
        if let (Some(codes), Some(scale), Some(asset_id)) =
            (codes, tray.scales.get(at), tray.asset_ids.get(at))
        {
            top.offer(nearness(asked, codes, *scale), || *asset_id);
        }
    }

    /// What it takes of memory.
    pub(super) fn bytes(&self) -> usize {
        self.trays.iter().map(Tray::bytes).sum::<usize>()
            + self.trays.capacity() * size_of::<Tray>()
    }

    fn pop(&mut self) -> Option<Lifted> {
        let tray = self.trays.last_mut()?;
        let lifted = Lifted {
            asset_id: tray.asset_ids.pop()?,
            facts: Facts { taken_us: tray.taken_us.pop()?, marks: tray.marks.pop()? },
            scale: tray.scales.pop()?,
            codes: tray.codes.split_off(tray.codes.len().saturating_sub(self.dims)),
        };
        self.count -= 1;
        if tray.asset_ids.is_empty() {
            self.trays.pop();
        }
        Some(lifted)
    }

    fn set(&mut self, place: usize, lifted: &Lifted) {
        self.set_facts(place, lifted.facts);
        let (tray, at) = (place / TRAY_VECTORS, place % TRAY_VECTORS);
        let Some(tray) = self.trays.get_mut(tray) else { return };
        let codes = tray.codes.get_mut(at * self.dims..(at + 1) * self.dims);
        if let (Some(codes), Some(scale), Some(asset_id)) =
            (codes, tray.scales.get_mut(at), tray.asset_ids.get_mut(at))
            && codes.len() == lifted.codes.len()
        {
            codes.copy_from_slice(&lifted.codes);
            (*scale, *asset_id) = (lifted.scale, lifted.asset_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: Facts = Facts::UNKNOWN;

    fn shelf(count: usize) -> Shelf {
        let mut shelf = Shelf::new(2);
        for number in 0..count {
            let code = i8::try_from(number % 100).unwrap();
            let id = Uuid::from_u128(u128::try_from(number).unwrap());
            assert_eq!(shelf.push(id, FACTS, &[code, 1], 1.0), number);
        }
        shelf
    }

    #[test]
    fn last_vector_takes_the_place_of_one_that_goes() {
        let mut shelf = shelf(TRAY_VECTORS + 1);
        let last = Uuid::from_u128(u128::try_from(TRAY_VECTORS).unwrap());
        assert_eq!(shelf.last(), Some((last, TRAY_VECTORS)));
        shelf.remove(3);
        assert_eq!(shelf.asset_id(3), Some(last));
        assert_eq!((shelf.trays.len(), shelf.count), (1, TRAY_VECTORS));
        let mut top = Top::new(1);
        shelf.look_at(3, &[1, 0], &mut top);
        assert_eq!(top.into_ids(), [last]);
        shelf.remove(TRAY_VECTORS - 1);
        assert_eq!(shelf.asset_id(TRAY_VECTORS - 1), None);
    }

    #[test]
    fn nothing_is_taken_off_an_empty_shelf() {
        let mut shelf = shelf(1);
        shelf.remove(0);
        shelf.remove(0);
        assert_eq!((shelf.count, shelf.last()), (0, None));
    }
}
