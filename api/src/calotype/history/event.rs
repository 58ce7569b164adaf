//! One event of a history, as it is shown: in JSON, and as a line of a table.

use calotype_projections::history::Told;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::dates;

/// The first line of a table.
pub(super) const CSV_HEADER: &str = "position,recordedAt,kind,id,revision,type,sentence,actorKind,\
    actorId,userId,client,address,reason,correlationId,eventId,before,after,data\r\n";

/// One event, as it was recorded.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HistoryEvent {
    /// Its place in the whole log; `null` for a moment after it was written.
    #[schema(required)]
    pub(super) position: Option<i64>,
    /// What it happened to: `asset`, `album`, `shared_link`, `person`, `user`, `batch`, `session`, …
    pub(super) kind: String,
    /// To which; mostly a UUID.
    pub(super) object_id: String,
    /// Its place in its own stream, from 0.
    pub(super) revision: i64,
    event_id: Uuid,
    r#type: String,
    version: u16,
    recorded_at: String,
    /// What happened, in plain words.
    sentence: String,
    actor: HistoryActor,
    /// The program, as it named itself.
    #[schema(required)]
    client: Option<String>,
    /// From which address, where the event tells.
    #[schema(required)]
    address: Option<String>,
    /// Why, in the words of who did it, where the event tells.
    #[schema(required)]
    reason: Option<String>,
    /// Ties together what one request set off.
    correlation_id: Uuid,
    /// The event this was a reaction to.
    #[schema(required)]
    causation_id: Option<Uuid>,
    /// The fields that it changed, as they were, where that is known; in histories of one thing only.
    #[schema(value_type = Object)]
    before: Map<String, Value>,
    /// The fields that it changed, as they became.
    #[schema(value_type = Object)]
    after: Map<String, Value>,
    /// The event's payload; personal values read `{"$seal": value}`, or `{"$forgotten": true}`.
    data: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    derived_from: Option<DerivedFrom>,
}

/// Who did it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HistoryActor {
    /// `user`, `api_key`, `shared_link`, `processor` or `system`.
    kind: &'static str,
    id: String,
    /// The user in whose name.
    #[schema(required)]
    user_id: Option<Uuid>,
}

/// Which program derived the facts, and from which bytes.
#[derive(Serialize, ToSchema)]
pub(crate) struct DerivedFrom {
    processor: String,
    version: u32,
    /// BLAKE3 of the bytes, lower-case hex.
    input: String,
}

impl From<Told> for HistoryEvent {
    fn from(told: Told) -> Self {
        let recorded = told.recorded;
        let envelope = recorded.envelope;
        Self {
            position: recorded.position.map(|position| position.get()),
            kind: recorded.stream_id.aggregate().to_owned(),
            object_id: recorded.stream_id.key().to_owned(),
            revision: recorded.revision.get(),
            event_id: recorded.event_id,
            r#type: recorded.event_type,
            version: recorded.version,
            recorded_at: dates::iso(envelope.recorded_at),
            sentence: told.sentence,
            actor: HistoryActor {
                kind: envelope.actor.kind.as_str(),
                id: envelope.actor.id,
                user_id: envelope.actor.user_id,
            },
            client: envelope.client,
            address: told.address,
            reason: told.reason,
            correlation_id: envelope.correlation_id,
            causation_id: envelope.causation_id,
            before: told.change.before,
            after: told.change.after,
            data: told.data,
            derived_from: told.derived_from.map(|(processor, version, input)| DerivedFrom {
                processor,
                version,
                input,
            }),
        }
    }
}

impl HistoryEvent {
    /// The event as a line of JSON.
    pub(super) fn json_line(&self) -> Result<String, serde_json::Error> {
        Ok(format!("{}\n", serde_json::to_string(self)?))
    }

    /// The event as a line of a table (RFC 4180).
    pub(super) fn csv_line(&self) -> Result<String, serde_json::Error> {
        let number = |number: Option<i64>| number.map(|it| it.to_string()).unwrap_or_default();
        let fields = |fields: &Map<String, Value>| {
            if fields.is_empty() { Ok(String::new()) } else { serde_json::to_string(fields) }
        };
        let cells = [
            number(self.position),
            self.recorded_at.clone(),
            self.kind.clone(),
            self.object_id.clone(),
            self.revision.to_string(),
            self.r#type.clone(),
            self.sentence.clone(),
            self.actor.kind.to_owned(),
            self.actor.id.clone(),
            self.actor.user_id.map(|id| id.to_string()).unwrap_or_default(),
            self.client.clone().unwrap_or_default(),
            self.address.clone().unwrap_or_default(),
            self.reason.clone().unwrap_or_default(),
            self.correlation_id.to_string(),
            self.event_id.to_string(),
            fields(&self.before)?,
            fields(&self.after)?,
            serde_json::to_string(&self.data)?,
        ];
        let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
        Ok(format!("{}\r\n", cells.join(",")))
    }
}

/// A cell of a table. What a spreadsheet would take for a formula is made text: programs and people name themselves.
fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_one_cell_and_no_formula() {
        assert_eq!(cell("plain"), "plain");
        assert_eq!(cell("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(cell("=HYPERLINK(1,2)"), "\"'=HYPERLINK(1,2)\"");
    }
}
