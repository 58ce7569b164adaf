//! Rules about a Rust file as a whole: it says what it is for, and it is one idea.

use crate::finding::Finding;

/// Lines of a Rust file without its tests. Most files are far below; past half of it a second idea
/// is usually in the file.
const CODE_LINES_MAX: usize = 800;

/// A file opens with `//!` and words; build scripts need not.
pub(super) fn opens_with_its_purpose(path: &str, text: &str) -> Option<Finding> {
    if file_name(path) == "build.rs" {
        return None;
    }
    let first = text.lines().next().unwrap_or("");
    let says = first.strip_prefix("//!").is_some_and(|words| !words.trim().is_empty());
    (!says).then(|| Finding::at_line(path, 1, "open the file with `//!` and what it is for"))
}

/// A file's code, without its tests, stays below the limit; files of tests have no limit.
pub(super) fn is_one_idea(path: &str, text: &str) -> Option<Finding> {
    if holds_only_tests(path) {
        return None;
    }
    let lines = code_lines(text);
    (lines > CODE_LINES_MAX).then(|| {
        let message = format!("{lines} lines without tests, at most {CODE_LINES_MAX}: split it");
        Finding::of_file(path, message)
    })
}

/// Lines before the module of tests at the foot.
fn code_lines(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let is_foot = |index: usize| {
        lines[index] == "#[cfg(test)]"
            && lines[index + 1..]
                .iter()
                .find(|line| !line.starts_with("#["))
                .is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'))
    };
    (0..lines.len()).find(|index| is_foot(*index)).unwrap_or(lines.len())
}

fn holds_only_tests(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part == "tests.rs")
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_says_what_it_is_for_passes() {
        assert_eq!(opens_with_its_purpose("a/src/lib.rs", "//! Ids.\n\nstruct A;\n"), None);
    }

    #[test]
    fn silence_an_empty_line_and_a_bare_marker_are_found() {
        for text in ["", "struct A;\n", "\n//! Ids.\n", "//!\n", "// Ids.\n"] {
            assert!(opens_with_its_purpose("a/src/lib.rs", text).is_some(), "{text:?}");
        }
    }

    #[test]
    fn build_scripts_need_no_purpose() {
        assert_eq!(opens_with_its_purpose("migrations/build.rs", "fn main() {}\n"), None);
        assert!(opens_with_its_purpose("migrations/rebuild.rs", "fn main() {}\n").is_some());
    }

    #[test]
    fn the_limit_itself_is_allowed() {
        assert_eq!(is_one_idea("a/src/lib.rs", &"x\n".repeat(CODE_LINES_MAX)), None);
        assert!(is_one_idea("a/src/lib.rs", &"x\n".repeat(CODE_LINES_MAX + 1)).is_some());
    }

    #[test]
    fn tests_at_the_foot_do_not_count() {
        let text = "a\nb\n#[cfg(test)]\nmod tests {\nc\n}\n";
        assert_eq!(code_lines(text), 2);
        let expected = "a\n#[cfg(test)]\n#[expect(x, reason = \"y\")]\nmod tests {\n}\n";
        assert_eq!(code_lines(expected), 1);
    }

    #[test]
    fn a_test_helper_in_the_middle_hides_nothing() {
        assert_eq!(code_lines("a\n#[cfg(test)]\nfn helper() {}\nb\n"), 4);
        assert_eq!(code_lines("a\n#[cfg(test)]\nmod tests;\nb\n"), 4);
    }

    #[test]
    fn files_of_tests_may_be_long() {
        let text = "x\n".repeat(CODE_LINES_MAX + 1);
        assert_eq!(is_one_idea("tests/slices/favorite.rs", &text), None);
        assert_eq!(is_one_idea("domain/src/asset/tests.rs", &text), None);
    }
}
