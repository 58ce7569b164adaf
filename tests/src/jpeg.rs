//! As many different JPEG files as a story needs, made of a real one; and the size of one that was made.

/// Marker of a comment segment.
const COMMENT: [u8; 2] = [0xff, 0xfe];
/// Start of image.
const START: [u8; 2] = [0xff, 0xd8];

/// The same picture with a comment of its own: other bytes, same pixels. What is no JPEG gets a trailer.
#[must_use]
pub fn with_comment(picture: &[u8], comment: &str) -> Vec<u8> {
    // A segment's length counts its own two bytes.
    let length = u16::try_from(comment.len() + 2).unwrap_or(u16::MAX);
    let Some(rest) = picture.strip_prefix(&START) else {
        return [picture, comment.as_bytes()].concat();
    };
    let comment = &comment.as_bytes()[..usize::from(length) - 2];
    [START.as_slice(), &COMMENT, &length.to_be_bytes(), comment, rest].concat()
}

/// Width and height of a JPEG; `None` when it is none.
#[must_use]
pub fn size(bytes: &[u8]) -> Option<(u16, u16)> {
    let mut at = 2;
    loop {
        let marker = *bytes.get(at + 1)?;
        let length = usize::from(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?]));
        if matches!(marker, 0xc0..=0xc2) {
            let side = |at: usize| Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
            return Some((side(at + 7)?, side(at + 5)?));
        }
        at += 2 + length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comment_comes_right_after_the_start() {
        assert_eq!(
            with_comment(&[0xff, 0xd8, 0xff, 0xd9], "ab"),
            [0xff, 0xd8, 0xff, 0xfe, 0, 4, b'a', b'b', 0xff, 0xd9]
        );
    }
}
