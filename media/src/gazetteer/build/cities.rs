//! Cities with their regions, countries and zones.

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;

use super::super::error::GazetteerError;
use super::super::format::{NONE, steps};
use super::{Sources, read, source};

/// English names of countries by their two letters, as Immich shows them: those of the library
/// `i18n-iso-countries` 7.14 (MIT).
const COUNTRY_NAMES: &str = include_str!("countries.tsv");

/// A city as the sources tell of it.
#[derive(Debug)]
pub(super) struct City {
    pub(super) name: String,
    pub(super) latitude: i32,
    pub(super) longitude: i32,
    pub(super) population: u32,
    pub(super) admin1: u16,
    pub(super) admin2: u16,
    pub(super) country: u16,
    pub(super) zone: u16,
}

/// All cities, with the lists that they point into.
#[derive(Debug, Default)]
pub(super) struct Cities {
    pub(super) cities: Vec<City>,
    pub(super) regions: Vec<String>,
    pub(super) countries: Countries,
    pub(super) zones: Vec<String>,
}

/// Names of countries, each once.
#[derive(Debug, Default)]
pub(super) struct Countries {
    pub(super) names: Vec<String>,
    by_name: HashMap<String, u16>,
}

impl Countries {
    /// The number of a country of two letters, or of one that has only a name.
    pub(super) fn number(&mut self, letters: &str, name: &str) -> u16 {
        let known = COUNTRY_NAMES.lines().filter_map(|line| line.split_once('\t'));
        let name = known
            .into_iter()
            .find(|(known, _)| *known == letters)
            .map_or(name, |(_, english)| english);
        if let Some(number) = self.by_name.get(name) {
            return *number;
        }
        let number = u16::try_from(self.names.len()).unwrap_or(NONE);
        self.names.push(name.to_owned());
        self.by_name.insert(name.to_owned(), number);
        number
    }
}

/// A line of the list of regions.
struct Region {
    is_first_level: bool,
}

#[derive(Deserialize)]
struct Zoned {
    geonameid: u32,
    timezone: String,
}

/// Reads all cities.
pub(super) fn read_cities(sources: &Sources) -> Result<Cities, GazetteerError> {
    let mut all = Cities::default();
    let levels = regions(&sources.places.join("subdivisions/subdivisions.tsv"), &mut all.regions)?;
    let countries = countries(&sources.places.join("countries/countries.tsv"), &mut all.countries)?;
    let zones = zones(&sources.zones, &mut all.zones)?;
    let path = sources.places.join("cities/cities.tsv");
    let text = String::from_utf8_lossy(&read(&path)?).into_owned();
    for (line, row) in (1..).zip(text.lines()) {
        let bad = |what| source(&path, line, what);
        let cells: Vec<&str> = row.split('\t').collect();
        let [name, id, within, country, population, latitude, longitude] = cells[..] else {
            return Err(bad("seven columns are wanted"));
        };
        let mut city = City {
            name: name.to_owned(),
            latitude: steps(latitude.parse().map_err(|_| bad("the latitude is no number"))?),
            longitude: steps(longitude.parse().map_err(|_| bad("the longitude is no number"))?),
            population: population.parse().unwrap_or_default(),
            admin1: NONE,
            admin2: NONE,
            country: listed(&countries, country).copied().unwrap_or(NONE),
            zone: id.parse().ok().and_then(|id: u32| zones.get(&id).copied()).unwrap_or(NONE),
        };
        for region in within.split('|').filter(|region| !region.is_empty()) {
            let Some(level) = listed(&levels, region) else { continue };
            let number = region.parse::<u16>().map_or(NONE, |number| number - 1);
            if level.is_first_level {
                city.admin1 = number;
            } else {
                city.admin2 = number;
            }
        }
        all.cities.push(city);
    }
    Ok(all)
}

/// What stands in a list under a number that counts from 1.
fn listed<'a, T>(list: &'a [T], number: &str) -> Option<&'a T> {
    list.get(number.parse::<usize>().ok()?.checked_sub(1)?)
}

fn regions(path: &Path, names: &mut Vec<String>) -> Result<Vec<Region>, GazetteerError> {
    let text = String::from_utf8_lossy(&read(path)?).into_owned();
    let mut levels = Vec::new();
    for (line, row) in (1..).zip(text.lines()) {
        let mut cells = row.split('\t');
        let name = cells.next().unwrap_or_default();
        let level = cells.nth(5).ok_or_else(|| source(path, line, "seven columns are wanted"))?;
        names.push(name.to_owned());
        levels.push(Region { is_first_level: level == "1" });
    }
    if names.len() >= usize::from(NONE) {
        return Err(source(path, names.len(), "more regions than there are numbers for"));
    }
    Ok(levels)
}

fn countries(path: &Path, known: &mut Countries) -> Result<Vec<u16>, GazetteerError> {
    let text = String::from_utf8_lossy(&read(path)?).into_owned();
    let mut numbers = Vec::new();
    for (line, row) in (1..).zip(text.lines()) {
        let mut cells = row.split('\t');
        let (Some(name), Some(letters)) = (cells.next(), cells.next()) else {
            return Err(source(path, line, "two columns are wanted"));
        };
        numbers.push(known.number(letters, name));
    }
    Ok(numbers)
}

/// The number of the zone of each city.
fn zones(path: &Path, names: &mut Vec<String>) -> Result<HashMap<u32, u16>, GazetteerError> {
    let zoned: HashMap<String, Zoned> = serde_json::from_slice(&read(path)?)
        .map_err(|error| source(path, error.line(), "geonameid and timezone are wanted"))?;
    let mut wanted: Vec<&str> = zoned.values().map(|city| city.timezone.as_str()).collect();
    wanted.sort_unstable();
    wanted.dedup();
    *names = wanted.into_iter().map(str::to_owned).collect();
    let number = |zone: &str| {
        let found = names.binary_search_by(|name| name.as_str().cmp(zone));
        found.ok().and_then(|index| u16::try_from(index).ok()).unwrap_or(NONE)
    };
    Ok(zoned.values().map(|city| (city.geonameid, number(&city.timezone))).collect())
}
