//! Trying a model over a library beside the one that is in use.
//!
//! A trial is one stream; what the model says of each asset is told on a stream of that asset's own, beside the
//! asset's: a trial must not make anybody's wish lose a race, and whoever loads an asset need not read what is in
//! no use. The events are sealed under the asset's key and hold their vectors as attachments, so they go with it.

mod results;
mod run;

pub use results::{
    AssetTrial, AssetTrialCommand, AssetTrialEmbedded, AssetTrialError, AssetTrialEvent,
    AssetTrialFacesFound, AssetTrialTextRead, TriedFace,
};
pub use run::{
    ModelTrial, ModelTrialBegun, ModelTrialCancelled, ModelTrialCommand, ModelTrialError,
    ModelTrialEvent, ModelTrialFinished,
};

use crate::undo::way::{Row, never};

/// Why a trial is not taken back.
const BESIDE: &str = "It is kept beside what is in use and changes nothing that anybody sees";

/// How events of trials go back: not at all.
pub(crate) const WAYS: &[Row] = &[
    never("AssetTrialEmbedded", "trial", BESIDE),
    never("AssetTrialFacesFound", "trial", BESIDE),
    never("AssetTrialTextRead", "trial", BESIDE),
    never("ModelTrialBegun", "trial", BESIDE),
    never("ModelTrialCancelled", "trial", BESIDE),
    never("ModelTrialFinished", "trial", BESIDE),
];
