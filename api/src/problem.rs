//! Every error to a status and Immich's error body, in one place.
//!
//! The body is `{"message": …}` and, for validation, `errors` with Zod's issues; nothing else.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use calotype_commands::CommandError;
use calotype_commands::faces::TagError;
use calotype_commands::shared_links::LinkError;
use calotype_commands::users::AccountError;
use calotype_domain::access::Denied;
use calotype_domain::activity::ActivityError;
use calotype_domain::album::AlbumError;
use calotype_domain::api_key::ApiKeyError;
use calotype_domain::asset::AssetError;
use calotype_domain::config::ConfigError;
use calotype_domain::faces::FacesError;
use calotype_domain::hold::{Held, HoldError};
use calotype_domain::integrity::IntegrityError;
use calotype_domain::notification::NotificationError;
use calotype_domain::partner::PartnerError;
use calotype_domain::permission::Permission;
use calotype_domain::person::PersonError;
use calotype_domain::queue::QueueError;
use calotype_domain::session::SessionError;
use calotype_domain::shared_link::SharedLinkError;
use calotype_domain::user::UserError;
use calotype_media::blob::BlobError;
use calotype_projections::ProjectionError;
use serde_json::{Value, json};

/// How a request failed, with all that the client hears.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    message: String,
    errors: Option<Vec<Value>>,
    retry_after_s: Option<u32>,
}

impl Problem {
    /// Any status with a message.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), errors: None, retry_after_s: None }
    }

    /// 400 with a message.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 401 with a message.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
    }

    /// 403 with a message.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// 404 with a message.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// 400 `Not found or no <permission> access`: Immich does not say which of the two.
    #[must_use]
    pub fn no_access(permission: Permission) -> Self {
        Self::bad_request(format!("Not found or no {} access", permission.as_str()))
    }

    /// 400 `Validation failed` with Zod's issues.
    #[must_use]
    pub fn validation(issues: Vec<Value>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            message: "Validation failed".into(),
            errors: Some(issues),
            retry_after_s: None,
        }
    }

    /// 503 with `Retry-After`.
    #[must_use]
    pub fn unavailable() -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            message: "The server cannot do this right now".into(),
            errors: None,
            retry_after_s: Some(2),
        }
    }

    /// 503 with a message and `Retry-After`.
    pub fn unavailable_for(message: impl Into<String>, retry_after_s: u32) -> Self {
        Self {
            retry_after_s: Some(retry_after_s),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
        }
    }

    /// 429 with `Retry-After`.
    pub fn too_many(message: impl Into<String>, retry_after_s: u32) -> Self {
        Self {
            retry_after_s: Some(retry_after_s),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, message)
        }
    }

    /// 500, logged here once with its whole chain; 503 where the bucket that blobs lie in is out of reach.
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        if is_bucket_away(error) {
            tracing::error!(error, "the bucket is out of reach");
            return Self::unavailable();
        }
        tracing::error!(error, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")
    }

    /// What the client hears.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The status it answers with.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }
}

