//! `POST`, `PUT` and `DELETE /auth/pin-code`: sets, changes and removes the caller's PIN.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_domain::permission::Permission;
use calotype_domain::user::{PinWish, UserCommand};
use utoipa::ToSchema;

use super::pin::{self, PinCodeResetDto};
use crate::caller::Caller;
use crate::peer::Peer;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// The first PIN.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct PinCodeSetupDto {
    #[schema(pattern = "^\\d{6}$")]
    pin_code: String,
}

/// The new PIN, and the old one or the password.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct PinCodeChangeDto {
    #[schema(pattern = "^\\d{6}$")]
    new_pin_code: String,
    #[schema(pattern = "^\\d{6}$")]
    pin_code: Option<String>,
    password: Option<String>,
}

/// Sets the first PIN.
#[utoipa::path(
    post, path = "/auth/pin-code", tag = "Authentication", operation_id = "setupPinCode",
    request_body = PinCodeSetupDto, responses((status = 204))
)]
pub(super) async fn setup_pin_code(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::PinCodeCreate)?;
    let mut fields = Fields::json(&body)?;
    let pin_code = pin::required(&mut fields, "pinCode");
    fields.finish()?;
    wish(&api, &caller, PinWish::SetUp { pin_hash: pin::hash(pin_code).await? }).await
}

/// Sets another PIN for who knows the old one or the password.
#[utoipa::path(
    put, path = "/auth/pin-code", tag = "Authentication", operation_id = "changePinCode",
    request_body = PinCodeChangeDto, responses((status = 204))
)]
pub(super) async fn change_pin_code(
    State(api): State<Api>,
    caller: Caller,
    Ok(peer): Result<Peer, std::convert::Infallible>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::PinCodeUpdate)?;
    let mut fields = Fields::json(&body)?;
    let shown = PinCodeResetDto::of(&mut fields);
    let new_pin_code = pin::required(&mut fields, "newPinCode");
    fields.finish()?;
    pin::prove(&api, &caller, peer, shown).await?;
    wish(&api, &caller, PinWish::Change { pin_hash: pin::hash(new_pin_code).await? }).await
}

/// Removes the PIN for who knows it or the password. Everything is locked at once in every session.
#[utoipa::path(
    delete, path = "/auth/pin-code", tag = "Authentication", operation_id = "resetPinCode",
    request_body = PinCodeResetDto, responses((status = 204))
)]
pub(super) async fn reset_pin_code(
    State(api): State<Api>,
    caller: Caller,
    Ok(peer): Result<Peer, std::convert::Infallible>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::PinCodeDelete)?;
    let mut fields = Fields::json(&body)?;
    let shown = PinCodeResetDto::of(&mut fields);
    fields.finish()?;
    pin::prove(&api, &caller, peer, shown).await?;
    wish(&api, &caller, PinWish::Remove).await
}

async fn wish(api: &Api, caller: &Caller, wish: PinWish) -> Result<StatusCode, Problem> {
    let command = UserCommand::Pin(wish);
    let outcome = api.commands.user(&caller.context(), caller.user_id(), command).await?;
    api.surely_seen(&outcome).await?;
    Ok(StatusCode::NO_CONTENT)
}
