//! Signed heads, proofs that lead to them, and what kills and losses leave.

use std::time::Duration;

use calotype_eventstore::contract::event_id;
use calotype_eventstore::proof::{Note, ProofError, ProofKey, PublicKey};
use calotype_eventstore::{EventStore as _, ProofLog, Prover, ProverOptions};

use super::support::Proven;

#[tokio::test]
async fn every_event_is_proven_to_a_signed_head() {
    let proven = Proven::of(300).await;
    let key = PublicKey::parse(&proven.log.public_key().await.expect("a key")).expect("a key");
    for number in [0, 1, 128, 255, 256, 298, 299] {
        let proof = proven.log.inclusion(event_id(number)).await.expect("a proof");
        assert!(proof.holds() && proof.head.is_signed_by(&key), "{number}");
        assert_eq!(proof.head.head.size, 300);
    }
    let unknown = proven.log.inclusion(event_id(300)).await;
    assert!(matches!(unknown, Err(ProofError::NoSuchEvent { .. })), "{unknown:?}");
}

#[tokio::test]
async fn each_head_is_the_beginning_of_the_next() {
    let mut proven = Proven::of(1).await;
    let mut sizes = vec![1];
    for more in [1, 5, 250, 300, 1_500] {
        proven.append(more).await;
        sizes.push(proven.sign().await.head.size);
    }
    for from in &sizes {
        for to in sizes.iter().filter(|to| *to >= from) {
            let proof = proven.log.consistency(*from, Some(*to)).await.expect("a proof");
            assert!(proof.holds(), "{from} of {to}");
        }
    }
    let newest = proven.log.consistency(7, None).await.expect("a proof");
    assert_eq!(newest.to.head.size, 2_057);
    let none = proven.log.consistency(8, None).await;
    assert!(matches!(none, Err(ProofError::NoSuchHead { size: 8 })), "{none:?}");
    assert!(proven.verify().await.is_good());
}

#[tokio::test]
async fn what_was_not_signed_yet_is_told_apart() {
    let mut proven = Proven::of(10).await;
    proven.append(1).await;

    let refused = proven.log.inclusion(event_id(10)).await;
    assert!(matches!(refused, Err(ProofError::NotSignedYet { position: 11 })), "{refused:?}");
    proven.sign().await;
    assert!(proven.log.inclusion(event_id(10)).await.expect("a proof").holds());
}

#[tokio::test]
async fn an_empty_log_is_not_signed_and_the_same_log_only_once() {
    let mut proven = Proven::new().await;
    assert!(proven.log.sign().await.expect("an answer").is_none());
    proven.append(2).await;
    let first = proven.log.sign().await.expect("an answer").expect("a head");
    let second = proven.log.sign().await.expect("an answer").expect("a head");
    assert!(first.is_new && !second.is_new);
    assert_eq!(first.note, second.note);
}

#[tokio::test]
async fn heads_go_out_to_a_file_once_and_after_a_kill_too() {
    let mut proven = Proven::of(2).await;
    let first = proven.log.heads().await.expect("heads");
    // As a kill between the database and the file leaves it.
    proven.append(2).await;
    proven.sign().await;
    std::fs::write(proven.heads_file(), &first[0].text).expect("the file of before");
    proven.tamper("update proof.heads set is_told = false where size = 4").await;

    proven.log.tell().await.expect("it is told");
    proven.log.tell().await.expect("nothing is left to be told");

    let told = std::fs::read_to_string(proven.heads_file()).expect("the file");
    let (notes, unreadable) = Note::parse_all(&told);
    let sizes: Vec<u64> = notes.iter().map(|note| note.head.size).collect();
    assert_eq!((sizes, unreadable), (vec![2, 4], 0));
    assert!(proven.log.verify(&told, &[]).await.expect("a report").is_good());
}

#[tokio::test]
async fn steps_that_were_killed_leave_the_tree_of_before_or_after() {
    let mut proven = Proven::new().await;
    let options = ProverOptions::default();
    let prover = Prover::new(proven.store.clone(), proven.log.clone(), options);
    for _ in 0..10 {
        proven.append(300).await;
        // Wherever the step stands: before, in the middle, or behind its end.
        let kill = sqlx::query(
            "select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and application_name = 'calotype leader'",
        )
        .execute(&proven.database.pool);
        let (_, killed) = tokio::join!(prover.step(), kill);
        killed.expect("a superuser may do this");
    }
    while proven.log.extend().await.expect("a step") > 0 {}
    proven.sign().await;

    let report = proven.verify().await;
    assert!(report.is_good(), "{:?}", report.findings);
    assert_eq!(report.size, 3_000);
}

