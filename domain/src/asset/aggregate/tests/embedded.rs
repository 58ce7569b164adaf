//! What models see in a photo, by given, when and then.

use super::*;
use crate::asset::AssetEmbedded;
use crate::model::ModelRef;

fn model(name: &str) -> ModelRef {
    ModelRef { name: name.into(), revision: "1".into(), sha256: "0".repeat(64) }
}

fn seen(name: &str, input: &str) -> AssetEmbedded {
    AssetEmbedded {
        owner_id: OWNER,
        model: model(name),
        input_blake3: input.into(),
        dims: 2,
        vector_blake3: "v".into(),
    }
}

fn record(seen: AssetEmbedded) -> AssetCommand {
    AssetCommand::RecordEmbedding(Box::new(seen))
}

fn want(name: &str) -> AssetCommand {
    AssetCommand::WantEmbedding(Box::new(model(name)))
}

fn asked() -> AssetEvent {
    AssetProcessingRequested { stage: Stage::Embedding }.into()
}

fn hidden() -> AssetUploaded {
    AssetUploaded { visibility: Visibility::Hidden, ..uploaded() }
}

#[test]
fn model_is_asked_once() {
    Given::with(())
        .given(vec![uploaded().into()])
        .when(want("a"))
        .then_expect_events(vec![asked()]);
    Given::with(())
        .given(vec![uploaded().into(), asked()])
        .when(want("a"))
        .then_expect_events(vec![]);
    Given::with(())
        .given(vec![uploaded().into(), asked(), seen("a", "b").into()])
        .when(want("a"))
        .then_expect_events(vec![]);
}

#[test]
fn another_model_is_asked_and_so_is_the_same_of_another_file() {
    let known = vec![uploaded().into(), seen("a", "b").into()];
    Given::with(()).given(known).when(want("b")).then_expect_events(vec![asked()]);
    let former = vec![uploaded().into(), seen("a", "former").into()];
    Given::with(()).given(former).when(want("a")).then_expect_events(vec![asked()]);
}

#[test]
fn what_is_hidden_in_another_asset_is_not_looked_at() {
    Given::with(()).given(vec![hidden().into()]).when(want("a")).then_expect_events(vec![]);
}

#[test]
fn what_is_known_is_recorded_again_only_where_it_was_asked_for() {
    let known: Vec<AssetEvent> = vec![uploaded().into(), seen("a", "b").into()];
    Given::with(()).given(known.clone()).when(record(seen("a", "b"))).then_expect_events(vec![]);
    Given::with(())
        .given(known.clone())
        .when(record(seen("b", "b")))
        .then_expect_events(vec![seen("b", "b").into()]);
    Given::with(())
        .given([known, vec![asked()]].concat())
        .when(record(seen("a", "b")))
        .then_expect_events(vec![seen("a", "b").into()]);
}

#[test]
fn vector_of_a_former_file_is_no_news() {
    Given::with(())
        .given(vec![uploaded().into(), asked()])
        .when(record(seen("a", "former")))
        .then_expect_events(vec![]);
}

#[test]
fn nothing_is_recorded_of_what_is_purged_or_somebody_elses() {
    Given::with(())
        .given(vec![uploaded().into(), AssetPurged {}.into()])
        .when(record(seen("a", "b")))
        .then_expect_events(vec![]);
    Given::with(())
        .given(vec![uploaded().into()])
        .when(record(AssetEmbedded { owner_id: STRANGER, ..seen("a", "b") }))
        .then_expect_events(vec![]);
}

#[test]
fn failure_is_recorded_once_and_another_try_may_be_asked_for() {
    let failed = AssetProcessingFailed {
        stage: Stage::Embedding,
        processor: ProcessorRef { name: "embed".into(), version: 1 },
        ..failed(1)
    };
    let record = AssetCommand::RecordFailure(Box::new(failed.clone()));
    Given::with(())
        .given(vec![uploaded().into(), asked()])
        .when(record.clone())
        .then_expect_events(vec![failed.clone().into()]);
    let given: Vec<AssetEvent> = vec![uploaded().into(), asked(), failed.into()];
    Given::with(()).given(given.clone()).when(record).then_expect_events(vec![]);
    Given::with(()).given(given).when(want("a")).then_expect_events(vec![asked()]);
}
