//! The door to the read models: one handle, whose methods stand in each model's `query.rs`.

use sqlx::PgPool;

/// Answers from the live read tables.
#[derive(Clone, Debug)]
pub struct Queries {
    pub(crate) pool: PgPool,
}

impl Queries {
    /// Over a pool whose role may read the `read` and `work` schemas.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// What the database said.
    pub async fn ping(&self) -> Result<(), sqlx::Error> {
        sqlx::query("select 1").execute(&self.pool).await.map(drop)
    }
}
