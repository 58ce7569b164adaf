//! EXIF tags, through `kamadak-exif`. Damaged blocks give what could be read before the damage.

use chrono::NaiveDateTime;
use exif::{Context, Field, In, Reader, Tag, Value};

use super::{
    canon::{self, Canon},
    date::{self, Stamp},
    facts::{Facts, Position},
    maker::{self, Made, Note},
    number, position, text,
};

/// Rating of Windows and others, 0 to 5, in the main directory.
const RATING: Tag = Tag(Context::Tiff, 0x4746);

/// Keywords of Windows Explorer, UTF-16 with `;` between them.
const XP_KEYWORDS: Tag = Tag(Context::Tiff, 0x9c9e);

/// Apple's tag in its maker note that still and film of a live photo share.
const APPLE_CONTENT_ID: u16 = 17;

/// Most entries of a main directory: cameras write some thirty, and more than this is damage.
const ENTRIES_MAX: u16 = 4_096;

/// Tags of one EXIF block.
pub(super) struct Tags {
    exif: exif::Exif,
}

/// Entries that the first directory claims to have.
fn entries_of_first(tiff: &[u8]) -> Option<u16> {
    let is_little = tiff.starts_with(b"II");
    let at = *tiff.get(4..)?.first_chunk::<4>()?;
    let at = if is_little { u32::from_le_bytes(at) } else { u32::from_be_bytes(at) };
    let count = *tiff.get(usize::try_from(at).ok()?..)?.first_chunk::<2>()?;
    Some(if is_little { u16::from_le_bytes(count) } else { u16::from_be_bytes(count) })
}

/// A date tag: when, with which offset, and whether a fraction or offset stood in a tag of its own.
pub(super) struct DateTag {
    pub(super) stamp: Stamp,
    pub(super) has_sub_seconds: bool,
}

impl DateTag {
    /// Takes a fraction from elsewhere where the camera's tags have none.
    pub(super) fn with_fraction(mut self, digits: Option<&str>) -> Self {
        let is_number = |it: &&str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
        let is_whole = chrono::Timelike::nanosecond(&self.stamp.0) == 0;
        if let Some(digits) = digits.filter(is_number).filter(|_| is_whole) {
            let nanos = date::nanoseconds(digits);
            let local = chrono::Timelike::with_nanosecond(&self.stamp.0, nanos);
            self.stamp.0 = local.unwrap_or(self.stamp.0);
            self.has_sub_seconds = true;
        }
        self
    }
}

impl Tags {
    /// Reads a TIFF structure. `None` when not even its first directory is readable.
    pub(super) fn read(tiff: Vec<u8>) -> Option<Self> {
        if entries_of_first(&tiff)? > ENTRIES_MAX {
            return None;
        }
        let exif = Reader::new()
            .continue_on_error(true)
            .read_raw(tiff)
            .or_else(|error| error.distill_partial_result(|_| ()))
            .ok()?;
        Some(Self { exif })
    }

    /// Takes over all that is not a date.
    pub(super) fn fill(&self, facts: &mut Facts) {
        facts.orientation = self.uint(Tag::Orientation).and_then(|it| u16::try_from(it).ok());
        facts.make = self.text(Tag::Make);
        facts.model = self.text(Tag::Model);
        let canon = self.canon();
        facts.lens_model =
            self.text(Tag::LensModel).or(canon.lens_model).or_else(|| self.lens_from_numbers());
        let Made { iso, f_number, exposure_seconds, is_finer } = self.made();
        let finer = |value: Option<f64>| value.filter(|_| is_finer);
        facts.f_number = finer(f_number)
            .or_else(|| self.positive(Tag::FNumber))
            .or(f_number)
            .map(number::rounded);
        facts.focal_length_mm = self.positive(Tag::FocalLength).map(number::rounded);
        facts.iso =
            self.uint(Tag::PhotographicSensitivity).filter(|it| *it > 0).or(canon.iso).or(iso);
        facts.exposure_time = finer(exposure_seconds)
            .or_else(|| self.positive(Tag::ExposureTime))
            .or(exposure_seconds)
            .and_then(number::exposure);
        facts.description = self.text(Tag::ImageDescription);
        facts.rating = self.uint(RATING).and_then(|it| i8::try_from(it).ok());
        facts.position = self.position();
        facts.gps_time = self.gps_time();
        facts.modify_date =
            self.date(Tag::DateTime, Tag::SubSecTime, Tag::OffsetTime).map(|it| it.stamp.0);
        facts.content_id = self.apple_content_id();
        facts.keywords = self.xp_keywords();
    }

