//! [`ProofLog`]: signed heads of the log, and proofs that lead to them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::PgPool;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::heads::HEADS_MAX;
use super::{extend, heads, keys, look, stored, tiles};
use crate::error::StoreError;
use crate::proof::{
    ConsistencyProof, InclusionProof, Note, ProofError, ProofKey, PublicKey, Report, Rotation,
    SignedHead, consistency, inclusion, sign_receipt,
};

/// The Merkle tree over the log. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ProofLog {
    pub(super) pool: PgPool,
    keys_dir: PathBuf,
    heads_file: PathBuf,
    /// One at a time looks at the whole log.
    looking: Arc<Mutex<()>>,
}

impl ProofLog {
    /// The tree over a migrated database's log, with `proof.key` in `keys_dir`, and the file that heads go out to.
    #[must_use]
    pub fn new(pool: PgPool, keys_dir: PathBuf, heads_file: PathBuf) -> Self {
        Self { pool, keys_dir, heads_file, looking: Arc::default() }
    }

    /// The key that signs; made where there is none and nothing was signed yet. A change of keys that was cut off
    /// is finished.
    ///
    /// # Errors
    /// [`ProofError::NoKey`], or the file cannot be read or made.
    pub async fn key(&self) -> Result<ProofKey, ProofError> {
        let any: bool = sqlx::query_scalar(
            "select exists (select from proof.heads) or exists (select from proof.keys)",
        )
        .fetch_one(&self.pool)
        .await
        .map_err(StoreError::database("look for heads"))?;
        let key = self.open_key(!any).await?;
        match keys::current(&self.pool).await? {
            Some(current) if current != *key.public() => {
                let next = self.in_keys(|folder| Ok(ProofKey::open_next(folder, false))).await?;
                if next.is_ok_and(|next| *next.public() == current) {
                    self.in_keys(|folder| ProofKey::promote(folder)).await?;
                }
                self.open_key(false).await
            }
            _ => Ok(key),
        }
    }

    async fn open_key(&self, may_make: bool) -> Result<ProofKey, ProofError> {
        let opened = self.in_keys(move |folder| Ok(ProofKey::open(folder, may_make))).await?;
        opened.map_err(|error| match error {
            StoreError::Keyring { attempt: "find", .. } => ProofError::NoKey,
            other => ProofError::Store(other),
        })
    }

    /// Works in the folder of keys, away from the async runtime.
    async fn in_keys<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, ProofError> {
        let folder = self.keys_dir.clone();
        let working = tokio::task::spawn_blocking(move || work(&folder)).await;
        working.map_err(io::Error::other).flatten().map_err(|source| ProofError::File {
            attempt: "use the keys in",
            path: self.keys_dir.clone(),
            source,
        })
    }

    /// Has another key sign from now on: a head of everything so far is signed by the former, which then vouches
    /// for the next and is removed. `by` says who wishes it.
    ///
    /// Cut off at any moment, either the former key signs still, or [`ProofLog::key`] finishes it.
    ///
    /// # Errors
    /// As [`ProofLog::sign`], or [`ProofError::TooManyKeys`].
    pub async fn rotate_key(&self, by: &str) -> Result<Rotation, ProofError> {
        let former = self.key().await?;
        self.sign().await?;
        let next = self.in_keys(|folder| Ok(ProofKey::open_next(folder, true))).await??;
        let (log, by) = (self.clone(), by.to_owned());
        let rotating = stored::to_the_end(async move {
            let mut connection = log.connection().await?;
            let rotation = keys::rotate(&mut connection, &former, &next, &by).await?;
            log.in_keys(|folder| ProofKey::promote(folder)).await?;
            Ok::<_, ProofError>(rotation)
        });
        let rotation = rotating.await?;
        self.tell().await?;
        Ok(rotation)
    }

