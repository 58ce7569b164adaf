//! One bucket: asking, reading ranges, writing small blobs, removing, listing.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::TryStreamExt as _;
use futures::stream::{BoxStream, StreamExt as _};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, GetOptions, GetRange, ObjectMeta, ObjectStore as _,
    ObjectStoreExt as _, RetryConfig,
};
use tokio::sync::Semaphore;

use super::scratch::Scratch;
use super::{Outage, S3Place};
use crate::blob::{Area, BlobError, BlobKey};

/// How long the store may take to take a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How long one request may take that carries nothing, or brings a part of a blob.
pub(crate) const REQUEST_LIMIT: Duration = Duration::from_secs(60);
/// How long the store may take to copy a blob within itself, to put the parts of an upload together, or to take
/// one part over a slow line.
pub(crate) const PATIENT_LIMIT: Duration = Duration::from_secs(15 * 60);
/// How often a request is sent again that failed for a passing reason, and for how long.
const RETRIES_MAX: usize = 3;
const RETRIES_LIMIT: Duration = Duration::from_secs(30);
const RETRY_AFTER: Duration = Duration::from_millis(100);
const RETRY_AFTER_MAX: Duration = Duration::from_secs(2);
/// How long it is remembered that the bucket was there.
const SEEN_FOR: Duration = Duration::from_secs(5);
/// Parts of uploads that are in memory at once, over all uploads.
const PARTS_IN_MEMORY_MAX: usize = 8;
/// Blobs that are asked about at once.
pub(in crate::blob) const LOOKS_AT_ONCE: usize = 16;

/// A bucket. Cheap to clone.
#[derive(Clone)]
pub(in crate::blob) struct Bucket {
    place: S3Place,
    pub(super) store: Arc<AmazonS3>,
    /// The same, for what takes the store longer.
    pub(super) patient: Arc<AmazonS3>,
    pub(super) parts: Arc<Semaphore>,
    pub(super) scratch: Arc<Scratch>,
    /// When the bucket was last seen to be there.
    seen: Arc<Mutex<Option<Instant>>>,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Bucket({})", self.place)
    }
}

impl Bucket {
    /// Sets a bucket up; asks it nothing.
    ///
    /// # Errors
    /// [`BlobError::Place`] when no client can be made for it.
    pub(in crate::blob) fn try_new(place: S3Place, scratch_bytes: u64) -> Result<Self, BlobError> {
        Ok(Self {
            store: Arc::new(client(&place, REQUEST_LIMIT)?),
            patient: Arc::new(client(&place, PATIENT_LIMIT)?),
            parts: Arc::new(Semaphore::new(PARTS_IN_MEMORY_MAX)),
            scratch: Arc::new(Scratch::new(scratch_bytes)),
            seen: Arc::default(),
            place,
        })
    }

    /// Size, time and tag of a blob; `None` when the bucket is there and the blob is not.
    pub(in crate::blob) async fn head(
        &self,
        key: &BlobKey,
    ) -> Result<Option<ObjectMeta>, BlobError> {
        match self.store.head(&self.path(key)).await {
            Ok(found) => Ok(Some(found)),
            Err(object_store::Error::NotFound { .. }) => {
                self.require_bucket().await?;
                Ok(None)
            }
            Err(error) => Err(away(&error)),
        }
    }

