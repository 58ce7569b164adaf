//! IPTC-IIM: caption, keywords and the date, from records of `1C <record> <dataset> <length>`.

use super::{date, date::Stamp, text};
use crate::limits::SEGMENTS_MAX;

/// What is used of an IPTC block.
#[derive(Debug, Default)]
pub(super) struct Iptc {
    pub(super) description: Option<String>,
    pub(super) keywords: Vec<String>,
    pub(super) created: Option<Stamp>,
}

pub(super) fn read(bytes: &[u8]) -> Iptc {
    let mut found = Iptc::default();
    let (mut day, mut time) = (None, None);
    let mut rest = bytes;
    for _ in 0..SEGMENTS_MAX {
        let [0x1c, record, dataset, high, low, body @ ..] = rest else { break };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        // The highest bit marks a longer form that only pictures inside IPTC use.
        let Some(value) = body.get(..length).filter(|_| *high < 0x80) else { break };
        match (record, dataset) {
            (2, 25) => found.keywords.extend(text::from_bytes(value)),
            (2, 55) => day = text::from_bytes(value),
            (2, 60) => time = text::from_bytes(value),
            (2, 120) => found.description = text::from_bytes(value),
            _ => {}
        }
        rest = &body[length..];
    }
    found.created = day.zip(time).and_then(|(day, time)| stamp(&day, &time));
    found
}

/// `20150405` and `060708+0300`.
fn stamp(day: &str, time: &str) -> Option<Stamp> {
    let text = format!(
        "{}:{}:{} {}:{}:{}{}",
        day.get(..4)?,
        day.get(4..6)?,
        day.get(6..8)?,
        time.get(..2)?,
        time.get(2..4)?,
        time.get(4..6)?,
        time.get(6..).unwrap_or_default()
    );
    date::parse(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_until_the_damage() {
        let bytes = b"\x1c\x02\x19\0\x03cat\x1c\x02\x37\0\x0820150405\x1c\x02\x3c\0\x0b060708+0300\x1c\x02\x78\xff";
        let found = read(bytes);
        assert_eq!(found.keywords, ["cat"]);
        assert_eq!(found.created.map(|it| it.1), Some(Some(180)));
        assert_eq!(found.description, None);
    }
}
