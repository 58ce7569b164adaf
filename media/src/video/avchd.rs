//! What AVCHD cameras write into the picture data of their films: camera, exposure, and the clock of
//! the photographer. Read inside a decoder child.
//!
//! H.264 carries it in a message of its user ("MDPM", pairs of a tag and four bytes), cut into the
//! packets of the transport stream. Names of tags: `ExifTool`'s table "H264 MDPM".

use std::{
    collections::HashMap,
    io::{Read, Seek, SeekFrom},
};

use crate::{
    limits::AVCHD_BYTES_MAX,
    metadata::{Facts, Taken, clean_text, exposure_text, parse_date},
};

/// Bytes of a packet, and of one with a clock before it (`m2ts`).
const PACKET_BYTES: usize = 188;
const TIMED_PACKET_BYTES: usize = 192;

/// First byte of a packet.
const SYNC: u8 = 0x47;

/// Streams of one file that are put together.
const STREAMS_MAX: usize = 16;

/// What tells the message: its UUID, and its name.
const MESSAGE: &[u8] = b"\x17\xee\x8c\x60\xf8\x4d\x11\xd9\x8c\xd6\x08\x00\x20\x0c\x9a\x66MDPM";

/// Tags.
const ZONE_YEAR_MONTH: u8 = 0x18;
const DAY_AND_TIME: u8 = 0x19;
const SHUTTER: u8 = 0x7f;
const EXPOSURE: u8 = 0xa0;
const F_NUMBER: u8 = 0xa1;
const MAKER: u8 = 0xe0;
const MODEL: [u8; 3] = [0xe4, 0xe5, 0xe6];

/// Makers by number.
const MAKERS: [(u16, &str); 4] =
    [(0x0103, "Panasonic"), (0x0108, "Sony"), (0x1011, "Canon"), (0x1104, "JVC")];

/// Completes the facts of a film from its first megabytes.
pub(super) fn complete(file: &mut (impl Read + Seek), facts: &mut Facts) {
    let mut bytes = Vec::new();
    let read = file
        .seek(SeekFrom::Start(0))
        .and_then(|_| file.by_ref().take(AVCHD_BYTES_MAX).read_to_end(&mut bytes));
    if read.is_ok() {
        read_stream(&bytes, facts);
    }
}

fn read_stream(bytes: &[u8], facts: &mut Facts) {
    let found = streams(bytes).into_values().find_map(|stream| {
        let at = stream.windows(MESSAGE.len()).position(|it| it == MESSAGE)?;
        let end = stream.len().min(at + MESSAGE.len() + 2_048);
        Some(unescaped(stream.get(at + MESSAGE.len()..end)?))
    });
    let Some([count, pairs @ ..]) = found.as_deref() else { return };
    let tags: HashMap<u8, [u8; 4]> = pairs
        .chunks_exact(5)
        .take(usize::from(*count))
        .filter_map(|it| it.split_first_chunk::<1>().zip(it.last_chunk::<4>()))
        .map(|((tag, _), value)| (tag[0], *value))
        .collect();
    fill(&tags, facts);
}

fn fill(tags: &HashMap<u8, [u8; 4]>, facts: &mut Facts) {
    let ratio = |tag: u8| {
        let [a, b, c, d] = *tags.get(&tag)?;
        let divisor = f64::from(u16::from_be_bytes([c, d]));
        Some(f64::from(u16::from_be_bytes([a, b])) / divisor)
            .filter(|it| it.is_finite() && *it > 0.0)
    };
    let shutter = tags.get(&SHUTTER).and_then(|it| {
        // The highest bit is another's; all others set mean that it is not known.
        let ticks = u16::from_le_bytes([it[2], it[3]]) & 0x7fff;
        (ticks != 0x7fff && ticks != 0).then(|| f64::from(ticks) / 28_125.0)
    });
    if facts.exposure_time.is_none() {
        facts.exposure_time = ratio(EXPOSURE).or(shutter).and_then(exposure_text);
    }
    facts.f_number = facts.f_number.or_else(|| ratio(F_NUMBER));
    if facts.make.is_none() {
        let number = tags.get(&MAKER).map(|it| u16::from_be_bytes([it[0], it[1]]));
        let maker = MAKERS.iter().find(|(it, _)| Some(*it) == number);
        facts.make = maker.map(|(_, name)| (*name).to_owned());
    }
    if facts.model.is_none() {
        let bytes: Vec<u8> =
            MODEL.iter().filter_map(|it| tags.get(it)).flatten().copied().collect();
        let name = bytes.split(|it| *it == 0).next().unwrap_or_default();
        facts.model = clean_text(&String::from_utf8_lossy(name));
    }
    if let Some(taken) = taken(tags) {
        facts.taken = Some(taken);
    }
}

