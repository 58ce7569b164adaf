//! Conditions as SQL. Words of clients are bound, never written into the statement.

use calotype_domain::asset::TEMPLATED_ROOT;
use sqlx::encode::Encode;
use sqlx::postgres::PgHasArrayType;
use sqlx::{Postgres, QueryBuilder, Type};

use super::belongs::{self, Trees};
use super::condition::{
    Compare, Condition, DateColumn, Direction, NumberColumn, OrderColumn, Pattern, PatternColumn,
    Search, WordColumn,
};
use super::fold_words::fold_words;

/// The folder that clients are told originals lie in.
const SHOWN_ROOT: &str = "/data/";

/// A number of fewer digits does not tell files apart.
const TELLING_CHARS_MIN: usize = 4;
/// Words of a search for what is written; of more, the first ones of the alphabet.
const WRITTEN_WORDS_MAX: usize = 50;
const LIKE: &str = " like ";

pub(super) type Sql = QueryBuilder<Postgres>;

/// What conditions are written with.
pub(super) struct Context<'a> {
    /// What is asked.
    pub(super) search: &'a Search,
    /// Tags with those that stand under them.
    pub(super) trees: &'a Trees,
    /// Those conditions about lists that are short.
    pub(super) short: &'a [Condition],
}

/// ` and …` for each condition, of `s`.
pub(super) fn push_where(sql: &mut Sql, context: &Context<'_>) {
    let search = context.search;
    for condition in &search.conditions {
        sql.push(" and ");
        push(sql, condition, context);
    }
    if let Some(after) = &search.after {
        let (expression, kind) = sort(search.order);
        let than = if search.direction == Direction::Descending { "<" } else { ">" };
        sql.push(format!(" and ({expression}, s.asset_id) {than} ("));
        sql.push_bind(after.value.clone());
        sql.push(format!("::text::{kind}, "));
        sql.push_bind(after.asset_id);
        sql.push(")");
    }
}

/// What is ordered by, and its type.
pub(super) const fn sort(order: OrderColumn) -> (&'static str, &'static str) {
    match order {
        OrderColumn::Taken => ("s.taken_at", "timestamptz"),
        OrderColumn::Local => ("s.local_date_time", "timestamp"),
        OrderColumn::SizeBytes => ("s.size_bytes", "bigint"),
        // See `UNRATED`.
        OrderColumn::Rating => ("coalesce(s.rating, -2)", "integer"),
    }
}

fn push(sql: &mut Sql, condition: &Condition, context: &Context<'_>) {
    match condition {
        Condition::Word(column, test) => compare(sql, word(*column), test),
        Condition::Text(column, pattern) => text(sql, *column, pattern, context.search),
        Condition::Written(words) => written_words(sql, words),
        Condition::Date(DateColumn::Updated, test) => {
            of_asset(sql, |sql| compare(sql, "w.updated_at", test));
        }
        Condition::Date(column, test) => compare(sql, date(*column), test),
        Condition::Number(column, test) => compare(sql, number(*column), test),
        Condition::Favorite(is) if context.search.is_alone() => flag(sql, "s.is_favorite", *is),
        Condition::Favorite(is) => {
            sql.push(if *is {
                "(s.is_favorite and s.owner_id = "
            } else {
                "not (s.is_favorite and s.owner_id = "
            });
            sql.push_bind(context.search.viewer_id).push(")");
        }
        Condition::Motion(is) => flag(sql, "s.is_motion", *is),
        Condition::Video(is) => flag(sql, "s.is_video", *is),
        Condition::Trashed(is) => flag(sql, "(s.trashed_at is not null)", *is),
        Condition::Visibility(words) => {
            compare(sql, "s.visibility", &Compare::In(words.clone()));
        }
        Condition::Id(test) => compare(sql, "s.asset_id", test),
        Condition::Sha1(test) => of_asset(sql, |sql| compare(sql, "w.sha1", test)),
        Condition::PreviewKey(key) => {
            of_asset(sql, |sql| compare(sql, "w.preview_key", &Compare::Is(Some(key.clone()))));
        }
        Condition::ThumbnailKey(key) => {
            of_asset(sql, |sql| compare(sql, "w.thumbnail_key", &Compare::Is(Some(key.clone()))));
        }
        Condition::Encoded(is) => flag(
            sql,
            "exists (select from read.films_v1 as f
                      where f.asset_id = s.asset_id and f.encoded_key is not null)",
            *is,
        ),
        Condition::EncodedKey(test) => compare(
            sql,
            "(select f.encoded_key from read.films_v1 as f where f.asset_id = s.asset_id)",
            test,
        ),
        Condition::Albums(ids) => belongs::albums(sql, ids, context.short.contains(condition)),
        Condition::People(ids) => {
            belongs::people(sql, ids, context.search.viewer_id, context.short.contains(condition));
        }
        Condition::Tags(ids) => {
            belongs::tags(sql, ids, context.trees, context.short.contains(condition));
        }
        Condition::HasAlbums(is) => belongs::has_albums(sql, *is, context.search),
        Condition::HasPeople(is) => belongs::has_people(sql, *is, context.search.viewer_id),
        Condition::HasTags(is) => belongs::has_tags(sql, *is, context.search.viewer_id),
        Condition::Offline(is) => of_asset(sql, |sql| flag(sql, "w.is_offline", *is)),
        Condition::Library(test) => of_asset(sql, |sql| compare(sql, "w.library_id", test)),
        Condition::Nothing => {
            sql.push("false");
        }
        Condition::Either(lists) => {
            sql.push("(false");
            for list in lists {
                sql.push(" or (true");
                for condition in list {
                    sql.push(" and ");
                    push(sql, condition, context);
                }
                sql.push(")");
            }
            sql.push(")");
        }
    }
}

