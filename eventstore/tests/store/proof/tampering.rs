//! Rows that somebody changes behind the server's back are found and named.

use calotype_eventstore::contract::event_id;
use calotype_eventstore::proof::{FindingKind, ProofError};
use calotype_eventstore::{EventStore as _, GlobalPosition};

use super::support::{Proven, of_events};

#[tokio::test]
async fn an_untouched_log_holds() {
    let mut proven = Proven::of(700).await;
    proven.append(30).await;

    let report = proven.verify().await;

    assert!(report.is_good(), "{:?}", report.findings);
    assert_eq!((report.size, report.events, report.gaps), (700, 730, 0));
    assert_eq!((report.waiting, report.unsigned), (30, 0));
    assert!(report.heads.iter().all(|head| head.is_signed && head.fits_log && head.fits_tiles));
    assert_eq!(report.heads.len(), 1);
}

#[tokio::test]
async fn a_changed_payload_is_found_and_named() {
    let proven = Proven::of(700).await;
    let event_id = proven.event_at(301).await;
    proven
        .tamper(&format!(
            "update log.events set payload = (payload::text || ' ')::json where event_id = '{event_id}'"
        ))
        .await;

    let report = proven.verify().await;

    let found = of_events(&report);
    assert_eq!(found.len(), 1, "{:?}", report.findings);
    assert_eq!(found[0].kind, FindingKind::Changed);
    assert_eq!((found[0].position, found[0].event_id), (Some(301), Some(event_id)));
    assert!(found[0].stream_id.is_some() && found[0].revision.is_some());
    assert!(report.heads.iter().all(|head| !head.fits_log && head.fits_tiles));
    let refused = proven.log.inclusion(event_id).await;
    assert!(matches!(refused, Err(ProofError::NotWhatWasSigned { .. })), "{refused:?}");
}

#[tokio::test]
async fn every_other_column_counts_too() {
    let proven = Proven::of(40).await;
    for (position, change) in [
        (1, "recorded_at = recorded_at + interval '1 microsecond'"),
        (2, "actor_id = actor_id || 'x'"),
        (3, "client = null"),
        (4, "type = 'Other'"),
        (5, "version = 2"),
        (6, "causation_id = event_id"),
        (7, "subject = 'nobody'"),
    ] {
        let event_id = proven.event_at(position).await;
        proven
            .tamper(&format!("update log.events set {change} where event_id = '{event_id}'"))
            .await;
    }

    let report = proven.verify().await;

    let positions: Vec<_> = of_events(&report).iter().filter_map(|it| it.position).collect();
    assert_eq!(positions, [1, 2, 3, 4, 5, 6, 7], "{:?}", report.findings);
}

#[tokio::test]
async fn a_removed_row_is_found_and_named() {
    let proven = Proven::of(700).await;
    let event_id = proven.event_at(256).await;
    proven.tamper(&format!("delete from log.events where event_id = '{event_id}'")).await;

    let report = proven.verify().await;

    let found = of_events(&report);
    assert_eq!(found.len(), 1, "{:?}", report.findings);
    assert_eq!(found[0].kind, FindingKind::Removed);
    assert_eq!((found[0].position, found[0].event_id), (Some(256), Some(event_id)));
}

#[tokio::test]
async fn a_row_that_was_removed_with_its_position_is_named_by_its_stream() {
    let proven = Proven::of(40).await;
    // The first of the stream's two.
    let event_id = event_id(10);
    let (stream_id, revision): (String, i64) =
        sqlx::query_as("select stream_id, revision from log.events where event_id = $1")
            .bind(event_id)
            .fetch_one(&proven.database.pool)
            .await
            .expect("the event");
    let position = proven.store.position_of(event_id).await.expect("an answer");
    let both = format!(
        "delete from log.events where event_id = '{event_id}';
         delete from log.positions where event_id = '{event_id}'"
    );
    proven.tamper(&both).await;

    let report = proven.verify().await;

    let found = of_events(&report);
    assert_eq!(found.len(), 1, "{:?}", report.findings);
    assert_eq!(found[0].kind, FindingKind::Removed);
    assert_eq!(found[0].position.map(GlobalPosition::new), position);
    assert_eq!(found[0].stream_id.as_deref(), Some(&*stream_id));
    assert_eq!(found[0].revision, Some(revision));
}

#[tokio::test]
async fn an_inserted_row_is_found_and_named() {
    let proven = Proven::of(40).await;
    proven
        .tamper(
            "insert into log.events
             select gen_random_uuid(), 'thing-forged', 0, type, version, payload, subject, actor_kind,
                 actor_id, actor_user_id, client, correlation_id, causation_id, recorded_at
             from log.events limit 1",
        )
        .await;

    let report = proven.verify().await;

    assert_eq!(report.findings_total, 1, "{:?}", report.findings);
    assert_eq!(report.findings[0].kind, FindingKind::Inserted);
    assert_eq!(report.findings[0].stream_id.as_deref(), Some("thing-forged"));
}

