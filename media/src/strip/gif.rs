//! GIF (89a): pictures, their timing and repetition stay; comments, texts and other applications' blocks go.

use std::io;

use super::malformed;
use super::plan::Plan;
use super::scan::Scan;

/// Signature and screen.
const SCREEN_BYTES: u64 = 13;
/// The applications that say how often an animation is repeated, and which colours are meant.
const KEPT: [&[u8; 11]; 3] = [b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"];

pub(super) fn plan(scan: &mut Scan<'_>) -> io::Result<Plan> {
    let mut plan = Plan::default();
    scan.skip(10)?;
    let flags = scan.byte()?;
    scan.skip(2 + colours_bytes(flags))?;
    plan.keep(0, SCREEN_BYTES + colours_bytes(flags))?;
    loop {
        let start = scan.position();
        let stays = match scan.byte()? {
            0x2C => {
                scan.skip(8)?;
                let flags = scan.byte()?;
                // The local colours, and the size of the first code.
                scan.skip(colours_bytes(flags) + 1)?;
                true
            }
            0x21 => match scan.byte()? {
                0xF9 => true,
                0xFF => {
                    let length = scan.byte()?;
                    if length != 11 {
                        return Err(malformed());
                    }
                    let name: [u8; 11] = scan.array()?;
                    KEPT.contains(&&name)
                }
                _ => false,
            },
            0x3B => {
                plan.keep(start, 1)?;
                return Ok(plan);
            }
            _ => return Err(malformed()),
        };
        loop {
            match scan.byte()? {
                0 => break,
                length => scan.skip(u64::from(length))?,
            }
        }
        if stays {
            plan.keep(start, scan.position() - start)?;
        }
    }
}

/// The bytes of a table of colours that these flags announce.
fn colours_bytes(flags: u8) -> u64 {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 0x07) + 1) }
}
