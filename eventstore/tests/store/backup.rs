//! Copies of the log: loaded into an empty database it is the same, byte for byte, but for what was forgotten.

use bytes::Bytes;
use calotype_eventstore::backup::{
    FRAMES_WAITING_MAX, Frame, Loaded, Table, begin_moment, copy_in, copy_out, finish_load,
    is_empty, log_is, read_log, require_opens, write_log,
};
use calotype_eventstore::contract::{append, envelope, event, event_id, sealed_event};
use calotype_eventstore::testing::database;
use calotype_eventstore::{
    EventStore as _, ExpectedRevision, Keyring, PostgresStore, ProofLog, Sequencer, StoreError,
};
use serde_json::json;
use sqlx::PgPool;
use tokio::sync::mpsc;

use crate::support::{read_everything, sequence_all, store_over};

const KEYS: &str = "log.subject_keys";
const VECTOR: &[u8] = b"0.25 0.5 zqxj";

fn keyring() -> Keyring {
    Keyring::from_bytes([7; 32])
}

/// A log with sealed values and attachments, of three subjects, 30 events.
async fn filled(pool: &PgPool) -> PostgresStore {
    let store = store_over(pool).await;
    for number in 0..10 {
        let key = (number % 3).to_string();
        let mut attached = event(200 + number);
        attached.attachments = vec![("vector".to_owned(), Bytes::from_static(VECTOR))];
        let events = vec![event(number), sealed_event(100 + number, &json!("Ada")), attached];
        store
            .append(vec![append(&key, ExpectedRevision::Any, events)], envelope())
            .await
            .expect("an append");
    }
    sequence_all(&Sequencer::new(store.clone())).await;
    store
}

/// All that is sent, as it would lie in files.
async fn frames(send: impl AsyncFnOnce(mpsc::Sender<Frame>)) -> Vec<Frame> {
    let (sent, mut taken) = mpsc::channel(FRAMES_WAITING_MAX);
    let ((), frames) = tokio::join!(send(sent), async {
        let mut frames = Vec::new();
        while let Some(frame) = taken.recv().await {
            frames.push(frame);
        }
        frames
    });
    frames
}

fn again(frames: Vec<Frame>) -> mpsc::Receiver<Frame> {
    let (sent, taken) = mpsc::channel(frames.len().max(1));
    for frame in frames {
        sent.try_send(frame).expect("room");
    }
    taken
}

fn table(frame: Option<Frame>) -> Option<Table> {
    match frame {
        Some(Frame::Table(table)) => Some(table),
        _ => None,
    }
}

/// The keys as they are now.
async fn keys(pool: &PgPool) -> Vec<Frame> {
    let mut moment = begin_moment(pool).await.expect("a moment");
    let table = Table::new(KEYS, &["subject", "wrapped", "created_at", "destroyed_at"]);
    let query = format!("select {} from {KEYS}", table.columns.join(", "));
    frames(async |sent| copy_out(&mut moment, table, &query, &sent).await.expect("keys")).await
}

async fn log(pool: &PgPool, range: (i64, i64)) -> Vec<Frame> {
    let keyring = keyring();
    frames(async |sent| read_log(pool, &keyring, range, &sent).await.expect("the log")).await
}

/// Loads keys and two pieces of a log.
async fn load(
    pool: &PgPool,
    keys: Vec<Frame>,
    pieces: Vec<(Vec<Frame>, Option<i64>)>,
    (position, log_id): (i64, uuid::Uuid),
) -> Result<Loaded, StoreError> {
    let keyring = keyring();
    let mut tx = pool.begin().await.expect("a transaction");
    let mut keys = again(keys);
    let table = table(keys.recv().await).expect("a table");
    copy_in(&mut tx, &table.name, &table.columns, &mut keys).await?;
    require_opens(&mut tx, &keyring).await?;
    let mut all = Loaded::default();
    for (piece, until) in pieces {
        let loaded = write_log(&mut tx, &keyring, until, &mut again(piece)).await?;
        all.attachments += loaded.attachments;
        all.forgotten += loaded.forgotten;
    }
    finish_load(&mut tx, position, log_id).await?;
    tx.commit().await.expect("a commit");
    Ok(all)
}

