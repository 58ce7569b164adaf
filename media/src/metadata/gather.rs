//! Puts the facts of a picture together from its blocks, in the order in which Immich trusts them.
//!
//! Inside the file EXIF comes before XMP before IPTC; a sidecar comes before all of them.

use super::{
    blocks::{self, Blocks},
    ciff,
    date::Stamp,
    embedded,
    exif::Tags,
    facts::{Facts, Taken},
    flir, iptc, motion, number, picture_info, regions, tiff,
    xmp::Xmp,
};
use crate::{
    image::{HeifFile, HeifItem, JxlFile, Orientation, image_size, jp2_size, svg_size},
    kind::{Sniffed, raw_mime_of_maker},
};

/// Seconds from the beginning of QuickTime's clock to that of Unix.
const SECONDS_1904_TO_1970: i64 = 2_082_844_800;

/// Finds the blocks of a picture and reads them.
pub(crate) fn gather(bytes: &[u8], kind: Sniffed) -> (Blocks, Facts) {
    let mut facts = Facts { true_mime: Some(kind.mime().to_owned()), ..Facts::default() };
    let blocks = locate(bytes, kind, &mut facts);
    let tags = exif_bytes(bytes, kind, &blocks).and_then(Tags::read);
    if let Some(tags) = &tags {
        tags.fill(&mut facts);
    }
    let before_exif = read_before_exif(&blocks, &mut facts);
    // Windows' keywords count where nobody else has any: Explorer writes them beside older lists.
    let by_windows = std::mem::take(&mut facts.keywords);
    let packets: Vec<Xmp> = blocks.xmp.iter().map(|it| Xmp::read(it)).collect();
    let iptc = blocks.iptc.as_deref().map(iptc::read).unwrap_or_default();

    for xmp in &packets {
        fill_gaps(&mut facts, xmp);
        // ExifTool's first rating is that of XMP; Lightroom and others keep only that one current.
        facts.rating = rating(xmp).or(facts.rating);
        if facts.faces.is_empty() {
            facts.faces = regions::faces(xmp, facts.orientation.unwrap_or(1));
        }
        if facts.keywords.is_empty() {
            facts.keywords = xmp.keywords();
        }
    }
    if let Some(film) = motion::film(bytes, kind, &packets) {
        facts.embedded_video_offset = u64::try_from(film.start).ok();
        facts.embedded_video_bytes = u64::try_from(film.len()).ok();
    }
    facts.description = facts.description.or(iptc.description);
    if facts.keywords.is_empty() {
        facts.keywords = iptc.keywords;
    }
    if facts.keywords.is_empty() {
        facts.keywords = by_windows;
    }
    let stated = taken(tags.as_ref(), &packets, iptc.created, facts.gps_time);
    facts.taken = before_exif.or(stated).or(facts.taken.take());
    flir::fill(&blocks.flir, &mut facts);
    if let Some(lines) = &blocks.picture_info {
        picture_info::fill(lines, &mut facts);
    }
    if kind == Sniffed::Tiff && blocks.is_raw && !blocks.is_dng {
        let make = facts.make.as_deref().unwrap_or_default();
        facts.true_mime = Some(raw_mime_of_maker(make).to_owned());
    }
    let size =
        blocks.size.or_else(|| image_size(bytes, kind)).or_else(|| tags.as_ref()?.pixel_size());
    finish(&mut facts, size, kind);
    (blocks, facts)
}

/// Lays a sidecar over the facts of the file: what it states replaces what the file states.
pub(crate) fn read_sidecar(bytes: &[u8], facts: &mut Facts) {
    let xmp = Xmp::read(bytes);
    let mut stated = Facts::default();
    fill_gaps(&mut stated, &xmp);
    macro_rules! replace {
        ($($field:ident),*) => { $( if stated.$field.is_some() { facts.$field = stated.$field.take(); } )* };
    }
    replace!(description, position, make, model, lens_model, projection_type);
    if let Some(stated) = rating(&xmp) {
        facts.rating = Some(stated).filter(|it| *it != 0);
    }
    if let Some(taken) = taken(None, std::slice::from_ref(&xmp), None, None) {
        facts.taken = Some(taken);
    }
    let faces = regions::faces(&xmp, facts.orientation.unwrap_or(1));
    if !faces.is_empty() {
        facts.faces = faces;
    }
    let keywords = xmp.keywords();
    if !keywords.is_empty() {
        facts.keywords = keywords;
        unique(&mut facts.keywords);
    }
}

