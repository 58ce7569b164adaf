//! All vectors in memory, by model and owner, and where each asset's is.

use std::collections::HashMap;

use hashbrown::HashTable;
use uuid::Uuid;

use super::codes::Codes;
use super::shelf::Shelf;
use super::sieve::{Facts, Sieve};
use super::top::Top;

/// Whose vector it is, and of which model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Filed {
    /// The model's id.
    pub model_id: Uuid,
    /// Whose asset it is.
    pub owner_id: Uuid,
}

/// What was nearest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranked {
    /// The assets, the nearest first.
    pub asset_ids: Vec<Uuid>,
    /// How many were compared: where it is more than there are ids, there are further ones.
    pub passed: usize,
}

/// Where a vector stands: the number of the shelf, and the place on it.
#[derive(Clone, Copy, Debug)]
struct Place {
    shelf: u32,
    at: u32,
}

/// All vectors in memory.
#[derive(Debug, Default)]
pub struct Index {
    shelves: Vec<Shelf>,
    numbers: HashMap<(Filed, usize), u32>,
    /// By asset. It holds no ids: those stand on the shelves.
    places: HashTable<Place>,
}

impl Index {
    /// How many vectors there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Puts an asset's vector in, in the place of the one it had.
    pub fn put(&mut self, asset_id: Uuid, filed: Filed, facts: Facts, codes: &Codes) {
        let dims = codes.codes.len();
        if dims == 0 {
            self.remove(asset_id);
            return;
        }
        let Some(number) = self.shelf(filed, dims) else { return };
        if let Some(place) = self.place(asset_id) {
            if place.shelf == number {
                if let Some(shelf) = self.shelves.get_mut(index(number)) {
                    shelf.replace(index(place.at), facts, codes);
                }
                return;
            }
            self.remove(asset_id);
        }
        let Some(shelf) = self.shelves.get_mut(index(number)) else { return };
        let at = shelf.push(asset_id, facts, &codes.codes, codes.scale);
        let Ok(at) = u32::try_from(at) else { return };
        let shelves = &self.shelves;
        let hash = |place: &Place| hash(id_at(shelves, *place).unwrap_or_default());
        self.places.insert_unique(self::hash(asset_id), Place { shelf: number, at }, hash);
    }

    /// Says what is known of an asset beside its vector; of one without a vector nothing is kept.
    pub fn set_facts(&mut self, asset_id: Uuid, facts: Facts) {
        let Some(place) = self.place(asset_id) else { return };
        if let Some(shelf) = self.shelves.get_mut(index(place.shelf)) {
            shelf.set_facts(index(place.at), facts);
        }
    }

    /// Takes an asset's vector out.
    pub fn remove(&mut self, asset_id: Uuid) {
        let shelves = &self.shelves;
        let is_it = |place: &Place| id_at(shelves, *place) == Some(asset_id);
        let Ok(entry) = self.places.find_entry(hash(asset_id), is_it) else { return };
        let (gone, _) = entry.remove();
        // The last vector of the shelf is still known by its old place.
        let last = self.shelves.get(index(gone.shelf)).and_then(Shelf::last);
        let moved = last.filter(|(moved_id, _)| *moved_id != asset_id);
        if let Some((moved_id, at)) = moved
            && let Ok(at) = u32::try_from(at)
        {
            let was = |place: &Place| place.shelf == gone.shelf && place.at == at;
            if let Some(place) = self.places.find_mut(hash(moved_id), was) {
                *place = gone;
            }
        }
        if let Some(shelf) = self.shelves.get_mut(index(gone.shelf)) {
            shelf.remove(index(gone.at));
        }
    }

    /// The assets whose vectors of a model are nearest, at most `count`, of those that pass.
    #[must_use]
    pub fn nearest(&self, model_id: Uuid, asked: &Codes, sieve: &Sieve, count: usize) -> Ranked {
        let (mut top, mut passed) = (Top::new(count), 0);
        for (owner_id, wanted) in sieve.owners() {
            let filed = Filed { model_id, owner_id };
            let number = self.numbers.get(&(filed, asked.codes.len()));
            let shelf = number.and_then(|number| self.shelves.get(index(*number)));
            let Some(shelf) = shelf else { continue };
            passed += shelf.look_through(&asked.codes, sieve, wanted, &mut top);
        }
        Ranked { asset_ids: top.into_ids(), passed }
    }

    /// Offers those of some assets that have a vector of a model.
    pub(super) fn offer(&self, model_id: Uuid, asked: &Codes, asset_ids: &[Uuid], top: &mut Top) {
        let of_model: Vec<u32> = self
            .numbers
            .iter()
            .filter(|((filed, dims), _)| filed.model_id == model_id && *dims == asked.codes.len())
            .map(|(_, number)| *number)
            .collect();
        for asset_id in asset_ids {
            let Some(place) = self.place(*asset_id) else { continue };
            if of_model.contains(&place.shelf)
                && let Some(shelf) = self.shelves.get(index(place.shelf))
            {
                shelf.look_at(index(place.at), &asked.codes, top);
            }
        }
    }

