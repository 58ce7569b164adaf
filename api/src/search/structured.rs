//! What came with Immich 3.2: `filter` with operators and alternatives, `orderBy`, and `cursor`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use calotype_projections::search::{
    Compare, Condition, DateColumn, Direction, Ids, NumberColumn, OrderColumn, Pattern,
    PatternColumn, SortKey, WordColumn,
};
use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::filters::{IDS_MAX, KINDS, kind};
use crate::assets::VISIBILITIES;
use crate::assets::dto::sha1_of_checksum;
use crate::validate::{Fields, wrong_type};

/// Alternatives in one filter.
const BRANCHES_MAX: usize = 100;
/// Values in one list of a filter.
const VALUES_MAX: usize = 10_000;

/// What was asked for in the newer way.
#[derive(Default)]
pub(super) struct Structured {
    pub(super) conditions: Vec<Condition>,
    pub(super) asks_for_locked: bool,
    pub(super) asks_for_trashed: bool,
    pub(super) order: Option<OrderColumn>,
    pub(super) direction: Option<Direction>,
    pub(super) after: Option<SortKey>,
}

/// Reads `filter`, `orderBy` and `cursor`; what is wrong becomes issues of `fields`.
pub(super) fn read(fields: &mut Fields) -> Structured {
    let mut asked = Structured::default();
    let mut issues = Vec::new();
    match fields.take("filter") {
        None => {}
        Some(Value::Object(filter)) => {
            let mut reader =
                Reader { path: vec![json!("filter")], issues: &mut issues, asked: &mut asked };
            let conditions = reader.filter(&filter, true);
            asked.conditions = conditions;
        }
        Some(other) => issues.push(wrong_type("object", Some(&other), &["filter"])),
    }
    match fields.take("orderBy") {
        None => {}
        Some(Value::Object(order)) => order_by(order, &mut asked, &mut issues),
        Some(other) => issues.push(wrong_type("object", Some(&other), &["orderBy"])),
    }
    if let Some(text) = fields.string("cursor") {
        asked.after = cursor_key(&text, asked.order.unwrap_or_default());
        if asked.after.is_none() {
            issues
                .push(json!({ "code": "custom", "path": ["cursor"], "message": "Invalid cursor" }));
        }
    }
    for issue in issues {
        fields.issue(issue);
    }
    asked
}

fn order_by(order: Map<String, Value>, asked: &mut Structured, issues: &mut Vec<Value>) {
    let mut inner = Fields::object(order);
    let names = ["fileCreatedAt", "localDateTime", "fileSizeInBytes", "rating"];
    asked.order = inner.option("field", &names).map(|field| match field.as_str() {
        "localDateTime" => OrderColumn::Local,
        "fileSizeInBytes" => OrderColumn::SizeBytes,
        "rating" => OrderColumn::Rating,
        _ => OrderColumn::Taken,
    });
    asked.direction = inner.option("direction", &["asc", "desc"]).map(|word| match word.as_str() {
        "asc" => Direction::Ascending,
        _ => Direction::Descending,
    });
    if inner.finish().is_err() {
        issues.push(json!({ "code": "custom", "path": ["orderBy"], "message": "Invalid order" }));
    }
}

/// The cursor that stands for a place in an order.
pub(super) fn cursor(key: &SortKey) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}|{}", key.asset_id, key.value))
}

/// Reads a cursor; one of another order is none.
fn cursor_key(text: &str, order: OrderColumn) -> Option<SortKey> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let (asset_id, value) = text.split_once('|')?;
    match order {
        OrderColumn::Taken => value.parse::<DateTime<Utc>>().map(drop).ok()?,
        OrderColumn::Local => {
            NaiveDateTime::parse_from_str(value, "%Y-%m-%d %H:%M:%S%.f").map(drop).ok()?;
        }
        OrderColumn::SizeBytes => value.parse::<i64>().map(drop).ok()?,
        OrderColumn::Rating => value.parse::<i32>().map(drop).ok()?,
    }
    Some(SortKey { value: value.to_owned(), asset_id: asset_id.parse().ok()? })
}

/// Reads a cursor of every order, for [`crate::fuzz`].
#[cfg(any(test, feature = "fuzz"))]
pub(super) fn read_cursor(text: &str) {
    let orders =
        [OrderColumn::Taken, OrderColumn::Local, OrderColumn::SizeBytes, OrderColumn::Rating];
    for key in orders.into_iter().filter_map(|order| cursor_key(text, order)) {
        std::hint::black_box(cursor(&key));
    }
}

