//! The subjects' keys: the one module that reads and writes `log.subject_keys` (with `log.append`).
//!
//! A key is made by whoever seals first and is stored with the first sealed event, in one transaction.
//! Of two that come at once, the second learns in `log.append` that there is another key, and seals again.

use std::collections::HashMap;
use std::time::Duration;

use moka::sync::Cache;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};

use super::call::CallKeys;
use crate::error::{AppendError, StoreError};
use crate::event::Append;
use crate::keyring::Keyring;
use crate::seal::SubjectKey;
use crate::stream::ExpectedRevision;
use crate::validate::Sealing;

/// How long a key stays unwrapped in memory, should no notification say that it was destroyed.
const KEY_CACHED_AGE_MAX: Duration = Duration::from_secs(300);

const SELECT_KEYS: &str =
    "select subject, wrapped from log.subject_keys where subject = any($1::text[])";

const SELECT_ONE_KEY: &str =
    "select subject, wrapped from log.subject_keys where wrapped is not null limit 1";

const DESTROY_KEY: &str = "
    insert into log.subject_keys (subject, wrapped, destroyed_at)
    select subject, null, now() from (select distinct unnest($1::text[]) as subject) as forgotten
    order by subject
    on conflict (subject) do update
    set wrapped = null,
        destroyed_at = coalesce(subject_keys.destroyed_at, now())";

const DELETE_ATTACHMENTS: &str = "delete from log.attachments where subject = any($1::text[])";

const NOTIFY_FORGOTTEN: &str =
    "select count(pg_notify('calotype_forgotten', subject)) from unnest($1::text[]) as subject";

/// What is known of a subject's key.
#[derive(Clone)]
pub(super) enum KeyState {
    /// It can be used.
    Usable(SubjectKey),
    /// The subject was forgotten.
    Destroyed,
}

/// Unwrapped keys, a bounded number of them, over the table.
pub(super) struct SubjectKeys {
    keyring: Keyring,
    cached: Cache<String, KeyState>,
}

pub(super) async fn are_any(pool: &PgPool) -> Result<bool, StoreError> {
    let row = sqlx::query(SELECT_ONE_KEY).fetch_optional(pool).await;
    Ok(row.map_err(StoreError::database("look for subject keys"))?.is_some())
}

impl SubjectKeys {
    pub(super) fn new(keyring: Keyring, cached_max: u64) -> Self {
        let cached =
            Cache::builder().max_capacity(cached_max).time_to_live(KEY_CACHED_AGE_MAX).build();
        Self { keyring, cached }
    }

    /// Makes sure that the master key is the one that the log was sealed with: with another one nothing in
    /// it could be read, and what is unique could be there twice.
    pub(super) async fn check(&self, pool: &PgPool) -> Result<(), StoreError> {
        let row = sqlx::query(SELECT_ONE_KEY)
            .fetch_optional(pool)
            .await
            .map_err(StoreError::database("read a subject key"))?;
        match row.map(|row| self.decode(&row)).transpose() {
            Ok(_) => Ok(()),
            Err(StoreError::Corrupt { .. }) => Err(StoreError::WrongMasterKey),
            Err(error) => Err(error),
        }
    }

    /// The keys that a call seals with; a new one for a subject that has none.
    ///
    /// With `guess`, a subject whose own stream is about to begin is taken to have none, which saves the
    /// look into the table for every new asset.
    pub(super) async fn to_seal(
        &self,
        pool: &PgPool,
        appends: &[Append],
        sealings: &[Sealing],
        guess: bool,
    ) -> Result<CallKeys, AppendError> {
        let mut keys = CallKeys::new();
        let mut unknown = Vec::new();
        let mut fresh = Vec::new();
        for (append, sealing) in appends.iter().zip(sealings) {
            let Some(subject) = append.subject.as_ref().filter(|_| sealing.needs_key()) else {
                continue;
            };
            let begins = append.expected == ExpectedRevision::NoStream
                && append.stream_id.as_str() == subject;
            match self.cached.get(subject) {
                Some(KeyState::Usable(key)) => {
                    keys.insert(subject.clone(), key);
                }
                // `log.append` has the last word, because a repeated append is no new one.
                Some(KeyState::Destroyed) => fresh.push(subject),
                None if guess && begins => fresh.push(subject),
                None => unknown.push(subject.clone()),
            }
        }
        if !unknown.is_empty() {
            let mut found = self.load(pool, &unknown).await.map_err(AppendError::Unavailable)?;
            for subject in &unknown {
                match found.remove(subject) {
                    Some(KeyState::Usable(key)) => {
                        keys.insert(subject.clone(), key);
                    }
                    Some(KeyState::Destroyed) | None => {
                        let key = self.generate(subject)?;
                        keys.entry(subject.clone()).or_insert(key);
                    }
                }
            }
        }
        for subject in fresh {
            let key = self.generate(subject)?;
            keys.entry(subject.clone()).or_insert(key);
        }
        Ok(keys)
    }

