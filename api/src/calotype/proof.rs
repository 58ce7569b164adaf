//! `/calotype/proof`: signed heads of the log, and proofs that lead to them (docs/adr/0023).
//!
//! The arithmetic is the event store's; here are the shapes, which the command line prints too.

use async_trait::async_trait;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use calotype_domain::permission::Permission;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// The largest number that JSON's readers keep whole.
const SIZE_MAX: i64 = 9_007_199_254_740_991;
/// The longest text of heads that is taken, in characters.
const HEADS_CHARS_MAX: usize = 1_000_000;

/// A signed head of the log.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignedLogHead {
    /// Events that it covers: the positions 1 to this.
    pub size: u64,
    /// Hash over them (RFC 6962), hexadecimal.
    pub root: String,
    /// When it was signed.
    pub signed_at: String,
    /// The head as text with its signature: C2SP tlog-checkpoint, Ed25519.
    pub note: String,
}

/// What came of signing.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SigningResult {
    /// Whether a head was signed now; else nothing has happened since the last one.
    pub is_new: bool,
    /// The last head; none while the log is empty.
    #[schema(required)]
    pub head: Option<SignedLogHead>,
}

/// Proves offline that an event stands in the log.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InclusionProofDto {
    /// `inclusion`.
    pub kind: &'static str,
    /// The event.
    pub event_id: Uuid,
    /// Its place in the log, from 1; the leaf's index is one less.
    pub position: i64,
    /// What is hashed of it, base64: its row as it is stored.
    pub leaf: String,
    /// Hashes from the leaf up, base64.
    pub path: Vec<String>,
    /// The signed head that they lead to.
    pub head: String,
    /// The log's public key (C2SP signed-note).
    pub key: String,
    /// What leads from the keys that signed before to this one, oldest first: each signed by both.
    pub rotations: Vec<String>,
}

/// Proves offline that the log of an earlier head is the beginning of that of a later one.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConsistencyProofDto {
    /// `consistency`.
    pub kind: &'static str,
    /// The earlier signed head.
    pub from: String,
    /// The later one.
    pub to: String,
    /// Hashes that lead to both, base64.
    pub path: Vec<String>,
    /// The log's public key (C2SP signed-note).
    pub key: String,
    /// What leads from the keys that signed before to this one, oldest first: each signed by both.
    pub rotations: Vec<String>,
}

/// The key that tells whether a head was signed by this log.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct LogPublicKey {
    /// As C2SP's signed-note writes it: name, id and Ed25519 key.
    pub key: String,
    /// What leads from the keys that signed before to this one, oldest first: each signed by both.
    pub rotations: Vec<String>,
}

/// What looking at the whole log found.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogReport {
    /// Whether everything is as it was recorded and signed.
    pub is_good: bool,
    /// Positions in the tree.
    pub size: u64,
    /// Events that were found.
    pub events: u64,
    /// Positions without an event: those that a reset of test data left, and those whose event was removed.
    pub gaps: u64,
    /// Events that the tree has not taken in yet.
    pub waiting: u64,
    /// Events behind the last head that holds: only stored hashes tell of a change there.
    pub unsigned: u64,
    /// Heads that were compared.
    pub heads: Vec<LogHeadVerdict>,
    /// Texts among the heads that were given which are no heads.
    pub unreadable_heads: usize,
    /// What is wrong, at most a thousand.
    pub findings: Vec<LogFinding>,
    /// How much is wrong.
    pub findings_total: u64,
    /// Events that an operator told every reader to ignore.
    pub skipped: Vec<SkippedLogEvent>,
    /// When the stored hashes were last made anew from the log.
    #[schema(required)]
    pub rebuilt: Option<RebuiltTree>,
}

/// What became of a head.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogHeadVerdict {
    /// Events that it covers.
    pub size: u64,
    /// When it was signed, as it says.
    pub signed_at: String,
    /// Whether the log's key signed it.
    pub is_signed: bool,
    /// Whether the events come to its hash.
    pub fits_log: bool,
    /// Whether the stored hashes come to its hash.
    pub fits_tiles: bool,
}

