//! The one thing an EXIF block says that a picture cannot be shown without: which side is up.

/// The tag, TIFF 6.0.
const ORIENTATION: u16 = 0x0112;
/// What is upright already.
const UPRIGHT: u16 = 1;
/// Entries of an IFD looked at.
const ENTRIES_MAX: u16 = 512;

/// The orientation that a TIFF block names, 2 to 8; `None` when it is upright or says nothing.
pub(super) fn of_tiff(tiff: &[u8]) -> Option<u16> {
    let big = match tiff.get(..4)? {
        b"MM\0*" => true,
        b"II*\0" => false,
        _ => return None,
    };
    let u16_at = |at: usize| {
        let bytes: [u8; 2] = tiff.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    };
    let ifd: [u8; 4] = tiff.get(4..8)?.try_into().ok()?;
    let ifd = if big { u32::from_be_bytes(ifd) } else { u32::from_le_bytes(ifd) };
    let ifd = usize::try_from(ifd).ok()?;
    let entries = u16_at(ifd)?.min(ENTRIES_MAX);
    let mut at = ifd.checked_add(2)?;
    for _ in 0..entries {
        if u16_at(at)? == ORIENTATION {
            return u16_at(at.checked_add(8)?).filter(|it| (UPRIGHT + 1..=8).contains(it));
        }
        at = at.checked_add(12)?;
    }
    None
}

/// A TIFF block that says nothing else.
pub(super) fn tiff(orientation: u16) -> Vec<u8> {
    let mut tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01".to_vec();
    tiff.extend(orientation.to_be_bytes());
    tiff.extend([0; 6]);
    tiff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for orientation in 2..=8 {
            assert_eq!(of_tiff(&tiff(orientation)), Some(orientation));
        }
        assert_eq!(of_tiff(&tiff(1)), None);
        assert_eq!(of_tiff(b"II*\0\xff\xff\xff\xff"), None);
        assert_eq!(of_tiff(b""), None);
    }
}
