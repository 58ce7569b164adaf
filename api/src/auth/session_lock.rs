//! `POST /auth/session/unlock` and `/auth/session/lock`: opens what is behind the PIN to the caller's session.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_domain::SessionId;
use calotype_domain::permission::Permission;
use calotype_domain::session::SessionCommand;
use chrono::TimeDelta;

use super::pin::{self, PinCodeResetDto};
use crate::caller::Caller;
use crate::peer::Peer;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// How long a PIN opens what is locked.
const UNLOCKED_FOR: TimeDelta = TimeDelta::minutes(15);

/// Opens what is locked for fifteen minutes; a session that is used in the last five stays open for five more.
#[utoipa::path(
    post, path = "/auth/session/unlock", tag = "Authentication", operation_id = "unlockAuthSession",
    request_body = PinCodeResetDto, responses((status = 204))
)]
pub(super) async fn unlock_auth_session(
    State(api): State<Api>,
    caller: Caller,
    Ok(peer): Result<Peer, std::convert::Infallible>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::All)?;
    let mut fields = Fields::json(&body)?;
    let shown = PinCodeResetDto::of(&mut fields);
    fields.finish()?;
    let session_id = session(&caller)?;
    // As with Immich only the PIN opens, although the document names a password, too.
    pin::prove(&api, &caller, peer, PinCodeResetDto { password: None, ..shown }).await?;
    let until = caller.context().now + UNLOCKED_FOR;
    wish(&api, &caller, session_id, SessionCommand::Unlock { until }).await
}

/// Locks again.
#[utoipa::path(
    post, path = "/auth/session/lock", tag = "Authentication", operation_id = "lockAuthSession",
    responses((status = 204))
)]
pub(super) async fn lock_auth_session(
    State(api): State<Api>,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::All)?;
    let session_id = session(&caller)?;
    wish(&api, &caller, session_id, SessionCommand::Lock).await
}

fn session(caller: &Caller) -> Result<SessionId, Problem> {
    let session = caller.session().ok_or_else(|| {
        Problem::bad_request("This endpoint can only be used with a session token")
    })?;
    Ok(SessionId::new(session.session_id))
}

async fn wish(
    api: &Api,
    caller: &Caller,
    session_id: SessionId,
    command: SessionCommand,
) -> Result<StatusCode, Problem> {
    let outcome =
        api.commands.lock_or_unlock_session(&caller.context(), session_id, command).await?;
    api.surely_seen(&outcome).await?;
    Ok(StatusCode::NO_CONTENT)
}
