//! Reads an ESRI shapefile of polygons and the table beside it, as far as Natural Earth needs it.
//! (ESRI Shapefile Technical Description, July 1998; dBASE III.)

use std::path::Path;

use super::super::error::GazetteerError;
use super::super::format::{Ring, steps};
use super::cities::Countries;
use super::{read, source};

/// Where the first record begins.
const HEADER_BYTES: usize = 100;
/// The shape type of polygons.
const POLYGON: u32 = 5;

/// The bounds of all countries.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    pub(super) rings: Vec<Ring>,
    /// Longitude and latitude in steps.
    pub(super) corners: Vec<(i32, i32)>,
}

/// Reads the bounds of all countries of a shapefile.
pub(super) fn read_shapes(
    path: &Path,
    countries: &mut Countries,
) -> Result<Shapes, GazetteerError> {
    let names = names(&path.with_extension("dbf"))?;
    let bytes = read(path)?;
    let mut shapes = Shapes::default();
    let mut at = HEADER_BYTES;
    for (record, (letters, name)) in (1..).zip(&names) {
        let bad = || source(path, record, "the record is cut off");
        // A length is told in words of two bytes.
        let words = big(&bytes, at + 4).ok_or_else(bad)?;
        let body = bytes.get(at + 8..at + 8 + 2 * words).ok_or_else(bad)?;
        at += 8 + 2 * words;
        if little(body, 0) == Some(POLYGON) {
            let country = countries.number(letters, name);
            polygon(body, country, &mut shapes).ok_or_else(bad)?;
        }
    }
    Ok(shapes)
}

fn polygon(body: &[u8], country: u16, shapes: &mut Shapes) -> Option<()> {
    let parts = usize::try_from(little(body, 36)?).ok()?;
    let points = usize::try_from(little(body, 40)?).ok()?;
    let first = |part| usize::try_from(little(body, 44 + 4 * part)?).ok();
    let base = 44 + 4 * parts;
    for part in 0..parts {
        let end = if part + 1 < parts { first(part + 1)? } else { points };
        let begins = shapes.corners.len();
        for point in first(part)?..end {
            let at = base + 16 * point;
            shapes.corners.push((steps(double(body, at)?), steps(double(body, at + 8)?)));
        }
        let ring = shapes.corners.get(begins..)?;
        shapes.rings.push(Ring {
            west: ring.iter().map(|corner| corner.0).min()?,
            south: ring.iter().map(|corner| corner.1).min()?,
            east: ring.iter().map(|corner| corner.0).max()?,
            north: ring.iter().map(|corner| corner.1).max()?,
            first: u32::try_from(begins).ok()?,
            corners: u32::try_from(ring.len()).ok()?,
            country,
        });
    }
    Some(())
}

/// Two letters and name of each country, in the order of the shapes.
fn names(path: &Path) -> Result<Vec<(String, String)>, GazetteerError> {
    let bytes = read(path)?;
    table(&bytes).ok_or_else(|| source(path, 1, "the columns ISO_A2_EH and NAME_LONG are wanted"))
}

fn table(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let count = usize::try_from(little(bytes, 4)?).ok()?;
    let head = usize::from(u16::from_le_bytes(bytes.get(8..10)?.try_into().ok()?));
    let width = usize::from(u16::from_le_bytes(bytes.get(10..12)?.try_into().ok()?));
    let (mut at, mut offset) = (32, 1);
    let (mut letters, mut long_name) = (None, None);
    while *bytes.get(at)? != b'\r' {
        let field = bytes.get(at..at + 32)?;
        let name = field.get(..11)?.split(|byte| *byte == 0).next()?;
        let length = usize::from(*field.get(16)?);
        match name {
            b"ISO_A2_EH" => letters = Some(offset..offset + length),
            b"NAME_LONG" => long_name = Some(offset..offset + length),
            _ => {}
        }
        offset += length;
        at += 32;
    }
    let (letters, long_name) = (letters?, long_name?);
    (0..count)
        .map(|row| {
            let row = bytes.get(head + row * width..head + (row + 1) * width)?;
            let cell = |range: &std::ops::Range<usize>| {
                let text = String::from_utf8_lossy(row.get(range.clone())?);
                Some(text.trim_matches([' ', '\0']).to_owned())
            };
            Some((cell(&letters)?, cell(&long_name)?))
        })
        .collect()
}

fn big(bytes: &[u8], at: usize) -> Option<usize> {
    let value = u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?);
    usize::try_from(value).ok()
}

fn little(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn double(bytes: &[u8], at: usize) -> Option<f64> {
    Some(f64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