/// Binary-coded decimals; the first byte is the zone: hours in four bits, west, half an hour more.
fn taken(tags: &HashMap<u8, [u8; 4]>) -> Option<Taken> {
    let [zone, century, year, month] = *tags.get(&ZONE_YEAR_MONTH)?;
    let [day, hour, minute, second] = *tags.get(&DAY_AND_TIME)?;
    let text = format!(
        "{century:02x}{year:02x}:{month:02x}:{day:02x} {hour:02x}:{minute:02x}:{second:02x}"
    );
    let minutes = i32::from(zone >> 1 & 0x0f) * 60 + i32::from(zone & 1) * 30;
    let offset = if zone & 0x20 == 0 { minutes } else { -minutes };
    // All bits set: nobody set the clock's zone.
    let offset_minutes = Some(offset).filter(|_| zone & 0x80 == 0 && offset.abs() <= 14 * 60);
    let source_tag = "DateTimeOriginal".to_owned();
    Some(Taken { local: parse_date(&text)?.0, offset_minutes, source_tag })
}

/// The contents of a transport stream's packets, by stream.
fn streams(bytes: &[u8]) -> HashMap<u16, Vec<u8>> {
    let is_every = |first: usize, step: usize| {
        (0..4).all(|it| bytes.get(first + it * step).is_none_or(|it| *it == SYNC))
    };
    let (first, step) = if is_every(0, PACKET_BYTES) {
        (0, PACKET_BYTES)
    } else if is_every(4, TIMED_PACKET_BYTES) {
        (4, TIMED_PACKET_BYTES)
    } else {
        return HashMap::new();
    };
    let mut streams: HashMap<u16, Vec<u8>> = HashMap::new();
    let packets =
        (first..bytes.len()).step_by(step).filter_map(|at| bytes.get(at..at + PACKET_BYTES));
    for packet in packets.filter(|it| it.first() == Some(&SYNC)) {
        let [_, high, low, flags, body @ ..] = packet else { continue };
        let number = u16::from_be_bytes([*high, *low]) & 0x1fff;
        // A field before the contents, with its length; then contents, if there are any.
        let skipped =
            if flags & 0x20 == 0 { 0 } else { 1 + usize::from(*body.first().unwrap_or(&0)) };
        let Some(body) = body.get(skipped..).filter(|_| flags & 0x10 != 0) else { continue };
        if streams.len() < STREAMS_MAX || streams.contains_key(&number) {
            streams.entry(number).or_default().extend_from_slice(body);
        }
    }
    streams
}

/// Without the threes that H.264 puts behind two zeros, so that no start of a unit is in its data.
fn unescaped(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut zeros = 0;
    for byte in bytes {
        if zeros >= 2 && *byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        plain.push(*byte);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(tags: &[(u8, [u8; 4])]) -> Vec<u8> {
        let mut message = MESSAGE.to_vec();
        message.push(u8::try_from(tags.len()).unwrap());
        message.extend(tags.iter().flat_map(|(tag, value)| [&[*tag][..], value].concat()));
        message.resize(2 * 184, 0xff);
        let packets = message.chunks(184).map(|it| [&[SYNC, 0x10, 0x11, 0x10][..], it].concat());
        packets.flatten().collect()
    }

    #[test]
    fn camera_exposure_and_clock_are_read() {
        let tags = [
            (ZONE_YEAR_MONTH, *b"\x44\x20\x19\x04"),
            (DAY_AND_TIME, *b"\x24\x22\x24\x10"),
            (F_NUMBER, *b"\x02\x76\x00\x64"),
            (SHUTTER, *b"\x11\x11\x32\x82"),
            (MAKER, *b"\x01\x08\x31\x00"),
            (MODEL[0], *b"ILCE"),
            (MODEL[1], *b"-7M3"),
            (MODEL[2], *b"\0\0\x11\x11"),
        ];
        let mut facts = Facts::default();
        read_stream(&stream(&tags), &mut facts);
        assert_eq!(facts.make.as_deref(), Some("Sony"));
        assert_eq!(facts.model.as_deref(), Some("ILCE-7M3"));
        assert_eq!(facts.f_number, Some(6.3));
        assert_eq!(facts.exposure_time.as_deref(), Some("1/50"));
        let taken = facts.taken.unwrap();
        assert_eq!(taken.local.to_string(), "2019-04-24 22:24:10");
        assert_eq!(taken.offset_minutes, Some(120));
    }

    #[test]
    fn threes_behind_zeros_are_taken_out() {
        assert_eq!(unescaped(b"\0\0\x03\0\0\x03\x01\x03"), b"\0\0\0\0\x01\x03");
    }

    #[test]
    fn damage_is_nothing() {
        for bytes in [&b""[..], b"G", &[SYNC; 1_000], MESSAGE, &stream(&[])[..200]] {
            let mut facts = Facts::default();
            read_stream(bytes, &mut facts);
            assert_eq!(facts, Facts::default());
        }
    }
}
