//! Named objects, each there whole or not at all, in a folder or in a bucket: what backups are made of.
//!
//! It knows nothing of what they hold. Blobs of a running server are behind [`crate::blob`].

mod bucket;
mod folder;
mod lease;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use futures::stream::BoxStream;
use tempfile::NamedTempFile;

use crate::blob::{Outage, S3Place};
use bucket::Remote;
use lease::{LEASE, Lease};

/// Longest name, in bytes.
const NAME_BYTES_MAX: usize = 256;
/// The longest object that is read into memory, in bytes.
pub const SMALL_BYTES_MAX: u64 = 64 << 20;

/// What can go wrong with named objects.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The folder, or a file of it, cannot be used.
    #[error("failed to {attempt} {}", path.display())]
    File {
        /// What was tried.
        attempt: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The bucket did not do it; later it may.
    #[error("the bucket is out of reach")]
    Away {
        /// Why.
        source: Outage,
    },
    /// No client can be made for the bucket.
    #[error("the address of the bucket cannot be used")]
    Place,
    /// A name that no object has.
    #[error("{name:?} is no name of an object")]
    Name {
        /// As it was given.
        name: String,
    },
    /// It is longer than what is read into memory.
    #[error("{name} is longer than it may be")]
    TooLong {
        /// Which.
        name: String,
    },
    /// Somebody else works in the folder.
    #[error("another program works in {}", path.display())]
    Busy {
        /// Which.
        path: PathBuf,
    },
    /// Somebody else works in the bucket, or did a moment ago.
    #[error(
        "another program works in {place}; if it was killed, the place is free {} s after that",
        lease.as_secs()
    )]
    Leased {
        /// Which.
        place: String,
        /// For how long nobody may take the place of a program that is not heard of.
        lease: Duration,
    },
    /// The runtime is shutting down.
    #[error("work on an object was cancelled")]
    Cancelled,
}

/// An object as a listing tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its length in bytes.
    pub size_bytes: u64,
}

/// Where objects lie. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Objects(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Folder(PathBuf),
    Bucket(Remote),
}

impl Objects {
    /// Objects in a folder, which is made where it is missing and something is put.
    #[must_use]
    pub fn in_folder(root: PathBuf) -> Self {
        Self(Kind::Folder(root))
    }

    /// Objects in a bucket. Asks it nothing.
    ///
    /// # Errors
    /// [`ObjectError::Place`].
    pub fn in_bucket(place: &S3Place) -> Result<Self, ObjectError> {
        Ok(Self(Kind::Bucket(Remote::try_new(place)?)))
    }

    /// Keeps others out, and removes what somebody left half written in a folder.
    ///
    /// # Errors
    /// [`ObjectError::Busy`] or [`ObjectError::Leased`], [`ObjectError::File`] or [`ObjectError::Away`].
    pub async fn lock(&self) -> Result<Held, ObjectError> {
        self.lock_for(LEASE).await
    }

    /// As [`Objects::lock`], with another time after which a bucket is free when a program was killed there.
    ///
    /// # Errors
    /// As [`Objects::lock`].
    pub async fn lock_for(&self, lease: Duration) -> Result<Held, ObjectError> {
        let kind = match &self.0 {
            Kind::Folder(root) => {
                let root = root.clone();
                HeldKind::Folder { _lock: in_background(move || folder::lock(&root)).await? }
            }
            Kind::Bucket(remote) => HeldKind::Bucket(Lease::take(remote, lease).await?),
        };
        Ok(Held(kind))
    }

    /// A file to write what is to be put.
    ///
    /// # Errors
    /// [`ObjectError::File`].
    pub async fn draft(&self) -> Result<NamedTempFile, ObjectError> {
        let folder = match &self.0 {
            Kind::Folder(root) => folder::drafts(root),
            Kind::Bucket(_) => std::env::temp_dir(),
        };
        in_background(move || folder::draft(&folder)).await
    }

