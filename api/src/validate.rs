//! Checking what a client sent, with the issues worded as Zod 4 words them, because clients show them.
//!
//! A [`Fields`] is asked field by field, in the order of Immich's schema; it gathers issues and refuses
//! all at once in [`Fields::finish`]. Unknown fields are ignored.

use std::collections::HashMap;

use axum::body::Bytes;
use calotype_domain::AssetId;
use chrono::{DateTime, Datelike as _, FixedOffset, NaiveDate};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::problem::Problem;

/// The pattern Zod 4 names for a UUID of version 4.
pub const UUID_PATTERN: &str =
    "/^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-4[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12})$/";
/// The pattern Zod 4 names for an e-mail, with Immich's HTML5 expression.
pub const EMAIL_PATTERN: &str = "/^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/";
/// The pattern Zod 4 names for an ISO date and time with an offset.
pub const DATETIME_PATTERN: &str = "/^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d(?::[0-5]\\d(?:\\.\\d+)?)?(?:Z|([+-](?:[01]\\d|2[0-3]):[0-5]\\d)))$/";

/// U+0000 as JSON has to write it.
const NUL_ESCAPED: &[u8] = br"\u0000";
/// The years that the database, JSON and clients spell with four digits.
pub(crate) const YEARS: std::ops::RangeInclusive<i32> = 1..=9_999;
/// Issues that one answer lists, at most.
const ISSUES_MAX: usize = 100;

/// The fields of a body, a query or a form, and the issues found so far.
#[derive(Debug, Default)]
pub struct Fields {
    values: Map<String, Value>,
    issues: Vec<Value>,
    /// Query and form values come as text and are turned into what the schema wants.
    from_text: bool,
    /// Every value of those fields of a query that were given more than once.
    repeated: HashMap<String, Vec<Value>>,
}

