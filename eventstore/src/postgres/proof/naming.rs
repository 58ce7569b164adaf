//! Names what differs: which event, where, and in which way.

use sqlx::PgPool;
use uuid::Uuid;

use super::look::{NAMED_MAX, State, add};
use super::stored;
use super::tiles::signed;
use crate::error::StoreError;
use crate::proof::{Finding, FindingKind, Hash, Leaf, ProofError, Report, gap, leaf_hash};

/// So many differing places are tried for an event that stands at another one.
const MOVED_MAX: usize = 256;
/// Most places that are missing in streams that are told.
const HOLES_MAX: i64 = 20;

const SELECT_STRAYS: &str = "
    select e.event_id, e.stream_id, e.revision, e.type
    from log.events e
    where not exists (select from log.positions p where p.event_id = e.event_id)
        and not exists (select from log.outbox o where e.event_id = any (o.event_ids))
    order by e.recorded_at, e.event_id
    limit $1";

const SELECT_BEYOND: &str = "
    select p.position, p.event_id
    from log.positions p, log.head h
    where p.position < 1 or p.position > h.position
    order by p.position
    limit $1";

const SELECT_EMPTY: &str = "
    select p.position, p.event_id
    from log.positions p
    left join log.events e on e.event_id = p.event_id
    where p.position > $1 and e.event_id is null
    order by p.position
    limit $2";

const SELECT_HOLES: &str = "
    select stream_id, revision - 1
    from (
        select stream_id, revision, lag(revision) over (partition by stream_id order by revision) as before
        from log.events
    ) e
    where revision <> coalesce(before, -1) + 1
    order by stream_id, revision
    limit $1";

/// A position whose leaf is not what its tile says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Difference {
    pub(super) position: i64,
    /// What the tile says.
    pub(super) stored: Hash,
}

/// Names differences; `proven` is the last position up to which the log is what was signed, so that there the tiles
/// are wrong.
pub(super) async fn differences(
    pool: &PgPool,
    differences: &[Difference],
    proven: u64,
    findings: &mut Vec<Finding>,
) -> Result<(), ProofError> {
    let mut is_nameless = false;
    for difference in differences {
        let position = difference.position;
        let named = stored::at(pool, position, |row| {
            let id = row.event_id;
            match row.leaf {
                Some(leaf) => {
                    (id, Some((judge(&leaf, difference, differences, proven), Name::of(&leaf))))
                }
                None => (id, None),
            }
        })
        .await?;
        let found = match named {
            Some((_, Some(((kind, what), name)))) => name.finding(kind, Some(position), what),
            Some((event_id, None)) => removed(position, Some(event_id)),
            None if position <= signed(proven) => Finding {
                what: "the stored hash was changed; there was no event".to_owned(),
                kind: FindingKind::Tile,
                ..removed(position, None)
            },
            None => {
                is_nameless = true;
                removed(position, None)
            }
        };
        findings.push(found);
    }
    if is_nameless {
        holes(pool, findings).await?;
    }
    Ok(())
}

/// Events that have no position and do not wait for one, and positions where none were given.
pub(super) async fn strays(
    pool: &PgPool,
    state: &State,
    seen_events: u64,
    report: &mut Report,
) -> Result<(), ProofError> {
    let failed = || StoreError::database("look for events that were never recorded");
    let max = i64::try_from(NAMED_MAX).unwrap_or(i64::MAX);
    let beyond: Vec<(i64, Uuid)> =
        sqlx::query_as(SELECT_BEYOND).bind(max).fetch_all(pool).await.map_err(failed())?;
    for (position, event_id) in beyond {
        let what = "it stands at a position that was never given".to_owned();
        let kind = FindingKind::Inserted;
        add(report, Finding { kind, what, ..removed(position, Some(event_id)) });
    }
    if state.positions > seen_events {
        let empty: Vec<(i64, Uuid)> = sqlx::query_as(SELECT_EMPTY)
            .bind(signed(state.size))
            .bind(max)
            .fetch_all(pool)
            .await
            .map_err(failed())?;
        for (position, event_id) in empty {
            add(report, removed(position, Some(event_id)));
        }
    }
    if state.rows > seen_events + state.outbox {
        let rows: Vec<(Uuid, String, i64, String)> =
            sqlx::query_as(SELECT_STRAYS).bind(max).fetch_all(pool).await.map_err(failed())?;
        for (event_id, stream_id, revision, event_type) in rows {
            let name = Name { event_id, stream_id, revision, event_type };
            let what = "it has no position, and waits for none".to_owned();
            add(report, name.finding(FindingKind::Inserted, None, what));
        }
    }
    Ok(())
}

