//! Accounts as clients see them: for everybody, and for the owner and administrators.

use calotype_projections::config::EnteredLicense;
use calotype_projections::users::UserRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::assets::sums::usage_bytes;
use crate::dates;
use crate::problem::Problem;
use crate::server::license::LicenseResponseDto;
use crate::state::Api;

/// What everybody may see of an account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserResponseDto {
    id: Uuid,
    email: String,
    name: String,
    /// Empty when there is no picture.
    profile_image_path: String,
    avatar_color: String,
    profile_changed_at: String,
}

impl From<UserRow> for UserResponseDto {
    fn from(row: UserRow) -> Self {
        Self {
            id: row.user_id,
            email: row.email,
            name: row.name,
            profile_image_path: row.profile_image_key.unwrap_or_default(),
            avatar_color: row.avatar_color,
            profile_changed_at: dates::iso(row.profile_changed_at),
        }
    }
}

impl UserResponseDto {
    /// Whose account it is.
    pub(crate) const fn id(&self) -> Uuid {
        self.id
    }

    /// The name others see.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// As Immich writes an account inside something else: its date as Postgres' JSON spells it.
    pub(crate) fn nested(row: UserRow) -> Self {
        let profile_changed_at = dates::postgres(row.profile_changed_at);
        Self { profile_changed_at, ..row.into() }
    }
}

/// What the owner and administrators see of an account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserAdminResponseDto {
    #[serde(flatten)]
    user: UserResponseDto,
    #[schema(required)]
    storage_label: Option<String>,
    should_change_password: bool,
    is_admin: bool,
    created_at: String,
    #[schema(required)]
    deleted_at: Option<String>,
    updated_at: String,
    /// Always empty: there is no single sign-on yet.
    oauth_id: &'static str,
    /// In bytes; `null` for no limit.
    #[schema(required)]
    quota_size_in_bytes: Option<i64>,
    quota_usage_in_bytes: i64,
    /// `active`, `deleted`, or `removing` when it is to be purged without waiting.
    status: &'static str,
    #[schema(required)]
    license: Option<LicenseResponseDto>,
}

impl UserAdminResponseDto {
    /// Of a row, what the account stores, in bytes, and its product key.
    pub(crate) fn new(row: UserRow, usage_bytes: i64, license: Option<EnteredLicense>) -> Self {
        let status = match row.deleted_at {
            None => "active",
            Some(_) if row.delete_forced => "removing",
            Some(_) => "deleted",
        };
        Self {
            storage_label: row.storage_label.clone(),
            should_change_password: row.should_change_password,
            is_admin: row.is_admin,
            created_at: dates::iso(row.created_at),
            deleted_at: row.deleted_at.map(dates::iso),
            updated_at: dates::iso(row.updated_at),
            oauth_id: "",
            quota_size_in_bytes: row.quota_size_bytes,
            quota_usage_in_bytes: usage_bytes,
            status,
            license: license.map(LicenseResponseDto::from),
            user: row.into(),
        }
    }

    /// Of an account, a deleted one included.
    ///
    /// # Errors
    /// 400 `User not found`.
    pub(crate) async fn load(api: &Api, user_id: Uuid) -> Result<Self, Problem> {
        let row = api.queries.user(user_id).await?.ok_or_else(not_found)?;
        let license = api.queries.licenses(&[user_id]).await?.remove(&user_id);
        Ok(Self::new(row, usage_bytes(api, user_id).await?, license))
    }
}

/// 400 `User not found`: Immich's word for a missing account.
pub(crate) fn not_found() -> Problem {
    Problem::bad_request("User not found")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> UserRow {
        let at = "2026-11-22T08:06:56.441Z".parse().unwrap();
        UserRow {
            user_id: "78013aee-9bc1-47c8-918f-da50df335899".parse().unwrap(),
            revision: 0,
            email: "admin@example.com".into(),
            name: "Admin".into(),
            password_hash: None,
            is_admin: true,
            should_change_password: true,
            avatar_color: "gray".into(),
            storage_label: Some("admin".into()),
            quota_size_bytes: None,
            preferences: serde_json::json!({}),
            profile_image_key: None,
            profile_changed_at: at,
            is_onboarded: false,
            created_at: at,
            updated_at: at,
            deleted_at: None,
            delete_forced: false,
        }
    }

    #[test]
    fn account_is_written_as_recorded() {
        assert_eq!(
            serde_json::to_string(&UserAdminResponseDto::new(row(), 0, None)).unwrap(),
            concat!(
                r#"{"id":"78013aee-9bc1-47c8-918f-da50df335899","email":"admin@example.com","name":"Admin","#,
                r#""profileImagePath":"","avatarColor":"gray","profileChangedAt":"2026-11-22T08:06:56.441Z","#,
                r#""storageLabel":"admin","shouldChangePassword":true,"isAdmin":true,"#,
                r#""createdAt":"2026-11-22T08:06:56.441Z","deletedAt":null,"updatedAt":"2026-11-22T08:06:56.441Z","#,
                r#""oauthId":"","quotaSizeInBytes":null,"quotaUsageInBytes":0,"status":"active","license":null}"#,
            )
        );
    }

    #[test]
    fn forced_deletion_shows() {
        let mut row = row();
        row.deleted_at = Some(row.created_at);
        assert_eq!(UserAdminResponseDto::new(row.clone(), 0, None).status, "deleted");
        row.delete_forced = true;
        assert_eq!(UserAdminResponseDto::new(row, 0, None).status, "removing");
    }
}
