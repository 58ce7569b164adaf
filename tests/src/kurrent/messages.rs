//! The messages of `streams.proto`, `shared.proto` and `serverfeatures.proto` of KurrentDB's published protocol,
//! as far as they are needed. Names and tags are theirs.

use std::collections::HashMap;

use bytes::Bytes;
use prost::{Message, Oneof};

#[derive(Clone, PartialEq, Message)]
pub(super) struct StreamIdentifier {
    #[prost(bytes = "bytes", tag = "3")]
    pub(super) stream_name: Bytes,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Uuid {
    #[prost(oneof = "UuidValue", tags = "1, 2")]
    pub(super) value: Option<UuidValue>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum UuidValue {
    #[prost(message, tag = "1")]
    Structured(StructuredUuid),
    #[prost(string, tag = "2")]
    String(String),
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct StructuredUuid {
    #[prost(int64, tag = "1")]
    pub(super) most_significant_bits: i64,
    #[prost(int64, tag = "2")]
    pub(super) least_significant_bits: i64,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Position {
    #[prost(uint64, tag = "1")]
    pub(super) commit_position: u64,
    #[prost(uint64, tag = "2")]
    pub(super) prepare_position: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct AppendReq {
    #[prost(oneof = "AppendContent", tags = "1, 2")]
    pub(super) content: Option<AppendContent>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum AppendContent {
    #[prost(message, tag = "1")]
    Options(AppendOptions),
    #[prost(message, tag = "2")]
    ProposedMessage(ProposedMessage),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct AppendOptions {
    #[prost(message, optional, tag = "1")]
    pub(super) stream_identifier: Option<StreamIdentifier>,
    #[prost(oneof = "Expected", tags = "2, 3, 4, 5")]
    pub(super) expected_stream_revision: Option<Expected>,
}

#[derive(Clone, Copy, PartialEq, Oneof)]
pub(super) enum Expected {
    #[prost(uint64, tag = "2")]
    Revision(u64),
    #[prost(message, tag = "3")]
    NoStream(()),
    #[prost(message, tag = "4")]
    Any(()),
    #[prost(message, tag = "5")]
    StreamExists(()),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ProposedMessage {
    #[prost(message, optional, tag = "1")]
    pub(super) id: Option<Uuid>,
    #[prost(map = "string, string", tag = "2")]
    pub(super) metadata: HashMap<String, String>,
    #[prost(bytes = "bytes", tag = "3")]
    pub(super) custom_metadata: Bytes,
    #[prost(bytes = "bytes", tag = "4")]
    pub(super) data: Bytes,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct AppendResp {
    #[prost(oneof = "AppendResult", tags = "1, 2")]
    pub(super) result: Option<AppendResult>,
}

#[derive(Clone, Copy, PartialEq, Oneof)]
pub(super) enum AppendResult {
    #[prost(message, tag = "1")]
    Success(Success),
    #[prost(message, tag = "2")]
    WrongExpectedVersion(WrongExpectedVersion),
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Success {
    #[prost(uint64, optional, tag = "1")]
    pub(super) current_revision: Option<u64>,
    #[prost(message, optional, tag = "3")]
    pub(super) position: Option<Position>,
}

/// With the fields of today's servers; those for clients of 2020 are left out.
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct WrongExpectedVersion {
    #[prost(oneof = "Current", tags = "6, 7")]
    pub(super) current_revision_option: Option<Current>,
    #[prost(oneof = "WasExpected", tags = "8, 9, 10, 11")]
    pub(super) expected_revision_option: Option<WasExpected>,
}

#[derive(Clone, Copy, PartialEq, Oneof)]
pub(super) enum Current {
    #[prost(uint64, tag = "6")]
    Revision(u64),
    #[prost(message, tag = "7")]
    NoStream(()),
}

#[derive(Clone, Copy, PartialEq, Oneof)]
pub(super) enum WasExpected {
    #[prost(uint64, tag = "8")]
    Revision(u64),
    #[prost(message, tag = "9")]
    Any(()),
    #[prost(message, tag = "10")]
    StreamExists(()),
    #[prost(message, tag = "11")]
    NoStream(()),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ReadReq {
    #[prost(message, optional, tag = "1")]
    pub(super) options: Option<ReadOptions>,
}

/// Filters, subscriptions, links and the form of ids are not read.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ReadOptions {
    #[prost(oneof = "ReadWhat", tags = "1, 2")]
    pub(super) stream_option: Option<ReadWhat>,
    /// 0 forwards, 1 backwards.
    #[prost(int32, tag = "3")]
    pub(super) read_direction: i32,
    #[prost(uint64, optional, tag = "5")]
    pub(super) count: Option<u64>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum ReadWhat {
    #[prost(message, tag = "1")]
    Stream(StreamOptions),
    #[prost(message, tag = "2")]
    All(AllOptions),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct StreamOptions {
    #[prost(message, optional, tag = "1")]
    pub(super) stream_identifier: Option<StreamIdentifier>,
    #[prost(oneof = "FromRevision", tags = "2, 3, 4")]
    pub(super) revision_option: Option<FromRevision>,
}

#[derive(Clone, Copy, PartialEq, Oneof)]
pub(super) enum FromRevision {
    #[prost(uint64, tag = "2")]
    Revision(u64),
    #[prost(message, tag = "3")]
    Start(()),
    #[prost(message, tag = "4")]
    End(()),
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct AllOptions {
    #[prost(oneof = "FromPosition", tags = "1, 2, 3")]
    pub(super) all_option: Option<FromPosition>,
}

#[derive(Clone, Copy, PartialEq, Oneof)]
pub(super) enum FromPosition {
    #[prost(message, tag = "1")]
    Position(Position),
    #[prost(message, tag = "2")]
    Start(()),
    #[prost(message, tag = "3")]
    End(()),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ReadResp {
    #[prost(oneof = "ReadContent", tags = "1, 4")]
    pub(super) content: Option<ReadContent>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum ReadContent {
    #[prost(message, tag = "1")]
    Event(ReadEvent),
    #[prost(message, tag = "4")]
    StreamNotFound(StreamNotFound),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct StreamNotFound {
    #[prost(message, optional, tag = "1")]
    pub(super) stream_identifier: Option<StreamIdentifier>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ReadEvent {
    #[prost(message, optional, tag = "1")]
    pub(super) event: Option<RecordedEvent>,
    #[prost(uint64, optional, tag = "3")]
    pub(super) commit_position: Option<u64>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct RecordedEvent {
    #[prost(message, optional, tag = "1")]
    pub(super) id: Option<Uuid>,
    #[prost(message, optional, tag = "2")]
    pub(super) stream_identifier: Option<StreamIdentifier>,
    #[prost(uint64, tag = "3")]
    pub(super) stream_revision: u64,
    #[prost(uint64, tag = "4")]
    pub(super) prepare_position: u64,
    #[prost(uint64, tag = "5")]
    pub(super) commit_position: u64,
    #[prost(map = "string, string", tag = "6")]
    pub(super) metadata: HashMap<String, String>,
    #[prost(bytes = "bytes", tag = "7")]
    pub(super) custom_metadata: Bytes,
    #[prost(bytes = "bytes", tag = "8")]
    pub(super) data: Bytes,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SupportedMethods {
    #[prost(message, repeated, tag = "1")]
    pub(super) methods: Vec<SupportedMethod>,
    #[prost(string, tag = "2")]
    pub(super) event_store_server_version: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SupportedMethod {
    #[prost(string, tag = "1")]
    pub(super) method_name: String,
    #[prost(string, tag = "2")]
    pub(super) service_name: String,
    #[prost(string, repeated, tag = "3")]
    pub(super) features: Vec<String>,
}

impl From<uuid::Uuid> for Uuid {
    /// As the client asks for it.
    fn from(id: uuid::Uuid) -> Self {
        Self { value: Some(UuidValue::String(id.to_string())) }
    }
}

impl Uuid {
    /// The id, in whichever form it came.
    pub(super) fn read(&self) -> Option<uuid::Uuid> {
        match self.value.as_ref()? {
            UuidValue::String(text) => text.parse().ok(),
            UuidValue::Structured(parts) => Some(uuid::Uuid::from_u64_pair(
                parts.most_significant_bits.cast_unsigned(),
                parts.least_significant_bits.cast_unsigned(),
            )),
        }
    }
}
