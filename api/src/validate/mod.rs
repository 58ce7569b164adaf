//! Checking what a client sent, with the issues worded as Zod 4 words them, because clients show them.
//!
//! A [`Fields`] is asked field by field, in the order of Immich's schema; it gathers issues and refuses
//! all at once in [`Fields::finish`]. Unknown fields are ignored. What kinds of fields there are stands in
//! the files beside this one.

mod issues;
mod lists;
mod numbers;
mod spelling;
mod texts;
mod times;

use std::collections::HashMap;

use axum::body::Bytes;
use serde_json::{Map, Value, json};

use crate::problem::Problem;

pub use issues::{not_an_option, wrong_type};
pub use spelling::{DATETIME_PATTERN, EMAIL_PATTERN, UUID_PATTERN};
pub use texts::path_uuid;
pub(crate) use times::{Said, YEARS};

/// U+0000 as JSON has to write it.
const NUL_ESCAPED: &[u8] = br"\u0000";
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
}
