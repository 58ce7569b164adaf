//! What the operations about PINs share: the field, and proving that the caller knows what they say they know.

use calotype_commands::password;
use serde_json::json;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::peer::Peer;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Digits of a PIN.
const PIN_DIGITS: usize = 6;

/// The old PIN, or the password in its place.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct PinCodeResetDto {
    #[schema(pattern = "^\\d{6}$")]
    pub(super) pin_code: Option<String>,
    /// The account's password, where the PIN is not given.
    pub(super) password: Option<String>,
}

impl PinCodeResetDto {
    /// Reads the two fields.
    pub(super) fn of(fields: &mut Fields) -> Self {
        Self { pin_code: field(fields, "pinCode"), password: fields.string("password") }
    }
}

/// A PIN, when it is there.
pub(crate) fn field(fields: &mut Fields, name: &str) -> Option<String> {
    let text = fields.string(name)?;
    if text.len() == PIN_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text);
    }
    fields.issue(json!({
        "origin": "string", "code": "invalid_format", "format": "regex", "pattern": "/^\\d{6}$/",
        "path": [name], "message": "Invalid string: must match pattern /^\\d{6}$/"
    }));
    None
}

/// A PIN that must be there; empty when it is not, with an issue.
pub(super) fn required(fields: &mut Fields, name: &str) -> String {
    if !fields.has(name) {
        fields.missing("string", name);
    }
    field(fields, name).unwrap_or_default()
}

/// Whether the caller shows the PIN of the account, or its password. Wrong ones count against a limit.
///
/// # Errors
/// 400 in Immich's words when there is no PIN, nothing was shown, or the wrong thing; 429 after too many.
pub(super) async fn prove(
    api: &Api,
    caller: &Caller,
    peer: Peer,
    shown: PinCodeResetDto,
) -> Result<(), Problem> {
    let user_id = caller.user_id().uuid();
    let Some(pin_hash) = api.queries.pin_hash_of(user_id).await? else {
        return Err(Problem::bad_request("User does not have a PIN code"));
    };
    let (secret, hash, wrong) = match (shown.password, shown.pin_code) {
        (Some(password), _) if !password.is_empty() => {
            let user = api.queries.user(user_id).await?;
            (password, user.and_then(|user| user.password_hash), "Wrong password")
        }
        (_, Some(pin_code)) => (pin_code, Some(pin_hash), "Wrong PIN code"),
        (_, None) => {
            return Err(Problem::bad_request("Either password or pinCode is required"));
        }
    };
    let attempt = api.logins.begin_pin(peer.address, user_id)?;
    let is_right = password::verify(secret, hash).await;
    attempt.end(is_right)?;
    if is_right { Ok(()) } else { Err(Problem::bad_request(wrong)) }
}

/// The hash that a PIN is kept as.
///
/// # Errors
/// 503 when it cannot be made.
pub(crate) async fn hash(pin_code: String) -> Result<String, Problem> {
    password::hash(pin_code).await.ok_or_else(Problem::unavailable)
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::*;

    #[test]
    fn pin_is_six_digits() {
        for (body, good) in [
            (r#"{"pinCode":"123456"}"#, true),
            (r#"{"pinCode":"12345"}"#, false),
            (r#"{"pinCode":"1234567"}"#, false),
            (r#"{"pinCode":"12345a"}"#, false),
            (r#"{"pinCode":123456}"#, false),
            (r#"{"pinCode":"١٢٣"}"#, false),
            ("{}", false),
        ] {
            let mut fields = Fields::json(&Bytes::from_static(body.as_bytes())).unwrap();
            required(&mut fields, "pinCode");
            assert_eq!(fields.finish().is_ok(), good, "{body}");
        }
    }
}
