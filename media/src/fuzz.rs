//! Every parser of this room as a function of bytes, for fuzzers (`fuzz/`) and for tests of damage.
//!
//! None of them may panic, hang, or take memory without bound, whatever the bytes are. What libraries
//! of others decode is not here: that is tried through the real child, by `media/tests/it/damage.rs`.

use std::{
    hint::black_box,
    io::{Cursor, Write as _},
};

use crate::{
    blob::BlobKey,
    decoder, kind, metadata,
    sidecar::{self, SidecarWords},
    strip, transcode, video,
};

/// A parser with its name, which is that of its fuzz target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Name, as in `fuzz/Cargo.toml`.
    pub name: &'static str,
    /// The parser. What it gives is dropped.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 13] = [
    Target { name: "sniff", run: sniff },
    Target { name: "containers", run: metadata::fuzz::containers },
    Target { name: "exif", run: metadata::fuzz::exif },
    Target { name: "maker_notes", run: metadata::fuzz::maker_notes },
    Target { name: "xmp", run: metadata::fuzz::xmp },
    Target { name: "iptc", run: metadata::fuzz::iptc },
    Target { name: "old_segments", run: metadata::fuzz::old_segments },
    Target { name: "motion_photo", run: metadata::fuzz::motion_photo },
    Target { name: "texts", run: metadata::fuzz::texts },
    Target { name: "film", run: film },
    Target { name: "sidecar", run: sidecar },
    Target { name: "strip", run: strip },
    Target { name: "answers", run: answers },
];

/// Runs a target by its name; an unknown one does nothing.
pub fn run(name: &str, bytes: &[u8]) {
    if let Some(target) = TARGETS.iter().find(|it| it.name == name) {
        (target.run)(bytes);
    }
}

fn sniff(bytes: &[u8]) {
    black_box(kind::sniff(bytes));
    if let Ok(text) = std::str::from_utf8(bytes) {
        black_box(BlobKey::parse(text).is_ok());
    }
}

/// Boxes, packets, and what ffprobe and ffmpeg say.
fn film(bytes: &[u8]) {
    black_box(video::completed(&mut Cursor::new(bytes)));
    video::read_probed(bytes);
    transcode::read_said(bytes);
}

fn sidecar(bytes: &[u8]) {
    let words = SidecarWords {
        description: Some(Some("sea".to_owned())),
        rating: Some(Some(5)),
        tags: Some(vec!["a/b".to_owned()]),
        ..SidecarWords::default()
    };
    if let Ok(merged) = sidecar::merge(Some(bytes), &words) {
        metadata::fuzz::xmp(&merged);
    }
}

/// The plan, and its bytes, which are read in the process that answers. A plan that came from a child is one
/// that any bytes may have made.
fn strip(bytes: &[u8]) {
    let Ok(mut file) = tempfile::tempfile() else { return };
    if file.write_all(bytes).is_err() {
        return;
    }
    black_box(strip::Plan::from_bytes(bytes).is_ok());
    if let Ok(Some(plan)) = strip::plan(&file) {
        let length = plan.length();
        let mut stripped = plan.read(file);
        let copied = std::io::copy(&mut stripped, &mut std::io::sink());
        if let Ok(copied) = copied {
            assert_eq!(copied, length, "a plan is as long as it says");
        }
    }
}

/// What a child answers: it may have been taken over by its file.
fn answers(bytes: &[u8]) {
    decoder::read_answer(bytes);
}

/// Bytes with some damage; the same seed damages in the same way.
///
/// Headers are where parsers read lengths, so half of the damage is near the beginning.
#[must_use]
pub fn damaged(bytes: &[u8], seed: u64) -> Vec<u8> {
    /// Most places that are damaged.
    const PLACES_MAX: u64 = 24;
    /// Where headers are, in bytes.
    const HEADERS: usize = 1_024;
    const NUMBERS: [[u8; 4]; 6] = [
        [0xff; 4],
        [0; 4],
        [0x7f, 0xff, 0xff, 0xff],
        [0x80, 0, 0, 0],
        [0, 0, 0, 1],
        [0xff, 0xff, 0xff, 0x7f],
    ];
    let mut random = Random(seed);
    let mut damaged = bytes.to_vec();
    for _ in 0..=random.below(PLACES_MAX) {
        if damaged.is_empty() {
            return damaged;
        }
        let is_near = random.below(2) == 0;
        let reach = if is_near { damaged.len().min(HEADERS) } else { damaged.len() };
        let at = random.index(reach);
        match random.below(8) {
            0..=2 => damaged[at] ^= 1 << random.below(8),
            3 => damaged[at] = random.byte(),
            4 | 5 => {
                let number = NUMBERS[random.index(NUMBERS.len())];
                let end = damaged.len().min(at + 4);
                damaged[at..end].copy_from_slice(&number[..end - at]);
            }
            6 => {
                let end = damaged.len().min(at + 1 + random.index(64));
                if random.below(2) == 0 {
                    damaged.drain(at..end);
                } else {
                    let copy = damaged[at..end].to_vec();
                    damaged.splice(at..at, copy);
                }
            }
            _ if random.below(8) == 0 => damaged.truncate(at),
            _ => damaged[at] = 0xff,
        }
    }
    damaged
}

/// `SplitMix64` (Steele, Lea and Flood, 2014): small, and good enough to choose places.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    fn index(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(u64::try_from(bound).unwrap_or(u64::MAX))).unwrap_or(0)
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_damages_in_the_same_way() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(damaged(&bytes, 7), damaged(&bytes, 7));
        let different = (0..100).filter(|seed| damaged(&bytes, *seed) != bytes).count();
        assert!(different > 95, "{different} of 100 are damaged");
        assert_eq!(damaged(b"", 7), b"");
    }

    #[test]
    fn targets_have_names_of_their_own() {
        let mut names: Vec<_> = TARGETS.iter().map(|it| it.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TARGETS.len());
    }
}
