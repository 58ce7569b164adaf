//! The keys beside the log: the one that opens personal values, and the one that signs heads.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use calotype_eventstore::proof::ProofKey;
use calotype_eventstore::{Keyring, PostgresStore, ProofLog, StoreError};
use sqlx::PgPool;

use super::findings::Findings;
use crate::config::Config;

fn master_key(config: &Config) -> PathBuf {
    config.data.join("keys").join("master.key")
}

/// Who may read the keys; one that is not there yet is not missed here.
pub(super) fn look_at_rights(config: &Config, findings: &mut Findings) {
    match rights(&master_key(config)) {
        Some(false) => findings.problem(&format!(
            "others may read {}: chmod 600 it, it opens every personal value",
            master_key(config).display()
        )),
        Some(true) => findings.good("the master key is there, and only its owner may read it"),
        None => findings.note("there is no master key yet; `calotype serve` makes it"),
    }
    if rights(&proof_key(config)) == Some(false) {
        findings.problem(&format!(
            "others may read {}: chmod 600 it, whoever has it can sign another history",
            proof_key(config).display()
        ));
    }
}

fn proof_key(config: &Config) -> PathBuf {
    config.data.join("keys").join("proof.key")
}

/// A key that is about to follow.
fn next_key(config: &Config) -> Option<ProofKey> {
    ProofKey::open_next(config.data.join("keys"), false).ok()
}

/// Whether only the owner may read a file; nothing where it is not there.
fn rights(path: &Path) -> Option<bool> {
    let of_others = std::fs::metadata(path).ok()?.permissions().mode() & 0o077;
    Some(of_others == 0)
}

/// Whether the master key opens the log. One is never made here: it would not.
pub(super) async fn look_at_master_key(config: &Config, pool: &PgPool, findings: &mut Findings) {
    let has_events: bool = sqlx::query_scalar("select exists (select from log.subject_keys)")
        .fetch_one(pool)
        .await
        .unwrap_or_default();
    let master = master_key(config);
    if !master.exists() {
        if has_events {
            findings.problem(&format!(
                "the log has sealed values, and {} is missing: put it back from its backup; without \
                 it names, places and captions cannot be read any more",
                master.display()
            ));
        }
        return;
    }
    let checked = match Keyring::open(config.data.join("keys")) {
        Ok(keyring) => PostgresStore::check_keyring(pool, keyring).await,
        Err(error) => Err(error),
    };
    match checked {
        Ok(()) if has_events => findings.good("the master key opens the log"),
        Ok(()) => {}
        Err(error @ StoreError::WrongMasterKey) => findings.problem(&error.to_string()),
        Err(error) => findings.problem(&format!("the master key cannot be tried: {error}")),
    }
}

/// Whether the key that signs heads is the one that has to. One is never made here.
pub(super) async fn look_at_proof_key(config: &Config, pool: &PgPool, findings: &mut Findings) {
    let signer = match ProofLog::signer(pool).await {
        Ok(Some(signer)) => signer,
        Ok(None) => return,
        Err(error) => return findings.problem(&format!("signed heads cannot be read: {error}")),
    };
    let path = proof_key(config);
    if !path.exists() {
        return findings.problem(&format!(
            "heads of the log were signed, and {} is missing: put it back from its backup; what was signed can \
             still be verified, and nothing new is signed without it",
            path.display()
        ));
    }
    match ProofKey::open(config.data.join("keys"), false) {
        Ok(key) if signer == *key.public() => {
            findings.good("the key that signs heads signed the last one, or followed the one that did");
        }
        Ok(_) if next_key(config).is_some_and(|next| *next.public() == signer) => findings.note(
            "the change of the key that signs heads was cut off; the server ends it when it signs again",
        ),
        Ok(_) => findings.problem(&format!(
            "{} is not the key that signed the last head of the log, nor one that followed it: put that one back",
            path.display()
        )),
        Err(error) => {
            findings.problem(&format!("the key that signs heads cannot be read: {error}"));
        }
    }
}
