//! What Google's JSON files say.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::Album;
use crate::notes::{Notes, Person, Position, Taken};

/// People on one photo; more are not believed.
const PEOPLE_MAX: usize = 200;

/// What a JSON file is.
#[derive(Debug)]
pub(super) enum Said {
    Photo(Box<Photo>),
    /// Its name is empty where Google's program shows none.
    Album(Album),
    Nothing,
}

/// What is said of a photo or film.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Photo {
    /// The name under which it was uploaded.
    pub(super) title: String,
    pub(super) taken: Option<DateTime<Utc>>,
    pub(super) description: Option<String>,
    pub(super) position: Option<Position>,
    pub(super) people: Vec<String>,
    pub(super) is_favorite: bool,
    pub(super) is_archived: bool,
    pub(super) is_trashed: bool,
    pub(super) is_partners: bool,
}

/// Reads a JSON file.
pub(super) fn read(bytes: &[u8]) -> Said {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return Said::Nothing };
    if value["photoTakenTime"].is_object() {
        return Said::Photo(Box::new(photo(&value)));
    }
    // Older exports wrap what they say of an album.
    let album = if value["albumData"].is_object() { &value["albumData"] } else { &value };
    let is_album = album["title"].is_string()
        && ["date", "access", "description"].iter().any(|name| !album[*name].is_null());
    if !is_album {
        return Said::Nothing;
    }
    let name = text(&album["title"]).unwrap_or_default();
    Said::Album(Album::new(crate::entry::Album { name, description: text(&album["description"]) }))
}

fn photo(value: &Value) -> Photo {
    let is = |name: &str| value[name] == true;
    let people = value["people"].as_array().into_iter().flatten();
    let people = people.filter_map(|person| text(&person["name"])).take(PEOPLE_MAX);
    Photo {
        title: text(&value["title"]).unwrap_or_default(),
        taken: instant(&value["photoTakenTime"]["timestamp"]),
        description: text(&value["description"]),
        position: position(&value["geoData"]).or_else(|| position(&value["geoDataExif"])),
        people: people.collect(),
        is_favorite: is("favorited"),
        is_archived: is("archived"),
        is_trashed: is("trashed"),
        is_partners: value["googlePhotosOrigin"]["fromPartnerSharing"].is_object(),
    }
}

impl Photo {
    /// What is said of the file. Google keeps the instant and not what the clock showed: the date in the file counts,
    /// if there is one.
    pub(super) fn notes(&self) -> Notes {
        let people = self.people.iter().map(|name| Person { name: name.clone(), face: None });
        Notes {
            taken: self.taken.map(Taken::Instant),
            description: self.description.clone(),
            position: self.position,
            is_favorite: self.is_favorite,
            is_archived: self.is_archived,
            people: people.collect(),
            ..Notes::default()
        }
    }
}

fn text(value: &Value) -> Option<String> {
    let text = value.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Seconds since 1970, mostly as a text.
fn instant(value: &Value) -> Option<DateTime<Utc>> {
    let seconds = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())?;
    DateTime::from_timestamp(seconds, 0)
}

/// Zero is no place: Google writes it where it knows none.
fn position(value: &Value) -> Option<Position> {
    let (latitude, longitude) = (value["latitude"].as_f64()?, value["longitude"].as_f64()?);
    let is_place = (latitude != 0.0 || longitude != 0.0)
        && (-90.0..=90.0).contains(&latitude)
        && (-180.0..=180.0).contains(&longitude);
    is_place.then_some(Position { latitude, longitude })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_said_of_a_photo_is_read() {
        let text = r#"{"title":"a.jpg","description":" on the hill ","photoTakenTime":{"timestamp":"-500000000"},
            "geoData":{"latitude":0.0,"longitude":0.0},"geoDataExif":{"latitude":1.5,"longitude":-2.0},
            "favorited":true,"archived":true,"trashed":true,"people":[{"name":"Ada"},{"name":""},{}],
            "googlePhotosOrigin":{"fromPartnerSharing":{}}}"#;
        let Said::Photo(photo) = read(text.as_bytes()) else { panic!("no photo") };
        assert_eq!(photo.taken.unwrap().timestamp(), -500_000_000);
        assert_eq!(photo.description.as_deref(), Some("on the hill"));
        assert_eq!(photo.position, Some(Position { latitude: 1.5, longitude: -2.0 }));
        assert_eq!(photo.people, ["Ada"]);
        assert!(photo.is_favorite && photo.is_archived && photo.is_trashed && photo.is_partners);
    }

    #[test]
    fn what_is_wrong_is_left_out() {
        let text = r#"{"title":7,"photoTakenTime":{"timestamp":"soon"},"geoData":{"latitude":91,"longitude":0},
            "people":7,"favorited":"yes"}"#;
        let Said::Photo(photo) = read(text.as_bytes()) else { panic!("no photo") };
        assert_eq!(*photo, Photo::default());
        for text in ["", "[", "[]", "7", r#"{"title":"a"}"#, r#"{"set":"A"}"#] {
            assert!(matches!(read(text.as_bytes()), Said::Nothing), "{text}");
        }
    }

    #[test]
    fn albums_are_those_of_old_and_new_exports() {
        for text in [
            r#"{"title":"Trip","description":"text","access":"protected"}"#,
            r#"{"albumData":{"title":"Trip","description":"text"}}"#,
        ] {
            let Said::Album(album) = read(text.as_bytes()) else { panic!("no album: {text}") };
            assert_eq!((album.name.as_str(), album.description.as_deref()), ("Trip", Some("text")));
        }
    }
}