/// Reads a filter member by member, remembering where it is for the issues.
struct Reader<'a> {
    path: Vec<Value>,
    issues: &'a mut Vec<Value>,
    asked: &'a mut Structured,
}

impl Reader<'_> {
    fn filter(&mut self, filter: &Map<String, Value>, with_branches: bool) -> Vec<Condition> {
        let mut conditions = Vec::new();
        for (name, value) in filter {
            self.path.push(json!(name));
            if name == "or" && with_branches {
                conditions.extend(self.branches(value));
            } else if let Some(tests) = value.as_object() {
                for (operator, operand) in tests {
                    self.path.push(json!(operator));
                    conditions.extend(self.test(name, operator, operand));
                    self.path.pop();
                }
            } else {
                self.wrong("object", value);
            }
            self.path.pop();
        }
        conditions
    }

    fn branches(&mut self, value: &Value) -> Option<Condition> {
        let Some(branches) =
            value.as_array().filter(|list| (1..=BRANCHES_MAX).contains(&list.len()))
        else {
            self.wrong("array", value);
            return None;
        };
        let mut lists = Vec::with_capacity(branches.len());
        for (index, branch) in branches.iter().enumerate() {
            self.path.push(json!(index));
            match branch.as_object() {
                Some(branch) => lists.push(self.filter(branch, false)),
                None => self.wrong("object", branch),
            }
            self.path.pop();
        }
        Some(Condition::Either(lists))
    }

    /// One operator on one member. What is not known is ignored, as every unknown field is.
    fn test(&mut self, name: &str, operator: &str, operand: &Value) -> Option<Condition> {
        let word = |column| move |test| Condition::Word(column, test);
        match name {
            "city" => self.words(operator, operand).map(word(WordColumn::City)),
            "country" => self.words(operator, operand).map(word(WordColumn::Country)),
            "state" => self.words(operator, operand).map(word(WordColumn::State)),
            "make" => self.words(operator, operand).map(word(WordColumn::Make)),
            "model" => self.words(operator, operand).map(word(WordColumn::Model)),
            "lensModel" => self.words(operator, operand).map(word(WordColumn::LensModel)),
            "description" => self.pattern(PatternColumn::Description, operator, operand),
            "originalFileName" => self.pattern(PatternColumn::FileName, operator, operand),
            "encodedVideoPath" => self.words(operator, operand).map(Condition::EncodedKey),
            "originalPath" => self.pattern(PatternColumn::OriginalPath, operator, operand),
            "createdAt" => self.date(DateColumn::Created, operator, operand),
            "takenAt" => self.date(DateColumn::Taken, operator, operand),
            "trashedAt" => {
                self.asked.asks_for_trashed = true;
                self.date(DateColumn::Trashed, operator, operand)
            }
            "updatedAt" => self.date(DateColumn::Updated, operator, operand),
            "rating" => self.number(NumberColumn::Rating, operator, operand),
            "fileSizeInBytes" => self.number(NumberColumn::SizeBytes, operator, operand),
            "isFavorite" => self.flag(operator, operand).map(Condition::Favorite),
            "isEncoded" => self.flag(operator, operand).map(Condition::Encoded),
            "isMotion" => self.flag(operator, operand).map(Condition::Motion),
            "type" => self.kinds(operator, operand),
            "visibility" => self.visibility(operator, operand),
            "id" => self.id(operator, operand),
            "checksum" => self.words(operator, operand).map(checksum),
            "hasAlbums" => self.flag(operator, operand).map(Condition::HasAlbums),
            "hasPeople" => self.flag(operator, operand).map(Condition::HasPeople),
            "hasTags" => self.flag(operator, operand).map(Condition::HasTags),
            "isOffline" => self.flag(operator, operand).map(Condition::Offline),
            "libraryId" => self.uuids(operator, operand).map(Condition::Library),
            "ocr" if operator == "matches" => {
                let Some(words) = operand.as_str().filter(|words| !words.is_empty()) else {
                    self.wrong("string", operand);
                    return None;
                };
                Some(Condition::Written(words.to_owned()))
            }
            "albumIds" => self.ids(operator, operand).map(Condition::Albums),
            "personIds" => self.ids(operator, operand).map(Condition::People),
            "tagIds" => self.ids(operator, operand).map(Condition::Tags),
            _ => None,
        }
    }

    /// An operator with what `read` makes of its operand or of each value of its list.
    fn compare<T>(
        &mut self,
        operator: &str,
        operand: &Value,
        expected: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<Compare<T>> {
        let is_list = operator == "in" || operator == "notIn";
        if is_list {
            let values = operand
                .as_array()
                .filter(|values| (1..=VALUES_MAX).contains(&values.len()))
                .and_then(|values| values.iter().map(&read).collect::<Option<Vec<T>>>());
            let Some(values) = values else {
                self.wrong("array", operand);
                return None;
            };
            return Some(if operator == "in" {
                Compare::In(values)
            } else {
                Compare::NotIn(values)
            });
        }
        if operand.is_null() && (operator == "eq" || operator == "ne") {
            return Some(if operator == "eq" { Compare::Is(None) } else { Compare::IsNot(None) });
        }
        let Some(value) = read(operand) else {
            self.wrong(expected, operand);
            return None;
        };
        match operator {
            "eq" => Some(Compare::Is(Some(value))),
            "ne" => Some(Compare::IsNot(Some(value))),
            "gt" => Some(Compare::Above(value)),
            "gte" => Some(Compare::AtLeast(value)),
            "lt" => Some(Compare::Below(value)),
            "lte" => Some(Compare::AtMost(value)),
            _ => None,
        }
    }

    fn words(&mut self, operator: &str, operand: &Value) -> Option<Compare<String>> {
        self.compare(operator, operand, "string", |value| value.as_str().map(str::to_owned))
    }

    fn pattern(
        &mut self,
        column: PatternColumn,
        operator: &str,
        operand: &Value,
    ) -> Option<Condition> {
        let make = match operator {
            "like" => Pattern::Holds,
            "notLike" => Pattern::Lacks,
            "startsWith" => Pattern::Begins,
            "endsWith" => Pattern::Ends,
            _ => {
                let test = self.words(operator, operand)?;
                return Some(Condition::Text(column, Pattern::Whole(test)));
            }
        };
        let Some(text) = operand.as_str().filter(|text| !text.is_empty()) else {
            self.wrong("string", operand);
            return None;
        };
        Some(Condition::Text(column, make(text.to_owned())))
    }

    fn date(&mut self, column: DateColumn, operator: &str, operand: &Value) -> Option<Condition> {
        let read = |value: &Value| {
            let instant = DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
            Some(instant.with_timezone(&Utc))
        };
        let test = self.compare(operator, operand, "ISO 8601 datetime string", read)?;
        Some(Condition::Date(column, test))
    }

    fn number(
        &mut self,
        column: NumberColumn,
        operator: &str,
        operand: &Value,
    ) -> Option<Condition> {
        let test = self.compare(operator, operand, "int", Value::as_i64)?;
        Some(Condition::Number(column, test))
    }

    fn flag(&mut self, operator: &str, operand: &Value) -> Option<bool> {
        if operator != "eq" {
            return None;
        }
        if operand.as_bool().is_none() {
            self.wrong("boolean", operand);
        }
        operand.as_bool()
    }

    fn kinds(&mut self, operator: &str, operand: &Value) -> Option<Condition> {
        let wanted = self.options(KINDS, operator, operand)?;
        Some(Condition::Either(wanted.into_iter().map(|word| vec![kind(word)]).collect()))
    }

    fn visibility(&mut self, operator: &str, operand: &Value) -> Option<Condition> {
        let wanted = self.options(VISIBILITIES, operator, operand)?;
        let named = operator == "eq" || operator == "in";
        self.asked.asks_for_locked |= named && wanted.contains(&"locked");
        Some(Condition::Visibility(wanted.into_iter().map(str::to_owned).collect()))
    }

    /// Which of a list of words fit.
    fn options<'w>(
        &mut self,
        all: &[&'w str],
        operator: &str,
        operand: &Value,
    ) -> Option<Vec<&'w str>> {
        let read = |value: &Value| all.iter().find(|word| value.as_str() == Some(word)).copied();
        let test = self.compare(operator, operand, "option", read)?;
        let fits = |word: &&&'w str| match &test {
            Compare::Is(value) => value.as_ref() == Some(*word),
            Compare::IsNot(value) => value.as_ref() != Some(*word),
            Compare::In(values) => values.contains(word),
            Compare::NotIn(values) => !values.contains(word),
            _ => false,
        };
        Some(all.iter().filter(fits).copied().collect())
    }

    fn id(&mut self, operator: &str, operand: &Value) -> Option<Condition> {
        self.uuids(operator, operand).map(Condition::Id)
    }

    fn uuids(&mut self, operator: &str, operand: &Value) -> Option<Compare<Uuid>> {
        let read = |value: &Value| value.as_str()?.parse::<Uuid>().ok();
        self.compare(operator, operand, "string", read)
    }

    fn ids(&mut self, operator: &str, operand: &Value) -> Option<Ids> {
        let make = match operator {
            "all" => Ids::All,
            "any" => Ids::Any,
            "none" => Ids::None,
            _ => return None,
        };
        let read = |value: &Value| value.as_str()?.parse::<Uuid>().ok();
        let ids = operand
            .as_array()
            .filter(|values| (1..=IDS_MAX).contains(&values.len()))
            .and_then(|values| values.iter().map(read).collect::<Option<Vec<Uuid>>>());
        if ids.is_none() {
            self.wrong("array", operand);
        }
        ids.map(make)
    }

    fn wrong(&mut self, expected: &str, value: &Value) {
        let mut issue = wrong_type(expected, Some(value), &[]);
        if let Some(object) = issue.as_object_mut() {
            object.insert("path".into(), Value::Array(self.path.clone()));
        }
        self.issues.push(issue);
    }
}

