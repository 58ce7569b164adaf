//! Settings of a file, which stand above those of the log and cannot be changed while the server runs.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::shape::Kind;
use super::template::{Template, TemplateError};
use super::{SETTINGS, STORAGE_TEMPLATE};

/// Why a file's settings are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The file is no group of settings.
    #[error("the settings are no object with names")]
    NoObject,
    /// A name that is no setting.
    #[error("{path} is no setting")]
    Unknown {
        /// Where it stands.
        path: String,
    },
    /// A value that the setting cannot have.
    #[error("{path} cannot be {value}")]
    Invalid {
        /// Which setting.
        path: String,
        /// What the file says: as JSON where it is a number, `true`, `false` or `null`, else only its kind, for
        /// a text may be a password.
        value: String,
    },
    /// The storage template makes no path.
    #[error("storageTemplate.template is not right: {0}")]
    Template(#[from] TemplateError),
}

/// The settings of a document, by their path. What it leaves out is as it is when nobody says otherwise.
///
/// # Errors
/// [`FileError`], for the first thing that is not right.
pub fn of_file(document: &Value) -> Result<BTreeMap<String, Value>, FileError> {
    let Value::Object(members) = document else { return Err(FileError::NoObject) };
    let mut set = BTreeMap::new();
    collect(members, "", &SETTINGS.settings(), &mut set)?;
    if let Some(text) = set.get(STORAGE_TEMPLATE).and_then(Value::as_str) {
        Template::parse(text)?;
    }
    Ok(set)
}

fn collect(
    members: &Map<String, Value>,
    above: &str,
    known: &BTreeMap<String, &'static Kind>,
    set: &mut BTreeMap<String, Value>,
) -> Result<(), FileError> {
    for (name, value) in members {
        let path = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        let inside = format!("{path}.");
        match (known.get(&path), value) {
            (Some(kind), value) if kind.accepts(value) => {
                set.insert(path, value.clone());
            }
            (Some(kind), value) => {
                return Err(FileError::Invalid { path, value: told(kind, value) });
            }
            (None, Value::Object(inner)) if known.keys().any(|it| it.starts_with(&inside)) => {
                collect(inner, &path, known, set)?;
            }
            (None, _) => return Err(FileError::Unknown { path }),
        }
    }
    Ok(())
}

/// A value in words that open nothing.
fn told(setting: &Kind, value: &Value) -> String {
    let is_private = matches!(setting, Kind::Private);
    let kind = match value {
        Value::Number(_) if is_private => "a number",
        Value::Null | Value::Bool(_) | Value::Number(_) => return value.to_string(),
        Value::String(_) => "this text",
        Value::Array(_) => "this list",
        Value::Object(_) => "an object",
    };
    kind.to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn some_settings_are_enough() {
        let file = json!({ "trash": { "days": 3 }, "server": { "loginPageMessage": "Hello" } });
        let set = of_file(&file).unwrap();
        assert_eq!(set.len(), 2);
        assert_eq!(set["trash.days"], json!(3));
        assert_eq!(of_file(&json!({})).unwrap(), BTreeMap::new());
        assert!(of_file(&SETTINGS.defaults()).is_ok());
    }

    #[test]
    fn refusals_tell_no_passwords() {
        const PASSWORD: &str = "notifications.smtp.transport.password";
        let mail = |name: &str, value: Value| {
            let file = json!({ "notifications": { "smtp": { "transport": { name: value } } } });
            of_file(&file).unwrap_err().to_string()
        };
        assert_eq!(mail("password", json!(314_159)), format!("{PASSWORD} cannot be a number"));
        assert_eq!(mail("password", json!(["hunter2"])), format!("{PASSWORD} cannot be this list"));
        let object = json!({ "is": "hunter2" });
        assert_eq!(mail("password", object), format!("{PASSWORD} cannot be an object"));
        // Written a line too high.
        let port = mail("port", json!("hunter2"));
        assert_eq!(port, "notifications.smtp.transport.port cannot be this text");
    }

    #[test]
    fn what_is_not_right_is_named() {
        let refused = |file: Value| of_file(&file).unwrap_err().to_string();
        assert_eq!(refused(json!([])), "the settings are no object with names");
        assert_eq!(refused(json!({ "trash": { "dayz": 3 } })), "trash.dayz is no setting");
        assert_eq!(refused(json!({ "trash": { "days": -1 } })), "trash.days cannot be -1");
        assert_eq!(refused(json!({ "trash": 3 })), "trash is no setting");
        let template = json!({ "storageTemplate": { "template": "{{nothing}}" } });
        assert!(refused(template).starts_with("storageTemplate.template is not right"));
    }
}
