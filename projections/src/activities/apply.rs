//! Events of comments and likes to rows of `activities_v1`.

use async_trait::async_trait;
use calotype_domain::AssetId;
use calotype_domain::activity::{ActivityEvent, ActivityTarget};
use calotype_domain::album::AlbumEvent;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::user::UserEvent;
use sqlx::PgConnection;
use uuid::Uuid;

use super::view::ActivityRow;
use crate::error::ProjectionError;
use crate::event::Event;
use crate::fold::{Fold, fold_own_in_tx, fold_sql};
use crate::projection::Projection;

/// Keeps `activities_v1`.
pub struct ActivitiesProjection;

#[async_trait]
impl Projection for ActivitiesProjection {
    fn name(&self) -> &'static str {
        "activities"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["activities_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["activity", "album", "user"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        // What was said goes with who said it, and with its album once that cannot come back any more; until
        // then nobody has a part in the album and so sees it. What was said after that, by somebody who did
        // not know yet, stays: so what came before is applied before.
        let mut rest = events;
        while let Some(at) = rest.iter().position(|event| ends_others(&event.what)) {
            let (before, after) = rest.split_at(at);
            fold_said_in_tx(tx, before).await?;
            let gone = after.iter().take(1).map(|event| event.key).collect::<Vec<Uuid>>();
            sqlx::query("delete from activities_v1 where album_id = any($1) or user_id = any($1)")
                .bind(&gone)
                .execute(&mut *tx)
                .await?;
            rest = after.get(1..).unwrap_or_default();
        }
        fold_said_in_tx(tx, rest).await
    }
}

fn ends_others(what: &AnyEvent) -> bool {
    matches!(what, AnyEvent::Album(AlbumEvent::Purged(_)) | AnyEvent::User(UserEvent::Purged(_)))
}

async fn fold_said_in_tx(tx: &mut PgConnection, events: &[&Event]) -> Result<(), ProjectionError> {
    let is_own = |event: &Event| matches!(event.what, AnyEvent::Activity(_));
    fold_own_in_tx::<Activities>(tx, events, is_own).await.map(drop)
}

struct Activities;

impl Fold for Activities {
    fold_sql!("activities_v1", "activity_id");
    type Row = ActivityRow;

    fn key(row: &ActivityRow) -> Uuid {
        row.activity_id
    }

    fn revision(row: &ActivityRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<ActivityRow>, event: &Event) -> Option<ActivityRow> {
        let AnyEvent::Activity(what) = &event.what else { return row };
        match what {
            ActivityEvent::Commented(said) => {
                let comment = said.comment.known().cloned();
                Some(fresh(event, said.target, said.user_id.uuid(), false, comment))
            }
            ActivityEvent::Liked(liked) => {
                Some(fresh(event, liked.target, liked.user_id.uuid(), true, None))
            }
            ActivityEvent::Restored(restored) => {
                let comment = restored.comment.known().cloned().flatten();
                let is_like = comment.is_none();
                let row = fresh(event, restored.target, restored.user_id.uuid(), is_like, comment);
                Some(ActivityRow { created_at: restored.created_at, ..row })
            }
            ActivityEvent::Deleted(_) => None,
        }
    }
}

fn fresh(
    event: &Event,
    target: ActivityTarget,
    user_id: Uuid,
    is_like: bool,
    comment: Option<String>,
) -> ActivityRow {
    ActivityRow {
        activity_id: event.key,
        revision: event.revision,
        album_id: target.album_id.uuid(),
        asset_id: target.asset_id.map(AssetId::uuid),
        user_id,
        is_like,
        comment,
        created_at: event.recorded_at,
        updated_at: event.recorded_at,
    }
}
