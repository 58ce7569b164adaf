//! A key that follows another: heads of both hold, and what was cut off is finished.

use std::fs;

use calotype_eventstore::ProofLog;
use calotype_eventstore::proof::{Note, ProofError, ProofKey, PublicKey, Rotation};

use super::support::Proven;

/// The keys that a log has told.
async fn signer(proven: &Proven) -> PublicKey {
    PublicKey::parse(&proven.log.public_key().await.expect("a key")).expect("a key")
}

#[tokio::test]
async fn heads_of_a_former_key_hold_and_it_signs_no_more() {
    let mut proven = Proven::of(4).await;
    let former = ProofKey::open(proven.keys_dir(), false).expect("the first key");
    proven.append(2).await;

    let rotation = proven.log.rotate_key("user x").await.expect("another key follows");

    proven.append(2).await;
    let head = proven.sign().await;
    assert_eq!((rotation.size, rotation.former), (6, *former.public()));
    assert_eq!(rotation.next, signer(&proven).await);
    assert!(head.is_signed_by(&rotation.next) && !head.is_signed_by(former.public()));
    for known in [vec![], vec![*former.public()], vec![rotation.next]] {
        let report = proven.log.verify("", &known).await.expect("the log can be read");
        assert!(report.is_good(), "{:?}", report.findings);
        assert_eq!(report.heads.len(), 3);
    }
    // Who kept the former key signs a head that nobody believes.
    let forged = head.head.clone().sign(&former);
    let report = proven.log.verify(&forged.text, &[]).await.expect("the log can be read");
    assert!(!report.is_good());
    assert!(!proven.keys_dir().join("proof.key.next").exists());
    let told = fs::read_to_string(proven.heads_file()).expect("the file of heads");
    assert_eq!(Rotation::parse_all(&told), [rotation]);
    assert_eq!(Note::parse_all(&told).1, 0);
}

#[tokio::test]
async fn keys_follow_one_another_also_before_anything_is_signed() {
    let mut proven = Proven::new().await;
    proven.log.rotate_key("user x").await.expect("a second key");
    proven.append(2).await;
    proven.log.rotate_key("user x").await.expect("a third key");
    proven.append(2).await;
    proven.log.rotate_key("user x").await.expect("a fourth key");
    proven.sign().await;

    let report = proven.verify().await;
    assert!(report.is_good(), "{:?}", report.findings);
    assert_eq!(proven.log.rotations().await.expect("the chain").len(), 3);
    let proof = proven.log.consistency(2, None).await.expect("a proof");
    assert!(proof.holds() && proof.rotations.len() == 3);
}

#[tokio::test]
async fn change_of_keys_that_was_cut_off_is_finished_or_begun_anew() {
    let mut proven = Proven::of(2).await;
    let before = fs::read(proven.keys_dir().join("proof.key")).expect("the first key");
    // Killed before the database said so: the first key signs still, and the next one waits.
    let waiting = ProofKey::open_next(proven.keys_dir(), true).expect("the next key");
    proven.append(1).await;
    proven.sign().await;
    let rotation = proven.log.rotate_key("user x").await.expect("the next key follows");
    assert_eq!(rotation.next, *waiting.public());
    // Killed after that, before the file took its place.
    let keys = proven.keys_dir();
    fs::rename(keys.join("proof.key"), keys.join("proof.key.next")).expect("as it was");
    fs::write(keys.join("proof.key"), before).expect("as it was");
    proven.append(1).await;

    let head = proven.sign().await;

    assert!(head.is_signed_by(&rotation.next));
    assert!(!keys.join("proof.key.next").exists());
    assert!(proven.verify().await.is_good());
}

#[tokio::test]
async fn former_key_that_is_put_back_signs_nothing() {
    let mut proven = Proven::of(2).await;
    let file = proven.keys_dir().join("proof.key");
    let before = fs::read(&file).expect("the first key");
    proven.log.rotate_key("user x").await.expect("another key follows");
    fs::write(&file, before).expect("a backup of the key");
    proven.append(2).await;

    for refused in [proven.log.sign().await.map(drop), proven.log.rotate_key("x").await.map(drop)] {
        assert!(matches!(refused, Err(ProofError::OtherKey)), "{refused:?}");
    }
    assert_eq!(proven.log.rotations().await.expect("the chain").len(), 1);
}

#[tokio::test]
async fn chain_that_somebody_removed_from_the_database_is_missed() {
    let mut proven = Proven::of(2).await;
    proven.log.rotate_key("user x").await.expect("another key follows");
    proven.append(2).await;
    proven.sign().await;
    proven.tamper("delete from proof.keys").await;

    // The file that heads go out to has it still.
    assert!(proven.verify().await.is_good());
    let elsewhere = proven.folder.path().join("nowhere");
    let log = ProofLog::new(proven.database.pool.clone(), proven.keys_dir(), elsewhere);
    let report = log.verify("", &[]).await.expect("the log can be read");
    assert!(report.findings.iter().any(|it| it.what.contains("is not signed by the log's key")));
}
