//! `Range` headers of RFC 9110, one range at a time. Several at once are answered with the whole file.

/// What a client asked for of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Everything: no range, a malformed one, or several.
    Whole,
    /// From the first to the last byte, both included.
    Part {
        /// First byte.
        first: u64,
        /// Last byte.
        last: u64,
    },
    /// Nothing that the file has.
    Unsatisfiable,
}

/// Reads a `Range` header for a file of `size_bytes`.
pub(super) fn parse(header: &str, size_bytes: u64) -> Wanted {
    let Some((unit, ranges)) = header.split_once('=') else { return Wanted::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") || ranges.contains(',') {
        return Wanted::Whole;
    }
    let Some((first, last)) = ranges.trim().split_once('-') else { return Wanted::Whole };
    match (number(first), number(last)) {
        (Some(None), Some(Some(0))) => Wanted::Unsatisfiable,
        (Some(None), Some(Some(length))) if size_bytes > 0 => {
            Wanted::Part { first: size_bytes.saturating_sub(length), last: size_bytes - 1 }
        }
        (Some(None), Some(Some(_))) => Wanted::Unsatisfiable,
        (Some(Some(first)), Some(last)) => {
            if last.is_some_and(|last| last < first) {
                return Wanted::Whole;
            }
            if first >= size_bytes {
                return Wanted::Unsatisfiable;
            }
            let end = size_bytes - 1;
            Wanted::Part { first, last: last.map_or(end, |last| last.min(end)) }
        }
        (Some(None), Some(None)) | (None, _) | (_, None) => Wanted::Whole,
    }
}

/// Empty, a number, or neither.
fn number(text: &str) -> Option<Option<u64>> {
    let text = text.trim();
    if text.is_empty() {
        return Some(None);
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // More digits than fit lie beyond every file.
    Some(Some(text.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_says() {
        let cases = [
            ("bytes=0-99", Wanted::Part { first: 0, last: 99 }),
            ("bytes=990-", Wanted::Part { first: 990, last: 999 }),
            ("bytes=-10", Wanted::Part { first: 990, last: 999 }),
            ("bytes=-5000", Wanted::Part { first: 0, last: 999 }),
            ("bytes=0-5000", Wanted::Part { first: 0, last: 999 }),
            ("bytes=1000-", Wanted::Unsatisfiable),
            ("bytes=-0", Wanted::Unsatisfiable),
            ("bytes=99999999999999999999999-", Wanted::Unsatisfiable),
            ("bytes=5-4", Wanted::Whole),
            ("bytes=0-1,3-4", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("lines=0-1", Wanted::Whole),
            ("nonsense", Wanted::Whole),
        ];
        for (header, wanted) in cases {
            assert_eq!(parse(header, 1_000), wanted, "{header}");
        }
    }

    #[test]
    fn empty_file_has_no_part() {
        assert_eq!(parse("bytes=0-", 0), Wanted::Unsatisfiable);
        assert_eq!(parse("bytes=-1", 0), Wanted::Unsatisfiable);
    }
}
