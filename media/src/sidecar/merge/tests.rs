//! What is written is read again, twice is once, and what others wrote stays.

use super::*;
use crate::metadata::{Facts, read_sidecar};

fn words() -> SidecarWords {
    SidecarWords {
        description: Some(Some("a < b & \"c\"\nsecond line".into())),
        rating: Some(Some(-1)),
        taken: Some(Some(("2021-06-15T10:20:30.250".parse().unwrap(), -210))),
        position: Some(Some((-33.856_784, 151.215_297))),
        tags: Some(vec!["animals/birds".into(), "sea".into()]),
    }
}

fn merged(existing: &str, words: &SidecarWords) -> String {
    let bytes = merge(Some(existing.as_bytes()), words).unwrap();
    let again = merge(Some(&bytes), words).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(String::from_utf8(again).unwrap(), text, "writing it twice is not writing it once");
    text
}

fn read(sidecar: &str) -> Facts {
    let mut facts = Facts::default();
    read_sidecar(sidecar.as_bytes(), &mut facts);
    facts
}

const OTHERS: &str = r#"<?xml version="1.0" encoding="UTF-16"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<!-- mine & yours -->
<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
 <r:Description r:about='uuid:1' xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
   xmlns:a="http://ns.adobe.com/xap/1.0/" a:Rating="2" crs:Exposure='say "+1"'>
  <d:subject xmlns:d="http://purl.org/dc/elements/1.1/"><r:Bag><r:li>old</r:li></r:Bag></d:subject>
  <crs:ToneCurve><r:Seq><r:li>0, 0</r:li></r:Seq></crs:ToneCurve>
 </r:Description>
</r:RDF>
</x:xmpmeta>"#;

#[test]
fn what_is_written_is_read() {
    let facts = read(&merged("", &words()));
    assert_eq!(facts.description.as_deref(), Some("a < b & \"c\"\nsecond line"));
    assert_eq!(facts.rating, Some(-1));
    let taken = facts.taken.unwrap();
    assert_eq!(taken.local.to_string(), "2021-06-15 10:20:30.250");
    assert_eq!(taken.offset_minutes, Some(-210));
    let position = facts.position.unwrap();
    assert!((position.latitude + 33.856_784).abs() < 1e-8, "{position:?}");
    assert!((position.longitude - 151.215_297).abs() < 1e-8, "{position:?}");
    assert_eq!(facts.keywords, ["animals/birds", "sea"]);
}

#[test]
fn what_others_wrote_stays() {
    let text = merged(OTHERS, &words());
    for kept in [
        "<!-- mine & yours -->",
        "<crs:ToneCurve><r:Seq><r:li>0, 0</r:li></r:Seq></crs:ToneCurve>",
        "crs:Exposure=\"say &quot;+1&quot;\"",
        "encoding=\"UTF-8\"",
        "rdf:about=\"uuid:1\"",
    ] {
        assert!(text.contains(kept), "{kept} is lost in {text}");
    }
    for gone in ["a:Rating", "<r:li>old</r:li>", "UTF-16"] {
        assert!(!text.contains(gone), "{gone} is still in {text}");
    }
    assert_eq!(read(&text).keywords, ["animals/birds", "sea"]);
}

#[test]
fn what_is_not_spoken_of_is_not_touched() {
    let stars = SidecarWords { rating: Some(Some(5)), ..SidecarWords::default() };
    let facts = read(&merged(OTHERS, &stars));
    assert_eq!((facts.rating, facts.keywords), (Some(5), vec!["old".to_owned()]));
    assert_eq!(merged(EMPTY, &SidecarWords::default()), EMPTY);
}

#[test]
fn what_is_taken_back_is_gone() {
    let full = merged(EMPTY, &words());
    let none = SidecarWords {
        description: Some(None),
        rating: Some(None),
        taken: Some(None),
        position: Some(None),
        tags: Some(Vec::new()),
    };
    assert_eq!(merged(&full, &none), EMPTY);
}

#[test]
fn utf16_becomes_utf8() {
    let mut bytes = vec![0xff, 0xfe];
    bytes.extend(OTHERS.encode_utf16().flat_map(u16::to_le_bytes));
    let text = String::from_utf8(merge(Some(&bytes), &words()).unwrap()).unwrap();
    assert_eq!(text, merged(OTHERS, &words()));
}

#[test]
fn rdf_without_anything_in_it_takes_words() {
    let bare = r#"<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>"#;
    assert_eq!(read(&merged(bare, &words())).rating, Some(-1));
}

#[test]
fn damaged_and_foreign_files_are_left_alone() {
    let deep = format!("{}{}", "<a>".repeat(100), "</a>".repeat(100));
    let entities = "<!DOCTYPE x [<!ENTITY a \"aaa\">]><x/>";
    let early = OTHERS.get(..400).unwrap();
    for bad in ["no xml", "<svg/>", "<a><b></a></b>", deep.as_str(), entities, early] {
        assert!(merge(Some(bad.as_bytes()), &words()).is_err(), "{bad}");
    }
}