const fn word(column: WordColumn) -> &'static str {
    match column {
        WordColumn::City => "s.city",
        WordColumn::Country => "s.country",
        WordColumn::LensModel => "s.lens_model",
        WordColumn::Make => "s.make",
        WordColumn::Model => "s.model",
        WordColumn::State => "s.state",
    }
}

const fn date(column: DateColumn) -> &'static str {
    match column {
        DateColumn::Created => "s.created_at",
        DateColumn::Taken => "s.taken_at",
        DateColumn::Trashed => "s.trashed_at",
        DateColumn::Updated => "w.updated_at",
    }
}

const fn number(column: NumberColumn) -> &'static str {
    match column {
        NumberColumn::Rating => "s.rating",
        NumberColumn::SizeBytes => "s.size_bytes",
    }
}

/// Conditions that are rarely asked for look at the asset's own row.
fn of_asset(sql: &mut Sql, inner: impl FnOnce(&mut Sql)) {
    sql.push(
        "s.asset_id in (select w.asset_id from read.assets_v1 w where w.owner_id = s.owner_id and ",
    );
    inner(sql);
    sql.push(")");
}

fn flag(sql: &mut Sql, expression: &str, is: bool) {
    sql.push(if is { "" } else { "not " });
    sql.push(expression);
}

fn compare<T>(sql: &mut Sql, expression: &str, test: &Compare<T>)
where
    T: Clone + Send + 'static + Type<Postgres> + PgHasArrayType,
    T: for<'q> Encode<'q, Postgres>,
    Vec<T>: for<'q> Encode<'q, Postgres>,
{
    if let Compare::NotIn(values) = test {
        sql.push(format!("({expression} is null or {expression} <> all("));
        sql.push_bind(values.clone()).push("))");
        return;
    }
    sql.push(expression);
    match test {
        Compare::Is(None) => sql.push(" is null"),
        Compare::Is(Some(value)) => sql.push(" = ").push_bind(value.clone()),
        Compare::IsNot(None) => sql.push(" is not null"),
        Compare::IsNot(Some(value)) => sql.push(" is distinct from ").push_bind(value.clone()),
        Compare::In(values) => sql.push(" = any(").push_bind(values.clone()).push(")"),
        Compare::NotIn(_) => sql,
        Compare::Above(value) => sql.push(" > ").push_bind(value.clone()),
        Compare::AtLeast(value) => sql.push(" >= ").push_bind(value.clone()),
        Compare::Below(value) => sql.push(" < ").push_bind(value.clone()),
        Compare::AtMost(value) => sql.push(" <= ").push_bind(value.clone()),
    };
}

