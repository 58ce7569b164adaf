//! Says whose faces those are that models found.
//!
//! A photo on which faces were found is an errand: each of them joins the person of the face that is most like it,
//! or, where enough faces are alike and nobody's, they become a person. A whole library is done anew where that is
//! asked for. Both ask the read models whose other faces are, so one at a time, and each waits until what it said
//! shows; or the outcome is kept for somebody to agree to (`proposal`). What people said stands above all of it: the
//! aggregates leave out what is against it.
//! The results are events; nothing is compared where the log is replayed.

mod clusters;
mod density;
mod library;
mod photo;
mod proposal;
mod refusals;

use std::collections::BTreeMap;
use std::time::Duration;

use calotype_commands::Outcome;
use calotype_domain::faces::{FaceAssignment, Guesses};
use calotype_domain::model::ModelRef;
use calotype_domain::person::PersonCreated;
use calotype_domain::queue::RerunScope;
use calotype_domain::{AssetId, FaceId, PersonId, UserId};
use calotype_projections::alone::AloneForLong;
use calotype_projections::config::Settings;
use uuid::Uuid;

use crate::error::ProcessorError;
use crate::faces::Regrouping;
use crate::requests::Asked;
use crate::worker::Worker;

pub use clusters::{Known, Rules, Target, whole};

/// Its name in the log.
const NAME: &str = "recognise";
/// Key of the lock of whoever says whose faces are: ASCII `calo` and a number that nobody else uses.
const LOCK: i64 = 0x6361_6c6f_0000_0011;
/// How long it waits while another process does so.
const BUSY: Duration = Duration::from_secs(1);
/// How long it waits for its turn in this process: an errand holds others up while it does.
const TURN_MAX: Duration = Duration::from_secs(2);
/// How long it waits until what was said shows; after that the errand is run again.
const SHOWS_MAX: Duration = Duration::from_secs(30);
/// How often it looks whether it does.
const SHOWS_EVERY: Duration = Duration::from_millis(5);
/// Photos done in one turn of a re-run.
const CHUNK_PHOTOS: i64 = 50;

/// What is said about faces in one go, and because of what.
struct Saying {
    model: ModelRef,
    run_id: Uuid,
    correlation_id: Uuid,
    cause: Uuid,
}

/// Faces by photo, with whose each is; `None` for nobody's.
type Said = BTreeMap<Uuid, Vec<(Uuid, Option<PersonId>)>>;

/// The rules that administrators set; `None` where faces are not to be told apart.
pub(crate) fn rules(settings: &Settings) -> Option<Rules> {
    let is_on = settings.is_on("machineLearning.enabled")
        && settings.is_on("machineLearning.facialRecognition.enabled");
    let distance_max = settings.real("machineLearning.facialRecognition.maxDistance");
    let faces_min = settings.number("machineLearning.facialRecognition.minFaces");
    is_on.then(|| Rules::new(distance_max, usize::try_from(faces_min).unwrap_or(1)))
}

impl Worker {
    /// Says whose the faces are that were found on a photo.
    ///
    /// # Errors
    /// [`ProcessorError`]: try again later.
    pub(crate) async fn recognise_errand(
        &self,
        asset_id: AssetId,
        cause: Uuid,
    ) -> Result<(), ProcessorError> {
        let _working = self.finding.comparing.begin();
        self.recognise_on(asset_id, self.commands.ids().v7(), cause).await
    }

    /// A turn of a re-run: of everything the next library, else the next photos with faces that are nobody's; says
    /// how far that came.
    pub(crate) async fn recognise_after(
        &self,
        after: Uuid,
        scope: RerunScope,
        asked: &Asked,
    ) -> Result<Option<Uuid>, ProcessorError> {
        if scope == RerunScope::All && self.finding.regrouping == Regrouping::Proposed {
            return self.propose_after(after, asked).await;
        }
        let Some((rules, model)) = self.to_recognise_with().await? else { return Ok(None) };
        let (correlation_id, cause) = (asked.correlation_id, asked.request_id);
        if scope == RerunScope::Missing {
            let photos = self.queries.to_recognise_after(after, model.id(), CHUNK_PHOTOS).await?;
            for asset_id in &photos {
                self.recognise_on(AssetId::new(*asset_id), correlation_id, cause).await?;
            }
            return Ok(photos.last().copied());
        }
        let Some(owner_id) = self.queries.face_owner_after(after).await? else { return Ok(None) };
        let run_id = self.commands.ids().v7();
        let saying = Saying { model, run_id, correlation_id, cause };
        self.recognise_library(UserId::new(owner_id), rules, &saying).await?;
        Ok(Some(owner_id))
    }