    /// Some bytes of a blob that was asked about before; `None` when it is not there any more.
    pub(in crate::blob) async fn range(
        &self,
        key: &BlobKey,
        range: Range<u64>,
        tag: Option<&str>,
    ) -> Result<Option<Bytes>, BlobError> {
        if range.is_empty() {
            return Ok(Some(Bytes::new()));
        }
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            if_match: tag.map(str::to_owned),
            ..GetOptions::default()
        };
        let read = async { self.store.get_opts(&self.path(key), options).await?.bytes().await };
        match read.await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(object_store::Error::NotFound { .. }) => {
                self.require_bucket().await?;
                Ok(None)
            }
            Err(error) => Err(away(&error)),
        }
    }

    /// Writes a small blob, or takes the place of an older one, in one request: it is there whole or not at all.
    pub(in crate::blob) async fn put(&self, key: &BlobKey, bytes: Bytes) -> Result<(), BlobError> {
        self.store.put(&self.path(key), bytes.into()).await.map(drop).map_err(|error| away(&error))
    }

    /// Removes a blob; a missing one counts as removed.
    pub(in crate::blob) async fn remove(&self, key: &BlobKey) -> Result<(), BlobError> {
        match self.store.delete(&self.path(key)).await {
            Ok(()) => Ok(()),
            Err(object_store::Error::NotFound { .. }) => self.require_bucket().await,
            Err(error) => Err(away(&error)),
        }
    }

    /// The blobs of an area, page by page. What has a name that no key of that area has is not ours.
    pub(in crate::blob) fn keys(
        &self,
        area: Area,
    ) -> BoxStream<'static, Result<BlobKey, BlobError>> {
        let folder = self.folder(area);
        let before = format!("{folder}/");
        self.store
            .list(Some(&folder))
            .map_err(|error| away(&error))
            .try_filter_map(move |found| {
                let name = found.location.as_ref().strip_prefix(&before);
                let key = name.and_then(|name| BlobKey::parse(name).ok());
                std::future::ready(Ok(key.filter(|key| key.area() == area)))
            })
            .boxed()
    }

    /// Whether the bucket is there, where something in it is not: a store says the same of both.
    ///
    /// # Errors
    /// [`BlobError::Away`] when it is not, or cannot be asked.
    pub(super) async fn require_bucket(&self) -> Result<(), BlobError> {
        let seen = || self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen().is_some_and(|at| at.elapsed() < SEEN_FOR) {
            return Ok(());
        }
        let nothing = self.under("nothing");
        match self.store.list(Some(&nothing)).next().await {
            None | Some(Ok(_)) => {
                *seen() = Some(Instant::now());
                Ok(())
            }
            Some(Err(error)) => Err(away(&error)),
        }
    }

    pub(super) fn path(&self, key: &BlobKey) -> Path {
        self.under(&format!("{}/{key}", area_word(key.area())))
    }

    fn folder(&self, area: Area) -> Path {
        self.under(area_word(area))
    }

    pub(super) fn under(&self, name: &str) -> Path {
        let text = match self.place.prefix.as_str() {
            "" => name.to_owned(),
            prefix => format!("{prefix}/{name}"),
        };
        // Prefix and keys were checked for all that makes a path wrong.
        Path::parse(&text).unwrap_or_else(|_| Path::from(text))
    }
}

/// What became of a request, without the store's own words.
pub(super) fn away(error: &object_store::Error) -> BlobError {
    BlobError::Away { source: Outage::of(error) }
}

/// The folder of an area, in the bucket as in the data folder.
const fn area_word(area: Area) -> &'static str {
    match area {
        Area::Library => "library",
        Area::Derived => "derived",
    }
}

pub(crate) fn client(place: &S3Place, limit: Duration) -> Result<AmazonS3, BlobError> {
    let options = ClientOptions::new()
        .with_connect_timeout(CONNECT_LIMIT)
        .with_timeout(limit)
        .with_allow_http(place.is_plain());
    let backoff =
        BackoffConfig { init_backoff: RETRY_AFTER, max_backoff: RETRY_AFTER_MAX, base: 2.0 };
    let retry = RetryConfig { backoff, max_retries: RETRIES_MAX, retry_timeout: RETRIES_LIMIT };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&place.bucket)
        .with_region(&place.region)
        .with_access_key_id(&place.key_id)
        .with_secret_access_key(&place.secret)
        .with_client_options(options)
        .with_retry(retry);
    if let Some(endpoint) = &place.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    builder.build().map_err(|_| BlobError::Place)
}