/// Where an original lies, as the viewer is shown it: what a storage template named is of its owner's words, so
/// others are shown another key, and are to find nothing out by asking for what they do not see.
fn shown_key(search: &Search) -> String {
    if search.is_alone() {
        return "s.original_key".to_owned();
    }
    let viewer_id = search.viewer_id;
    format!(
        "(case when s.owner_id = '{viewer_id}'::uuid
                 or not starts_with(s.original_key, '{TEMPLATED_ROOT}') then s.original_key
               else 'upload/' || s.asset_id
                    || coalesce(substring(s.original_key from '[.][^./]+$'), '') end)"
    )
}

fn text(sql: &mut Sql, column: PatternColumn, pattern: &Pattern, search: &Search) {
    let (expression, folds) = match column {
        PatternColumn::Description => ("s.description".to_owned(), true),
        PatternColumn::FileName => ("s.file_name".to_owned(), true),
        PatternColumn::OriginalPath => (shown_key(search), false),
    };
    let expression = expression.as_str();
    let wanted = |text: &str| if folds { fold_words(text) } else { within_root(text) };
    match pattern {
        Pattern::Holds(part) => like(sql, expression, LIKE, &format!("%{}%", plain(&wanted(part)))),
        Pattern::Lacks(part) => {
            like(sql, expression, " not like ", &format!("%{}%", plain(&wanted(part))));
        }
        Pattern::Begins(part) => like(sql, expression, LIKE, &format!("{}%", plain(&wanted(part)))),
        Pattern::Ends(part) => like(sql, expression, LIKE, &format!("%{}", plain(&wanted(part)))),
        Pattern::Whole(test) => {
            let one =
                |value: &Option<String>| Some(value.as_deref().map(wanted).unwrap_or_default());
            let all = |values: &[String]| values.iter().map(|value| wanted(value)).collect();
            // A missing text is kept as an empty one.
            let test = match test {
                Compare::Is(value) => Compare::Is(one(value)),
                Compare::IsNot(value) => Compare::IsNot(one(value)),
                Compare::In(values) => Compare::In(all(values)),
                Compare::NotIn(values) => Compare::NotIn(all(values)),
                other => other.clone(),
            };
            compare(sql, expression, &test);
        }
    }
    // The index of captions leaves the empty ones out.
    if column == PatternColumn::Description
        && matches!(pattern, Pattern::Holds(_) | Pattern::Begins(_) | Pattern::Ends(_))
    {
        sql.push(" and s.description <> ''");
    }
}

/// Every word is looked for by itself: models leave out spaces, and lines end where they like.
fn written_words(sql: &mut Sql, words: &str) {
    let mut words: Vec<String> = fold_words(words).split_whitespace().map(plain).collect();
    words.sort_unstable();
    words.dedup();
    words.truncate(WRITTEN_WORDS_MAX);
    sql.push(
        "s.asset_id in (select t.asset_id from read.texts_v1 t \
          where t.owner_id = s.owner_id and t.words <> ''",
    );
    for word in words {
        sql.push(" and t.words like ").push_bind(format!("%{word}%"));
    }
    sql.push(")");
}

fn like(sql: &mut Sql, expression: &str, operator: &str, pattern: &str) {
    let telling = telling(pattern).filter(|_| operator == LIKE);
    let Some(telling) = telling else {
        sql.push(expression).push(operator).push_bind(pattern.to_owned());
        return;
    };
    sql.push(expression).push(LIKE).push_bind(format!("%{telling}%"));
    // As an expression the index does not see it, and only the few that are left are compared.
    sql.push(format!(" and ({expression} || '') like ")).push_bind(pattern.to_owned());
}

/// The longest number in a pattern, when there is more than it: `20180412` of `%img\_20180412.jpg%`.
///
/// Words that all files of a camera share stand in the index a million times; numbers tell files apart. A
/// short one is told apart from the middle of longer ones by what stands before it: `\_2019`. Before a long one,
/// or one that begins with a zero, that would only be one word more that all files share.
fn telling(pattern: &str) -> Option<&str> {
    let numbers = pattern.split(|letter: char| !letter.is_ascii_digit());
    let longest = numbers.max_by_key(|number| number.len())?;
    let is_all = pattern.trim_matches('%') == longest;
    if longest.len() < TELLING_CHARS_MIN || is_all {
        return None;
    }
    if longest.len() > TELLING_CHARS_MIN || longest.starts_with('0') {
        return Some(longest);
    }
    let at = pattern.find(longest)?;
    let before = pattern.get(..at)?;
    let from = ["\\_", "\\%", "-", " ", "."]
        .into_iter()
        .find(|sign| before.ends_with(sign))
        .map_or(at, |sign| at - sign.len());
    pattern.get(from..at + longest.len())
}

