//! A tag as Immich's REST API shows it, and the checks that operations on tags share.

use calotype_commands::CommandError;
use calotype_domain::permission::Permission;
use calotype_domain::tag::TagError;
use calotype_projections::tags::TagRow;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::caller::Caller;
use crate::dates;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// The pattern Immich names for a colour.
const COLOR_PATTERN: &str = "/^#?([0-9A-Fa-f]{3}|[0-9A-Fa-f]{4}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})$/";

/// A tag.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TagResponseDto {
    id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<Uuid>,
    name: String,
    value: String,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<String>,
}

impl TagResponseDto {
    /// As the page of an asset shows it: dates in the database's spelling.
    pub(crate) fn nested(row: TagRow) -> Self {
        Self::spelled(row, dates::postgres)
    }

    fn spelled(row: TagRow, date: impl Fn(DateTime<Utc>) -> String) -> Self {
        Self {
            id: row.tag_id,
            parent_id: row.parent_id,
            name: row.name().to_owned(),
            created_at: date(row.created_at),
            updated_at: date(row.updated_at),
            color: row.color,
            value: row.value,
        }
    }
}

impl From<TagRow> for TagResponseDto {
    fn from(row: TagRow) -> Self {
        Self::spelled(row, dates::iso)
    }
}

/// One tag that the caller may use for `permission`.
///
/// # Errors
/// 400 `Not found or no … access`.
pub(super) async fn own_one(
    api: &Api,
    caller: &Caller,
    permission: Permission,
    tag_id: Uuid,
) -> Result<TagRow, Problem> {
    let tag = api.queries.tags(&[tag_id]).await?.into_iter().next();
    caller.require_owned(permission, tag.as_ref().map(|tag| tag.owner_id))?;
    tag.ok_or_else(|| Problem::no_access(permission))
}

/// A colour: `None` when the field is missing, `Some(None)` when it is `null`.
pub(super) fn color(fields: &mut Fields) -> Option<Option<String>> {
    if fields.is_null("color") {
        return Some(None);
    }
    let text = fields.string("color")?;
    let digits = text.strip_prefix('#').unwrap_or(&text);
    let fits = matches!(digits.len(), 3 | 4 | 6 | 8)
        && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !fits {
        fields.issue(json!({
            "origin": "string", "code": "invalid_format", "format": "regex",
            "pattern": COLOR_PATTERN, "path": ["color"],
            "message": format!("Invalid string: must match pattern {COLOR_PATTERN}")
        }));
        return None;
    }
    Some(Some(format!("#{digits}")))
}

impl From<CommandError<TagError>> for Problem {
    fn from(error: CommandError<TagError>) -> Self {
        Self::command(error, |refusal| match refusal {
            TagError::NotFound => Self::no_access(Permission::TagUpdate),
            TagError::AlreadyExists => Self::bad_request("A tag with that name already exists"),
            TagError::BadValue => Self::bad_request("The name of the tag is empty or too long"),
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::*;

    #[test]
    fn colour_is_kept_with_its_sign() {
        let read = |body: &'static str| {
            let mut fields = Fields::json(&Bytes::from_static(body.as_bytes())).unwrap();
            let color = color(&mut fields);
            fields.finish().map(|()| color)
        };
        assert_eq!(read("{}").unwrap(), None);
        assert_eq!(read(r#"{"color":null}"#).unwrap(), Some(None));
        assert_eq!(read(r##"{"color":"#Fa0"}"##).unwrap(), Some(Some("#Fa0".into())));
        assert_eq!(read(r#"{"color":"ffaa00"}"#).unwrap(), Some(Some("#ffaa00".into())));
        read(r#"{"color":"red"}"#).unwrap_err();
        read(r#"{"color":"\u00e9\u00e9"}"#).unwrap_err();
    }
}
