//! Events of albums and assets to the tables of albums.

use std::collections::BTreeSet;

use async_trait::async_trait;
use calotype_domain::UserId;
use calotype_domain::access::AlbumRole;
use calotype_domain::album::{AlbumCreated, AlbumEvent, AlbumOrder, AlbumRestored, AlbumText};
use calotype_domain::catalogue::AnyEvent;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::facts::Facts;
use super::view::AlbumRow;
use super::{inside, kept};
use crate::error::ProjectionError;
use crate::event::Event;
use crate::fold::{Change, Fold, fold_in_tx, fold_sql};
use crate::projection::Projection;

/// Keeps the tables of albums.
pub struct AlbumsProjection;

#[async_trait]
impl Projection for AlbumsProjection {
    fn name(&self) -> &'static str {
        "albums"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &[
            "albums_v1",
            "albums_kept_v1",
            "album_users_v1",
            "album_facts_v1",
            "album_assets_v1",
            "album_contributors_v1",
        ]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["album", "asset"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        let (of_assets, of_albums): (Vec<&Event>, Vec<&Event>) =
            events.iter().copied().partition(|event| matches!(event.what, AnyEvent::Asset(_)));
        let facts = fold_in_tx::<Facts>(tx, &of_assets).await?;
        // What was put in and taken out is told by events alone, so it is worked out before the rows move.
        let moves = inside::moves_in_tx(tx, &of_albums).await?;
        let albums = fold_in_tx::<Albums>(tx, &of_albums).await?;
        users_in_tx(tx, &albums).await?;
        let mut touched: BTreeSet<Uuid> = albums.iter().filter_map(key_of).collect();
        touched.extend(inside::store_in_tx(tx, &moves).await?);
        touched.extend(inside::follow_assets_in_tx(tx, &facts).await?);
        kept::keep_in_tx(tx, &touched).await
    }
}

fn key_of(change: &Change<AlbumRow>) -> Option<Uuid> {
    change.after.as_ref().or(change.before.as_ref()).map(|row| row.album_id)
}

/// Rows of `albums_v1`.
pub(crate) struct Albums;

impl Fold for Albums {
    fold_sql!("albums_v1", "album_id");
    type Row = AlbumRow;

    fn key(row: &AlbumRow) -> Uuid {
        row.album_id
    }

    fn revision(row: &AlbumRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<AlbumRow>, event: &Event) -> Option<AlbumRow> {
        let AnyEvent::Album(what) = &event.what else { return row };
        let mut row = match (row, what) {
            (None, AlbumEvent::Created(created)) => {
                let AlbumCreated { owner_id, text, order } = created;
                return Some(begun(event, *owner_id, text.known(), *order, event.recorded_at));
            }
            (None, AlbumEvent::Restored(restored)) => {
                let AlbumRestored { owner_id, text, order, created_at } = restored;
                return Some(begun(event, *owner_id, text.known(), *order, *created_at));
            }
            (None, _) => return None,
            (Some(row), _) => row,
        };
        row.revision = event.revision;
        row.updated_at = event.recorded_at;
        match what {
            AlbumEvent::Created(_)
            | AlbumEvent::Restored(_)
            | AlbumEvent::AssetsAdded(_)
            | AlbumEvent::AssetsRemoved(_) => {}
            AlbumEvent::Renamed(renamed) => {
                row.name = renamed.name.known().cloned().unwrap_or_default();
            }
            AlbumEvent::DescriptionChanged(changed) => {
                row.description = changed.description.known().cloned().unwrap_or_default();
            }
            AlbumEvent::OrderChanged(changed) => {
                changed.order.as_str().clone_into(&mut row.sort_order);
            }
            AlbumEvent::CoverChosen(chosen) => row.chosen_cover_id = Some(chosen.asset_id.uuid()),
            AlbumEvent::CoverReset(_) => row.chosen_cover_id = None,
            AlbumEvent::ActivityEnabled(_) => row.is_activity_enabled = true,
            AlbumEvent::ActivityDisabled(_) => row.is_activity_enabled = false,
            AlbumEvent::UserAdded(added) => row.set_role(added.user_id.uuid(), Some(added.role)),
            AlbumEvent::UserRoleChanged(changed) => {
                row.set_role(changed.user_id.uuid(), Some(changed.role));
            }
            AlbumEvent::UserRemoved(removed) => row.set_role(removed.user_id.uuid(), None),
            AlbumEvent::Deleted(_) | AlbumEvent::Purged(_) => return None,
        }
        Some(row)
    }
}

/// The row of an album that begins, for the first time or anew.
fn begun(
    event: &Event,
    owner_id: UserId,
    text: Option<&AlbumText>,
    order: AlbumOrder,
    created_at: DateTime<Utc>,
) -> AlbumRow {
    AlbumRow {
        album_id: event.key,
        revision: event.revision,
        name: text.map(|text| text.name.clone()).unwrap_or_default(),
        description: text.map(|text| text.description.clone()).unwrap_or_default(),
        sort_order: order.as_str().to_owned(),
        chosen_cover_id: None,
        is_activity_enabled: true,
        member_ids: vec![owner_id.uuid()],
        member_roles: vec![AlbumRole::Owner.as_str().to_owned()],
        created_at,
        updated_at: event.recorded_at,
    }
}

impl AlbumRow {
    /// Gives somebody a part, another one, or none any more.
    fn set_role(&mut self, user_id: Uuid, role: Option<AlbumRole>) {
        let at = self.member_ids.iter().position(|member_id| *member_id == user_id);
        match (at, role) {
            (Some(at), Some(role)) => {
                if let Some(word) = self.member_roles.get_mut(at) {
                    role.as_str().clone_into(word);
                }
            }
            (Some(at), None) => {
                self.member_ids.remove(at);
                self.member_roles.remove(at);
            }
            (None, Some(role)) => {
                self.member_ids.push(user_id);
                self.member_roles.push(role.as_str().to_owned());
            }
            (None, None) => {}
        }
    }
}

/// Writes who has which part anew for the albums where that changed.
async fn users_in_tx(
    tx: &mut PgConnection,
    changes: &[Change<AlbumRow>],
) -> Result<(), ProjectionError> {
    let parts = |row: &Option<AlbumRow>| {
        row.as_ref().map(|row| (row.member_ids.clone(), row.member_roles.clone()))
    };
    let changed: Vec<&Change<AlbumRow>> =
        changes.iter().filter(|change| parts(&change.before) != parts(&change.after)).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let album_ids: Vec<Uuid> = changed.iter().filter_map(|change| key_of(change)).collect();
    sqlx::query("delete from album_users_v1 where album_id = any($1)")
        .bind(&album_ids)
        .execute(&mut *tx)
        .await?;
    let (mut albums, mut users, mut roles, mut first) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in changed.iter().filter_map(|change| change.after.as_ref()) {
        let owner = row.member_roles.iter().position(|role| role == AlbumRole::Owner.as_str());
        for (at, (user_id, role)) in row.member_ids.iter().zip(&row.member_roles).enumerate() {
            albums.push(row.album_id);
            users.push(*user_id);
            roles.push(role.as_str());
            first.push(owner == Some(at));
        }
    }
    sqlx::query(
        "insert into album_users_v1 (album_id, user_id, role, is_first_owner)
         select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bool[])",
    )
    .bind(&albums)
    .bind(&users)
    .bind(&roles)
    .bind(&first)
    .execute(tx)
    .await?;
    Ok(())
}