/// A path as clients are told it, without the folder that is before every key.
fn within_root(path: &str) -> String {
    path.strip_prefix(SHOWN_ROOT).unwrap_or(path).to_owned()
}

/// A text without meaning for `like`.
fn plain(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

#[cfg(test)]
mod tests {
    use super::super::condition::Scope;
    use super::*;

    fn written(conditions: Vec<Condition>) -> String {
        let search = Search {
            viewer_id: uuid::Uuid::nil(),
            scope: Scope::People(vec![uuid::Uuid::nil()]),
            conditions,
            order: OrderColumn::Taken,
            direction: Direction::Descending,
            after: None,
            offset: 0,
            limit: 1,
        };
        let mut sql = Sql::new("");
        push_where(&mut sql, &Context { search: &search, trees: &Trees::new(), short: &[] });
        sql.sql().as_str().to_owned()
    }

    #[test]
    fn words_of_clients_are_bound() {
        let evil = "'; drop table read.users_v1; --".to_owned();
        let sql = written(vec![
            Condition::Word(WordColumn::City, Compare::Is(Some(evil.clone()))),
            Condition::Text(PatternColumn::FileName, Pattern::Holds(evil)),
        ]);
        assert_eq!(sql, " and s.city = $1 and s.file_name like $2");
    }

    #[test]
    fn words_of_a_template_are_searched_by_their_owner_alone() {
        let holds = Pattern::Holds("Hochzeit".to_owned());
        let by = |scope: Scope, viewer_id: uuid::Uuid| {
            let search = Search {
                viewer_id,
                scope,
                conditions: vec![Condition::Text(PatternColumn::OriginalPath, holds.clone())],
                order: OrderColumn::Taken,
                direction: Direction::Descending,
                after: None,
                offset: 0,
                limit: 1,
            };
            let mut sql = Sql::new("");
            push_where(&mut sql, &Context { search: &search, trees: &Trees::new(), short: &[] });
            sql.sql().as_str().to_owned()
        };
        let (one, other) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
        let alone = by(Scope::People(vec![one]), one);
        assert_eq!(alone, " and s.original_key like $1");
        let with_others = by(Scope::People(vec![one, other]), one);
        assert!(with_others.contains(&format!("s.owner_id = '{one}'")), "{with_others}");
        assert!(!with_others.contains("and s.original_key like"), "{with_others}");
    }

    #[test]
    fn lists_of_conditions_are_alternatives() {
        let sql = written(vec![Condition::Either(vec![
            vec![Condition::Favorite(true), Condition::Video(false)],
            vec![Condition::Nothing],
        ])]);
        let wanted =
            " and (false or (true and s.is_favorite and not s.is_video) or (true and false))";
        assert_eq!(sql, wanted);
    }

    #[test]
    fn numbers_of_names_are_looked_up_and_the_rest_is_compared() {
        assert_eq!(telling(r"%img\_20180412\_12.jpg%"), Some("20180412"));
        assert_eq!(telling("%20180412%"), None);
        assert_eq!(telling("%img123%"), None);
        assert_eq!(telling(r"%img\_2019%"), Some(r"\_2019"));
        assert_eq!(telling(r"%img\_0019%"), Some("0019"));
        assert_eq!(telling("%img2019%"), Some("2019"));
        let part = Pattern::Holds("IMG_2018.jpg".to_owned());
        let sql = written(vec![Condition::Text(PatternColumn::FileName, part)]);
        assert_eq!(sql, " and s.file_name like $1 and (s.file_name || '') like $2");
    }

    #[test]
    fn each_word_that_is_written_is_looked_for_once() {
        let sql = written(vec![Condition::Written(" NO  litter no".to_owned())]);
        assert_eq!(sql.matches("t.words like").count(), 2, "{sql}");
        assert!(sql.contains("t.owner_id = s.owner_id and t.words <> \'\'"), "{sql}");
    }

    #[test]
    fn signs_of_patterns_are_taken_as_they_are() {
        assert_eq!(plain(r"100%_\"), r"100\%\_\\");
    }
}
