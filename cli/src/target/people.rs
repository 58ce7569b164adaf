//! People of a server without batches, and their faces.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::plain::id_of;
use crate::entry::Entry;
use crate::notes::Face;
use crate::server::{Server, Trouble};

/// A side of the picture that faces are told in, in pixels.
const SIDE_PX: f64 = 10_000.0;

/// Whom the server knows.
#[derive(Default)]
pub(super) struct People {
    /// Ids by name in small letters, of those who were asked for.
    known: Mutex<HashMap<String, String>>,
}

impl People {
    /// Draws the faces that have a place; a server without batches takes no others.
    pub(super) async fn draw(
        &self,
        server: &Server,
        entry: &Entry,
        asset_id: &str,
    ) -> Result<(), Trouble> {
        let people = entry.notes.iter().flat_map(|notes| &notes.people);
        let faces: Vec<(&str, Face)> =
            people.filter_map(|person| Some((person.name.as_str(), person.face?))).collect();
        if faces.is_empty() {
            return Ok(());
        }
        // Drawn before the import was cut off.
        let before = drawn(server, asset_id).await?;
        for (name, face) in faces {
            let folded = name.to_lowercase();
            if before.contains(&folded) {
                continue;
            }
            let person_id = self.person(server, name).await?;
            let mut wish = json!({
                "assetId": asset_id, "personId": person_id,
                "imageWidth": pixels(1.0), "imageHeight": pixels(1.0),
            });
            for (name, part) in
                [("x", face.left), ("y", face.top), ("width", face.width), ("height", face.height)]
            {
                wish[name] = json!(pixels(part));
            }
            let find = async || {
                let is_there = drawn(server, asset_id).await?.contains(&folded);
                Ok(is_there.then_some(Value::Null))
            };
            server.make("/faces", &wish, find).await?;
        }
        Ok(())
    }

    /// The id of somebody of this name; made where there is nobody.
    async fn person(&self, server: &Server, name: &str) -> Result<String, Trouble> {
        let mut known = self.known.lock().await;
        let folded = name.to_lowercase();
        if let Some(id) = known.get(&folded) {
            return Ok(id.clone());
        }
        let person = match called(server, name).await? {
            Some(person) => person,
            None => {
                let find = async || called(server, name).await;
                server.make("/people", &json!({ "name": name }), find).await?
            }
        };
        let id = id_of(&person)?;
        known.insert(folded, id.clone());
        Ok(id)
    }
}

/// Whose faces are drawn on a photo, in small letters.
async fn drawn(server: &Server, asset_id: &str) -> Result<HashSet<String>, Trouble> {
    let faces = server.get(&format!("/faces?id={asset_id}")).await?;
    let faces = faces.as_array().into_iter().flatten();
    let names = faces.filter_map(|face| Some(face["person"]["name"].as_str()?.to_lowercase()));
    Ok(names.collect())
}

/// Somebody of this name, in whichever case.
async fn called(server: &Server, name: &str) -> Result<Option<Value>, Trouble> {
    let path = format!("/search/person?withHidden=true&name={}", encoded(name));
    let (found, folded) = (server.get(&path).await?, name.to_lowercase());
    let mut found = found.as_array().into_iter().flatten();
    let same =
        found.find(|it| it["name"].as_str().is_some_and(|other| other.to_lowercase() == folded));
    Ok(same.cloned())
}

/// A text as a part of an address.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            let digit = |half: u8| char::from_digit(u32::from(half), 16);
            encoded.extend([byte >> 4, byte & 15].into_iter().filter_map(digit));
        }
    }
    encoded
}

/// A share of a side in pixels.
#[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "from 0 to 10,000")]
fn pixels(share: f64) -> i64 {
    (share * SIDE_PX).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parts_of_an_address() {
        assert_eq!(encoded("Béla & Co"), "B%c3%a9la%20%26%20Co");
        assert_eq!((pixels(0.0), pixels(0.25), pixels(1.0)), (0, 2_500, 10_000));
    }
}
