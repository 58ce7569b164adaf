//! Rows of albums and what their page is made of.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A row of `albums_v1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow)]
pub(crate) struct AlbumRow {
    pub(crate) album_id: Uuid,
    pub(crate) revision: i64,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) sort_order: String,
    pub(crate) chosen_cover_id: Option<Uuid>,
    pub(crate) is_activity_enabled: bool,
    pub(crate) member_ids: Vec<Uuid>,
    pub(crate) member_roles: Vec<String>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

/// An album as its page shows it.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct AlbumView {
    /// Its id.
    pub album_id: Uuid,
    /// Its name; empty when forgotten.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// `asc` or `desc`.
    pub sort_order: String,
    /// Whether it takes comments and likes.
    pub is_activity_enabled: bool,
    /// Who has a part in it, as they came.
    pub member_ids: Vec<Uuid>,
    /// Their parts, in the same order.
    pub member_roles: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Assets that show.
    pub asset_count: i64,
    /// Wall clock of the earliest.
    pub start_at: Option<NaiveDateTime>,
    /// Wall clock of the latest.
    pub end_at: Option<NaiveDateTime>,
    /// When one of them last changed.
    pub assets_changed_at: Option<DateTime<Utc>>,
    /// The asset on its cover.
    pub cover_id: Option<Uuid>,
}

/// Somebody's part in an album.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user_id: Uuid,
    /// `owner`, `editor` or `viewer`.
    pub role: String,
}

impl AlbumView {
    /// Who has a part in it: its first owner, then `viewer_id`, then the others as they came.
    #[must_use]
    pub fn members(&self, viewer_id: Uuid) -> Vec<Member> {
        let mut members: Vec<Member> = self
            .member_ids
            .iter()
            .zip(&self.member_roles)
            .map(|(user_id, role)| Member { user_id: *user_id, role: role.clone() })
            .collect();
        let owner_id = self.owner_id();
        members
            .sort_by_key(|member| (Some(member.user_id) != owner_id, member.user_id != viewer_id));
        members
    }

    /// Its first owner.
    #[must_use]
    pub fn owner_id(&self) -> Option<Uuid> {
        let at = self.member_roles.iter().position(|role| role == "owner")?;
        self.member_ids.get(at).copied()
    }
}

/// Where an asset of an album was taken.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct AlbumMarker {
    /// The asset.
    pub asset_id: Uuid,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// The nearest city.
    pub city: Option<String>,
    /// The state or province.
    pub state: Option<String>,
    /// The country.
    pub country: Option<String>,
}
