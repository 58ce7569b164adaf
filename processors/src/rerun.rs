//! Turns a person's wish to do a queue's work again into requests on the assets.

use calotype_domain::AssetId;
use calotype_domain::asset::Stage;
use calotype_domain::queue::{
    DUPLICATES, LIBRARY, QueueEvent, RECOGNITION, RerunScope, STORAGE_TEMPLATE, can_rerun, stage_of,
};
use calotype_projections::jobs::StageState;
use uuid::Uuid;

use crate::error::ProcessorError;
use crate::requests::Asked;
use crate::worker::Worker;

/// Its name in the log.
const NAME: &str = "rerun";
/// Assets asked for in one command, and in one turn of a re-run.
const CHUNK_ASSETS: i64 = 200;

impl Worker {
    /// Requests the queue's step for the next assets in a scope, and writes down how far that is; says whether
    /// there may be more.
    pub(crate) async fn rerun_chunk(
        &self,
        asked: &Asked,
        scope: RerunScope,
    ) -> Result<bool, ProcessorError> {
        if !can_rerun(&asked.queue) {
            return Ok(false);
        }
        if asked.queue == LIBRARY {
            self.request_scans(asked.correlation_id, Some(asked.request_id)).await?;
            return Ok(false);
        }
        if asked.queue == STORAGE_TEMPLATE {
            self.wish_all_places().await?;
            return Ok(false);
        }
        let after = self.come_to(asked.request_id).await?.unwrap_or(Uuid::nil());
        let come_to = if asked.queue == DUPLICATES {
            self.find_duplicates_after(after, asked).await?
        } else if asked.queue == RECOGNITION {
            self.recognise_after(after, scope, asked).await?
        } else if let Some(stage) = stage_of(&asked.queue) {
            self.request_after(after, stage, scope, asked).await?
        } else {
            let discover = scope == RerunScope::Missing;
            let ctx = || self.context(NAME, asked.correlation_id, Some(asked.request_id));
            self.read_sidecars(discover, after, ctx).await?
        };
        if let Some(last) = come_to {
            self.mark(asked.request_id, last).await?;
        }
        Ok(come_to.is_some())
    }

    /// A turn of working out a proposal, or of doing one that somebody agreed to, and writes down how far that is;
    /// says whether there may be more.
    pub(crate) async fn proposal_chunk(&self, asked: &Asked) -> Result<bool, ProcessorError> {
        // Only groups of faces are proposed.
        if asked.queue != RECOGNITION {
            return Ok(false);
        }
        let after = self.come_to(asked.request_id).await?.unwrap_or(Uuid::nil());
        let come_to = if let QueueEvent::ProposalAccepted(accepted) = &asked.what {
            self.accept_after(after, accepted.proposal_id.uuid(), asked).await?
        } else {
            self.propose_after(after, asked).await?
        };
        if let Some(last) = come_to {
            self.mark(asked.request_id, last).await?;
        }
        Ok(come_to.is_some())
    }

