//! Checks a whole group of settings, with the issues worded as Zod words them.

use calotype_domain::config::shape::{Group, Kind, is_cron, is_time, is_url};
use serde_json::{Map, Value, json};

use crate::validate::{not_an_option, wrong_type};

/// Hours and minutes.
pub(super) const TIME_PATTERN: &str = r"^(?:[01]\d|2[0-3]):[0-5]\d$";

/// The settings of a group that were given, without what is none; issues are added to the list.
pub(crate) fn check(
    group: &'static Group,
    given: Option<&Value>,
    path: &[Value],
    issues: &mut Vec<Value>,
) -> Value {
    let Some(Value::Object(members)) = given else {
        issues.push(at(path, wrong_type("object", given, &[])));
        return Value::Null;
    };
    let mut checked = Map::new();
    for field in group.fields {
        let mut path = path.to_vec();
        path.push(json!(field.name));
        let value = members.get(field.name);
        let value = match (&field.kind, value) {
            (Kind::Group(inner), value) => check(inner, value, &path, issues),
            (kind, None) if !field.is_required => kind.default_value(),
            (kind, value) => {
                if let Some(found) = issue(kind, value) {
                    issues.extend(found.into_iter().map(|(inner, issue)| {
                        let mut path = path.clone();
                        path.extend(inner.map(|index| json!(index)));
                        at(&path, issue)
                    }));
                }
                value.cloned().unwrap_or_default()
            }
        };
        checked.insert(field.name.to_owned(), value);
    }
    Value::Object(checked)
}

/// What is wrong with a value, each with the place in a list where it is; `None` when nothing is.
fn issue(kind: &Kind, value: Option<&Value>) -> Option<Vec<(Option<usize>, Value)>> {
    if value.is_some_and(|value| kind.accepts(value)) {
        return None;
    }
    let one = |issue: Value| Some(vec![(None, issue)]);
    match kind {
        Kind::Group(_) => None,
        Kind::Bool(_) => one(wrong_type("boolean", value, &[])),
        Kind::Int(min, max, _) | Kind::NullableInt(min, max) => {
            one(number(value, &json!(min), &json!(max), true))
        }
        Kind::Number(min, max, _) => one(number(value, &json!(min), &json!(max), false)),
        Kind::Word(words, _) => one(not_an_option(words.all, &[])),
        Kind::Text(_) | Kind::Private => one(wrong_type("string", value, &[])),
        Kind::Url(_) | Kind::Time(_) | Kind::Cron(_) => one(text(kind, value)),
        Kind::Words(words, _) => list(value, |item| {
            let known = item.as_str().is_some_and(|word| words.all.contains(&word));
            (!known).then(|| not_an_option(words.all, &[]))
        }),
        Kind::Numbers(numbers, _) => list(value, |item| {
            let known = item.as_i64().is_some_and(|number| numbers.all.contains(&number));
            let listed: Vec<String> = numbers.all.iter().map(ToString::to_string).collect();
            let message = format!("Invalid option: expected one of {}", listed.join("|"));
            let issue =
                json!({ "code": "invalid_value", "values": numbers.all, "message": message });
            (!known).then_some(issue)
        }),
        Kind::Texts(_) if value.and_then(Value::as_array).is_some_and(Vec::is_empty) => {
            one(json!({
                "origin": "array", "code": "too_small", "minimum": 1, "inclusive": true,
                "message": "Too small: expected array to have >=1 items"
            }))
        }
        Kind::Texts(_) => {
            list(value, |item| (!item.is_string()).then(|| wrong_type("string", Some(item), &[])))
        }
    }
}

fn list(
    value: Option<&Value>,
    check: impl Fn(&Value) -> Option<Value>,
) -> Option<Vec<(Option<usize>, Value)>> {
    let Some(Value::Array(items)) = value else {
        return Some(vec![(None, wrong_type("array", value, &[]))]);
    };
    let issues = items.iter().enumerate();
    Some(issues.filter_map(|(index, item)| Some((Some(index), check(item)?))).collect())
}

fn number(value: Option<&Value>, min: &Value, max: &Value, is_int: bool) -> Value {
    let Some(number) = value.and_then(Value::as_f64) else {
        return wrong_type("number", value, &[]);
    };
    if is_int && value.and_then(Value::as_i64).is_none() {
        return json!({
            "expected": "int", "format": "safeint", "code": "invalid_type",
            "message": "Invalid input: expected int, received number"
        });
    }
    if max.as_f64().is_some_and(|max| number > max) {
        return json!({
            "origin": "number", "code": "too_big", "maximum": max, "inclusive": true,
            "message": format!("Too big: expected number to be <={max}")
        });
    }
    json!({
        "origin": "number", "code": "too_small", "minimum": min, "inclusive": true,
        "message": format!("Too small: expected number to be >={min}")
    })
}

fn text(kind: &Kind, value: Option<&Value>) -> Value {
    let Some(Value::String(text)) = value else { return wrong_type("string", value, &[]) };
    match kind {
        Kind::Url(_) if !is_url(text) => {
            json!({ "code": "invalid_format", "format": "url", "message": "Invalid URL" })
        }
        Kind::Time(_) if !is_time(text) => json!({
            "origin": "string", "code": "invalid_format", "format": "regex",
            "pattern": format!("/{TIME_PATTERN}/"),
            "message": format!("Invalid string: must match pattern /{TIME_PATTERN}/")
        }),
        Kind::Cron(_) if !is_cron(text) => {
            json!({ "code": "custom", "message": "Invalid cron expression" })
        }
        _ => wrong_type("string", value, &[]),
    }
}

/// An issue with its place.
fn at(path: &[Value], mut issue: Value) -> Value {
    if let Some(members) = issue.as_object_mut() {
        members.insert("path".into(), Value::Array(path.to_vec()));
    }
    issue
}

#[cfg(test)]
mod tests {
    use calotype_domain::config::{SETTINGS, shape};

    use super::*;

    fn issues(path: &str, value: Value) -> Vec<Value> {
        let mut document = SETTINGS.defaults();
        shape::put(&mut document, path, value);
        let mut issues = Vec::new();
        check(&SETTINGS, Some(&document), &[], &mut issues);
        issues
    }

    #[test]
    fn defaults_are_right_and_come_back() {
        let mut found = Vec::new();
        let defaults = SETTINGS.defaults();
        assert_eq!(check(&SETTINGS, Some(&defaults), &[], &mut found), defaults);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn issues_are_worded_as_zod_words_them() {
        let found = issues("ffmpeg.crf", json!(52));
        assert_eq!(found[0]["message"], "Too big: expected number to be <=51");
        assert_eq!(found[0]["path"], json!(["ffmpeg", "crf"]));
        let found = issues("ffmpeg.acceptedVideoCodecs", json!(["h264", "x"]));
        assert_eq!(found[0]["path"], json!(["ffmpeg", "acceptedVideoCodecs", 1]));
        let found = issues("trash", Value::Null);
        assert_eq!(found[0]["message"], "Invalid input: expected object, received null");
        let found = issues("machineLearning.urls", json!([]));
        assert_eq!(found[0]["code"], "too_small");
    }

    #[test]
    fn what_is_no_setting_is_dropped() {
        let mut document = SETTINGS.defaults();
        shape::put(&mut document, "trash.more", json!(1));
        let checked = check(&SETTINGS, Some(&document), &[], &mut Vec::new());
        assert!(checked["trash"].get("more").is_none());
    }
}
