//! What others were told of somebody: that they shared an album, and what is new in it. It names them and their albums,
//! and lies with those who were told.

use std::collections::BTreeSet;

use calotype_api::NotErased;
use calotype_commands::{CommandContext, CommandError};
use calotype_domain::notification::NotificationError;
use calotype_domain::{CommandId, NotificationId, UserId};
use calotype_eventstore::{EventStore as _, GlobalPosition, Selection};
use sqlx::PgPool;
use uuid::Uuid;

use super::failed;
use crate::wiring::Core;

/// Events of one look at the log.
const PAGE_EVENTS: u32 = 1_000;

/// The albums that somebody owns.
pub(super) async fn albums_of(pool: &PgPool, user_id: UserId) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar(
        "select album_id from read.album_users_v1 where user_id = $1 and role = 'owner'",
    )
    .bind(user_id.uuid())
    .fetch_all(pool)
    .await
}

/// Takes away what others were told by somebody, and of some albums.
pub(super) async fn take_away(
    core: &Core,
    ctx: &CommandContext,
    user_id: UserId,
    albums: &[Uuid],
) -> Result<(), NotErased> {
    let mut told = by(core, user_id).await?;
    let words: Vec<String> = albums.iter().map(Uuid::to_string).collect();
    let of_albums: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "select notification_id, user_id from read.notifications_v1
          where user_id <> $1 and data ->> 'albumId' = any($2)",
    )
    .bind(user_id.uuid())
    .bind(&words)
    .fetch_all(&core.pool)
    .await
    .map_err(failed)?;
    told.extend(of_albums);
    for (notification_id, told_id) in told {
        let ctx =
            CommandContext { command_id: CommandId::new(core.commands.ids().v7()), ..ctx.clone() };
        let ids = [NotificationId::new(notification_id)];
        match core.commands.delete_notifications(&ctx, UserId::new(told_id), &ids).await {
            Ok(_) | Err(CommandError::Refused(NotificationError::NotFound)) => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(())
}

/// What somebody told others, as the log says, with who was told.
async fn by(core: &Core, user_id: UserId) -> Result<BTreeSet<(Uuid, Uuid)>, NotErased> {
    let selection = Selection {
        actor: Some(user_id.to_string()),
        event_type: Some("NotificationSent".to_owned()),
        ..Selection::default()
    };
    let (mut told, mut after) = (BTreeSet::new(), GlobalPosition::START);
    loop {
        let some =
            core.store.read_selected(after, &selection, PAGE_EVENTS).await.map_err(failed)?;
        if some.looked_to <= after {
            return Ok(told);
        }
        after = some.looked_to;
        told.extend(some.events.iter().filter_map(|event| {
            let payload = event.payload.to_value().ok()?;
            let told_id: Uuid = payload.get("user_id")?.as_str()?.parse().ok()?;
            let notification_id = event.stream_id.key().parse().ok()?;
            (told_id != user_id.uuid()).then_some((notification_id, told_id))
        }));
    }
}