/// What a film's XMP says where its boxes say nothing.
pub(crate) fn read_xmp_of_film(packet: &[u8], facts: &mut Facts) {
    let xmp = Xmp::read(packet);
    // The turning of a film is in its track and not in its XMP.
    let orientation = facts.orientation;
    fill_gaps(facts, &xmp);
    facts.orientation = orientation;
    facts.rating = facts.rating.or(rating(&xmp)).filter(|it| *it != 0);
    facts.taken =
        facts.taken.take().or_else(|| taken(None, std::slice::from_ref(&xmp), None, None));
    facts.keywords.extend(xmp.keywords());
    unique(&mut facts.keywords);
}

fn locate(bytes: &[u8], kind: Sniffed, facts: &mut Facts) -> Blocks {
    match kind {
        Sniffed::Tiff
        | Sniffed::Raw("image/x-canon-cr2" | "image/x-panasonic-rw2" | "image/x-olympus-orf") => {
            let found = tiff::find(bytes, kind != Sniffed::Tiff);
            if found.is_dng {
                facts.true_mime = Some("image/x-adobe-dng".to_owned());
            }
            found
        }
        Sniffed::Raw("image/x-fujifilm-raf") => {
            let word = |at: usize| {
                let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
                usize::try_from(u32::from_be_bytes(bytes)).ok()
            };
            let range = word(84).zip(word(88)).and_then(|(start, length)| {
                let end = start.checked_add(length)?;
                (end <= bytes.len() && length > 0).then_some(start..end)
            });
            let jpeg = range.clone().and_then(|it| bytes.get(it)).unwrap_or_default();
            let mut found = blocks::find(jpeg, Sniffed::Jpeg);
            found.embedded_jpeg = range;
            found.is_raw = true;
            found
        }
        Sniffed::Heic | Sniffed::Avif => {
            let mut found = Blocks::default();
            if let Ok(file) = HeifFile::open(bytes) {
                found.exif = file.item(HeifItem::Exif);
                found.xmp.extend(file.item(HeifItem::Xmp));
                found.size = Some(file.stored_size());
                let (width, height) = file.display_size();
                (facts.display_width, facts.display_height) = (Some(width), Some(height));
                facts.taken = sequence_date(bytes);
            }
            found
        }
        Sniffed::Jxl => {
            let mut found = Blocks::default();
            if let Ok(file) = JxlFile::open(bytes) {
                found.exif = file.exif();
                found.xmp.extend(file.xmp());
                found.size = Some(file.stored_size());
                let (width, height) = file.display_size();
                (facts.display_width, facts.display_height) = (Some(width), Some(height));
            }
            found
        }
        Sniffed::Jp2 => Blocks { size: jp2_size(bytes), ..blocks::find(bytes, kind) },
        Sniffed::Svg => Blocks { size: svg_size(bytes), ..Blocks::default() },
        Sniffed::Raw("image/x-canon-crw") => {
            let found = other_raw(bytes);
            let size = ciff::fill(bytes, facts).or(found.size);
            Blocks { size, ..found }
        }
        Sniffed::Raw(_) => other_raw(bytes),
        _ => blocks::find(bytes, kind),
    }
}

/// RAW in containers of their own: what their largest picture says about itself.
fn other_raw(bytes: &[u8]) -> Blocks {
    let embedded_jpeg = embedded::largest(bytes);
    let jpeg = embedded_jpeg.clone().and_then(|it| bytes.get(it)).unwrap_or_default();
    Blocks { embedded_jpeg, is_raw: true, ..blocks::find(jpeg, Sniffed::Jpeg) }
}

