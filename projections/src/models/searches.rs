//! What another model finds.

use std::collections::{BTreeMap, HashSet};

use futures::TryStreamExt as _;
use uuid::Uuid;

use crate::embeddings::{Codes, Top, nearness};
use crate::error::ProjectionError;
use crate::query::Queries;

/// Assets at the top of a search that are compared.
const TOP_ASSETS: usize = 20;
/// Pairs of vectors that are compared before others have a turn on the thread.
const NEARNESSES_AT_ONCE: usize = 4_096;

/// What of a search would be another if a model that was tried were switched to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchDiff {
    /// The place of the words among those that were asked.
    pub words: usize,
    /// In whose library.
    pub owner_id: Uuid,
    /// How many of the top are the same.
    pub kept: usize,
    /// Assets that would be new at the top, the nearest first.
    pub entered: Vec<Uuid>,
    /// Assets that would be at the top no more, the nearest first.
    pub left: Vec<Uuid>,
}

/// The nearest of each library, for each of the words.
type Tops = BTreeMap<Uuid, Vec<Top>>;

/// Vectors of one of two models, of the assets that have both and are on the timeline.
macro_rules! of_both {
    ($which:literal) => {
        concat!(
            "select shown.asset_id, shown.owner_id, ",
            $which,
            ".scale, ",
            $which,
            ".codes
               from read.embeddings_v1 as used
               join read.embeddings_beside_v1 as tried
                 on tried.asset_id = used.asset_id and tried.model_id = $2
               join read.search_v1 as shown on shown.asset_id = used.asset_id
              where used.model_id = $1 and shown.visibility = 'timeline'
                and shown.trashed_at is null"
        )
    };
}

impl Queries {
    /// Compares the first twenty of searches in each library: by the vectors in use and by those of a model that was
    /// tried, among the assets that have both and are on the timeline. `used` and `tried` are the vectors of the same
    /// words in the same order. Every vector is looked at: a second for a hundred thousand and ten searches.
    ///
    /// # Errors
    /// What the database said.
    pub async fn searches_diff(
        &self,
        (used_id, used): (Uuid, &[Vec<f32>]),
        (tried_id, tried): (Uuid, &[Vec<f32>]),
    ) -> Result<Vec<SearchDiff>, ProjectionError> {
        let former = self.tops(of_both!("used"), (used_id, tried_id), used).await?;
        let mut next = self.tops(of_both!("tried"), (used_id, tried_id), tried).await?;
        let mut diffs = Vec::new();
        for (owner_id, former) in former {
            let Some(next) = next.remove(&owner_id) else { continue };
            for (words, (former, next)) in former.into_iter().zip(next).enumerate() {
                diffs.push(compare(words, owner_id, former.into_ids(), next.into_ids()));
            }
        }
        Ok(diffs)
    }

    async fn tops(
        &self,
        sql: &'static str,
        (used_id, tried_id): (Uuid, Uuid),
        asked: &[Vec<f32>],
    ) -> Result<Tops, ProjectionError> {
        let asked: Vec<Codes> = asked.iter().map(|values| Codes::of(values)).collect();
        let mut tops = Tops::new();
        let mut rows = sqlx::query_as::<_, (Uuid, Uuid, f32, Vec<u8>)>(sql)
            .bind(used_id)
            .bind(tried_id)
            .fetch(&self.pool);
        let mut count = 0_usize;
        while let Some((asset_id, owner_id, scale, codes)) = rows.try_next().await? {
            let codes: Vec<i8> = codes.into_iter().map(u8::cast_signed).collect();
            let of_owner = tops
                .entry(owner_id)
                .or_insert_with(|| asked.iter().map(|_| Top::new(TOP_ASSETS)).collect());
            for (asked, top) in asked.iter().zip(of_owner) {
                if asked.codes.len() == codes.len() {
                    top.offer(nearness(&asked.codes, &codes, scale), || asset_id);
                }
            }
            count += asked.len();
            if count >= NEARNESSES_AT_ONCE {
                count = 0;
                tokio::task::yield_now().await;
            }
        }
        Ok(tops)
    }
}

fn compare(words: usize, owner_id: Uuid, former: Vec<Uuid>, next: Vec<Uuid>) -> SearchDiff {
    let before: HashSet<Uuid> = former.iter().copied().collect();
    let after: HashSet<Uuid> = next.iter().copied().collect();
    SearchDiff {
        words,
        owner_id,
        kept: before.intersection(&after).count(),
        entered: next.into_iter().filter(|id| !before.contains(id)).collect(),
        left: former.into_iter().filter(|id| !after.contains(id)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_enters_and_leaves_the_top_is_told() {
        let id = Uuid::from_u128;
        let diff = compare(0, id(9), vec![id(1), id(2)], vec![id(3), id(2)]);
        assert_eq!((diff.kept, diff.entered, diff.left), (1, vec![id(3)], vec![id(1)]));
    }
}