/// Whether an error is the bucket's, or wraps one that is.
fn is_bucket_away(error: &(dyn std::error::Error + 'static)) -> bool {
    if let Some(error) = error.downcast_ref::<BlobError>() {
        return error.is_away();
    }
    // An error of reading and writing tells the cause of what it wraps, and not that itself.
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    match wrapped {
        Some(wrapped) => is_bucket_away(wrapped),
        None => error.source().is_some_and(is_bucket_away),
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({ "message": self.message });
        if let (Some(errors), Some(object)) = (self.errors, body.as_object_mut()) {
            object.insert("errors".into(), Value::Array(errors));
        }
        let mut response = (self.status, Json(body)).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<ProjectionError> for Problem {
    fn from(error: ProjectionError) -> Self {
        match &error {
            ProjectionError::Database(_) | ProjectionError::Store(_) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the database is out of reach"
                );
                Self::unavailable()
            }
            ProjectionError::TakesAway { .. } => Self::bad_request(error.to_string()),
            _ => Self::internal(&error),
        }
    }
}

impl Problem {
    /// What the caller may not do, in Immich's words.
    #[must_use]
    pub fn denied(denied: Denied, permission: Permission) -> Self {
        match denied {
            Denied::MissingPermission(missing) => {
                Self::forbidden(format!("Missing required permission: {}", missing.as_str()))
            }
            Denied::NotAdmin | Denied::NotForLinks => Self::forbidden("Forbidden"),
            Denied::NoAccess => Self::no_access(permission),
            Denied::NotElevated => Self::unauthorized("Elevated permission is required"),
        }
    }

    /// 409 for what is under a legal hold.
    #[must_use]
    pub fn held(held: Held) -> Self {
        let message =
            format!("Not deleted: under a legal hold of the {} {}", held.kind(), held.id());
        Self::new(StatusCode::CONFLICT, message)
    }

    /// A command that did not happen, with the refusal's own answer.
    pub fn command<E: std::error::Error + 'static>(
        error: CommandError<E>,
        refused: impl FnOnce(E) -> Self,
    ) -> Self {
        match error {
            CommandError::Refused(refusal) => refused(refusal),
            CommandError::Contended => {
                Self::new(StatusCode::CONFLICT, "Somebody else is changing this right now")
            }
            CommandError::Read(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the log is out of reach"
                );
                Self::unavailable()
            }
            CommandError::Append(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "an append failed");
                Self::unavailable()
            }
            error @ (CommandError::Decode(_) | CommandError::Password) => Self::internal(&error),
        }
    }
}

impl From<CommandError<AccountError>> for Problem {
    fn from(error: CommandError<AccountError>) -> Self {
        Self::command(error, |refusal| match refusal {
            AccountError::EmailTaken | AccountError::User(UserError::AlreadyExists) => {
                Self::bad_request("User exists")
            }
            AccountError::User(UserError::PinExists) => {
                Self::bad_request("User already has a PIN code")
            }
            AccountError::User(UserError::NoPin) => {
                Self::bad_request("User does not have a PIN code")
            }
            AccountError::User(UserError::NotFound) => Self::bad_request("User not found"),
            AccountError::User(UserError::NotDeleted) => Self::bad_request("User is not deleted"),
            AccountError::User(UserError::Held(held)) => Self::held(held),
            AccountError::LabelTaken => {
                Self::bad_request("Storage label already in use by another account")
            }
            AccountError::User(UserError::BadLicense) => Self::bad_request("Invalid license key"),
            AccountError::SetUpDone => Self::bad_request("The server already has an admin"),
        })
    }
}

impl From<CommandError<IntegrityError>> for Problem {
    fn from(error: CommandError<IntegrityError>) -> Self {
        Self::command(error, |refusal| match refusal {})
    }
}

impl From<CommandError<SessionError>> for Problem {
    fn from(error: CommandError<SessionError>) -> Self {
        Self::command(error, |_| Self::no_access(Permission::SessionUpdate))
    }
}

impl From<CommandError<ApiKeyError>> for Problem {
    fn from(error: CommandError<ApiKeyError>) -> Self {
        Self::command(error, |_| Self::bad_request("API Key not found"))
    }
}

impl From<CommandError<AssetError>> for Problem {
    fn from(error: CommandError<AssetError>) -> Self {
        Self::command(error, |refusal| match refusal {
            AssetError::NotFound
            | AssetError::NotOwner { .. }
            | AssetError::NotTrashed
            | AssetError::AlreadyExists => Self::no_access(Permission::AssetUpdate),
            AssetError::BadKeyValue => {
                Self::bad_request("The value does not fit what may be kept with an asset")
            }
            AssetError::CannotEdit(refusal) => Self::bad_request(refusal.to_string()),
            AssetError::Held(held) => Self::held(held),
            AssetError::BadRating { .. } => Self::bad_request("Rating must be -1 or 1 to 5"),
        })
    }
}

impl From<CommandError<AlbumError>> for Problem {
    fn from(error: CommandError<AlbumError>) -> Self {
        Self::command(error, |refusal| match refusal {
            AlbumError::NotFound | AlbumError::AlreadyExists => {
                Self::no_access(Permission::AlbumRead)
            }
            AlbumError::NoAccess(permission) => Self::no_access(permission),
            AlbumError::HasNoPart(_) => Self::bad_request("Album not shared with user"),
            AlbumError::LastOwner => Self::bad_request("Cannot remove album owner"),
            AlbumError::CoverNotInside => Self::bad_request("Invalid album thumbnail"),
        })
    }
}

