//! A key with permissions, for programs that act for a person.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::{Aggregate, cqrs_aggregate, events};
use crate::id::UserId;
use crate::permission::Permission;
use crate::sealed::Sealed;
use crate::undo::way::{Row, never};

/// A key was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApiKeyCreated {
    /// For whom it acts.
    pub user_id: UserId,
    /// SHA-256 of the secret, lower-case hex. The secret itself is nowhere.
    pub secret_sha256: String,
    /// What the person calls it.
    pub name: Sealed<String>,
    /// What it may do.
    pub permissions: Vec<Permission>,
}

/// The person calls it something else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApiKeyRenamed {
    /// The new name.
    pub name: Sealed<String>,
}

/// What it may do changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApiKeyPermissionsChanged {
    /// What it may do now.
    pub permissions: Vec<Permission>,
}

/// Another secret opens it; the former one opens nothing any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApiKeyRotated {
    /// SHA-256 of the new secret, lower-case hex.
    pub secret_sha256: String,
}

/// It opens nothing any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApiKeyRevoked {}

/// Version 2 knows `calotype.audit`; what version 1 says means the same.
fn more_permissions(payload: Value) -> Value {
    payload
}

/// How events of keys go back: not at all.
pub(crate) const WAYS: &[Row] = &[
    never("ApiKeyCreated", "key", OPENS),
    never("ApiKeyPermissionsChanged", "key", OPENS),
    never("ApiKeyRenamed", "key", OPENS),
    never("ApiKeyRevoked", "key", OPENS),
    never("ApiKeyRotated", "key", OPENS),
];
const OPENS: &str = "Keys open things: make, change or delete one by hand";

events! {
    /// Everything that can have happened to a key.
    ApiKeyEvent for "api_key" {
        Created(ApiKeyCreated) 2 [more_permissions],
        PermissionsChanged(ApiKeyPermissionsChanged) 2 [more_permissions],
        Renamed(ApiKeyRenamed) 1,
        Revoked(ApiKeyRevoked) 1,
        Rotated(ApiKeyRotated) 1,
    }
}

/// A wish about one key.
#[derive(Clone, Debug, PartialEq)]
pub enum ApiKeyCommand {
    /// Make it.
    Create(ApiKeyCreated),
    /// Change name or permissions; `None` leaves a thing as it is.
    Change {
        /// Who wishes it.
        by: UserId,
        /// The new name.
        name: Option<String>,
        /// The new permissions.
        permissions: Option<Vec<Permission>>,
    },
    /// Let another secret open it.
    Rotate {
        /// Who wishes it.
        by: UserId,
        /// SHA-256 of the new secret, lower-case hex.
        secret_sha256: String,
    },
    /// Make it open nothing.
    Revoke {
        /// Who wishes it.
        by: UserId,
    },
}

/// Why a wish about a key was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyError {
    /// It was never made, is revoked, or is somebody else's.
    #[error("API key does not exist")]
    NotFound,
    /// It was made before.
    #[error("API key exists already")]
    AlreadyExists,
}

/// A key, folded from its events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ApiKey {
    user_id: Option<UserId>,
    name: Option<String>,
    permissions: Vec<Permission>,
    revoked: bool,
}

impl Aggregate for ApiKey {
    type Command = ApiKeyCommand;
    type Event = ApiKeyEvent;
    type Error = ApiKeyError;

    fn decide(&self, command: &ApiKeyCommand) -> Result<Vec<ApiKeyEvent>, ApiKeyError> {
        match command {
            ApiKeyCommand::Create(_) if self.user_id.is_some() => Err(ApiKeyError::AlreadyExists),
            ApiKeyCommand::Create(created) => Ok(vec![created.clone().into()]),
            ApiKeyCommand::Change { by, .. }
            | ApiKeyCommand::Rotate { by, .. }
            | ApiKeyCommand::Revoke { by }
                if self.revoked || self.user_id != Some(*by) =>
            {
                Err(ApiKeyError::NotFound)
            }
            ApiKeyCommand::Change { name, permissions, .. } => {
                let mut events: Vec<ApiKeyEvent> = Vec::new();
                if let Some(name) = name
                    && self.name.as_ref() != Some(name)
                {
                    events.push(ApiKeyRenamed { name: name.clone().into() }.into());
                }
                if let Some(permissions) = permissions
                    && *permissions != self.permissions
                {
                    events
                        .push(ApiKeyPermissionsChanged { permissions: permissions.clone() }.into());
                }
                Ok(events)
            }
            ApiKeyCommand::Rotate { secret_sha256, .. } => {
                Ok(vec![ApiKeyRotated { secret_sha256: secret_sha256.clone() }.into()])
            }
            ApiKeyCommand::Revoke { .. } => Ok(vec![ApiKeyRevoked {}.into()]),
        }
    }

    fn evolve(&mut self, event: &ApiKeyEvent) {
        match event {
            ApiKeyEvent::Created(created) => {
                self.user_id = Some(created.user_id);
                self.name = created.name.known().cloned();
                self.permissions.clone_from(&created.permissions);
            }
            ApiKeyEvent::Renamed(renamed) => self.name = renamed.name.known().cloned(),
            ApiKeyEvent::PermissionsChanged(changed) => {
                self.permissions.clone_from(&changed.permissions);
            }
            // Which secret opens it is asked of the read model.
            ApiKeyEvent::Rotated(_) => {}
            ApiKeyEvent::Revoked(ApiKeyRevoked {}) => self.revoked = true,
        }
    }
}

cqrs_aggregate!(ApiKey, ApiKeyCommand, ApiKeyEvent, ApiKeyError);

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use uuid::Uuid;

    use super::*;

    const OWNER: UserId = UserId::new(Uuid::from_u128(1));
    const STRANGER: UserId = UserId::new(Uuid::from_u128(2));

    fn created() -> ApiKeyEvent {
        ApiKeyCreated {
            user_id: OWNER,
            secret_sha256: "00".into(),
            name: "cli".to_owned().into(),
            permissions: vec![Permission::All],
        }
        .into()
    }

    #[test]
    fn stranger_sees_no_key() {
        TestFramework::<ApiKey>::with(())
            .given(vec![created()])
            .when(ApiKeyCommand::Revoke { by: STRANGER })
            .then_expect_error(ApiKeyError::NotFound);
    }

    #[test]
    fn only_its_owner_rotates_a_key() {
        let rotate = |by| ApiKeyCommand::Rotate { by, secret_sha256: "01".into() };
        TestFramework::<ApiKey>::with(())
            .given(vec![created()])
            .when(rotate(OWNER))
            .then_expect_events(vec![ApiKeyRotated { secret_sha256: "01".into() }.into()]);
        TestFramework::<ApiKey>::with(())
            .given(vec![created()])
            .when(rotate(STRANGER))
            .then_expect_error(ApiKeyError::NotFound);
    }

    #[test]
    fn same_name_again_changes_nothing() {
        TestFramework::<ApiKey>::with(())
            .given(vec![created()])
            .when(ApiKeyCommand::Change { by: OWNER, name: Some("cli".into()), permissions: None })
            .then_expect_events(vec![]);
    }

    #[test]
    fn revoked_key_is_not_found() {
        TestFramework::<ApiKey>::with(())
            .given(vec![created(), ApiKeyRevoked {}.into()])
            .when(ApiKeyCommand::Revoke { by: OWNER })
            .then_expect_error(ApiKeyError::NotFound);
    }
}
