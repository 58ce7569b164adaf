//! What clients say of the people on photos and of stacks, checked.

use std::collections::{BTreeSet, HashMap};

use calotype_commands::batches::{NewBatchStack, PersonOn};
use calotype_domain::batch::COMMIT_ENTRIES_MAX;
use calotype_domain::faces::{Area, PictureSize};
use calotype_domain::{PersonId, UserId};
use serde_json::{Value, json};

use super::wish::{KEY_CHARS_MAX, Said, WORDS_MAX, bad, digest, is_hex, too_many};
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// The longest name of a person, in characters.
const NAME_CHARS_MAX: usize = 255;
/// Different people that one request may name.
const NAMES_MAX: usize = 500;
/// A side of the picture that a box is measured in where its client does not say one, in pixels.
const SIDE_PX: u32 = 10_000;
/// The longest side of a picture, in pixels.
const SIDE_PX_MAX: i64 = 1 << 24;

/// Who is on a photo; each name once, unless with different faces.
pub(super) fn people(fields: &mut Fields) -> Vec<PersonOn> {
    let people = fields.objects("people", 0, person).unwrap_or_default();
    if people.len() > WORDS_MAX {
        bad(fields, "people", "Too big: expected at most 100 people");
    }
    people
}

fn person(fields: &mut Fields) -> PersonOn {
    let name = fields.required_string_of("name", 1);
    if name.chars().count() > NAME_CHARS_MAX {
        bad(fields, "name", "Too big: expected string to have <=255 characters");
    }
    let face = match fields.take("face") {
        None | Some(Value::Null) => None,
        Some(Value::Object(values)) => {
            let mut inner = Fields::object(values);
            let face = face(&mut inner);
            for mut issue in inner.issues() {
                if let Some(path) = issue.get_mut("path").and_then(Value::as_array_mut) {
                    path.insert(0, json!("face"));
                }
                fields.issue(issue);
            }
            if face.is_none() && inner.issues().is_empty() {
                bad(fields, "face", "Invalid face: expected edges in order, from 0 to 1");
            }
            face
        }
        Some(_) => {
            bad(fields, "face", "Invalid input: expected object");
            None
        }
    };
    PersonOn { name, face }
}

fn face(fields: &mut Fields) -> Option<(Area, PictureSize)> {
    let mut side = |name: &str| {
        let pixels = fields.integer(name, 1, SIDE_PX_MAX);
        pixels.and_then(|pixels| u32::try_from(pixels).ok()).unwrap_or(SIDE_PX)
    };
    let size = PictureSize { width: side("imageWidth"), height: side("imageHeight") };
    let mut edge = |name| fields.number(name, 0.0, 1.0);
    let (left, top) = (edge("left")?, edge("top")?);
    let (right, bottom) = (edge("right")?, edge("bottom")?);
    let area = Area { left, top, right, bottom };
    (area.is_valid() && fields.issues().is_empty()).then_some((area, size))
}

/// A stack that files of the batch come to.
pub(super) fn stack(fields: &mut Fields) -> NewBatchStack {
    let key = fields.required_string_of("key", 1);
    if key.chars().count() > KEY_CHARS_MAX {
        bad(fields, "key", "Too big: expected string to have <=255 characters");
    }
    let sha1s = fields.required_strings("sha1s", COMMIT_ENTRIES_MAX);
    let sha1s: Vec<String> = sha1s.into_iter().map(|sha1| sha1.to_ascii_lowercase()).collect();
    if !sha1s.iter().all(|sha1| is_hex(sha1, 40)) {
        bad(fields, "sha1s", "Invalid digest");
    }
    let primary_sha1 = fields.has("primarySha1").then(|| digest(fields, "primarySha1", 40));
    NewBatchStack { key, sha1s, primary_sha1 }
}

/// 400 where there are too many, or one stands there twice.
pub(super) fn stacks_fit(stacks: &[NewBatchStack]) -> Result<(), Problem> {
    let files: usize = stacks.iter().map(|stack| stack.sha1s.len()).sum();
    if files > COMMIT_ENTRIES_MAX {
        return Err(too_many(COMMIT_ENTRIES_MAX));
    }
    let mut once = BTreeSet::new();
    if stacks.iter().all(|stack| once.insert(stack.key.as_str())) {
        Ok(())
    } else {
        Err(Problem::bad_request("A stack stands in the request twice"))
    }
}

/// The caller's people whom files name, by name in small letters.
pub(super) async fn known_people(
    api: &Api,
    by: UserId,
    files: &[Said],
) -> Result<HashMap<String, PersonId>, Problem> {
    let people = files.iter().flat_map(|file| &file.people);
    let names: BTreeSet<&str> = people.map(|person| person.name.as_str()).collect();
    if names.len() > NAMES_MAX {
        return Err(Problem::bad_request("Too many different people in one request"));
    }
    let mut known = HashMap::new();
    for name in names {
        let folded = name.to_lowercase();
        let found = api.queries.people_by_name(by.uuid(), name, true).await?;
        let same = found.into_iter().find(|person| person.name.to_lowercase() == folded);
        if let Some(person) = same {
            known.insert(folded, PersonId::new(person.person_id));
        }
    }
    Ok(known)
}
