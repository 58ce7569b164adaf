//! What is recorded of a file that cannot be processed.

use calotype_commands::assets::Findings;
use calotype_domain::asset::{AssetProcessingFailed, Stage};
use calotype_media::decoder::DecodeError;
use tracing::warn;

use super::wanted::{Wanted, metadata_processor, thumbnails_processor};

/// The short code that failures are recorded with.
pub(crate) fn failure_code(error: &DecodeError) -> &'static str {
    match error {
        DecodeError::Crashed { .. } => "crashed",
        DecodeError::TimedOut => "timed_out",
        DecodeError::OutOfMemory => "out_of_memory",
        DecodeError::Unsupported { .. } => "unsupported",
        DecodeError::Corrupt { .. } => "corrupt",
        DecodeError::TooLarge { .. } => "too_large",
        DecodeError::Unreadable { .. } => "unreadable",
        DecodeError::Unavailable { .. } => "unavailable",
    }
}

/// What is recorded when the file could not be processed: of all that was wanted, or of the pictures alone.
pub(super) fn failed(wanted: &Wanted, error: &DecodeError, metadata_too: bool) -> Findings {
    let code = failure_code(error);
    if code == "unavailable" {
        warn!(error = error as &dyn std::error::Error, "the decoder program is not available");
    }
    let failure = |stage, processor| AssetProcessingFailed {
        stage,
        processor,
        input_blake3: wanted.uploaded.original.blake3.clone(),
        code: code.to_owned(),
        reason: error.to_string(),
    };
    let mut failures = Vec::new();
    if wanted.metadata && metadata_too {
        failures.push(failure(Stage::Metadata, metadata_processor()));
    }
    if wanted.thumbnails {
        failures.push(failure(Stage::Thumbnails, thumbnails_processor()));
    }
    Findings { failures, ..Findings::default() }
}
