//! Objects of a bucket.

use std::fmt;
use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt as _, TryStreamExt as _};
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{ObjectStore as _, ObjectStoreExt as _, WriteMultipart};
use tempfile::NamedTempFile;

use super::{Listed, ObjectError, file, in_background};
use crate::blob::remote::{PATIENT_LIMIT, REQUEST_LIMIT, client};
use crate::blob::{Outage, S3Place};

/// Bytes that one request carries.
const PIECE_BYTES: u64 = 8 * 1024 * 1024;
/// The most parts that S3 takes.
const PARTS_MAX: u64 = 10_000;
/// Parts of one upload that are on their way at once.
const PARTS_AT_ONCE: usize = 3;

/// A folder of a bucket.
#[derive(Clone)]
pub(super) struct Remote {
    place: S3Place,
    pub(super) store: Arc<AmazonS3>,
    /// The same, for putting parts together, which takes the store longer.
    patient: Arc<AmazonS3>,
}

impl fmt::Debug for Remote {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Remote({})", self.place)
    }
}

impl Remote {
    pub(super) fn try_new(place: &S3Place) -> Result<Self, ObjectError> {
        let made = |limit| client(place, limit).map(Arc::new).map_err(|_| ObjectError::Place);
        Ok(Self {
            store: made(REQUEST_LIMIT)?,
            patient: made(PATIENT_LIMIT)?,
            place: place.clone(),
        })
    }

    /// As it is addressed.
    pub(super) fn name(&self) -> String {
        self.place.to_string()
    }

    pub(super) fn path(&self, name: &str) -> Path {
        let text = match self.place.prefix.as_str() {
            "" => name.to_owned(),
            prefix => format!("{prefix}/{name}"),
        };
        // Prefix and names were checked for all that makes a path wrong.
        Path::parse(&text).unwrap_or_else(|_| Path::from(text))
    }

    pub(super) async fn put(&self, name: &str, bytes: Bytes) -> Result<(), ObjectError> {
        self.store.put(&self.path(name), bytes.into()).await.map(drop).map_err(away)
    }

    pub(super) async fn put_file(
        &self,
        name: &str,
        draft: NamedTempFile,
    ) -> Result<(), ObjectError> {
        // The path is kept until the bytes are there, and then removed.
        let (opened, _path) = draft.into_parts();
        let opened = Arc::new(opened);
        let size_bytes =
            opened.metadata().map_err(file("look at", std::path::Path::new(name)))?.len();
        if size_bytes <= PIECE_BYTES {
            let bytes = piece(&opened, 0, size_bytes).await?;
            return self.put(name, bytes).await;
        }
        let part_bytes = PIECE_BYTES.max(size_bytes.div_ceil(PARTS_MAX));
        let begun = self.patient.put_multipart(&self.path(name)).await.map_err(away)?;
        let part_size = usize::try_from(part_bytes).unwrap_or(usize::MAX);
        let mut upload = WriteMultipart::new_with_chunk_size(begun, part_size);
        let mut first = 0;
        while first < size_bytes {
            let length = part_bytes.min(size_bytes - first);
            let read = match upload.wait_for_capacity(PARTS_AT_ONCE).await {
                Ok(()) => piece(&opened, first, length).await,
                Err(error) => Err(away(error)),
            };
            match read {
                Ok(bytes) => upload.put(bytes),
                Err(error) => {
                    // What is left of an upload that nobody ended is for a rule of the bucket.
                    upload.abort().await.unwrap_or_default();
                    return Err(error);
                }
            }
            first += length;
        }
        upload.finish().await.map(drop).map_err(away)
    }

    /// Fetches an object to a file without a name; none where the bucket is there and the object is not.
    pub(super) async fn fetch(&self, name: &str) -> Result<Option<File>, ObjectError> {
        let path = self.path(name);
        let found = match self.store.head(&path).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => {
                self.require_bucket().await?;
                return Ok(None);
            }
            Err(error) => return Err(away(error)),
        };
        let failed = |attempt| file(attempt, &std::env::temp_dir());
        let mut fetched =
            in_background(move || tempfile::tempfile().map_err(failed("fetch to"))).await?;
        let mut first = 0;
        while first < found.size {
            let to = found.size.min(first + PIECE_BYTES);
            let bytes = self.store.get_range(&path, first..to).await.map_err(away)?;
            fetched = in_background(move || {
                fetched.write_all(&bytes).map_err(failed("fetch to"))?;
                Ok(fetched)
            })
            .await?;
            first = to;
        }
        in_background(move || {
            fetched.rewind().map_err(failed("read"))?;
            Ok(Some(fetched))
        })
        .await
    }

    pub(super) async fn remove(&self, name: &str) -> Result<(), ObjectError> {
        match self.store.delete(&self.path(name)).await {
            Ok(()) => Ok(()),
            Err(object_store::Error::NotFound { .. }) => self.require_bucket().await,
            Err(error) => Err(away(error)),
        }
    }

    pub(super) fn list(&self, folder: &str) -> BoxStream<'static, Result<Listed, ObjectError>> {
        let path = self.path(folder);
        let before = match self.place.prefix.as_str() {
            "" => String::new(),
            prefix => format!("{prefix}/"),
        };
        self.store
            .list(Some(&path))
            .map_err(away)
            .try_filter_map(move |found| {
                let name = found.location.as_ref().strip_prefix(&before).map(str::to_owned);
                let listed = name.map(|name| Listed { name, size_bytes: found.size });
                std::future::ready(Ok(listed))
            })
            .boxed()
    }

    /// A store says the same of a missing object and of a missing bucket.
    async fn require_bucket(&self) -> Result<(), ObjectError> {
        match self.store.list(Some(&self.path("nothing"))).next().await {
            None | Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(away(error)),
        }
    }
}

async fn piece(opened: &Arc<File>, first: u64, length: u64) -> Result<Bytes, ObjectError> {
    let opened = Arc::clone(opened);
    in_background(move || {
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        opened
            .read_exact_at(&mut bytes, first)
            .map_err(file("read what is to be put into", std::path::Path::new("the bucket")))?;
        Ok(bytes.into())
    })
    .await
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn away(error: object_store::Error) -> ObjectError {
    ObjectError::Away { source: Outage::of(&error) }
}
