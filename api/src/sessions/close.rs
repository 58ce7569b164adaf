//! Closing sessions, those made from them included.

use calotype_commands::Outcome;
use calotype_domain::SessionId;
use calotype_projections::sessions::SessionRow;
use uuid::Uuid;

use super::dto::own;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Closes a session of the caller and every session made from it, and waits until that shows.
pub(crate) async fn with_children(
    api: &Api,
    caller: &Caller,
    session_id: Uuid,
) -> Result<(), Problem> {
    let open = own(api, caller).await?;
    let mut closing = vec![session_id];
    // Each round adds the next generation; a session stands in the list once, so this ends.
    let mut begin = 0;
    while begin < closing.len() {
        let end = closing.len();
        let children = open.iter().filter(|row| {
            row.parent_id.is_some_and(|parent| closing[begin..end].contains(&parent))
                && !closing.contains(&row.session_id)
        });
        let children: Vec<Uuid> = children.map(|row| row.session_id).collect();
        closing.extend(children);
        begin = end;
    }
    close(api, caller, closing).await
}

/// Closes every session of the caller's but the one that asks.
pub(crate) async fn all_others(api: &Api, caller: &Caller) -> Result<(), Problem> {
    let current = caller.session().map(|row| row.session_id);
    let is_other = |row: &SessionRow| Some(row.session_id) != current;
    let open = own(api, caller).await?;
    close(api, caller, open.into_iter().filter(is_other).map(|row| row.session_id).collect()).await
}

async fn close(api: &Api, caller: &Caller, session_ids: Vec<Uuid>) -> Result<(), Problem> {
    let mut last = Outcome::AlreadyTrue;
    for session_id in session_ids {
        let ctx = caller.next_context(api);
        let outcome = api.commands.close_session(&ctx, SessionId::new(session_id)).await?;
        if outcome.written().is_some() {
            last = outcome;
        }
        forget_sync(api, session_id).await?;
    }
    api.surely_seen(&last).await
}

/// Forgets what the session's phone has: nobody asks with it any more.
async fn forget_sync(api: &Api, session_id: Uuid) -> Result<(), Problem> {
    if let Err(error) = api.session_uses.forget(session_id).await {
        tracing::warn!(%error, "the last use of a closed session stays");
    }
    api.sync_acks.forget(session_id, None).await.map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "failed to forget sync acks");
        Problem::unavailable()
    })
}
