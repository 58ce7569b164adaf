//! Events that change rows which they do not name. Each is applied alone, with the rows as they stand then;
//! how events are cut into batches does not matter.

use calotype_domain::album::AlbumEvent;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::person::PersonEvent;
use calotype_domain::user::UserEvent;
use sqlx::PgConnection;

use super::feed::Feed;
use super::kind::Kind;
use super::{change, last_change};
use crate::error::ProjectionError;
use crate::event::Event;

/// What such an event changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Farewell {
    /// An album shows nothing any more to somebody, or to everybody.
    Album,
    /// Faces are somebody else's, or nobody's, or somebody's again.
    Person,
    /// An account is removed for good.
    User,
}

const fn farewell(event: &Event) -> Option<Farewell> {
    match &event.what {
        AnyEvent::Album(AlbumEvent::UserRemoved(_) | AlbumEvent::Deleted(_)) => {
            Some(Farewell::Album)
        }
        AnyEvent::Person(
            PersonEvent::MergedInto(_) | PersonEvent::Deleted(_) | PersonEvent::Restored(_),
        ) => Some(Farewell::Person),
        AnyEvent::User(UserEvent::Purged(_)) => Some(Farewell::User),
        _ => None,
    }
}

/// Whether an event has to be applied alone.
pub(super) const fn stands_alone(event: &Event) -> bool {
    farewell(event).is_some()
}

/// What must be done while the rows of an event are still there.
pub(super) async fn before_in_tx(
    tx: &mut PgConnection,
    event: &Event,
) -> Result<(), ProjectionError> {
    match farewell(event) {
        Some(Farewell::Album) => leave_album_in_tx(tx, event).await,
        Some(Farewell::Person | Farewell::User) | None => Ok(()),
    }
}

/// What must be done when an event was applied.
pub(super) async fn after_in_tx(
    tx: &mut PgConnection,
    event: &Event,
) -> Result<(), ProjectionError> {
    match farewell(event) {
        Some(Farewell::Person) => rename_faces_in_tx(tx, event).await,
        Some(Farewell::User) => forget_feeds_in_tx(tx, event).await,
        Some(Farewell::Album) | None => Ok(()),
    }
}

/// Tells partners of assets that they saw in the album alone.
async fn leave_album_in_tx(tx: &mut PgConnection, event: &Event) -> Result<(), ProjectionError> {
    sqlx::query(
        "with hidden as (
             select asset_id, $2 - 1 + row_number() over (order by asset_id) as change
               from sync_album_assets_v2 join sync_assets_v2 as assets using (asset_id)
              where album_id = $1 and added < $2 and coalesce(assets.hidden_change, 0) < $2
                and (assets.visibility not in ('timeline', 'hidden') or assets.is_trashed)),
         told as (
             update sync_assets_v2 as assets
                set hidden_change = hidden.change
               from hidden
              where assets.asset_id = hidden.asset_id
             returning assets.owner_id, assets.hidden_change as change)
         insert into sync_heads_v2 as heads (scope, feed, change)
         select owner_id, $3, max(change) from told group by owner_id
         on conflict (scope, feed) do update set change = excluded.change
          where heads.change < excluded.change",
    )
    .bind(event.key)
    .bind(change(event.position.get(), 0))
    .bind(Feed::PartnerAssetsGone.head())
    .execute(tx)
    .await?;
    Ok(())
}

/// Tells anew of the faces that were said to be somebody who is somebody else or nobody now.
///
/// Faces are forgotten with their photos, but never whose they were said to be, so numbers and heads are
/// made of that: the last has the event's highest number. The kinds are spelled out so that the index of
/// parts is used: 13 a face, 15 who it was said to be, 16 who somebody turned out to be.
async fn rename_faces_in_tx(tx: &mut PgConnection, event: &Event) -> Result<(), ProjectionError> {
    sqlx::query(
        "with recursive same (id) as (
             select $1::uuid
              union
             select merged.id
               from same join sync_rows_v2 as merged
                 on merged.kind = 16 and merged.part = same.id::text),
         theirs as (
             select distinct said.part::uuid as face_id, said.scope
               from same join sync_rows_v2 as said on said.kind = 15 and said.id = same.id
              where said.change < $2),
         numbered as (
             select face_id, $3 - count(*) over () + row_number() over (order by face_id) as change
               from theirs),
         told as (
             update sync_rows_v2 as faces
                set change = numbered.change
               from numbered
              where faces.kind = 13 and faces.id = numbered.face_id and faces.change < $2)
         insert into sync_heads_v2 as heads (scope, feed, change)
         select distinct scope, $4::smallint, $3::bigint from theirs
         on conflict (scope, feed) do update set change = excluded.change
          where heads.change < excluded.change",
    )
    .bind(event.key)
    .bind(change(event.position.get(), 0))
    .bind(last_change(event.position.get()))
    .bind(Feed::Rows(Kind::Face).head())
    .execute(tx)
    .await?;
    Ok(())
}

/// Forgets the feeds of somebody whose account is removed for good, as far as they were filled by then.
///
/// Others may go on to change what the person still has a part in, an album for one. What came later stands
/// in tables already when the event is applied once more, and whoever keeps those does not tell of it again.
async fn forget_feeds_in_tx(tx: &mut PgConnection, event: &Event) -> Result<(), ProjectionError> {
    for statement in [
        "delete from sync_rows_v2 where kind = any($1) and scope = $2 and change < $3",
        "delete from sync_gone_v2 where kind = any($1) and scope = $2 and change < $3",
        "delete from sync_heads_v2 where $1::smallint[] is not null and scope = $2 and change < $3",
    ] {
        sqlx::query(statement)
            .bind(Kind::NUMBERS)
            .bind(event.key)
            .bind(change(event.position.get(), 0))
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}
