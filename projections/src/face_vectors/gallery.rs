//! The faces of one library, side by side as one byte a number, and how alike they are.
//!
//! Nothing is left out for speed: every face is compared, because whoever is missed becomes a person twice.

use std::collections::HashSet;

use numkong::{Dot as _, Matrix, PackedMatrix};
use uuid::Uuid;

use crate::embeddings::Codes;

/// Faces that room is made for at once; a growing gallery is not copied for each.
const ROOM_FACES: usize = 4_096;
/// Faces that are compared with as many others at once: their numbers, and those of all pairs of two tiles, stay in
/// the near memory of one core.
const TILE_FACES: usize = 256;
/// A little less than one: what rounding may make of it.
const NEARLY: f32 = 0.999;

/// A face that is like another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// Its place in the gallery.
    pub place: usize,
    /// The cosine between the two: 1 for the same.
    pub cosine: f32,
}

/// The place of a face, and another one that is like it.
pub type Pair = (usize, Neighbour);

/// Faces that stand side by side, ready to be compared with many.
struct Tile {
    first: usize,
    until: usize,
    packed: Option<PackedMatrix<i8>>,
    /// The largest of their scales.
    scale_max: f32,
}

/// Faces of one library that one model has found. All columns are of one length.
#[derive(Debug, Default)]
pub struct Gallery {
    dims: usize,
    codes: Vec<i8>,
    scales: Vec<f32>,
    face_ids: Vec<Uuid>,
    asset_ids: Vec<Uuid>,
}

