//! Fields that making and changing a link share.

use calotype_commands::password;
use chrono::{DateTime, Utc};

use super::dto::PASSWORD_MASK;
use crate::problem::Problem;
use crate::validate::Fields;

/// The longest slug, description and password, in characters.
const WORDS_CHARS_MAX: usize = 10_000;

/// A text that may be `null`: nothing when it is not there, nothing inside when it is `null` or empty.
pub(super) fn text(fields: &mut Fields, name: &str) -> Option<Option<String>> {
    if fields.is_null(name) {
        return Some(None);
    }
    let text = fields.string(name)?;
    let text: String = text.chars().take(WORDS_CHARS_MAX).collect();
    Some(Some(text).filter(|text| !text.is_empty()))
}

/// When it ends; nothing inside for never.
pub(super) fn expires_at(fields: &mut Fields) -> Option<Option<DateTime<Utc>>> {
    if fields.is_null("expiresAt") {
        return Some(None);
    }
    fields.datetime("expiresAt").map(|end| Some(end.to_utc()))
}

/// The hash of a password that was given. The mask that stands for the one that is set changes nothing.
///
/// # Errors
/// 503 when it cannot be made.
pub(super) async fn hashed(
    wish: Option<Option<String>>,
) -> Result<Option<Option<String>>, Problem> {
    Ok(match wish {
        Some(Some(text)) if text == PASSWORD_MASK => None,
        Some(Some(text)) => {
            Some(Some(password::hash(text).await.ok_or_else(Problem::unavailable)?))
        }
        other => other,
    })
}