    /// The place of the re-run among some that was begun.
    pub(crate) async fn rerun_begun(
        &self,
        open: &[Asked],
    ) -> Result<Option<usize>, ProcessorError> {
        for (at, asked) in open.iter().enumerate() {
            if self.come_to(asked.request_id).await?.is_some() {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// Forgets how far a re-run has come.
    pub(crate) async fn forget_rerun(&self, request_id: Uuid) -> Result<(), ProcessorError> {
        sqlx::query("delete from work.reruns where request_id = $1")
            .bind(request_id)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn come_to(&self, request_id: Uuid) -> Result<Option<Uuid>, ProcessorError> {
        Ok(sqlx::query_scalar("select after_id from work.reruns where request_id = $1")
            .bind(request_id)
            .fetch_optional(&self.pool)
            .await?)
    }

    async fn mark(&self, request_id: Uuid, after: Uuid) -> Result<(), ProcessorError> {
        sqlx::query(
            "insert into work.reruns (request_id, after_id) values ($1, $2)
             on conflict (request_id) do update set after_id = excluded.after_id",
        )
        .bind(request_id)
        .bind(after)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Those that were taken off the queue, though they were asked for before; and every asset or film, or those
    /// that failed, films that have no copy, or assets that the model has not looked at. Those that wait already
    /// are being taken up anyway. Without a model there is nothing to ask for.
    async fn request_after(
        &self,
        after: Uuid,
        stage: Stage,
        scope: RerunScope,
        asked: &Asked,
    ) -> Result<Option<Uuid>, ProcessorError> {
        let (step, is_forced) = (stage.as_str(), scope == RerunScope::All);
        let in_state = |state| self.queries.assets_in_state_after(step, state, after, CHUNK_ASSETS);
        let left = in_state(StageState::Missing).await?;
        let others = if stage == Stage::Video {
            self.queries.films_after(after, !is_forced, CHUNK_ASSETS).await?
        } else if stage == Stage::Embedding {
            let settings = self.queries.settings().await?;
            let Some(model) = self.model_for_new(&settings).await else { return Ok(None) };
            let known = (!is_forced).then(|| model.id());
            self.queries.to_embed_after(after, known, CHUNK_ASSETS).await?
        } else if stage == Stage::Text {
            let settings = self.queries.settings().await?;
            let Some(reader) = self.reader_for_new(&settings).await else { return Ok(None) };
            let known = (!is_forced).then(|| reader.id());
            self.queries.to_read_after(after, known, CHUNK_ASSETS).await?
        } else if stage == Stage::Faces {
            let settings = self.queries.settings().await?;
            let model = self.model_asked_for_faces(&settings).await?;
            let Some(model) = model else { return Ok(None) };
            let known = (!is_forced).then(|| model.id());
            self.queries.to_search_for_faces_after(after, known, CHUNK_ASSETS).await?
        } else if is_forced {
            self.queries.asset_ids_after(after, CHUNK_ASSETS).await?
        } else {
            in_state(StageState::Failed).await?
        };
        let Some(last) = last_of_chunk(&left, &others) else { return Ok(None) };
        let until = |ids: Vec<Uuid>| -> Vec<AssetId> {
            ids.into_iter().filter(|id| *id <= last).map(AssetId::new).collect()
        };
        let (left, others) = (until(left), until(others));
        let ctx = self.context(NAME, asked.correlation_id, Some(asked.request_id));
        self.commands.request_left(&ctx, &left, stage).await?;
        let ctx = self.context(NAME, asked.correlation_id, Some(asked.request_id));
        self.commands.request_processing(&ctx, &others, stage).await?;
        Ok(Some(last))
    }
}

/// Up to where a chunk goes, of two lists in the order of ids: behind a full list there may be more of it.
fn last_of_chunk(left: &[Uuid], others: &[Uuid]) -> Option<Uuid> {
    let full = |ids: &[Uuid]| {
        let is_full = i64::try_from(ids.len()).is_ok_and(|count| count >= CHUNK_ASSETS);
        ids.last().copied().filter(|_| is_full)
    };
    let ends = [full(left), full(others)];
    ends.into_iter().flatten().min().or_else(|| left.last().max(others.last()).copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(numbers: impl Iterator<Item = u128>) -> Vec<Uuid> {
        numbers.map(Uuid::from_u128).collect()
    }

    #[test]
    fn chunk_passes_over_nothing_behind_a_full_list() {
        let (few, many) = (ids([3, 900].into_iter()), ids(1..=200));
        assert_eq!(last_of_chunk(&few, &many), many.last().copied());
        assert_eq!(last_of_chunk(&many, &few), many.last().copied());
        assert_eq!(last_of_chunk(&few, &ids(1..=4)), few.last().copied());
        assert_eq!(last_of_chunk(&[], &few), few.last().copied());
        assert_eq!(last_of_chunk(&[], &[]), None);
    }
}