    /// Puts a file under a name, durably, in place of what is there.
    ///
    /// # Errors
    /// [`ObjectError::File`] or [`ObjectError::Away`].
    pub async fn put_file(&self, name: &str, draft: NamedTempFile) -> Result<(), ObjectError> {
        require_plain(name)?;
        match &self.0 {
            Kind::Folder(root) => {
                let (root, name) = (root.clone(), name.to_owned());
                in_background(move || folder::put(&root, &name, draft)).await
            }
            Kind::Bucket(remote) => remote.put_file(name, draft).await,
        }
    }

    /// Puts some bytes under a name, durably, in place of what is there.
    ///
    /// # Errors
    /// As [`Objects::put_file`].
    pub async fn put(&self, name: &str, bytes: Bytes) -> Result<(), ObjectError> {
        require_plain(name)?;
        match &self.0 {
            Kind::Folder(root) => {
                let (root, name) = (root.clone(), name.to_owned());
                in_background(move || {
                    let draft = folder::draft(&folder::drafts(&root))?;
                    std::fs::write(draft.path(), &bytes).map_err(file("write", draft.path()))?;
                    folder::put(&root, &name, draft)
                })
                .await
            }
            Kind::Bucket(remote) => remote.put(name, bytes).await,
        }
    }

    /// A small object, whole; none where there is none.
    ///
    /// # Errors
    /// [`ObjectError::TooLong`], [`ObjectError::File`] or [`ObjectError::Away`].
    pub async fn get(&self, name: &str) -> Result<Option<Bytes>, ObjectError> {
        let Some(mut opened) = self.open(name).await? else { return Ok(None) };
        let name = name.to_owned();
        in_background(move || {
            let failed = |source| file("read", Path::new(&name))(source);
            let size_bytes = opened.metadata().map_err(failed)?.len();
            if size_bytes > SMALL_BYTES_MAX {
                return Err(ObjectError::TooLong { name });
            }
            let mut bytes = Vec::new();
            io::Read::read_to_end(&mut opened, &mut bytes).map_err(failed)?;
            Ok(Some(bytes.into()))
        })
        .await
    }

    /// Opens an object as a file, from its beginning; from a bucket it is fetched whole, to a file that nobody else
    /// sees. None where there is none.
    ///
    /// # Errors
    /// [`ObjectError::File`] or [`ObjectError::Away`].
    pub async fn open(&self, name: &str) -> Result<Option<File>, ObjectError> {
        require_plain(name)?;
        match &self.0 {
            Kind::Folder(root) => {
                let path = root.join(name);
                in_background(move || match File::open(&path) {
                    Ok(opened) => Ok(Some(opened)),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(source) => Err(file("open", &path)(source)),
                })
                .await
            }
            Kind::Bucket(remote) => remote.fetch(name).await,
        }
    }

    /// Removes an object; a missing one counts as removed.
    ///
    /// # Errors
    /// [`ObjectError::File`] or [`ObjectError::Away`].
    pub async fn remove(&self, name: &str) -> Result<(), ObjectError> {
        require_plain(name)?;
        match &self.0 {
            Kind::Folder(root) => {
                let path = root.join(name);
                in_background(move || match std::fs::remove_file(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        Err(file("remove", &path)(error))
                    }
                    _ => Ok(()),
                })
                .await
            }
            Kind::Bucket(remote) => remote.remove(name).await,
        }
    }

    /// The objects whose names begin with a folder's name, in no particular order.
    ///
    /// # Errors
    /// Each item may be [`ObjectError::File`] or [`ObjectError::Away`]; what came before is then not all.
    #[must_use]
    pub fn list(&self, folder: &str) -> BoxStream<'static, Result<Listed, ObjectError>> {
        match &self.0 {
            Kind::Folder(root) => folder::list(root.clone(), folder.to_owned()),
            Kind::Bucket(remote) => remote.list(folder),
        }
    }
}

/// A place that is kept from others: a folder as long as this is kept, a bucket as long as somebody works
/// [`Held::during`] it.
#[derive(Debug)]
pub struct Held(HeldKind);

#[derive(Debug)]
enum HeldKind {
    Folder { _lock: File },
    Bucket(Lease),
}

