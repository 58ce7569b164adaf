//! Files that nothing speaks of, as far as the read models know.

use uuid::Uuid;

use crate::error::ProjectionError;
use crate::query::Queries;

/// The first parts of the keys of what is made of originals, the slash included.
const MADE_ROOTS: [&str; 2] = ["thumbs/", "encoded-video/"];
/// Characters of an id in a file's name.
const ID_CHARS: usize = 36;

/// The asset or person that a made file is named after.
fn named_after(key: &str) -> Option<Uuid> {
    let (_, name) = key.rsplit_once('/')?;
    Uuid::try_parse(name.get(..ID_CHARS)?).ok()
}

impl Queries {
    /// Those of some keys of files that nothing speaks of, and that no move speaks for: originals, sidecars, people's
    /// own pictures, and what is made of originals. One statement for many, because it looks through all assets.
    ///
    /// # Errors
    /// What the database said.
    pub async fn untracked(&self, keys: &[String]) -> Result<Vec<String>, ProjectionError> {
        let is_made = |key: &&str| MADE_ROOTS.iter().any(|root| key.starts_with(root));
        let (made, stored): (Vec<&str>, Vec<&str>) =
            keys.iter().map(String::as_str).partition(is_made);
        let mut untracked = self.untracked_stored(&stored).await?;
        untracked.extend(self.untracked_made(&made).await?);
        Ok(untracked)
    }

    async fn untracked_stored(&self, keys: &[&str]) -> Result<Vec<String>, ProjectionError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        Ok(sqlx::query_scalar(
            "select key from unnest($1::text[]) as there (key)
              where not exists (select from read.assets_v1 where original_key = key)
                and not exists (select from read.assets_v1 where sidecar_key = key)
                and not exists (select from read.users_v1 where profile_image_key = key)
                and not exists (select from work.original_places as place where place.key = there.key)
                and not exists (select from work.original_places where sidecar_key = there.key)
                and not exists (select from work.original_places where former_key = there.key)
                and not exists (select from work.original_places where former_sidecar_key = there.key)",
        )
        .bind(keys)
        .fetch_all(&self.pool)
        .await?)
    }

    /// What is made is named after what it shows, so each key is looked up by that id.
    async fn untracked_made(&self, keys: &[&str]) -> Result<Vec<String>, ProjectionError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<Option<Uuid>> = keys.iter().map(|key| named_after(key)).collect();
        Ok(sqlx::query_scalar(
            "select there.key from unnest($1::text[], $2::uuid[]) as there (key, id)
              where not exists (
                    select from read.assets_v1 as asset
                     where asset.asset_id = there.id
                       and there.key in (
                           asset.thumbnail_key, asset.preview_key, asset.full_size_key,
                           asset.edited #>> '{pictures,thumbnail_key}',
                           asset.edited #>> '{pictures,preview_key}',
                           asset.edited #>> '{pictures,full_size_key}'))
                and not exists (
                    select from read.films_v1 as film
                     where film.asset_id = there.id and film.encoded_key = there.key)
                and not exists (
                    select from read.people_v1 as person
                     where person.person_id = there.id and person.thumbnail_key = there.key)",
        )
        .bind(keys)
        .bind(ids)
        .fetch_all(&self.pool)
        .await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_files_are_named_after_what_they_show() {
        let id = Uuid::from_u128(0x1234_5678_9abc);
        for ending in [".mp4", "-preview-0a1b.jpg", "-0f0f.jpeg"] {
            let key = format!("thumbs/u/00/00/{id}{ending}");
            assert_eq!(named_after(&key), Some(id), "{key}");
        }
        assert_eq!(named_after("thumbs/u/strange.jpg"), None);
    }
}