/// One thing that is not as it was.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogFinding {
    /// `changed`, `removed`, `inserted`, `moved`, `head` or `tile`.
    pub kind: &'static str,
    /// Where in the log.
    #[schema(required)]
    pub position: Option<i64>,
    /// Which event.
    #[schema(required)]
    pub event_id: Option<Uuid>,
    /// Its stream.
    #[schema(required)]
    pub stream_id: Option<String>,
    /// Its place in the stream.
    #[schema(required)]
    pub revision: Option<i64>,
    /// Its name.
    #[schema(required)]
    pub event_type: Option<String>,
    /// What differs.
    pub what: String,
}

/// An event that every reader ignores.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SkippedLogEvent {
    /// Which.
    pub event_id: Uuid,
    /// Why.
    pub reason: String,
    /// Who said so.
    pub skipped_by: String,
    /// When.
    pub skipped_at: String,
}

/// Stored hashes that were made anew.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RebuiltTree {
    /// When.
    pub at: String,
    /// Positions of the former tree.
    pub former_size: u64,
}

/// Why there is no proof.
#[derive(Debug)]
pub enum NoProof {
    /// There is no such event or head.
    NotFound(String),
    /// Not in this state of the log: nothing is signed yet, or what was signed is not there any more.
    Conflict(String),
    /// Anything else.
    Failed(Box<dyn std::error::Error + Send + Sync>),
}

impl From<NoProof> for Problem {
    fn from(no_proof: NoProof) -> Self {
        match no_proof {
            NoProof::NotFound(message) => Self::not_found(message),
            NoProof::Conflict(message) => Self::new(StatusCode::CONFLICT, message),
            NoProof::Failed(error) => Self::internal(&*error),
        }
    }
}

/// The tree over the log.
#[async_trait]
pub trait Proofs: Send + Sync {
    /// The last heads, newest first.
    ///
    /// # Errors
    /// The database is out of reach.
    async fn heads(&self) -> Result<Vec<SignedLogHead>, NoProof>;
    /// Signs a head now.
    ///
    /// # Errors
    /// What is signed does not fit what was, or the key is missing or another one.
    async fn sign(&self) -> Result<SigningResult, NoProof>;
    /// Proves that an event is in the log.
    ///
    /// # Errors
    /// There is no such event, or no head covers it.
    async fn of_event(&self, event_id: Uuid) -> Result<InclusionProofDto, NoProof>;
    /// Proves that a head's log is the beginning of a later one's; of the newest, where `to` is none.
    ///
    /// # Errors
    /// There is no such head.
    async fn since(&self, from: u64, to: Option<u64>) -> Result<ConsistencyProofDto, NoProof>;
    /// The public key.
    ///
    /// # Errors
    /// The key is missing.
    async fn key(&self) -> Result<LogPublicKey, NoProof>;
    /// Has another key sign from now on; `by` says who wishes it.
    ///
    /// # Errors
    /// What is signed does not fit what was, or the key is missing or another one.
    async fn rotate_key(&self, by: &str) -> Result<LogPublicKey, NoProof>;
    /// Signs a receipt with the log's key, as erasures are.
    ///
    /// # Errors
    /// The key is missing.
    async fn sign_receipt(&self, lines: &[String]) -> Result<String, NoProof>;
    /// Looks at the whole log, and at these heads beside the own ones.
    ///
    /// # Errors
    /// The database is out of reach.
    async fn verify(&self, heads: &str) -> Result<LogReport, NoProof>;
}

/// Between which heads.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes a query that is checked field by field")]
pub(crate) struct ConsistencyQuery {
    /// Size of the earlier head.
    from: u64,
    /// Size of the later head; the newest when left out.
    to: Option<u64>,
}

/// What the log is compared with, beside the server's own heads.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct VerifyLogDto {
    /// Signed heads as text, one after the other, as they were kept elsewhere.
    heads: Option<String>,
}

