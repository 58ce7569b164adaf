//! Texts, words out of a list, truth values, e-mails and identifiers.

use serde_json::{Value, json};
use uuid::Uuid;

use super::Fields;
use super::issues::{bad_uuid, not_an_option, received, wrong_type};
use super::spelling::{EMAIL_PATTERN, is_email, parse_uuid_v4};
use crate::problem::Problem;

impl Fields {
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

    /// A text that must be there; empty when it is not, with an issue.
    pub fn required_string(&mut self, name: &str) -> String {
        if !self.has(name) {
            self.missing("string", name);
        }
        self.string(name).unwrap_or_default()
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

    /// A text of at most so many characters, when it is there.
    pub fn string_up_to(&mut self, name: &str, chars_max: usize) -> Option<String> {
        let text = self.string(name)?;
        if text.encode_utf16().count() > chars_max {
            self.issue(json!({
                "origin": "string", "code": "too_big", "maximum": chars_max, "inclusive": true,
                "path": [name],
                "message": format!("Too big: expected string to have <={chars_max} characters")
            }));
            return None;
        }
        Some(text)
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

    /// A truth value that must be there.
    pub fn required_boolean(&mut self, name: &str) -> bool {
        if !self.has(name) {
            self.missing("boolean", name);
        }
        self.boolean(name).unwrap_or_default()
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

    /// One of a list of words that must be there.
    pub fn required_option(&mut self, name: &str, words: &[&str]) -> String {
        if !self.has(name) {
            self.issue(not_an_option(words, &[name]));
        }
        self.option(name, words).unwrap_or_default()
    }

    /// An e-mail, in lower case, when it is there.
    pub fn email(&mut self, name: &str) -> Option<String> {
        match self.values.get(name) {
            None => None,
            Some(Value::String(text)) if is_email(text) => Some(text.to_lowercase()),
            Some(Value::String(_)) => {
                self.issue(json!({
                    "origin": "string", "code": "invalid_format", "format": "email",
                    "pattern": EMAIL_PATTERN, "path": [name],
                    "message": "Invalid input: expected email, received string"
                }));
                None
            }
            Some(other) => {
                let received = received(Some(other));
                self.issue(json!({
                    "expected": "string", "code": "invalid_type", "path": [name],
                    "message": format!("Invalid input: expected email, received {received}")
                }));
                None
            }
        }
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

    /// A UUID of version 4 that must be there; nil when it is not, with an issue.
    pub fn required_uuid(&mut self, name: &str) -> Uuid {
        if !self.has(name) {
            self.missing("string", name);
        }
        self.uuid(name).unwrap_or_default()
    }
}

/// A UUID of version 4 in a path.
///
/// # Errors
/// 400 `Validation failed` naming the field.
pub fn path_uuid(name: &str, text: &str) -> Result<Uuid, Problem> {
    parse_uuid_v4(text).ok_or_else(|| Problem::validation(vec![bad_uuid(&[json!(name)])]))
}
