//! What follows a switch, asset by asset: what another model found or read before counts from now on.
//!
//! Vectors for searches follow by themselves, because the event exchanges their rows. Texts and faces are told to
//! phones, and people decide about faces, so they are events of the assets: taken from the log, computed by nobody.
//! Of a switch they are what the trial found, with the groups of its proposal; of the way back, what the streams say
//! was there before. What people said stands above both.

use std::collections::BTreeMap;

use calotype_commands::followed_faces::FollowedFaces;
use calotype_commands::text::Text;
use calotype_domain::asset::{AssetEvent, TextBox, TextReader};
use calotype_domain::event::{Aggregate as _, DomainEvent as _};
use calotype_domain::faces::{
    Area, Detection, FaceAssignment, Faces, FacesDetected, FacesEvent, Found, Guesses,
};
use calotype_domain::queue::{QueueCommand, RerunScope};
use calotype_domain::trial::AssetTrialEvent;
use calotype_domain::{AssetId, FaceId, ModelTask, PersonId, UserId};
use calotype_eventstore::{Revision, StreamId};
use calotype_projections::models::{ModelSwitch, ProposedFace};
use tracing::info;
use uuid::Uuid;

use super::NAME;
use super::proposal::TriedPhoto;
use crate::error::ProcessorError;
use crate::worker::Worker;

/// Assets that follow in one turn.
const CHUNK_ASSETS: i64 = 25;
/// Events of one photo's faces that are read.
const EVENTS_MAX: u32 = 10_000;

/// What a model read in an asset.
struct ReadText {
    reader: TextReader,
    input_blake3: String,
    lines: Vec<String>,
    event_id: Uuid,
}

impl Worker {
    /// The switches that assets still follow.
    pub(super) async fn unfollowed(&self) -> Result<Vec<ModelSwitch>, ProcessorError> {
        let mut open = Vec::new();
        let switches = self.queries.model_switches().await?;
        if switches.is_empty() {
            return Ok(open);
        }
        let settings = self.queries.settings().await?;
        for switch in switches {
            // Another model was named by hand since: what that one says stays.
            let is_asked = ModelTask::named(&switch.task)
                .is_some_and(|task| settings.text(task.setting()) == switch.name);
            if !is_asked {
                continue;
            }
            let is_done = self.queries.followed(switch.event_id).await?.is_some_and(|it| it.1);
            if !is_done {
                open.push(switch);
            }
        }
        Ok(open)
    }

    /// Lets the next assets follow a switch; says whether there are more.
    pub(super) async fn follow_chunk(&self, switch: &ModelSwitch) -> Result<bool, ProcessorError> {
        let Some(task) = ModelTask::named(&switch.task) else { return Ok(false) };
        // Those that the model which was tried has seen: also on the way back from it.
        let tried_id = if switch.is_rollback { switch.former_id } else { switch.model_id };
        let after = self.followed_to(switch.event_id).await?;
        let next = if task == ModelTask::SmartSearch {
            Vec::new()
        } else {
            self.queries.tried_after(task.as_str(), tried_id, None, after, CHUNK_ASSETS).await?
        };
        let Some(last) = next.last().copied() else {
            self.end_following(switch, task, after).await?;
            return Ok(false);
        };
        match task {
            ModelTask::FacialRecognition => self.follow_photos(switch, &next).await?,
            ModelTask::Ocr => {
                for asset_id in &next {
                    self.follow_text(switch, *asset_id).await?;
                }
            }
            ModelTask::SmartSearch => {}
        }
        let count = i64::try_from(next.len()).unwrap_or(i64::MAX);
        self.keep_followed(switch.event_id, last, count, false).await?;
        Ok(true)
    }

    /// All have followed: what the model has not seen at all is asked for.
    async fn end_following(
        &self,
        switch: &ModelSwitch,
        task: ModelTask,
        after: Uuid,
    ) -> Result<(), ProcessorError> {
        let ctx = self.context(NAME, switch.event_id, Some(switch.event_id));
        let rerun = QueueCommand::Rerun(RerunScope::Missing);
        self.commands.control_queue(&ctx, task.queue(), rerun).await?;
        if switch.is_rollback {
            self.forget_made(switch.former_id).await?;
        }
        self.keep_followed(switch.event_id, after, 0, true).await?;
        info!(task = task.as_str(), "all assets have followed the switch of a model");
        Ok(())
    }

