//! Events of assets to `embeddings_v1`. The vector is the event's attachment, which goes with its subject: of
//! one that is forgotten there is no row. Vectors of models that are tried go beside, until a switch.

use std::collections::HashMap;

use async_trait::async_trait;
use calotype_domain::asset::{AssetEmbedded, AssetEvent};
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::model::unpack;
use calotype_domain::trial::{AssetTrialEmbedded, AssetTrialEvent};
use sqlx::PgConnection;
use uuid::Uuid;

use super::codes::Codes;
use super::switch;
use crate::error::ProjectionError;
use crate::event::Event;
use crate::projection::Projection;

/// The name of the attachment.
pub(super) const VECTOR: &str = "vector";

/// Keeps `embeddings_v1`.
pub struct EmbeddingsProjection;

#[async_trait]
impl Projection for EmbeddingsProjection {
    fn name(&self) -> &'static str {
        "embeddings"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["embeddings_v1", "embeddings_beside_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["asset", "asset_trial", "config"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        // A switch exchanges what was said before it, so the order between the two counts.
        for run in events.chunk_by(|one, other| !switch::is_one(one) && !switch::is_one(other)) {
            match run {
                [event] if switch::is_one(event) => switch::apply_in_tx(tx, event).await?,
                _ => apply_run_in_tx(tx, run).await?,
            }
        }
        Ok(())
    }
}

async fn apply_run_in_tx(tx: &mut PgConnection, events: &[&Event]) -> Result<(), ProjectionError> {
    // Of each asset what was said last counts.
    let mut last: HashMap<Uuid, (&Event, Option<&AssetEmbedded>)> = HashMap::new();
    let mut tried: HashMap<(Uuid, Uuid), (&Event, &AssetTrialEmbedded)> = HashMap::new();
    for event in events {
        match &event.what {
            AnyEvent::Asset(AssetEvent::Embedded(found)) => {
                last.insert(event.key, (event, Some(found)));
            }
            AnyEvent::Asset(AssetEvent::Purged(_)) => {
                last.insert(event.key, (event, None));
            }
            AnyEvent::AssetTrial(AssetTrialEvent::Embedded(found)) => {
                tried.insert((event.key, found.model.id()), (event, found));
            }
            _ => {}
        }
    }
    switch::put_beside_in_tx(tx, tried.into_values()).await?;
    let gone: Vec<Uuid> =
        last.iter().filter(|(_, (_, found))| found.is_none()).map(|(key, _)| *key).collect();
    let told: Vec<(&Event, &AssetEmbedded)> =
        last.into_values().filter_map(|(event, found)| Some((event, found?))).collect();
    if !gone.is_empty() {
        sqlx::query(
            "with beside as (delete from embeddings_beside_v1 where asset_id = any($1))
                 delete from embeddings_v1 where asset_id = any($1)",
        )
        .bind(&gone)
        .execute(&mut *tx)
        .await?;
    }
    if told.is_empty() { Ok(()) } else { put_in_tx(tx, &told).await }
}

/// The columns of some rows.
#[derive(Default)]
struct Columns {
    asset_ids: Vec<Uuid>,
    revisions: Vec<i64>,
    owner_ids: Vec<Uuid>,
    model_ids: Vec<Uuid>,
    event_ids: Vec<Uuid>,
    scales: Vec<f32>,
    codes: Vec<Vec<u8>>,
}

async fn put_in_tx(
    tx: &mut PgConnection,
    told: &[(&Event, &AssetEmbedded)],
) -> Result<(), ProjectionError> {
    let event_ids: Vec<Uuid> = told.iter().map(|(event, _)| event.event_id).collect();
    let attached: Vec<(Uuid, Vec<u8>)> = sqlx::query_as(
        "select event_id, bytes from log.attachments where event_id = any($1) and name = $2",
    )
    .bind(&event_ids)
    .bind(VECTOR)
    .fetch_all(&mut *tx)
    .await?;
    let attached: HashMap<Uuid, Vec<u8>> = attached.into_iter().collect();
    let mut rows = Columns::default();
    for (event, found) in told {
        let Some(values) = attached.get(&event.event_id).and_then(|bytes| unpack(bytes)) else {
            continue;
        };
        let Codes { codes, scale } = Codes::of(&values);
        rows.asset_ids.push(event.key);
        rows.revisions.push(event.revision);
        rows.owner_ids.push(found.owner_id.uuid());
        rows.model_ids.push(found.model.id());
        rows.event_ids.push(event.event_id);
        rows.scales.push(scale);
        rows.codes.push(codes.into_iter().map(i8::cast_unsigned).collect());
    }
    sqlx::query(
        "insert into embeddings_v1 as known
                (asset_id, revision, owner_id, model_id, event_id, scale, codes)
         select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[], $5::uuid[],
                              $6::real[], $7::bytea[])
         on conflict (asset_id) do update
            set revision = excluded.revision, owner_id = excluded.owner_id,
                model_id = excluded.model_id, event_id = excluded.event_id,
                scale = excluded.scale, codes = excluded.codes
          where known.revision < excluded.revision",
    )
    .bind(&rows.asset_ids)
    .bind(&rows.revisions)
    .bind(&rows.owner_ids)
    .bind(&rows.model_ids)
    .bind(&rows.event_ids)
    .bind(&rows.scales)
    .bind(&rows.codes)
    .execute(tx)
    .await?;
    Ok(())
}
