//! Places by name.

use std::cmp::Reverse;

use super::error::GazetteerError;
use super::file::Gazetteer;
use super::fold::fold;
use super::format::{Place, degrees};

/// Names that are weighed at once; of more the worst fitting are dropped.
const CANDIDATES_MAX: usize = 4_096;

/// A place that bears a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// Its state or province.
    pub admin1: Option<String>,
    /// Its county or district.
    pub admin2: Option<String>,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
}

/// How well a name fits; the least is best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Whole,
    Beginning,
    Word,
    Within,
}

impl Gazetteer {
    /// Places whose name holds the words, without regard to case and accents: the whole name before its
    /// beginning, a word of it before a part of a word, and then the more people the earlier.
    ///
    /// # Errors
    /// [`GazetteerError::Io`].
    pub fn find(&self, name: &str, limit: usize) -> Result<Vec<Found>, GazetteerError> {
        let wanted = fold(name.trim());
        if wanted.is_empty() || wanted.contains('\n') {
            return Ok(Vec::new());
        }
        let mut fits = self.fits(&wanted)?;
        fits.sort_unstable();
        fits.truncate(CANDIDATES_MAX);
        let mut places: Vec<(Fit, Reverse<u32>, u32, Place)> = Vec::with_capacity(fits.len());
        for (fit, index) in fits {
            if let Some(place) = self.places(index, index + 1)?.into_iter().next() {
                places.push((fit, Reverse(place.population), index, place));
            }
        }
        places.sort_unstable_by_key(|(fit, population, index, _)| (*fit, *population, *index));
        places.truncate(limit);
        places.iter().map(|(.., place)| self.found(place)).collect()
    }

    /// How well each name fits that does, by the number of its place.
    fn fits(&self, wanted: &str) -> Result<Vec<(Fit, u32)>, GazetteerError> {
        let folded = self.section(self.header.folded)?;
        let folded = String::from_utf8_lossy(&folded);
        Ok((0..)
            .zip(folded.split('\n'))
            .filter_map(|(index, name)| Some((fit(name, wanted)?, index)))
            .collect())
    }

    fn found(&self, place: &Place) -> Result<Found, GazetteerError> {
        Ok(Found {
            name: self.name_of(place)?,
            admin1: self.region(place.admin1)?,
            admin2: self.region(place.admin2)?,
            latitude: degrees(place.latitude),
            longitude: degrees(place.longitude),
        })
    }
}

fn fit(name: &str, wanted: &str) -> Option<Fit> {
    let at = name.find(wanted)?;
    let before = name.get(..at)?;
    Some(if name.len() == wanted.len() {
        Fit::Whole
    } else if at == 0 {
        Fit::Beginning
    } else if before.ends_with(|it: char| !it.is_alphanumeric()) {
        Fit::Word
    } else {
        Fit::Within
    })
}
