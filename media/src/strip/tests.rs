//! What is stripped shows the same picture and says nothing.

use std::io::{Cursor, Read as _, Write as _};

use image::{DynamicImage, ImageFormat, RgbImage};

use super::{Plan, plan};

const SECRET: &[u8] = b"48.8566 N 2.3522 E";

fn picture(format: ImageFormat) -> Vec<u8> {
    let pixels = RgbImage::from_fn(40, 24, |x, y| {
        image::Rgb([u8::try_from(x * 6).unwrap(), u8::try_from(y * 10).unwrap(), 7])
    });
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(pixels).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn stripped(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let plan = plan(&file).unwrap()?;
    let length = plan.length();
    let mut sent = Vec::new();
    plan.read(file).read_to_end(&mut sent).unwrap();
    assert_eq!(u64::try_from(sent.len()).unwrap(), length);
    Some(sent)
}

fn says(bytes: &[u8]) -> bool {
    bytes.windows(SECRET.len()).any(|window| window == SECRET)
}

fn segment(marker: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 2).unwrap();
    [&[0xFF, marker], &length.to_be_bytes()[..], payload].concat()
}

fn same_pixels(before: &[u8], after: &[u8]) {
    let pixels = |bytes| image::load_from_memory(bytes).unwrap().to_rgb8();
    assert!(pixels(before) == pixels(after));
}

#[test]
fn jpeg_keeps_its_pixels_and_which_side_is_up() {
    let plain = picture(ImageFormat::Jpeg);
    let exif = [b"Exif\0\0", &super::orientation::tiff(6)[..], SECRET].concat();
    let talking = [
        &plain[..2],
        &segment(0xE1, &exif),
        &segment(0xED, &[b"Photoshop 3.0\0", SECRET].concat()),
        &segment(0xFE, SECRET),
        &segment(0xE2, &[b"MPF\0", SECRET].concat()),
        &plain[2..],
        b"\0\0\0\x18ftypmp42",
        SECRET,
    ]
    .concat();

    let sent = stripped(&talking).unwrap();

    assert!(says(&talking) && !says(&sent));
    same_pixels(&plain, &sent);
    let exif = sent.windows(6).position(|window| window == b"Exif\0\0").unwrap();
    assert_eq!(super::orientation::of_tiff(&sent[exif + 6..]), Some(6));
}

#[test]
fn png_loses_its_texts() {
    let plain = picture(ImageFormat::Png);
    let mut text = u32::try_from(SECRET.len()).unwrap().to_be_bytes().to_vec();
    text.extend(b"tEXt");
    text.extend(SECRET);
    text.extend([0; 4]);
    let talking = [&plain[..33], &text, &plain[33..], SECRET].concat();

    let sent = stripped(&talking).unwrap();

    assert_eq!(sent, plain);
}

#[test]
fn webp_loses_exif_and_says_so() {
    let plain = picture(ImageFormat::WebP);
    let mut extended = b"VP8X\x0a\0\0\0\x0c\0\0\0\x27\0\0\x17\0\0".to_vec();
    extended.extend(&plain[12..]);
    for kind in [b"EXIF", b"XMP "] {
        extended.extend(kind);
        extended.extend(u32::try_from(SECRET.len()).unwrap().to_le_bytes());
        extended.extend(SECRET);
    }
    let length = u32::try_from(extended.len() + 4).unwrap();
    let talking = [b"RIFF", &length.to_le_bytes()[..], b"WEBP", &extended].concat();

    let sent = stripped(&talking).unwrap();

    assert!(!says(&sent));
    assert_eq!(sent[20] & 0x0c, 0, "the flags of EXIF and XMP");
    same_pixels(&plain, &sent);
}

