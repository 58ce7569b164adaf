//! What was found, told line by line as it is found.

use crate::operator::say;

/// Counts what is wrong.
#[derive(Debug, Default)]
pub(super) struct Findings {
    problems: u32,
    #[cfg(test)]
    told: Vec<String>,
}

impl Findings {
    /// Something is as it should be.
    #[expect(clippy::unused_self, reason = "all three are told in the same way")]
    pub(super) fn good(&self, line: &str) {
        say(&format!("ok       {line}"));
    }

    /// Something to know, that is not wrong.
    #[expect(clippy::unused_self, reason = "all three are told in the same way")]
    pub(super) fn note(&self, line: &str) {
        say(&format!("note     {line}"));
    }

    /// Something is wrong; the line says what to do about it where we know.
    pub(super) fn problem(&mut self, line: &str) {
        self.problems += 1;
        #[cfg(test)]
        self.told.push(line.to_owned());
        say(&format!("PROBLEM  {line}"));
    }

    /// Every line of what is wrong.
    #[cfg(test)]
    pub(super) fn told(&self) -> &[String] {
        &self.told
    }

    /// How much is wrong.
    pub(super) fn problems(&self) -> u32 {
        self.problems
    }
}

/// `one thing`, `3 things`.
pub(super) fn counted(count: i64, one: &str, many: &str) -> String {
    if count == 1 { format!("one {one}") } else { format!("{count} {many}") }
}

/// `20 s`, `5 min`, `3 h`, `2 days`: of an age in seconds.
pub(super) fn age(seconds: f64) -> String {
    for (unit, name) in [(86_400.0, "days"), (3_600.0, "h"), (60.0, "min")] {
        if seconds >= 2.0 * unit {
            return format!("{:.0} {name}", (seconds / unit).floor());
        }
    }
    format!("{:.0} s", seconds.max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_in_one_unit() {
        for (seconds, told) in [
            (-1.0, "0 s"),
            (20.4, "20 s"),
            (119.0, "119 s"),
            (120.0, "2 min"),
            (7_300.0, "2 h"),
            (200_000.0, "2 days"),
        ] {
            assert_eq!(age(seconds), told);
        }
    }
}
