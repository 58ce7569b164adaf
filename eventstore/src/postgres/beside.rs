//! What a log in KurrentDB borrows from this store: the subjects' keys, what wakes whoever waits, and the ways
//! to read that are the same for a copy.

use tokio::sync::Notify;

use super::call::{CallKeys, CallStream};
use super::read;
use super::store::PostgresStore;
use crate::error::{AppendError, StoreError};
use crate::event::{Append, Recorded};
use crate::stream::GlobalPosition;
use crate::validate::Sealing;

impl PostgresStore {
    /// Seals and encodes a call. `guess`: see `SubjectKeys::to_seal`.
    pub(crate) async fn seal(
        &self,
        appends: &[Append],
        sealings: &[Sealing],
        guess: bool,
    ) -> Result<(Vec<CallStream>, CallKeys), AppendError> {
        let keys = self.shared.keys.to_seal(&self.shared.pool, appends, sealings, guess).await?;
        let streams = appends
            .iter()
            .map(|append| CallStream::encode(append, &keys))
            .collect::<Result<Vec<_>, _>>()?;
        Ok((streams, keys))
    }

    /// Remembers keys that were stored.
    pub(crate) fn keep_keys(&self, keys: CallKeys) {
        self.shared.keys.keep(keys);
    }

    /// Forgets the keys of a call that turned out to be others.
    pub(crate) fn drop_keys(&self, appends: &[Append]) {
        self.shared.keys.drop_cached(appends);
    }

    /// Opens what is sealed.
    pub(crate) async fn unseal(&self, events: Vec<Recorded>) -> Result<Vec<Recorded>, StoreError> {
        read::unseal(&self.shared.pool, &self.shared.keys, events).await
    }

    /// Tells whoever waits here that the log has come this far.
    pub(crate) fn raise(&self, head: GlobalPosition) {
        self.shared.raise(head);
    }

    /// Rings when something was appended, here or by another process.
    pub(crate) fn bell(&self) -> &Notify {
        &self.shared.outbox
    }
}
