//! The reference document of Immich's API: its operations, and which one a path belongs to.

use anyhow::Context as _;
use reqwest::Method;
use serde_json::Value;

use crate::media::{read_json, workspace};

/// One operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its `operationId`.
    pub id: String,
    /// Its method.
    pub method: Method,
    /// Its path with names in braces, without `/api`.
    pub path: String,
    /// Whether nobody has to be known.
    pub is_public: bool,
    /// Whether only administrators may.
    pub is_for_admins: bool,
    /// What an API key has to name.
    pub permission: Option<String>,
}

impl Operation {
    /// Whether a concrete path, without `/api` and query, is one of this operation.
    #[must_use]
    pub fn takes(&self, method: &Method, path: &str) -> bool {
        let (mine, asked) = (self.path.split('/'), path.split('/'));
        self.method == *method
            && mine.clone().count() == asked.clone().count()
            && mine.zip(asked).all(|(mine, asked)| mine.starts_with('{') || mine == asked)
    }

    /// How many parts of its path are words rather than names; the more, the better it fits.
    fn words(&self) -> usize {
        self.path.split('/').filter(|part| !part.starts_with('{')).count()
    }
}

/// Every operation of `schemas/immich/openapi.json`.
///
/// # Errors
/// The document cannot be read.
pub fn operations() -> anyhow::Result<Vec<Operation>> {
    let document = read_json(&workspace().join("schemas/immich/openapi.json"))?;
    operations_of(&document)
}

/// Every operation of an OpenAPI document.
///
/// # Errors
/// It has no paths or an operation without an id.
pub fn operations_of(document: &Value) -> anyhow::Result<Vec<Operation>> {
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().context("a document without paths")? {
        for (method, operation) in methods.as_object().context("a path without methods")? {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            let id = operation["operationId"].as_str();
            operations.push(Operation {
                id: id.with_context(|| format!("{method} {path} has no id"))?.to_owned(),
                method,
                path: path.clone(),
                is_public: operation["security"].as_array().is_none_or(Vec::is_empty),
                is_for_admins: operation["x-immich-admin-only"] == Value::Bool(true),
                permission: operation["x-immich-permission"].as_str().map(str::to_owned),
            });
        }
    }
    Ok(operations)
}

/// The operation that a concrete path belongs to.
#[must_use]
pub fn find<'a>(operations: &'a [Operation], method: &Method, path: &str) -> Option<&'a Operation> {
    let path = path.split('?').next().unwrap_or(path);
    let path = path.strip_prefix("/api").unwrap_or(path);
    operations
        .iter()
        .filter(|operation| operation.takes(method, path))
        .max_by_key(|operation| operation.words())
}
