//! Parts of the configuration, cut out of the whole document by the paths of its settings.

use std::borrow::Cow;
use std::collections::BTreeMap;

use calotype_domain::config::SETTINGS;
use calotype_domain::config::shape::{Kind, at, put};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::system_config::kind_schema;

/// What everybody may know: what is needed to log in.
const PUBLIC: &[&str] = &[
    "oauth.autoLaunch",
    "oauth.buttonText",
    "oauth.enabled",
    "passwordLogin.enabled",
    "server.loginPageMessage",
    "theme.customCss",
];
/// What people may know who are logged in.
const USER: &[&str] = &[
    "ffmpeg.realtime.enabled",
    "ffmpeg.realtime.resolutions",
    "ffmpeg.realtime.videoCodecs",
    "image.fullsize.enabled",
    "image.preview.size",
    "image.thumbnail.size",
    "machineLearning.clip.enabled",
    "machineLearning.duplicateDetection.enabled",
    "machineLearning.enabled",
    "machineLearning.facialRecognition.enabled",
    "machineLearning.facialRecognition.minFaces",
    "machineLearning.ocr.enabled",
    "map.darkStyle",
    "map.enabled",
    "map.lightStyle",
    "oauth.autoLaunch",
    "oauth.buttonText",
    "oauth.enabled",
    "passwordLogin.enabled",
    "reverseGeocoding.enabled",
    "server.externalDomain",
    "server.loginPageMessage",
    "server.publicUsers",
    "theme.customCss",
    "trash.days",
    "trash.enabled",
    "user.deleteDelay",
];

/// Cuts settings out of the whole document.
fn cut(document: &Value, paths: &[&str]) -> Value {
    let mut part = Value::Object(Map::new());
    for path in paths {
        if let Some(value) = at(document, path) {
            put(&mut part, path, value.clone());
        }
    }
    part
}

/// The shape of what is cut out; groups are written out where they are.
fn shape(paths: &[&str]) -> RefOr<Schema> {
    let settings = SETTINGS.settings();
    let known: Vec<(Vec<&str>, &'static Kind)> = paths
        .iter()
        .filter_map(|path| Some((path.split('.').collect(), *settings.get(*path)?)))
        .collect();
    group(&known)
}

fn group(settings: &[(Vec<&str>, &'static Kind)]) -> RefOr<Schema> {
    let mut members: BTreeMap<&str, Vec<(Vec<&str>, &'static Kind)>> = BTreeMap::new();
    for (path, kind) in settings {
        if let Some((name, rest)) = path.split_first() {
            members.entry(name).or_default().push((rest.to_vec(), kind));
        }
    }
    let mut object = ObjectBuilder::new().schema_type(Type::Object);
    for (name, inside) in members {
        let schema = match inside.as_slice() {
            [(rest, kind)] if rest.is_empty() => kind_schema(kind),
            _ => group(&inside),
        };
        object = object.property(name, schema).required(name);
    }
    RefOr::T(object.build().into())
}

macro_rules! view {
    ($(#[$doc:meta])* $name:ident, $paths:ident) => {
        $(#[$doc])*
        #[derive(Serialize)]
        #[serde(transparent)]
        pub(super) struct $name(Value);

        impl $name {
            /// Of the whole configuration.
            pub(super) fn of(document: &Value) -> Self {
                Self(cut(document, $paths))
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                shape($paths)
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    };
}

view!(
    /// What everybody may know.
    PublicConfigDto,
    PUBLIC
);
view!(
    /// What people may know who are logged in.
    UserConfigDto,
    USER
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_hold_settings_that_there_are_and_no_secrets() {
        let settings = SETTINGS.settings();
        for path in PUBLIC.iter().chain(USER) {
            assert!(settings.contains_key(*path), "{path}");
            let name = path.rsplit('.').next().unwrap().to_lowercase();
            assert!(!name.contains("secret") && !name.contains("password"), "{path}");
        }
        let PublicConfigDto(public) = PublicConfigDto::of(&SETTINGS.defaults());
        assert_eq!(public["passwordLogin"]["enabled"], true);
        assert!(public.get("trash").is_none(), "{public}");
    }
}
