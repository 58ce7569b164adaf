//! Why a processor could not do its work now.

use std::time::Duration;

use calotype_commands::CommandError;
use calotype_eventstore::StoreError;
use calotype_media::blob::BlobError;
use calotype_projections::ProjectionError;
use tracing::warn;

/// Why a processor could not do its work now.
#[derive(Debug, thiserror::Error)]
pub enum ProcessorError {
    /// The log could not be read.
    #[error("failed to read the event log")]
    Store(#[from] StoreError),
    /// A read model could not be asked.
    #[error("failed to ask a read model")]
    Projection(#[from] ProjectionError),
    /// A result could not be recorded.
    #[error("failed to record a result")]
    Command(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A blob could not be read or written.
    #[error("failed to use a blob")]
    Blob(#[source] BlobError),
    /// A stored file could not be read.
    #[error("failed to read a file")]
    File(#[source] std::io::Error),
    /// Its own table could not be used.
    #[error("failed to use a table of work")]
    Database(#[from] sqlx::Error),
    /// The decoder could not do it this time, for a reason that is not the file's.
    #[error("the decoder could not do it this time")]
    Decoder(#[source] calotype_media::decoder::DecodeError),
    /// The model could not look this time.
    #[error("the model could not look this time")]
    Model(#[source] crate::looking::ModelError),
    /// The names of places could not be read.
    #[error("failed to look up a place")]
    Places(#[source] calotype_media::gazetteer::GazetteerError),
    /// What is stored is not what was uploaded; nothing is done with it.
    #[error("the stored file is not what was uploaded")]
    Damaged,
    /// An asset has more events than are looked at.
    #[error("the history of the asset is too long to be read whole")]
    TooLong,
    /// A key that no file can lie under.
    #[error("a key is not right")]
    NoPlace,
    /// The work is not possible yet; later it may be.
    #[error("not yet")]
    NotYet {
        /// How long to wait.
        after: Duration,
    },
}

impl ProcessorError {
    /// Whether somebody has to mend the access to the bucket before any work of this kind can be done.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self, Self::Blob(error) if error.is_refused())
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<CommandError<E>> for ProcessorError {
    fn from(error: CommandError<E>) -> Self {
        Self::Command(Box::new(error))
    }
}

/// How long work waits for a bucket that is out of reach.
const BUCKET_WAIT: Duration = Duration::from_secs(10);

/// That the bucket is out of reach is no fault of the work: it waits, and is not counted as tried. What the bucket
/// refuses somebody has to mend: it fails, is parked with its reason, and goes on once it is mended.
impl From<BlobError> for ProcessorError {
    fn from(error: BlobError) -> Self {
        if !error.is_away() || error.is_refused() {
            return Self::Blob(error);
        }
        warn!(error = &error as &dyn std::error::Error, "work waits for the bucket");
        Self::NotYet { after: BUCKET_WAIT }
    }
}

#[cfg(test)]
mod tests {
    use calotype_media::blob::Outage;

    use super::*;

    #[test]
    fn what_is_away_is_waited_for_and_what_is_refused_fails() {
        let away = |source| ProcessorError::from(BlobError::Away { source });
        assert!(matches!(away(Outage::Unreachable), ProcessorError::NotYet { .. }));
        assert!(matches!(away(Outage::TimedOut), ProcessorError::NotYet { .. }));
        assert!(matches!(away(Outage::NoBucket), ProcessorError::Blob(_)));
        assert!(matches!(away(Outage::Denied { code: None }), ProcessorError::Blob(_)));
    }
}
