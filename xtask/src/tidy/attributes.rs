//! Attributes the house does without, each with what to write instead.
//! Clippy forbids one of them too, but only in what it compiles; this looks at every file.
//! It does not see attributes that a macro writes.

use super::lexer;
use crate::finding::Finding;

/// Name, and what to do instead.
const FORBIDDEN: &[(&str, &str)] = &[
    ("allow", "write #[expect(.., reason = \"..\")] instead of #[allow]"),
    ("ignore", "no #[ignore]: a long test is a binary of its own that ./dev soak runs"),
    ("should_panic", "no #[should_panic]: return an error and assert on it"),
];

/// One finding for each forbidden attribute, also behind `cfg_attr`.
pub(super) fn are_permitted(path: &str, text: &str) -> Vec<Finding> {
    let code = lexer::blank_comments_and_literals(text);
    let mut findings = Vec::new();
    let mut from = 0;
    while let Some(found) = code[from..].find('#') {
        let hash = from + found;
        from = hash + 1;
        let Some(body) = attribute_body(&code[from..]) else { continue };
        for (name, instead) in FORBIDDEN {
            if names(body, name) {
                let line = 1 + code[..hash].matches('\n').count();
                findings.push(Finding::at_line(path, line, *instead));
            }
        }
    }
    findings
}

/// What stands between the brackets, given the text after a `#`; `None` if it is no attribute.
fn attribute_body(after_hash: &str) -> Option<&str> {
    let after_hash = after_hash.strip_prefix('!').unwrap_or(after_hash);
    let inside = after_hash.strip_prefix('[')?;
    let mut depth = 1_u32;
    for (index, character) in inside.char_indices() {
        match character {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return inside.get(..index);
        }
    }
    None
}

/// Whether the attribute is `name`, or a `cfg_attr` that has it as one of its words.
fn names(body: &str, name: &str) -> bool {
    let mut words = body
        .split(|character: char| !(character.is_alphanumeric() || character == '_'))
        .filter(|word| !word.is_empty());
    match words.next() {
        Some("cfg_attr") => words.any(|word| word == name),
        first => first == Some(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        let findings = are_permitted("a.rs", text);
        findings.into_iter().filter_map(|finding| finding.line).collect()
    }

    #[test]
    fn forbidden_attributes_are_found_with_their_line() {
        assert_eq!(lines("#[test]\n#[ignore]\nfn a() {}\n"), [2]);
        assert_eq!(lines("#[test] #[ignore = \"slow\"]\nfn a() {}\n"), [1]);
        assert_eq!(lines("\n\n#[should_panic(expected = \"a\")]\nfn a() {}\n"), [3]);
        assert_eq!(lines("#![allow(dead_code)]\n    #[allow(\n unused)]\n"), [1, 2]);
    }

    #[test]
    fn a_condition_does_not_hide_one() {
        assert_eq!(lines("#[cfg_attr(not(unix), ignore)]\nfn a() {}\n"), [1]);
        assert_eq!(lines("#[cfg_attr(test, allow(dead_code))]\nfn a() {}\n"), [1]);
    }

    #[test]
    fn other_attributes_pass() {
        assert!(lines("#[expect(dead_code, reason = \"ignore this\")]\nfn a() {}\n").is_empty());
        assert!(lines("#[serde(skip)]\n#[doc(alias = \"allow\")]\nstruct A;\n").is_empty());
        assert!(lines("#[derive(Debug)]\nstruct A { ignore: bool, allow: bool }\n").is_empty());
    }

    #[test]
    fn talking_about_one_is_fine() {
        assert!(lines("// no #[ignore] here\n/// nor #[allow(..)]\nfn a() {}\n").is_empty());
        assert!(lines("const A: &str = \"#[ignore]\";\n").is_empty());
    }
}
