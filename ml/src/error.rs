//! What can go wrong between a picture and its numbers.

use std::path::PathBuf;

use crate::model::ModelKind;

/// Why there are no numbers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MlError {
    /// `libonnxruntime.so` is not where it is looked for.
    #[error("ONNX Runtime is not installed: no libonnxruntime.so in {looked_in}")]
    RuntimeMissing {
        /// The files that were looked for.
        looked_in: String,
    },
    /// `libonnxruntime.so` is there, but cannot be used.
    #[error("{} is no ONNX Runtime that this program can use: {reason}", library.display())]
    RuntimeUnusable {
        /// The library.
        library: PathBuf,
        /// What the loader or the library said.
        reason: String,
    },
    /// No folder holds the model.
    #[error("model {name:?} for {kind} is not installed; looked in {looked_in}")]
    NotInstalled {
        /// What it is for.
        kind: ModelKind,
        /// Its name.
        name: String,
        /// The folders.
        looked_in: String,
    },
    /// A name that no model can have.
    #[error("{name:?} is no name of a model")]
    BadName {
        /// The name.
        name: String,
    },
    /// A file of a model cannot be read.
    #[error("failed to read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file of a model is there and readable, but is not what it should be.
    #[error("{} is refused: {reason}", path.display())]
    BadModel {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A model ran and failed, or its answer makes no sense.
    #[error("model {model:?} failed: {reason}")]
    Failed {
        /// The model.
        model: String,
        /// What the runtime said, or what is wrong with the answer.
        reason: String,
    },
    /// The picture cannot be used.
    #[error("no picture to look at: {reason}")]
    BadPixels {
        /// Why.
        reason: String,
    },
    /// As much waits as may wait.
    #[error("{waiting} jobs wait already")]
    Busy {
        /// How many.
        waiting: usize,
    },
    /// Models run on other machines alone, and none of them answered rightly.
    #[error("no machine-learning service answered: {}", tried.join("; "))]
    NoService {
        /// Each service's address without what is secret in it, and what it did.
        tried: Vec<String>,
        /// Whether one was there at all.
        is_reached: bool,
    },
    /// An address of a service cannot be used.
    #[error("{url:?} is no address of a machine-learning service: {reason}")]
    BadUrl {
        /// The address.
        url: String,
        /// Why.
        reason: String,
    },
    /// A file could not be put in its place.
    #[error("failed to write {}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file did not come over the network.
    #[error("failed to fetch {what}: {reason}")]
    Unfetched {
        /// The file, below the folder of models.
        what: String,
        /// Why.
        reason: String,
    },
    /// The server is stopping.
    #[error("the work was given up")]
    GivenUp,
}

impl MlError {
    /// Whether trying again later may help without anybody changing anything.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Busy { .. } | Self::NoService { .. } | Self::Unfetched { .. } | Self::GivenUp
        )
    }
}