impl Held {
    /// Works as long as the place is kept from others.
    ///
    /// # Errors
    /// The place could not be kept: the work was dropped where it stood.
    pub async fn during<T>(&self, work: impl Future<Output = T>) -> Result<T, ObjectError> {
        match &self.0 {
            HeldKind::Folder { .. } => Ok(work.await),
            HeldKind::Bucket(lease) => tokio::select! {
                done = work => Ok(done),
                lost = lease.keep() => Err(lost),
            },
        }
    }

    /// Lets others in at once.
    ///
    /// # Errors
    /// [`ObjectError::Away`]: then they are let in when the lease has run out.
    pub async fn release(self) -> Result<(), ObjectError> {
        match self.0 {
            HeldKind::Folder { .. } => Ok(()),
            HeldKind::Bucket(lease) => lease.release().await,
        }
    }
}

/// Names come from backups that somebody may have changed: none leads out of the place.
fn require_plain(name: &str) -> Result<(), ObjectError> {
    let is_plain = |it: u8| it.is_ascii_alphanumeric() || b"-_.".contains(&it);
    let is_good =
        |part: &str| !part.is_empty() && !part.starts_with('.') && part.bytes().all(is_plain);
    if name.len() <= NAME_BYTES_MAX && name.split('/').all(is_good) {
        Ok(())
    } else {
        Err(ObjectError::Name { name: name.to_owned() })
    }
}

/// For `map_err` on what the file system says.
fn file(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ObjectError + use<> {
    let path = path.to_owned();
    move |source| ObjectError::File { attempt, path, source }
}

/// Runs file work off the async threads.
async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ObjectError> + Send + 'static,
) -> Result<T, ObjectError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| ObjectError::Cancelled)?
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt as _;

    use super::*;

    #[tokio::test]
    async fn objects_are_put_read_listed_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::in_folder(folder.path().join("backup"));
        assert!(objects.get("log/1.gz").await.unwrap().is_none());
        let listed: Vec<Listed> = objects.list("log").try_collect().await.unwrap();
        assert!(listed.is_empty());

        objects.put("log/1.gz", Bytes::from_static(b"one")).await.unwrap();
        objects.put("log/1.gz", Bytes::from_static(b"first")).await.unwrap();
        let draft = objects.draft().await.unwrap();
        std::fs::write(draft.path(), b"two").unwrap();
        objects.put_file("log/a/2.gz", draft).await.unwrap();
        objects.put("keys/1.gz", Bytes::from_static(b"key")).await.unwrap();

        assert_eq!(objects.get("log/1.gz").await.unwrap().unwrap(), "first");
        let mut listed: Vec<Listed> = objects.list("log").try_collect().await.unwrap();
        listed.sort_by(|one, other| one.name.cmp(&other.name));
        let told = listed.iter().map(|it| (it.name.as_str(), it.size_bytes)).collect::<Vec<_>>();
        assert_eq!(told, [("log/1.gz", 5), ("log/a/2.gz", 3)]);
        for _ in 0..2 {
            objects.remove("log/1.gz").await.unwrap();
            assert!(objects.open("log/1.gz").await.unwrap().is_none());
        }
    }

    #[tokio::test]
    async fn folder_belongs_to_one_at_a_time_and_drafts_that_were_left_go() {
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::in_folder(folder.path().to_owned());
        let left = objects.draft().await.unwrap().into_temp_path().keep().unwrap();

        let held = objects.lock().await.unwrap();
        assert!(!left.exists());
        assert!(matches!(objects.lock().await, Err(ObjectError::Busy { .. })));
        drop(held);
        objects.lock().await.unwrap();
    }

    #[tokio::test]
    async fn names_that_lead_elsewhere_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::in_folder(folder.path().join("backup"));
        for name in ["", "/etc/passwd", "../a", "a//b", "a/./b", ".hidden", "a b", "ä"] {
            let refused = objects.put(name, Bytes::new()).await;
            assert!(matches!(refused, Err(ObjectError::Name { .. })), "{name:?}");
            assert!(objects.open(name).await.is_err(), "{name:?}");
        }
    }
}
