//! The opened file of places, and what it says of a position.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use chrono_tz::Tz;

use super::error::GazetteerError;
use super::format::{
    COLUMNS, HEADER_BYTES_MAX, Header, MAGIC, NONE, PLACE_BYTES, Place, RING_BYTES, ROWS, Ring,
    Span, number,
};

/// A city counts for what lies at most this far from it, as Immich counts, in metres.
const CITY_METRES_MAX: f64 = 25_000.0;
/// The clocks of the nearest city count at most this far from it, in metres.
const ZONE_METRES_MAX: f64 = 150_000.0;

/// What a position lies in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Located {
    /// The nearest city, town or village.
    pub city: Option<String>,
    /// Its state or province.
    pub state: Option<String>,
    /// The country.
    pub country: Option<String>,
}

/// Names of places, read from a file.
#[derive(Debug)]
pub struct Gazetteer {
    pub(super) path: PathBuf,
    pub(super) header: Header,
    /// For each cell its first place, and one more at the end.
    pub(super) cells: Vec<u32>,
    pub(super) rings: Vec<Ring>,
    file: File,
    /// Where the sections begin.
    base: u64,
}

impl Gazetteer {
    /// Opens a file that [`super::build`] made. Reads its header and indexes, some hundred kilobytes.
    ///
    /// # Errors
    /// [`GazetteerError::Io`] and [`GazetteerError::Damaged`].
    pub fn open(path: &Path) -> Result<Self, GazetteerError> {
        let io = |source| GazetteerError::Io { path: path.to_owned(), source };
        let damaged = |what| GazetteerError::Damaged { path: path.to_owned(), what };
        let file = File::open(path).map_err(io)?;
        let mut start = [0; 12];
        file.read_exact_at(&mut start, 0).map_err(io)?;
        if !start.starts_with(MAGIC) {
            return Err(damaged("it does not begin with the right word"));
        }
        let length = number(&start, 8).and_then(|length| usize::try_from(length).ok());
        let length = length
            .filter(|length| *length <= HEADER_BYTES_MAX)
            .ok_or_else(|| damaged("its header is too long"))?;
        let mut header = vec![0; length];
        file.read_exact_at(&mut header, 12).map_err(io)?;
        let header: Header =
            serde_json::from_slice(&header).map_err(|_| damaged("its header cannot be read"))?;
        let base = 12 + u64::try_from(length).unwrap_or(u64::MAX);
        let mut opened =
            Self { path: path.to_owned(), header, cells: vec![], rings: vec![], file, base };
        let cells = opened.section(opened.header.cells)?;
        opened.cells = cells.chunks_exact(4).filter_map(|cell| number(cell, 0)).collect();
        if opened.cells.len() != ROWS * COLUMNS + 1 {
            return Err(damaged("its grid has another size"));
        }
        let rings = opened.section(opened.header.rings)?;
        opened.rings = rings.chunks_exact(RING_BYTES).filter_map(Ring::from_bytes).collect();
        Ok(opened)
    }

    /// The data set's name.
    #[must_use]
    pub fn dataset(&self) -> &str {
        &self.header.dataset
    }

    /// The data set's version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.header.version
    }

    /// What its file is called.
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        self.path.file_name()?.to_str()
    }

    /// When its file was put there; nothing where the file system does not say.
    #[must_use]
    pub fn installed_at(&self) -> Option<SystemTime> {
        self.file.metadata().and_then(|file| file.modified()).ok()
    }

    /// City, state and country of a position in degrees: of the nearest city within 25 km, else the country
    /// whose land it is. Reads the file: some tens of microseconds when the system holds it.
    ///
    /// # Errors
    /// [`GazetteerError::Io`].
    pub fn locate(&self, latitude: f64, longitude: f64) -> Result<Located, GazetteerError> {
        let Some(place) = self.nearest(latitude, longitude, CITY_METRES_MAX)? else {
            let country = self.country_at(latitude, longitude)?;
            return Ok(Located { country, ..Located::default() });
        };
        Ok(Located {
            city: Some(self.name_of(&place)?),
            state: self.region(place.admin1)?,
            country: self.country(place.country),
        })
    }

    /// The zone of the nearest city within 150 km.
    ///
    /// # Errors
    /// [`GazetteerError::Io`].
    pub fn zone_at(&self, latitude: f64, longitude: f64) -> Result<Option<Tz>, GazetteerError> {
        let place = match self.nearest(latitude, longitude, CITY_METRES_MAX)? {
            Some(place) => Some(place),
            None => self.nearest(latitude, longitude, ZONE_METRES_MAX)?,
        };
        let zone = place.and_then(|place| self.header.zones.get(usize::from(place.zone)));
        Ok(zone.and_then(|zone| zone.parse().ok()))
    }

    /// Places number `first` to before `end`.
    pub(super) fn places(&self, first: u32, end: u32) -> Result<Vec<Place>, GazetteerError> {
        let bytes = u64::try_from(PLACE_BYTES).unwrap_or(u64::MAX);
        let span = Span {
            offset: self.header.places.offset + u64::from(first) * bytes,
            bytes: u64::from(end.saturating_sub(first)) * bytes,
        };
        let bytes = self.section(span)?;
        Ok(bytes.chunks_exact(PLACE_BYTES).filter_map(Place::from_bytes).collect())
    }

    pub(super) fn name_of(&self, place: &Place) -> Result<String, GazetteerError> {
        let offset = self.header.names.offset + u64::from(place.name_offset);
        self.text(Span { offset, bytes: u64::from(place.name_bytes) })
    }

    pub(super) fn country(&self, country: u16) -> Option<String> {
        self.header.countries.get(usize::from(country)).cloned()
    }

    /// The name of a state or county.
    pub(super) fn region(&self, region: u16) -> Result<Option<String>, GazetteerError> {
        if region == NONE {
            return Ok(None);
        }
        let regions = self.header.regions.offset;
        let at = |index: u64| Span { offset: regions + 4 * index, bytes: 4 };
        let end = |span| Ok::<u32, GazetteerError>(number(&self.section(span)?, 0).unwrap_or(0));
        let index = u64::from(region);
        let from = if index == 0 { 0 } else { end(at(index - 1))? };
        let to = end(at(index))?;
        let offset = self.header.region_names.offset + u64::from(from);
        self.text(Span { offset, bytes: u64::from(to.saturating_sub(from)) }).map(Some)
    }

    fn text(&self, span: Span) -> Result<String, GazetteerError> {
        Ok(String::from_utf8_lossy(&self.section(span)?).into_owned())
    }

    /// Reads a part of the file.
    pub(super) fn section(&self, span: Span) -> Result<Vec<u8>, GazetteerError> {
        let damaged = |what| GazetteerError::Damaged { path: self.path.clone(), what };
        let length = usize::try_from(span.bytes).map_err(|_| damaged("a section is too long"))?;
        let mut bytes = vec![0; length];
        self.file
            .read_exact_at(&mut bytes, self.base + span.offset)
            .map_err(|source| GazetteerError::Io { path: self.path.clone(), source })?;
        Ok(bytes)
    }
}
