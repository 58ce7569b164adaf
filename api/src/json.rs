//! JSON values written straight into a buffer: a month can hold many thousand assets.

use std::io::Write as _;
use std::ops::Range;

use chrono::{DateTime, Datelike as _, Timelike as _, Utc};
use uuid::Uuid;

/// Two digits for each number below a hundred.
const PAIRS: &[u8; 200] = b"0001020304050607080910111213141516171819\
2021222324252627282930313233343536373839\
4041424344454647484950515253545556575859\
6061626364656667686970717273747576777879\
8081828384858687888990919293949596979899";

/// A buffer that JSON is written into.
#[derive(Default)]
pub(crate) struct Json(pub(crate) Vec<u8>);

impl Json {
    /// An empty buffer with room.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// As it is.
    pub(crate) fn raw(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    /// `null`.
    pub(crate) fn null(&mut self) {
        self.raw("null");
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }

    /// How many bytes were written.
    pub(crate) fn length(&self) -> usize {
        self.0.len()
    }

    /// What was written in this place, once more.
    pub(crate) fn again(&mut self, place: Range<usize>) {
        if place.end <= self.0.len() {
            self.0.extend_from_within(place);
        }
    }

    /// A whole number.
    pub(crate) fn integer(&mut self, value: i64) {
        self.display(format_args!("{value}"));
    }

    /// A number; what JSON does not have is `null`.
    pub(crate) fn number(&mut self, value: f64) {
        if value.is_finite() {
            self.display(format_args!("{value}"));
        } else {
            self.null();
        }
    }

    /// A number with three digits behind the point, as Postgres rounds.
    pub(crate) fn milli(&mut self, value: f64) {
        if value.is_finite() {
            self.display(format_args!("{value:.3}"));
        } else {
            self.raw("1");
        }
    }

    /// A text.
    pub(crate) fn text(&mut self, text: &str) {
        let plain = text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\');
        if plain {
            self.0.push(b'"');
            self.raw(text);
            self.0.push(b'"');
        } else if serde_json::to_writer(&mut self.0, text).is_err() {
            // Writing text into memory does not fail.
            self.null();
        }
    }

    /// An id.
    pub(crate) fn uuid(&mut self, id: Uuid) {
        let mut text = Uuid::encode_buffer();
        self.0.push(b'"');
        self.raw(id.hyphenated().encode_lower(&mut text));
        self.0.push(b'"');
    }

    /// An instant as Postgres writes a `timestamp`: no zone, no zeros at the end of the fraction.
    pub(crate) fn timestamp(&mut self, instant: DateTime<Utc>) {
        let Ok(year @ 0..=9_999) = u32::try_from(instant.year()) else {
            self.text(&crate::dates::postgres_plain(instant));
            return;
        };
        // Once, not for each part of it.
        let instant = instant.naive_utc();
        self.0.push(b'"');
        self.pair(year / 100);
        self.pair(year % 100);
        for (mark, value) in [
            (b'-', instant.month()),
            (b'-', instant.day()),
            (b'T', instant.hour()),
            (b':', instant.minute()),
            (b':', instant.second()),
        ] {
            self.0.push(mark);
            self.pair(value);
        }
        let micros = instant.nanosecond() / 1_000 % 1_000_000;
        if micros > 0 {
            self.0.push(b'.');
            self.pair(micros / 10_000);
            self.pair(micros / 100 % 100);
            self.pair(micros % 100);
            while self.0.last() == Some(&b'0') {
                self.0.pop();
            }
        }
        self.0.push(b'"');
    }

    fn pair(&mut self, value: u32) {
        let at = usize::try_from(value % 100).unwrap_or_default() * 2;
        self.0.extend_from_slice(PAIRS.get(at..at + 2).unwrap_or(b"00"));
    }

    fn display(&mut self, value: std::fmt::Arguments<'_>) {
        if self.0.write_fmt(value).is_err() {
            // Writing a number into memory does not fail.
            self.null();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Json)) -> String {
        let mut json = Json::default();
        write(&mut json);
        String::from_utf8(json.0).unwrap()
    }

    #[test]
    fn timestamps_are_spelled_as_elsewhere() {
        for text in [
            "2026-11-22T08:24:16.970428Z",
            "2023-09-25T08:33:30.88Z",
            "2025-12-01T18:30:00Z",
            "0099-01-01T00:00:00.1Z",
            "-0001-01-01T00:00:00Z",
            "+12345-01-01T00:00:00Z",
        ] {
            let instant: DateTime<Utc> = text.parse().unwrap();
            let plain = format!("\"{}\"", crate::dates::postgres_plain(instant));
            assert_eq!(written(|json| json.timestamp(instant)), plain);
        }
    }

    #[test]
    fn numbers_are_json() {
        assert_eq!(written(|json| json.number(-7.0)), "-7");
        assert_eq!(written(|json| json.number(5.5)), "5.5");
        assert_eq!(written(|json| json.number(f64::NAN)), "null");
        assert_eq!(written(|json| json.milli(1.5)), "1.500");
        assert_eq!(written(|json| json.integer(i64::MIN)), i64::MIN.to_string());
    }

    #[test]
    fn text_cannot_end_early() {
        assert_eq!(written(|json| json.text("a\"b\\\n")), r#""a\"b\\\n""#);
        assert_eq!(written(|json| json.text("é日")), "\"é日\"");
    }
}
