//! Whose a stored file is by the word of the log, for those who would remove it. A read model that is empty, or is
//! being made anew, says of every file that nothing speaks of it: no file is removed on its word.

mod made;
mod stored;

use std::collections::BTreeSet;

use calotype_domain::asset::{AssetError, TEMPLATED_ROOT};
use calotype_domain::config::folded;
use calotype_eventstore::{Recorded, StreamId};
use uuid::Uuid;

use crate::dispatch::Commands;
use crate::error::CommandError;
use crate::integrity::Findings;

/// Characters of an id in a file's name.
const ID_CHARS: usize = 36;
/// What the key of a sidecar ends with, after its original's.
const SIDECAR_ENDING: &str = ".xmp";
/// The first part of the keys of people's own pictures, the slash included.
const PROFILE_ROOT: &str = "profile/";
/// The same of copies of films.
const FILMS_ROOT: &str = "encoded-video/";
/// The same of pictures that are made of originals.
const PICTURES_ROOT: &str = "thumbs/";

type Error = CommandError<AssetError>;

/// The id at the beginning of a file's name.
fn named_after(key: &str) -> Option<Uuid> {
    let (_, name) = key.rsplit_once('/')?;
    Uuid::try_parse(name.get(..ID_CHARS)?).ok()
}

impl Commands {
    /// Those of some keys of files that the log may speak of. What is named by ids is asked for by the id that it
    /// is named after. What a storage template named says nothing of whose it is, nor does a sidecar that was laid
    /// beside an asset later: for those every asset that was ever moved, or ever got such a sidecar, is looked at,
    /// once for all keys.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn spoken_for(
        &self,
        findings: &Findings,
        keys: &[String],
    ) -> Result<BTreeSet<String>, Error> {
        let (mut made, mut profiles) = (BTreeSet::new(), BTreeSet::new());
        let (mut templated, mut stored) = (BTreeSet::new(), BTreeSet::new());
        for key in keys.iter().map(String::as_str) {
            let pile = if key.starts_with(PICTURES_ROOT) || key.starts_with(FILMS_ROOT) {
                &mut made
            } else if key.starts_with(PROFILE_ROOT) {
                &mut profiles
            } else if key.starts_with(TEMPLATED_ROOT) {
                &mut templated
            } else {
                &mut stored
            };
            pile.insert(key);
        }
        let mut wanted = self.shown_or_being_made(&made).await?;
        wanted.extend(self.shown_of_users(&profiles).await?);
        wanted.extend(self.stored_by_template(findings, &templated).await?);
        wanted.extend(self.stored_under_ids(findings, &stored).await?);
        Ok(wanted.into_iter().map(str::to_owned).collect())
    }

    /// The histories of what some ids name, in the order of the ids; of at most
    /// [`crate::reading::STREAMS_MAX`] ids, which are sorted.
    async fn histories(&self, aggregate: &str, ids: &[Uuid]) -> Result<Vec<Vec<Recorded>>, Error> {
        let streams: Vec<StreamId> = ids.iter().map(|id| StreamId::new(aggregate, id)).collect();
        Ok(self.read_each(&streams).await?)
    }
}

impl Findings {
    /// Whether a move speaks for a key now, or for that of the original which a sidecar lies beside. Asked right
    /// before a file is removed.
    ///
    /// # Errors
    /// What the database said.
    pub async fn is_being_moved(&self, key: &str) -> Result<bool, sqlx::Error> {
        let original = key.strip_suffix(SIDECAR_ENDING).unwrap_or(key);
        sqlx::query_scalar(
            "select exists (select from work.original_places where folded = any($1))
                 or exists (select from work.original_places where former_folded = any($1))",
        )
        .bind([folded(key), folded(original)])
        .fetch_one(self.pool())
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_after_what_they_belong_to() {
        let id = Uuid::from_u128(0x1234_5678_9abc);
        for ending in ["", ".jpg", ".jpg.xmp", "-MP.mp4", "-preview-0a1b.jpg"] {
            assert_eq!(named_after(&format!("upload/u/00/00/{id}{ending}")), Some(id), "{ending}");
        }
        for strange in ["upload/u/strange.jpg", "upload/u/ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ.jpg", "strange"]
        {
            assert_eq!(named_after(strange), None, "{strange}");
        }
    }
}