impl From<CommandError<ConfigError>> for Problem {
    fn from(error: CommandError<ConfigError>) -> Self {
        Self::command(error, |refusal| match refusal {
            ConfigError::BadLicense => Self::bad_request("Invalid license key"),
            ConfigError::Invalid { .. } | ConfigError::Template(_) => {
                Self::bad_request(refusal.to_string())
            }
            ConfigError::NothingToRollBack => {
                Self::new(StatusCode::CONFLICT, "There is no switch of this model to roll back")
            }
        })
    }
}

impl From<CommandError<PersonError>> for Problem {
    fn from(error: CommandError<PersonError>) -> Self {
        Self::command(error, |refusal| match refusal {
            PersonError::NotFound | PersonError::NotOwner { .. } | PersonError::AlreadyExists => {
                Self::no_access(Permission::PersonUpdate)
            }
            PersonError::BirthDateInFuture => {
                Self::bad_request("Birth date cannot be in the future")
            }
            PersonError::MergedWithThemselves => {
                Self::bad_request("Cannot merge a person into themselves")
            }
            PersonError::NotTheirFace => Self::bad_request("Invalid assetId for feature face"),
        })
    }
}

impl From<CommandError<PartnerError>> for Problem {
    fn from(error: CommandError<PartnerError>) -> Self {
        Self::command(error, |refusal| match refusal {
            PartnerError::NotFound => Self::bad_request("Partner not found"),
            PartnerError::AlreadyExists => Self::bad_request("Partner already exists"),
            PartnerError::Oneself => Self::bad_request("Cannot share with yourself"),
        })
    }
}

impl From<CommandError<TagError>> for Problem {
    fn from(error: CommandError<TagError>) -> Self {
        Self::command(error, |refusal| match refusal {
            TagError::Photo(_) => Self::no_access(Permission::AssetUpdate),
            TagError::Person(_) => Self::no_access(Permission::PersonUpdate),
            TagError::Face(FacesError::NotFound | FacesError::AlreadyExists) => {
                Self::no_access(Permission::FaceUpdate)
            }
            TagError::Face(FacesError::BadArea) => Self::bad_request("Face is not on the photo"),
            TagError::Face(FacesError::TooMany) => {
                Self::bad_request("The photo has too many faces")
            }
        })
    }
}

impl From<CommandError<LinkError>> for Problem {
    fn from(error: CommandError<LinkError>) -> Self {
        Self::command(error, |refusal| match refusal {
            LinkError::SlugTaken => Self::bad_request("Shared link with this slug already exists"),
            LinkError::Link(SharedLinkError::NotFound | SharedLinkError::AlreadyExists) => {
                Self::bad_request("Shared link not found")
            }
            LinkError::Link(SharedLinkError::NoAssets) => Self::bad_request("Invalid assetIds"),
            LinkError::Link(SharedLinkError::TooManyAssets) => {
                Self::bad_request("Too many assets for one shared link")
            }
            LinkError::Link(SharedLinkError::AlreadyOver) => {
                Self::bad_request("The expiration date lies in the past")
            }
            LinkError::Link(SharedLinkError::ShowsAlbum) => {
                Self::bad_request("Invalid shared link type")
            }
        })
    }
}

impl From<CommandError<ActivityError>> for Problem {
    fn from(error: CommandError<ActivityError>) -> Self {
        Self::command(error, |_| Self::no_access(Permission::ActivityDelete))
    }
}

impl From<CommandError<NotificationError>> for Problem {
    fn from(error: CommandError<NotificationError>) -> Self {
        Self::command(error, |_| Self::no_access(Permission::NotificationUpdate))
    }
}

impl From<CommandError<HoldError>> for Problem {
    fn from(error: CommandError<HoldError>) -> Self {
        Self::command(error, |refusal| match refusal {
            HoldError::NotFound => Self::not_found("There is no such asset or user"),
            HoldError::NotHeld => Self::not_found("It is not under a legal hold"),
            HoldError::TooMany | HoldError::NoReason => Self::bad_request(refusal.to_string()),
        })
    }
}

impl From<CommandError<QueueError>> for Problem {
    fn from(error: CommandError<QueueError>) -> Self {
        Self::command(error, |refusal| match refusal {})
    }
}
