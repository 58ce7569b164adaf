//! The row of `config_v1`, and what the server reads from it.

use std::collections::BTreeMap;

use calotype_domain::config;
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;

/// The configuration as stored.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub(super) struct ConfigRow {
    pub(super) key: String,
    pub(super) revision: i64,
    pub(super) settings: Json<BTreeMap<String, Value>>,
    pub(super) is_onboarded: bool,
    pub(super) license_key: Option<String>,
    pub(super) activation_key: Option<String>,
    pub(super) activated_at: Option<DateTime<Utc>>,
}

impl ConfigRow {
    /// Before anything happened.
    pub(super) fn new(key: &str) -> Self {
        Self {
            key: key.to_owned(),
            revision: -1,
            settings: Json(BTreeMap::new()),
            is_onboarded: false,
            license_key: None,
            activation_key: None,
            activated_at: None,
        }
    }
}

/// A product key, as it was entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnteredLicense {
    /// The key.
    pub license_key: String,
    /// What came with it.
    pub activation_key: String,
    /// When it was entered.
    pub activated_at: DateTime<Utc>,
}

impl EnteredLicense {
    /// Of three columns that are there together or not at all.
    #[must_use]
    pub fn of(
        license_key: Option<&String>,
        activation_key: Option<&String>,
        activated_at: Option<DateTime<Utc>>,
    ) -> Option<Self> {
        Some(Self {
            license_key: license_key?.clone(),
            activation_key: activation_key?.clone(),
            activated_at: activated_at?,
        })
    }
}

/// The configuration as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    set: BTreeMap<String, Value>,
    document: Value,
    /// Whether an administrator went through the first steps.
    pub is_onboarded: bool,
    /// The server's product key.
    pub license: Option<EnteredLicense>,
}

impl Settings {
    /// Of the row, but for the settings of a file where there is one.
    pub(super) fn of(row: Option<ConfigRow>, fixed: Option<&BTreeMap<String, Value>>) -> Self {
        let row = row.unwrap_or_else(|| ConfigRow::new(config::KEY));
        let set = fixed.cloned().unwrap_or(row.settings.0);
        Self {
            document: config::document(&set),
            set,
            is_onboarded: row.is_onboarded,
            license: EnteredLicense::of(
                row.license_key.as_ref(),
                row.activation_key.as_ref(),
                row.activated_at,
            ),
        }
    }

    /// All settings as one document.
    #[must_use]
    pub const fn document(&self) -> &Value {
        &self.document
    }

    /// A setting that is yes or no, by its path.
    #[must_use]
    pub fn is_on(&self, path: &str) -> bool {
        config::shape::at(&self.document, path).and_then(Value::as_bool).unwrap_or_default()
    }

    /// A setting that is a text, by its path.
    #[must_use]
    pub fn text(&self, path: &str) -> &str {
        config::shape::at(&self.document, path).and_then(Value::as_str).unwrap_or_default()
    }

    /// A setting that is a whole number, by its path.
    #[must_use]
    pub fn number(&self, path: &str) -> i64 {
        config::shape::at(&self.document, path).and_then(Value::as_i64).unwrap_or_default()
    }

    /// A setting that is a number, by its path.
    #[must_use]
    pub fn real(&self, path: &str) -> f64 {
        config::shape::at(&self.document, path).and_then(Value::as_f64).unwrap_or_default()
    }

    /// A setting that is a text, where somebody set it to another than the default.
    #[must_use]
    pub fn own_text(&self, path: &str) -> Option<&str> {
        self.set.get(path).and_then(Value::as_str)
    }

    /// A setting that is a whole number, where somebody set it to another than the default.
    #[must_use]
    pub fn own_number(&self, path: &str) -> Option<i64> {
        self.set.get(path).and_then(Value::as_i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_set_is_the_default() {
        let settings = Settings::of(None, None);
        assert_eq!(settings.number("trash.days"), 30);
        let distance = settings.real("machineLearning.duplicateDetection.maxDistance");
        assert!((distance - 0.01).abs() < f64::EPSILON);
        assert!(settings.is_on("passwordLogin.enabled"));
        assert_eq!(settings.own_number("job.thumbnailGeneration.concurrency"), None);
    }

    #[test]
    fn file_stands_in_place_of_what_was_set() {
        let mut row = ConfigRow::new("server");
        row.settings.insert("trash.days".into(), Value::from(7));
        row.settings.insert("trash.enabled".into(), Value::from(false));
        row.is_onboarded = true;
        let file = BTreeMap::from([("trash.days".to_owned(), Value::from(3))]);
        let settings = Settings::of(Some(row), Some(&file));
        assert_eq!((settings.number("trash.days"), settings.is_on("trash.enabled")), (3, true));
        assert!(settings.is_onboarded);
    }

    #[test]
    fn what_is_no_setting_is_left_out() {
        let mut row = ConfigRow::new("server");
        row.settings.insert("trash.days".into(), Value::from(7));
        row.settings.insert("of.an.older.release".into(), Value::from(7));
        let settings = Settings::of(Some(row), None);
        assert_eq!(settings.number("trash.days"), 7);
        assert!(settings.document().get("of").is_none());
    }
}
