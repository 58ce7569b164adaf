//! Telling how far it is, on standard error: what was done stands on standard output.

use std::time::{Duration, Instant};

/// How often it is told.
const TOLD_EVERY: Duration = Duration::from_secs(5);

/// Tells every few seconds.
pub(crate) struct Progress {
    told: Instant,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { told: Instant::now() }
    }

    /// Tells where it is time.
    pub(crate) fn tell(&mut self, line: impl FnOnce() -> String) {
        if self.told.elapsed() >= TOLD_EVERY {
            self.told = Instant::now();
            remark(&line());
        }
    }
}

#[expect(clippy::print_stderr, reason = "what an operator is told beside the answer")]
pub(crate) fn remark(line: &str) {
    eprintln!("{line}");
}

/// A number with its thousands apart.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut told = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            told.push(',');
        }
        told.push(digit);
    }
    told
}

/// A size in the unit that it can be read in.
pub(crate) fn size(bytes: u64) -> String {
    const KIB: u64 = 1 << 10;
    const MIB: u64 = 1 << 20;
    if bytes < MIB {
        return format!("{} KiB", bytes.div_ceil(KIB));
    }
    let tenths = bytes.saturating_mul(10) / MIB;
    format!("{}.{} MiB", count(tenths / 10), tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_can_be_read() {
        for (number, told) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), told);
        }
        assert_eq!(size(1_600 << 20), "1,600.0 MiB");
        assert_eq!(size(3 << 19), "1.5 MiB");
        assert_eq!((size(1), size(0)), ("1 KiB".to_owned(), "0 KiB".to_owned()));
    }
}
