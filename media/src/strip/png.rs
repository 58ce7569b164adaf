//! PNG (W3C, third edition): chunks that make the picture stay, texts, EXIF and times go.

use std::io;

use super::malformed;
use super::plan::Plan;
use super::scan::Scan;

/// Length, type and checksum of a chunk.
const FRAME_BYTES: u64 = 12;
/// What shows the picture: pixels, colours, size of pixels, animation.
const KEPT: [&[u8; 4]; 19] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB",
    b"cICP", b"mDCV", b"cLLI", b"bKGD", b"hIST", b"pHYs", b"acTL", b"fcTL", b"fdAT",
];

pub(super) fn plan(scan: &mut Scan<'_>) -> io::Result<Plan> {
    let mut plan = Plan::default();
    plan.keep(0, 8)?;
    scan.skip(8)?;
    loop {
        let start = scan.position();
        let length = u64::from(u32::from_be_bytes(scan.array()?));
        let kind: [u8; 4] = scan.array()?;
        if !kind.iter().all(u8::is_ascii_alphabetic) {
            return Err(malformed());
        }
        scan.skip(length + 4)?;
        if KEPT.contains(&&kind) {
            plan.keep(start, length + FRAME_BYTES)?;
        }
        if &kind == b"IEND" {
            return Ok(plan);
        }
    }
}
