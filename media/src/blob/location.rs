//! Where the bytes of an original are read: in the store, or in a file outside that belongs to somebody else.
//! What can be named by a [`Location::External`] can be read and nothing else: the store writes to, and
//! removes, only what has a [`BlobKey`], and no path outside is one.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::store::BlobStore;
use super::writer::in_background;
use super::{BlobError, BlobFile, BlobKey, KeyError, LocalFile};

/// Where bytes are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// In the store.
    Stored(BlobKey),
    /// In a file outside, by its absolute path.
    External(PathBuf),
}

impl Location {
    /// Reads a key, or an absolute path.
    ///
    /// # Errors
    /// [`KeyError`] when it is neither.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        if text.starts_with('/') {
            Ok(Self::External(PathBuf::from(text)))
        } else {
            BlobKey::parse(text).map(Self::Stored)
        }
    }
}

/// Whether a text names a file outside.
#[must_use]
pub fn is_external(text: &str) -> bool {
    text.starts_with('/')
}

impl BlobStore {
    /// A file that bytes are read from; `None` of a file outside that is not there, is no file, or leads into the
    /// folder of this server by a link, and of a blob that is in no bucket. Says nothing about whether a blob in
    /// the folder exists.
    ///
    /// # Errors
    /// When the file system does not say, or the bucket does not answer.
    pub async fn readable(&self, location: &Location) -> Result<Option<LocalFile>, BlobError> {
        match location {
            Location::Stored(key) => self.fetch(key).await,
            Location::External(path) => Ok(self.outside(path).await?.map(LocalFile::at)),
        }
    }

    /// A blob as a file: where it lies, or fetched from its bucket. `None` when it is in no bucket; says nothing
    /// about whether a blob in the folder exists.
    ///
    /// # Errors
    /// [`BlobError::Away`] when the bucket does not answer or there is no room, [`BlobError::Write`] when the disk
    /// refuses.
    pub async fn fetch(&self, key: &BlobKey) -> Result<Option<LocalFile>, BlobError> {
        match self.bucket() {
            Some(bucket) => bucket.fetch(self, key).await,
            None => Ok(Some(LocalFile::at(self.path_of(key)))),
        }
    }

    async fn outside(&self, path: &Path) -> Result<Option<PathBuf>, BlobError> {
        let (root, path) = (self.root().to_owned(), path.to_owned());
        in_background(move || {
            let settle = || -> io::Result<Option<PathBuf>> {
                let real = std::fs::canonicalize(&path)?;
                let inside = real.starts_with(std::fs::canonicalize(root)?);
                Ok(Some(real).filter(|real| !inside && real.is_file()))
            };
            match settle() {
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                    ) =>
                {
                    Ok(None)
                }
                settled => settled.map_err(|source| BlobError::Outside { source }),
            }
        })
        .await
    }

    /// Opens bytes for reading; `None` when there are none.
    ///
    /// # Errors
    /// [`BlobError::Read`] or [`BlobError::Outside`] when they are there and cannot be opened.
    pub async fn open_at(&self, location: &Location) -> Result<Option<BlobFile>, BlobError> {
        let Some(lies) = self.readable(location).await? else { return Ok(None) };
        let key = match location {
            Location::Stored(key) => Some(key.clone()),
            Location::External(_) => None,
        };
        in_background(move || match File::open(lies.path()) {
            Ok(file) => Ok(Some(BlobFile::new(file, lies))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(match key {
                Some(key) => BlobError::Read { key, source },
                None => BlobError::Outside { source },
            }),
        })
        .await
    }

    /// The folder of this server.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.root()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn link_into_the_folder_of_the_server_is_not_read() {
        let (data, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let store = BlobStore::open(data.path()).await.unwrap();
        std::fs::write(data.path().join("secret"), b"key").unwrap();
        std::fs::write(outside.path().join("a.jpg"), b"photo").unwrap();
        let link = outside.path().join("b.jpg");
        std::os::unix::fs::symlink(data.path().join("secret"), &link).unwrap();
        let open = async |path: PathBuf| {
            store.open_at(&Location::parse(path.to_str().unwrap()).unwrap()).await.unwrap()
        };
        assert!(open(outside.path().join("a.jpg")).await.is_some());
        assert!(open(link).await.is_none());
        assert!(open(outside.path().join("c.jpg")).await.is_none());
        assert!(open(outside.path().to_owned()).await.is_none());
    }

    #[test]
    fn path_is_no_key() {
        BlobKey::parse("/photos/a.jpg").unwrap_err();
        Location::parse("photos/a.jpg").unwrap_err();
    }
}
