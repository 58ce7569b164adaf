//! What ffprobe does not show of a film in ISO boxes: an XMP packet, and Sony's XML, which has the
//! photographer's clock where the movie header has UTC. Read inside a decoder child.

use std::io::{Read, Seek, SeekFrom};

use crate::{
    limits::{MOVIE_BOX_BYTES_MAX, SEGMENTS_MAX},
    metadata::{Facts, Position, Taken, boxes, checked_position, parse_date, read_xmp_of_film},
};

/// UUID of a box that holds XMP (XMP Specification, part 3).
const XMP: &[u8] = b"\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac";

/// Where Sony's XML (`NonRealTimeMeta`) has the date.
const SONY_DATE: &str = "<CreationDate value=\"";

/// Completes the facts of a film from its boxes. What cannot be read changes nothing.
pub(super) fn complete(file: &mut (impl Read + Seek), facts: &mut Facts) {
    let mut at = 0_u64;
    for _ in 0..SEGMENTS_MAX {
        let mut head = [0; 16];
        if file.seek(SeekFrom::Start(at)).is_err() || file.read_exact(&mut head[..8]).is_err() {
            return;
        }
        let short = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
        let (start, length) = match short {
            1 if file.read_exact(&mut head[8..]).is_ok() => {
                let (_, long) = head.split_at(8);
                (16, long.first_chunk::<8>().map_or(0, |it| u64::from_be_bytes(*it)))
            }
            _ => (8, u64::from(short)),
        };
        let Some(body) = length.checked_sub(start) else { return };
        let name = [head[4], head[5], head[6], head[7]];
        if matches!(&name, b"moov" | b"uuid" | b"meta") && body <= MOVIE_BOX_BYTES_MAX {
            let mut bytes = Vec::new();
            if file.by_ref().take(body).read_to_end(&mut bytes).is_err() {
                return;
            }
            take(name, &bytes, facts);
        }
        let Some(next) = at.checked_add(length) else { return };
        at = next;
    }
}

fn take(name: [u8; 4], body: &[u8], facts: &mut Facts) {
    match &name {
        b"uuid" => {
            if let Some(packet) = body.strip_prefix(XMP) {
                read_xmp_of_film(packet, facts);
            }
        }
        b"meta" => {
            // A full box: version and flags come first.
            let inner = boxes(body.get(4..).unwrap_or_default());
            for (_, xml) in inner.filter(|(name, _)| *name == b"xml ") {
                sony(xml, facts);
            }
        }
        _ => {
            let user_data = boxes(body).filter(|(name, _)| *name == b"udta");
            for (name, value) in user_data.flat_map(|(_, body)| boxes(body)) {
                match name {
                    b"XMP_" => read_xmp_of_film(value, facts),
                    b"loci" => facts.position = place(value).or(facts.position),
                    // Some phones write the photographer's clock beside the header's UTC.
                    b"date" => stated(&String::from_utf8_lossy(value), facts),
                    _ => {}
                }
            }
        }
    }
}

/// 3GPP's box of a place (TS 26.244, 8.3): version, language, name, role, then degrees and metres in
/// 65536ths. ffprobe shows four digits of them.
fn place(body: &[u8]) -> Option<Position> {
    let name = body.get(6..)?;
    let is_wide = name.starts_with(b"\xfe\xff") || name.starts_with(b"\xff\xfe");
    let behind = if is_wide {
        2 * (name.chunks_exact(2).position(|it| it == [0; 2])? + 1)
    } else {
        name.iter().position(|it| *it == 0)? + 1
    };
    let numbers = name.get(behind + 1..)?;
    let number = |index: usize| {
        let bytes = numbers.get(index * 4..)?.first_chunk::<4>()?;
        Some(f64::from(i32::from_be_bytes(*bytes)) / 65_536.0)
    };
    checked_position(number(1)?, number(0)?, number(2))
}

fn sony(xml: &[u8], facts: &mut Facts) {
    let text = String::from_utf8_lossy(xml);
    let value = text.split_once(SONY_DATE).and_then(|(_, rest)| rest.split_once('"'));
    if let Some((date, _)) = value {
        stated(date, facts);
    }
}

/// A date with the photographer's zone is believed over one in UTC.
fn stated(date: &str, facts: &mut Facts) {
    if let Some((local, offset_minutes @ Some(_))) = parse_date(date) {
        let source_tag = "DateTimeOriginal".to_owned();
        facts.taken = Some(Taken { local, offset_minutes, source_tag });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn part(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 8).unwrap();
        [&length.to_be_bytes()[..], name, body].concat()
    }

    fn completed(bytes: &[u8]) -> Facts {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let mut facts = Facts::default();
        complete(&mut file, &mut facts);
        facts
    }

    #[test]
    fn sonys_xml_has_the_photographers_clock() {
        let xml = br#"<NonRealTimeMeta><CreationDate value="2020-11-20T15:04:02+01:00"/></NonRealTimeMeta>"#;
        let meta = [&[0; 4][..], &part(b"xml ", xml)].concat();
        let file = [part(b"ftyp", b"XAVC"), part(b"meta", &meta)].concat();
        assert_eq!(completed(&file).taken.unwrap().offset_minutes, Some(60));
    }

    #[test]
    fn a_phones_date_beside_the_header_is_read() {
        let date = part(b"date", b"2020-11-20T15:04:02+0100");
        let file = part(b"moov", &part(b"udta", &date));
        assert_eq!(completed(&file).taken.unwrap().offset_minutes, Some(60));
    }

    #[test]
    fn xmp_in_a_movie_is_read() {
        let xmp = br#"<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" dc:description="sea"/>"#;
        let file = part(b"moov", &part(b"udta", &part(b"XMP_", xmp)));
        assert_eq!(completed(&file).description.as_deref(), Some("sea"));
    }

    #[test]
    fn a_place_has_all_its_digits() {
        let numbers = b"\x00\x06\xad\x14\x00\x34\x5e\x8a\x00\x0a\x88\xf5earth\0";
        for name in [&b"\0"[..], b"home\0", b"\xfe\xff\0h\0\0"] {
            let loci = [&b"\0\0\0\0\x55\xc4"[..], name, b"\0", numbers].concat();
            let file = part(b"moov", &part(b"udta", &part(b"loci", &loci)));
            let place = completed(&file).position.unwrap();
            assert!((place.latitude - 52.369_293).abs() < 1e-6, "{}", place.latitude);
            assert!((place.longitude - 6.676_086).abs() < 1e-6, "{}", place.longitude);
        }
        assert_eq!(place(b"\0\0\0\0\x55\xc4home"), None);
    }

    #[test]
    fn damage_ends() {
        assert_eq!(completed(b"\xff\xff\xff\xffmoov"), Facts::default());
        assert_eq!(completed(b"\0\0\0\0moov"), Facts::default());
        assert_eq!(completed(b""), Facts::default());
    }
}
