//! Names, folded for searching: from each of its words on, what is left of a name is a row, so that any
//! word is found by its beginning in one range of an index.

use std::collections::BTreeSet;

use sqlx::PgConnection;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use uuid::Uuid;

use super::view::PersonRow;
use crate::error::ProjectionError;
use crate::fold::Change;

/// Words of a name that it is found by.
const WORDS_MAX: usize = 16;
/// Characters of a name, and of what is searched for, that count.
const CHARS_MAX: usize = 200;

/// Lower case, without accents, one space between words.
pub(super) fn folded(text: &str) -> String {
    let plain: String =
        text.nfd().filter(|char| !is_combining_mark(*char)).flat_map(char::to_lowercase).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    words.join(" ").chars().take(CHARS_MAX).collect()
}

fn tails(name: &str) -> BTreeSet<String> {
    let folded = folded(name);
    let starts = std::iter::once(0).chain(folded.match_indices(' ').map(|(at, _)| at + 1));
    starts
        .take(WORDS_MAX)
        .filter_map(|at| folded.get(at..))
        .filter(|tail| !tail.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Follows what people are called.
pub(super) async fn replace_in_tx(
    tx: &mut PgConnection,
    changes: &[Change<PersonRow>],
) -> Result<(), ProjectionError> {
    let name =
        |row: &Option<PersonRow>| row.as_ref().map(|row| row.name.clone()).unwrap_or_default();
    let renamed: Vec<&Change<PersonRow>> =
        changes.iter().filter(|change| name(&change.before) != name(&change.after)).collect();
    if renamed.is_empty() {
        return Ok(());
    }
    let gone: Vec<Uuid> = renamed
        .iter()
        .filter_map(|change| change.before.as_ref())
        .map(|row| row.person_id)
        .collect();
    if !gone.is_empty() {
        sqlx::query("delete from people_names_v1 where person_id = any($1)")
            .bind(&gone)
            .execute(&mut *tx)
            .await?;
    }
    let (mut person_ids, mut owner_ids) = (Vec::new(), Vec::new());
    let (mut texts, mut are_whole) = (Vec::new(), Vec::new());
    for row in renamed.iter().filter_map(|change| change.after.as_ref()) {
        let whole = folded(&row.name);
        for tail in tails(&row.name) {
            person_ids.push(row.person_id);
            owner_ids.push(row.owner_id);
            are_whole.push(tail == whole);
            texts.push(tail);
        }
    }
    sqlx::query(
        "insert into people_names_v1 (person_id, owner_id, tail, is_whole)
         select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bool[])",
    )
    .bind(&person_ids)
    .bind(&owner_ids)
    .bind(&texts)
    .bind(&are_whole)
    .execute(tx)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_found_by_each_of_its_words() {
        let found: Vec<String> = tails("  René  van Dijk ").into_iter().collect();
        assert_eq!(found, ["dijk", "rene van dijk", "van dijk"]);
        assert!(tails("").is_empty());
    }

    #[test]
    fn long_names_are_cut() {
        let longest = tails(&"x ".repeat(5_000)).into_iter().map(|tail| tail.len()).max();
        assert_eq!(longest, Some(CHARS_MAX));
        assert!(tails(&"x ".repeat(5_000)).len() <= WORDS_MAX);
    }
}
