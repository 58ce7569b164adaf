//! A key as clients see it, and the permissions a client names.

use calotype_domain::access::Grant;
use calotype_domain::permission::{Permission, covers};
use calotype_projections::api_keys::ApiKeyRow;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::caller::Caller;
use crate::dates;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, wrong_type};

/// One key, without its secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiKeyResponseDto {
    id: Uuid,
    name: String,
    created_at: String,
    updated_at: String,
    permissions: Vec<String>,
}

impl From<ApiKeyRow> for ApiKeyResponseDto {
    fn from(row: ApiKeyRow) -> Self {
        Self {
            id: row.api_key_id,
            name: row.name,
            created_at: dates::iso(row.created_at),
            updated_at: dates::iso(row.updated_at),
            permissions: row.permissions,
        }
    }
}

/// One of the caller's keys.
pub(super) async fn own_one(
    api: &Api,
    caller: &Caller,
    api_key_id: Uuid,
) -> Result<ApiKeyRow, Problem> {
    api.queries
        .api_keys_of(caller.user_id().uuid())
        .await?
        .into_iter()
        .find(|row| row.api_key_id == api_key_id)
        .ok_or_else(|| Problem::bad_request("API Key not found"))
}

/// The list of permissions of a body, when it is there; at least one, each once.
pub(super) fn permissions(fields: &mut Fields) -> Option<Vec<Permission>> {
    const NAME: &str = "permissions";
    let values = match fields.take(NAME)? {
        Value::Array(values) => values,
        other => {
            fields.issue(wrong_type("array", Some(&other), &[NAME]));
            return None;
        }
    };
    if values.is_empty() {
        fields.issue(json!({
            "origin": "array", "code": "too_small", "minimum": 1, "inclusive": true,
            "path": [NAME], "message": "Too small: expected array to have >=1 items"
        }));
    }
    let mut permissions = Vec::new();
    for (index, value) in values.iter().enumerate() {
        match value.as_str().and_then(|word| word.parse::<Permission>().ok()) {
            Some(permission) if !permissions.contains(&permission) => permissions.push(permission),
            Some(_) => {}
            None => fields.issue(not_a_permission(index)),
        }
    }
    Some(permissions)
}

fn not_a_permission(index: usize) -> Value {
    // In Immich's words, which name none of ours.
    let words: Vec<&str> = Permission::ALL.iter().map(|permission| permission.as_str()).collect();
    let listed: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    json!({
        "code": "invalid_value", "values": words, "path": ["permissions", index],
        "message": format!("Invalid option: expected one of {}", listed.join("|"))
    })
}

/// A key cannot hand on more than it holds; a session may hand on everything.
pub(super) fn require_grantable(caller: &Caller, wanted: &[Permission]) -> Result<(), Problem> {
    match &caller.viewer().grant {
        Grant::ApiKey { permissions } if !covers(permissions, wanted) => {
            Err(Problem::bad_request("Cannot grant permissions you do not have"))
        }
        Grant::ApiKey { .. } | Grant::Session { .. } => Ok(()),
        Grant::SharedLink { .. } => Err(Problem::forbidden("Forbidden")),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::*;

    fn parse(body: &'static str) -> (Option<Vec<Permission>>, bool) {
        let mut fields = Fields::json(&Bytes::from_static(body.as_bytes())).unwrap();
        let permissions = permissions(&mut fields);
        (permissions, fields.finish().is_ok())
    }

    #[test]
    fn known_permissions_are_taken_once() {
        assert_eq!(
            parse(r#"{"permissions":["asset.read","asset.read"]}"#),
            (Some(vec![Permission::AssetRead]), true)
        );
    }

    #[test]
    fn empty_and_unknown_lists_are_refused() {
        assert!(!parse(r#"{"permissions":[]}"#).1);
        assert!(!parse(r#"{"permissions":["asset.fly"]}"#).1);
        assert!(!parse(r#"{"permissions":"all"}"#).1);
    }
}