#[test]
fn gif_loses_its_comment() {
    let plain = picture(ImageFormat::Gif);
    let colours = 13 + 3 * (2 << usize::from(plain[10] & 7)) * usize::from(plain[10] >> 7);
    let mut comment = vec![0x21, 0xFE, u8::try_from(SECRET.len()).unwrap()];
    comment.extend(SECRET);
    comment.push(0);
    let talking = [&plain[..colours], &comment, &plain[colours..]].concat();

    let sent = stripped(&talking).unwrap();

    assert!(!says(&sent));
    same_pixels(&plain, &sent);
}

fn atom(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len() + 8).unwrap();
    [&length.to_be_bytes()[..], kind, payload].concat()
}

fn film(handler: &[u8; 4], samples: &[u8; 4]) -> Vec<u8> {
    let entry = [&[0, 0, 0, 0, 0, 0, 0, 1][..], &atom(samples, &[0; 8])].concat();
    let table = atom(b"minf", &atom(b"stbl", &atom(b"stsd", &entry)));
    let handler = atom(b"hdlr", &[&[0; 8][..], handler, &[0; 13]].concat());
    let track = atom(b"trak", &atom(b"mdia", &[handler, table].concat()));
    let movie = atom(b"moov", &[track, atom(b"udta", &atom(b"\xa9xyz", SECRET))].concat());
    [atom(b"ftyp", b"isom\0\0\0\0"), movie, atom(b"uuid", SECRET), atom(b"mdat", b"pixels")]
        .concat()
}

#[test]
fn film_keeps_its_offsets_and_loses_its_place() {
    let talking = film(b"vide", b"avc1");

    let sent = stripped(&talking).unwrap();

    assert!(says(&talking) && !says(&sent));
    assert_eq!(sent.len(), talking.len());
    assert!(sent.ends_with(&atom(b"mdat", b"pixels")));
    assert!(sent.windows(4).any(|window| window == b"trak"));
}

#[test]
fn notes_of_a_phone_are_emptied_and_positions_refused() {
    let sent = stripped(&film(b"meta", b"mebx")).unwrap();
    assert!(!sent.windows(4).any(|window| window == b"trak"));
    assert_eq!(stripped(&film(b"meta", b"gpmd")), None);
}

#[test]
fn what_is_not_known_has_no_plan() {
    for bytes in [&b""[..], b"BM", b"\0\0\0\x18ftypheic\0\0\0\0", &[0xFF, 0xD8, 0xFF, 0xE1, 0, 0]] {
        assert_eq!(stripped(bytes), None);
    }
    let cut = &picture(ImageFormat::Jpeg)[..40];
    assert_eq!(stripped(cut), None);
}

#[test]
fn reading_may_begin_anywhere() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&film(b"vide", b"avc1")).unwrap();
    let plan = plan(&file).unwrap().unwrap();
    let mut whole = Vec::new();
    plan.clone().read(file.try_clone().unwrap()).read_to_end(&mut whole).unwrap();
    for from in [0, 7, 20, whole.len() - 1, whole.len()] {
        let mut part = plan.clone().read(file.try_clone().unwrap());
        part.skip(u64::try_from(from).unwrap());
        let mut rest = Vec::new();
        part.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, whole[from..]);
    }
}

#[test]
fn plan_of_another_process_is_checked() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&picture(ImageFormat::Png)).unwrap();
    let made = plan(&file).unwrap().unwrap();
    assert_eq!(Plan::from_bytes(&made.to_bytes().unwrap()).unwrap(), made);
    let largest = u64::MAX;
    for wrong in [
        "{}".to_owned(),
        format!("[{{\"Keep\":{{\"first\":{largest},\"length\":1}}}}]"),
        format!("[{{\"Zeros\":{largest}}},{{\"Zeros\":1}}]"),
        format!("[{}{{\"Zeros\":1}}]", "{\"Zeros\":1},".repeat(100_000)),
    ] {
        assert!(Plan::from_bytes(wrong.as_bytes()).is_err(), "{}", &wrong[..40.min(wrong.len())]);
    }
}