    /// The key that signs the heads of the log in a database; none where nothing was signed.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn signer(pool: &PgPool) -> Result<Option<PublicKey>, ProofError> {
        Ok(keys::current(pool).await?)
    }

    /// What leads from each former key to the next, oldest first, as text.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn rotations(&self) -> Result<Vec<String>, ProofError> {
        Ok(keys::texts(&self.pool).await?)
    }

    /// The public key as text, with the log's name.
    ///
    /// # Errors
    /// As [`ProofLog::key`], or the database cannot be read.
    pub async fn public_key(&self) -> Result<String, ProofError> {
        let key = self.key().await?;
        Ok(key.public().text(self.log_id().await?))
    }

    /// Signs a receipt with the log's key.
    ///
    /// # Errors
    /// As [`ProofLog::key`], or the database cannot be read.
    pub async fn sign_receipt(&self, lines: &[String]) -> Result<String, ProofError> {
        let key = self.key().await?;
        Ok(sign_receipt(self.log_id().await?, lines, &key))
    }

    async fn log_id(&self) -> Result<Uuid, StoreError> {
        sqlx::query_scalar("select log_id from proof.tree")
            .fetch_one(&self.pool)
            .await
            .map_err(StoreError::database("read the tree"))
    }

    /// Takes at most some thousand new events in; says how many wait still.
    ///
    /// # Errors
    /// The database cannot be used, or [`ProofError::TilesGone`].
    pub async fn extend(&self) -> Result<u64, ProofError> {
        let log = self.clone();
        let tree =
            stored::to_the_end(async move { extend::step(&mut *log.connection().await?).await });
        let tree = tree.await?;
        Ok(tree.head.saturating_sub(tree.size))
    }

    /// Signs a head over everything that has a position now. None while the log is empty.
    ///
    /// # Errors
    /// As [`ProofLog::key`] and [`ProofLog::extend`], [`ProofError::OtherKey`], [`ProofError::NotWhatWasSigned`], or
    /// the file of heads cannot be written: then the head is signed, and told later.
    pub async fn sign(&self) -> Result<Option<SignedHead>, ProofError> {
        let signed = match self.sign_once().await {
            // Another key may have followed meanwhile.
            Err(ProofError::OtherKey) => self.sign_once().await?,
            other => other?,
        };
        self.tell().await?;
        Ok(signed)
    }

    async fn sign_once(&self) -> Result<Option<SignedHead>, ProofError> {
        let key = self.key().await?;
        let log = self.clone();
        let signed = stored::to_the_end(async move {
            let mut connection = log.connection().await?;
            let mut tree = extend::step(&mut connection).await?;
            let target = tree.head;
            while tree.size < target {
                tree = extend::step(&mut connection).await?;
            }
            heads::sign(&mut connection, &key).await
        });
        signed.await
    }

    /// Appends heads and keys to the file that are not there yet.
    ///
    /// # Errors
    /// The database or the file cannot be used.
    pub async fn tell(&self) -> Result<(), ProofError> {
        heads::tell(&self.pool, &self.heads_file).await
    }

    /// The last signed heads, newest first; at most a thousand.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn heads(&self) -> Result<Vec<Note>, ProofError> {
        Ok(heads::newest(&self.pool, 0, HEADS_MAX).await?)
    }

    /// Proves that an event stands in the log that the newest head was signed over.
    ///
    /// # Errors
    /// [`ProofError::NoSuchEvent`], [`ProofError::NotSignedYet`], [`ProofError::TilesGone`], or
    /// [`ProofError::NotWhatWasSigned`] where the event or a tile was changed.
    pub async fn inclusion(&self, event_id: Uuid) -> Result<InclusionProof, ProofError> {
        let position = crate::postgres::read::position_of(&self.pool, event_id).await?;
        let position = position.ok_or(ProofError::NoSuchEvent { event_id })?.get();
        let index = u64::try_from(position - 1).unwrap_or_default();
        let newest = heads::newest(&self.pool, index + 1, 1).await?;
        let head = newest.into_iter().next().ok_or(ProofError::NotSignedYet { position })?;
        let size = head.head.size;
        let path = tiles::hashes(&self.pool, size, &inclusion(index, size)).await?;
        let leaf = stored::at(&self.pool, position, |row| row.leaf.map(|leaf| leaf.data())).await?;
        let leaf = leaf.flatten().ok_or(ProofError::NoSuchEvent { event_id })?;
        let key = self.public_key().await?;
        let rotations = self.rotations().await?;
        let proof = InclusionProof { position, event_id, leaf, path, head, key, rotations };
        if !proof.holds() {
            return Err(ProofError::NotWhatWasSigned { size });
        }
        Ok(proof)
    }

    /// Proves that what a head was signed over is the beginning of what a later head was: the newest, where
    /// `to` is none.
    ///
    /// # Errors
    /// [`ProofError::NoSuchHead`], [`ProofError::TilesGone`], or [`ProofError::NotWhatWasSigned`].
    pub async fn consistency(
        &self,
        from: u64,
        to: Option<u64>,
    ) -> Result<ConsistencyProof, ProofError> {
        let head = async |size| {
            let head = heads::of_size(&self.pool, size).await?;
            head.ok_or(ProofError::NoSuchHead { size })
        };
        let earlier = head(from).await?;
        let later = match to {
            Some(size) => head(size).await?,
            None => heads::newest(&self.pool, from, 1).await?.pop().unwrap_or(earlier.clone()),
        };
        let size = later.head.size;
        if size < from {
            return Err(ProofError::NoSuchHead { size });
        }
        let path = tiles::hashes(&self.pool, size, &consistency(from, size)).await?;
        let key = self.public_key().await?;
        let rotations = self.rotations().await?;
        let proof = ConsistencyProof { from: earlier, to: later, path, key, rotations };
        if !proof.holds() {
            return Err(ProofError::NotWhatWasSigned { size: from });
        }
        Ok(proof)
    }

    /// Compares every event with the tree, and the tree with every head: those of the database, of the file that
    /// heads go out to, and those that are given as text.
    ///
    /// Heads that are given must be signed by one of `keys`, or one that these lead to; where there is none, by the
    /// key of this log.
    ///
    /// # Errors
    /// The database or the file cannot be read.
    pub async fn verify(&self, given: &str, keys: &[PublicKey]) -> Result<Report, ProofError> {
        let _turn = self.looking.lock().await;
        let mut trusted = keys.to_vec();
        if trusted.is_empty() {
            match self.open_key(false).await {
                Ok(key) => trusted.push(*key.public()),
                // Then there is only what the database says of it.
                Err(ProofError::NoKey) => {}
                Err(error) => return Err(error),
            }
        }
        let path = self.heads_file.clone();
        // A kill or a full disk may have ended a line within a letter.
        let read =
            move || std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let told = tokio::task::spawn_blocking(read).await;
        let told = match told.map_err(io::Error::other).flatten() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            other => other.map_err(|source| ProofError::File {
                attempt: "read",
                path: self.heads_file.clone(),
                source,
            })?,
        };
        look::look(&self.pool, (&told, given), &trusted).await
    }

    /// Makes the tiles anew from the log, and has it written down that this happened. Heads stay, and nothing is
    /// signed that does not begin with what they were signed over.
    ///
    /// # Errors
    /// The database cannot be used.
    pub async fn rebuild(&self) -> Result<u64, ProofError> {
        let log = self.clone();
        let rebuilt = stored::to_the_end(async move {
            let failed = StoreError::database("start the tree anew");
            let mut connection = log.connection().await?;
            sqlx::query("select proof.start_anew()")
                .execute(&mut *connection)
                .await
                .map_err(failed)?;
            loop {
                let tree = extend::step(&mut connection).await?;
                if tree.size >= tree.head {
                    return Ok(tree.size);
                }
            }
        });
        rebuilt.await
    }

    async fn connection(&self) -> Result<sqlx::pool::PoolConnection<sqlx::Postgres>, StoreError> {
        self.pool.acquire().await.map_err(StoreError::database("reach the tree"))
    }
}