/// Stored width and height in pixels, of formats that say so near their beginning.
pub(crate) fn size(bytes: &[u8], kind: Sniffed) -> Option<(u32, u32)> {
    blocks::find(bytes, kind).size
}

fn exif_bytes(bytes: &[u8], kind: Sniffed, blocks: &Blocks) -> Option<Vec<u8>> {
    match kind {
        Sniffed::Tiff | Sniffed::Raw("image/x-canon-cr2") => Some(bytes.to_vec()),
        // Panasonic's and Olympus' TIFF has a magic number of its own and is ordinary behind it.
        Sniffed::Raw("image/x-panasonic-rw2" | "image/x-olympus-orf") => {
            let mut copy = bytes.to_vec();
            let magic: &[u8] = if copy.starts_with(b"MM") { b"MM\0\x2a" } else { b"II\x2a\0" };
            copy.get_mut(..4)?.copy_from_slice(magic);
            Some(copy)
        }
        _ => blocks.exif.clone(),
    }
}

/// Canon's heap in JPEGs from before EXIF: a camera wrote it, and programs added EXIF later. Gives
/// the date, and fills gaps with the rest.
fn read_before_exif(blocks: &Blocks, facts: &mut Facts) -> Option<Taken> {
    let mut own = Facts::default();
    ciff::fill(blocks.ciff.as_deref()?, &mut own);
    if own.make.is_some() {
        (facts.make, facts.model) = (own.make, own.model);
    }
    facts.iso = facts.iso.or(own.iso);
    facts.f_number = facts.f_number.or(own.f_number);
    facts.focal_length_mm = facts.focal_length_mm.or(own.focal_length_mm);
    facts.exposure_time = facts.exposure_time.take().or(own.exposure_time);
    own.taken
}

/// What XMP says where nothing is known yet.
fn fill_gaps(facts: &mut Facts, xmp: &Xmp) {
    let owned = |name: &str| xmp.get(name).map(str::to_owned);
    let take = |slot: &mut Option<String>, names: &[&str]| {
        if slot.is_none() {
            *slot = names.iter().find_map(|name| owned(name));
        }
    };
    take(&mut facts.make, &["tiff:Make"]);
    take(&mut facts.model, &["tiff:Model"]);
    take(&mut facts.lens_model, &["exifEX:LensModel", "aux:Lens"]);
    take(&mut facts.description, &["dc:description", "tiff:ImageDescription"]);
    take(&mut facts.projection_type, &["GPano:ProjectionType"]);
    facts.position = facts.position.or_else(|| xmp.position());
    facts.f_number = facts.f_number.or_else(|| xmp.number("exif:FNumber")).filter(|it| *it > 0.0);
    facts.focal_length_mm =
        facts.focal_length_mm.or_else(|| xmp.number("exif:FocalLength")).filter(|it| *it > 0.0);
    if facts.exposure_time.is_none() {
        facts.exposure_time = xmp.number("exif:ExposureTime").and_then(number::exposure);
    }
    if facts.iso.is_none() {
        facts.iso = xmp.get("exif:ISOSpeedRatings").and_then(|it| it.parse().ok());
    }
    if facts.orientation.is_none() {
        facts.orientation = xmp.get("tiff:Orientation").and_then(|it| it.parse().ok());
    }
}

/// Whole stars only; 3.5 is three.
fn rating(xmp: &Xmp) -> Option<i8> {
    let value = xmp.number("xmp:Rating")?;
    (-1..=5_i8).rev().find(|it| f64::from(*it) <= value).filter(|_| value <= 5.0)
}

