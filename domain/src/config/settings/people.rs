//! Settings of accounts, logins and mail.

use crate::config::shape::{Group, Kind, SAFE_MAX, Words, field};

const OAUTH_TOKEN_ENDPOINT_AUTH_METHOD: Words = Words {
    schema: "OAuthTokenEndpointAuthMethod",
    all: &["client_secret_post", "client_secret_basic"],
};

pub(super) const OAUTH: Group = Group {
    schema: "SystemConfigOAuthDto",
    fields: &[
        field("autoLaunch", Kind::Bool(false)),
        field("autoRegister", Kind::Bool(true)),
        field("buttonText", Kind::Text("Login with OAuth")),
        field("clientId", Kind::Private),
        field("clientSecret", Kind::Private),
        field("defaultStorageQuota", Kind::NullableInt(0, SAFE_MAX)),
        field("enabled", Kind::Bool(false)),
        field("issuerUrl", Kind::Text("")),
        field("endSessionEndpoint", Kind::Text("")),
        field("mobileOverrideEnabled", Kind::Bool(false)),
        field("mobileRedirectUri", Kind::Text("")),
        field("prompt", Kind::Text("")),
        field("scope", Kind::Text("openid email profile")),
        field("signingAlgorithm", Kind::Text("RS256")),
        field("profileSigningAlgorithm", Kind::Text("none")),
        field("storageLabelClaim", Kind::Text("preferred_username")),
        field("storageQuotaClaim", Kind::Text("immich_quota")),
        field("roleClaim", Kind::Text("immich_role")),
        field(
            "tokenEndpointAuthMethod",
            Kind::Word(&OAUTH_TOKEN_ENDPOINT_AUTH_METHOD, "client_secret_post"),
        ),
        field("timeout", Kind::Int(1, SAFE_MAX, 30_000)),
        field("allowInsecureRequests", Kind::Bool(false)),
    ],
};

pub(super) const PASSWORD_LOGIN: Group =
    Group { schema: "SystemConfigPasswordLoginDto", fields: &[field("enabled", Kind::Bool(true))] };

pub(super) const TRASH: Group = Group {
    schema: "SystemConfigTrashDto",
    fields: &[field("enabled", Kind::Bool(true)), field("days", Kind::Int(0, SAFE_MAX, 30))],
};

const SMTP_TRANSPORT: Group = Group {
    schema: "SystemConfigSmtpTransportDto",
    fields: &[
        field("ignoreCert", Kind::Bool(false)),
        field("host", Kind::Private),
        field("port", Kind::Int(0, 65535, 587)),
        field("secure", Kind::Bool(false)),
        field("username", Kind::Private),
        field("password", Kind::Private),
    ],
};

const SMTP: Group = Group {
    schema: "SystemConfigSmtpDto",
    fields: &[
        field("enabled", Kind::Bool(false)),
        field("from", Kind::Private),
        field("replyTo", Kind::Private),
        field("transport", Kind::Group(&SMTP_TRANSPORT)),
    ],
};

pub(super) const NOTIFICATIONS: Group =
    Group { schema: "SystemConfigNotificationsDto", fields: &[field("smtp", Kind::Group(&SMTP))] };

const TEMPLATE_EMAILS: Group = Group {
    schema: "SystemConfigTemplateEmailsDto",
    fields: &[
        field("welcomeTemplate", Kind::Private),
        field("albumInviteTemplate", Kind::Private),
        field("albumUpdateTemplate", Kind::Private),
    ],
};

pub(super) const TEMPLATES: Group = Group {
    schema: "SystemConfigTemplatesDto",
    fields: &[field("email", Kind::Group(&TEMPLATE_EMAILS))],
};

pub(super) const USER: Group = Group {
    schema: "SystemConfigUserDto",
    fields: &[field("deleteDelay", Kind::Int(1, SAFE_MAX, 7))],
};