/// Checksums are told as base64 or hex, and kept as hex.
fn checksum(test: Compare<String>) -> Condition {
    let one = |text: String| sha1_of_checksum(&text).unwrap_or(text);
    Condition::Sha1(match test {
        Compare::Is(text) => Compare::Is(text.map(one)),
        Compare::IsNot(text) => Compare::IsNot(text.map(one)),
        Compare::In(texts) => Compare::In(texts.into_iter().map(one).collect()),
        Compare::NotIn(texts) => Compare::NotIn(texts.into_iter().map(one).collect()),
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::*;

    fn asked(body: &'static str) -> Result<Structured, crate::problem::Problem> {
        let mut fields = Fields::json(&Bytes::from_static(body.as_bytes())).unwrap();
        let asked = read(&mut fields);
        fields.finish().map(|()| asked)
    }

    #[test]
    fn operators_become_conditions() {
        let asked = asked(r#"{"filter":{"city":{"ne":null},"isFavorite":{"eq":true}}}"#).unwrap();
        let city = Condition::Word(WordColumn::City, Compare::IsNot(None));
        assert_eq!(asked.conditions, vec![city, Condition::Favorite(true)]);
    }

    #[test]
    fn alternatives_are_lists() {
        let asked = asked(r#"{"filter":{"or":[{"rating":{"gte":4}},{"type":{"eq":"VIDEO"}}]}}"#);
        let stars = Condition::Number(NumberColumn::Rating, Compare::AtLeast(4));
        let films = Condition::Either(vec![vec![Condition::Video(true)]]);
        let wanted = Condition::Either(vec![vec![stars], vec![films]]);
        assert_eq!(asked.unwrap().conditions, vec![wanted]);
    }

    #[test]
    fn wrong_operands_are_refused() {
        for body in [
            r#"{"filter":3}"#,
            r#"{"filter":{"city":{"eq":3}}}"#,
            r#"{"filter":{"city":{"in":[]}}}"#,
            r#"{"filter":{"takenAt":{"gt":"yesterday"}}}"#,
            r#"{"filter":{"or":[]}}"#,
            r#"{"filter":{"albumIds":{"any":[]}}}"#,
            r#"{"filter":{"tagIds":{"all":["x"]}}}"#,
            r#"{"orderBy":{"field":"weight"}}"#,
            r#"{"cursor":"x"}"#,
        ] {
            assert!(asked(body).is_err(), "{body}");
        }
    }

    #[test]
    fn locked_assets_are_asked_for_only_by_name() {
        assert!(asked(r#"{"filter":{"visibility":{"eq":"locked"}}}"#).unwrap().asks_for_locked);
        assert!(!asked(r#"{"filter":{"visibility":{"ne":"hidden"}}}"#).unwrap().asks_for_locked);
    }

    #[test]
    fn cursor_comes_back_as_it_was() {
        let value = "2024-01-02T03:04:05+00:00".to_owned();
        let key = SortKey { value, asset_id: Uuid::from_u128(7) };
        let text = cursor(&key);
        assert_eq!(cursor_key(&text, OrderColumn::Taken), Some(key));
        assert_eq!(cursor_key(&text, OrderColumn::Rating), None);
        let evil = URL_SAFE_NO_PAD.encode(format!("{}|infinity", Uuid::from_u128(7)));
        assert_eq!(cursor_key(&evil, OrderColumn::Taken), None);
    }
}