    /// What it takes of memory, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.shelves.iter().map(Shelf::bytes).sum::<usize>() + self.places.allocation_size()
    }

    fn place(&self, asset_id: Uuid) -> Option<Place> {
        let is_it = |place: &Place| id_at(&self.shelves, *place) == Some(asset_id);
        self.places.find(hash(asset_id), is_it).copied()
    }

    fn shelf(&mut self, filed: Filed, dims: usize) -> Option<u32> {
        if let Some(number) = self.numbers.get(&(filed, dims)) {
            return Some(*number);
        }
        let number = u32::try_from(self.shelves.len()).ok()?;
        self.shelves.push(Shelf::new(dims));
        self.numbers.insert((filed, dims), number);
        Some(number)
    }
}

fn id_at(shelves: &[Shelf], place: Place) -> Option<Uuid> {
    shelves.get(index(place.shelf))?.asset_id(index(place.at))
}

/// Ids are random already.
fn hash(asset_id: Uuid) -> u64 {
    let (high, low) = asset_id.as_u64_pair();
    high ^ low
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand::rngs::StdRng;
    use rand::{Rng as _, SeedableRng as _};

    use super::super::sieve::Marks;
    use super::*;

    const MODEL: Uuid = Uuid::from_u128(7);

    fn filed(owner: u128) -> Filed {
        Filed { model_id: MODEL, owner_id: Uuid::from_u128(owner) }
    }

    fn facts() -> Facts {
        Facts { taken_us: 0, marks: Marks::new(false, false, "timeline") }
    }

    fn one(codes: &[i8]) -> Codes {
        Codes { codes: codes.to_vec(), scale: 1.0 }
    }

    #[test]
    fn only_vectors_of_the_model_and_of_the_owners_are_compared() {
        let mut index = Index::default();
        let other = Filed { model_id: Uuid::nil(), ..filed(1) };
        for (number, filed) in [(1, filed(1)), (2, filed(2)), (3, other)] {
            index.put(Uuid::from_u128(number), filed, facts(), &one(&[1, 0]));
        }
        let sieve = Sieve::of_owners(&[Uuid::from_u128(1), Uuid::from_u128(9)]);
        let found = index.nearest(MODEL, &one(&[1, 0]), &sieve, 10);
        assert_eq!(found, Ranked { asset_ids: vec![Uuid::from_u128(1)], passed: 1 });
        assert_eq!(index.nearest(MODEL, &one(&[1]), &sieve, 10), Ranked::default());
        let mut top = Top::new(10);
        let all: Vec<Uuid> = (1..=3).map(Uuid::from_u128).collect();
        index.offer(MODEL, &one(&[1, 0]), &all, &mut top);
        assert_eq!(top.into_ids(), all[..2]);
    }

    #[test]
    fn vector_of_another_model_takes_the_place_of_the_former() {
        let mut index = Index::default();
        let id = Uuid::from_u128(1);
        index.put(id, filed(1), facts(), &one(&[1, 0]));
        index.put(id, Filed { model_id: Uuid::nil(), ..filed(1) }, facts(), &one(&[1, 0, 0]));
        let sieve = Sieve::of_owners(&[Uuid::from_u128(1)]);
        assert_eq!(index.nearest(MODEL, &one(&[1, 0]), &sieve, 9).passed, 0);
        assert_eq!(index.nearest(Uuid::nil(), &one(&[1, 0, 0]), &sieve, 9).passed, 1);
        assert_eq!(index.len(), 1);
    }

    #[test]
    fn six_hundred_bytes_hold_a_vector() {
        const COUNT: u128 = 20_000;
        let (mut index, codes) = (Index::default(), one(&[1; 512]));
        for number in 0..COUNT {
            // Ids as random as those of assets.
            let id = Uuid::new_v5(&Uuid::nil(), &number.to_le_bytes());
            index.put(id, filed(1), facts(), &codes);
        }
        let each = index.bytes() / usize::try_from(COUNT).unwrap();
        assert!(each <= 600, "{each} bytes");
    }

    #[test]
    fn whatever_comes_and_goes_the_rest_is_found_in_order() {
        for seed in 0..200 {
            let mut random = StdRng::seed_from_u64(seed);
            let (mut index, mut known) = (Index::default(), BTreeMap::new());
            for _ in 0..random.random_range(0..200) {
                let id: u8 = random.random_range(0..40);
                if random.random_bool(0.4) {
                    index.remove(Uuid::from_u128(id.into()));
                    known.remove(&id);
                } else {
                    let (owner, code): (u8, i8) = (random.random_range(0..3), random.random());
                    let vector = one(&[code, 1]);
                    index.put(Uuid::from_u128(id.into()), filed(owner.into()), facts(), &vector);
                    known.insert(id, (owner, code));
                }
            }
            let owners: Vec<Uuid> = (0..2).map(Uuid::from_u128).collect();
            let found = index.nearest(MODEL, &one(&[1, 0]), &Sieve::of_owners(&owners), 100);
            let mut wanted: Vec<(i16, u8)> = known
                .iter()
                .filter(|(_, (owner, _))| *owner < 2)
                .map(|(id, (_, code))| (-i16::from(*code), *id))
                .collect();
            wanted.sort_unstable();
            let wanted: Vec<Uuid> =
                wanted.into_iter().map(|(_, id)| Uuid::from_u128(id.into())).collect();
            assert_eq!((found.passed, index.len()), (wanted.len(), known.len()), "seed {seed}");
            assert_eq!(found.asset_ids, wanted, "seed {seed}");
        }
    }
}
