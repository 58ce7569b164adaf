//! JPEGs inside a RAW file whose container this room does not know: found by walking from marker
//! to marker. Serves Canon CR3 and CRW, Sigma X3F, Minolta MRW and whatever comes next, and TIFF
//! files whose directories do not say where their preview is.

use std::ops::Range;

use super::tiff::largest_jpeg;
use crate::limits::{EMBEDDED_JPEGS_MAX, SEGMENTS_MAX};

/// Where the largest whole JPEG lies that is worth showing.
pub(super) fn largest(bytes: &[u8]) -> Option<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    for _ in 0..EMBEDDED_JPEGS_MAX {
        let Some(start) = next_start(bytes, at) else { break };
        at = match end(bytes, start) {
            Some(end) => {
                found.push(start..end);
                end
            }
            // Sensor data that look like a beginning, or a picture that is cut off.
            None => start + 3,
        };
    }
    largest_jpeg(bytes, found)
}

fn next_start(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.windows(3).position(|it| it == b"\xff\xd8\xff").map(|it| from + it)
}

/// Behind the last marker of the JPEG that starts here. `None` if it does not come to one.
fn end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 2;
    for _ in 0..SEGMENTS_MAX {
        let [0xff, marker] = *bytes.get(at..at + 2)?.first_chunk::<2>()? else { return None };
        match marker {
            0xff => at += 1,
            0xd9 => return Some(at + 2),
            0xd0..=0xd8 | 0x01 => at += 2,
            0x00 => return None,
            _ => {
                let length = bytes.get(at + 2..at + 4)?.first_chunk::<2>()?;
                at += 2 + usize::from(u16::from_be_bytes(*length)).max(2);
                if marker == 0xda {
                    at = behind_scan(bytes, at)?;
                }
            }
        }
    }
    None
}

/// The next marker behind coded pixels; in these 0xff is followed by 0 or a restart marker.
fn behind_scan(bytes: &[u8], from: usize) -> Option<usize> {
    let scan = bytes.get(from..)?;
    let length = scan
        .windows(2)
        .position(|it| it[0] == 0xff && !matches!(it[1], 0x00 | 0xd0..=0xd7 | 0xff))?;
    Some(from + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jpeg(side: usize) -> Vec<u8> {
        let pixels = vec![120_u8; side * side * 3];
        let image = turbojpeg::Image {
            pixels: pixels.as_slice(),
            width: side,
            pitch: side * 3,
            height: side,
            format: turbojpeg::PixelFormat::RGB,
        };
        turbojpeg::compress(image, 80, turbojpeg::Subsamp::Sub2x2).unwrap().to_vec()
    }

    #[test]
    fn the_largest_whole_one_is_found() {
        let (small, large) = (jpeg(330), jpeg(400));
        let mut file = b"RAW\xff\xd8\xff\0\xff\xd9".to_vec();
        file.extend(&small);
        let start = file.len();
        file.extend(&large);
        // A larger one that is cut off does not count.
        file.extend(&jpeg(800)[..700]);
        assert_eq!(largest(&file), Some(start..start + large.len()));
    }

    #[test]
    fn thumbnails_and_noise_are_nothing() {
        assert_eq!(largest(&jpeg(100)), None);
        assert_eq!(largest(b"\xff\xd8\xff".repeat(1_000).as_slice()), None);
        assert_eq!(largest(b""), None);
    }
}