impl Fields {
    /// A JSON body; an empty one counts as `{}`.
    ///
    /// # Errors
    /// 400 when it is no JSON object.
    pub fn json(body: &Bytes) -> Result<Self, Problem> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(values)) => {
                let mut fields = Self { values, ..Self::default() };
                // Rare enough to look twice: written out, the escape may belong to an escaped backslash.
                if body.windows(NUL_ESCAPED.len()).any(|bytes| bytes == NUL_ESCAPED) {
                    fields.refuse_nul();
                }
                Ok(fields)
            }
            Ok(other) => Err(Problem::validation(vec![wrong_type("object", Some(&other), &[])])),
            Err(error) => Err(Problem::bad_request(error.to_string())),
        }
    }

    /// An object inside a body.
    #[must_use]
    pub fn object(values: Map<String, Value>) -> Self {
        Self { values, ..Self::default() }
    }

    /// A query string. Of a field given twice the last counts, unless it is a list.
    #[must_use]
    pub fn query(query: Option<&str>) -> Self {
        let decode = |text: &str| {
            let text = text.replace('+', " ");
            percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
        };
        let mut values = Map::new();
        let mut repeated: HashMap<String, Vec<Value>> = HashMap::new();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name), Value::String(decode(value)));
            if let Some(before) = values.insert(name.clone(), value.clone()) {
                repeated.entry(name).or_insert_with(|| vec![before]).push(value);
            }
        }
        Self { repeated, ..Self::form(values) }
    }

    /// The text fields of a form.
    #[must_use]
    pub fn form(values: Map<String, Value>) -> Self {
        let mut fields = Self { values, from_text: true, ..Self::default() };
        fields.refuse_nul();
        fields
    }

    /// Finds fault with texts that hold U+0000: the database keeps none.
    fn refuse_nul(&mut self) {
        let names: Vec<String> = self
            .values
            .iter()
            .filter(|(name, value)| name.contains('\0') || holds_nul(value))
            .map(|(name, _)| name.clone())
            .collect();
        for name in names {
            self.issue(json!({
                "code": "custom", "path": [name],
                "message": "Invalid input: text must not contain the character U+0000"
            }));
        }
    }

    /// Refuses when there were issues.
    ///
    /// # Errors
    /// 400 `Validation failed` with every issue.
    pub fn finish(self) -> Result<(), Problem> {
        if self.issues.is_empty() { Ok(()) } else { Err(Problem::validation(self.issues)) }
    }

    /// The issues found, for a list that gathers those of its objects.
    #[must_use]
    pub fn into_issues(self) -> Vec<Value> {
        self.issues
    }

    /// The issues found so far, for an object inside another.
    #[must_use]
    pub fn issues(&self) -> Vec<Value> {
        self.issues.clone()
    }

    /// Whether the field is there at all, `null` included.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Whether the field is `null`.
    #[must_use]
    pub fn is_null(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(Value::is_null)
    }

    /// Takes a field as it is.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.values.remove(name)
    }

    /// Adds an issue, while there is room for one.
    pub fn issue(&mut self, issue: Value) {
        if !self.is_full() {
            self.issues.push(issue);
        }
    }

    /// Whether so much is wrong already that the rest is not looked at.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.issues.len() >= ISSUES_MAX
    }

    /// Says that a required field is missing.
    pub fn missing(&mut self, expected: &str, name: &str) {
        self.issue(wrong_type(expected, None, &[name]));
    }

    /// A text, when it is there.
    pub fn string(&mut self, name: &str) -> Option<String> {
        match self.values.get(name) {
            None => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => {
                self.issue(wrong_type("string", Some(other), &[name]));
                None
            }
        }
    }

    /// A text of at least so many characters that must be there.
    pub fn required_string_of(&mut self, name: &str, chars_min: usize) -> String {
        let text = self.required_string(name);
        let is_text = matches!(self.values.get(name), Some(Value::String(_)));
        if is_text && text.encode_utf16().count() < chars_min {
            self.issue(json!({
                "origin": "string", "code": "too_small", "minimum": chars_min, "inclusive": true,
                "path": [name],
                "message": format!("Too small: expected string to have >={chars_min} characters")
            }));
        }
        text
    }

    /// An e-mail that must be there, in lower case.
    pub fn required_email(&mut self, name: &str) -> String {
        if !self.has(name) {
            self.issue(json!({
                "expected": "string", "code": "invalid_type", "path": [name],
                "message": "Invalid input: expected email, received undefined"
            }));
        }
        self.email(name).unwrap_or_default()
    }

    /// A truth value that must be there.
    pub fn required_boolean(&mut self, name: &str) -> bool {
        if !self.has(name) {
            self.missing("boolean", name);
        }
        self.boolean(name).unwrap_or_default()
    }

    /// One of a list of words that must be there.
    pub fn required_option(&mut self, name: &str, words: &[&str]) -> String {
        if !self.has(name) {
            self.issue(not_an_option(words, &[name]));
        }
        self.option(name, words).unwrap_or_default()
    }

    /// A text that must be there; empty when it is not, with an issue.
    pub fn required_string(&mut self, name: &str) -> String {
        if !self.has(name) {
            self.missing("string", name);
        }
        self.string(name).unwrap_or_default()
    }

    /// A truth value, when it is there; in a query exactly `true` or `false`.
    pub fn boolean(&mut self, name: &str) -> Option<bool> {
        match self.values.get(name) {
            None => None,
            Some(Value::Bool(value)) => Some(*value),
            Some(Value::String(text)) if self.from_text => match text.as_str() {
                "true" => Some(true),
                "false" => Some(false),
                _ => {
                    self.issue(not_an_option(&["true", "false"], &[name]));
                    None
                }
            },
            Some(other) => {
                self.issue(wrong_type("boolean", Some(other), &[name]));
                None
            }
        }
    }

    /// A whole number within bounds, when it is there.
    pub fn integer(&mut self, name: &str, minimum: i64, maximum: i64) -> Option<i64> {
        let number = match self.values.get(name) {
            None => return None,
            Some(Value::Number(number)) => number.clone(),
            Some(Value::String(text)) if self.from_text => {
                match text.trim().parse::<f64>().ok().and_then(serde_json::Number::from_f64) {
                    Some(_) if text.trim().parse::<i64>().is_ok() => {
                        serde_json::Number::from(text.trim().parse::<i64>().unwrap_or_default())
                    }
                    Some(number) => number,
                    None => {
                        self.issue(json!({
                            "expected": "number", "code": "invalid_type", "received": "NaN",
                            "path": [name], "message": "Invalid input: expected number, received NaN"
                        }));
                        return None;
                    }
                }
            }
            Some(other) => {
                self.issue(wrong_type("number", Some(other), &[name]));
                return None;
            }
        };
        let Some(value) = number.as_i64() else {
            self.issue(json!({
                "expected": "int", "format": "safeint", "code": "invalid_type",
                "path": [name], "message": "Invalid input: expected int, received number"
            }));
            return None;
        };
        self.bounds(name, value, minimum, maximum)
    }

    fn bounds(&mut self, name: &str, value: i64, minimum: i64, maximum: i64) -> Option<i64> {
        if value > maximum {
            self.issue(json!({
                "origin": "number", "code": "too_big", "maximum": maximum, "inclusive": true,
                "path": [name], "message": format!("Too big: expected number to be <={maximum}")
            }));
            return None;
        }
        if value < minimum {
            self.issue(json!({
                "origin": "number", "code": "too_small", "minimum": minimum, "inclusive": true,
                "path": [name], "message": format!("Too small: expected number to be >={minimum}")
            }));
            return None;
        }
        Some(value)
    }

    /// A number within bounds, when it is there.
    pub fn number(&mut self, name: &str, minimum: f64, maximum: f64) -> Option<f64> {
        let value = match self.values.get(name) {
            None => return None,
            Some(Value::Number(number)) => number.as_f64(),
            Some(Value::String(text)) if self.from_text => text.trim().parse().ok(),
            Some(_) => None,
        };
        let Some(value) = value else {
            let issue = wrong_type("number", self.values.get(name), &[name]);
            self.issue(issue);
            return None;
        };
        if value > maximum {
            self.issue(json!({
                "origin": "number", "code": "too_big", "maximum": maximum, "inclusive": true,
                "path": [name], "message": format!("Too big: expected number to be <={maximum}")
            }));
            return None;
        }
        if value < minimum {
            self.issue(json!({
                "origin": "number", "code": "too_small", "minimum": minimum, "inclusive": true,
                "path": [name], "message": format!("Too small: expected number to be >={minimum}")
            }));
            return None;
        }
        Some(value)
    }

    /// One of a list of words, when it is there.
    pub fn option(&mut self, name: &str, words: &[&str]) -> Option<String> {
        match self.values.get(name) {
            None => None,
            Some(Value::String(text)) if words.contains(&text.as_str()) => Some(text.clone()),
            Some(_) => {
                self.issue(not_an_option(words, &[name]));
                None
            }
        }
    }

    /// A list of words out of a list of words, when it is there.
    pub fn options(&mut self, name: &str, words: &[&str]) -> Option<Vec<String>> {
        let values = self.array(name)?;
        let mut found = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            if self.is_full() {
                break;
            }
            match value.as_str().filter(|text| words.contains(text)) {
                Some(text) => found.push(text.to_owned()),
                None => self.issue(inside(not_an_option(words, &[]), name, index)),
            }
        }
        Some(found)
    }

    /// A list of words out of a list of words that must be there.
    pub fn required_options(&mut self, name: &str, words: &[&str]) -> Vec<String> {
        if !self.has(name) {
            self.missing("array", name);
        }
        self.options(name, words).unwrap_or_default()
    }

    /// A list of at most so many texts that must be there.
    pub fn required_strings(&mut self, name: &str, items_max: usize) -> Vec<String> {
        if !self.has(name) {
            self.missing("array", name);
        }
        let values = self.array(name).unwrap_or_default();
        let mut texts = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            if self.is_full() {
                break;
            }
            match value.as_str() {
                Some(text) => texts.push(text.to_owned()),
                None => {
                    self.issue(inside(wrong_type("string", Some(value), &[]), name, index));
                }
            }
        }
        if values.len() > items_max {
            self.issue(json!({
                "origin": "array", "code": "too_big", "maximum": items_max, "inclusive": true,
                "path": [name], "message": format!("Too big: expected array to have <={items_max} items")
            }));
        }
        texts
    }

    fn array(&mut self, name: &str) -> Option<Vec<Value>> {
        match self.values.get(name) {
            None => None,
            Some(Value::Array(values)) => Some(values.clone()),
            Some(other) => {
                let issue = wrong_type("array", Some(other), &[name]);
                self.issue(issue);
                None
            }
        }
    }

    /// An e-mail, in lower case, when it is there.
    pub fn email(&mut self, name: &str) -> Option<String> {
        let valid = match self.values.get(name) {
            None => return None,
            Some(Value::String(text)) if is_email(text) => Some(text.to_lowercase()),
            Some(_) => None,
        };
        if valid.is_none() {
            let received = received(self.values.get(name));
            self.issue(json!({
                "origin": "string", "code": "invalid_format", "format": "email",
                "pattern": EMAIL_PATTERN, "path": [name],
                "message": format!("Invalid input: expected email, received {received}")
            }));
        }
        valid
    }

    /// A UUID of version 4, when it is there.
    pub fn uuid(&mut self, name: &str) -> Option<Uuid> {
        match self.values.get(name) {
            None => None,
            Some(Value::String(text)) => {
                let parsed = parse_uuid_v4(text);
                if parsed.is_none() {
                    self.issue(bad_uuid(&[json!(name)]));
                }
                parsed
            }
            Some(other) => {
                self.issue(wrong_type("string", Some(other), &[name]));
                None
            }
        }
    }

    /// A list of UUIDs of version 4, when it is there. In a query its field is given once for each.
    pub fn uuids(&mut self, name: &str) -> Option<Vec<Uuid>> {
        let values = match self.values.get(name) {
            None => return None,
            Some(one @ Value::String(_)) if self.from_text => {
                self.repeated.remove(name).unwrap_or_else(|| vec![one.clone()])
            }
            Some(Value::Array(values)) => values.clone(),
            Some(other) => {
                self.issue(wrong_type("array", Some(other), &[name]));
                return None;
            }
        };
        let mut parsed = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            if self.is_full() {
                break;
            }
            match value.as_str().map(parse_uuid_v4) {
                Some(Some(uuid)) => parsed.push(uuid),
                Some(None) => self.issue(bad_uuid(&[json!(name), json!(index)])),
                None => {
                    let mut issue = wrong_type("string", Some(value), &[]);
                    if let Some(object) = issue.as_object_mut() {
                        object.insert("path".into(), json!([name, index]));
                    }
                    self.issue(issue);
                }
            }
        }
        Some(parsed)
    }

    /// A list of UUIDs that must be there.
    pub fn required_uuids(&mut self, name: &str) -> Vec<AssetId> {
        if !self.has(name) {
            self.missing("array", name);
        }
        self.uuids(name).unwrap_or_default().into_iter().map(AssetId::new).collect()
    }

    /// A UUID of version 4 that must be there; nil when it is not, with an issue.
    pub fn required_uuid(&mut self, name: &str) -> Uuid {
        if !self.has(name) {
            self.missing("string", name);
        }
        self.uuid(name).unwrap_or_default()
    }

    /// A list of objects, when it is there, each read by `read`; issues name the place in the list.
    pub fn objects<T>(
        &mut self,
        name: &str,
        items_min: usize,
        mut read: impl FnMut(&mut Self) -> T,
    ) -> Option<Vec<T>> {
        let values = match self.values.get(name) {
            None => return None,
            Some(Value::Array(values)) => values.clone(),
            Some(other) => {
                self.issue(wrong_type("array", Some(other), &[name]));
                return None;
            }
        };
        if values.len() < items_min {
            self.issue(json!({
                "origin": "array", "code": "too_small", "minimum": items_min, "inclusive": true,
                "path": [name],
                "message": format!("Too small: expected array to have >={items_min} items")
            }));
        }
        let mut items = Vec::with_capacity(values.len());
        for (index, value) in values.into_iter().enumerate() {
            if self.is_full() {
                break;
            }
            let (mut inner, is_object) = match value {
                Value::Object(values) => (Self::object(values), true),
                other => {
                    let mut inner = Self::default();
                    inner.issue(wrong_type("object", Some(&other), &[]));
                    (inner, false)
                }
            };
            if is_object {
                items.push(read(&mut inner));
            }
            for mut issue in inner.issues {
                let mut path = vec![json!(name), json!(index)];
                if let Some(Value::Array(rest)) = issue.get("path") {
                    path.extend(rest.iter().cloned());
                }
                if let Some(object) = issue.as_object_mut() {
                    object.insert("path".into(), Value::Array(path));
                }
                self.issue(issue);
            }
        }
        Some(items)
    }

    /// A date and time with an offset, when it is there.
    pub fn datetime(&mut self, name: &str) -> Option<DateTime<FixedOffset>> {
        match self.values.get(name) {
            None => None,
            Some(Value::String(text)) => {
                let parsed = parse_datetime(text);
                if parsed.is_none() {
                    self.issue(json!({
                        "origin": "string", "code": "invalid_format", "format": "datetime",
                        "pattern": DATETIME_PATTERN, "path": [name],
                        "message": "Invalid input: expected ISO 8601 datetime string, received string"
                    }));
                }
                parsed
            }
            Some(other) => {
                let received = received(Some(other));
                self.issue(json!({
                    "expected": "string", "code": "invalid_type", "path": [name],
                    "message": format!("Invalid input: expected ISO 8601 datetime string, received {received}")
                }));
                None
            }
        }
    }

    /// A date and time that must be there.
    pub fn required_datetime(&mut self, name: &str) -> Option<DateTime<FixedOffset>> {
        if !self.has(name) {
            self.issue(json!({
                "expected": "string", "code": "invalid_type", "path": [name],
                "message": "Invalid input: expected ISO 8601 datetime string, received undefined"
            }));
        }
        self.datetime(name)
    }
}

