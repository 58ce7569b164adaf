//! The film inside the file of a motion photo. Nothing is decoded here: only lengths are followed, and what
//! they lead to must begin as a film does.
//!
//! - Samsung: a box `mpvd` in HEIF; in JPEG a trailer whose directory stands at the end (`SEFH` … `SEFT`, as
//!   `ExifTool`'s documentation of Samsung trailers describes it) with a record `MotionPhoto_Data`.
//! - Google, Motion Photo format 1.0: XMP lists what follows the picture, with lengths; in HEIF a box `mpvd`.
//! - Google, the older `MicroVideo`: XMP says how far from the end of the file the film begins.

use std::ops::Range;

use super::{blocks::boxes, xmp::Xmp};
use crate::kind::Sniffed;

/// Records of a Samsung trailer that are looked at.
const RECORDS_MAX: usize = 256;
/// The type of the record that holds a film.
const MOTION_PHOTO_DATA: u16 = 0x0a30;

/// Where the film lies. `packets` are the XMP of the file.
pub(super) fn film(bytes: &[u8], kind: Sniffed, packets: &[Xmp]) -> Option<Range<usize>> {
    let found = match kind {
        Sniffed::Heic | Sniffed::Avif => in_box(bytes),
        Sniffed::Jpeg => in_trailer(bytes)
            .or_else(|| packets.iter().find_map(|packet| behind(packet, bytes.len()))),
        _ => None,
    };
    found.filter(|range| begins_as_film(bytes, range))
}

/// A file type box comes first in every film that cameras write (ISO 14496-12, 4.3).
fn begins_as_film(bytes: &[u8], range: &Range<usize>) -> bool {
    bytes.get(range.clone()).and_then(|film| film.get(4..8)) == Some(b"ftyp")
}

fn in_box(bytes: &[u8]) -> Option<Range<usize>> {
    let (_, film) = boxes(bytes).find(|(name, _)| *name == b"mpvd")?;
    let start = film.as_ptr().addr().checked_sub(bytes.as_ptr().addr())?;
    Some(start..start.checked_add(film.len())?)
}

