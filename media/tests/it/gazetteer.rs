//! Places: a small world is written as its sources tell it, and asked.

use std::path::Path;

use calotype_media::gazetteer::build::{Built, Named, Sources, build};
use calotype_media::gazetteer::{Gazetteer, GazetteerError, Located};

/// A country of one degree by one, with a hole in it, and its name in a table.
fn square(folder: &Path) -> std::io::Result<()> {
    let ring = |west: f64, size: f64| {
        let east = west + size;
        [(west, 10.0), (west, 10.0 + size), (east, 10.0 + size), (east, 10.0), (west, 10.0)]
    };
    let corners: Vec<(f64, f64)> = [ring(20.0, 1.0), ring(20.0, 0.2)].concat();
    let mut body = 5_u32.to_le_bytes().to_vec();
    body.extend([0; 32]);
    for number in [2_u32, 10, 0, 5] {
        body.extend(number.to_le_bytes());
    }
    for (x, y) in corners {
        body.extend(x.to_le_bytes());
        body.extend(y.to_le_bytes());
    }
    let mut shapes = vec![0; 100];
    shapes.extend(1_u32.to_be_bytes());
    shapes.extend(u32::try_from(body.len() / 2).unwrap().to_be_bytes());
    shapes.extend(body);
    std::fs::write(folder.join("countries.shp"), shapes)?;

    let field = |name: &str, length: u8| {
        let mut field = [0; 32];
        field[..name.len()].copy_from_slice(name.as_bytes());
        field[16] = length;
        field
    };
    let mut table = vec![0; 32];
    table[4] = 1;
    table[8] = 32 * 3 + 1;
    table[10] = 1 + 9 + 8;
    table.extend(field("NAME_LONG", 9));
    table.extend(field("ISO_A2_EH", 8));
    table.push(b'\r');
    table.extend(b" Algeria\0\0DZ      ");
    std::fs::write(folder.join("countries.dbf"), table)
}

fn world(folder: &Path) -> std::io::Result<Sources> {
    let lines = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        std::fs::write(path, text)
    };
    lines(
        "cities/cities.tsv",
        "Paris\t1\t1|2\t1\t2138551\t48.85341\t2.3488\n\
         Paris\t2\t3\t2\t25171\t33.66094\t-95.55551\n\
         Le Touquet-Paris-Plage\t3\t\t1\t5355\t50.52432\t1.58571\n\
         Comparis\t4\t\t1\t900\t50.0\t1.0\n\
         Waiyevo\t5\t\t\t0\t-16.79\t-179.98\n",
    )?;
    lines(
        "subdivisions/subdivisions.tsv",
        "Île-de-France\tFR-IDF\tFR.11\t1\t\t\t1\t\t1\n\
         Paris\t\tFR.11.75\t2\t\t\t2\t1\t1\n\
         Texas\tUS-TX\tUS.TX\t3\t\t\t1\t\t2\n",
    )?;
    lines("countries/countries.tsv", "France\tFR\tFRA\nUnited States\tUS\tUSA\n")?;
    lines("zones.json", r#"{"1": {"geonameid": 1, "timezone": "Europe/Paris", "name": "Paris"}}"#)?;
    square(folder)?;
    Ok(Sources {
        places: folder.to_owned(),
        zones: folder.join("zones.json"),
        countries: folder.join("countries.shp"),
    })
}

fn opened() -> (tempfile::TempDir, Gazetteer) {
    let folder = tempfile::tempdir().unwrap();
    let sources = world(folder.path()).unwrap();
    let file = folder.path().join("places.bin");
    let named = Named { dataset: "world".into(), version: "1".into() };
    assert_eq!(build(&sources, &named, &file).unwrap(), Built { places: 5, rings: 2 });
    let gazetteer = Gazetteer::open(&file).unwrap();
    (folder, gazetteer)
}

fn located(city: Option<&str>, state: Option<&str>, country: Option<&str>) -> Located {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Located { city: owned(city), state: owned(state), country: owned(country) }
}

#[test]
fn nearest_city_names_a_position() {
    let (_folder, gazetteer) = opened();
    let paris = located(Some("Paris"), Some("Île-de-France"), Some("France"));
    assert_eq!(gazetteer.locate(48.8566, 2.3522).unwrap(), paris);
    let texas = located(Some("Paris"), Some("Texas"), Some("United States of America"));
    assert_eq!(gazetteer.locate(33.7, -95.6).unwrap(), texas);
    assert_eq!((gazetteer.dataset(), gazetteer.version()), ("world", "1"));
}

#[test]
fn city_beyond_the_edge_of_the_map_is_near() {
    let (_folder, gazetteer) = opened();
    let island = located(Some("Waiyevo"), None, None);
    assert_eq!(gazetteer.locate(-16.8, 179.95).unwrap(), island);
}

#[test]
fn far_from_cities_the_land_tells_the_country() {
    let (_folder, gazetteer) = opened();
    let algeria = located(None, None, Some("Algeria"));
    assert_eq!(gazetteer.locate(10.5, 20.5).unwrap(), algeria);
    assert_eq!(gazetteer.locate(10.1, 20.1).unwrap(), located(None, None, None), "in the hole");
    assert_eq!(gazetteer.locate(0.0, -150.0).unwrap(), located(None, None, None), "at sea");
    assert_eq!(gazetteer.locate(90.0, 180.0).unwrap(), located(None, None, None), "at the pole");
}

#[test]
fn clocks_are_those_of_the_nearest_city() {
    let (_folder, gazetteer) = opened();
    let zone = gazetteer.zone_at(47.9, 2.3488).unwrap();
    assert_eq!(zone.map(|zone| zone.name()), Some("Europe/Paris"));
    assert_eq!(gazetteer.zone_at(20.0, 20.0).unwrap(), None);
}

#[test]
fn whole_names_come_before_parts_and_large_cities_before_small_ones() {
    let (_folder, gazetteer) = opened();
    let names = |wanted: &str| -> Vec<(String, Option<String>)> {
        let found = gazetteer.find(wanted, 20).unwrap();
        found.into_iter().map(|place| (place.name, place.admin1)).collect()
    };
    let found = names(" PÁRIS ");
    assert_eq!(found[0], ("Paris".to_owned(), Some("Île-de-France".to_owned())));
    assert_eq!(found[1], ("Paris".to_owned(), Some("Texas".to_owned())));
    assert_eq!(found[2].0, "Le Touquet-Paris-Plage");
    assert_eq!(found[3].0, "Comparis");
    assert_eq!(names(""), vec![]);
    assert_eq!(names("nowhere"), vec![]);
}

#[test]
fn damaged_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("places.bin");
    std::fs::write(&file, b"something else altogether").unwrap();
    let error = Gazetteer::open(&file).unwrap_err();
    assert!(matches!(error, GazetteerError::Damaged { .. }), "{error}");
}
