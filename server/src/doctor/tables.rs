//! Whether the database's tables are those of this program.

use std::collections::BTreeMap;

use sqlx::{PgPool, Row as _};

use super::findings::{Findings, counted};

/// Compares the tables with those that this program knows; `true` when the log is there.
pub(super) async fn look(
    pool: &PgPool,
    is_running: bool,
    findings: &mut Findings,
) -> sqlx::Result<bool> {
    let is_there: bool = sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null")
        .fetch_one(pool)
        .await?;
    if !is_there {
        findings.note("the database has no tables yet; `calotype serve` makes them");
        return Ok(false);
    }
    let rows = sqlx::query("select version, success, checksum from _sqlx_migrations")
        .fetch_all(pool)
        .await?;
    let mut applied: BTreeMap<i64, (bool, Vec<u8>)> = BTreeMap::new();
    for row in rows {
        applied
            .insert(row.try_get("version")?, (row.try_get("success")?, row.try_get("checksum")?));
    }
    let compared = compare(&applied);
    for line in &compared.problems {
        findings.problem(line);
    }
    if compared.missing > 0 {
        let count = counted(compared.missing, "migration is", "migrations are");
        if is_running {
            findings.problem(&format!(
                "{count} not applied although a server runs: it is of an older version than this \
                 program"
            ));
        } else {
            findings.note(&format!(
                "{count} not applied yet; `calotype serve` or `calotype migrate` does that"
            ));
        }
    } else if compared.problems.is_empty() {
        findings.good("the database's tables are up to date");
    }
    sqlx::query_scalar("select to_regclass('work.parked') is not null").fetch_one(pool).await
}

/// What is amiss with the tables.
#[derive(Debug, Default, PartialEq, Eq)]
struct Compared {
    missing: i64,
    problems: Vec<String>,
}

fn compare(applied: &BTreeMap<i64, (bool, Vec<u8>)>) -> Compared {
    let mut compared = Compared::default();
    let mut unknown = applied.clone();
    for known in calotype_migrations::MIGRATOR.iter() {
        let version = known.version;
        match unknown.remove(&version) {
            None => compared.missing += 1,
            Some((false, _)) => compared
                .problems
                .push(format!("migration {version} was begun and not finished: see the log")),
            Some((true, checksum)) if checksum != *known.checksum => {
                compared.problems.push(format!(
                    "migration {version} in the database is not the one of this program: it is of \
                     another version, or was changed"
                ));
            }
            Some(_) => {}
        }
    }
    if let Some((newest, _)) = unknown.last_key_value() {
        compared.problems.push(format!(
            "the database has migration {newest}, which this program does not know: it was used by \
             a newer version; run that one"
        ));
    }
    compared
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> BTreeMap<i64, (bool, Vec<u8>)> {
        calotype_migrations::MIGRATOR
            .iter()
            .map(|known| (known.version, (true, known.checksum.to_vec())))
            .collect()
    }

    #[test]
    fn tables_of_this_program_are_right() {
        assert_eq!(compare(&all()), Compared::default());
    }

    #[test]
    fn what_is_amiss_with_the_tables_is_told() {
        let first = *all().keys().next().unwrap();
        let mut fewer = all();
        fewer.remove(&first);
        assert_eq!(compare(&fewer), Compared { missing: 1, problems: vec![] });
        for (version, row, words) in [
            (first, (false, vec![]), "not finished"),
            (first, (true, vec![1]), "is not the one"),
            (99_999, (true, vec![1]), "newer version"),
        ] {
            let mut other = all();
            other.insert(version, row);
            let compared = compare(&other);
            assert_eq!(compared.problems.len(), 1, "{compared:?}");
            assert!(compared.problems[0].contains(words), "{compared:?}");
        }
    }
}
