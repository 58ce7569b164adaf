//! What another model reads.

use uuid::Uuid;

use crate::error::ProjectionError;
use crate::query::Queries;

/// What of the texts would be another if a model that was tried were switched to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextsDiff {
    /// Assets that were compared.
    pub compared: i64,
    /// Assets with other words than before.
    pub changed: i64,
    /// Assets with words that had none.
    pub appeared: i64,
    /// Assets without words that had some.
    pub vanished: i64,
    /// Some of those that differ.
    pub asset_ids: Vec<Uuid>,
}

/// The words of both, of assets that the model was shown.
const BOTH: &str = "
    from read.trial_results_v1 as tried
    left join read.texts_v1 as used using (asset_id)
   where tried.task = 'ocr' and tried.model_id = $1 and tried.words is not null";

impl Queries {
    /// Compares the texts in use with those of a model that was tried, without case and accents.
    ///
    /// # Errors
    /// What the database said.
    pub async fn texts_diff(
        &self,
        model_id: Uuid,
        examples: i64,
    ) -> Result<TextsDiff, ProjectionError> {
        let counted: (i64, i64, i64, i64) = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "select count(*),
                        count(*) filter (where used.words <> '' and tried.words <> ''
                                           and used.words <> tried.words),
                        count(*) filter (where coalesce(used.words, '') = ''
                                           and tried.words <> ''),
                        count(*) filter (where used.words <> '' and tried.words = '')
                 {BOTH}"
        )))
        .bind(model_id)
        .fetch_one(&self.pool)
        .await?;
        let asset_ids = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "select tried.asset_id {BOTH} and coalesce(used.words, '') <> tried.words
              order by tried.asset_id limit $2"
        )))
        .bind(model_id)
        .bind(examples)
        .fetch_all(&self.pool)
        .await?;
        let (compared, changed, appeared, vanished) = counted;
        Ok(TextsDiff { compared, changed, appeared, vanished, asset_ids })
    }
}