    /// By which rules faces are told apart, and by the vectors of which model; nothing where they are not.
    async fn to_recognise_with(&self) -> Result<Option<(Rules, ModelRef)>, ProcessorError> {
        let settings = self.queries.settings().await?;
        let Some(rules) = rules(&settings) else { return Ok(None) };
        Ok(self.model_asked_for_faces(&settings).await?.map(|model| (rules, model)))
    }

    /// The turn to say whose faces are: here and in all processes. Where a library is compared, it does not come
    /// soon.
    pub(crate) async fn turn_to_recognise(
        &self,
    ) -> Result<(tokio::sync::OwnedMutexGuard<()>, AloneForLong), ProcessorError> {
        let here = std::sync::Arc::clone(&self.recognising).lock_owned();
        let here = tokio::time::timeout(TURN_MAX, here).await;
        let here = here.map_err(|_elapsed| ProcessorError::NotYet { after: BUSY })?;
        let everywhere = self.queries.try_alone_by(LOCK).await?;
        let everywhere = everywhere.ok_or(ProcessorError::NotYet { after: BUSY })?;
        Ok((here, everywhere))
    }

    /// Somebody of whom nothing is known but faces.
    async fn somebody_new(
        &self,
        owner_id: UserId,
        saying: &Saying,
    ) -> Result<PersonId, ProcessorError> {
        self.somebody_nameless(owner_id, (saying.correlation_id, Some(saying.cause))).await
    }

    /// The same in any context: what it belongs to, and because of what.
    pub(crate) async fn somebody_nameless(
        &self,
        owner_id: UserId,
        (correlation_id, cause): (Uuid, Option<Uuid>),
    ) -> Result<PersonId, ProcessorError> {
        let created = PersonCreated {
            owner_id,
            name: String::new().into(),
            birth_date: None.into(),
            is_hidden: false,
            is_favorite: false,
            color: None,
        };
        let ctx = self.context(NAME, correlation_id, cause);
        let (person_id, _) = self.commands.create_person(&ctx, created).await?;
        Ok(person_id)
    }

    /// Records whose faces are, and waits until that shows; whether any of it was news, and not against what
    /// people said.
    async fn say(&self, said: &Said, saying: &Saying) -> Result<bool, ProcessorError> {
        let guesses: Vec<(AssetId, Guesses)> = said
            .iter()
            .map(|(asset_id, faces)| {
                let somebodys = faces.iter().filter_map(|(face_id, person_id)| {
                    let person_id = (*person_id)?;
                    Some(FaceAssignment { face_id: FaceId::new(*face_id), person_id })
                });
                let nobodys = faces.iter().filter(|(_, person_id)| person_id.is_none());
                let guesses = Guesses {
                    model: saying.model.clone(),
                    run_id: saying.run_id,
                    faces: somebodys.collect(),
                    nobodys: nobodys.map(|(face_id, _)| FaceId::new(*face_id)).collect(),
                };
                (AssetId::new(*asset_id), guesses)
            })
            .collect();
        let ctx = self.context(NAME, saying.correlation_id, Some(saying.cause));
        let Outcome::Committed(written) = self.commands.assign_faces(&ctx, &guesses).await? else {
            return Ok(false);
        };
        let deadline = tokio::time::Instant::now() + SHOWS_MAX;
        while !self.queries.people_have_passed(written.event_id).await? {
            if tokio::time::Instant::now() >= deadline {
                return Err(ProcessorError::NotYet { after: BUSY });
            }
            tokio::time::sleep(SHOWS_EVERY).await;
        }
        Ok(true)
    }
}
