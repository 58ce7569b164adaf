//! Positions: checked, and read from ISO 6709 (QuickTime) and XMP texts.

use super::{facts::Position, number};

/// A position that may be believed. 0/0 is what receivers without a fix write, out of range is
/// damage. One of the two being 0 is the equator or Greenwich, and stays.
pub(crate) fn checked(latitude: f64, longitude: f64, altitude_m: Option<f64>) -> Option<Position> {
    let in_range = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
    let somewhere = latitude != 0.0 || longitude != 0.0;
    (in_range && somewhere).then(|| Position {
        latitude,
        longitude,
        altitude_m: altitude_m.filter(|it| it.is_finite() && it.abs() < 100_000.0),
    })
}

/// ISO 6709 in degrees, as QuickTime writes it: `+48.8584+002.2945+035/`.
pub(crate) fn iso6709(text: &str) -> Option<Position> {
    let text = text.trim().split('/').next()?;
    let starts: Vec<usize> =
        text.char_indices().filter(|(_, it)| matches!(it, '+' | '-')).map(|(i, _)| i).collect();
    let part = |i: usize| {
        let start = *starts.get(i)?;
        let end = starts.get(i + 1).copied().unwrap_or(text.len());
        let digits = text.get(start..end)?;
        let number = digits.find(|it: char| it.is_ascii_alphabetic()).unwrap_or(digits.len());
        digits.get(..number)?.parse::<f64>().ok()
    };
    checked(part(0)?, part(1)?, part(2))
}

/// XMP's `DDD,MM.mmmmH` or `DDD,MM,SSH`, also plain signed degrees. In degrees.
pub(super) fn xmp_coordinate(text: &str) -> Option<f64> {
    let text = text.trim();
    let (body, sign) = match text.chars().last()? {
        'N' | 'E' | 'n' | 'e' => (text.get(..text.len() - 1)?, 1.0),
        'S' | 'W' | 's' | 'w' => (text.get(..text.len() - 1)?, -1.0),
        _ => (text, 1.0),
    };
    let mut degrees = 0.0;
    for (part, weight) in body.split(',').zip([1.0, 60.0, 3600.0]) {
        degrees += number::parse(part)? / weight;
    }
    Some(sign * degrees)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quicktime_positions_are_read() {
        let found = iso6709("+48.8584+002.2945+035.500CRSWGS_84/").unwrap();
        assert_eq!(
            (found.latitude, found.longitude, found.altitude_m),
            (48.8584, 2.2945, Some(35.5))
        );
        assert_eq!(iso6709("-33.8568-070.6382/").map(|found| found.longitude), Some(-70.6382));
        assert_eq!(iso6709("+00.0000+000.0000/"), None);
        assert_eq!(iso6709("nonsense"), None);
    }

    #[test]
    fn xmp_coordinates_are_read() {
        assert_eq!(xmp_coordinate("51,30.042N"), Some(51.0 + 30.042 / 60.0));
        assert_eq!(xmp_coordinate("0,7.476W"), Some(-7.476 / 60.0));
        assert_eq!(xmp_coordinate("10,30,36S"), Some(-(10.0 + 0.5 + 0.01)));
        assert_eq!(xmp_coordinate("x"), None);
    }

    #[test]
    fn null_island_and_nonsense_are_dropped() {
        assert!(checked(0.0, 0.0, None).is_none());
        assert!(checked(95.0, 200.0, None).is_none());
        assert!(checked(f64::NAN, 1.0, None).is_none());
        assert!(checked(0.0, 32.5825, None).is_some());
        assert!(checked(90.0, 0.0, None).is_some());
    }
}
