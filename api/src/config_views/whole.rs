//! The whole configuration, as release 3.2 tells it.

use std::borrow::Cow;

use calotype_domain::config::shape::put;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::system_config::SystemConfigDto;

/// The one setting that came with 3.2.
pub(super) const ACCOUNT_URL: &str = "oauth.accountManagementUrl";

/// The whole configuration, as 3.2 tells it.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct AdminConfigDto(Value);

impl AdminConfigDto {
    /// Of the configuration of 3.1.
    pub(super) fn of(mut document: Value) -> Self {
        put(&mut document, ACCOUNT_URL, json!(""));
        Self(document)
    }
}

impl PartialSchema for AdminConfigDto {
    fn schema() -> RefOr<Schema> {
        SystemConfigDto::schema()
    }
}

impl ToSchema for AdminConfigDto {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("AdminConfigDto")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        SystemConfigDto::schemas(schemas);
    }
}