#[tokio::test]
async fn tiles_that_are_lost_are_said_and_made_anew() {
    let mut proven = Proven::of(700).await;
    proven.tamper("truncate proof.tiles").await;
    proven.append(1).await;

    let refused = proven.log.extend().await;
    assert!(matches!(refused, Err(ProofError::TilesGone { size: 700 })), "{refused:?}");
    let report = proven.verify().await;
    assert!(!report.is_good());
    let is_said =
        report.findings.iter().any(|it| it.what.contains("positions 513 to 700 are gone"));
    assert!(is_said, "{:?}", report.findings);
    assert!(report.heads.iter().all(|head| head.fits_log && !head.fits_tiles));

    proven.log.rebuild().await.expect("a rebuild");
    proven.sign().await;
    let report = proven.verify().await;
    assert!(report.is_good(), "{:?}", report.findings);
    assert_eq!(report.rebuilt.map(|it| it.former_size), Some(700));
    assert!(proven.log.consistency(700, None).await.expect("a proof").holds());
}

#[tokio::test]
async fn a_lost_or_other_key_signs_nothing() {
    let mut proven = Proven::of(2).await;
    proven.append(2).await;
    let elsewhere = tempfile::tempdir().expect("a folder");
    let file = elsewhere.path().join("heads");
    let other = |keys: &str| {
        ProofLog::new(proven.database.pool.clone(), elsewhere.path().join(keys), file.clone())
    };
    let refused = other("none").sign().await;
    assert!(matches!(refused, Err(ProofError::NoKey)), "{refused:?}");

    ProofKey::open(elsewhere.path().join("other"), true).expect("another key");
    let refused = other("other").sign().await;
    assert!(matches!(refused, Err(ProofError::OtherKey)), "{refused:?}");
    let report = other("other").verify("", &[]).await.expect("a report");
    assert!(report.heads.iter().all(|head| !head.is_signed && head.fits_log));
    assert!(!report.is_good());
}

#[tokio::test]
async fn one_of_two_provers_leads_and_signs_when_due() {
    let mut proven = Proven::new().await;
    let options = ProverOptions { head_interval: Duration::ZERO, ..ProverOptions::default() };
    let prover = || Prover::new(proven.store.clone(), proven.log.clone(), options);
    let [first, second] = [prover(), prover()];
    assert_eq!(first.step().await.expect("the first leads"), Some(0));
    assert_eq!(second.step().await.expect("the second does not"), None);
    drop(second);
    proven.append(5_000).await;

    assert_eq!(first.step().await.expect("a step"), Some(904));
    assert_eq!(first.step().await.expect("a step"), Some(0));
    first.sign_when_due().await.expect("it signs");
    first.sign_when_due().await.expect("nothing is due");

    let heads = proven.log.heads().await.expect("heads");
    assert_eq!(heads.iter().map(|note| note.head.size).collect::<Vec<_>>(), [5_000]);
    assert_eq!(proven.store.head().await.expect("a head").get(), 5_000);
}

#[tokio::test]
async fn who_looks_while_heads_are_signed_finds_nothing() {
    let mut proven = Proven::of(300).await;
    let log = proven.log.clone();
    #[expect(clippy::disallowed_methods, reason = "it is waited for below")]
    let looking = tokio::spawn(async move {
        let mut reports = Vec::new();
        for _ in 0..20 {
            reports.push(log.verify("", &[]).await.expect("the log can be read"));
        }
        reports
    });
    while !looking.is_finished() {
        proven.append(2).await;
        proven.sign().await;
    }

    for report in looking.await.expect("it ends") {
        assert!(report.is_good(), "{:?}", report.findings);
    }
}

#[tokio::test]
async fn who_leads_and_has_nothing_to_do_locks_nobody_out() {
    let proven = Proven::of(4).await;
    let prover = Prover::new(proven.store.clone(), proven.log.clone(), ProverOptions::default());
    assert_eq!(prover.step().await.expect("it leads"), Some(0));

    let locked = sqlx::query("select size from proof.tree for update nowait")
        .execute(&proven.database.pool)
        .await;

    assert_eq!(locked.expect("nobody holds it").rows_affected(), 1);
}
