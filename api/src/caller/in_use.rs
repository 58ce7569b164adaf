//! What the use of a session leaves behind: when it was used last, and that its lock opens for longer.

use axum::http::HeaderMap;
use calotype_commands::session_uses::USE_KEPT_EVERY;
use calotype_domain::SessionId;
use calotype_domain::session::SessionCommand;
use calotype_projections::sessions::SessionRow;
use chrono::{DateTime, TimeDelta, Utc};

use crate::clients;
use crate::state::Api;

/// A session that is used in the last minutes before it is locked stays unlocked for this long.
const UNLOCK_EXTENDED_FOR: TimeDelta = TimeDelta::minutes(5);
/// How much it must gain, so that not every request is written down.
const UNLOCK_EXTENDED_EVERY: TimeDelta = TimeDelta::minutes(1);

/// Keeps that a session is used, once an hour and when its app has another version. A failure costs the note.
pub(super) async fn note_use(
    api: &Api,
    session: &SessionRow,
    headers: &HeaderMap,
    now: DateTime<Utc>,
) {
    let version = clients::device(headers).app_version;
    let is_new = version.is_some() && version != session.app_version;
    if !is_new && now - session.updated_at < USE_KEPT_EVERY {
        return;
    }
    if let Err(error) = api.session_uses.keep(session.session_id, now, version.as_deref()).await {
        tracing::warn!(%error, "a session's use was not kept");
    }
}

/// Whether the PIN was given lately.
pub(super) fn is_unlocked(session: &SessionRow, now: DateTime<Utc>) -> bool {
    session.elevated_until.is_some_and(|end| end > now)
}

/// Keeps a session unlocked that is used shortly before it would be locked. A failure locks it in time.
pub(super) async fn extend_unlock(api: &Api, session: &SessionRow, now: DateTime<Utc>) {
    let late = session
        .elevated_until
        .is_some_and(|end| end > now && end - now <= UNLOCK_EXTENDED_FOR - UNLOCK_EXTENDED_EVERY);
    if !late {
        return;
    }
    let command = SessionCommand::ExtendUnlock { now, until: now + UNLOCK_EXTENDED_FOR };
    let session_id = SessionId::new(session.session_id);
    let extended =
        api.commands.lock_or_unlock_session(&api.system_context(), session_id, command).await;
    if let Err(error) = extended {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            session.id = %session_id,
            "a session in use is not kept unlocked"
        );
    }
}
