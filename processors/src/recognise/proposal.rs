//! Whose all faces would be by the model in use, kept for somebody to agree to, and done when somebody has
//! (docs/adr/0034).
//!
//! What is proposed of each face lies beside the proposals of models that are tried. What people said since, and
//! what was said of a face since by whomever, stands above a proposal.

use std::collections::HashMap;

use calotype_domain::model::ModelRef;
use calotype_domain::{PersonId, UserId};
use calotype_projections::face_vectors::FaceStanding;
use calotype_projections::models::{FaceProposal, ProposedFace};
use uuid::Uuid;

use super::clusters::Target;
use super::library::Compared;
use super::{BUSY, CHUNK_PHOTOS, Said, Saying};
use crate::error::ProcessorError;
use crate::requests::Asked;
use crate::worker::Worker;

/// Faces that are kept in one statement.
const CHUNK_FACES: usize = 1_000;
/// What a request is called that a proposal is done by.
const ACCEPT: &str = "accept";

impl Worker {
    /// A turn of working out what comparing all libraries would change: the next library; says how far that is.
    pub(crate) async fn propose_after(
        &self,
        after: Uuid,
        asked: &Asked,
    ) -> Result<Option<Uuid>, ProcessorError> {
        let Some((rules, model)) = self.to_recognise_with().await? else { return Ok(None) };
        let proposal_id = asked.request_id;
        if after.is_nil() {
            self.begin_proposal(proposal_id, &model).await?;
        } else {
            let kept = self.queries.face_proposal().await?;
            if kept.is_none_or(|it| it.proposal_id != proposal_id) {
                // It was forgotten for another.
                return Ok(None);
            }
        }
        let Some(owner_id) = self.queries.face_owner_after(after).await? else {
            self.end_comparing(proposal_id).await?;
            return Ok(None);
        };
        let (_turn, everywhere) = self.turn_to_recognise().await?;
        let user_id = UserId::new(owner_id);
        let compared = self.compare_library(user_id, rules, model.id()).await?;
        let proposed: Vec<ProposedFace> =
            compared.iter().map(|face| proposed(owner_id, face)).collect();
        for some in proposed.chunks(CHUNK_FACES) {
            self.keep_proposal(proposal_id, some).await?;
        }
        everywhere.end().await?;
        Ok(Some(owner_id))
    }

    /// A turn of doing what somebody agreed to: the next photos; says how far that is.
    pub(crate) async fn accept_after(
        &self,
        after: Uuid,
        proposal_id: Uuid,
        asked: &Asked,
    ) -> Result<Option<Uuid>, ProcessorError> {
        // One that was lost, or was forgotten for another, is not done.
        let proposal = self.queries.face_proposal().await?;
        let Some(proposal) = proposal.filter(|it| it.proposal_id == proposal_id) else {
            return Ok(None);
        };
        let photos = self.queries.photos_to_change_after(proposal_id, after, CHUNK_PHOTOS).await?;
        let Some(last) = photos.last() else {
            self.end_applying(proposal_id).await?;
            return Ok(None);
        };
        let (_turn, everywhere) = self.turn_to_recognise().await?;
        let faces = self.queries.proposed_faces(proposal_id, &photos).await?;
        let face_ids: Vec<Uuid> = faces.iter().map(|face| face.face_id).collect();
        let now = self.queries.face_standings(&face_ids).await?;
        let now: HashMap<Uuid, FaceStanding> =
            now.into_iter().map(|face| (face.face_id, face)).collect();
        let mut said = Said::new();
        for face in faces.iter().filter(|face| is_as_before(face, now.get(&face.face_id))) {
            let person_id = match (face.fresh, face.after_id) {
                (None, after_id) if after_id == face.before_id => continue,
                (None, after_id) => after_id.map(PersonId::new),
                (Some(fresh), _) => {
                    let because = (asked.correlation_id, Some(asked.request_id));
                    let owner_id = face.owner_id;
                    Some(self.somebody_of(proposal_id, owner_id, fresh, because).await?)
                }
            };
            said.entry(face.asset_id).or_default().push((face.face_id, person_id));
        }
        if !said.is_empty() {
            self.say(&said, &saying(proposal, asked)).await?;
        }
        everywhere.end().await?;
        Ok(Some(*last))
    }

