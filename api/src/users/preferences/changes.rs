//! Changes to preferences, checked member by member.

use axum::body::Bytes;
use calotype_domain::user::AvatarColor;
use serde_json::{Map, Value, json};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::problem::Problem;
use crate::users::avatar;
use crate::validate::{Fields, not_an_option, wrong_type};

/// What a member may hold.
#[derive(Clone, Copy)]
enum Kind {
    Boolean,
    /// A whole number from 1 on.
    Count,
    Order,
    Text,
}

/// Every section and its members, in the order in which Immich checks them.
const SECTIONS: [(&str, &[(&str, Kind)]); 12] = [
    ("albums", &[("defaultAssetOrder", Kind::Order)]),
    ("folders", &[("enabled", Kind::Boolean), ("sidebarWeb", Kind::Boolean)]),
    ("memories", &[("enabled", Kind::Boolean), ("duration", Kind::Count)]),
    (
        "people",
        &[("enabled", Kind::Boolean), ("sidebarWeb", Kind::Boolean), ("minimumFaces", Kind::Count)],
    ),
    ("ratings", &[("enabled", Kind::Boolean)]),
    ("sharedLinks", &[("enabled", Kind::Boolean), ("sidebarWeb", Kind::Boolean)]),
    ("tags", &[("enabled", Kind::Boolean), ("sidebarWeb", Kind::Boolean)]),
    (
        "emailNotifications",
        &[
            ("enabled", Kind::Boolean),
            ("albumInvite", Kind::Boolean),
            ("albumUpdate", Kind::Boolean),
        ],
    ),
    ("download", &[("archiveSize", Kind::Count), ("includeEmbeddedVideos", Kind::Boolean)]),
    ("purchase", &[("showSupportBadge", Kind::Boolean), ("hideBuyButtonUntil", Kind::Text)]),
    ("cast", &[("gCastEnabled", Kind::Boolean)]),
    ("recentlyAdded", &[("sidebarWeb", Kind::Boolean)]),
];

/// The sections of the preferences, each with the members to change.
pub(crate) struct UserPreferencesUpdateDto;

impl PartialSchema for UserPreferencesUpdateDto {
    fn schema() -> RefOr<Schema> {
        let sections = SECTIONS.iter().map(|(name, _)| *name).chain([AVATAR]);
        let object = sections
            .fold(ObjectBuilder::new().schema_type(Type::Object), |object, name| {
                object.property(name, Ref::from_schema_name(component(name)))
            });
        RefOr::T(object.build().into())
    }
}

impl ToSchema for UserPreferencesUpdateDto {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        let text = ObjectBuilder::new().schema_type(Type::String).build();
        let avatar = ObjectBuilder::new().schema_type(Type::Object).property("color", text).build();
        schemas.push((component(AVATAR), RefOr::T(avatar.into())));
        for (name, members) in SECTIONS {
            let object = members.iter().fold(
                ObjectBuilder::new().schema_type(Type::Object),
                |object, (name, kind)| {
                    let kind = match kind {
                        Kind::Boolean => Type::Boolean,
                        Kind::Count => Type::Integer,
                        Kind::Order | Kind::Text => Type::String,
                    };
                    object.property(*name, ObjectBuilder::new().schema_type(kind).build())
                },
            );
            schemas.push((component(name), RefOr::T(object.build().into())));
        }
    }
}

/// The largest whole number that JavaScript can tell from its neighbours.
const COUNT_MAX: i64 = (1 << 53) - 1;
/// The section that belongs to the account itself.
const AVATAR: &str = "avatar";

/// `albums` to `AlbumsUpdate`.
fn component(section: &str) -> String {
    let (first, rest) = section.split_at(1);
    format!("{}{rest}Update", first.to_uppercase())
}

/// Changes that fit.
#[derive(Debug)]
pub(crate) struct Changes {
    /// The members to lay over the document.
    pub(super) document: Value,
    /// A new colour of the avatar, which belongs to the account.
    pub(super) avatar_color: Option<AvatarColor>,
}

