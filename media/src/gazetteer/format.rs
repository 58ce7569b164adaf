//! The file of places: a magic word, the length of a JSON header, the header, then sections of fixed records.
//!
//! Numbers are little-endian. Degrees are kept as whole steps of 1/100,000 degree, about a metre.

use serde::{Deserialize, Serialize};

/// What the file begins with; the digit is its version.
pub(super) const MAGIC: &[u8; 8] = b"CALOPLC1";
/// Longest header that is read.
pub(super) const HEADER_BYTES_MAX: usize = 1 << 20;
/// Rows of the grid, one a degree of latitude, from the south.
pub(super) const ROWS: usize = 180;
/// Columns of the grid, one a degree of longitude, from the west.
pub(super) const COLUMNS: usize = 360;
/// Length of a [`Place`].
pub(super) const PLACE_BYTES: usize = 28;
/// Length of a [`Ring`].
pub(super) const RING_BYTES: usize = 28;
/// Length of a corner of a ring.
pub(super) const CORNER_BYTES: usize = 8;
/// Stands for "none" among regions, countries and zones.
pub(super) const NONE: u16 = u16::MAX;

/// Steps a degree.
const STEPS: f64 = 100_000.0;

/// Where a section lies, from the end of the header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Span {
    pub(super) offset: u64,
    pub(super) bytes: u64,
}

/// What the file says about itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Header {
    /// The data set's name.
    pub(super) dataset: String,
    /// Its version.
    pub(super) version: String,
    /// Names of countries.
    pub(super) countries: Vec<String>,
    /// Names of zones, such as `Europe/Paris`.
    pub(super) zones: Vec<String>,
    /// For each cell of the grid the first place of it, and one more at the end.
    pub(super) cells: Span,
    /// The places, by cell.
    pub(super) places: Span,
    /// Their names, without anything between.
    pub(super) names: Span,
    /// Their names as they are compared, a line each.
    pub(super) folded: Span,
    /// For each region the end of its name in `region_names`.
    pub(super) regions: Span,
    /// Names of states, provinces and counties, without anything between.
    pub(super) region_names: Span,
    /// The bounds of countries.
    pub(super) rings: Span,
    /// Their corners: longitude and latitude in steps.
    pub(super) corners: Span,
}

/// A city, town or village.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) latitude: i32,
    pub(super) longitude: i32,
    pub(super) population: u32,
    pub(super) name_offset: u32,
    pub(super) name_bytes: u16,
    /// State or province.
    pub(super) admin1: u16,
    /// County or district.
    pub(super) admin2: u16,
    pub(super) country: u16,
    pub(super) zone: u16,
}

impl Place {
    pub(super) fn to_bytes(self) -> [u8; PLACE_BYTES] {
        let mut bytes = [0; PLACE_BYTES];
        let longs = [
            self.latitude.to_le_bytes(),
            self.longitude.to_le_bytes(),
            self.population.to_le_bytes(),
            self.name_offset.to_le_bytes(),
        ];
        let shorts = [self.name_bytes, self.admin1, self.admin2, self.country, self.zone];
        let all = longs.concat().into_iter().chain(shorts.into_iter().flat_map(u16::to_le_bytes));
        bytes.iter_mut().zip(all).for_each(|(to, from)| *to = from);
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            latitude: long(bytes, 0)?,
            longitude: long(bytes, 4)?,
            population: number(bytes, 8)?,
            name_offset: number(bytes, 12)?,
            name_bytes: short(bytes, 16)?,
            admin1: short(bytes, 18)?,
            admin2: short(bytes, 20)?,
            country: short(bytes, 22)?,
            zone: short(bytes, 24)?,
        })
    }
}

/// A closed line around land of a country, or around a hole in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ring {
    pub(super) west: i32,
    pub(super) south: i32,
    pub(super) east: i32,
    pub(super) north: i32,
    /// The first corner of it.
    pub(super) first: u32,
    pub(super) corners: u32,
    pub(super) country: u16,
}

impl Ring {
    pub(super) fn to_bytes(self) -> [u8; RING_BYTES] {
        let mut bytes = [0; RING_BYTES];
        let longs = [
            self.west.to_le_bytes(),
            self.south.to_le_bytes(),
            self.east.to_le_bytes(),
            self.north.to_le_bytes(),
            self.first.to_le_bytes(),
            self.corners.to_le_bytes(),
        ];
        let all = longs.concat().into_iter().chain(self.country.to_le_bytes());
        bytes.iter_mut().zip(all).for_each(|(to, from)| *to = from);
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            west: long(bytes, 0)?,
            south: long(bytes, 4)?,
            east: long(bytes, 8)?,
            north: long(bytes, 12)?,
            first: number(bytes, 16)?,
            corners: number(bytes, 20)?,
            country: short(bytes, 24)?,
        })
    }
}

/// Signed four bytes.
pub(super) fn long(bytes: &[u8], at: usize) -> Option<i32> {
    Some(i32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Unsigned four bytes.
pub(super) fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Unsigned two bytes.
pub(super) fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// Degrees as steps.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "degrees are at most 360, so steps fit; what does not fit saturates"
)]
pub(super) fn steps(degrees: f64) -> i32 {
    (degrees * STEPS).round() as i32
}

/// Steps as degrees.
pub(super) fn degrees(steps: i32) -> f64 {
    f64::from(steps) / STEPS
}

/// The row of a latitude; outside the world the nearest one.
pub(super) fn row(latitude: f64) -> usize {
    whole(latitude + 90.0).min(ROWS - 1)
}

/// The column of a longitude between -180 and 180.
pub(super) fn column(longitude: f64) -> usize {
    whole(longitude + 180.0).min(COLUMNS - 1)
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is negative or no number becomes 0, what is too large saturates"
)]
fn whole(value: f64) -> usize {
    value.floor() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_they_were_written() {
        let place = Place {
            latitude: -4_885_341,
            longitude: 234_880,
            population: 7,
            name_offset: 9,
            name_bytes: 5,
            admin1: 3,
            admin2: NONE,
            country: 1,
            zone: 2,
        };
        assert_eq!(Place::from_bytes(&place.to_bytes()), Some(place));
        let ring =
            Ring { west: -1, south: -2, east: 3, north: 4, first: 5, corners: 6, country: 7 };
        assert_eq!(Ring::from_bytes(&ring.to_bytes()), Some(ring));
    }

    #[test]
    fn cells_stay_on_the_grid() {
        assert_eq!((row(-90.0), row(-0.5), row(90.0)), (0, 89, 179));
        assert_eq!((column(-180.0), column(0.0), column(180.0)), (0, 180, 359));
        assert_eq!(steps(-122.41942), -12_241_942);
    }
}
