//! Events of links to rows of `shared_links_v1`.

use async_trait::async_trait;
use calotype_domain::AlbumId;
use calotype_domain::album::AlbumEvent;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::shared_link::{
    LinkSwitches, LinkTarget, SharedLinkCreated, SharedLinkEvent, SharedLinkRestored,
};
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::assets::{Moves, move_in_tx};
use super::view::SharedLinkRow;
use crate::error::ProjectionError;
use crate::event::{Event, forget_users_in_tx};
use crate::fold::{Fold, fold_own_in_tx, fold_sql};
use crate::projection::Projection;

/// Keeps `shared_links_v1` and `shared_link_assets_v1`.
pub struct SharedLinksProjection;

#[async_trait]
impl Projection for SharedLinksProjection {
    fn name(&self) -> &'static str {
        "shared_links"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["shared_links_v1", "shared_link_assets_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["shared_link", "album", "asset", "user"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        // An album that was deleted and is there again does not end links that opened again since.
        for part in events.chunk_by(|_, next| !opens_again(next)) {
            apply_part_in_tx(tx, part).await?;
        }
        let forget = "with gone as (
                 delete from shared_links_v1 where owner_id = any($1) returning shared_link_id
             )
             delete from shared_link_assets_v1
              where shared_link_id in (select shared_link_id from gone)";
        forget_users_in_tx(tx, events, forget).await
    }
}

/// Whether a link opens again that had ended.
fn opens_again(event: &Event) -> bool {
    matches!(event.what, AnyEvent::SharedLink(SharedLinkEvent::Restored(_)))
}

async fn apply_part_in_tx(tx: &mut PgConnection, events: &[&Event]) -> Result<(), ProjectionError> {
    fold_own_in_tx::<SharedLinks>(tx, events, |it| matches!(it.what, AnyEvent::SharedLink(_)))
        .await?;
    move_in_tx(tx, &Moves::of(events)).await?;
    // A link to an album ends with the album.
    let albums: Vec<Uuid> = events
        .iter()
        .filter(|event| matches!(event.what, AnyEvent::Album(AlbumEvent::Deleted(_))))
        .map(|event| event.key)
        .collect();
    if !albums.is_empty() {
        sqlx::query("delete from shared_links_v1 where album_id = any($1)")
            .bind(&albums)
            .execute(tx)
            .await?;
    }
    Ok(())
}

/// Rows of `shared_links_v1`.
pub(crate) struct SharedLinks;

impl Fold for SharedLinks {
    fold_sql!("shared_links_v1", "shared_link_id");
    type Row = SharedLinkRow;

    fn key(row: &SharedLinkRow) -> Uuid {
        row.shared_link_id
    }

    fn revision(row: &SharedLinkRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<SharedLinkRow>, event: &Event) -> Option<SharedLinkRow> {
        let AnyEvent::SharedLink(what) = &event.what else { return row };
        let mut row = match (row, what) {
            (None, SharedLinkEvent::Created(created)) => return Some(fresh(created, event)),
            (None, SharedLinkEvent::Restored(restored)) => return Some(again(restored, event)),
            (None, _) => return None,
            (Some(row), _) => row,
        };
        row.revision = event.revision;
        match what {
            SharedLinkEvent::Created(_)
            | SharedLinkEvent::Restored(_)
            | SharedLinkEvent::AssetsAdded(_)
            | SharedLinkEvent::AssetsRemoved(_) => {}
            SharedLinkEvent::SwitchesChanged(changed) => switch(&mut row, changed.switches),
            SharedLinkEvent::ExpiryChanged(changed) => row.expires_at = changed.expires_at,
            SharedLinkEvent::SlugChanged(changed) => {
                row.slug = changed.slug.known().cloned().flatten();
            }
            SharedLinkEvent::PasswordChanged(changed) => {
                row.has_password = changed.password_hash.known().is_none_or(Option::is_some);
                row.password_hash = changed.password_hash.known().cloned().flatten();
            }
            SharedLinkEvent::DescriptionChanged(changed) => {
                row.description = changed.description.known().cloned().flatten();
            }
            SharedLinkEvent::Revoked(_) => return None,
        }
        Some(row)
    }
}

fn fresh(created: &SharedLinkCreated, event: &Event) -> SharedLinkRow {
    let key = created.key.known().cloned();
    let mut row = SharedLinkRow {
        shared_link_id: event.key,
        revision: event.revision,
        owner_id: created.owner_id.uuid(),
        album_id: match &created.target {
            LinkTarget::Album(album_id) => Some(AlbumId::uuid(*album_id)),
            LinkTarget::Assets(_) => None,
        },
        key_sha256: key.as_ref().map(|key| digest(key)),
        key,
        slug: created.slug.known().cloned().flatten(),
        has_password: created.password_hash.known().is_none_or(Option::is_some),
        password_hash: created.password_hash.known().cloned().flatten(),
        description: created.description.known().cloned().flatten(),
        allow_upload: false,
        allow_download: false,
        show_metadata: false,
        expires_at: created.expires_at,
        created_at: event.recorded_at,
    };
    switch(&mut row, created.switches);
    row
}

/// A link whose end was taken back.
fn again(restored: &SharedLinkRestored, event: &Event) -> SharedLinkRow {
    let restored = restored.clone();
    let created = SharedLinkCreated {
        owner_id: restored.owner_id,
        target: restored.target,
        switches: restored.switches,
        expires_at: restored.expires_at,
        key: restored.key,
        slug: restored.slug,
        password_hash: restored.password_hash,
        description: restored.description,
    };
    SharedLinkRow { created_at: restored.created_at, ..fresh(&created, event) }
}

fn switch(row: &mut SharedLinkRow, switches: LinkSwitches) {
    row.allow_upload = switches.allow_upload;
    row.allow_download = switches.allow_download;
    row.show_metadata = switches.show_metadata;
}

/// SHA-256, lower-case hex.
pub(super) fn digest(key: &str) -> String {
    use std::fmt::Write as _;
    Sha256::digest(key.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap_or_default();
        hex
    })
}