    /// Size as the camera wrote it, where the picture itself does not tell.
    pub(super) fn pixel_size(&self) -> Option<(u32, u32)> {
        self.uint(Tag::PixelXDimension).zip(self.uint(Tag::PixelYDimension))
    }

    pub(super) fn original(&self) -> Option<DateTag> {
        self.date(Tag::DateTimeOriginal, Tag::SubSecTimeOriginal, Tag::OffsetTimeOriginal)
    }

    pub(super) fn digitized(&self) -> Option<DateTag> {
        self.date(Tag::DateTimeDigitized, Tag::SubSecTimeDigitized, Tag::OffsetTimeDigitized)
    }

    /// The offset that any of the three tags states; cameras often write only one of them.
    pub(super) fn any_offset(&self) -> Option<i32> {
        [Tag::OffsetTimeOriginal, Tag::OffsetTimeDigitized, Tag::OffsetTime]
            .into_iter()
            .find_map(|tag| date::offset(&self.text(tag)?))
    }

    fn date(&self, main: Tag, fraction: Tag, zone: Tag) -> Option<DateTag> {
        let (mut local, mut offset) = date::parse(&self.text(main)?)?;
        let fraction = self.text(fraction);
        let zone = self.text(zone);
        if let Some(digits) = &fraction {
            let nanos = date::nanoseconds(digits);
            local = chrono::Timelike::with_nanosecond(&local, nanos).unwrap_or(local);
        }
        offset = zone.as_deref().and_then(date::offset).or(offset);
        Some(DateTag {
            stamp: (local, offset),
            has_sub_seconds: fraction.is_some() || zone.is_some(),
        })
    }

    fn position(&self) -> Option<Position> {
        let side = |value: Tag, reference: Tag, negative: u8| {
            let degrees = self.degrees(value)?;
            let letter = self.text(reference).unwrap_or_default();
            let is_negative =
                letter.as_bytes().first().is_some_and(|it| it.eq_ignore_ascii_case(&negative));
            Some(if is_negative { -degrees } else { degrees })
        };
        let latitude = side(Tag::GPSLatitude, Tag::GPSLatitudeRef, b's')?;
        let longitude = side(Tag::GPSLongitude, Tag::GPSLongitudeRef, b'w')?;
        let below = self.uint(Tag::GPSAltitudeRef) == Some(1);
        let altitude = self.rational(Tag::GPSAltitude, 0).map(|it| if below { -it } else { it });
        position::checked(latitude, longitude, altitude)
    }

    fn degrees(&self, tag: Tag) -> Option<f64> {
        let degrees = self.rational(tag, 0)?;
        let minutes = self.rational_or_zero(tag, 1)?;
        let seconds = self.rational_or_zero(tag, 2)?;
        Some(degrees + minutes / 60.0 + seconds / 3600.0)
    }

    fn gps_time(&self) -> Option<NaiveDateTime> {
        let day = self.text(Tag::GPSDateStamp)?;
        let (hour, minute, second) = (
            self.rational(Tag::GPSTimeStamp, 0)?,
            self.rational(Tag::GPSTimeStamp, 1)?,
            self.rational(Tag::GPSTimeStamp, 2)?,
        );
        let text = format!("{} {hour:02.0}:{minute:02.0}:{second:06.3}", day.trim());
        date::parse(&text).map(|(local, _)| local)
    }

    /// `24-105mm f/4` from the four numbers of LensSpecification, where no name is given.
    fn lens_from_numbers(&self) -> Option<String> {
        let at = |index| self.rational(Tag::LensSpecification, index).filter(|it| *it > 0.0);
        let (short, long, wide) = (at(0)?, at(1)?, at(2)?);
        let range = if (short - long).abs() < 0.05 {
            format!("{short:.1}mm")
        } else {
            format!("{short:.1}-{long:.1}mm")
        };
        let tele = at(3).unwrap_or(wide);
        let aperture = if (wide - tele).abs() < 0.05 {
            format!("f/{wide:.1}")
        } else {
            format!("f/{wide:.1}-{tele:.1}")
        };
        Some(format!("{range} {aperture}"))
    }

