//! What models read in a photo, by given, when and then.

use super::*;
use crate::asset::{AssetTextRead, TextLimits, TextReader};
use crate::model::ModelRef;

fn reader(name: &str, resolution_px: u32) -> TextReader {
    TextReader {
        model: ModelRef { name: name.into(), revision: "1".into(), sha256: "0".repeat(64) },
        limits: TextLimits { resolution_px, box_score_min: 0.5, text_score_min: 0.8 },
    }
}

fn read(reader: TextReader, input: &str) -> AssetTextRead {
    AssetTextRead {
        owner_id: OWNER,
        reader,
        input_blake3: input.into(),
        line_count: 1,
        lines: vec!["NO LITTER".to_owned()].into(),
        boxes_blake3: "b".into(),
    }
}

fn record(read: AssetTextRead) -> AssetCommand {
    AssetCommand::RecordText(Box::new(read))
}

fn want(reader: TextReader) -> AssetCommand {
    AssetCommand::WantText(Box::new(reader))
}

fn asked() -> AssetEvent {
    AssetProcessingRequested { stage: Stage::Text }.into()
}

#[test]
fn reader_is_asked_once() {
    let wish = || want(reader("a", 736));
    Given::with(()).given(vec![uploaded().into()]).when(wish()).then_expect_events(vec![asked()]);
    let waiting = vec![uploaded().into(), asked()];
    Given::with(()).given(waiting).when(wish()).then_expect_events(vec![]);
    let known = vec![uploaded().into(), asked(), read(reader("a", 736), "b").into()];
    Given::with(()).given(known).when(wish()).then_expect_events(vec![]);
}

#[test]
fn another_model_other_limits_and_another_file_are_read_anew() {
    let known = || vec![uploaded().into(), read(reader("a", 736), "b").into()];
    for other in [reader("b", 736), reader("a", 960)] {
        Given::with(()).given(known()).when(want(other)).then_expect_events(vec![asked()]);
    }
    let former = vec![uploaded().into(), read(reader("a", 736), "former").into()];
    Given::with(()).given(former).when(want(reader("a", 736))).then_expect_events(vec![asked()]);
}

#[test]
fn what_is_known_is_recorded_again_only_where_it_was_asked_for() {
    let same = || read(reader("a", 736), "b");
    let known: Vec<AssetEvent> = vec![uploaded().into(), same().into()];
    Given::with(()).given(known.clone()).when(record(same())).then_expect_events(vec![]);
    let forced = [known.clone(), vec![asked()]].concat();
    Given::with(()).given(forced).when(record(same())).then_expect_events(vec![same().into()]);
    let of_another_file = read(reader("b", 736), "former");
    Given::with(()).given(known).when(record(of_another_file)).then_expect_events(vec![]);
}

#[test]
fn nothing_is_recorded_of_what_is_gone() {
    let gone = vec![uploaded().into(), AssetPurged {}.into()];
    let late = record(read(reader("a", 736), "b"));
    Given::with(()).given(gone.clone()).when(late).then_expect_events(vec![]);
    Given::with(()).given(gone).when(want(reader("a", 736))).then_expect_events(vec![]);
}