#[tokio::test]
async fn log_is_the_same_after_it_was_copied() {
    let (here, there) = (database().await, database().await);
    let store = filled(&here.pool).await;
    let folder = tempfile::tempdir().expect("a folder");
    let proof = |pool: &PgPool| {
        ProofLog::new(pool.clone(), folder.path().join("keys"), folder.path().join("heads"))
    };
    let head = proof(&here.pool).sign().await.expect("a head").expect("a log").note;
    let is = log_is(&mut begin_moment(&here.pool).await.expect("a moment")).await.expect("a log");
    assert_eq!(is.position, 30);

    let pieces =
        vec![(log(&here.pool, (0, 17)).await, None), (log(&here.pool, (17, 30)).await, None)];
    let sealed = |frames: &[Frame]| {
        let has = |bytes: &Bytes| bytes.windows(4).any(|some| some == b"zqxj");
        !frames
            .iter()
            .any(|it| matches!(it, Frame::Attachment(bytes) | Frame::Rows(bytes) if has(bytes)))
    };
    assert!(pieces.iter().all(|(piece, _)| sealed(piece)), "an attachment went in clear");
    assert!(is_empty(&there.pool).await.expect("a look"));
    let loaded = load(&there.pool, keys(&here.pool).await, pieces, (30, is.log_id)).await;
    assert_eq!(loaded.expect("it loads"), Loaded { attachments: 10, forgotten: 0 });

    assert!(!is_empty(&there.pool).await.expect("a look"));
    let restored = store_over(&there.pool).await;
    assert_eq!(read_everything(&restored).await, read_everything(&store).await);
    let attachments = restored.attachments(event_id(205)).await.expect("attachments");
    assert_eq!(attachments, [("vector".to_owned(), Bytes::from_static(VECTOR))]);
    let log = proof(&there.pool);
    while log.extend().await.expect("a tree") > 0 {}
    let report = log.verify(&head.text, &[]).await.expect("a look");
    assert!(report.is_good() && report.heads.iter().all(|it| it.fits_log), "{report:?}");
    // It goes on behind what was copied.
    restored
        .append(vec![append("0", ExpectedRevision::Any, vec![event(500)])], envelope())
        .await
        .expect("an append");
    sequence_all(&Sequencer::new(restored.clone())).await;
    let last = read_everything(&restored).await.pop().expect("an event");
    assert_eq!(last.position.map(|position| position.get()), Some(31));
}

#[tokio::test]
async fn piece_is_cut_at_a_position() {
    let (here, there) = (database().await, database().await);
    let store = filled(&here.pool).await;
    let pieces = vec![(log(&here.pool, (0, 20)).await, Some(13))];
    let id = uuid::Uuid::from_u128(9);
    let loaded = load(&there.pool, keys(&here.pool).await, pieces, (13, id)).await;
    // The third event of every three has one: 12 of 13 positions are four whole threes.
    assert_eq!(loaded.expect("it loads"), Loaded { attachments: 4, forgotten: 0 });
    let restored = store_over(&there.pool).await;
    assert_eq!(read_everything(&restored).await, read_everything(&store).await[..13]);
}

#[tokio::test]
async fn what_was_forgotten_since_the_copy_is_left_out() {
    let (here, there) = (database().await, database().await);
    let store = filled(&here.pool).await;
    let pieces = vec![(log(&here.pool, (0, 30)).await, None)];
    store.forget("thing-1").await.expect("it forgets");

    let id = uuid::Uuid::from_u128(9);
    let loaded = load(&there.pool, keys(&here.pool).await, pieces, (30, id)).await;
    assert_eq!(loaded.expect("it loads"), Loaded { attachments: 7, forgotten: 3 });
    let restored = store_over(&there.pool).await;
    assert_eq!(read_everything(&restored).await, read_everything(&store).await);
    assert!(restored.attachments(event_id(201)).await.expect("a look").is_empty());
}

#[tokio::test]
async fn copies_are_refused_with_another_master_key_and_in_another_shape() {
    let (here, there) = (database().await, database().await);
    drop(filled(&here.pool).await);
    let other = Keyring::from_bytes([8; 32]);
    let mut tx = there.pool.begin().await.expect("a transaction");
    let mut keys = again(keys(&here.pool).await);
    let table = table(keys.recv().await).expect("a table");
    copy_in(&mut tx, &table.name, &table.columns, &mut keys).await.expect("keys");
    let refused = require_opens(&mut tx, &other).await;
    assert!(matches!(refused, Err(StoreError::WrongMasterKey)), "{refused:?}");

    for strange in [
        Frame::Table(Table::new("log.events", &["payload"])),
        Frame::Table(Table::new("log.skipped", &["event_id"])),
        Frame::Rows(Bytes::from_static(b"rows")),
        Frame::Attachment(Bytes::from_static(b"short")),
    ] {
        let told = format!("{strange:?}");
        let refused = write_log(&mut tx, &other, None, &mut again(vec![strange])).await;
        assert!(refused.is_err(), "{told}");
    }
}