/// A UUID of version 4 in a path.
///
/// # Errors
/// 400 `Validation failed` naming the field.
pub fn path_uuid(name: &str, text: &str) -> Result<Uuid, Problem> {
    parse_uuid_v4(text).ok_or_else(|| Problem::validation(vec![bad_uuid(&[json!(name)])]))
}

/// Zod's `invalid_type`.
#[must_use]
pub fn wrong_type(expected: &str, value: Option<&Value>, path: &[&str]) -> Value {
    json!({
        "expected": expected, "code": "invalid_type", "path": path,
        "message": format!("Invalid input: expected {expected}, received {}", received(value))
    })
}

/// Zod's `invalid_value` for a list of words.
#[must_use]
pub fn not_an_option(words: &[&str], path: &[&str]) -> Value {
    let listed: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    json!({
        "code": "invalid_value", "values": words, "path": path,
        "message": format!("Invalid option: expected one of {}", listed.join("|"))
    })
}

/// An issue with an item of a list.
fn inside(mut issue: Value, name: &str, index: usize) -> Value {
    issue["path"] = json!([name, index]);
    issue
}

fn bad_uuid(path: &[Value]) -> Value {
    json!({
        "origin": "string", "code": "invalid_format", "format": "uuid",
        "pattern": UUID_PATTERN, "path": path, "message": "Invalid UUID"
    })
}

