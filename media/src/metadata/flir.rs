//! `FLIR`'s own segments in a JPEG of a thermal camera: when and where it was taken.
//!
//! A file of records ("FFF") with its directory near the beginning. Layout: `ExifTool`'s tables
//! "`FLIR::FFF`", "`CameraInfo`" and "`GPSInfo`".

use chrono::{DateTime, Duration};

use super::{
    facts::{Facts, Taken},
    position,
};

/// Records of the directory that are looked at, and bytes of one entry.
const RECORDS_MAX: usize = 256;
const RECORD_BYTES: usize = 32;

/// Kinds of records.
const CAMERA: u16 = 0x20;
const RECEIVER: u16 = 0x2b;

/// Where the camera's record has its date: seconds, milliseconds, minutes west of UTC.
const TAKEN_AT: usize = 900;

/// Fills gaps in the facts. What is damaged is left out.
pub(super) fn fill(file: &[u8], facts: &mut Facts) {
    if !file.starts_with(b"FFF\0") {
        return;
    }
    let be = |at: usize| Some(u32::from_be_bytes(*file.get(at..)?.first_chunk()?));
    // The version, which is small in one of the two orders, tells which it is.
    let is_big = be(0x14).is_some_and(|it| it < 0x1_0000);
    let long = |at: usize| {
        let value = be(at).map(|it| if is_big { it } else { it.swap_bytes() })?;
        usize::try_from(value).ok()
    };
    let Some((start, count)) = long(0x18).zip(long(0x1c)) else { return };
    for at in (0..count.min(RECORDS_MAX)).map_while(|it| start.checked_add(it * RECORD_BYTES)) {
        let place = long(at.saturating_add(12)).zip(long(at.saturating_add(16)));
        let Some(record) = place
            .and_then(|(from, length)| file.get(from..from.checked_add(length)?.min(file.len())))
        else {
            continue;
        };
        let kind = file.get(at..).and_then(|it| it.first_chunk::<2>());
        let order = if is_big { u16::from_be_bytes } else { u16::from_le_bytes };
        match kind.map(|it| order(*it)) {
            Some(CAMERA) if facts.taken.is_none() => facts.taken = taken(record),
            Some(RECEIVER) if facts.position.is_none() => receiver(record, facts),
            _ => {}
        }
    }
}

fn taken(record: &[u8]) -> Option<Taken> {
    // Its first number is 2 in the order of the record.
    let is_big = record.first() == Some(&0);
    let order = |bytes: [u8; 4]| {
        if is_big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    };
    let long = |at: usize| Some(order(*record.get(at..)?.first_chunk()?));
    let zone = *record.get(TAKEN_AT + 8..)?.first_chunk::<2>()?;
    let west = if is_big { i16::from_be_bytes(zone) } else { i16::from_le_bytes(zone) };
    let utc = DateTime::from_timestamp(i64::from(long(TAKEN_AT)?), 0)?;
    let milliseconds = i64::from(long(TAKEN_AT + 4)? & 0xffff).min(999);
    let is_set = utc.timestamp() > 0 && west.unsigned_abs() <= 14 * 60;
    let local = utc.naive_utc() - Duration::minutes(i64::from(west));
    is_set.then(|| Taken {
        local: local + Duration::milliseconds(milliseconds),
        offset_minutes: Some(-i32::from(west)),
        source_tag: "DateTimeOriginal".to_owned(),
    })
}

/// Hemispheres are letters beside the numbers; some cameras write signs as well.
fn receiver(record: &[u8], facts: &mut Facts) {
    let side = |at: usize, letter_at: usize, negative: u8| {
        let degrees = f64::from_le_bytes(*record.get(at..)?.first_chunk()?);
        Some(if record.get(letter_at) == Some(&negative) { -degrees.abs() } else { degrees })
    };
    let height = || Some(f64::from(f32::from_le_bytes(*record.get(0x20..)?.first_chunk()?)));
    let is_valid = record.first() == Some(&1);
    let place = side(0x10, 0x08, b'S').zip(side(0x18, 0x0a, b'W'));
    if let Some((latitude, longitude)) = place.filter(|_| is_valid) {
        facts.position = position::checked(latitude, longitude, height());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(kind: u16, record: &[u8]) -> Vec<u8> {
        let mut file = b"FFF\0".to_vec();
        file.resize(0x14, 0);
        for word in [100_u32, 64, 1] {
            file.extend(word.to_be_bytes());
        }
        file.resize(64, 0);
        file.extend(kind.to_be_bytes());
        file.resize(64 + 12, 0);
        file.extend(96_u32.to_be_bytes());
        file.extend(u32::try_from(record.len()).unwrap().to_be_bytes());
        file.resize(96, 0);
        file.extend(record);
        file
    }

    #[test]
    fn the_camera_tells_when_and_the_receiver_where() {
        let mut camera = vec![0; TAKEN_AT];
        camera[0] = 2;
        camera.extend(1_621_193_256_u32.to_le_bytes());
        camera.extend(107_u32.to_le_bytes());
        camera.extend(420_i16.to_le_bytes());
        let mut facts = Facts::default();
        fill(&file(CAMERA, &camera), &mut facts);
        let taken = facts.taken.unwrap();
        assert_eq!(taken.local.to_string(), "2021-05-16 12:27:36.107");
        assert_eq!(taken.offset_minutes, Some(-420));

        let mut gps = vec![1, 0, 0, 0];
        gps.resize(0x08, 0);
        gps.extend(b"N\0W\0\0\0\0\0");
        gps.extend(34.5_f64.to_le_bytes());
        gps.extend(118.25_f64.to_le_bytes());
        gps.extend(139.5_f32.to_le_bytes());
        let mut facts = Facts::default();
        fill(&file(RECEIVER, &gps), &mut facts);
        let position = facts.position.unwrap();
        assert_eq!((position.latitude, position.longitude), (34.5, -118.25));
        assert_eq!(position.altitude_m, Some(139.5));
    }

    #[test]
    fn damage_is_nothing() {
        for bytes in [&b""[..], b"FFF\0", b"FFF\0\xff\xff\xff\xff\xff\xff\xff\xff", &[0xff; 64]] {
            let mut facts = Facts::default();
            fill(bytes, &mut facts);
            fill(&file(CAMERA, bytes), &mut facts);
            fill(&file(RECEIVER, bytes), &mut facts);
            assert_eq!(facts, Facts::default());
        }
    }
}
