//! A box on the map.

use sqlx::{Postgres, QueryBuilder};

/// What a degree is cut into, so that boxes can be compared: about 0.1 m.
const STEPS: f64 = 1_000_000.0;

/// A box on the map, in millionths of a degree. Where its west lies east of its east it goes over the date line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bounds {
    west: i32,
    south: i32,
    east: i32,
    north: i32,
}

impl Bounds {
    /// A box with these edges in degrees; `None` where one is no place on earth, or south lies over north.
    #[must_use]
    pub fn of(west: f64, south: f64, east: f64, north: f64) -> Option<Self> {
        let longitude = |degrees: f64| steps(degrees, 180.0);
        let latitude = |degrees: f64| steps(degrees, 90.0);
        let (west, south) = (longitude(west)?, latitude(south)?);
        let (east, north) = (longitude(east)?, latitude(north)?);
        (south <= north).then_some(Self { west, south, east, north })
    }

    /// The condition on a table called `shown`.
    pub(super) fn push(self, sql: &mut QueryBuilder<Postgres>) {
        let degrees = |steps: i32| f64::from(steps) / STEPS;
        sql.push(" and shown.latitude between ").push_bind(degrees(self.south));
        sql.push(" and ").push_bind(degrees(self.north));
        let joint = if self.west <= self.east { " and " } else { " or " };
        sql.push(" and (shown.longitude >= ").push_bind(degrees(self.west));
        sql.push(joint).push("shown.longitude <= ").push_bind(degrees(self.east)).push(")");
    }
}

fn steps(degrees: f64, most: f64) -> Option<i32> {
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        reason = "at most 180 million, and what is more is refused"
    )]
    let steps = (degrees * STEPS).round() as i32;
    (-most..=most).contains(&degrees).then_some(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn box_lies_on_earth() {
        assert!(Bounds::of(11.075_683, 49.416_711, 11.117_589, 49.454_875).is_some());
        assert!(Bounds::of(179.0, -10.0, -179.0, 10.0).is_some());
        assert_eq!(Bounds::of(0.0, 10.0, 1.0, -10.0), None);
        assert_eq!(Bounds::of(-181.0, 0.0, 0.0, 1.0), None);
        assert_eq!(Bounds::of(f64::NAN, 0.0, 0.0, 1.0), None);
    }

    #[test]
    fn box_over_the_date_line_has_two_sides() {
        let mut sql = QueryBuilder::new("");
        Bounds::of(179.0, -10.0, -179.0, 10.0).unwrap().push(&mut sql);
        assert!(sql.sql().as_str().contains(" or "));
    }
}
