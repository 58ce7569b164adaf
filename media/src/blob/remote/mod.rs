//! Blobs in a bucket of an S3-compatible store instead of the data folder; see docs/adr/0018-blobs-in-a-bucket.md.

mod bucket;
mod outage;
mod place;
mod probe;
mod reading;
mod scratch;
mod upload;

pub(super) use bucket::{Bucket, LOOKS_AT_ONCE};
pub(crate) use bucket::{PATIENT_LIMIT, REQUEST_LIMIT, client};
pub use outage::Outage;
pub use place::{PlaceError, S3Place};
pub use probe::{Right, probe};
pub(super) use reading::Ranges;
pub use scratch::LocalFile;
