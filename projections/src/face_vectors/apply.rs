//! Events of faces to `face_vectors_v1`, and of searches for them to `face_searches_v1`. The vectors are the
//! event's attachment, which goes with its subject: of one that is forgotten there is no row. A face that a
//! person removed keeps its vector until the photo is erased, because that may be taken back.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use calotype_domain::asset::{AssetEvent, AssetFacesSearched};
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::faces::{FacesDetected, FacesEvent};
use calotype_domain::model::unpack;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::embeddings::Codes;
use crate::error::ProjectionError;
use crate::event::Event;
use crate::projection::Projection;

/// The name of the attachment.
const VECTORS: &str = "vectors";
/// Bytes of a number in it.
const NUMBER_BYTES: usize = 2;

/// Keeps `face_vectors_v1` and `face_searches_v1`.
pub struct FaceVectorsProjection;

#[async_trait]
impl Projection for FaceVectorsProjection {
    fn name(&self) -> &'static str {
        "face_vectors"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["face_vectors_v1", "face_searches_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["asset", "faces"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        let mut purged: Vec<Uuid> = Vec::new();
        let mut searched: BTreeMap<Uuid, (&Event, &AssetFacesSearched)> = BTreeMap::new();
        let mut detected: Vec<(&Event, &FacesDetected)> = Vec::new();
        for event in events {
            match &event.what {
                AnyEvent::Asset(AssetEvent::Purged(_)) => purged.push(event.key),
                AnyEvent::Asset(AssetEvent::FacesSearched(what)) => {
                    searched.insert(event.key, (event, what));
                }
                AnyEvent::Faces(FacesEvent::Detected(found)) => detected.push((event, found)),
                _ => {}
            }
        }
        put_in_tx(tx, &detected).await?;
        put_searches_in_tx(tx, &searched).await?;
        if !purged.is_empty() {
            sqlx::query(
                "with gone as (delete from face_searches_v1 where asset_id = any($1))
                 delete from face_vectors_v1 where asset_id = any($1)",
            )
            .bind(&purged)
            .execute(tx)
            .await?;
        }
        Ok(())
    }
}

/// What is to be written of a face; `None` where it is lost.
struct Told<'a> {
    event: &'a Event,
    row: Option<(Uuid, Codes)>,
}

/// The columns of some rows.
#[derive(Default)]
struct Columns {
    face_ids: Vec<Uuid>,
    asset_ids: Vec<Uuid>,
    revisions: Vec<i64>,
    model_ids: Vec<Uuid>,
    scales: Vec<f32>,
    codes: Vec<Vec<u8>>,
}

async fn put_in_tx(
    tx: &mut PgConnection,
    detected: &[(&Event, &FacesDetected)],
) -> Result<(), ProjectionError> {
    if detected.is_empty() {
        return Ok(());
    }
    let event_ids: Vec<Uuid> = detected.iter().map(|(event, _)| event.event_id).collect();
    let attached: Vec<(Uuid, Vec<u8>)> = sqlx::query_as(
        "select event_id, bytes from log.attachments where event_id = any($1) and name = $2",
    )
    .bind(&event_ids)
    .bind(VECTORS)
    .fetch_all(&mut *tx)
    .await?;
    let attached: HashMap<Uuid, Vec<u8>> = attached.into_iter().collect();
    // Of each face what was said last counts.
    let mut last: BTreeMap<Uuid, Told<'_>> = BTreeMap::new();
    for (event, found) in detected {
        for face_id in &found.lost {
            last.insert(face_id.uuid(), Told { event, row: None });
        }
        let bytes = attached.get(&event.event_id).map_or(&[][..], Vec::as_slice);
        let width = found.dims.and_then(|dims| usize::try_from(dims).ok()).unwrap_or_default();
        for face in found.faces.known().into_iter().flatten() {
            let row = usize::try_from(face.row).unwrap_or(usize::MAX);
            let Some(values) = row_of(bytes, width, row) else { continue };
            let row = Some((found.model.id(), Codes::of(&values)));
            last.insert(face.face_id.uuid(), Told { event, row });
        }
    }
    let (mut rows, mut gone, mut gone_at) = (Columns::default(), Vec::new(), Vec::new());
    for (face_id, Told { event, row }) in last {
        let Some((model_id, Codes { codes, scale })) = row else {
            gone.push(face_id);
            gone_at.push(event.revision);
            continue;
        };
        rows.face_ids.push(face_id);
        rows.asset_ids.push(event.key);
        rows.revisions.push(event.revision);
        rows.model_ids.push(model_id);
        rows.scales.push(scale);
        rows.codes.push(codes.into_iter().map(i8::cast_unsigned).collect());
    }
    sqlx::query(
        "delete from face_vectors_v1 as known
          using unnest($1::uuid[], $2::bigint[]) as gone (face_id, revision)
          where known.face_id = gone.face_id and known.revision < gone.revision",
    )
    .bind(&gone)
    .bind(&gone_at)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "insert into face_vectors_v1 as known
                (face_id, asset_id, revision, model_id, scale, codes)
         select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::real[],
                              $6::bytea[])
         on conflict (face_id) do update
            set revision = excluded.revision, model_id = excluded.model_id,
                scale = excluded.scale, codes = excluded.codes
          where known.revision < excluded.revision",
    )
    .bind(&rows.face_ids)
    .bind(&rows.asset_ids)
    .bind(&rows.revisions)
    .bind(&rows.model_ids)
    .bind(&rows.scales)
    .bind(&rows.codes)
    .execute(tx)
    .await?;
    Ok(())
}

async fn put_searches_in_tx(
    tx: &mut PgConnection,
    searched: &BTreeMap<Uuid, (&Event, &AssetFacesSearched)>,
) -> Result<(), ProjectionError> {
    if searched.is_empty() {
        return Ok(());
    }
    let model_ids: Vec<Uuid> = searched.values().map(|(_, what)| what.model.id()).collect();
    let revisions: Vec<i64> = searched.values().map(|(event, _)| event.revision).collect();
    let found_at: Vec<Option<i64>> = searched
        .values()
        .map(|(event, what)| (what.found > 0).then(|| event.position.get()))
        .collect();
    sqlx::query(
        "insert into face_searches_v1 as known (asset_id, revision, model_id, found_at)
         select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bigint[])
         on conflict (asset_id) do update
            set revision = excluded.revision, model_id = excluded.model_id,
                found_at = excluded.found_at
          where known.revision < excluded.revision",
    )
    .bind(searched.keys().copied().collect::<Vec<_>>())
    .bind(revisions)
    .bind(model_ids)
    .bind(found_at)
    .execute(tx)
    .await?;
    Ok(())
}

/// One row of an attachment, of so many numbers.
fn row_of(bytes: &[u8], width: usize, row: usize) -> Option<Vec<f32>> {
    let length = width.checked_mul(NUMBER_BYTES).filter(|length| *length > 0)?;
    let from = row.checked_mul(length)?;
    unpack(bytes.get(from..from.checked_add(length)?)?)
}

#[cfg(test)]
mod tests {
    use calotype_domain::model::pack;

    use super::*;

    #[test]
    fn row_is_found_by_its_number() {
        let bytes = [pack(&[1.0, 0.0]).unwrap(), pack(&[0.0, 1.0]).unwrap()].concat();
        assert_eq!(row_of(&bytes, 2, 1), Some(vec![0.0, 1.0]));
        assert_eq!(row_of(&bytes, 2, 2), None);
        assert_eq!(row_of(&bytes, 0, 0), None);
        assert_eq!(row_of(&bytes, usize::MAX, 1), None);
    }
}
