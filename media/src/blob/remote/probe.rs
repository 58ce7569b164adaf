//! What an access key may do with a bucket, tried with a blob of its own.

use bytes::Bytes;
use object_store::{ObjectStore as _, ObjectStoreExt as _};

use super::bucket::{Bucket, away};
use super::{Outage, S3Place};
use crate::blob::BlobError;

/// What the probe holds.
const CONTENT: &[u8] = b"calotype doctor";

/// Something that the server does with a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// `s3:ListBucket`; without it a store does not say what is missing.
    List,
    /// `s3:PutObject`.
    Write,
    /// `s3:GetObject`.
    Read,
    /// `s3:PutObject` and `s3:GetObject` on a copy, which moves by the storage template are.
    Copy,
    /// `s3:DeleteObject`.
    Remove,
}

impl Right {
    /// What it is called.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Write => "write",
            Self::Read => "read",
            Self::Copy => "copy",
            Self::Remove => "remove",
        }
    }
}

/// Tries everything that the server does with a bucket, with blobs under names that `name` makes unlike others;
/// says what went well and what did not. Removes them again.
///
/// # Errors
/// [`BlobError::Place`] when no client can be made.
pub async fn probe(
    place: &S3Place,
    name: &str,
) -> Result<Vec<(Right, Result<(), Outage>)>, BlobError> {
    let bucket = Bucket::try_new(place.clone(), 0)?;
    let one = bucket.under(&format!("doctor-{name}"));
    let other = bucket.under(&format!("doctor-{name}-copy"));
    let (store, mut tried) = (&bucket.store, Vec::new());
    let told = |result: Result<(), object_store::Error>| {
        result.map_err(|error| match away(&error) {
            BlobError::Away { source } => source,
            _ => Outage::Unreachable,
        })
    };
    let listed = store.list_with_delimiter(Some(&one)).await.map(drop);
    tried.push((Right::List, told(listed)));
    if matches!(tried.first(), Some((_, Err(Outage::Unreachable | Outage::TimedOut)))) {
        return Ok(tried);
    }
    let written = store.put(&one, Bytes::from_static(CONTENT).into()).await.map(drop);
    tried.push((Right::Write, told(written)));
    let read = async {
        let bytes = store.get(&one).await?.bytes().await?;
        if bytes == CONTENT {
            return Ok(());
        }
        let source = "the store gives back other bytes than it was sent".into();
        Err(object_store::Error::Generic { store: "S3", source })
    };
    tried.push((Right::Read, told(read.await)));
    tried.push((Right::Copy, told(store.copy(&one, &other).await)));
    let removed = store.delete(&one).await.and(store.delete(&other).await);
    tried.push((Right::Remove, told(removed)));
    Ok(tried)
}