/// The first usable date in Immich's order of tags (ExifTool's names).
fn taken(
    tags: Option<&Tags>,
    packets: &[Xmp],
    iptc: Option<Stamp>,
    gps: Option<chrono::NaiveDateTime>,
) -> Option<Taken> {
    let fraction = packets.iter().find_map(|it| it.get("exif:SubSecTimeOriginal"));
    let original = tags.and_then(Tags::original).map(|it| it.with_fraction(fraction));
    let digitized = tags.and_then(Tags::digitized);
    let any_offset = tags.and_then(Tags::any_offset);
    let xmp = |names: &[&str]| {
        packets.iter().find_map(|packet| names.iter().find_map(|name| packet.date(name)))
    };
    let named = |(local, offset_minutes): Stamp, tag: &str| Taken {
        local,
        offset_minutes,
        source_tag: tag.to_owned(),
    };
    // An offset in any EXIF tag holds for the whole file: it is one camera with one clock.
    let with_offset = |stamp: Stamp| (stamp.0, stamp.1.or(any_offset));
    let sub_seconds = |tag: &super::exif::DateTag| tag.has_sub_seconds;
    original
        .as_ref()
        .filter(|it| sub_seconds(it))
        .map(|it| named(with_offset(it.stamp), "SubSecDateTimeOriginal"))
        .or_else(|| {
            let it = digitized.as_ref().filter(|it| sub_seconds(it))?;
            Some(named(with_offset(it.stamp), "SubSecCreateDate"))
        })
        .or_else(|| original.as_ref().map(|it| named(with_offset(it.stamp), "DateTimeOriginal")))
        .or_else(|| xmp(&["exif:DateTimeOriginal"]).map(|it| named(it, "DateTimeOriginal")))
        .or_else(|| digitized.as_ref().map(|it| named(with_offset(it.stamp), "CreateDate")))
        .or_else(|| {
            xmp(&["xmp:CreateDate", "exif:DateTimeDigitized"]).map(|it| named(it, "CreateDate"))
        })
        .or_else(|| xmp(&["pdf:CreationDate"]).map(|it| named(it, "CreationDate")))
        .or_else(|| iptc.map(|it| named(it, "DateTimeCreated")))
        .or_else(|| gps.map(|it| named((it, Some(0)), "GPSDateTime")))
}

/// When an image sequence (animated AVIF, bursts in HEIF) was made, by its movie header: seconds
/// since 1904 in UTC by the standard (ISO 14496-12, 8.2.2). Written by programs more than by
/// cameras, so it counts only where nothing else is stated.
fn sequence_date(bytes: &[u8]) -> Option<Taken> {
    let (_, movie) = blocks::boxes(bytes).find(|(name, _)| *name == b"moov")?;
    let (_, header) = blocks::boxes(movie).find(|(name, _)| *name == b"mvhd")?;
    let seconds = match header.first()? {
        0 => u64::from(u32::from_be_bytes(*header.get(4..)?.first_chunk::<4>()?)),
        _ => u64::from_be_bytes(*header.get(4..)?.first_chunk::<8>()?),
    };
    let since_1970 = i64::try_from(seconds).ok()?.checked_sub(SECONDS_1904_TO_1970)?;
    let local = chrono::DateTime::from_timestamp(since_1970, 0).filter(|_| since_1970 > 0)?;
    Some(Taken {
        local: local.naive_utc(),
        offset_minutes: Some(0),
        source_tag: "CreateDate".to_owned(),
    })
}

fn finish(facts: &mut Facts, size: Option<(u32, u32)>, kind: Sniffed) {
    if let Some((width, height)) = size.filter(|it| it.0 > 0 && it.1 > 0) {
        (facts.width, facts.height) = (Some(width), Some(height));
        if facts.display_width.is_none() {
            let orientation = Orientation::from_exif(facts.orientation.unwrap_or(1));
            let (width, height) = orientation.upright_size(width, height);
            (facts.display_width, facts.display_height) = (Some(width), Some(height));
        }
    }
    if matches!(kind, Sniffed::Heic | Sniffed::Avif) && facts.width.is_none() {
        (facts.width, facts.height) = (facts.display_width, facts.display_height);
    }
    facts.rating = facts.rating.filter(|it| matches!(it, -1 | 1..=5));
    facts.orientation = facts.orientation.filter(|it| (1..=8).contains(it));
    unique(&mut facts.keywords);
}

/// Keeps the first of equal keywords.
fn unique(keywords: &mut Vec<String>) {
    let mut seen = std::collections::HashSet::new();
    keywords.retain(|it| seen.insert(it.clone()));
}
