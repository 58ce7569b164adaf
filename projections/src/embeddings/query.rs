//! What is near to a vector, among the assets that a search wants.
//!
//! The order is made in two steps. Codes in memory put all assets in order; then each block of
//! [`BLOCK_ASSETS`] of that order is put in order by the vectors as models told them, so that pages of any size
//! fit together.

use std::collections::HashMap;
use std::sync::Arc;

use calotype_domain::model::{ModelRef, unpack};
use uuid::Uuid;

use super::apply::VECTOR;
use super::codes::Codes;
use super::sieve::Sieve;
use super::top::Top;
use crate::error::ProjectionError;
use crate::query::Queries;
use crate::search::{Compare, Condition, Hit, Search};

/// Assets that are put in order by their vectors as models told them, at once.
pub(super) const BLOCK_ASSETS: usize = 256;
/// Assets taken beyond a page where memory tells all that is wanted: some may have changed since.
const SPARE_ASSETS: usize = 64;
/// Assets taken for each one of a page where the database tells what is wanted.
const TAKEN_FOR_EACH: usize = 4;
/// The most that the database is asked about so; what needs more is asked of the database first.
const TAKEN_MAX: usize = 20_000;
/// Assets that pages reach, however many are near: what comes later has nothing to do with what was asked.
const REACHED_MAX: usize = TAKEN_MAX;
/// Ids read at once of all that a search wants.
const READ_IDS: usize = 20_000;

/// What assets are to be near to.
#[derive(Clone, Debug, PartialEq)]
pub struct Near {
    /// The model's id: only its vectors are compared.
    pub model_id: Uuid,
    /// The vector, at unit length.
    pub values: Vec<f32>,
}

impl Near {
    /// What a model said.
    #[must_use]
    pub fn new(model: &ModelRef, values: Vec<f32>) -> Self {
        Self { model_id: model.id(), values }
    }
}

/// A page of what is near.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NearPage {
    /// The nearest first.
    pub assets: Vec<Hit>,
    /// Whether there are further ones.
    pub has_more: bool,
}

impl Queries {
    /// The assets that fit, the nearest first. Neither the search's order nor the place it goes on from count.
    ///
    /// # Errors
    /// What the database said.
    pub async fn search_near(
        &self,
        search: &Search,
        near: &Near,
    ) -> Result<NearPage, ProjectionError> {
        let search = &Search { after: None, ..search.clone() };
        let from = usize::try_from(search.offset).unwrap_or(usize::MAX);
        let limit = usize::try_from(search.limit).unwrap_or_default();
        if from >= REACHED_MAX {
            return Ok(NearPage::default());
        }
        let until = from.saturating_add(limit).min(REACHED_MAX);
        let wanted = (until / BLOCK_ASSETS).saturating_add(1).saturating_mul(BLOCK_ASSETS);
        let mut hits = self.ranked(search, near, wanted).await?;
        let first = from / BLOCK_ASSETS * BLOCK_ASSETS;
        let of_page = hits.len().min(wanted);
        if let Some(blocks) = hits.get_mut(first..of_page) {
            self.put_in_order(near, blocks).await?;
        }
        let has_more = hits.len() > until && until < REACHED_MAX;
        let assets = hits.into_iter().skip(from).take(until - from).collect();
        Ok(NearPage { assets, has_more })
    }