fn received(value: Option<&Value>) -> &'static str {
    match value {
        None => "undefined",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "boolean",
        Some(Value::Number(_)) => "number",
        Some(Value::String(_)) => "string",
        Some(Value::Array(_)) => "array",
        Some(Value::Object(_)) => "object",
    }
}

fn parse_uuid_v4(text: &str) -> Option<Uuid> {
    if text.len() != 36 {
        return None;
    }
    Uuid::parse_str(text)
        .ok()
        .filter(|uuid| uuid.get_version_num() == 4 && uuid.get_variant() == uuid::Variant::RFC4122)
}

fn parse_datetime(text: &str) -> Option<DateTime<FixedOffset>> {
    let (date, _) = text.split_once('T')?;
    NaiveDate::parse_from_str(date, "%Y-%m-%d").ok().filter(|_| date.len() == 10)?;
    let parsed = DateTime::parse_from_rfc3339(text).ok().or_else(|| {
        // Seconds may be left out.
        let at = text.rfind(['Z', '+', '-'])?;
        let (clock, zone) = text.split_at(at);
        DateTime::parse_from_rfc3339(&format!("{clock}:00{zone}")).ok()
    })?;
    let fits = YEARS.contains(&parsed.year()) && YEARS.contains(&parsed.to_utc().year());
    fits.then_some(parsed)
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(holds_nul),
        Value::Object(values) => {
            values.iter().any(|(name, value)| name.contains('\0') || holds_nul(value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Immich's HTML5 expression: a local part of certain characters, and labels of letters, digits and inner dashes.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let local_fits = !local.is_empty()
        && local.chars().all(|c| c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c));
    let label_fits = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    local_fits && domain.split('.').all(label_fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_with_the_character_zero_is_refused_wherever_it_stands() {
        for body in [r#"{"a":"x\u0000"}"#, r#"{"a":[{"b":"\u0000"}]}"#, r#"{"\u0000":1}"#] {
            assert!(Fields::json(&Bytes::from(body)).unwrap().finish().is_err(), "{body}");
        }
        let written_out = Bytes::from(r#"{"a":"\\u0000"}"#);
        assert!(Fields::json(&written_out).unwrap().finish().is_ok());
        assert!(Fields::query(Some("a=%00")).finish().is_err());
    }

    #[test]
    fn years_that_the_database_cannot_spell_are_no_dates() {
        for text in
            ["0000-01-01T00:00:00Z", "9999-12-31T23:59:00-12:00", "0001-01-01T00:00:00+01:00"]
        {
            assert_eq!(parse_datetime(text), None, "{text}");
        }
        assert!(parse_datetime("9999-12-31T23:59:59.999Z").is_some());
    }

    #[test]
    fn answer_lists_a_hundred_issues_at_most() {
        let mut fields =
            Fields::json(&Bytes::from(json!({ "ids": vec![0; 5_000] }).to_string())).unwrap();
        fields.uuids("ids");
        assert_eq!(fields.into_issues().len(), ISSUES_MAX);
    }

    #[test]
    fn lists_of_a_query_are_fields_given_more_than_once() {
        let id = |text: &str| text.parse::<Uuid>().unwrap();
        let one = id("8592ac6c-94d1-4630-a364-d2929c1eb33a");
        let two = id("78013aee-9bc1-47c8-918f-da50df335899");
        let read = |query: &str| Fields::query(Some(query)).uuids("ids");
        assert_eq!(read(&format!("ids={one}")), Some(vec![one]));
        assert_eq!(read(&format!("ids={one}&x=1&ids={two}")), Some(vec![one, two]));
        assert_eq!(read("x=1"), None);
        let mut last = Fields::query(Some("x=1&x=2"));
        assert_eq!(last.string("x").as_deref(), Some("2"));
    }

    #[test]
    fn uuid_of_another_version_is_refused() {
        assert!(parse_uuid_v4("91da1ac8-0dfd-45f4-9efc-16416a8dea30").is_some());
        assert!(parse_uuid_v4("018f0000-0000-7000-8000-000000000000").is_none());
        assert!(parse_uuid_v4("91da1ac80dfd45f49efc16416a8dea30").is_none());
    }

    #[test]
    fn datetime_needs_an_offset() {
        assert!(parse_datetime("2024-01-02T03:04:05.000Z").is_some());
        assert!(parse_datetime("2024-01-02T03:04+02:00").is_some());
        assert!(parse_datetime("2024-01-02T03:04:05").is_none());
        assert!(parse_datetime("yesterday").is_none());
    }

    #[test]
    fn email_needs_an_at_sign_but_no_dot() {
        assert!(is_email("admin@example.com"));
        assert!(is_email("admin@localhost"));
        assert!(!is_email("nope"));
        assert!(!is_email("a@-b.c"));
    }

    #[test]
    fn issues_are_worded_as_zod_words_them() {
        let mut fields = Fields::json(&Bytes::from_static(b"{\"rating\":9}")).unwrap();
        assert_eq!(fields.integer("rating", -1, 5), None);
        assert_eq!(
            fields.issues,
            vec![json!({
                "origin": "number", "code": "too_big", "maximum": 5, "inclusive": true,
                "path": ["rating"], "message": "Too big: expected number to be <=5"
            })]
        );
    }
}
