//! What a source says of a file, over what the file says itself.

use chrono::{DateTime, FixedOffset, NaiveDateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

/// When something was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// With the offset of the clock there; counts over the date in the file.
    Stated(DateTime<FixedOffset>),
    /// What the clock there showed, with no word of where; counts over the date in the file.
    WallClock(NaiveDateTime),
    /// An instant of which nobody knows what the clock there showed; counts where the file names no date.
    Instant(DateTime<Utc>),
}

/// A place on earth, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Position {
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
}

/// Somebody on a picture.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Person {
    pub(crate) name: String,
    /// Where the face is, if anybody said that.
    pub(crate) face: Option<Face>,
}

/// Where a face is on the upright picture: shares of its width and height, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Face {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// The stack that a file is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StackPlace {
    /// The same for all files of a stack, and for no others.
    pub(crate) key: String,
    /// Whether it lies on top.
    pub(crate) is_primary: bool,
}

/// What a source says of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Notes {
    pub(crate) taken: Option<Taken>,
    /// From where the date comes, when it is none that the source states.
    pub(crate) date_guess: Option<&'static str>,
    pub(crate) description: Option<String>,
    /// 1 to 5, and -1 for a rejected one.
    pub(crate) rating: Option<i8>,
    pub(crate) position: Option<Position>,
    pub(crate) is_favorite: bool,
    pub(crate) is_archived: bool,
    /// Paths, `Travel/Rhône`.
    pub(crate) tags: Vec<String>,
    pub(crate) people: Vec<Person>,
    pub(crate) stack: Option<StackPlace>,
}

impl Notes {
    /// Takes in what is said of another file of the same bytes. Says in which points they disagree; there the first
    /// one counts.
    pub(crate) fn fill(&mut self, other: Self) -> Vec<&'static str> {
        let mut conflicts = Vec::new();
        let is_guess = self.date_guess.is_some() && other.date_guess.is_none();
        if is_guess && other.taken.is_some() {
            (self.taken, self.date_guess) = (other.taken, None);
        } else if first(&mut self.taken, other.taken) && other.date_guess.is_none() {
            conflicts.push("date");
        }
        if first(&mut self.description, other.description) {
            conflicts.push("description");
        }
        if first(&mut self.rating, other.rating) {
            conflicts.push("rating");
        }
        if first(&mut self.position, other.position) {
            conflicts.push("position");
        }
        if first(&mut self.stack, other.stack) {
            conflicts.push("stack");
        }
        self.is_favorite |= other.is_favorite;
        self.is_archived |= other.is_archived;
        for tag in other.tags {
            if !self.tags.contains(&tag) {
                self.tags.push(tag);
            }
        }
        for person in other.people {
            if !self.people.iter().any(|it| it.name == person.name) {
                self.people.push(person);
            }
        }
        conflicts
    }

    /// Puts what the batch takes into what is said of a file there. Tags are put in by the caller.
    pub(crate) fn put_into(&self, said: &mut Value) {
        match self.taken {
            Some(Taken::Stated(at)) => {
                said["dateTimeOriginal"] = json!(at.to_rfc3339_opts(SecondsFormat::Millis, true));
            }
            Some(Taken::WallClock(at)) => {
                said["dateTimeOriginal"] = json!(at.format("%Y-%m-%dT%H:%M:%S%.3f").to_string());
            }
            Some(Taken::Instant(at)) => {
                said["fileCreatedAt"] = json!(at.to_rfc3339_opts(SecondsFormat::Millis, true));
            }
            None => {}
        }
        if let Some(description) = &self.description {
            said["description"] = json!(description);
        }
        if let Some(rating) = self.rating {
            said["rating"] = json!(rating);
        }
        if let Some(Position { latitude, longitude }) = self.position {
            said["latitude"] = json!(latitude);
            said["longitude"] = json!(longitude);
        }
        if self.is_favorite {
            said["isFavorite"] = json!(true);
        }
        if self.is_archived {
            said["visibility"] = json!("archive");
        }
    }
}

/// Takes the other where there is none; says whether they disagree.
fn first<T: PartialEq>(mine: &mut Option<T>, other: Option<T>) -> bool {
    match (&*mine, other) {
        (None, other) => {
            *mine = other;
            false
        }
        (Some(_), None) => false,
        (Some(one), Some(other)) => *one != other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_of_equal_files_are_put_together_and_conflicts_told() {
        let mut one = Notes { rating: Some(3), tags: vec!["a".into()], ..Notes::default() };
        let other = Notes {
            rating: Some(4),
            description: Some("text".into()),
            is_favorite: true,
            tags: vec!["a".into(), "b".into()],
            ..Notes::default()
        };
        assert_eq!(one.fill(other), ["rating"]);
        assert_eq!((one.rating, one.description.as_deref()), (Some(3), Some("text")));
        assert!(one.is_favorite);
        assert_eq!(one.tags, ["a", "b"]);
    }

    #[test]
    fn date_that_is_stated_counts_over_one_that_is_guessed() {
        let at = |seconds| Some(Taken::Instant(DateTime::from_timestamp(seconds, 0).unwrap()));
        let guess = Notes { taken: at(1), date_guess: Some("its name"), ..Notes::default() };
        let stated = Notes { taken: at(2), ..Notes::default() };
        let (mut one, mut other) = (guess.clone(), stated.clone());
        assert!(one.fill(stated.clone()).is_empty() && other.fill(guess).is_empty());
        assert_eq!((&one, &other), (&stated, &stated));
    }

    #[test]
    fn only_what_is_known_is_said() {
        let mut said = json!({ "fileCreatedAt": "x" });
        Notes::default().put_into(&mut said);
        assert_eq!(said, json!({ "fileCreatedAt": "x" }));
        let at = DateTime::parse_from_rfc3339("2020-01-02T03:04:05+05:45").unwrap();
        let notes = Notes {
            taken: Some(Taken::Stated(at)),
            position: Some(Position { latitude: 1.0, longitude: 2.0 }),
            is_archived: true,
            ..Notes::default()
        };
        notes.put_into(&mut said);
        assert_eq!(said["dateTimeOriginal"], "2020-01-02T03:04:05.000+05:45");
        assert_eq!((&said["latitude"], &said["visibility"]), (&json!(1.0), &json!("archive")));
    }
}