    /// The vector of an asset as a model told it; none where none has looked at it.
    ///
    /// # Errors
    /// What the database said.
    pub async fn embedding_of(&self, asset_id: Uuid) -> Result<Option<Near>, ProjectionError> {
        let row: Option<(Uuid, Vec<u8>)> = sqlx::query_as(
            "select e.model_id, a.bytes
               from read.embeddings_v1 e
               join log.attachments a on a.event_id = e.event_id and a.name = $2
              where e.asset_id = $1",
        )
        .bind(asset_id)
        .bind(VECTOR)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.and_then(|(model_id, bytes)| Some(Near { model_id, values: unpack(&bytes)? })))
    }

    /// Assets with pictures after the given id, in the order of ids, without those that this model has looked
    /// at; what is part of another asset is left out.
    ///
    /// # Errors
    /// What the database said.
    pub async fn to_embed_after(
        &self,
        after: Uuid,
        known_to: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select a.asset_id
               from read.assets_v1 a
              where a.asset_id > $2 and a.preview_key is not null and a.visibility <> 'hidden'
                and not exists (select from read.embeddings_v1 e
                                 where e.asset_id = a.asset_id and e.model_id = $1)
              order by a.asset_id
              limit $3",
        )
        .bind(known_to)
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// At least the `wanted` nearest that fit, where there are so many, in the order of the codes.
    pub(super) async fn ranked(
        &self,
        search: &Search,
        near: &Near,
        wanted: usize,
    ) -> Result<Vec<Hit>, ProjectionError> {
        self.read_vectors().await?;
        let asked = Arc::new(Codes::of(&near.values));
        if let Some(sieve) = Sieve::of(search) {
            let count = if sieve.is_whole() {
                wanted.saturating_add(SPARE_ASSETS)
            } else {
                wanted.saturating_mul(TAKEN_FOR_EACH)
            };
            if count <= TAKEN_MAX {
                let ranked =
                    self.vectors.nearest(near.model_id, Arc::clone(&asked), sieve, count).await;
                let hits = self.fitting(search, &ranked.asset_ids).await?;
                if hits.len() >= wanted || ranked.passed <= ranked.asset_ids.len() {
                    return Ok(hits);
                }
            }
        }
        // Few of the nearest fit: look at those alone that do.
        let mut top = Top::new(wanted);
        let mut after = None;
        loop {
            let asset_ids = self.found_ids_after(search, after, READ_IDS).await?;
            let Some(last) = asset_ids.last().copied() else { break };
            let is_last = asset_ids.len() < READ_IDS;
            let offered =
                self.vectors.offer(near.model_id, Arc::clone(&asked), asset_ids, top).await;
            // The program ends.
            let Some(offered) = offered else { return Ok(Vec::new()) };
            top = offered;
            if is_last {
                break;
            }
            after = Some(last);
        }
        self.fitting(search, &top.into_ids()).await
    }

    /// Those of some assets that fit now, in the same order. What the index holds may be older, and whoever
    /// lost access in between sees nothing.
    async fn fitting(
        &self,
        search: &Search,
        asset_ids: &[Uuid],
    ) -> Result<Vec<Hit>, ProjectionError> {
        if asset_ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut search = Search {
            after: None,
            offset: 0,
            limit: i64::try_from(asset_ids.len()).unwrap_or(i64::MAX),
            ..search.clone()
        };
        search.conditions.push(Condition::Id(Compare::In(asset_ids.to_vec())));
        let found = self.search_hits(&search).await?.assets;
        let mut found: HashMap<Uuid, Hit> =
            found.into_iter().map(|hit| (hit.asset_id, hit)).collect();
        Ok(asset_ids.iter().filter_map(|asset_id| found.remove(asset_id)).collect())
    }

    /// Puts each block in order by the vectors as models told them; what has none any more comes last.
    async fn put_in_order(&self, near: &Near, hits: &mut [Hit]) -> Result<(), ProjectionError> {
        let nearness = self.nearness(near, hits).await?;
        let of = |hit: &Hit| nearness.get(&hit.asset_id).copied().unwrap_or(f64::NEG_INFINITY);
        for block in hits.chunks_mut(BLOCK_ASSETS) {
            block.sort_by(|one, other| {
                of(other).total_cmp(&of(one)).then_with(|| one.asset_id.cmp(&other.asset_id))
            });
        }
        Ok(())
    }

    /// How near some assets are by the vectors as models told them; what has none any more is missing.
    pub(super) async fn nearness(
        &self,
        near: &Near,
        hits: &[Hit],
    ) -> Result<HashMap<Uuid, f64>, ProjectionError> {
        let asset_ids: Vec<Uuid> = hits.iter().map(|hit| hit.asset_id).collect();
        let rows: Vec<(Uuid, Vec<u8>)> = sqlx::query_as(
            "select e.asset_id, a.bytes
               from read.embeddings_v1 e
               join log.attachments a on a.event_id = e.event_id and a.name = $2
              where e.asset_id = any($1)",
        )
        .bind(&asset_ids)
        .bind(VECTOR)
        .fetch_all(&self.pool)
        .await?;
        let told = rows.into_iter().filter_map(|(asset_id, bytes)| {
            Some((asset_id, product(&near.values, &unpack(&bytes)?)))
        });
        Ok(told.collect())
    }
}

/// The product of two vectors of one model: at unit length the cosine of the angle between them.
fn product(one: &[f32], other: &[f32]) -> f64 {
    one.iter().zip(other).map(|(one, other)| f64::from(*one) * f64::from(*other)).sum()
}
