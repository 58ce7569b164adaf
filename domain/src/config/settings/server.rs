//! Settings of the server itself.

use crate::config::shape::{Group, Kind, Words, field};

const LOG_LEVEL: Words =
    Words { schema: "LogLevel", all: &["verbose", "debug", "log", "warn", "error", "fatal"] };
const RELEASE_CHANNEL: Words =
    Words { schema: "ReleaseChannel", all: &["stable", "releaseCandidate"] };

pub(super) const LOGGING: Group = Group {
    schema: "SystemConfigLoggingDto",
    fields: &[field("enabled", Kind::Bool(true)), field("level", Kind::Word(&LOG_LEVEL, "log"))],
};

pub(super) const STORAGE_TEMPLATE: Group = Group {
    schema: "SystemConfigStorageTemplateDto",
    fields: &[
        field("enabled", Kind::Bool(false)),
        field("hashVerificationEnabled", Kind::Bool(true)),
        field("template", Kind::Text("{{y}}/{{y}}-{{MM}}-{{dd}}/{{filename}}")),
    ],
};

pub(super) const NEW_VERSION_CHECK: Group = Group {
    schema: "SystemConfigNewVersionCheckDto",
    fields: &[
        field("enabled", Kind::Bool(false)),
        field("channel", Kind::Word(&RELEASE_CHANNEL, "stable")),
    ],
};

pub(super) const THEME: Group =
    Group { schema: "SystemConfigThemeDto", fields: &[field("customCss", Kind::Text(""))] };

pub(super) const SERVER: Group = Group {
    schema: "SystemConfigServerDto",
    fields: &[
        field("externalDomain", Kind::Private),
        field("loginPageMessage", Kind::Private),
        field("publicUsers", Kind::Bool(true)),
    ],
};
