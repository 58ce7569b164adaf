//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a name that a client gives to a request, so that it
//! may repeat it when the answer was lost. `commands::keyed` says how a repeated one is recognised.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use calotype_commands::{CommandContext, keyed};

use super::Caller;
use crate::problem::Problem;

/// The header.
const NAME: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest key, in characters.
const KEY_CHARS_MAX: usize = 255;

/// What the client named the request, as it was sent.
pub(super) fn of(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(NAME).cloned()
}

impl Caller {
    /// The context of a command that its caller may name by a key, of an operation of `docs/api.md` that knows keys.
    /// Keys are apart for each person and operation. Without a key, the same as [`Caller::context`].
    ///
    /// # Errors
    /// 400 for a key that is empty, longer than 255 characters or not of visible ASCII.
    pub(crate) fn keyed_context(&self, operation: &str) -> Result<CommandContext, Problem> {
        let Some(value) = &self.key else { return Ok(self.context()) };
        let key = text(value).ok_or_else(|| {
            Problem::bad_request("Idempotency-Key must have 1 to 255 characters of visible ASCII")
        })?;
        let command_id = keyed::command_id(self.user_id().uuid(), operation, key);
        Ok(CommandContext { command_id, ..self.context() })
    }
}

fn text(value: &HeaderValue) -> Option<&str> {
    let text = value.to_str().ok()?;
    let is_key = (1..=KEY_CHARS_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    is_key.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_short_and_visible() {
        let is_key = |value: &str| text(&HeaderValue::from_str(value).unwrap()).is_some();
        assert!(is_key("8e03978e-40d5-43dd-bc93-6894a57f9324"));
        assert!(is_key("\"quoted, as the draft has it\""));
        assert!(is_key(&"k".repeat(KEY_CHARS_MAX)));
        assert!(!is_key(""));
        assert!(!is_key(&"k".repeat(KEY_CHARS_MAX + 1)));
        assert!(!is_key("a\tb"));
    }
}
