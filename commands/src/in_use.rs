//! Whether something is in use by the word of the log, for those who would delete what seems to be in none. A read
//! model that is empty, or is being made anew, says so of everything: nobody's words are deleted on its word.
//!
//! The log is looked through once for all that is asked about. Shapes of events never change, so their payloads can
//! be asked by the names of their fields.

use std::collections::{BTreeMap, BTreeSet};

use calotype_domain::asset::AssetError;
use calotype_domain::faces::Faces;
use calotype_domain::person::Person;
use calotype_domain::{AssetId, PersonId, TagId, UserId};
use calotype_eventstore::{StoreError, StreamId};
use sqlx::PgPool;
use uuid::Uuid;

use crate::dispatch::Commands;
use crate::error::CommandError;

/// People whom somebody turned out to be that are looked at; further ones count as having a face.
const ABSORBED_MAX: usize = 1_000;

type Error = CommandError<AssetError>;

impl Commands {
    /// Those of some tags that an asset carries.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn tags_in_use(
        &self,
        pool: &PgPool,
        tag_ids: &[TagId],
    ) -> Result<BTreeSet<TagId>, Error> {
        let ids: Vec<String> = tag_ids.iter().map(ToString::to_string).collect();
        let streams: Vec<String> = sqlx::query_scalar(
            "select distinct stream_id from log.events
              where type in ('AssetTagged', 'AssetTaggedByFile')
                and payload ->> 'tag_id' = any($1)",
        )
        .bind(&ids)
        .fetch_all(pool)
        .await
        .map_err(|error| unreadable("look for assets with a tag", error))?;
        let mut in_use = BTreeSet::new();
        for asset_id in streams.iter().filter_map(|stream| asset_of(stream, "asset-")) {
            let asset = self.asset(asset_id).await?;
            if asset.owner_id().is_some() {
                in_use.extend(tag_ids.iter().filter(|tag_id| asset.tags().contains(tag_id)));
            }
        }
        Ok(in_use)
    }

    /// Those of some people of whom a photo shows a face, be it under the id of somebody who turned out to be them.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn people_in_use(
        &self,
        pool: &PgPool,
        person_ids: &[PersonId],
    ) -> Result<BTreeSet<PersonId>, Error> {
        let (mut whose, mut in_use) = (BTreeMap::new(), BTreeSet::new());
        for person_id in person_ids {
            let absorbed = self.absorbed_by(*person_id).await?;
            if absorbed.len() > ABSORBED_MAX {
                in_use.insert(*person_id);
            }
            whose.extend(absorbed.into_iter().map(|id| (id, *person_id)));
        }
        let ids: Vec<String> = whose.keys().map(ToString::to_string).collect();
        let streams: Vec<String> = sqlx::query_scalar(
            "select distinct stream_id from log.events
              where (type in ('FaceDrawn', 'FaceConfirmed', 'FaceRestored')
                     and payload ->> 'person_id' = any($1))
                 or (type = 'FacesAssigned'
                     and exists (select from json_array_elements(payload -> 'faces') as face
                                  where face ->> 'person_id' = any($1)))",
        )
        .bind(&ids)
        .fetch_all(pool)
        .await
        .map_err(|error| unreadable("look for photos of a person", error))?;
        for asset_id in streams.iter().filter_map(|stream| asset_of(stream, "faces-")) {
            if self.asset(asset_id).await?.owner_id().is_none() {
                continue;
            }
            let stream = StreamId::new("faces", asset_id);
            let (faces, _) = self
                .load::<Faces>(&stream)
                .await
                .map_err(|error| error.map_refusal(|_| AssetError::NotFound))?;
            let shown = faces.ids().filter_map(|face_id| faces.person_of(face_id).flatten());
            in_use.extend(shown.filter_map(|person_id| whose.get(&person_id)));
        }
        Ok(in_use)
    }

    /// Whether an account has an asset that was not deleted for good.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn has_assets(&self, pool: &PgPool, user_id: UserId) -> Result<bool, Error> {
        sqlx::query_scalar(
            "select exists (
                 select from log.events as uploaded
                  where uploaded.type = 'AssetUploaded'
                    and uploaded.payload ->> 'owner_id' = $1
                    and not exists (
                        select from log.skipped as skipped
                         where skipped.event_id = uploaded.event_id)
                    and not exists (
                        select from log.events as purged
                         where purged.stream_id = uploaded.stream_id
                           and purged.type = 'AssetPurged'))",
        )
        .bind(user_id.to_string())
        .fetch_one(pool)
        .await
        .map_err(|error| unreadable("look for assets of an account", error))
    }

    /// Somebody, and everybody who turned out to be them; one more than [`ABSORBED_MAX`] at most.
    async fn absorbed_by(&self, person_id: PersonId) -> Result<BTreeSet<PersonId>, Error> {
        let (mut all, mut next) = (BTreeSet::from([person_id]), vec![person_id]);
        while let Some(person_id) = next.pop().filter(|_| all.len() <= ABSORBED_MAX) {
            let (person, _) = self
                .load::<Person>(&StreamId::new("person", person_id))
                .await
                .map_err(|error| error.map_refusal(|_| AssetError::NotFound))?;
            next.extend(person.absorbed().filter(|absorbed| all.insert(*absorbed)));
        }
        Ok(all)
    }
}

fn asset_of(stream_id: &str, prefix: &str) -> Option<AssetId> {
    stream_id.strip_prefix(prefix)?.parse::<Uuid>().ok().map(AssetId::new)
}

fn unreadable(attempt: &'static str, error: sqlx::Error) -> Error {
    Error::Read(StoreError::Database { attempt, source: std::sync::Arc::new(error) })
}
