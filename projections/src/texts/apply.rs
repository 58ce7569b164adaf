//! Events of assets to `texts_v1`. The words are sealed with the asset's key, and where they stand is an attachment
//! that goes with it: of what is forgotten there is no row.

use std::collections::HashMap;

use async_trait::async_trait;
use calotype_domain::asset::{AssetEvent, AssetTextRead, TextBox};
use calotype_domain::catalogue::AnyEvent;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::row::TextLine;
use crate::error::ProjectionError;
use crate::event::Event;
use crate::projection::Projection;
use crate::search::fold_words;

/// The name of the attachment.
const BOXES: &str = "boxes";

/// Keeps `texts_v1`.
pub struct TextsProjection;

#[async_trait]
impl Projection for TextsProjection {
    fn name(&self) -> &'static str {
        "texts"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["texts_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["asset"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        // Of each asset what was read last counts.
        let mut last: HashMap<Uuid, (&Event, Option<&AssetTextRead>)> = HashMap::new();
        for event in events {
            match &event.what {
                AnyEvent::Asset(AssetEvent::TextRead(read)) => {
                    last.insert(event.key, (event, Some(read)));
                }
                AnyEvent::Asset(AssetEvent::Purged(_)) => {
                    last.insert(event.key, (event, None));
                }
                _ => {}
            }
        }
        let gone: Vec<Uuid> =
            last.iter().filter(|(_, (_, read))| read.is_none()).map(|(key, _)| *key).collect();
        let told: Vec<(&Event, &AssetTextRead)> =
            last.into_values().filter_map(|(event, read)| Some((event, read?))).collect();
        if !gone.is_empty() {
            sqlx::query("delete from texts_v1 where asset_id = any($1)")
                .bind(&gone)
                .execute(&mut *tx)
                .await?;
        }
        if told.is_empty() { Ok(()) } else { put_in_tx(tx, &told).await }
    }
}

/// The columns of some rows.
#[derive(Default)]
struct Columns {
    asset_ids: Vec<Uuid>,
    revisions: Vec<i64>,
    owner_ids: Vec<Uuid>,
    reader_ids: Vec<Uuid>,
    words: Vec<String>,
    lines: Vec<Json<Vec<TextLine>>>,
}

async fn put_in_tx(
    tx: &mut PgConnection,
    told: &[(&Event, &AssetTextRead)],
) -> Result<(), ProjectionError> {
    let event_ids: Vec<Uuid> = told.iter().map(|(event, _)| event.event_id).collect();
    let attached: Vec<(Uuid, Vec<u8>)> = sqlx::query_as(
        "select event_id, bytes from log.attachments where event_id = any($1) and name = $2",
    )
    .bind(&event_ids)
    .bind(BOXES)
    .fetch_all(&mut *tx)
    .await?;
    let attached: HashMap<Uuid, Vec<u8>> = attached.into_iter().collect();
    let mut rows = Columns::default();
    for (event, read) in told {
        let Some(lines) = read.lines.known() else { continue };
        // What other machines read may hold U+0000, which PostgreSQL does not keep.
        let lines: Vec<String> = lines.iter().map(|line| line.replace('\0', " ")).collect();
        let boxes = attached.get(&event.event_id).and_then(|bytes| TextBox::unpack(bytes));
        rows.asset_ids.push(event.key);
        rows.revisions.push(event.revision);
        rows.owner_ids.push(read.owner_id.uuid());
        rows.reader_ids.push(read.reader.id());
        rows.words.push(fold_words(&lines.join(" ")));
        rows.lines.push(Json(TextLine::all(&lines, &boxes.unwrap_or_default())));
    }
    sqlx::query(
        "insert into texts_v1 as known
                (asset_id, revision, owner_id, reader_id, words, lines)
         select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[], $5::text[],
                              $6::jsonb[])
         on conflict (asset_id) do update
            set revision = excluded.revision, owner_id = excluded.owner_id,
                reader_id = excluded.reader_id, words = excluded.words, lines = excluded.lines
          where known.revision < excluded.revision",
    )
    .bind(&rows.asset_ids)
    .bind(&rows.revisions)
    .bind(&rows.owner_ids)
    .bind(&rows.reader_ids)
    .bind(&rows.words)
    .bind(&rows.lines)
    .execute(tx)
    .await?;
    Ok(())
}