impl Gallery {
    /// How many faces there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.face_ids.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.face_ids.is_empty()
    }

    /// The faces, in the order of their places.
    #[must_use]
    pub fn face_ids(&self) -> &[Uuid] {
        &self.face_ids
    }

    /// The photo of the face at a place.
    #[must_use]
    pub fn asset_id(&self, place: usize) -> Option<Uuid> {
        self.asset_ids.get(place).copied()
    }

    /// Where a face stands. It looks through all of them.
    #[must_use]
    pub fn place_of(&self, face_id: Uuid) -> Option<usize> {
        self.face_ids.iter().position(|known| *known == face_id)
    }

    /// Adds a face that is not there. One whose vector is of another length than the others' is left out: it is
    /// no vector of this model.
    pub fn push(&mut self, face_id: Uuid, asset_id: Uuid, codes: &Codes) {
        if self.is_empty() {
            self.dims = codes.codes.len();
        }
        if codes.codes.len() != self.dims || self.dims == 0 {
            return;
        }
        if self.scales.len() == self.scales.capacity() {
            self.codes.reserve_exact(ROOM_FACES * self.dims);
            self.scales.reserve_exact(ROOM_FACES);
            self.face_ids.reserve_exact(ROOM_FACES);
            self.asset_ids.reserve_exact(ROOM_FACES);
        }
        self.codes.extend_from_slice(&codes.codes);
        self.scales.push(codes.scale);
        self.face_ids.push(face_id);
        self.asset_ids.push(asset_id);
    }

    /// Takes out the faces of some photos; those behind them move up.
    pub fn remove_photos(&mut self, asset_ids: &HashSet<Uuid>) {
        let mut to = 0;
        for from in 0..self.len() {
            let is_gone = self.asset_ids.get(from).is_some_and(|id| asset_ids.contains(id));
            if is_gone {
                continue;
            }
            if to != from {
                let codes = from * self.dims..(from + 1) * self.dims;
                self.codes.copy_within(codes, to * self.dims);
                self.scales.copy_within(from..=from, to);
                self.face_ids.copy_within(from..=from, to);
                self.asset_ids.copy_within(from..=from, to);
            }
            to += 1;
        }
        self.codes.truncate(to * self.dims);
        self.scales.truncate(to);
        self.face_ids.truncate(to);
        self.asset_ids.truncate(to);
    }

    /// What it takes of memory, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.codes.capacity()
            + self.scales.capacity() * size_of::<f32>()
            + (self.face_ids.capacity() + self.asset_ids.capacity()) * size_of::<Uuid>()
    }

    /// The faces that are at least so much like the one at a place, without itself, the most alike first. What is
    /// as much alike stands in the order of ids.
    #[must_use]
    pub fn near(&self, place: usize, cosine_min: f32) -> Vec<Neighbour> {
        let mut near = Vec::new();
        let Some(asked) = self.codes_at(place) else { return near };
        for other in (0..self.len()).filter(|other| *other != place) {
            let Some(cosine) = self.alike(asked, place, other) else { break };
            if cosine >= cosine_min {
                near.push(Neighbour { place: other, cosine });
            }
        }
        near.sort_by(|one, other| {
            let ids = (self.face_ids.get(one.place), self.face_ids.get(other.place));
            other.cosine.total_cmp(&one.cosine).then_with(|| ids.0.cmp(&ids.1))
        });
        near
    }

    /// How many tiles all pairs are divided into, for [`Gallery::pairs_of_tile`].
    #[must_use]
    pub fn tiles(&self) -> usize {
        self.len().div_ceil(TILE_FACES)
    }

    /// Hands on the pairs of a face of one tile with any face of this or a later tile that are at least so much
    /// alike: over all tiles each pair once, the smaller place first. They come in pieces of at most as many pairs
    /// as two tiles have; where one is not taken, there are no more.
    pub fn pairs_of_tile(
        &self,
        tile: usize,
        cosine_min: f32,
        mut take: impl FnMut(Vec<Pair>) -> bool,
    ) {
        let first = tile * TILE_FACES;
        let until = (first + TILE_FACES).min(self.len());
        let tile = Tile {
            first,
            until,
            packed: self.matrix(first, until).and_then(|it| PackedMatrix::try_pack(&it).ok()),
            scale_max: self.scales.iter().take(until).skip(first).copied().fold(0.0, f32::max),
        };
        for from in (first..self.len()).step_by(TILE_FACES) {
            let mut pairs = Vec::new();
            self.pairs_of_tiles(&tile, from, cosine_min, &mut pairs);
            if !pairs.is_empty() && !take(pairs) {
                return;
            }
        }
    }

    /// The pairs of one tile with the one that begins at a place, or with itself.
    fn pairs_of_tiles(&self, tile: &Tile, from: usize, cosine_min: f32, pairs: &mut Vec<Pair>) {
        let to = (from + TILE_FACES).min(self.len());
        // Many products at once take a fraction of the time of as many one by one.
        let packed = tile.packed.as_ref().zip(self.matrix(from, to));
        let products = packed.and_then(|(packed, rows)| rows.try_dots_packed(packed).ok());
        for other in from..to {
            let places = tile.first..tile.until.min(other);
            let row = products.as_ref().and_then(|products| products.row(other - from));
            let Some((row, scale)) = row.zip(self.scales.get(other)) else {
                // There was no memory for all products.
                pairs.extend(places.filter_map(|place| {
                    let cosine = self.cosine(other, place)?;
                    (cosine >= cosine_min).then_some((place, Neighbour { place: other, cosine }))
                }));
                continue;
            };
            let row = row.get(..places.len()).unwrap_or(row);
            let most = row.iter().copied().max().map_or(0.0, real) * scale * tile.scale_max;
            // Mostly nobody of a tile is alike. Below zero the largest product says nothing of that.
            if cosine_min > 0.0 && most < cosine_min * NEARLY {
                continue;
            }
            for (place, product) in places.zip(row) {
                let Some(own) = self.scales.get(place) else { break };
                let cosine = real(*product) * scale * own;
                if cosine >= cosine_min {
                    pairs.push((place, Neighbour { place: other, cosine }));
                }
            }
        }
    }

    /// Some faces as rows.
    fn matrix(&self, from: usize, to: usize) -> Option<Matrix<i8>> {
        let codes = self.codes.get(from * self.dims..to * self.dims)?;
        Matrix::try_from_slice(codes, &[to - from, self.dims]).ok()
    }

    /// The cosine between the faces at two places; nothing where there is no face.
    #[must_use]
    pub fn cosine(&self, one: usize, other: usize) -> Option<f32> {
        self.alike(self.codes_at(one)?, one, other)
    }

    fn codes_at(&self, place: usize) -> Option<&[i8]> {
        self.codes.get(place * self.dims..(place + 1) * self.dims)
    }

    fn alike(&self, asked: &[i8], asked_at: usize, place: usize) -> Option<f32> {
        let product = i8::dot(asked, self.codes_at(place)?)?;
        Some(real(product) * self.scales.get(asked_at)? * self.scales.get(place)?)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "codes are told apart by far less than what f32 holds"
)]
fn real(product: i32) -> f32 {
    product as f32
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng as _, SeedableRng as _};

    use super::*;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    /// A face that is so far turned from the first axis, in parts of a quarter turn.
    fn turned(part: f32) -> Codes {
        let (sine, cosine) = (part * std::f32::consts::FRAC_PI_2).sin_cos();
        Codes::of(&[cosine, sine])
    }

    #[test]
    fn those_who_are_alike_are_found_in_order() {
        let mut gallery = Gallery::default();
        for (number, part) in [(1, 0.0), (2, 0.5), (3, 0.1), (4, 1.0)] {
            gallery.push(id(number), id(100 + number), &turned(part));
        }
        let near = gallery.near(0, 0.6);
        assert_eq!(near.iter().map(|it| it.place).collect::<Vec<_>>(), [2, 1]);
        assert!((near[1].cosine - 0.5_f32.sqrt()).abs() < 0.01, "{near:?}");
        assert_eq!(gallery.near(9, 0.0), []);
    }

    #[test]
    fn each_pair_is_told_once() {
        let mut gallery = Gallery::default();
        let count = TILE_FACES * 2 + 5;
        for number in 0..count {
            gallery.push(id(u128::try_from(number).unwrap()), id(0), &turned(0.3));
        }
        let mut seen = HashSet::new();
        for (place, other) in all_pairs(&gallery, 0.9) {
            assert!(place < other.place);
            assert!(seen.insert((place, other.place)), "told twice");
        }
        assert_eq!(seen.len(), count * (count - 1) / 2);
        assert_eq!(all_pairs(&gallery, 1.1), []);
        let mut pieces = 0;
        gallery.pairs_of_tile(0, 0.9, |_| {
            pieces += 1;
            false
        });
        assert_eq!(pieces, 1, "more than were taken");
    }

    /// All pairs that are alike, in the order of places.
    fn all_pairs(gallery: &Gallery, cosine_min: f32) -> Vec<Pair> {
        let mut all = Vec::new();
        for tile in 0..gallery.tiles() {
            gallery.pairs_of_tile(tile, cosine_min, |pairs| {
                all.extend(pairs);
                true
            });
        }
        all.sort_by_key(|(place, other)| (*place, other.place));
        all
    }

    #[test]
    fn pairs_of_tiles_are_those_that_are_alike_one_by_one() {
        let mut random = StdRng::seed_from_u64(7);
        let count = TILE_FACES * 2 + 77;
        for dims in [2, 5, 96, 512] {
            let mut gallery = Gallery::default();
            for number in 0..count {
                let mut values: Vec<f32> =
                    (0..dims).map(|_| random.random_range(-1.0..1.0)).collect();
                values[number % dims] += 1.5;
                let norm = values.iter().map(|it| it * it).sum::<f32>().sqrt();
                values.iter_mut().for_each(|it| *it /= norm);
                gallery.push(id(u128::try_from(number).unwrap()), id(0), &Codes::of(&values));
            }
            for cosine_min in [-0.5, 0.0, 0.1, 0.5] {
                let mut expected = Vec::new();
                for place in 0..count {
                    for other in place + 1..count {
                        let cosine = gallery.cosine(other, place).unwrap();
                        if cosine >= cosine_min {
                            expected.push((place, Neighbour { place: other, cosine }));
                        }
                    }
                }
                assert!(all_pairs(&gallery, cosine_min) == expected, "{dims} {cosine_min}");
            }
        }
    }

    #[test]
    fn faces_of_a_photo_are_taken_out_and_the_others_stay_as_they_were() {
        let mut gallery = Gallery::default();
        for (number, asset, part) in [(1, 7, 0.0), (2, 8, 0.1), (3, 7, 0.2), (4, 9, 1.0)] {
            gallery.push(id(number), id(asset), &turned(part));
        }
        gallery.remove_photos(&HashSet::from([id(7)]));
        assert_eq!(gallery.face_ids(), [id(2), id(4)]);
        assert_eq!((gallery.asset_id(1), gallery.place_of(id(4))), (Some(id(9)), Some(1)));
        assert!(gallery.cosine(0, 1).unwrap() < 0.2);
        gallery.push(id(5), id(9), &Codes::of(&[1.0]));
        assert_eq!(gallery.len(), 2, "a vector of another length");
    }

    #[test]
    fn six_hundred_bytes_hold_a_face() {
        let (mut gallery, codes) = (Gallery::default(), Codes::of(&[0.5; 512]));
        for number in 0..40_000 {
            gallery.push(id(number), id(number), &codes);
        }
        let each = gallery.bytes() / gallery.len();
        assert!(each <= 600, "{each} bytes");
    }
}
