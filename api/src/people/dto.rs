//! A person as Immich's REST API shows them, and what operations on people share.

use calotype_domain::permission::Permission;
use calotype_projections::people::PersonRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::caller::Caller;
use crate::dates;
use crate::problem::Problem;
use crate::state::Api;

/// One person.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PersonResponseDto {
    id: Uuid,
    name: String,
    #[schema(required)]
    birth_date: Option<String>,
    thumbnail_path: String,
    is_hidden: bool,
    is_favorite: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<String>,
    updated_at: String,
}

impl From<PersonRow> for PersonResponseDto {
    fn from(row: PersonRow) -> Self {
        Self {
            id: row.person_id,
            name: row.name,
            birth_date: row.birth_date.map(|birth_date| birth_date.to_string()),
            thumbnail_path: row.thumbnail_key.map(|key| format!("/data/{key}")).unwrap_or_default(),
            is_hidden: row.is_hidden,
            is_favorite: row.is_favorite,
            color: row.color,
            updated_at: dates::iso(row.updated_at),
        }
    }
}

/// What became of one of several.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = BulkIdResponseDto)]
pub(super) struct DoneDto {
    id: Uuid,
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

impl DoneDto {
    /// It was done.
    pub(super) const fn done(id: Uuid) -> Self {
        Self { id, success: true, error: None }
    }

    /// It was not, in one of Immich's words.
    pub(super) const fn failed(id: Uuid, error: &'static str) -> Self {
        Self { id, success: false, error: Some(error) }
    }
}

/// A person in the caller's library.
///
/// # Errors
/// 400 `Not found or no … access`.
pub(crate) async fn own_person(
    api: &Api,
    caller: &Caller,
    permission: Permission,
    person_id: Uuid,
) -> Result<PersonRow, Problem> {
    let row = api.queries.person(person_id).await?;
    caller.require_owned(permission, row.as_ref().map(|row| row.owner_id))?;
    row.ok_or_else(|| Problem::no_access(permission))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn person_without_a_colour_has_no_such_field() {
        let row: PersonRow = serde_json::from_value(json!({
            "person_id": "91da1ac8-0dfd-45f4-9efc-16416a8dea30", "revision": 0,
            "owner_id": "78013aee-9bc1-47c8-918f-da50df335899", "name": "Anna",
            "birth_date": "1990-05-01", "is_hidden": false, "is_favorite": true, "color": null,
            "feature_face_id": null, "thumbnail_key": null, "thumbnail_face_id": null,
            "failed_face_id": null, "created_at": "2026-11-22T08:24:13.688Z",
            "updated_at": "2026-11-22T08:24:13.688Z"
        }))
        .unwrap();
        let written = serde_json::to_string(&PersonResponseDto::from(row)).unwrap();
        let expected = concat!(
            r#"{"id":"91da1ac8-0dfd-45f4-9efc-16416a8dea30","name":"Anna","birthDate":"1990-05-01","#,
            r#""thumbnailPath":"","isHidden":false,"isFavorite":true,"#,
            r#""updatedAt":"2026-11-22T08:24:13.688Z"}"#
        );
        assert_eq!(written, expected);
    }
}
