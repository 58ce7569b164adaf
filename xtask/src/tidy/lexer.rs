//! Blanks comments, strings and characters of Rust source, so that what is left can be searched.
//! It knows just enough of the language for that: no tokens, no errors. Unfinished text is blanked
//! to its end.

/// The source with each character of a comment or literal as a space; lines stay where they were.
pub(super) fn blank_comments_and_literals(source: &str) -> String {
    let characters: Vec<char> = source.chars().collect();
    let mut code = String::with_capacity(source.len());
    let mut at = 0;
    while let Some(character) = characters.get(at) {
        let rest = &characters[at..];
        let follows_word = at > 0 && is_word(characters[at - 1]);
        let blanked = match blank_length(rest, follows_word) {
            0 => {
                code.push(*character);
                1
            }
            length => {
                let length = length.min(rest.len());
                code.extend(rest[..length].iter().map(|it| if *it == '\n' { '\n' } else { ' ' }));
                length
            }
        };
        at += blanked;
    }
    code
}

/// Characters of the comment or literal that begins here; 0 if none does.
fn blank_length(rest: &[char], follows_word: bool) -> usize {
    match rest {
        ['/', '/', ..] => rest.iter().take_while(|it| **it != '\n').count(),
        ['/', '*', ..] => block_comment_length(rest),
        ['"', ..] => quoted_length(rest, '"'),
        ['\'', '\\', ..] | ['\'', _, '\'', ..] => quoted_length(rest, '\''),
        ['r', '"' | '#', ..] if !follows_word => raw_string_length(rest),
        ['b' | 'c', 'r', '"' | '#', ..] if !follows_word => match raw_string_length(&rest[1..]) {
            0 => 0,
            length => 1 + length,
        },
        _ => 0,
    }
}

/// Block comments nest.
fn block_comment_length(rest: &[char]) -> usize {
    let mut depth = 0_u32;
    let mut at = 0;
    while at < rest.len() {
        match &rest[at..] {
            ['/', '*', ..] => {
                depth += 1;
                at += 2;
            }
            ['*', '/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    rest.len()
}

fn quoted_length(rest: &[char], quote: char) -> usize {
    let mut at = 1;
    while let Some(character) = rest.get(at) {
        match *character {
            '\\' => at += 2,
            it if it == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// `r"…"` and `r#"…"#`; 0 for a raw identifier such as `r#type`.
fn raw_string_length(rest: &[char]) -> usize {
    let hashes = rest[1..].iter().take_while(|it| **it == '#').count();
    let start = 1 + hashes;
    if rest.get(start) != Some(&'"') {
        return 0;
    }
    let mut at = start + 1;
    while at < rest.len() {
        let closing = rest[at + 1..].iter().take(hashes).take_while(|it| **it == '#').count();
        if rest[at] == '"' && closing == hashes {
            return at + 1 + hashes;
        }
        at += 1;
    }
    rest.len()
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> Vec<String> {
        let code = blank_comments_and_literals(source);
        assert_eq!(code.chars().count(), source.chars().count());
        assert_eq!(code.lines().count(), source.lines().count());
        code.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn comments_go_and_code_stays() {
        assert_eq!(words("a // x\nb /* x /* x */ x\n */ c"), ["a", "b", "c"]);
        assert_eq!(words("a / b"), ["a", "/", "b"]);
    }

    #[test]
    fn strings_go_whatever_they_hold() {
        assert_eq!(words(r#"a "x // \" x" b"#), ["a", "b"]);
        assert_eq!(
            words("a r#\"x \" x\"# b r\"x\\\" c br##\"x\"# x\"## d b\"x\" e"),
            ["a", "b", "c", "d", "b", "e"]
        );
    }

    #[test]
    fn characters_go_and_lifetimes_stay() {
        assert_eq!(words(r"a 'x' b '\'' c '\u{41}' d '/' e"), ["a", "b", "c", "d", "e"]);
        assert_eq!(words("fn a<'x>(b: &'x str)"), ["fn", "a<'x>(b:", "&'x", "str)"]);
    }

    #[test]
    fn raw_identifiers_and_words_ending_in_r_stay() {
        assert_eq!(words("r#type for\"x\" c"), ["r#type", "for", "c"]);
    }

    #[test]
    fn unfinished_text_ends_quietly() {
        assert_eq!(words("a \"x"), ["a"]);
        assert_eq!(words("a /* x"), ["a"]);
        assert_eq!(words("a r#\"x"), ["a"]);
        assert_eq!(words("a \"x\\"), ["a"]);
    }
}