/// Lists the last signed heads, newest first; at most a thousand.
#[utoipa::path(
    get,
    path = "/calotype/proof/heads",
    operation_id = "getLogHeads",
    tag = "Calotype",
    responses((status = 200, body = Vec<SignedLogHead>)),
)]
pub(super) async fn get_log_heads(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Vec<SignedLogHead>>, Problem> {
    caller.require_admin(Permission::All)?;
    Ok(Json(api.proofs.heads().await?))
}

/// Signs a head over everything that has happened.
#[utoipa::path(
    post,
    path = "/calotype/proof/heads",
    operation_id = "signLogHead",
    tag = "Calotype",
    responses((status = 200, body = SigningResult)),
)]
pub(super) async fn sign_log_head(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<SigningResult>, Problem> {
    caller.require_admin(Permission::All)?;
    Ok(Json(api.proofs.sign().await?))
}

/// Proves that an event stands in the log that the newest head was signed over.
#[utoipa::path(
    get,
    path = "/calotype/proof/events/{eventId}",
    operation_id = "getInclusionProof",
    tag = "Calotype",
    params(("eventId" = Uuid, Path)),
    responses((status = 200, body = InclusionProofDto)),
)]
pub(super) async fn get_inclusion_proof(
    State(api): State<Api>,
    caller: Caller,
    Path(event_id): Path<String>,
) -> Result<Json<InclusionProofDto>, Problem> {
    caller.require_admin(Permission::All)?;
    // Ids of events are no random ones, as those of everything else are.
    let event_id = event_id.parse().or_else(|_| path_uuid("eventId", &event_id))?;
    Ok(Json(api.proofs.of_event(event_id).await?))
}

/// Proves that the log of an earlier head is the beginning of that of a later one.
#[utoipa::path(
    get,
    path = "/calotype/proof/consistency",
    operation_id = "getConsistencyProof",
    tag = "Calotype",
    params(ConsistencyQuery),
    responses((status = 200, body = ConsistencyProofDto)),
)]
pub(super) async fn get_consistency_proof(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<ConsistencyProofDto>, Problem> {
    caller.require_admin(Permission::All)?;
    let mut fields = Fields::query(query.as_deref());
    let from = fields.integer("from", 1, SIZE_MAX);
    let to = fields.integer("to", 1, SIZE_MAX);
    if from.is_none() && fields.issues().is_empty() {
        fields.missing("number", "from");
    }
    fields.finish()?;
    let size = |number: i64| u64::try_from(number).unwrap_or_default();
    Ok(Json(api.proofs.since(from.map(size).unwrap_or_default(), to.map(size)).await?))
}

/// The key that tells whether a head was signed by this log.
#[utoipa::path(
    get,
    path = "/calotype/proof/key",
    operation_id = "getLogPublicKey",
    tag = "Calotype",
    responses((status = 200, body = LogPublicKey)),
)]
pub(super) async fn get_log_public_key(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<LogPublicKey>, Problem> {
    caller.require_admin(Permission::All)?;
    Ok(Json(api.proofs.key().await?))
}

/// Has another key sign heads from now on. The former one signs a last head, vouches for the next and is removed.
#[utoipa::path(
    post,
    path = "/calotype/proof/key",
    operation_id = "rotateLogKey",
    tag = "Calotype",
    responses((status = 200, body = LogPublicKey)),
)]
pub(super) async fn rotate_log_key(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<LogPublicKey>, Problem> {
    caller.require_admin(Permission::All)?;
    let actor = caller.context().actor;
    Ok(Json(api.proofs.rotate_key(&format!("{} {}", actor.kind.as_str(), actor.id)).await?))
}

/// Compares every event with the tree, and the tree with every head; one such look at a time.
#[utoipa::path(
    post,
    path = "/calotype/proof/verify",
    operation_id = "verifyLog",
    tag = "Calotype",
    request_body = VerifyLogDto,
    responses((status = 200, body = LogReport)),
)]
pub(super) async fn verify_log(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<LogReport>, Problem> {
    caller.require_admin(Permission::All)?;
    let mut fields = Fields::json(&body)?;
    let heads = fields.string_up_to("heads", HEADS_CHARS_MAX).unwrap_or_default();
    fields.finish()?;
    Ok(Json(api.proofs.verify(&heads).await?))
}
