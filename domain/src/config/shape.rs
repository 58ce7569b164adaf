//! What a setting may be, and walks over all of them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// The largest whole number that a JavaScript client can name.
pub const SAFE_MAX: i64 = (1 << 53) - 1;

/// Settings that belong together.
#[derive(Debug)]
pub struct Group {
    /// Its name in the API's document.
    pub schema: &'static str,
    /// Its settings and groups, in the order in which they are written and checked.
    pub fields: &'static [Field],
}

/// One setting or group.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// Whether it must be there when the whole configuration is given.
    pub is_required: bool,
}

/// A list of words of which a setting is one or several.
#[derive(Debug)]
pub struct Words {
    /// Its name in the API's document.
    pub schema: &'static str,
    /// The words.
    pub all: &'static [&'static str],
}

/// A list of whole numbers of which a setting is several.
#[derive(Debug)]
pub struct Numbers {
    /// Its name in the API's document.
    pub schema: &'static str,
    /// The numbers.
    pub all: &'static [i64],
}

/// What a setting may be, and what it is when nobody says otherwise: limits first, then the default.
#[derive(Debug)]
pub enum Kind {
    /// More settings.
    Group(&'static Group),
    /// Yes or no.
    Bool(bool),
    /// A whole number within limits.
    Int(i64, i64, i64),
    /// A whole number within limits, or nothing, which is the default.
    NullableInt(i64, i64),
    /// A number within limits.
    Number(f64, f64, f64),
    /// Any text.
    Text(&'static str),
    /// A text that may tell of a person or opens something; sealed in the log. Empty by default.
    Private,
    /// An address.
    Url(&'static str),
    /// Hours and minutes, `HH:MM`.
    Time(&'static str),
    /// When something is done, as cron writes it.
    Cron(&'static str),
    /// One of a list of words.
    Word(&'static Words, &'static str),
    /// Several of a list of words.
    Words(&'static Words, &'static [&'static str]),
    /// Several of a list of numbers.
    Numbers(&'static Numbers, &'static [i64]),
    /// Texts, at least one.
    Texts(&'static [&'static str]),
}

/// A setting that must be given.
pub(super) const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, is_required: true }
}

/// A setting that may be left out.
pub(super) const fn optional(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, is_required: false }
}

impl Kind {
    /// What it is when nobody says otherwise.
    #[must_use]
    pub fn default_value(&self) -> Value {
        match self {
            Self::Group(group) => group.defaults(),
            Self::Bool(value) => json!(value),
            Self::Int(_, _, value) => json!(value),
            Self::NullableInt(..) => Value::Null,
            // Whole numbers are written without a point, as JavaScript does.
            Self::Number(_, _, value) if value.fract() == 0.0 => whole(*value),
            Self::Number(_, _, value) => json!(value),
            Self::Text(text)
            | Self::Url(text)
            | Self::Time(text)
            | Self::Cron(text)
            | Self::Word(_, text) => json!(text),
            Self::Private => json!(""),
            Self::Words(_, words) | Self::Texts(words) => json!(words),
            Self::Numbers(_, numbers) => json!(numbers),
        }
    }

    /// Whether a value is of this kind. What is more to be said of it is the caller's.
    #[must_use]
    pub fn accepts(&self, value: &Value) -> bool {
        let words =
            |all: &[&str], value: &Value| value.as_str().is_some_and(|word| all.contains(&word));
        match self {
            Self::Group(_) => value.is_object(),
            Self::Bool(_) => value.is_boolean(),
            Self::Int(min, max, _) => within(value, *min, *max),
            Self::NullableInt(min, max) => value.is_null() || within(value, *min, *max),
            Self::Number(min, max, _) => {
                value.as_f64().is_some_and(|number| (*min..=*max).contains(&number))
            }
            Self::Text(_) | Self::Private => value.is_string(),
            Self::Url(_) => value.as_str().is_some_and(is_url),
            Self::Time(_) => value.as_str().is_some_and(is_time),
            Self::Cron(_) => value.as_str().is_some_and(is_cron),
            Self::Word(of, _) => words(of.all, value),
            Self::Words(of, _) => {
                value.as_array().is_some_and(|list| list.iter().all(|one| words(of.all, one)))
            }
            Self::Numbers(of, _) => value.as_array().is_some_and(|list| {
                list.iter().all(|one| one.as_i64().is_some_and(|number| of.all.contains(&number)))
            }),
            Self::Texts(_) => value
                .as_array()
                .is_some_and(|list| !list.is_empty() && list.iter().all(Value::is_string)),
        }
    }
}

fn whole(value: f64) -> Value {
    value.to_string().parse::<i64>().map_or_else(|_| json!(value), Value::from)
}

fn within(value: &Value, min: i64, max: i64) -> bool {
    value.as_i64().is_some_and(|number| (min..=max).contains(&number))
}

/// Whether a text has a scheme and something behind it.
#[must_use]
pub fn is_url(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, rest)| {
        !rest.is_empty()
            && !rest.contains(char::is_whitespace)
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c))
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
    })
}

