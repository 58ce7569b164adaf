//! What else decides about people and faces: who is whom by now, and whose photo it is.

use std::collections::BTreeSet;

use calotype_domain::PersonId;
use calotype_domain::asset::Asset;
use calotype_domain::person::{Person, PersonEvent};
use calotype_domain::undo::Undo as _;

use super::commit::as_undo_refusal;
use super::{Plans, UndoError};
use crate::dispatch::Commands;
use crate::error::CommandError;

type Refused = CommandError<UndoError>;

/// Merges of merges that are followed; who was merged further stays merged.
const MERGES_MAX: usize = 1_000;

impl Commands {
    /// Who comes back stands for everybody who was merged into them; who would be merged again into somebody
    /// who is gone stays.
    pub(super) async fn settle_people(&self, plans: &mut Plans) -> Result<(), Refused> {
        let coming: BTreeSet<PersonId> = plans
            .people
            .iter()
            .filter(|(_, it)| it.plan.events.iter().any(is_restored))
            .map(|(person_id, _)| *person_id)
            .collect();
        for (person_id, planned) in &mut plans.people {
            for at in 0..planned.plan.events.len() {
                match planned.plan.events.get_mut(at) {
                    Some(PersonEvent::Restored(restored)) => {
                        restored.stand_for = self.merged_into(*person_id, &coming).await?;
                    }
                    Some(PersonEvent::MergedInto(merged)) => {
                        let stream_id = crate::people::stream(merged.into_id);
                        let (into, _) =
                            self.load::<Person>(&stream_id).await.map_err(as_undo_refusal)?;
                        if into.owner_id().is_none() {
                            planned.refuse();
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Everybody who is somebody because they were merged into them, at first hand or further on; but for
    /// those who are told apart again themselves.
    async fn merged_into(
        &self,
        person_id: PersonId,
        coming: &BTreeSet<PersonId>,
    ) -> Result<Vec<PersonId>, Refused> {
        let (mut all, mut open) = (Vec::new(), vec![person_id]);
        while let Some(into_id) = open.pop() {
            let stream_id = crate::people::stream(into_id);
            let (into, _) = self.load::<Person>(&stream_id).await.map_err(as_undo_refusal)?;
            for absorbed_id in into.absorbed() {
                let stream_id = crate::people::stream(absorbed_id);
                let (absorbed, _) =
                    self.load::<Person>(&stream_id).await.map_err(as_undo_refusal)?;
                let is_theirs = absorbed.merged_into() == Some(into_id);
                let is_new = !coming.contains(&absorbed_id) && !all.contains(&absorbed_id);
                if is_theirs && is_new && all.len() < MERGES_MAX {
                    all.push(absorbed_id);
                    open.push(absorbed_id);
                }
            }
        }
        all.sort_unstable();
        Ok(all)
    }

    /// Faces are the photo's owner's matter.
    pub(super) async fn settle_faces(&self, plans: &mut Plans) -> Result<(), Refused> {
        let by = plans.by;
        for (asset_id, planned) in &mut plans.faces {
            let stream_id = crate::assets::stream(*asset_id);
            let (asset, _) = self.load::<Asset>(&stream_id).await.map_err(as_undo_refusal)?;
            planned.object = asset.object(by);
            if planned.object.is_none() {
                planned.refuse();
            }
        }
        Ok(())
    }
}

fn is_restored(event: &PersonEvent) -> bool {
    matches!(event, PersonEvent::Restored(_))
}