    async fn follow_photos(
        &self,
        switch: &ModelSwitch,
        asset_ids: &[Uuid],
    ) -> Result<(), ProcessorError> {
        let (_turn, everywhere) = self.turn_to_recognise().await?;
        let mut photos = Vec::with_capacity(asset_ids.len());
        if switch.is_rollback {
            for asset_id in asset_ids {
                photos.extend(self.faces_before(switch, *asset_id).await?);
            }
        } else {
            let trial_id = self.proposing(switch).await?;
            let proposed = self.queries.proposed_faces(trial_id, asset_ids).await?;
            let mut by_photo: BTreeMap<Uuid, Vec<ProposedFace>> = BTreeMap::new();
            for face in proposed {
                by_photo.entry(face.asset_id).or_default().push(face);
            }
            for asset_id in asset_ids {
                let tried = self.tried_faces(*asset_id, switch.model_id).await?;
                let Some(tried) = tried else { continue };
                let proposed = by_photo.remove(asset_id).unwrap_or_default();
                photos.push(self.as_proposed(switch, trial_id, tried, proposed).await?);
            }
        }
        let ctx = self.context(NAME, switch.event_id, Some(switch.event_id));
        self.commands.follow_faces(&ctx, &photos).await?;
        Ok(everywhere.end().await?)
    }

    /// The trial whose proposal a switch applies: the last that was finished over everything, else the last that was
    /// finished. Where there is none, faces stay whose they are by their places.
    async fn proposing(&self, switch: &ModelSwitch) -> Result<Uuid, ProcessorError> {
        let trials = self.queries.model_trials().await?;
        let of_it = trials.iter().filter(|trial| {
            trial.task == switch.task && trial.model_id == switch.model_id && trial.is_finished()
        });
        let whole = of_it.clone().find(|trial| trial.is_of_all());
        let chosen = whole.or_else(|| of_it.clone().next());
        Ok(chosen.map(|trial| trial.trial_id).unwrap_or_default())
    }

    async fn as_proposed(
        &self,
        switch: &ModelSwitch,
        trial_id: Uuid,
        tried: TriedPhoto,
        proposed: Vec<ProposedFace>,
    ) -> Result<FollowedFaces, ProcessorError> {
        let mut guesses = guesses(switch, &tried.detection);
        for face in proposed.into_iter().filter(|face| face.is_found) {
            let face_id = FaceId::new(face.face_id);
            let person_id = match (face.fresh, face.after_id) {
                (Some(fresh), _) => {
                    let because = (switch.event_id, Some(switch.event_id));
                    Some(self.somebody_of(trial_id, face.owner_id, fresh, because).await?)
                }
                (None, after_id) => after_id.map(PersonId::new),
            };
            match person_id {
                Some(person_id) => guesses.faces.push(FaceAssignment { face_id, person_id }),
                None => guesses.nobodys.push(face_id),
            }
        }
        Ok(FollowedFaces {
            asset_id: AssetId::new(tried.asset_id),
            detection: tried.detection,
            vectors: tried.vectors.map(Into::into),
            guesses,
        })
    }

    /// Who somebody new of a proposal is: made with their first face. A crash in between leaves somebody without
    /// one, who is removed with others of that kind.
    pub(crate) async fn somebody_of(
        &self,
        trial_id: Uuid,
        owner_id: Uuid,
        fresh: i32,
        because: (Uuid, Option<Uuid>),
    ) -> Result<PersonId, ProcessorError> {
        if let Some(person_id) = self.made_of(trial_id, owner_id, fresh).await? {
            return Ok(PersonId::new(person_id));
        }
        let person_id = self.somebody_nameless(UserId::new(owner_id), because).await?;
        self.keep_made(trial_id, owner_id, fresh, person_id.uuid()).await?;
        Ok(person_id)
    }

    /// The faces of a photo as they were before a switch, for the way back; nothing where the former model never
    /// looked at it.
    async fn faces_before(
        &self,
        switch: &ModelSwitch,
        asset_id: Uuid,
    ) -> Result<Option<FollowedFaces>, ProcessorError> {
        let stream_id = StreamId::new("faces", asset_id);
        let mut faces = Faces::default();
        let mut found: Option<(Uuid, FacesDetected)> = None;
        let mut before: Option<(Faces, Uuid, FacesDetected)> = None;
        for event in self.store.read_stream(&stream_id, Revision::FIRST, EVENTS_MAX).await? {
            let payload = event.payload.as_str();
            let what = FacesEvent::from_raw(&event.event_type, event.version, payload)
                .map_err(|error| ProcessorError::Command(Box::new(error)))?;
            if let FacesEvent::Detected(detected) = &what {
                let model_id = detected.model.id();
                if model_id == switch.model_id {
                    found = Some((event.event_id, detected.clone()));
                    before = None;
                } else if model_id == switch.former_id
                    && let Some((event_id, detected)) = found.take()
                {
                    before = Some((faces.clone(), event_id, detected));
                }
            }
            faces.evolve(&what);
        }
        let Some((before, event_id, detected)) = before else { return Ok(None) };
        let Some(detection) = detection_again(&detected) else { return Ok(None) };
        let mut guesses = guesses(switch, &detection);
        for face_id in before.ids() {
            match before.person_of(face_id).flatten() {
                Some(person_id) => guesses.faces.push(FaceAssignment { face_id, person_id }),
                None => guesses.nobodys.push(face_id),
            }
        }
        let vectors = self.queries.attached(event_id, "vectors").await?;
        Ok(Some(FollowedFaces {
            asset_id: AssetId::new(asset_id),
            detection,
            vectors: vectors.map(Into::into),
            guesses,
        }))
    }

