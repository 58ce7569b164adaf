//! Writes the file of places: sorted, indexed, and put in place whole.

use std::io::Write as _;
use std::path::Path;

use super::super::error::GazetteerError;
use super::super::fold::fold;
use super::super::format::{COLUMNS, Header, MAGIC, Place, ROWS, Span, column, degrees, row};
use super::cities::{Cities, City, read_cities};
use super::shapes::{Shapes, read_shapes};
use super::{Built, Named, Sources};

/// Makes the file of places at `to`; a file that was there is replaced only when all went well.
///
/// # Errors
/// [`GazetteerError::Io`] and [`GazetteerError::Source`].
pub fn build(sources: &Sources, named: &Named, to: &Path) -> Result<Built, GazetteerError> {
    let mut all = read_cities(sources)?;
    let shapes = read_shapes(&sources.countries, &mut all.countries)?;
    let built = Built { places: all.cities.len(), rings: shapes.rings.len() };
    let (header, body) = compose(all, &shapes, named);
    let io = |source| GazetteerError::Io { path: to.to_owned(), source };
    let folder = to.parent().unwrap_or_else(|| Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(io)?;
    let header = serde_json::to_vec(&header).map_err(|error| io(error.into()))?;
    let length = u32::try_from(header.len()).unwrap_or(u32::MAX);
    file.write_all(MAGIC).map_err(io)?;
    file.write_all(&length.to_le_bytes()).map_err(io)?;
    file.write_all(&header).map_err(io)?;
    file.write_all(&body).map_err(io)?;
    file.as_file().sync_all().map_err(io)?;
    // The server may run as another user than the one who makes the file.
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    file.as_file().set_permissions(readable).map_err(io)?;
    file.persist(to).map_err(|error| io(error.error))?;
    Ok(built)
}

fn compose(mut all: Cities, shapes: &Shapes, named: &Named) -> (Header, Vec<u8>) {
    all.cities.sort_by(|one, other| {
        (cell(one), &one.name, one.latitude).cmp(&(cell(other), &other.name, other.latitude))
    });
    let mut sections = Sections::default();
    let cells = sections.add(&index(&all.cities));
    let (mut places, mut names, mut folded) = (Vec::new(), Vec::new(), Vec::new());
    for city in &all.cities {
        let place = Place {
            latitude: city.latitude,
            longitude: city.longitude,
            population: city.population,
            name_offset: u32::try_from(names.len()).unwrap_or(u32::MAX),
            name_bytes: u16::try_from(city.name.len()).unwrap_or(u16::MAX),
            admin1: city.admin1,
            admin2: city.admin2,
            country: city.country,
            zone: city.zone,
        };
        places.extend_from_slice(&place.to_bytes());
        names.extend_from_slice(city.name.as_bytes());
        folded.extend_from_slice(fold(&city.name).as_bytes());
        folded.push(b'\n');
    }
    let (mut regions, mut region_names) = (Vec::new(), Vec::new());
    for region in &all.regions {
        region_names.extend_from_slice(region.as_bytes());
        let end = u32::try_from(region_names.len()).unwrap_or(u32::MAX);
        regions.extend_from_slice(&end.to_le_bytes());
    }
    let rings: Vec<u8> = shapes.rings.iter().flat_map(|ring| ring.to_bytes()).collect();
    let corner = |(x, y): &(i32, i32)| [x.to_le_bytes(), y.to_le_bytes()].concat();
    let corners: Vec<u8> = shapes.corners.iter().flat_map(corner).collect();
    let header = Header {
        dataset: named.dataset.clone(),
        version: named.version.clone(),
        countries: all.countries.names,
        zones: all.zones,
        cells,
        places: sections.add(&places),
        names: sections.add(&names),
        folded: sections.add(&folded),
        regions: sections.add(&regions),
        region_names: sections.add(&region_names),
        rings: sections.add(&rings),
        corners: sections.add(&corners),
    };
    (header, sections.bytes)
}

fn cell(city: &City) -> usize {
    row(degrees(city.latitude)) * COLUMNS + column(degrees(city.longitude))
}

/// For each cell the number of its first city, and the number of all at the end.
fn index(cities: &[City]) -> Vec<u8> {
    let mut index = Vec::with_capacity((ROWS * COLUMNS + 1) * 4);
    let mut first: u32 = 0;
    let mut rest = cities.iter().map(cell).peekable();
    for number in 0..=ROWS * COLUMNS {
        index.extend_from_slice(&first.to_le_bytes());
        while rest.next_if_eq(&number).is_some() {
            first += 1;
        }
    }
    index
}

#[derive(Default)]
struct Sections {
    bytes: Vec<u8>,
}

impl Sections {
    fn add(&mut self, section: &[u8]) -> Span {
        let length = |bytes: &[u8]| u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let span = Span { offset: length(&self.bytes), bytes: length(section) };
        self.bytes.extend_from_slice(section);
        span
    }
}