    fn xp_keywords(&self) -> Vec<String> {
        let Some(Value::Byte(bytes)) = self.field(XP_KEYWORDS).map(|it| &it.value) else {
            return Vec::new();
        };
        let units: Vec<u16> =
            bytes.chunks_exact(2).map(|it| u16::from_le_bytes([it[0], it[1]])).collect();
        String::from_utf16_lossy(&units).split([';', '\0']).filter_map(text::clean).collect()
    }

    fn canon(&self) -> Canon {
        let is_canon = self.text(Tag::Make).is_some_and(|it| it.starts_with("Canon"));
        match self.field(Tag::MakerNote).map(|it| &it.value) {
            Some(Value::Undefined(note, offset)) if is_canon => {
                let offset = usize::try_from(*offset).unwrap_or(usize::MAX);
                canon::read(self.exif.buf(), offset, note.len(), self.exif.little_endian())
            }
            _ => Canon::default(),
        }
    }

    /// What notes of other makers say of the exposure.
    fn made(&self) -> Made {
        match self.field(Tag::MakerNote).map(|it| &it.value) {
            Some(Value::Undefined(_, offset)) => {
                let at = usize::try_from(*offset).unwrap_or(usize::MAX);
                let is_little = self.exif.little_endian();
                let note = Note { block: self.exif.buf(), at, is_little };
                maker::read(&self.text(Tag::Make).unwrap_or_default(), note)
            }
            _ => Made::default(),
        }
    }

    /// Apple's maker note: `Apple iOS`, then a big-endian directory at byte 14.
    fn apple_content_id(&self) -> Option<String> {
        let Value::Undefined(note, _) = &self.field(Tag::MakerNote)?.value else {
            return None;
        };
        let note = note.as_slice();
        let body = note.strip_prefix(b"Apple iOS\0").and(note.get(14..))?;
        let word = |at: usize| Some(u16::from_be_bytes(body.get(at..at + 2)?.try_into().ok()?));
        let long = |at: usize| {
            usize::try_from(u32::from_be_bytes(body.get(at..at + 4)?.try_into().ok()?)).ok()
        };
        for i in 0..usize::from(word(0)?.min(256)) {
            let at = 2 + i * 12;
            if word(at)? == APPLE_CONTENT_ID {
                let (length, start) = (long(at + 4)?, long(at + 8)?);
                return text::from_bytes(note.get(start..start.checked_add(length)?)?);
            }
        }
        None
    }

    fn field(&self, tag: Tag) -> Option<&Field> {
        self.exif.get_field(tag, In::PRIMARY)
    }

    fn text(&self, tag: Tag) -> Option<String> {
        match &self.field(tag)?.value {
            Value::Ascii(parts) => text::from_bytes(parts.first()?),
            Value::Byte(bytes) | Value::Undefined(bytes, _) => text::from_bytes(bytes),
            _ => None,
        }
    }

    fn uint(&self, tag: Tag) -> Option<u32> {
        self.field(tag)?.value.get_uint(0)
    }

    fn positive(&self, tag: Tag) -> Option<f64> {
        self.rational(tag, 0).filter(|it| *it > 0.0)
    }

    fn rational(&self, tag: Tag, index: usize) -> Option<f64> {
        match &self.field(tag)?.value {
            Value::Rational(values) => {
                let it = values.get(index)?;
                number::quotient(f64::from(it.num), f64::from(it.denom))
            }
            Value::SRational(values) => {
                let it = values.get(index)?;
                number::quotient(f64::from(it.num), f64::from(it.denom))
            }
            Value::Float(values) => values.get(index).map(|it| f64::from(*it)),
            Value::Double(values) => values.get(index).copied(),
            other => other.get_uint(index).map(f64::from),
        }
        .filter(|it| it.is_finite())
    }

    /// Minutes and seconds that are absent are zero; those that divide by zero spoil the value.
    fn rational_or_zero(&self, tag: Tag, index: usize) -> Option<f64> {
        match &self.field(tag)?.value {
            Value::Rational(values) if values.get(index).is_none() => Some(0.0),
            Value::Rational(values) if values.get(index).is_some_and(|it| it.num == 0) => Some(0.0),
            _ => self.rational(tag, index),
        }
    }
}
