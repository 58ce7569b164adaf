//! Compares the read models of two databases row for row: first by a sum over the digests of rows, and where that
//! differs by the digests themselves, in order, so that neither table is ever in memory.

use anyhow::Context as _;
use calotype_projections::projection::{self, checkpoint_name};
use futures::TryStreamExt as _;
use sqlx::{AssertSqlSafe, PgConnection, PgPool};

use crate::backup::count;
use crate::operator::say;

/// Rows of one table that are named.
const EXAMPLES_MAX: usize = 5;

/// Digest and key of a row, in words.
type RowTold = (String, String);

/// What a comparison found.
#[derive(Debug, Default)]
pub(super) struct Compared {
    tables: u64,
    rows: u64,
    differences: Vec<Difference>,
}

#[derive(Debug)]
struct Difference {
    table: &'static str,
    live_rows: i64,
    restored_rows: i64,
    /// Whose row it is, and where it is only; two of one key are one row that differs.
    examples: Vec<(String, &'static str)>,
}

impl Compared {
    /// Tells it; whether there is no difference.
    pub(super) fn tell(&self) -> bool {
        for Difference { table, live_rows, restored_rows, examples } in &self.differences {
            say(&format!(
                "read.{table} differs: {live_rows} rows live, {restored_rows} rows restored"
            ));
            for (key, side) in examples {
                say(&format!("  {side}: {key}"));
            }
        }
        let differences = u64::try_from(self.differences.len()).unwrap_or_default();
        say(&format!(
            "{} of {} tables of read models are the same, row for row, with {} rows",
            count(self.tables - differences),
            count(self.tables),
            count(self.rows)
        ));
        differences == 0
    }
}

/// Up to where every read model has applied the log.
pub(super) async fn position(moment: &mut PgConnection) -> anyhow::Result<i64> {
    let names: Vec<String> = projection::all().iter().map(|one| checkpoint_name(&**one)).collect();
    // All of them move together; one that is made anew lags behind.
    let position: Option<i64> = sqlx::query_scalar(
        "select case when min(position) = max(position) then min(position) end
           from work.checkpoints where name = any($1)",
    )
    .bind(&names)
    .fetch_one(moment)
    .await?;
    position.context("the live read models do not stand at one position: try it later")
}

/// Compares every table of every read model.
pub(super) async fn compare(
    live: &mut PgConnection,
    restored: &PgPool,
) -> anyhow::Result<Compared> {
    let mut restored = restored.acquire().await?;
    let mut compared = Compared::default();
    for table in projection::all().iter().flat_map(|one| one.tables()) {
        let (live_rows, live_sum) = sum(live, table).await?;
        let (restored_rows, restored_sum) = sum(&mut restored, table).await?;
        compared.tables += 1;
        compared.rows += u64::try_from(live_rows).unwrap_or_default();
        if (live_rows, live_sum) != (restored_rows, restored_sum) {
            let examples = examples(live, &mut restored, table).await?;
            let difference = Difference { table, live_rows, restored_rows, examples };
            compared.differences.push(difference);
        }
    }
    Ok(compared)
}

async fn sum(db: &mut PgConnection, table: &str) -> anyhow::Result<(i64, String)> {
    let query = format!(
        "select count(*), coalesce(sum(('x' || substr(md5(to_jsonb(t)::text), 1, 15))::bit(60)::bigint), 0)::text
           from read.{table} as t"
    );
    let summed = sqlx::query_as(AssertSqlSafe(query)).fetch_one(db).await;
    summed.with_context(|| format!("failed to read read.{table}"))
}

/// Walks through both tables in the order of digests.
async fn examples(
    live: &mut PgConnection,
    restored: &mut PgConnection,
    table: &str,
) -> anyhow::Result<Vec<(String, &'static str)>> {
    let key = key(live, table).await?;
    let query = format!(
        "select md5(to_jsonb(t)::text) collate \"C\" as digest, {key} as key from read.{table} as t order by 1"
    );
    let mut live = sqlx::query_as::<_, RowTold>(AssertSqlSafe(query.clone())).fetch(live);
    let mut restored = sqlx::query_as::<_, RowTold>(AssertSqlSafe(query)).fetch(restored);
    let (mut ours, mut theirs) = (live.try_next().await?, restored.try_next().await?);
    let mut found = Vec::new();
    while found.len() < EXAMPLES_MAX {
        match (&ours, &theirs) {
            (None, None) => break,
            (Some(one), Some(other)) if one.0 == other.0 => {
                ours = live.try_next().await?;
                theirs = restored.try_next().await?;
            }
            (Some(one), other) if other.as_ref().is_none_or(|other| one.0 < other.0) => {
                found.push((one.1.clone(), "only live"));
                ours = live.try_next().await?;
            }
            (_, Some(other)) => {
                found.push((other.1.clone(), "only restored"));
                theirs = restored.try_next().await?;
            }
            (Some(_), None) => break,
        }
    }
    Ok(found)
}

/// The parts of a table's key that name nobody: ids and numbers. Words of people are not told.
async fn key(db: &mut PgConnection, table: &str) -> anyhow::Result<String> {
    let columns: Vec<String> = sqlx::query_scalar(
        "select a.attname::text
           from pg_index i
           join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
          where i.indrelid = ('read.' || $1)::regclass and i.indisprimary
            and a.atttypid in ('uuid'::regtype, 'bigint'::regtype, 'integer'::regtype, 'date'::regtype)
          order by a.attnum",
    )
    .bind(table)
    .fetch_all(db)
    .await?;
    let columns: Vec<String> = columns.iter().map(|column| format!("t.{column}::text")).collect();
    Ok(if columns.is_empty() {
        "'(a row)'".to_owned()
    } else {
        format!("concat_ws(' ', {})", columns.join(", "))
    })
}
