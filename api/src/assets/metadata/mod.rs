//! Values that programs keep with an asset, by key.

pub(super) mod bulk;
pub(super) mod by_key;
pub(super) mod of_asset;

use calotype_domain::asset::KeyValue;
use calotype_projections::asset_extras::KeyValueRow;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::dates;
use crate::validate::{Fields, wrong_type};

/// A value with its key.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssetMetadataResponseDto {
    key: String,
    #[schema(value_type = Object)]
    value: Value,
    updated_at: String,
}

impl From<KeyValueRow> for AssetMetadataResponseDto {
    fn from(row: KeyValueRow) -> Self {
        Self { key: row.key, value: row.value, updated_at: dates::iso(row.updated_at) }
    }
}

/// A value with its key and asset.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssetMetadataBulkResponseDto {
    asset_id: Uuid,
    key: String,
    #[schema(value_type = Object)]
    value: Value,
    updated_at: String,
}

impl From<KeyValueRow> for AssetMetadataBulkResponseDto {
    fn from(row: KeyValueRow) -> Self {
        Self {
            asset_id: row.asset_id,
            key: row.key,
            value: row.value,
            updated_at: dates::iso(row.updated_at),
        }
    }
}

/// The list `items`, each read by `read`, with the issues under `items.<index>`.
pub(super) fn items<T>(fields: &mut Fields, read: impl Fn(&mut Fields) -> Option<T>) -> Vec<T> {
    let values = match fields.take("items") {
        Some(Value::Array(values)) => values,
        other => {
            fields.issue(wrong_type("array", other.as_ref(), &["items"]));
            return Vec::new();
        }
    };
    let mut items = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        let Value::Object(object) = value else {
            let mut issue = wrong_type("object", Some(&value), &[]);
            put_path(&mut issue, vec![json!("items"), json!(index)]);
            fields.issue(issue);
            continue;
        };
        let mut inner = Fields::object(object);
        items.extend(read(&mut inner));
        for mut issue in inner.issues() {
            let mut path = vec![json!("items"), json!(index)];
            path.extend(issue["path"].as_array().cloned().unwrap_or_default());
            put_path(&mut issue, path);
            fields.issue(issue);
        }
    }
    items
}

fn put_path(issue: &mut Value, path: Vec<Value>) {
    if let Some(issue) = issue.as_object_mut() {
        issue.insert("path".into(), Value::Array(path));
    }
}

/// Key and value of one item.
pub(super) fn key_value(fields: &mut Fields) -> Option<KeyValue> {
    let key = fields.required_string("key");
    let value: Map<String, Value> = match fields.take("value") {
        Some(Value::Object(value)) => value,
        other => {
            fields.issue(wrong_type("record", other.as_ref(), &["value"]));
            return None;
        }
    };
    Some(KeyValue { key, value })
}

/// The asset of one item.
fn asset_id(fields: &mut Fields) -> Option<Uuid> {
    if !fields.has("assetId") {
        fields.missing("string", "assetId");
    }
    fields.uuid("assetId")
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::*;

    #[test]
    fn issue_names_the_item() {
        let body =
            Bytes::from_static(br#"{"items":[{"key":"a","value":{}},{"key":"b","value":3}]}"#);
        let mut fields = Fields::json(&body).unwrap();
        let items = items(&mut fields, key_value);
        assert_eq!(items.len(), 1);
        assert_eq!(
            fields.issues()[0],
            json!({
                "expected": "record", "code": "invalid_type", "path": ["items", 1, "value"],
                "message": "Invalid input: expected record, received number"
            })
        );
    }
}
