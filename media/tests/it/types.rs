//! The list of accepted file types against the answer recorded from Immich.

use calotype_media::kind::media_types;

#[test]
fn the_list_is_the_recorded_one() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/immich/fixtures/server_media_types.json"
    );
    let recorded: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).expect(path)).expect("JSON");
    let ours = serde_json::to_value(media_types()).expect("JSON");
    assert_eq!(ours, recorded["response"]["body"]);
}