#[tokio::test]
async fn a_row_behind_the_head_of_the_log_is_found() {
    let proven = Proven::of(40).await;
    let event_id = proven.event_at(40).await;
    proven
        .tamper(&format!("update log.positions set position = 900 where event_id = '{event_id}'"))
        .await;

    let report = proven.verify().await;

    let found: Vec<_> = of_events(&report).iter().map(|it| (it.kind, it.position)).collect();
    assert!(found.contains(&(FindingKind::Removed, Some(40))), "{:?}", report.findings);
    assert!(found.contains(&(FindingKind::Inserted, Some(900))), "{:?}", report.findings);
}

#[tokio::test]
async fn swapped_positions_are_found_and_named() {
    let proven = Proven::of(700).await;
    let [first, second] = [proven.event_at(20).await, proven.event_at(600).await];
    let swap = format!(
        "update log.positions set position = -1 where event_id = '{first}';
         update log.positions set position = 20 where event_id = '{second}';
         update log.positions set position = 600 where event_id = '{first}'"
    );
    proven.tamper(&swap).await;

    let report = proven.verify().await;

    let found: Vec<_> = of_events(&report)
        .iter()
        .map(|it| (it.kind, it.position, it.event_id, it.what.as_str()))
        .collect();
    let moved = FindingKind::Moved;
    assert_eq!(
        found,
        [
            (moved, Some(20), Some(second), "it was recorded at position 600"),
            (moved, Some(600), Some(first), "it was recorded at position 20"),
        ]
    );
}

#[tokio::test]
async fn a_changed_hash_of_the_tree_is_told_from_a_changed_event() {
    let proven = Proven::of(700).await;
    proven
        .tamper("update proof.tiles set hashes = set_byte(hashes, 32, get_byte(hashes, 32) # 1) where tile = 1 and level = 0")
        .await;

    let report = proven.verify().await;

    let kinds: Vec<_> = of_events(&report).iter().map(|it| (it.kind, it.position)).collect();
    assert!(kinds.contains(&(FindingKind::Tile, Some(258))), "{:?}", report.findings);
    assert!(kinds.iter().all(|(kind, _)| *kind == FindingKind::Tile), "{:?}", report.findings);
    assert!(report.heads.iter().all(|head| head.fits_log && !head.fits_tiles));
}

#[tokio::test]
async fn who_rewrites_log_and_tree_is_found_by_the_head() {
    let proven = Proven::of(700).await;
    let event_id = proven.event_at(301).await;
    proven
        .tamper(&format!("update log.events set actor_id = 'x' where event_id = '{event_id}'"))
        .await;
    proven.log.rebuild().await.expect("the tree is made anew");

    let report = proven.verify().await;

    assert!(!report.is_good());
    assert!(report.heads.iter().all(|head| !head.fits_log && !head.fits_tiles));
    assert_eq!(report.rebuilt.map(|it| it.former_size), Some(700));
    let refused = proven.log.sign().await;
    assert!(matches!(refused, Err(ProofError::NotWhatWasSigned { size: 700 })), "{refused:?}");
}

#[tokio::test]
async fn a_log_that_was_cut_off_is_found_by_a_head_from_elsewhere() {
    let proven = Proven::of(40).await;
    let kept = proven.sign().await.text;
    std::fs::remove_file(proven.heads_file()).expect("the file of heads");
    proven
        .tamper(
            "delete from log.events e using log.positions p where p.event_id = e.event_id and p.position > 30;
             delete from log.positions where position > 30;
             update log.head set position = 30;
             truncate proof.tiles, proof.heads;
             update proof.tree set size = 0",
        )
        .await;
    while proven.log.extend().await.expect("the shorter log") > 0 {}

    let alone = proven.verify().await;
    let with_kept = proven.log.verify(&kept, &[]).await.expect("a report");

    assert!(alone.is_good(), "nothing in the database tells: {:?}", alone.findings);
    assert_eq!(with_kept.findings.len(), 1, "{:?}", with_kept.findings);
    assert_eq!(with_kept.findings[0].kind, FindingKind::Head);
    assert!(with_kept.findings[0].what.contains("signed behind it"), "{:?}", with_kept.findings);
}

#[tokio::test]
async fn forgetting_leaves_everything_valid() {
    let proven = Proven::of(40).await;
    let subjects: Vec<String> = sqlx::query_scalar("select subject from log.subject_keys")
        .fetch_all(&proven.database.pool)
        .await
        .expect("the keys");
    assert!(!subjects.is_empty());
    let before = proven.log.inclusion(event_id(1)).await.expect("a proof");

    proven.store.forget_all(&subjects).await.expect("forgetting");

    let report = proven.verify().await;
    assert!(report.is_good(), "{:?}", report.findings);
    assert_eq!(proven.log.inclusion(event_id(1)).await.expect("a proof"), before);
}

#[tokio::test]
async fn what_operators_skipped_is_listed_and_stays_proven() {
    let proven = Proven::of(40).await;
    proven.store.skip(event_id(3), "cannot be read", "an operator").await.expect("skipping");

    let report = proven.verify().await;

    assert!(report.is_good(), "{:?}", report.findings);
    assert_eq!(report.skipped.len(), 1);
    assert_eq!(report.skipped[0].reason, "cannot be read");
    assert_eq!(report.events, 40);
}
