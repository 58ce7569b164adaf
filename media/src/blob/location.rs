//! Where the bytes of an original are read: in the store, or in a file outside that belongs to somebody else.
//! What can be named by a [`Location::External`] can be read and nothing else: the store writes to, and
//! removes, only what has a [`BlobKey`], and no path outside is one.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use super::store::BlobStore;
use super::writer::in_background;
use super::{BlobError, BlobKey, KeyError};

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
    /// The path that bytes are read from; `None` of a file outside that is not there, is no file, or leads
    /// into the folder of this server by a link. Says nothing about whether a blob exists.
    ///
    /// # Errors
    /// When the file system does not say.
    pub async fn readable_path(&self, location: &Location) -> Result<Option<PathBuf>, BlobError> {
        let path = match location {
            Location::Stored(key) => return Ok(self.local_path(key)),
            Location::External(path) => path.clone(),
        };
        let root = self.root().to_owned();
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
    pub async fn open_at(&self, location: &Location) -> Result<Option<File>, BlobError> {
        if let Location::Stored(key) = location {
            return match self.open_blob(key).await? {
                Some(file) => Ok(Some(file.into_std().await)),
                None => Ok(None),
            };
        }
        let Some(path) = self.readable_path(location).await? else { return Ok(None) };
        in_background(move || match File::open(path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(BlobError::Outside { source }),
        })
        .await
    }

    /// The folder of this server.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
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
