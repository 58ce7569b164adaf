//! Every picture and film of the test set that another program can decode is decoded here too, and looks like
//! what that program makes of it.

use std::{collections::BTreeMap, path::PathBuf};

use crate::likeness::{compare, references};
use crate::support::{Row, media_folder, pool, rows};
use calotype_media::{
    decoder::{Job, Want},
    image::ImageWish,
};

/// Files that cannot be decoded here, with the reason.
const KNOWN_DIFFERENCES: &str = include_str!("known_differences.txt");

#[tokio::test]
async fn what_others_can_decode_is_decoded() {
    let pool = pool();
    let (mut differences, mut unlike) = (BTreeMap::new(), BTreeMap::new());
    let references = references();
    let mut compared = 0;
    for row in rows() {
        let is_open = !row.path.starts_with("broken/") && row.get("decodes") == "yes";
        if !is_open && !row.path.starts_with("photos/") {
            continue;
        }
        let want = Want { metadata: false, images: Some(ImageWish::default()) };
        let job = Job { source: media_folder().join(&row.path), sidecar: None, want };
        let images = pool.run(&job).await.map(|it| it.images.expect("images were wanted"));
        let found = match images {
            Ok(Ok(derived)) => {
                let (width, height) = (derived.preview.width, derived.preview.height);
                assert!(width <= 1440 && height <= 1440, "{}: {width}x{height}", row.path);
                assert!(derived.preview.bytes.starts_with(b"\xff\xd8\xff"), "{}", row.path);
                assert!(derived.thumbnail.bytes.starts_with(b"RIFF"), "{}", row.path);
                assert!(!derived.thumbhash.is_empty(), "{}", row.path);
                keep(&row.path, &derived.thumbnail.bytes);
                if let Some(reference) = references.get(row.path.as_str()) {
                    compared += 1;
                    compare(&row.path, &derived.thumbnail.bytes, reference, &mut unlike);
                }
                continue;
            }
            Ok(Err(error)) | Err(error) => error.to_string(),
        };
        if row.get("decodes") == "yes" {
            note(&row, "picture", "yes", &found, &mut differences);
        }
    }
    crate::support::judge(&differences, KNOWN_DIFFERENCES, &["pictures"]);
    assert_eq!(compared, references.len(), "a file of the list made no thumbnail");
    crate::support::judge(&unlike, KNOWN_DIFFERENCES, &["likeness"]);
}

/// Keeps a thumbnail for `examples/ssim.py`, which compares it with those of other programs.
fn keep(path: &str, thumbnail: &[u8]) {
    if let Some(folder) = std::env::var_os("CALOTYPE_THUMBS_OUT") {
        let name = format!("{}.webp", path.replace('/', "__"));
        std::fs::write(PathBuf::from(folder).join(name), thumbnail).expect("a folder to write to");
    }
}

fn note(
    row: &Row,
    property: &str,
    truth: &str,
    found: &str,
    differences: &mut BTreeMap<String, String>,
) {
    differences
        .insert(format!("{} {property}", row.path), format!("list {truth:?}, here {found:?}"));
}
