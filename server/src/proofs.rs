//! Proofs of the log in the shapes of the API, from the event store's tree.

use std::path::Path;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use calotype_api::{
    ConsistencyProofDto, InclusionProofDto, LogFinding, LogHeadVerdict, LogPublicKey, LogReport,
    NoProof, Proofs, RebuiltTree, SignedLogHead, SigningResult, SkippedLogEvent,
};
use calotype_eventstore::ProofLog;
use calotype_eventstore::proof::{Finding, Hash, Note, ProofError, Report};
use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use crate::embedded::DataFolder;
use crate::wiring::Core;

/// The tree over the log of a data folder.
#[derive(Clone, Debug)]
pub struct LogProofs {
    log: ProofLog,
}

impl LogProofs {
    /// Over the log, with the key in the folder's `keys/`; heads go out to `proof/heads`.
    #[must_use]
    pub fn new(core: &Core, folder: &DataFolder) -> Self {
        Self::of(core, folder.root())
    }

    /// The same, of the data folder that lies there.
    pub(crate) fn of(core: &Core, root: &Path) -> Self {
        let heads_file = root.join("proof").join("heads");
        Self { log: ProofLog::new(core.pool.clone(), root.join("keys"), heads_file) }
    }

    /// The event store's tree.
    #[must_use]
    pub fn log(&self) -> &ProofLog {
        &self.log
    }
}

#[async_trait]
impl Proofs for LogProofs {
    async fn heads(&self) -> Result<Vec<SignedLogHead>, NoProof> {
        let heads = self.log.heads().await.map_err(no_proof)?;
        Ok(heads.into_iter().map(head).collect())
    }

    async fn sign(&self) -> Result<SigningResult, NoProof> {
        let signed = self.log.sign().await.map_err(no_proof)?;
        let is_new = signed.as_ref().is_some_and(|signed| signed.is_new);
        Ok(SigningResult { is_new, head: signed.map(|signed| head(signed.note)) })
    }

    async fn of_event(&self, event_id: Uuid) -> Result<InclusionProofDto, NoProof> {
        let proof = self.log.inclusion(event_id).await.map_err(no_proof)?;
        Ok(InclusionProofDto {
            kind: "inclusion",
            event_id: proof.event_id,
            position: proof.position,
            leaf: STANDARD.encode(&proof.leaf),
            path: hashes(&proof.path),
            head: proof.head.text,
            key: proof.key,
            rotations: proof.rotations,
        })
    }

    async fn since(&self, from: u64, to: Option<u64>) -> Result<ConsistencyProofDto, NoProof> {
        let proof = self.log.consistency(from, to).await.map_err(no_proof)?;
        Ok(ConsistencyProofDto {
            kind: "consistency",
            from: proof.from.text,
            to: proof.to.text,
            path: hashes(&proof.path),
            key: proof.key,
            rotations: proof.rotations,
        })
    }

    async fn key(&self) -> Result<LogPublicKey, NoProof> {
        let key = self.log.public_key().await.map_err(no_proof)?;
        Ok(LogPublicKey { key, rotations: self.log.rotations().await.map_err(no_proof)? })
    }

    async fn rotate_key(&self, by: &str) -> Result<LogPublicKey, NoProof> {
        self.log.rotate_key(by).await.map_err(no_proof)?;
        self.key().await
    }

    async fn sign_receipt(&self, lines: &[String]) -> Result<String, NoProof> {
        self.log.sign_receipt(lines).await.map_err(no_proof)
    }

    async fn verify(&self, heads: &str) -> Result<LogReport, NoProof> {
        self.log.verify(heads, &[]).await.map(report).map_err(no_proof)
    }
}

fn no_proof(error: ProofError) -> NoProof {
    match &error {
        ProofError::NoSuchEvent { .. } | ProofError::NoSuchHead { .. } => {
            NoProof::NotFound(error.to_string())
        }
        ProofError::NotSignedYet { .. }
        | ProofError::TilesGone { .. }
        | ProofError::NotWhatWasSigned { .. }
        | ProofError::OtherKey
        | ProofError::TooManyKeys { .. }
        | ProofError::NoKey => NoProof::Conflict(error.to_string()),
        ProofError::Store(_) | ProofError::File { .. } => NoProof::Failed(Box::new(error)),
    }
}

fn head(note: Note) -> SignedLogHead {
    SignedLogHead {
        size: note.head.size,
        root: note.head.root.iter().map(|byte| format!("{byte:02x}")).collect(),
        signed_at: time(note.head.signed_at),
        note: note.text,
    }
}

/// The report in the shape of the API.
pub(crate) fn report(report: Report) -> LogReport {
    LogReport {
        is_good: report.is_good(),
        size: report.size,
        events: report.events,
        gaps: report.gaps,
        waiting: report.waiting,
        unsigned: report.unsigned,
        heads: report
            .heads
            .into_iter()
            .map(|it| LogHeadVerdict {
                size: it.size,
                signed_at: time(it.signed_at),
                is_signed: it.is_signed,
                fits_log: it.fits_log,
                fits_tiles: it.fits_tiles,
            })
            .collect(),
        unreadable_heads: report.unreadable_heads,
        findings: report.findings.into_iter().map(finding).collect(),
        findings_total: report.findings_total,
        skipped: report
            .skipped
            .into_iter()
            .map(|it| SkippedLogEvent {
                event_id: it.event_id,
                reason: it.reason,
                skipped_by: it.skipped_by,
                skipped_at: time(it.skipped_at),
            })
            .collect(),
        rebuilt: report
            .rebuilt
            .map(|it| RebuiltTree { at: time(it.at), former_size: it.former_size }),
    }
}

fn finding(finding: Finding) -> LogFinding {
    LogFinding {
        kind: finding.kind.as_str(),
        position: finding.position,
        event_id: finding.event_id,
        stream_id: finding.stream_id,
        revision: finding.revision,
        event_type: finding.event_type,
        what: finding.what,
    }
}

fn hashes(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(|hash| STANDARD.encode(hash)).collect()
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}