/// Whether a text names a minute of the day.
#[must_use]
pub fn is_time(text: &str) -> bool {
    let digits = |part: &str, max: u8| {
        part.len() == 2
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && part.parse::<u8>().is_ok_and(|number| number <= max)
    };
    text.split_once(':').is_some_and(|(hours, minutes)| digits(hours, 23) && digits(minutes, 59))
}

/// Whether a text has the five or six parts of cron, made of what its parts are made of.
#[must_use]
pub fn is_cron(text: &str) -> bool {
    let parts: Vec<&str> = text.split_whitespace().collect();
    matches!(parts.len(), 5 | 6)
        && parts
            .iter()
            .all(|part| part.chars().all(|c| c.is_ascii_alphanumeric() || "*/,-?#".contains(c)))
}

impl Group {
    /// The whole group as it is when nobody says otherwise.
    #[must_use]
    pub fn defaults(&self) -> Value {
        let fields = self.fields.iter();
        Value::Object(fields.map(|it| (it.name.to_owned(), it.kind.default_value())).collect())
    }

    /// Every setting with its path, for instance `trash.days`.
    #[must_use]
    pub fn settings(&self) -> BTreeMap<String, &'static Kind> {
        let mut found = BTreeMap::new();
        self.collect("", &mut found);
        found
    }

    fn collect(&self, prefix: &str, found: &mut BTreeMap<String, &'static Kind>) {
        for field in self.fields {
            let path = format!("{prefix}{}", field.name);
            match &field.kind {
                Kind::Group(group) => group.collect(&format!("{path}."), found),
                kind => {
                    found.insert(path, kind);
                }
            }
        }
    }
}

/// The value at a path of a document.
#[must_use]
pub fn at<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(document, |value, name| value.get(name))
}

/// Puts a value at a path of a document; groups that are not there are made.
pub fn put(document: &mut Value, path: &str, value: Value) {
    let mut place = document;
    for name in path.split('.') {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        let Value::Object(members) = place else { return };
        place = members.entry(name).or_insert(Value::Null);
    }
    *place = value;
}

#[cfg(test)]
mod tests {
    use super::super::settings::SETTINGS;
    use super::*;

    #[test]
    fn every_default_is_of_its_kind() {
        for (path, kind) in SETTINGS.settings() {
            assert!(kind.accepts(&kind.default_value()), "{path}");
        }
    }

    #[test]
    fn defaults_hold_every_setting() {
        let defaults = SETTINGS.defaults();
        assert_eq!(at(&defaults, "trash.days"), Some(&json!(30)));
        assert_eq!(at(&defaults, "oauth.defaultStorageQuota"), Some(&Value::Null));
        assert!(SETTINGS.settings().keys().all(|path| at(&defaults, path).is_some()));
    }

    #[test]
    fn times_and_plans_are_told_from_nonsense() {
        assert!(is_time("00:00") && is_time("23:59") && !is_time("24:00") && !is_time("1:00"));
        assert!(is_cron("0 02 * * *") && is_cron("*/5 * * * * MON-FRI") && !is_cron("now"));
        assert!(is_url("https://a.b/c") && !is_url("tiles") && !is_url("https://a b"));
    }
}
