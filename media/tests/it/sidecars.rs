//! Sidecars: believed over the picture, passed over when damaged.

use crate::support::{media_folder, pool};
use calotype_media::{
    decoder::{Job, Want},
    metadata::Facts,
};

async fn facts(picture: &str, sidecar: &str) -> Facts {
    let folder = media_folder().join("sidecars");
    let want = Want { metadata: true, images: None };
    let sidecar = Some(folder.join(sidecar));
    let job = Job { source: folder.join(picture), sidecar, want };
    pool().run(&job).await.expect(picture).facts
}

fn date(facts: &Facts) -> String {
    facts
        .taken
        .as_ref()
        .map(|it| format!("{:?} {:?}", it.local, it.offset_minutes))
        .unwrap_or_default()
}

#[tokio::test]
async fn a_sidecar_is_believed() {
    let facts = facts("only_jpg_xmp.jpg", "only_jpg_xmp.jpg.xmp").await;
    assert_eq!(date(&facts), "2021-06-15T10:20:30 Some(120)");
    assert_eq!(facts.rating, Some(4));
    assert_eq!(facts.description.as_deref(), Some("sidecar caption"));
    let position = facts.position.expect("a position");
    assert!(
        (position.latitude - 48.8584).abs() < 1e-6 && (position.longitude - 2.2945).abs() < 1e-6
    );
}

#[tokio::test]
async fn rejected_and_utf16_and_fractions_are_read() {
    assert_eq!(facts("rejected.jpg", "rejected.jpg.xmp").await.rating, Some(-1));
    let utf16 = facts("utf16_sidecar.jpg", "utf16_sidecar.jpg.xmp").await;
    assert_eq!((utf16.rating, utf16.description.as_deref()), (Some(3), Some("日本語 UTF-16")));
    let fraction = facts("date_no_zone.jpg", "date_no_zone.jpg.xmp").await;
    assert_eq!(date(&fraction), "2008-09-10T11:12:13.250 None");
}

#[tokio::test]
async fn damaged_sidecars_change_nothing() {
    for name in ["broken_sidecar", "empty_sidecar", "date_partial"] {
        let facts = facts(&format!("{name}.jpg"), &format!("{name}.jpg.xmp")).await;
        assert!(facts.width.is_some(), "{name}");
    }
    assert_eq!(date(&facts("empty_sidecar.jpg", "missing.xmp").await), "2020-01-08T00:00:00 None");
}

#[tokio::test]
async fn an_entity_bomb_is_harmless() {
    let facts = facts("only_xmp.jpg", "../broken/xmp_entity_bomb.xmp").await;
    assert!(facts.description.unwrap_or_default().len() < 1000);
}
