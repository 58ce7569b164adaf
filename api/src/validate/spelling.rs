//! How e-mails, identifiers and times are spelled, and the patterns that Zod 4 names for them.

use uuid::Uuid;

/// The pattern Zod 4 names for a UUID of version 4.
pub const UUID_PATTERN: &str =
    "/^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-4[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12})$/";
/// The pattern Zod 4 names for an e-mail, with Immich's HTML5 expression.
pub const EMAIL_PATTERN: &str = "/^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/";
/// The pattern Zod 4 names for an ISO date and time with an offset.
pub const DATETIME_PATTERN: &str = "/^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))T(?:(?:[01]\\d|2[0-3]):[0-5]\\d(?::[0-5]\\d(?:\\.\\d+)?)?(?:Z|([+-](?:[01]\\d|2[0-3]):[0-5]\\d)))$/";

/// A UUID of version 4, hyphens and all.
pub(super) fn parse_uuid_v4(text: &str) -> Option<Uuid> {
    if text.len() != 36 {
        return None;
    }
    Uuid::parse_str(text)
        .ok()
        .filter(|uuid| uuid.get_version_num() == 4 && uuid.get_variant() == uuid::Variant::RFC4122)
}

/// Immich's HTML5 expression: a local part of certain characters, and labels of letters, digits and inner dashes.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let local_fits = !local.is_empty()
        && local.chars().all(|c| c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c));
    let label_fits = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    local_fits && domain.split('.').all(label_fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuid_of_another_version_is_refused() {
        assert!(parse_uuid_v4("91da1ac8-0dfd-45f4-9efc-16416a8dea30").is_some());
        assert!(parse_uuid_v4("018f0000-0000-7000-8000-000000000000").is_none());
        assert!(parse_uuid_v4("91da1ac80dfd45f49efc16416a8dea30").is_none());
    }

    #[test]
    fn email_needs_an_at_sign_but_no_dot() {
        assert!(is_email("admin@example.com"));
        assert!(is_email("admin@localhost"));
        assert!(!is_email("nope"));
        assert!(!is_email("a@-b.c"));
    }
}
