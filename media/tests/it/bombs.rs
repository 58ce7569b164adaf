//! Small files that would unfold into more than a child may have, one or more for each format that
//! the test set has no bomb of: each ends in an answer, in time, and the pool works afterwards.

use std::{fs, time::Instant};

use crate::{
    broken::{EVERYTHING, MEMORY_BYTES_MAX, TIME_MAX},
    support::{media_folder, pool_config},
};
use base64::Engine as _;
use calotype_media::decoder::{DecodeError, DecoderPool, Job, Report};

/// Runs one file through a child with 1 GiB; what is not an answer fails.
async fn answer(bytes: &[u8]) -> Result<Report, DecodeError> {
    let mut config = pool_config();
    config.memory_bytes = MEMORY_BYTES_MAX;
    let pool = DecoderPool::new(config);
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    fs::write(file.path(), bytes).expect("a temporary file");
    let job = Job { source: file.path().to_owned(), sidecar: None, want: EVERYTHING };
    let started = Instant::now();
    let result = pool.run(&job).await;
    let took = started.elapsed();
    assert!(took < TIME_MAX, "it took {took:?}");
    let good = media_folder().join("photos/nature/prairie_falcon.jpg");
    let after = pool.run(&Job { source: good, sidecar: None, want: EVERYTHING }).await;
    after.expect("a good picture").images.expect("were wanted").expect("a good picture");
    result
}

/// The reason why there is no picture.
async fn refusal(bytes: &[u8]) -> DecodeError {
    let error = match answer(bytes).await {
        Ok(report) => report.images.expect("were wanted").expect_err("a bomb was decoded"),
        Err(error) => error,
    };
    let is_reason = !matches!(
        error,
        DecodeError::Crashed { .. } | DecodeError::TimedOut | DecodeError::Unavailable { .. }
    );
    assert!(is_reason, "{error:?}");
    error
}

fn is_too_large(error: &DecodeError) -> bool {
    matches!(error, DecodeError::TooLarge { .. })
}

#[tokio::test]
async fn a_photoshop_file_may_not_claim_a_gigapixel() {
    let mut psd = b"8BPS\0\x01\0\0\0\0\0\0\0\x03".to_vec();
    psd.extend(60_000_u32.to_be_bytes());
    psd.extend(60_000_u32.to_be_bytes());
    psd.extend(b"\0\x08\0\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\x01");
    assert!(is_too_large(&refusal(&psd).await));
}

#[tokio::test]
async fn a_jpeg_xl_file_may_not_claim_an_exapixel() {
    // Size header (ISO 18181-1, D.2): not small, height in 30 bits, square; then all defaults.
    let bits = [0, 1, 1].into_iter().chain([1; 30]).chain([1, 0, 0, 1]).chain([0; 11]);
    let bits: Vec<u8> = bits.collect();
    let mut jxl = b"\xff\x0a".to_vec();
    jxl.extend(bits.chunks(8).map(|it| it.iter().rev().fold(0_u8, |byte, bit| byte << 1 | bit)));
    jxl.extend([0xff; 64]);
    refusal(&jxl).await;
}

#[tokio::test]
async fn a_jpeg_2000_file_may_not_claim_gigapixels() {
    let mut j2k = b"\xff\x4f\xff\x51\0\x29\0\0".to_vec();
    for number in [60_000_u32, 60_000, 0, 0, 60_000, 60_000, 0, 0] {
        j2k.extend(number.to_be_bytes());
    }
    j2k.extend(b"\0\x01\x07\x01\x01");
    j2k.extend(b"\xff\x52\0\x0c\0\0\0\x01\0\x05\x04\x04\0\0");
    j2k.extend(
        b"\xff\x5c\0\x13\x40\x40\x48\x48\x50\x48\x48\x50\x48\x48\x50\x48\x48\x50\x48\x48\x50",
    );
    j2k.extend(b"\xff\x90\0\x0a\0\0\0\0\0\0\0\x01\xff\x93\xff\xd9");
    refusal(&j2k).await;
}

#[tokio::test]
async fn a_drawing_may_not_claim_an_exapixel() {
    let svg = r#"<svg xmlns="http://www.w3.org/2000/svg" width="1e9" height="1e9"/>"#;
    assert!(is_too_large(&refusal(svg.as_bytes()).await));
}

#[tokio::test]
async fn a_drawing_may_not_nest_without_end() {
    let groups = 100_000;
    let svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{}{}</svg>"#,
        "<g>".repeat(groups),
        "</g>".repeat(groups)
    );
    refusal(svg.as_bytes()).await;
}

#[tokio::test]
async fn a_drawing_of_many_elements_is_too_large() {
    let svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{}</svg>"#,
        "<a/>".repeat(600_000)
    );
    assert!(is_too_large(&refusal(svg.as_bytes()).await));
}

#[tokio::test]
async fn a_bomb_inside_a_drawing_is_left_out() {
    let bomb = fs::read(media_folder().join("broken/bomb_50000x50000_1bit.png")).expect("a bomb");
    let bomb = base64::engine::general_purpose::STANDARD.encode(bomb);
    let svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30">
        <rect width="40" height="30" fill="lime"/>
        <image href="data:image/png;base64,{bomb}" width="40" height="30"/></svg>"#
    );
    let report = answer(svg.as_bytes()).await.expect("a drawing");
    let images = report.images.expect("were wanted").expect("a drawing");
    assert_eq!((images.preview.width, images.preview.height), (40, 30));
}

#[tokio::test]
async fn a_sensor_may_not_claim_gigapixels() {
    // A Digital Negative of one directory: version, size, and no pixels.
    let mut dng = b"II\x2a\0\x08\0\0\0\x03\0".to_vec();
    for (tag, kind, value) in [(0x0100_u16, 4_u16, 60_000_u32), (0x0101, 4, 60_000), (0xc612, 1, 1)]
    {
        dng.extend(tag.to_le_bytes());
        dng.extend(kind.to_le_bytes());
        dng.extend(if kind == 1 { 4_u32 } else { 1 }.to_le_bytes());
        dng.extend(value.to_le_bytes());
    }
    dng.extend([0; 64]);
    refusal(&dng).await;
}
