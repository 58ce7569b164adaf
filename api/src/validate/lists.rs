//! Lists of words, texts, identifiers and objects.

use calotype_domain::AssetId;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Fields;
use super::issues::{bad_uuid, inside, not_an_option, wrong_type};
use super::spelling::parse_uuid_v4;

impl Fields {
    /// A list of words out of a list of words, when it is there.
    pub fn options(&mut self, name: &str, words: &[&str]) -> Option<Vec<String>> {
        let values = self.array(name)?;
        let mut found = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            if self.is_full() {
                break;
            }
            match value.as_str().filter(|text| words.contains(text)) {
                Some(text) => found.push(text.to_owned()),
                None => self.issue(inside(not_an_option(words, &[]), name, index)),
            }
        }
        Some(found)
    }

    /// A list of words out of a list of words that must be there.
    pub fn required_options(&mut self, name: &str, words: &[&str]) -> Vec<String> {
        if !self.has(name) {
            self.missing("array", name);
        }
        self.options(name, words).unwrap_or_default()
    }

    /// A list of at most so many texts that must be there.
    pub fn required_strings(&mut self, name: &str, items_max: usize) -> Vec<String> {
        if !self.has(name) {
            self.missing("array", name);
        }
        let values = self.array(name).unwrap_or_default();
        let mut texts = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            if self.is_full() {
                break;
            }
            match value.as_str() {
                Some(text) => texts.push(text.to_owned()),
                None => {
                    self.issue(inside(wrong_type("string", Some(value), &[]), name, index));
                }
            }
        }
        if values.len() > items_max {
            self.issue(json!({
                "origin": "array", "code": "too_big", "maximum": items_max, "inclusive": true,
                "path": [name], "message": format!("Too big: expected array to have <={items_max} items")
            }));
        }
        texts
    }

    fn array(&mut self, name: &str) -> Option<Vec<Value>> {
        match self.values.get(name) {
            None => None,
            Some(Value::Array(values)) => Some(values.clone()),
            Some(other) => {
                let issue = wrong_type("array", Some(other), &[name]);
                self.issue(issue);
                None
            }
        }
    }

    /// A list of UUIDs of version 4, when it is there. In a query its field is given once for each.
    pub fn uuids(&mut self, name: &str) -> Option<Vec<Uuid>> {
        let values = match self.values.get(name) {
            None => return None,
            Some(one @ Value::String(_)) if self.from_text => {
                self.repeated.remove(name).unwrap_or_else(|| vec![one.clone()])
            }
            Some(Value::Array(values)) => values.clone(),
            Some(other) => {
                self.issue(wrong_type("array", Some(other), &[name]));
                return None;
            }
        };
        let mut parsed = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            if self.is_full() {
                break;
            }
            match value.as_str().map(parse_uuid_v4) {
                Some(Some(uuid)) => parsed.push(uuid),
                Some(None) => self.issue(bad_uuid(&[json!(name), json!(index)])),
                None => {
                    let mut issue = wrong_type("string", Some(value), &[]);
                    if let Some(object) = issue.as_object_mut() {
                        object.insert("path".into(), json!([name, index]));
                    }
                    self.issue(issue);
                }
            }
        }
        Some(parsed)
    }

    /// A list of UUIDs that must be there.
    pub fn required_uuids(&mut self, name: &str) -> Vec<AssetId> {
        if !self.has(name) {
            self.missing("array", name);
        }
        self.uuids(name).unwrap_or_default().into_iter().map(AssetId::new).collect()
    }

    /// A list of objects, when it is there, each read by `read`; issues name the place in the list.
    pub fn objects<T>(
        &mut self,
        name: &str,
        items_min: usize,
        mut read: impl FnMut(&mut Self) -> T,
    ) -> Option<Vec<T>> {
        let values = match self.values.get(name) {
            None => return None,
            Some(Value::Array(values)) => values.clone(),
            Some(other) => {
                self.issue(wrong_type("array", Some(other), &[name]));
                return None;
            }
        };
        if values.len() < items_min {
            self.issue(json!({
                "origin": "array", "code": "too_small", "minimum": items_min, "inclusive": true,
                "path": [name],
                "message": format!("Too small: expected array to have >={items_min} items")
            }));
        }
        let mut items = Vec::with_capacity(values.len());
        for (index, value) in values.into_iter().enumerate() {
            if self.is_full() {
                break;
            }
            let (mut inner, is_object) = match value {
                Value::Object(values) => (Self::object(values), true),
                other => {
                    let mut inner = Self::default();
                    inner.issue(wrong_type("object", Some(&other), &[]));
                    (inner, false)
                }
            };
            if is_object {
                items.push(read(&mut inner));
            }
            for mut issue in inner.issues {
                let mut path = vec![json!(name), json!(index)];
                if let Some(Value::Array(rest)) = issue.get("path") {
                    path.extend(rest.iter().cloned());
                }
                if let Some(object) = issue.as_object_mut() {
                    object.insert("path".into(), Value::Array(path));
                }
                self.issue(issue);
            }
        }
        Some(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use axum::body::Bytes;

    use super::super::ISSUES_MAX;

    #[test]
    fn answer_lists_a_hundred_issues_at_most() {
        let mut fields =
            Fields::json(&Bytes::from(json!({ "ids": vec![0; 5_000] }).to_string())).unwrap();
        fields.uuids("ids");
        assert_eq!(fields.into_issues().len(), ISSUES_MAX);
    }

    #[test]
    fn lists_of_a_query_are_fields_given_more_than_once() {
        let id = |text: &str| text.parse::<Uuid>().unwrap();
        let one = id("8592ac6c-94d1-4630-a364-d2929c1eb33a");
        let two = id("78013aee-9bc1-47c8-918f-da50df335899");
        let read = |query: &str| Fields::query(Some(query)).uuids("ids");
        assert_eq!(read(&format!("ids={one}")), Some(vec![one]));
        assert_eq!(read(&format!("ids={one}&x=1&ids={two}")), Some(vec![one, two]));
        assert_eq!(read("x=1"), None);
        let mut last = Fields::query(Some("x=1&x=2"));
        assert_eq!(last.string("x").as_deref(), Some("2"));
    }
}
