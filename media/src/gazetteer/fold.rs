//! Words as they are compared: without case and accents.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// A text in lower case without accents; letters that have no plain form stay as they are.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.nfd().filter(|letter| !is_combining_mark(*letter)) {
        match letter {
            'ß' => folded.push_str("ss"),
            'æ' | 'Æ' => folded.push_str("ae"),
            'œ' | 'Œ' => folded.push_str("oe"),
            'ø' | 'Ø' => folded.push('o'),
            'đ' | 'Đ' | 'ð' | 'Ð' => folded.push('d'),
            'ł' | 'Ł' => folded.push('l'),
            'ı' => folded.push('i'),
            '‘' | '’' | 'ʻ' | 'ʼ' => folded.push('\''),
            other => folded.extend(other.to_lowercase().filter(|it| !is_combining_mark(*it))),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_accents_are_dropped() {
        assert_eq!(fold("Hôtel-de-Ville"), "hotel-de-ville");
        assert_eq!(fold("ŁÓDŹ"), "lodz");
        assert_eq!(fold("İstanbul"), "istanbul");
        assert_eq!(fold("東京"), "東京");
    }
}
