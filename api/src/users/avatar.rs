//! The colours of avatars, and which one an account has that chose none.

use calotype_domain::user::AvatarColor;

use crate::validate::{Fields, not_an_option};

/// Every colour with Immich's word for it, in Immich's order.
const COLORS: [(&str, AvatarColor); 10] = [
    ("primary", AvatarColor::Primary),
    ("pink", AvatarColor::Pink),
    ("red", AvatarColor::Red),
    ("yellow", AvatarColor::Yellow),
    ("blue", AvatarColor::Blue),
    ("green", AvatarColor::Green),
    ("purple", AvatarColor::Purple),
    ("orange", AvatarColor::Orange),
    ("gray", AvatarColor::Gray),
    ("amber", AvatarColor::Amber),
];

/// The colour that follows from an e-mail: the sum of its characters picks it.
pub(crate) fn of_email(email: &str) -> AvatarColor {
    let sum: usize = email.encode_utf16().map(usize::from).sum();
    COLORS[sum % COLORS.len()].1
}

/// The colour of a body, when it is there: `Some(None)` for `null`, which gives the choice back.
pub(crate) fn field(fields: &mut Fields, name: &str) -> Option<Option<AvatarColor>> {
    if !fields.has(name) {
        return None;
    }
    if fields.is_null(name) {
        return Some(None);
    }
    let words = COLORS.map(|(word, _)| word);
    let wish = fields.option(name, &words)?;
    Some(of_word(&wish))
}

/// The colour of a word.
pub(crate) fn of_word(wish: &str) -> Option<AvatarColor> {
    COLORS.iter().find(|(word, _)| *word == wish).map(|(_, color)| *color)
}

/// Zod's complaint about a word that names no colour.
pub(crate) fn not_a_color(path: &[&str]) -> serde_json::Value {
    not_an_option(&COLORS.map(|(word, _)| word), path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_accounts_have_their_recorded_colours() {
        assert_eq!(of_email("admin@example.com"), AvatarColor::Gray);
        assert_eq!(of_email("user1795335853@example.com"), AvatarColor::Yellow);
    }
}