    /// Forgets the former proposal for this one.
    async fn begin_proposal(
        &self,
        proposal_id: Uuid,
        model: &ModelRef,
    ) -> Result<(), ProcessorError> {
        let open = self.queries.queue_requests().await?;
        if open.iter().any(|request| request.what == ACCEPT) {
            return Err(ProcessorError::NotYet { after: BUSY });
        }
        let mut tx = self.pool.begin().await?;
        for statement in [
            "delete from work.model_proposals
              where trial_id in (select proposal_id from work.face_proposals)",
            "delete from work.model_people
              where trial_id in (select proposal_id from work.face_proposals)",
            "delete from work.face_proposals",
        ] {
            sqlx::query(statement).execute(&mut *tx).await?;
        }
        sqlx::query(
            "insert into work.face_proposals
                    (proposal_id, model_name, model_revision, model_sha256)
             values ($1, $2, $3, $4)",
        )
        .bind(proposal_id)
        .bind(&model.name)
        .bind(&model.revision)
        .bind(&model.sha256)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn end_comparing(&self, proposal_id: Uuid) -> Result<(), ProcessorError> {
        sqlx::query("update work.face_proposals set compared_at = now() where proposal_id = $1")
            .bind(proposal_id)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn end_applying(&self, proposal_id: Uuid) -> Result<(), ProcessorError> {
        sqlx::query("update work.face_proposals set applied_at = now() where proposal_id = $1")
            .bind(proposal_id)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

/// Whether nobody said anything else of a face since it was compared.
fn is_as_before(face: &ProposedFace, now: Option<&FaceStanding>) -> bool {
    now.is_some_and(|now| !now.is_said_by_people && now.person_id == face.before_id)
}

fn proposed(owner_id: Uuid, face: &Compared) -> ProposedFace {
    let target = if face.is_changed() {
        face.target
    } else {
        face.known.person_id.map_or(Target::Nobody, Target::Person)
    };
    let (after_id, fresh) = match target {
        Target::Nobody => (None, None),
        Target::Person(person_id) => (Some(person_id), None),
        Target::Fresh(number) => (None, Some(i32::try_from(number).unwrap_or(i32::MAX))),
    };
    ProposedFace {
        asset_id: face.asset_id,
        face_id: face.face_id,
        owner_id,
        before_id: face.known.person_id,
        after_id,
        fresh,
        is_found: true,
        is_new: false,
        is_shown: face.known.is_shown,
    }
}

fn saying(proposal: FaceProposal, asked: &Asked) -> Saying {
    let FaceProposal { proposal_id, model_name, model_revision, model_sha256, .. } = proposal;
    Saying {
        model: ModelRef { name: model_name, revision: model_revision, sha256: model_sha256 },
        run_id: proposal_id,
        correlation_id: asked.correlation_id,
        cause: asked.request_id,
    }
}

#[cfg(test)]
mod tests {
    use super::super::clusters::Known;
    use super::*;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn face(before: Option<Uuid>, is_said_by_people: bool, target: Target) -> ProposedFace {
        let known = Known { person_id: before, is_said_by_people, is_shown: true };
        proposed(id(9), &Compared { asset_id: id(8), face_id: id(7), known, target })
    }

    #[test]
    fn what_people_said_is_proposed_to_stay() {
        let said = face(Some(id(1)), true, Target::Person(id(2)));
        assert_eq!((said.before_id, said.after_id, said.fresh), (Some(id(1)), Some(id(1)), None));
        let refused = face(None, true, Target::Fresh(3));
        assert_eq!((refused.after_id, refused.fresh), (None, None));
        let guessed = face(Some(id(1)), false, Target::Fresh(3));
        assert_eq!(
            (guessed.before_id, guessed.after_id, guessed.fresh),
            (Some(id(1)), None, Some(3))
        );
    }

    #[test]
    fn a_face_of_which_something_was_said_since_stays() {
        let face = face(Some(id(1)), false, Target::Nobody);
        let standing = |person_id, is_said_by_people| FaceStanding {
            face_id: id(7),
            asset_id: id(8),
            person_id,
            is_said_by_people,
            is_shown: true,
        };
        assert!(is_as_before(&face, Some(&standing(Some(id(1)), false))));
        assert!(!is_as_before(&face, Some(&standing(Some(id(1)), true))));
        assert!(!is_as_before(&face, Some(&standing(Some(id(2)), false))));
        assert!(!is_as_before(&face, None));
    }
}
