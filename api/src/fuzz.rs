//! What clients send and this room reads by hand, as functions of bytes, for fuzzers (`fuzz/`).
//!
//! None of them may panic or hang, whatever the bytes are. JSON itself is `serde_json`'s.

use std::hint::black_box;

use axum::body::Bytes;
use calotype_domain::config::template::Template;

use crate::validate::Fields;
use crate::{assets, files, search, server, sync, users};

/// A reader with its name, which is that of its fuzz target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Name, as in `fuzz/Cargo.toml`.
    pub name: &'static str,
    /// The reader. What it gives is dropped.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 5] = [
    Target { name: "sync_acks", run: sync_acks },
    Target { name: "search", run: search },
    Target { name: "ranges", run: ranges },
    Target { name: "template", run: template },
    Target { name: "bodies", run: bodies },
];

/// Runs a target by its name; an unknown one does nothing.
pub fn run(name: &str, bytes: &[u8]) {
    if let Some(target) = TARGETS.iter().find(|it| it.name == name) {
        (target.run)(bytes);
    }
}

fn sync_acks(bytes: &[u8]) {
    sync::read_ack(&String::from_utf8_lossy(bytes));
}

/// Filters, orders and cursors.
fn search(bytes: &[u8]) {
    if let Ok(mut fields) = Fields::json(&Bytes::copy_from_slice(bytes)) {
        search::read_structured(&mut fields);
    }
    search::read_cursor(&String::from_utf8_lossy(bytes));
}

fn ranges(bytes: &[u8]) {
    let header = String::from_utf8_lossy(bytes);
    for size_bytes in [0, 1, 1_000, u64::MAX] {
        files::read_range(&header, size_bytes);
    }
}

/// A template, a zone and a query: texts with a grammar of their own.
fn template(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    black_box(Template::parse(&text).is_ok());
    assets::read_zone(&text);
    black_box(users::heatmap::Asked::parse(Some(&text)).is_ok());
}

fn bodies(bytes: &[u8]) {
    let body = Bytes::copy_from_slice(bytes);
    black_box(server::license::parse(&body).is_ok());
    black_box(users::preferences::Changes::parse(&body).is_ok());
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEDS: [&str; 14] = [
        "SyncAckV1|0197a0b4-7a1c-7000-8000-000000000001",
        "AssetV1|0197a0b4-7a1c-7000-8000-000000000001|0197a0b4-7a1c-7000-8000-000000000002",
        "SyncResetV1|reset",
        r#"{"filter":{"city":{"eq":"Bern"},"or":[{"rating":{"gte":3}},{"not":{"make":{"in":["a"]}}}]}}"#,
        r#"{"orderBy":{"field":"rating","direction":"desc"},"cursor":"MDE5N2EwYjR8NQ"}"#,
        r#"{"takenAfter":"2024-02-30T00:00:00.000Z","filter":[[[[{}]]]],"cursor":7}"#,
        "bytes=0-499",
        "bytes=-18446744073709551616",
        "bytes=18446744073709551615-0",
        "{{y}}/{{MM}}/{{#if album}}{{album}}{{else}}{{filename}}{{/if}}",
        "{{{{{{#if album}}{{#if",
        "UTC+99:99",
        r#"{"licenseKey":"IMSV-0KEY-0KEY-0KEY","activationKey":"x"}"#,
        r#"{"download":{"archiveSize":1e400},"avatar":{"color":"\ud800"}}"#,
    ];

    /// `SplitMix64`, one step.
    fn mixed(seed: u64) -> u64 {
        let mut mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 27)
    }

    /// A seed with up to four bytes changed, left out, or doubled.
    fn damaged(text: &str, seed: u64) -> Vec<u8> {
        let mut bytes = text.as_bytes().to_vec();
        for round in 0..=mixed(seed) % 4 {
            let random = mixed(seed.wrapping_mul(31).wrapping_add(round + 1));
            let length = u64::try_from(bytes.len()).unwrap().max(1);
            let at = usize::try_from((random >> 16) % length).unwrap();
            match random % 4 {
                0 if at < bytes.len() => drop(bytes.remove(at)),
                1 => {
                    let copy = bytes[at..].to_vec();
                    bytes.extend(copy);
                }
                _ if at < bytes.len() => bytes[at] = u8::try_from((random >> 8) & 0xff).unwrap(),
                _ => {}
            }
        }
        bytes
    }

    #[test]
    fn nothing_that_clients_send_makes_a_reader_fall() {
        for seed in 0..200 {
            for text in SEEDS {
                let bytes = if seed == 0 { text.as_bytes().to_vec() } else { damaged(text, seed) };
                for target in TARGETS {
                    (target.run)(&bytes);
                }
            }
        }
    }
}
