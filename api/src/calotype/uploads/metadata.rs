//! `Upload-Metadata`: what a client says of the file that it begins to send.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::assets::wish::Wish;
use crate::caller::Caller;
use crate::calotype::batches::Arriving;
use crate::dates;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// The longest header, in bytes.
pub(super) const METADATA_BYTES_MAX: usize = 16 * 1024;
/// The most keys.
const KEYS_MAX: usize = 100;

/// What the file becomes.
pub(super) enum Goal {
    /// An asset.
    Asset(Wish),
    /// A file of a batch, which becomes an asset when it is committed.
    BatchFile(Arriving),
}

impl Goal {
    /// Reads what a client says, and asks whether it may be.
    ///
    /// # Errors
    /// 400 for what the fields should not hold.
    pub(super) async fn check(
        api: &Api,
        caller: &Caller,
        metadata: &str,
        length_bytes: u64,
    ) -> Result<Self, Problem> {
        let mut said = parse(metadata)?;
        if !said.contains_key("batch") {
            complete(&mut said, caller.context().now);
            let wish = Wish::check(api, caller, said, String::new(), Some(length_bytes)).await?;
            return Ok(Self::Asset(wish));
        }
        let mut fields = Fields::form(said);
        let batch_id: Uuid = fields.required_uuid("batch");
        let sha1 = fields.required_string("sha1");
        // Pieces are waited for under the key that both digests make.
        drop(fields.required_string("blake3"));
        if length_bytes == 0 {
            return Err(Problem::bad_request("File is empty"));
        }
        let arriving = Arriving::expect(api, caller, batch_id, &sha1, fields).await?;
        Ok(Self::BatchFile(arriving))
    }
}

/// Any client of tus tells a name, under one of two keys, and none tells times.
fn complete(said: &mut Map<String, Value>, now: DateTime<Utc>) {
    if !said.contains_key("filename")
        && let Some(name) = said.get("name").cloned()
    {
        said.insert("filename".into(), name);
    }
    for name in ["fileCreatedAt", "fileModifiedAt"] {
        said.entry(name).or_insert_with(|| Value::String(dates::iso(now)));
    }
}

/// Pairs of a key and a value in base64, with commas between them. A key without a value has an empty one.
fn parse(metadata: &str) -> Result<Map<String, Value>, Problem> {
    let bad = || Problem::bad_request("Invalid upload-metadata");
    let mut said = Map::new();
    for pair in metadata.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        let value = STANDARD.decode(value.trim()).map_err(|_| bad())?;
        let value = String::from_utf8(value).map_err(|_| bad())?;
        if said.insert(key.to_owned(), Value::String(value)).is_some() || said.len() > KEYS_MAX {
            return Err(bad());
        }
    }
    Ok(said)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn metadata_are_pairs_in_base64() {
        let said = parse("filename w4QuanBn, is_confidential,relativePath bnVsbA==").unwrap();
        let wanted = json!({ "filename": "Ä.jpg", "is_confidential": "", "relativePath": "null" });
        assert_eq!(Value::Object(said), wanted);
        assert!(parse("").unwrap().is_empty());
        for bad in ["a ?", "a YQ==,a YQ==", "a /w=="] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_clients_leave_out_is_completed() {
        let mut said = parse("name YS5qcGc=,fileCreatedAt MjAyNA==").unwrap();
        complete(&mut said, DateTime::UNIX_EPOCH);
        let wanted = json!({
            "name": "a.jpg", "filename": "a.jpg", "fileCreatedAt": "2024",
            "fileModifiedAt": "1970-01-01T00:00:00.000Z"
        });
        assert_eq!(Value::Object(said), wanted);
    }
}
