//! A file without what it says about itself: the same pixels and sound, bit for bit, and nothing else.
//!
//! Nothing is decoded, but what is read is foreign: a decoder child plans, see
//! [`DecoderPool::strip`](crate::decoder::DecoderPool::strip). A [`Plan`] names the pieces of the file to send; what cannot be told apart safely
//! has no plan, and the caller sends something else in its place.

mod gif;
mod jpeg;
mod movie;
mod orientation;
mod plan;
mod png;
mod scan;
#[cfg(test)]
mod tests;
mod webp;

pub use plan::{Plan, Stripped};

use std::fs::File;
use std::io;

use scan::Scan;

/// Bytes that tell formats apart.
const HEAD_BYTES: usize = 12;
/// Brands of ISO base media files that are films with a known set of boxes.
const FILM_BRANDS: [&[u8; 4]; 17] = [
    b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"qt  ",
    b"M4V ", b"M4VH", b"M4VP", b"3gp4", b"3gp5", b"3gp6", b"dash",
];

/// What to send of a file so that it says nothing about itself; `None` when that cannot be told:
/// an unknown format, or a film with tracks that may hold positions.
///
/// # Errors
/// When the file cannot be read. A malformed file has no plan, too.
pub(crate) fn plan(file: &File) -> io::Result<Option<Plan>> {
    let mut scan = Scan::of(file)?;
    let mut head = [0_u8; HEAD_BYTES];
    let found = match scan.exactly(&mut head) {
        Ok(()) => stripped(&head, &mut scan),
        Err(error) => Err(error),
    };
    match found {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData
            ) =>
        {
            Ok(None)
        }
        other => other,
    }
}

fn stripped(head: &[u8; HEAD_BYTES], scan: &mut Scan<'_>) -> io::Result<Option<Plan>> {
    scan.to(0)?;
    match head {
        [0xFF, 0xD8, 0xFF, ..] => jpeg::plan(scan).map(Some),
        [0x89, b'P', b'N', b'G', ..] => png::plan(scan).map(Some),
        [b'G', b'I', b'F', b'8', ..] => gif::plan(scan).map(Some),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P'] => webp::plan(scan).map(Some),
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..]
            if FILM_BRANDS.iter().any(|known| known.as_slice() == brand) =>
        {
            movie::plan(scan)
        }
        _ => Ok(None),
    }
}

/// What is no file of its format.
fn malformed() -> io::Error {
    io::Error::from(io::ErrorKind::InvalidData)
}
