//! Reads the rows into the index in memory: what has changed, or everything.

use std::collections::HashSet;
use std::mem;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use futures::TryStreamExt as _;
use sqlx::FromRow;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use super::codes::Codes;
use super::index::{Filed, Index};
use super::live::{News, Vectors};
use super::sieve::{Facts, Marks};
use crate::error::ProjectionError;
use crate::query::Queries;

/// Changed assets read in one statement.
const READ_ASSETS: usize = 1_000;
/// How long it waits after the database could not be asked.
const AFTER_ERROR: Duration = Duration::from_secs(1);
/// How long changes are gathered while nobody searches.
const GATHERED_FOR: Duration = Duration::from_millis(500);

/// News in hand; where it is dropped before it is done, others take it up.
struct InHand<'a> {
    vectors: &'a Vectors,
    news: Option<News>,
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        if let Some(news) = self.news.take() {
            self.vectors.tell(news);
        }
    }
}

#[derive(FromRow)]
struct VectorRow {
    asset_id: Uuid,
    owner_id: Uuid,
    model_id: Uuid,
    scale: f32,
    codes: Vec<u8>,
}

#[derive(FromRow)]
struct FactsRow {
    asset_id: Uuid,
    taken_at: DateTime<Utc>,
    is_video: bool,
    visibility: String,
    is_trashed: bool,
}

impl FactsRow {
    fn facts(&self) -> Facts {
        Facts {
            taken_us: self.taken_at.timestamp_micros(),
            marks: Marks::new(self.is_video, self.is_trashed, &self.visibility),
        }
    }
}

impl VectorRow {
    fn put_into(self, index: &mut Index, facts: Facts) {
        let Self { asset_id, owner_id, model_id, scale, codes } = self;
        let codes = codes.into_iter().map(u8::cast_signed).collect();
        index.put(asset_id, Filed { model_id, owner_id }, facts, &Codes { codes, scale });
    }
}

impl Queries {
    /// The index of vectors, which is to be told of applied batches.
    #[must_use]
    pub fn vectors(&self) -> &Vectors {
        &self.vectors
    }

    /// Keeps the index up to date while nobody searches, until cancelled.
    pub async fn follow_vectors(self, cancel: CancellationToken) {
        while !cancel.is_cancelled() {
            let read = tokio::select! {
                () = cancel.cancelled() => return,
                read = self.read_vectors() => read,
            };
            if let Err(error) = &read {
                warn!(
                    error = error as &dyn std::error::Error,
                    "cannot read vectors into memory now"
                );
            }
            tokio::select! {
                () = cancel.cancelled() => return,
                () = self.vectors.changed() => {}
            }
            tokio::time::sleep(if read.is_ok() { GATHERED_FOR } else { AFTER_ERROR }).await;
        }
    }

    /// Brings the index up to what the read models show.
    ///
    /// # Errors
    /// What the database said; the index is as it was, or a part of the way further.
    pub(super) async fn read_vectors(&self) -> Result<(), ProjectionError> {
        let _reading = self.vectors.turn_to_read().await;
        loop {
            let news = mem::replace(&mut *self.vectors.news(), News::Of(HashSet::new()));
            if news.is_none() {
                return Ok(());
            }
            let mut in_hand = InHand { vectors: &self.vectors, news: Some(news) };
            match &in_hand.news {
                Some(News::Of(changed)) => {
                    let changed: Vec<Uuid> = changed.iter().copied().collect();
                    for some in changed.chunks(READ_ASSETS) {
                        self.read_changed(some).await?;
                    }
                }
                Some(News::Everything) | None => self.read_all_vectors().await?,
            }
            in_hand.news = None;
        }
    }

    async fn read_changed(&self, asset_ids: &[Uuid]) -> Result<(), ProjectionError> {
        let facts: Vec<FactsRow> = sqlx::query_as(
            "select s.asset_id, s.taken_at, s.is_video, s.visibility,
                    s.trashed_at is not null as is_trashed
               from read.search_v1 s
               join read.embeddings_v1 e using (asset_id)
              where s.asset_id = any($1)",
        )
        .bind(asset_ids)
        .fetch_all(&self.pool)
        .await?;
        let mut gone: HashSet<Uuid> = asset_ids.iter().copied().collect();
        let known: Vec<Uuid> = facts.iter().map(|row| row.asset_id).collect();
        let vectors: Vec<VectorRow> = sqlx::query_as(
            "select asset_id, owner_id, model_id, scale, codes
               from read.embeddings_v1
              where asset_id = any($1)",
        )
        .bind(&known)
        .fetch_all(&self.pool)
        .await?;
        self.vectors
            .change(|index| {
                for row in vectors {
                    gone.remove(&row.asset_id);
                    row.put_into(index, Facts::UNKNOWN);
                }
                for row in &facts {
                    index.set_facts(row.asset_id, row.facts());
                }
                for asset_id in gone {
                    index.remove(asset_id);
                }
            })
            .await;
        Ok(())
    }

    /// Reads everything into an index of its own, and puts it in the place of the former. Meanwhile there is
    /// none, so that memory never holds two.
    async fn read_all_vectors(&self) -> Result<(), ProjectionError> {
        let started = Instant::now();
        self.vectors.change(|index| *index = Index::default()).await;
        let mut index = Index::default();
        // Both as of one instant; what changes since is news.
        let mut tx = self.pool.begin().await?;
        sqlx::query("set transaction isolation level repeatable read, read only")
            .execute(&mut *tx)
            .await?;
        let mut vectors = sqlx::query_as::<_, VectorRow>(
            "select asset_id, owner_id, model_id, scale, codes from read.embeddings_v1",
        )
        .fetch(&mut *tx);
        while let Some(row) = vectors.try_next().await? {
            row.put_into(&mut index, Facts::UNKNOWN);
        }
        drop(vectors);
        let mut facts = sqlx::query_as::<_, FactsRow>(
            "select s.asset_id, s.taken_at, s.is_video, s.visibility,
                    s.trashed_at is not null as is_trashed
               from read.search_v1 s
               join read.embeddings_v1 e using (asset_id)",
        )
        .fetch(&mut *tx);
        while let Some(row) = facts.try_next().await? {
            index.set_facts(row.asset_id, row.facts());
        }
        drop(facts);
        tx.commit().await?;
        if !index.is_empty() {
            let (vectors, bytes) = (index.len(), index.bytes());
            let took_ms = started.elapsed().as_millis();
            info!(vectors, bytes, took_ms, "read vectors into memory");
        }
        self.vectors.change(|known| *known = index).await;
        Ok(())
    }
}