fn in_trailer(bytes: &[u8]) -> Option<Range<usize>> {
    let directory_end = bytes.len().checked_sub(8)?;
    let (length, mark) = bytes.get(directory_end..)?.split_first_chunk::<4>()?;
    if mark != b"SEFT" {
        return None;
    }
    let start = directory_end.checked_sub(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    let directory = bytes.get(start..directory_end)?.strip_prefix(b"SEFH")?;
    // Behind a version and a count: 12 bytes a record, type, distance before the directory, length.
    directory.get(8..)?.chunks_exact(12).take(RECORDS_MAX).find_map(|record| {
        let kind = u16::from_le_bytes([record[2], record[3]]);
        if kind != MOTION_PHOTO_DATA {
            return None;
        }
        let at = start.checked_sub(word(record, 4)?)?;
        let end = at.checked_add(word(record, 8)?).filter(|end| *end <= start)?;
        // The record repeats its type and says its name before its data.
        let name_length = word(bytes, at.checked_add(4)?)?;
        let data = at.checked_add(8)?.checked_add(name_length)?;
        (data < end).then_some(data..end)
    })
}

fn word(bytes: &[u8], at: usize) -> Option<usize> {
    let word = bytes.get(at..)?.first_chunk::<4>()?;
    usize::try_from(u32::from_le_bytes(*word)).ok()
}

/// What XMP says about bytes that follow the picture in a file of `length` bytes.
fn behind(packet: &Xmp, length: usize) -> Option<Range<usize>> {
    let number = |name: &str| packet.get(name)?.parse::<usize>().ok().filter(|it| *it > 0);
    if packet.get("GCamera:MotionPhoto") == Some("1")
        && let Some(at) = packet.items.iter().position(|item| item.semantic == "MotionPhoto")
    {
        let film = packet.items.get(at)?.length;
        let tail = packet.items.iter().skip(at).try_fold(0_usize, |sum, item| {
            sum.checked_add(item.length)?.checked_add(item.padding)
        })?;
        let start = length.checked_sub(tail)?;
        return (film > 0).then_some(start..start.checked_add(film)?);
    }
    let offset =
        number("GCamera:MicroVideoOffset").or_else(|| number("GCamera:MotionPhotoOffset"))?;
    Some(length.checked_sub(offset)?..length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILM: &[u8] = b"\0\0\0\x10ftypisom\0\0\0\0more";

    fn xmp(inner: &str) -> Xmp {
        let text = format!(
            r#"<rdf:Description xmlns:GCamera="http://ns.google.com/photos/1.0/camera/"
            xmlns:Item="http://ns.google.com/photos/1.0/container/item/" {inner}</rdf:Description>"#
        );
        Xmp::read(text.as_bytes())
    }

    fn item(semantic: &str, length: usize) -> String {
        format!(r#"<Container:Item Item:Semantic="{semantic}" Item:Length="{length}"/>"#)
    }

    fn found(bytes: &[u8], packet: Xmp) -> Option<Vec<u8>> {
        let range = film(bytes, Sniffed::Jpeg, &[packet])?;
        bytes.get(range).map(<[u8]>::to_vec)
    }

    #[test]
    fn film_behind_a_gain_map_is_found() {
        let bytes = [b"picture gainmap", FILM].concat();
        let items = [item("Primary", 0), item("GainMap", 7), item("MotionPhoto", FILM.len())];
        let packet = xmp(&format!(r#"GCamera:MotionPhoto="1">{}"#, items.concat()));
        assert_eq!(found(&bytes, packet).as_deref(), Some(FILM));
    }

    #[test]
    fn older_offset_counts_from_the_end() {
        let bytes = [b"picture", FILM].concat();
        let packet = xmp(&format!(r#"GCamera:MicroVideoOffset="{}">"#, FILM.len()));
        assert_eq!(found(&bytes, packet).as_deref(), Some(FILM));
    }

    #[test]
    fn lengths_beyond_the_file_lead_nowhere() {
        let too_long = [item("Primary", 0), item("MotionPhoto", usize::MAX)].concat();
        assert_eq!(found(FILM, xmp(&format!(r#"GCamera:MotionPhoto="1">{too_long}"#))), None);
        assert_eq!(found(b"picture", xmp(r#"GCamera:MicroVideoOffset="3">"#)), None);
        assert_eq!(found(b"\xff\xff\xff\xffSEFT", Xmp::default()), None);
    }

    #[test]
    fn samsungs_trailer_holds_a_film() {
        let name = b"MotionPhoto_Data";
        let mut record = [&[0, 0, 0x30, 0x0a][..], &16_u32.to_le_bytes(), name, FILM].concat();
        let length = u32::try_from(record.len()).unwrap();
        let directory = [
            &b"SEFH\x6a\0\0\0\x01\0\0\0\0\0\x30\x0a"[..],
            &length.to_le_bytes(),
            &length.to_le_bytes(),
        ]
        .concat();
        let directory_length = u32::try_from(directory.len()).unwrap();
        record.splice(0..0, *b"picture");
        let bytes = [&record[..], &directory, &directory_length.to_le_bytes(), b"SEFT"].concat();
        assert_eq!(found(&bytes, Xmp::default()).as_deref(), Some(FILM));
    }

    #[test]
    fn box_of_heif_holds_a_film() {
        let length = u32::try_from(FILM.len() + 8).unwrap().to_be_bytes();
        let bytes = [b"\0\0\0\x08ftyp", &length[..], b"mpvd", FILM, b"\0\0\0\x08sefd"].concat();
        let range = film(&bytes, Sniffed::Heic, &[]).unwrap();
        assert_eq!(&bytes[range], FILM);
    }
}
