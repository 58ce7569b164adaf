//! What a client may say about a person, checked as Immich's schema checks it.

use calotype_domain::person::PersonDetails;
use chrono::{Datelike as _, NaiveDate};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::validate::{Fields, YEARS, wrong_type};

/// The pattern Zod 4 names for a colour.
const COLOR_PATTERN: &str = "/^#?([0-9A-Fa-f]{3}|[0-9A-Fa-f]{4}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})$/";

/// What changes about a person, and on which photo the face is that should stand for them.
#[derive(Debug, Default)]
pub(super) struct Wish {
    pub(super) details: PersonDetails,
    pub(super) feature_asset_id: Option<Uuid>,
}

/// The fields of a change, in the order of Immich's schema. `today` is the day in UTC.
pub(super) fn wish(fields: &mut Fields, today: NaiveDate) -> Wish {
    let details = details(fields, today);
    Wish { details, feature_asset_id: fields.uuid("featureFaceAssetId") }
}

/// The fields of a new person.
pub(super) fn details(fields: &mut Fields, today: NaiveDate) -> PersonDetails {
    PersonDetails {
        name: fields.string("name"),
        birth_date: birth_date(fields, today),
        hidden: fields.boolean("isHidden"),
        favorite: fields.boolean("isFavorite"),
        color: color(fields),
    }
}

/// A nullable text, when it is there; an empty one counts as `null`.
fn nullable(fields: &mut Fields, name: &str) -> Option<Option<String>> {
    if fields.is_null(name) {
        return Some(None);
    }
    fields.string(name).map(|text| Some(text).filter(|text| !text.is_empty()))
}

fn birth_date(fields: &mut Fields, today: NaiveDate) -> Option<Option<NaiveDate>> {
    const NAME: &str = "birthDate";
    let Some(text) = nullable(fields, NAME)? else { return Some(None) };
    let parsed = text.parse::<NaiveDate>().ok().filter(|date| YEARS.contains(&date.year()));
    let Some(date) = parsed.filter(|_| text.len() == 10) else {
        fields.issue(json!({
            "origin": "string", "code": "invalid_format", "format": "date",
            "path": [NAME], "message": "Invalid ISO date"
        }));
        return None;
    };
    if date > today {
        fields.issue(json!({
            "code": "custom", "path": [NAME], "message": "Birth date cannot be in the future"
        }));
        return None;
    }
    Some(Some(date))
}

fn color(fields: &mut Fields) -> Option<Option<String>> {
    const NAME: &str = "color";
    let Some(text) = nullable(fields, NAME)? else { return Some(None) };
    let digits = text.strip_prefix('#').unwrap_or(&text);
    let is_color = matches!(digits.len(), 3 | 4 | 6 | 8)
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_color {
        fields.issue(json!({
            "origin": "string", "code": "invalid_format", "format": "regex",
            "pattern": COLOR_PATTERN, "path": [NAME],
            "message": format!("Invalid string: must match pattern {COLOR_PATTERN}")
        }));
        return None;
    }
    Some(Some(text))
}

/// The objects of a list that must be there; what is wrong inside one is said with its place.
pub(super) fn objects<T>(
    fields: &mut Fields,
    name: &'static str,
    mut read: impl FnMut(&mut Fields) -> T,
) -> Vec<T> {
    let values = match fields.take(name) {
        Some(Value::Array(values)) => values,
        other => {
            fields.issue(wrong_type("array", other.as_ref(), &[name]));
            return Vec::new();
        }
    };
    let mut all = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        let mut issues = match value {
            Value::Object(object) => {
                let mut inner = Fields::object(object);
                all.push(read(&mut inner));
                inner.into_issues()
            }
            other => vec![wrong_type("object", Some(&other), &[])],
        };
        for issue in &mut issues {
            let inner = issue["path"].as_array().cloned().unwrap_or_default();
            let path = [json!(name), json!(index)].into_iter().chain(inner).collect();
            issue["path"] = Value::Array(path);
        }
        issues.into_iter().for_each(|issue| fields.issue(issue));
    }
    all
}

/// A UUID that must be there; nil when it is not, with an issue.
pub(crate) fn required_uuid(fields: &mut Fields, name: &str) -> Uuid {
    if !fields.has(name) {
        fields.missing("string", name);
    }
    fields.uuid(name).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::*;

    fn read(body: &'static str) -> (Wish, Vec<Value>) {
        let mut fields = Fields::json(&Bytes::from_static(body.as_bytes())).unwrap();
        let wish = wish(&mut fields, "2026-11-22".parse().unwrap());
        (wish, fields.into_issues())
    }

    #[test]
    fn nobody_is_born_tomorrow() {
        let born = |body| read(body).0.details.birth_date;
        assert_eq!(born(r#"{"birthDate":"2026-11-22"}"#), Some("2026-11-22".parse().ok()));
        assert_eq!(born(r#"{"birthDate":null}"#), Some(None));
        assert_eq!(born(r#"{"birthDate":""}"#), Some(None));
        assert_eq!(born("{}"), None);
        let issues = read(r#"{"birthDate":"2026-11-23"}"#).1;
        assert_eq!(issues[0]["message"], "Birth date cannot be in the future");
        assert_eq!(read(r#"{"birthDate":"1.5.1990"}"#).1[0]["message"], "Invalid ISO date");
        assert_eq!(read(r#"{"birthDate":false}"#).1[0]["code"], "invalid_type");
    }

    #[test]
    fn colour_has_three_four_six_or_eight_digits() {
        let color = |body| read(body).0.details.color;
        assert_eq!(color(r##"{"color":"#1a2B3c"}"##), Some(Some("#1a2B3c".into())));
        assert_eq!(color(r#"{"color":"fff"}"#), Some(Some("fff".into())));
        assert_eq!(color(r#"{"color":null}"#), Some(None));
        assert_eq!(read(r##"{"color":"#12345"}"##).1[0]["format"], "regex");
    }

    #[test]
    fn what_is_wrong_inside_a_list_is_said_with_its_place() {
        let body = Bytes::from_static(br#"{"people":[{},{"name":1},7]}"#);
        let mut fields = Fields::json(&body).unwrap();
        let names = objects(&mut fields, "people", |inner| inner.string("name"));
        assert_eq!(names.len(), 2);
        let paths: Vec<Value> =
            fields.into_issues().into_iter().map(|issue| issue["path"].clone()).collect();
        assert_eq!(paths, [json!(["people", 1, "name"]), json!(["people", 2])]);
    }
}