impl Changes {
    /// Reads a body; unknown sections and members are ignored.
    ///
    /// # Errors
    /// 400 with every issue.
    pub(crate) fn parse(body: &Bytes) -> Result<Self, Problem> {
        let mut fields = Fields::json(body)?;
        let mut document = Map::new();
        for (section, members) in SECTIONS {
            let Some(found) = object(&mut fields, section) else { continue };
            let mut kept = Map::new();
            for (member, kind) in members {
                let Some(value) = found.get(*member) else { continue };
                match issue(*kind, value, &[section, member]) {
                    Some(issue) => fields.issue(issue),
                    None => {
                        kept.insert((*member).to_owned(), value.clone());
                    }
                }
            }
            if !kept.is_empty() {
                document.insert(section.to_owned(), Value::Object(kept));
            }
        }
        let avatar_color = color(&mut fields);
        fields.finish()?;
        Ok(Self { document: Value::Object(document), avatar_color })
    }
}

fn object(fields: &mut Fields, section: &str) -> Option<Map<String, Value>> {
    match fields.take(section)? {
        Value::Object(found) => Some(found),
        other => {
            fields.issue(wrong_type("object", Some(&other), &[section]));
            None
        }
    }
}

fn color(fields: &mut Fields) -> Option<AvatarColor> {
    let wish = object(fields, "avatar")?.remove("color")?;
    let color = wish.as_str().and_then(avatar::of_word);
    if color.is_none() {
        fields.issue(avatar::not_a_color(&["avatar", "color"]));
    }
    color
}

fn issue(kind: Kind, value: &Value, path: &[&str]) -> Option<Value> {
    match kind {
        Kind::Boolean if value.is_boolean() => None,
        Kind::Boolean => Some(wrong_type("boolean", Some(value), path)),
        Kind::Text if value.is_string() => None,
        Kind::Text => Some(wrong_type("string", Some(value), path)),
        Kind::Order if matches!(value.as_str(), Some("asc" | "desc")) => None,
        Kind::Order => Some(not_an_option(&["asc", "desc"], path)),
        Kind::Count => match value.as_i64() {
            Some(1..=COUNT_MAX) => None,
            Some(1..) => Some(json!({
                "origin": "number", "code": "too_big", "maximum": COUNT_MAX, "inclusive": true,
                "path": path, "message": format!("Too big: expected number to be <={COUNT_MAX}")
            })),
            Some(_) => Some(json!({
                "origin": "number", "code": "too_small", "minimum": 1, "inclusive": true,
                "path": path, "message": "Too small: expected number to be >=1"
            })),
            None if value.is_number() => Some(json!({
                "expected": "int", "format": "safeint", "code": "invalid_type",
                "path": path, "message": "Invalid input: expected int, received number"
            })),
            None => Some(wrong_type("number", Some(value), path)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &'static str) -> Result<Changes, Problem> {
        Changes::parse(&Bytes::from_static(body.as_bytes()))
    }

    #[test]
    fn only_known_members_are_kept() {
        let changes =
            parse(r#"{"memories":{"enabled":false,"x":1},"theme":{"dark":true}}"#).unwrap();
        assert_eq!(changes.document, json!({ "memories": { "enabled": false } }));
    }

    #[test]
    fn colour_goes_to_the_account() {
        let changes = parse(r#"{"avatar":{"color":"blue"}}"#).unwrap();
        assert_eq!(changes.avatar_color, Some(AvatarColor::Blue));
        assert_eq!(changes.document, json!({}));
    }

    #[test]
    fn wrong_members_are_refused() {
        for body in [
            r#"{"memories":true}"#,
            r#"{"memories":{"duration":0}}"#,
            r#"{"download":{"archiveSize":1.5}}"#,
            r#"{"albums":{"defaultAssetOrder":"up"}}"#,
            r#"{"avatar":{"color":"mauve"}}"#,
        ] {
            assert!(parse(body).is_err(), "{body}");
        }
    }
}
