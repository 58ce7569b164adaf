//! The nearest city to a position.

use super::error::GazetteerError;
use super::file::Gazetteer;
use super::format::{COLUMNS, Place, column, degrees, row};

/// The earth's radius that distances are measured with, in metres: the one of Postgres' `earthdistance`.
const EARTH_METRES: f64 = 6_378_168.0;

impl Gazetteer {
    /// The nearest city at most `metres_max` away.
    pub(super) fn nearest(
        &self,
        latitude: f64,
        longitude: f64,
        metres_max: f64,
    ) -> Result<Option<Place>, GazetteerError> {
        let mut best: Option<(f64, Place)> = None;
        for (first, end) in self.runs_near(latitude, longitude, metres_max) {
            for place in self.places(first, end)? {
                let away =
                    metres(latitude, longitude, degrees(place.latitude), degrees(place.longitude));
                if away <= metres_max && best.as_ref().is_none_or(|(least, _)| away < *least) {
                    best = Some((away, place));
                }
            }
        }
        Ok(best.map(|(_, place)| place))
    }

    /// The runs of places that may lie that near: a run for each row of the grid, two where the row goes
    /// round the edge of the map.
    fn runs_near(&self, latitude: f64, longitude: f64, metres_max: f64) -> Vec<(u32, u32)> {
        let high = (metres_max / EARTH_METRES).to_degrees();
        let mut runs = Vec::new();
        for row in row(latitude - high)..=row(latitude + high) {
            // The row's end nearer to a pole is the narrower one.
            let edge = (latitude.abs() + high).min(90.0).to_radians().cos();
            let wide = if edge < 0.01 { 180.0 } else { (high / edge).min(180.0) };
            let (west, east) = (longitude - wide, longitude + wide);
            if wide >= 180.0 {
                runs.push(self.run(row, 0, COLUMNS - 1));
                continue;
            }
            runs.push(self.run(row, column(west.max(-180.0)), column(east.min(180.0))));
            if west < -180.0 {
                runs.push(self.run(row, column(west + 360.0), COLUMNS - 1));
            }
            if east > 180.0 {
                runs.push(self.run(row, 0, column(east - 360.0)));
            }
        }
        runs.retain(|(first, end)| first < end);
        runs
    }

    /// The places of neighbouring cells of a row.
    fn run(&self, row: usize, west: usize, east: usize) -> (u32, u32) {
        let cell = |column: usize| self.cells.get(row * COLUMNS + column).copied().unwrap_or(0);
        (cell(west), cell(east + 1))
    }
}

/// The way between two positions over the ground.
fn metres(latitude: f64, longitude: f64, other_latitude: f64, other_longitude: f64) -> f64 {
    let (from, to) = (latitude.to_radians(), other_latitude.to_radians());
    let half_high = ((to - from) / 2.0).sin();
    let half_wide = ((other_longitude - longitude).to_radians() / 2.0).sin();
    let chord = half_high * half_high + from.cos() * to.cos() * half_wide * half_wide;
    2.0 * EARTH_METRES * chord.sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_globe() {
        let paris_to_london = metres(48.8566, 2.3522, 51.5074, -0.1278);
        assert!((paris_to_london - 343_900.0).abs() < 1_000.0, "{paris_to_london}");
        assert!(metres(0.0, 179.99, 0.0, -179.99) < 2_300.0);
    }
}
