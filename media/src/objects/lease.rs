//! Keeps others out of a bucket: an object that says who works there, and is written anew as long as that lasts.
//!
//! A store has no locks. Whoever finds the object asks the store how old it is: one that nobody has written anew for
//! the length of a lease was left by a program that was killed. Two who come at once are told apart where the store
//! makes an object only where there is none, and else by reading what is there a moment later; whoever has lost the
//! lease stops working.

use std::time::Duration;

use chrono::{DateTime, Utc};
use object_store::path::Path;
use object_store::{Error, ObjectStore as _, ObjectStoreExt as _, PutMode};
use tokio::time::Instant;
use uuid::Uuid;

use super::ObjectError;
use super::bucket::{Remote, away};

/// The object's name.
const NAME: &str = "lock";
/// How long a lease holds after it was written.
pub(super) const LEASE: Duration = Duration::from_secs(120);
/// So often it is written anew while it holds.
const WRITES: u32 = 6;
/// Tries to take over what somebody left.
const TRIES_MAX: u32 = 3;

/// A bucket's folder that is kept from others.
#[derive(Debug)]
pub(super) struct Lease {
    remote: Remote,
    /// What the object holds.
    mark: String,
    lease: Duration,
}

impl Lease {
    /// Takes it.
    pub(super) async fn take(remote: &Remote, lease: Duration) -> Result<Self, ObjectError> {
        let mark = new_mark();
        let taken = Self { remote: remote.clone(), mark, lease };
        for _ in 0..TRIES_MAX {
            if taken.make().await? {
                // A store that makes objects also where there is one has the last of those who came.
                return if taken.is_own().await? { Ok(taken) } else { Err(taken.busy()) };
            }
            if taken.is_held().await? {
                return Err(taken.busy());
            }
            remote.remove(NAME).await?;
        }
        Err(taken.busy())
    }

    /// Writes it anew from time to time; ends when it is lost.
    pub(super) async fn keep(&self) -> ObjectError {
        let mut written = Instant::now();
        loop {
            tokio::time::sleep(self.lease / WRITES).await;
            match self.renew().await {
                Ok(true) => written = Instant::now(),
                Ok(false) => return self.busy(),
                // The store may be away for a while.
                Err(error) if written.elapsed() > self.lease / 2 => return error,
                Err(_) => {}
            }
        }
    }

    /// Lets others in.
    pub(super) async fn release(self) -> Result<(), ObjectError> {
        if self.is_own().await? { self.remote.remove(NAME).await } else { Ok(()) }
    }

    async fn renew(&self) -> Result<bool, ObjectError> {
        if !self.is_own().await? {
            return Ok(false);
        }
        self.remote.put(NAME, self.mark.clone().into()).await.map(|()| true)
    }

    /// Makes the object; false where there is one.
    async fn make(&self) -> Result<bool, ObjectError> {
        let (path, bytes) = (self.path(), self.mark.clone());
        match self.remote.store.put_opts(&path, bytes.into(), PutMode::Create.into()).await {
            Ok(_) => Ok(true),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(false),
            Err(Error::NotImplemented { .. } | Error::NotSupported { .. }) => {
                if self.written_at(&path).await?.is_some() {
                    return Ok(false);
                }
                self.remote.put(NAME, self.mark.clone().into()).await.map(|()| true)
            }
            Err(error) => Err(away(error)),
        }
    }

    async fn is_own(&self) -> Result<bool, ObjectError> {
        match self.remote.store.get(&self.path()).await {
            Ok(found) => Ok(found.bytes().await.map_err(away)? == self.mark.as_bytes()),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(away(error)),
        }
    }

    /// Whether somebody has written it within the length of a lease, by the clock of the store.
    async fn is_held(&self) -> Result<bool, ObjectError> {
        let asking = format!("{NAME}-{}", self.mark);
        self.remote.put(&asking, self.mark.clone().into()).await?;
        let now = self.written_at(&self.remote.path(&asking)).await;
        self.remote.remove(&asking).await?;
        let (Some(now), Some(written)) = (now?, self.written_at(&self.path()).await?) else {
            return Ok(false);
        };
        Ok((now - written).to_std().is_ok_and(|age| age <= self.lease) || written > now)
    }

    async fn written_at(&self, path: &Path) -> Result<Option<DateTime<Utc>>, ObjectError> {
        match self.remote.store.head(path).await {
            Ok(found) => Ok(Some(found.last_modified)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(away(error)),
        }
    }

    fn path(&self) -> Path {
        self.remote.path(NAME)
    }

    fn busy(&self) -> ObjectError {
        ObjectError::Leased { place: self.remote.name(), lease: self.lease }
    }
}

#[expect(clippy::disallowed_methods, reason = "it tells programs apart, and is in no event")]
fn new_mark() -> String {
    Uuid::new_v4().to_string()
}
