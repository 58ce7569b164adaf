//! Every setting there is: its name, what it may be, and what it is when nobody says otherwise.
//!
//! Names, limits and defaults are those of Immich 3.1, in the order in which it writes them. Two defaults
//! differ: nobody looks for newer versions, and nothing is said about models by the environment.

mod machine;
mod media;
mod people;
mod server;
mod work;

use super::shape::{Group, Kind, field};

/// The whole configuration.
pub const SETTINGS: Group = Group {
    schema: "SystemConfigDto",
    fields: &[
        field("backup", Kind::Group(&work::BACKUPS)),
        field("ffmpeg", Kind::Group(&media::FFMPEG)),
        field("integrityChecks", Kind::Group(&work::INTEGRITY_CHECKS)),
        field("job", Kind::Group(&work::JOB)),
        field("logging", Kind::Group(&server::LOGGING)),
        field("machineLearning", Kind::Group(&machine::MACHINE_LEARNING)),
        field("map", Kind::Group(&machine::MAP)),
        field("reverseGeocoding", Kind::Group(&machine::REVERSE_GEOCODING)),
        field("metadata", Kind::Group(&machine::METADATA)),
        field("oauth", Kind::Group(&people::OAUTH)),
        field("passwordLogin", Kind::Group(&people::PASSWORD_LOGIN)),
        field("storageTemplate", Kind::Group(&server::STORAGE_TEMPLATE)),
        field("image", Kind::Group(&media::IMAGE)),
        field("newVersionCheck", Kind::Group(&server::NEW_VERSION_CHECK)),
        field("nightlyTasks", Kind::Group(&work::NIGHTLY_TASKS)),
        field("trash", Kind::Group(&people::TRASH)),
        field("theme", Kind::Group(&server::THEME)),
        field("library", Kind::Group(&work::LIBRARY)),
        field("server", Kind::Group(&server::SERVER)),
        field("notifications", Kind::Group(&people::NOTIFICATIONS)),
        field("templates", Kind::Group(&people::TEMPLATES)),
        field("user", Kind::Group(&people::USER)),
    ],
};
