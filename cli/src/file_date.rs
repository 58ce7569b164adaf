//! When a file was taken, where only its name or its time tells.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

use crate::entry::File;
use crate::notes::{Notes, Taken};

/// Years that are believed of a name.
const YEARS: std::ops::RangeInclusive<u32> = 1990..=2099;

/// The date that is sent for a file, and from where it comes when it is guessed. Where the file itself names one, that
/// one counts, unless the notes state theirs.
pub(crate) fn of_file(file: &File, notes: Option<&Notes>) -> (DateTime<Utc>, Option<&'static str>) {
    let guess = notes.and_then(|notes| notes.date_guess);
    match notes.and_then(|notes| notes.taken) {
        Some(Taken::Stated(at)) => return (at.to_utc(), guess),
        Some(Taken::WallClock(at)) => return (at.and_utc(), guess),
        Some(Taken::Instant(at)) => return (at, guess),
        None => {}
    }
    match of_name(&file.name()) {
        Some(at) => (at.and_utc(), Some("the date in its name")),
        None => (file.modified, Some("the file's last change")),
    }
}

/// The date, and the time if there is one, in names such as `IMG_20200102_030405.jpg`, `IMG-20200102-WA0001.jpg` and
/// `Screenshot 2020-01-02 at 03.04.05.png`.
fn of_name(name: &str) -> Option<NaiveDateTime> {
    let bytes = name.as_bytes();
    (0..bytes.len()).find_map(|begin| {
        let follows_digit = begin.checked_sub(1).and_then(|it| bytes.get(it));
        if follows_digit.is_some_and(u8::is_ascii_digit) {
            return None;
        }
        let mut rest = Rest { bytes, at: begin };
        let year = rest.number(4).filter(|year| YEARS.contains(year))?;
        rest.skip(b"-_.");
        let month = rest.number(2)?;
        rest.skip(b"-_.");
        let day = rest.number(2)?;
        let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
        let is_ended = !rest.is_digit();
        let time = rest.time();
        (is_ended || time.is_some()).then(|| date.and_time(time.unwrap_or_default()))
    })
}

#[derive(Clone, Copy)]
struct Rest<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Rest<'_> {
    fn is_digit(&self) -> bool {
        self.bytes.get(self.at).is_some_and(u8::is_ascii_digit)
    }

    fn number(&mut self, digits: usize) -> Option<u32> {
        let text = self.bytes.get(self.at..self.at.checked_add(digits)?)?;
        if !text.iter().all(u8::is_ascii_digit) {
            return None;
        }
        self.at += digits;
        std::str::from_utf8(text).ok()?.parse().ok()
    }

    fn skip(&mut self, letters: &[u8]) {
        if self.bytes.get(self.at).is_some_and(|it| letters.contains(it)) {
            self.at += 1;
        }
    }

    /// Hours, minutes and seconds; milliseconds may follow without a dot.
    fn time(mut self) -> Option<NaiveTime> {
        if self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(b" at ")) {
            self.at += 4;
        } else {
            self.skip(b"-_ T");
        }
        let hour = self.number(2)?;
        self.skip(b"-_.:");
        let minute = self.number(2)?;
        self.skip(b"-_.:");
        let second = self.number(2)?;
        if self.is_digit() {
            self.number(3)?;
        }
        if self.is_digit() {
            return None;
        }
        NaiveTime::from_hms_opt(hour, minute, second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_found_in_names_of_cameras_and_programs() {
        for (name, date) in [
            ("IMG_20200102_030405.jpg", Some("2020-01-02 03:04:05")),
            ("PXL_20200102_030405123.jpg", Some("2020-01-02 03:04:05")),
            ("IMG-20200102-WA0001.jpg", Some("2020-01-02 00:00:00")),
            ("20200102030405.mp4", Some("2020-01-02 03:04:05")),
            ("Screenshot 2020-01-02 at 03.04.05.png", Some("2020-01-02 03:04:05")),
            ("signal-2020-01-02-030405.jpg", Some("2020-01-02 03:04:05")),
            ("2020-01-02 03.04.05.jpg", Some("2020-01-02 03:04:05")),
            ("IMG_20201302.jpg", None),
            ("IMG_0001.jpg", None),
            ("1920x1080_20200.jpg", None),
            ("FB_IMG_1577934245123.jpg", None),
            ("120200102.jpg", None),
            ("202001021.jpg", None),
            ("é.jpg", None),
        ] {
            assert_eq!(of_name(name).map(|it| it.to_string()).as_deref(), date, "{name}");
        }
    }
}
