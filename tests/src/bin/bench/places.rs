//! Where the photos of a large library were taken: in real cities of the installed names of places, in a few of
//! them far more often than in the others, as people live.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;
use calotype_domain::asset::{AssetPlaceFound, DatasetRef, Place, Position};
use calotype_media::gazetteer::Gazetteer;
use rand::Rng as _;
use rand::rngs::StdRng;
use uuid::Uuid;

/// What names of cities hold that photos were taken in.
const SYLLABLES: [&str; 24] = [
    "an", "ba", "be", "bo", "ca", "de", "el", "fa", "go", "ha", "in", "ka", "la", "ma", "no", "or",
    "pa", "ri", "sa", "ta", "ul", "va", "wi", "yo",
];
/// Cities that are taken of each of these.
const CITIES_EACH: usize = 40;
/// Most cities.
const CITIES_MAX: usize = 600;
/// How far from a city's middle its photos were taken, in degrees.
const AROUND_DEGREES: f64 = 0.02;
/// The part of the photos with a position that was taken far from any city, and lies in no place.
const NOWHERE: f64 = 0.05;

/// The cities, the one with the most photos first.
pub(crate) struct Places {
    dataset: DatasetRef,
    cities: Vec<Place>,
    /// Up to where each city's share of all photos reaches, from 0 to the last.
    shares: Vec<f64>,
}

impl Places {
    /// Opens the names of places that tests run with; none where they are not installed.
    ///
    /// # Errors
    /// They are installed and cannot be read.
    pub(crate) fn open() -> anyhow::Result<Option<Self>> {
        let tools = std::env::var_os("CALOTYPE_TOOLS").map_or_else(
            || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../.tools"),
            PathBuf::from,
        );
        let file = tools.join("places/places.bin");
        if !file.exists() {
            return Ok(None);
        }
        let gazetteer = Gazetteer::open(&file).context("cannot open the names of places")?;
        let mut found = BTreeMap::new();
        for syllable in SYLLABLES {
            for city in gazetteer.find(syllable, CITIES_EACH)? {
                let located = gazetteer.locate(city.latitude, city.longitude)?;
                let Some(name) = located.city else { continue };
                let position = Position { latitude: city.latitude, longitude: city.longitude };
                let (state, country) = (located.state, located.country);
                // In an order that says nothing of where they lie.
                let key = Uuid::new_v5(&Uuid::nil(), name.as_bytes());
                found.insert(key, Place { position, city: Some(name), state, country });
            }
        }
        let cities: Vec<Place> = found.into_values().take(CITIES_MAX).collect();
        let mut reached = 0.0;
        let shares = (1_u32..)
            .zip(&cities)
            .map(|(rank, _)| {
                reached += 1.0 / f64::from(rank);
                reached
            })
            .collect();
        let dataset = DatasetRef {
            name: gazetteer.dataset().to_owned(),
            version: gazetteer.version().to_owned(),
        };
        Ok(Some(Self { dataset, cities, shares }))
    }

    /// How many cities.
    pub(crate) const fn count(&self) -> usize {
        self.cities.len()
    }

    /// The city with the most photos, one in the middle, and the one with the fewest.
    pub(crate) fn by_rank(&self) -> [Option<&str>; 3] {
        let last = self.cities.len().saturating_sub(1);
        [0, last / 2, last].map(|at| self.cities.get(at)?.city.as_deref())
    }

    /// A position, and what it lies in.
    pub(crate) fn draw(&self, random: &mut StdRng) -> (Position, Option<AssetPlaceFound>) {
        let last = self.shares.last().copied().unwrap_or_default();
        if last <= 0.0 || random.random_bool(NOWHERE) {
            return (anywhere(random), None);
        }
        let share = random.random_range(0.0..last);
        let city = self.shares.partition_point(|reached| *reached <= share);
        let Some(place) = self.cities.get(city) else { return (anywhere(random), None) };
        let mut around = || random.random_range(-AROUND_DEGREES..AROUND_DEGREES);
        let position = Position {
            latitude: (place.position.latitude + around()).clamp(-90.0, 90.0),
            longitude: (place.position.longitude + around()).clamp(-180.0, 180.0),
        };
        let place = Place { position, ..place.clone() };
        let found = AssetPlaceFound { dataset: self.dataset.clone(), place: place.into() };
        (position, Some(found))
    }
}

/// Somewhere on Earth, without a name.
pub(crate) fn anywhere(random: &mut StdRng) -> Position {
    Position {
        latitude: random.random_range(-60.0..70.0),
        longitude: random.random_range(-180.0..180.0),
    }
}