    async fn follow_text(
        &self,
        switch: &ModelSwitch,
        asset_id: Uuid,
    ) -> Result<(), ProcessorError> {
        let text = if switch.is_rollback {
            self.text_before(switch, asset_id).await?
        } else {
            self.text_tried(switch, asset_id).await?
        };
        let Some(ReadText { reader, input_blake3, lines, event_id }) = text else { return Ok(()) };
        let boxes = self.queries.attached(event_id, "boxes").await?.unwrap_or_default();
        let boxes = TextBox::unpack(&boxes).unwrap_or_default();
        let boxes = boxes.into_iter().chain(std::iter::repeat(TextBox::default()));
        let text = Text::new(reader, &input_blake3, lines.into_iter().zip(boxes).collect());
        let ctx = self.context(NAME, switch.event_id, Some(switch.event_id));
        self.commands.record_text(&ctx, AssetId::new(asset_id), &text).await?;
        Ok(())
    }

    async fn text_tried(
        &self,
        switch: &ModelSwitch,
        asset_id: Uuid,
    ) -> Result<Option<ReadText>, ProcessorError> {
        let read = self
            .tried_last(asset_id, |event| match event {
                AssetTrialEvent::TextRead(read) if read.reader.model.id() == switch.model_id => {
                    Some(read)
                }
                _ => None,
            })
            .await?;
        Ok(read.and_then(|(event_id, read)| {
            let lines = read.lines.known()?.clone();
            let (reader, input_blake3) = (read.reader, read.input_blake3);
            Some(ReadText { reader, input_blake3, lines, event_id })
        }))
    }

    async fn text_before(
        &self,
        switch: &ModelSwitch,
        asset_id: Uuid,
    ) -> Result<Option<ReadText>, ProcessorError> {
        let history = self.asset_events(AssetId::new(asset_id)).await?;
        Ok(history.events.into_iter().rev().find_map(|told| match told.what {
            AssetEvent::TextRead(read) if read.reader.model.id() == switch.model_id => {
                let lines = read.lines.known()?.clone();
                let (reader, input_blake3) = (read.reader, read.input_blake3);
                Some(ReadText { reader, input_blake3, lines, event_id: told.event_id })
            }
            _ => None,
        }))
    }
}

fn guesses(switch: &ModelSwitch, detection: &Detection) -> Guesses {
    let model = detection.model.clone();
    Guesses { model, run_id: switch.event_id, faces: vec![], nobodys: vec![] }
}

/// What a model found, to be recorded once more: each face at its row, with the id that it had. Nothing of what is
/// forgotten.
fn detection_again(detected: &FacesDetected) -> Option<Detection> {
    let faces = detected.faces.known()?;
    let rows = faces.iter().map(|face| face.row.saturating_add(1)).max().unwrap_or_default();
    // Rows of what people had removed have no face, and no place.
    let nowhere = Area { left: 0.0, top: 0.0, right: 0.0, bottom: 0.0 };
    let none = Found { fresh_id: FaceId::default(), area: nowhere, score: 0.0 };
    let mut found = vec![none; usize::try_from(rows).ok()?];
    for face in faces {
        let row = found.get_mut(usize::try_from(face.row).ok()?)?;
        *row = Found { fresh_id: face.face_id, area: face.area, score: face.score };
    }
    Some(Detection {
        model: detected.model.clone(),
        input_blake3: detected.input_blake3.clone(),
        size: detected.size,
        found,
        vectors_blake3: detected.vectors_blake3.clone(),
        dims: detected.dims,
    })
}

#[cfg(test)]
mod tests {
    use calotype_domain::faces::{FaceFound, PictureSize};
    use calotype_domain::model::ModelRef;

    use super::*;

    #[test]
    fn faces_keep_their_rows_and_ids() {
        let area = Area { left: 0.1, top: 0.1, right: 0.2, bottom: 0.2 };
        let face_id = FaceId::new(Uuid::from_u128(7));
        let detected = FacesDetected {
            model: ModelRef { name: "a".into(), revision: "1".into(), sha256: "0".into() },
            input_blake3: "b".into(),
            size: PictureSize { width: 10, height: 10 },
            faces: vec![FaceFound { face_id, area, score: 0.9, row: 2 }].into(),
            lost: vec![],
            vectors_blake3: None,
            dims: None,
        };
        let again = detection_again(&detected).unwrap();
        assert_eq!(again.found.len(), 3);
        assert_eq!((again.found[2].fresh_id, again.found[2].area), (face_id, area));
        assert!(!again.found[0].area.is_valid());
    }
}
