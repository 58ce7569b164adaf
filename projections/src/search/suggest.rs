//! The words that filters are chosen from.

use uuid::Uuid;

use super::sql::Sql;
use crate::error::ProjectionError;
use crate::query::Queries;

/// Words of one list at once.
const WORDS_MAX: i64 = 10_000;

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suggest {
    /// Countries.
    Country,
    /// States of a country.
    State,
    /// Cities of a state.
    City,
    /// Makers of cameras.
    Make,
    /// Models of a maker.
    Model,
    /// Lenses of a camera.
    LensModel,
}

/// What was chosen already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SuggestFilter {
    /// The country.
    pub country: Option<String>,
    /// The state.
    pub state: Option<String>,
    /// The maker.
    pub make: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// The lens.
    pub lens_model: Option<String>,
}

impl Queries {
    /// Each word of a list once, in the order of their letters' codes. Read from kept lists.
    ///
    /// # Errors
    /// What the database said.
    pub async fn suggestions(
        &self,
        owner_ids: &[Uuid],
        list: Suggest,
        filter: &SuggestFilter,
    ) -> Result<Vec<String>, ProjectionError> {
        let (table, column) = match list {
            Suggest::Country => ("search_places_v1", "country"),
            Suggest::State => ("search_places_v1", "state"),
            Suggest::City => ("search_places_v1", "city"),
            Suggest::Make => ("search_cameras_v1", "make"),
            Suggest::Model => ("search_cameras_v1", "model"),
            Suggest::LensModel => ("search_cameras_v1", "lens_model"),
        };
        let chosen: [(&str, &Option<String>); 3] = match list {
            Suggest::Country => [("country", &None), ("state", &None), ("city", &None)],
            Suggest::State => [("country", &filter.country), ("state", &None), ("city", &None)],
            Suggest::City => {
                [("country", &filter.country), ("state", &filter.state), ("city", &None)]
            }
            Suggest::Make => {
                [("make", &None), ("model", &filter.model), ("lens_model", &filter.lens_model)]
            }
            Suggest::Model => {
                [("make", &filter.make), ("model", &None), ("lens_model", &filter.lens_model)]
            }
            Suggest::LensModel => {
                [("make", &filter.make), ("model", &filter.model), ("lens_model", &None)]
            }
        };
        let mut sql = Sql::new(format!(
            "select {column} from read.{table} where {column} <> '' and owner_id = any("
        ));
        sql.push_bind(owner_ids.to_vec()).push(")");
        for (name, word) in chosen {
            if let Some(word) = word {
                sql.push(format!(" and {name} = ")).push_bind(word.clone());
            }
        }
        sql.push(format!(" group by {column} order by {column} collate \"C\" limit "));
        sql.push_bind(WORDS_MAX);
        Ok(sql.build_query_scalar().fetch_all(&self.pool).await?)
    }
}