/// What became of the event at a position.
fn judge(
    leaf: &Leaf<'_>,
    difference: &Difference,
    differences: &[Difference],
    proven: u64,
) -> (FindingKind, String) {
    if leaf.position <= signed(proven) {
        let what = "its stored hash was changed; the event is what was signed";
        return (FindingKind::Tile, what.to_owned());
    }
    if difference.stored == leaf_hash(&gap(leaf.position)) {
        return (FindingKind::Inserted, "there was no event at this position".to_owned());
    }
    let recorded = differences
        .iter()
        .take(MOVED_MAX)
        .find(|other| Leaf { position: other.position, ..*leaf }.hash() == other.stored);
    if let Some(other) = recorded {
        let what = format!("it was recorded at position {}", other.position);
        return (FindingKind::Moved, what);
    }
    let what = format!(
        "its row hashes to {}…, and {}… was recorded",
        hex(&leaf.hash()),
        hex(&difference.stored)
    );
    (FindingKind::Changed, what)
}

/// Who was removed is told by the places that are missing in streams, unless it was the last one.
async fn holes(pool: &PgPool, findings: &mut [Finding]) -> Result<(), ProofError> {
    let rows: Vec<(String, i64)> = sqlx::query_as(SELECT_HOLES)
        .bind(HOLES_MAX)
        .fetch_all(pool)
        .await
        .map_err(StoreError::database("look for what is missing in streams"))?;
    let nameless = findings
        .iter_mut()
        .filter(|it| it.kind == FindingKind::Removed && it.event_id.is_none())
        .collect::<Vec<_>>();
    match (rows.as_slice(), nameless.len()) {
        ([(stream_id, revision)], 1) => {
            for finding in nameless {
                finding.stream_id = Some(stream_id.clone());
                finding.revision = Some(*revision);
            }
        }
        ([], _) => {}
        (rows, _) => {
            let missing: Vec<String> =
                rows.iter().map(|(stream, revision)| format!("{stream} {revision}")).collect();
            for finding in nameless {
                finding.what =
                    format!("{}; missing in streams: {}", finding.what, missing.join(", "));
            }
        }
    }
    Ok(())
}

fn removed(position: i64, event_id: Option<Uuid>) -> Finding {
    Finding {
        kind: FindingKind::Removed,
        position: Some(position),
        event_id,
        stream_id: None,
        revision: None,
        event_type: None,
        what: match event_id {
            Some(_) => "its row is gone".to_owned(),
            None => "its row and its position are gone".to_owned(),
        },
    }
}

/// How an event is called.
struct Name {
    event_id: Uuid,
    stream_id: String,
    revision: i64,
    event_type: String,
}

impl Name {
    fn of(leaf: &Leaf<'_>) -> Self {
        Self {
            event_id: leaf.event_id,
            stream_id: String::from_utf8_lossy(leaf.stream_id).into_owned(),
            revision: leaf.revision,
            event_type: String::from_utf8_lossy(leaf.event_type).into_owned(),
        }
    }

    fn finding(self, kind: FindingKind, position: Option<i64>, what: String) -> Finding {
        Finding {
            kind,
            position,
            event_id: Some(self.event_id),
            stream_id: Some(self.stream_id),
            revision: Some(self.revision),
            event_type: Some(self.event_type),
            what,
        }
    }
}

fn hex(hash: &Hash) -> String {
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
