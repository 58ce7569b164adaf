//! Vectors of models that are tried, and the switch to one of them: one event exchanges them with those in use.

use std::collections::HashMap;

use calotype_domain::ModelTask;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::config::ConfigEvent;
use calotype_domain::model::unpack;
use calotype_domain::trial::AssetTrialEmbedded;
use sqlx::PgConnection;
use uuid::Uuid;

use super::apply::VECTOR;
use super::codes::Codes;
use crate::error::ProjectionError;
use crate::event::Event;

/// The model whose vectors count from this event on, where it says so.
fn switched_to(event: &Event) -> Option<Uuid> {
    let (task, model) = match &event.what {
        AnyEvent::Config(ConfigEvent::ModelSwitched(it)) => (it.task, &it.model),
        AnyEvent::Config(ConfigEvent::ModelRolledBack(it)) => (it.task, &it.model),
        _ => return None,
    };
    (task == ModelTask::SmartSearch).then(|| model.id())
}

/// Whether an event says that other vectors count from now on.
pub(super) fn is_one(event: &Event) -> bool {
    switched_to(event).is_some()
}

/// Exchanges the vectors in use with those of the model that is switched to, of all assets that have such. Done
/// twice it changes nothing more: then there are none beside.
pub(super) async fn apply_in_tx(
    tx: &mut PgConnection,
    event: &Event,
) -> Result<(), ProjectionError> {
    let Some(model_id) = switched_to(event) else { return Ok(()) };
    sqlx::query(
        "insert into embeddings_beside_v1 as beside
                (model_id, asset_id, revision, owner_id, event_id, scale, codes)
         select used.model_id, used.asset_id, used.revision, used.owner_id, used.event_id,
                used.scale, used.codes
           from embeddings_v1 as used
           join embeddings_beside_v1 as next
             on next.asset_id = used.asset_id and next.model_id = $1
          where used.model_id <> $1
         on conflict (model_id, asset_id) do update
            set revision = excluded.revision, owner_id = excluded.owner_id,
                event_id = excluded.event_id, scale = excluded.scale, codes = excluded.codes",
    )
    .bind(model_id)
    .execute(&mut *tx)
    .await?;
    // The revision stays that of the asset's stream: what is told of the asset later is later.
    sqlx::query(
        "insert into embeddings_v1 as used
                (asset_id, revision, owner_id, model_id, event_id, scale, codes)
         select next.asset_id, 0, next.owner_id, next.model_id, next.event_id, next.scale, next.codes
           from embeddings_beside_v1 as next
          where next.model_id = $1
         on conflict (asset_id) do update
            set owner_id = excluded.owner_id, model_id = excluded.model_id,
                event_id = excluded.event_id, scale = excluded.scale, codes = excluded.codes
          where used.model_id <> excluded.model_id",
    )
    .bind(model_id)
    .execute(&mut *tx)
    .await?;
    sqlx::query("delete from embeddings_beside_v1 where model_id = $1")
        .bind(model_id)
        .execute(tx)
        .await?;
    Ok(())
}

/// Keeps vectors of models that are tried.
pub(super) async fn put_beside_in_tx<'a>(
    tx: &mut PgConnection,
    tried: impl Iterator<Item = (&'a Event, &'a AssetTrialEmbedded)>,
) -> Result<(), ProjectionError> {
    let tried: Vec<(&Event, &AssetTrialEmbedded)> = tried.collect();
    if tried.is_empty() {
        return Ok(());
    }
    let attached: Vec<(Uuid, Vec<u8>)> = sqlx::query_as(
        "select event_id, bytes from log.attachments where event_id = any($1) and name = $2",
    )
    .bind(tried.iter().map(|(event, _)| event.event_id).collect::<Vec<_>>())
    .bind(VECTOR)
    .fetch_all(&mut *tx)
    .await?;
    let attached: HashMap<Uuid, Vec<u8>> = attached.into_iter().collect();
    let coded: Vec<(&Event, &AssetTrialEmbedded, Codes)> = tried
        .into_iter()
        .filter_map(|(event, found)| {
            let values = attached.get(&event.event_id).and_then(|bytes| unpack(bytes))?;
            Some((event, found, Codes::of(&values)))
        })
        .collect();
    let bytes =
        |codes: &Codes| -> Vec<u8> { codes.codes.iter().copied().map(i8::cast_unsigned).collect() };
    sqlx::query(
        "insert into embeddings_beside_v1
                (model_id, asset_id, revision, owner_id, event_id, scale, codes)
         select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::uuid[],
                              $6::real[], $7::bytea[])
         on conflict (model_id, asset_id) do update
            set revision = excluded.revision, owner_id = excluded.owner_id,
                event_id = excluded.event_id, scale = excluded.scale, codes = excluded.codes",
    )
    .bind(coded.iter().map(|(_, found, _)| found.model.id()).collect::<Vec<_>>())
    .bind(coded.iter().map(|(event, ..)| event.key).collect::<Vec<_>>())
    .bind(coded.iter().map(|(event, ..)| event.revision).collect::<Vec<_>>())
    .bind(coded.iter().map(|(_, found, _)| found.owner_id.uuid()).collect::<Vec<_>>())
    .bind(coded.iter().map(|(event, ..)| event.event_id).collect::<Vec<_>>())
    .bind(coded.iter().map(|(.., codes)| codes.scale).collect::<Vec<_>>())
    .bind(coded.iter().map(|(.., codes)| bytes(codes)).collect::<Vec<_>>())
    .execute(&mut *tx)
    .await?;
    Ok(())
}
