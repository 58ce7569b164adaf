//! Whose land a position is on: Natural Earth's bounds of countries at 1:10 million.

use super::error::GazetteerError;
use super::file::Gazetteer;
use super::format::{CORNER_BYTES, Ring, Span, long, steps};

impl Gazetteer {
    /// The country whose land holds the position; none at sea.
    pub(super) fn country_at(
        &self,
        latitude: f64,
        longitude: f64,
    ) -> Result<Option<String>, GazetteerError> {
        let (x, y) = (steps(longitude), steps(latitude));
        // A hole is a ring within a ring of the same country, so that an odd number of them is inside.
        let mut inside: Vec<(u16, usize)> = Vec::new();
        for ring in self.rings.iter().filter(|ring| may_hold(ring, x, y)) {
            if !self.holds(ring, x, y)? {
                continue;
            }
            match inside.iter_mut().find(|(country, _)| *country == ring.country) {
                Some((_, times)) => *times += 1,
                None => inside.push((ring.country, 1)),
            }
        }
        let found = inside.iter().find(|(_, times)| times % 2 == 1);
        Ok(found.and_then(|(country, _)| self.country(*country)))
    }

    /// Whether a ring goes round the position: a line eastward crosses it an odd number of times.
    fn holds(&self, ring: &Ring, x: i32, y: i32) -> Result<bool, GazetteerError> {
        let bytes = u64::try_from(CORNER_BYTES).unwrap_or(u64::MAX);
        let corners = self.section(Span {
            offset: self.header.corners.offset + u64::from(ring.first) * bytes,
            bytes: u64::from(ring.corners) * bytes,
        })?;
        let corner = |bytes: &[u8]| Some((long(bytes, 0)?, long(bytes, 4)?));
        let mut corners = corners.chunks_exact(CORNER_BYTES).filter_map(corner);
        let Some(mut last) = corners.next() else { return Ok(false) };
        let mut odd = false;
        for next in corners {
            if (last.1 > y) != (next.1 > y) {
                let along = f64::from(y - last.1) / f64::from(next.1 - last.1);
                let crossing = f64::from(last.0) + along * f64::from(next.0 - last.0);
                odd ^= f64::from(x) < crossing;
            }
            last = next;
        }
        Ok(odd)
    }
}

fn may_hold(ring: &Ring, x: i32, y: i32) -> bool {
    (ring.west..=ring.east).contains(&x) && (ring.south..=ring.north).contains(&y)
}