    /// The keys to unseal with; a subject without a row is as good as destroyed.
    pub(super) async fn to_unseal(
        &self,
        pool: &PgPool,
        subjects: Vec<&str>,
    ) -> Result<HashMap<String, KeyState>, StoreError> {
        let mut states = HashMap::with_capacity(subjects.len());
        let mut unknown = Vec::new();
        for subject in subjects {
            match self.cached.get(subject) {
                Some(state) => {
                    states.insert(subject.to_owned(), state);
                }
                None => unknown.push(subject.to_owned()),
            }
        }
        if !unknown.is_empty() {
            states.extend(self.load(pool, &unknown).await?);
        }
        Ok(states)
    }

    /// Remembers the keys that a written call sealed with.
    pub(super) fn keep(&self, keys: CallKeys) {
        for (subject, key) in keys {
            self.remember(subject, KeyState::Usable(key));
        }
    }

    /// Forgets what is in memory about a call's subjects.
    pub(super) fn drop_cached(&self, appends: &[Append]) {
        for subject in appends.iter().filter_map(|append| append.subject.as_ref()) {
            self.cached.invalidate(subject);
        }
    }

    /// Forgets everything that is in memory.
    pub(super) fn drop_all_cached(&self) {
        self.cached.invalidate_all();
    }

    /// Destroys keys and deletes their subjects' attachments; other processes are told on commit.
    pub(super) async fn destroy(
        &self,
        pool: &PgPool,
        subjects: &[String],
    ) -> Result<(), StoreError> {
        let failed = || StoreError::database("forget a subject");
        let mut tx = pool.begin().await.map_err(failed())?;
        for statement in [DESTROY_KEY, DELETE_ATTACHMENTS, NOTIFY_FORGOTTEN] {
            sqlx::query(statement).bind(subjects).execute(&mut *tx).await.map_err(failed())?;
        }
        tx.commit().await.map_err(failed())?;
        for subject in subjects {
            self.mark_destroyed(subject);
        }
        Ok(())
    }

    /// Drops a key from memory. A mark stays, so that a reader that loaded the key before does not put
    /// it back.
    pub(super) fn mark_destroyed(&self, subject: &str) {
        self.cached.insert(subject.to_owned(), KeyState::Destroyed);
    }

    async fn load(
        &self,
        pool: &PgPool,
        subjects: &[String],
    ) -> Result<HashMap<String, KeyState>, StoreError> {
        let rows = sqlx::query(SELECT_KEYS)
            .bind(subjects)
            .fetch_all(pool)
            .await
            .map_err(StoreError::database("read subject keys"))?;
        let mut states = HashMap::with_capacity(rows.len());
        for row in rows {
            let (subject, state) = self.decode(&row)?;
            self.remember(subject.clone(), state.clone());
            states.insert(subject, state);
        }
        Ok(states)
    }

    fn decode(&self, row: &PgRow) -> Result<(String, KeyState), StoreError> {
        let failed = || StoreError::database("decode a subject key");
        let subject: String = row.try_get(0).map_err(failed())?;
        let wrapped: Option<&[u8]> = row.try_get(1).map_err(failed())?;
        let state = match wrapped {
            None => KeyState::Destroyed,
            Some(wrapped) => {
                KeyState::Usable(SubjectKey::unwrap(&self.keyring, &subject, wrapped).map_err(
                    |error| StoreError::Corrupt {
                        table: "log.subject_keys",
                        column: "wrapped",
                        row: subject.clone(),
                        reason: format!("{error}; is this the right master key?"),
                    },
                )?)
            }
        };
        Ok((subject, state))
    }

    fn remember(&self, subject: String, state: KeyState) {
        self.cached.entry(subject).or_insert(state);
    }

    fn generate(&self, subject: &str) -> Result<SubjectKey, AppendError> {
        SubjectKey::generate(&self.keyring, subject)
            .map_err(|error| AppendError::Invalid(error.to_string()))
    }
}
