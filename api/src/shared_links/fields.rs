//! Fields that making and changing a link share.

use calotype_commands::password;
use chrono::{DateTime, Utc};

use super::dto::PASSWORD_MASK;
use crate::links::WORD_CHARS_MAX;
use crate::problem::Problem;
use crate::validate::Fields;

/// The longest description and password, in characters.
const WORDS_CHARS_MAX: usize = 10_000;

/// A text that may be `null`: nothing when it is not there, nothing inside when it is `null` or empty. One that is
/// too long is refused: cut off, a password would be another.
pub(super) fn text(fields: &mut Fields, name: &str) -> Option<Option<String>> {
    text_up_to(fields, name, WORDS_CHARS_MAX)
}

/// The name that stands for a link in addresses; as [`text`]. One that is longer would be looked for in vain.
pub(super) fn slug(fields: &mut Fields) -> Option<Option<String>> {
    text_up_to(fields, "slug", WORD_CHARS_MAX)
}

fn text_up_to(fields: &mut Fields, name: &str, chars_max: usize) -> Option<Option<String>> {
    if fields.is_null(name) {
        return Some(None);
    }
    let text = fields.string_up_to(name, chars_max)?;
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

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use serde_json::json;

    use super::*;

    fn issues(name: &str, chars: usize) -> usize {
        let body = json!({ name: "x".repeat(chars) }).to_string();
        let mut fields = Fields::json(&Bytes::from(body)).unwrap();
        let read = if name == "slug" { slug(&mut fields) } else { text(&mut fields, name) };
        assert_eq!(read.is_some(), fields.issues().is_empty());
        assert!(read.flatten().is_none_or(|text| text.len() == chars));
        fields.issues().len()
    }

    #[test]
    fn what_is_too_long_is_refused_and_not_cut_off() {
        assert_eq!((issues("slug", WORD_CHARS_MAX), issues("slug", WORD_CHARS_MAX + 1)), (0, 1));
        for name in ["password", "description"] {
            assert_eq!((issues(name, WORDS_CHARS_MAX), issues(name, WORDS_CHARS_MAX + 1)), (0, 1));
        }
    }
}
