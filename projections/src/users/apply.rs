//! Events of accounts to rows of `users_v1`.

use async_trait::async_trait;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::user::{AvatarColor, UserEvent};
use serde_json::{Map, Value};
use sqlx::PgConnection;
use uuid::Uuid;

use super::view::UserRow;
use crate::error::ProjectionError;
use crate::event::Event;
use crate::fold::{Fold, fold_in_tx, fold_sql};
use crate::projection::Projection;

/// Keeps `users_v1`.
pub struct UsersProjection;

#[async_trait]
impl Projection for UsersProjection {
    fn name(&self) -> &'static str {
        "users"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["users_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["user"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        fold_in_tx::<Users>(tx, events).await.map(drop)
    }
}

struct Users;

impl Fold for Users {
    fold_sql!("users_v1", "user_id");
    type Row = UserRow;

    fn key(row: &UserRow) -> Uuid {
        row.user_id
    }

    fn revision(row: &UserRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<UserRow>, event: &Event) -> Option<UserRow> {
        let AnyEvent::User(what) = &event.what else { return row };
        let mut row = match (row, what) {
            (row, UserEvent::Registered(registered)) => {
                let profile = registered.profile.known();
                row.unwrap_or_else(|| UserRow {
                    user_id: event.key,
                    revision: event.revision,
                    email: profile.map(|profile| profile.email.clone()).unwrap_or_default(),
                    name: profile.map(|profile| profile.name.clone()).unwrap_or_default(),
                    password_hash: registered.password_hash.known().cloned(),
                    is_admin: registered.is_admin,
                    should_change_password: registered.should_change_password,
                    avatar_color: color_word(registered.avatar_color).to_owned(),
                    storage_label: registered.storage_label.known().cloned().flatten(),
                    quota_size_bytes: registered.quota_size_bytes.map(bytes),
                    preferences: Value::Object(Map::new()),
                    profile_image_key: None,
                    profile_changed_at: event.recorded_at,
                    is_onboarded: false,
                    created_at: event.recorded_at,
                    updated_at: event.recorded_at,
                    deleted_at: None,
                    delete_forced: false,
                })
            }
            (Some(row), _) => row,
            (None, _) => return None,
        };
        row.revision = event.revision;
        row.updated_at = event.recorded_at;
        match what {
            UserEvent::Registered(_)
            | UserEvent::LicenseEntered(_)
            | UserEvent::LicenseRemoved(_) => {}
            UserEvent::Renamed(renamed) => {
                row.name = renamed.name.known().cloned().unwrap_or_default();
            }
            UserEvent::EmailChanged(changed) => {
                row.email = changed.email.known().cloned().unwrap_or_default();
            }
            UserEvent::PasswordChanged(changed) => {
                row.password_hash = changed.password_hash.known().cloned();
                row.should_change_password = false;
            }
            UserEvent::PasswordChangeRequired(changed) => {
                row.should_change_password = changed.required;
            }
            UserEvent::AdminGranted(_) => row.is_admin = true,
            UserEvent::AdminRevoked(_) => row.is_admin = false,
            UserEvent::QuotaChanged(changed) => {
                row.quota_size_bytes = changed.quota_size_bytes.map(bytes);
            }
            UserEvent::StorageLabelChanged(changed) => {
                row.storage_label = changed.storage_label.known().cloned().flatten();
            }
            UserEvent::AvatarColorChanged(changed) => {
                row.avatar_color = color_word(changed.avatar_color).to_owned();
            }
            // PINs stand in a table of their own.
            UserEvent::PinSet(_) | UserEvent::PinRemoved(_) => {}
            UserEvent::PreferencesChanged(changed) => {
                merge(&mut row.preferences, &changed.changes);
            }
            UserEvent::PreferencesReverted(reverted) => reverted.lay_over(&mut row.preferences),
            UserEvent::ProfileImageChanged(changed) => {
                row.profile_image_key = Some(changed.image.key.clone());
                row.profile_changed_at = event.recorded_at;
            }
            UserEvent::ProfileImageRemoved(_) => {
                row.profile_image_key = None;
                row.profile_changed_at = event.recorded_at;
            }
            UserEvent::Onboarded(_) => row.is_onboarded = true,
            UserEvent::OnboardingReset(_) => row.is_onboarded = false,
            UserEvent::Deleted(deleted) => {
                row.deleted_at = Some(event.recorded_at);
                row.delete_forced = deleted.force;
            }
            UserEvent::Restored(_) => {
                row.deleted_at = None;
                row.delete_forced = false;
            }
            UserEvent::Purged(_) => return None,
        }
        Some(row)
    }
}

/// Lays changes over a document, member by member.
fn merge(document: &mut Value, changes: &Value) {
    match (document, changes) {
        (Value::Object(document), Value::Object(changes)) => {
            for (name, change) in changes {
                merge(document.entry(name.clone()).or_insert(Value::Null), change);
            }
        }
        (document, change) => *document = change.clone(),
    }
}

fn bytes(size_bytes: u64) -> i64 {
    i64::try_from(size_bytes).unwrap_or(i64::MAX)
}

const fn color_word(color: AvatarColor) -> &'static str {
    match color {
        AvatarColor::Primary => "primary",
        AvatarColor::Pink => "pink",
        AvatarColor::Red => "red",
        AvatarColor::Yellow => "yellow",
        AvatarColor::Blue => "blue",
        AvatarColor::Green => "green",
        AvatarColor::Purple => "purple",
        AvatarColor::Orange => "orange",
        AvatarColor::Gray => "gray",
        AvatarColor::Amber => "amber",
    }
}
