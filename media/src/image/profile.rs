//! Colour profiles and words inside the pictures that are made.

/// The bit of `VP8X` that tells of a profile (RFC 9649, 2.7.1).
const WEBP_ICC_FLAG: u8 = 0x20;
/// The bit of `VP8X` that tells of XMP.
const WEBP_XMP_FLAG: u8 = 0x04;
/// Length of the payload of `VP8X`.
const VP8X_BYTES: u32 = 10;

/// A JPEG with a profile, in a segment right after its beginning. One without a beginning stays as it is.
pub(super) fn into_jpeg(jpeg: Vec<u8>, icc: &[u8]) -> Vec<u8> {
    with_segment(jpeg, 0xe2, &[b"ICC_PROFILE\0\x01\x01", icc].concat())
}

/// A JPEG with a segment right after its beginning. One without a beginning stays as it is, and so does one
/// whose segment would be too long.
pub(super) fn with_segment(jpeg: Vec<u8>, marker: u8, payload: &[u8]) -> Vec<u8> {
    let Some(rest) = jpeg.strip_prefix(&[0xff, 0xd8]) else { return jpeg };
    // The length counts itself.
    let Ok(length) = u16::try_from(payload.len() + 2) else { return jpeg };
    // A JFIF header must come first.
    let header = match rest {
        [0xff, 0xe0, high, low, ..] => 2 + usize::from(u16::from_be_bytes([*high, *low])),
        _ => 0,
    };
    let (first, rest) = rest.split_at_checked(header).unwrap_or((&[], rest));
    let mut out = Vec::with_capacity(jpeg.len() + payload.len() + 4);
    out.extend_from_slice(&[0xff, 0xd8]);
    out.extend_from_slice(first);
    out.extend_from_slice(&[0xff, marker]);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(payload);
    out.extend_from_slice(rest);
    out
}

/// A WebP with a profile. What is no WebP stays as it is.
pub(super) fn into_webp(webp: Vec<u8>, icc: &[u8], size: (u32, u32)) -> Vec<u8> {
    let Some((flags, chunks)) = opened(&webp) else { return webp };
    let mut body = extended(flags | WEBP_ICC_FLAG, size);
    push_chunk(&mut body, *b"ICCP", icc);
    body.extend_from_slice(chunks);
    closed(&body)
}

/// A WebP with XMP, which comes behind the picture. What is no WebP stays as it is.
pub(super) fn with_xmp(webp: Vec<u8>, packet: &[u8], size: (u32, u32)) -> Vec<u8> {
    let Some((flags, chunks)) = opened(&webp) else { return webp };
    let mut body = extended(flags | WEBP_XMP_FLAG, size);
    body.extend_from_slice(chunks);
    push_chunk(&mut body, *b"XMP ", packet);
    closed(&body)
}

/// What a WebP says that it holds, and its chunks behind that.
fn opened(webp: &[u8]) -> Option<(u8, &[u8])> {
    let chunks = webp.get(12..).filter(|_| webp.starts_with(b"RIFF"))?;
    match chunks.strip_prefix(b"VP8X") {
        Some(extended) => Some((*extended.get(4)?, extended.get(14..)?)),
        None => Some((0, chunks)),
    }
}

/// The beginning of a WebP that holds more than a picture.
fn extended(flags: u8, (width, height): (u32, u32)) -> Vec<u8> {
    let mut body = b"WEBP".to_vec();
    body.extend_from_slice(b"VP8X");
    body.extend_from_slice(&VP8X_BYTES.to_le_bytes());
    body.extend_from_slice(&[flags, 0, 0, 0]);
    for side in [width, height] {
        let [low, middle, high, _] = side.saturating_sub(1).to_le_bytes();
        body.extend_from_slice(&[low, middle, high]);
    }
    body
}

fn push_chunk(body: &mut Vec<u8>, name: [u8; 4], payload: &[u8]) {
    body.extend_from_slice(&name);
    body.extend_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
    body.extend_from_slice(payload);
    if payload.len() % 2 == 1 {
        body.push(0);
    }
}

/// The whole file.
fn closed(body: &[u8]) -> Vec<u8> {
    let mut out = b"RIFF".to_vec();
    out.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(body);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profile_comes_behind_the_header_of_a_jpeg() {
        let plain = vec![0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xd9];
        let with = into_jpeg(plain, b"icc");
        assert_eq!(with[..8], [0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2]);
        assert_eq!(with[8..12], [0xff, 0xe2, 0, 19]);
        assert!(with.ends_with(b"icc\xff\xd9"));
        assert_eq!(into_jpeg(b"x".to_vec(), b"icc"), b"x");
    }

    #[test]
    fn webp_becomes_an_extended_one() {
        let plain = b"RIFF\x0c\0\0\0WEBPVP8 \0\0\0\0".to_vec();
        let with = into_webp(plain, b"icc", (300, 2));
        assert_eq!(with[12..30], *b"VP8X\x0a\0\0\0\x20\0\0\0\x2b\x01\0\x01\0\0");
        assert_eq!(with[30..42], *b"ICCP\x03\0\0\0icc\0");
        assert!(with.ends_with(b"VP8 \0\0\0\0"));
        assert_eq!(
            usize::try_from(u32::from_le_bytes(with[4..8].try_into().unwrap())),
            Ok(with.len() - 8)
        );
        let again = into_webp(with.clone(), b"", (300, 2));
        assert_eq!(again[12..16], *b"VP8X");
        assert_eq!(again[20], 0x20);
    }

    #[test]
    fn words_come_behind_the_picture_of_a_webp_and_keep_its_profile() {
        let plain = b"RIFF\x0c\0\0\0WEBPVP8 \0\0\0\0".to_vec();
        let with = with_xmp(into_webp(plain, b"icc", (300, 2)), b"said!", (300, 2));
        assert_eq!(with[12..30], *b"VP8X\x0a\0\0\0\x24\0\0\0\x2b\x01\0\x01\0\0");
        assert_eq!(with[30..42], *b"ICCP\x03\0\0\0icc\0");
        assert!(with.ends_with(b"VP8 \0\0\0\0XMP \x05\0\0\0said!\0"));
        assert_eq!(
            usize::try_from(u32::from_le_bytes(with[4..8].try_into().unwrap())),
            Ok(with.len() - 8)
        );
        assert_eq!(with_xmp(b"x".to_vec(), b"said!", (1, 1)), b"x");
    }
}
