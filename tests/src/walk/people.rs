//! Steps about people and faces: what people decide, and what runs of models say in between.

use calotype_commands::faces::Drawing;
use calotype_domain::asset::{DerivedImage, ProcessorRef};
use calotype_domain::faces::{
    Area, Detection, FaceAssignment, Faces, Found, Guesses, ModelRef, PictureSize,
};
use calotype_domain::person::{
    PersonCreated, PersonDetails, PersonThumbnailFailed, PersonThumbnailRecorded,
};
use calotype_domain::{AssetId, FaceId, PersonId, UserId};
use calotype_eventstore::StreamId;
use rand::Rng as _;
use rand::seq::{IndexedRandom as _, IteratorRandom as _};

use super::assets::Known;
use super::step::accept;
use super::world::World;

const SIZE: PictureSize = PictureSize { width: 1_000, height: 1_000 };
/// Few places, so that faces meet.
const PLACES: i32 = 4;

impl World {
    /// One wish about people, or one saying of a model.
    pub(super) async fn people_step(&mut self) -> anyhow::Result<()> {
        match self.random.random_range(0..100) {
            0..15 => self.create_person().await,
            15..25 => self.change_people().await,
            25..40 => self.draw_face().await,
            40..55 => self.detect_faces().await,
            55..70 => self.guess_faces().await,
            70..85 => self.decide_face().await,
            85..91 => self.merge_people().await,
            91..94 => self.delete_person().await,
            _ => self.picture_person().await,
        }
    }

    fn some_person(&mut self) -> Option<(UserId, PersonId)> {
        self.people.choose(&mut self.random).copied()
    }

    /// A photo, its owner, and somebody in the same library.
    fn photo_with_somebody(&mut self) -> Option<(Known, PersonId)> {
        let photo = self.assets.choose(&mut self.random).cloned()?;
        let person_id = self
            .people
            .iter()
            .filter(|(owner_id, _)| *owner_id == photo.owner_id)
            .choose(&mut self.random)
            .map(|(_, person_id)| *person_id)?;
        Some((photo, person_id))
    }

    async fn some_face(&mut self, asset_id: AssetId) -> anyhow::Result<Option<FaceId>> {
        let (faces, _) = self.commands.load::<Faces>(&StreamId::new("faces", asset_id)).await?;
        Ok(faces.ids().choose(&mut self.random))
    }

    fn area(&mut self) -> Option<Area> {
        let left = self.random.random_range(0..PLACES) * 200 + self.random.random_range(0..20);
        Area::from_pixels((left, 100), (left + 100, 200), SIZE)
    }

    async fn create_person(&mut self) -> anyhow::Result<()> {
        let owner_id = self.anybody();
        let is_named = self.random.random_bool(0.6);
        let created = PersonCreated {
            owner_id,
            name: if is_named { "Ánna Bertha".to_owned() } else { String::new() }.into(),
            birth_date: None.into(),
            is_hidden: self.random.random_bool(0.1),
            is_favorite: self.random.random_bool(0.1),
            color: None,
        };
        let ctx = self.context(Some(owner_id));
        if let Some((id, _)) = accept(self.commands.create_person(&ctx, created).await)? {
            self.people.push((owner_id, id));
        }
        Ok(())
    }

    async fn change_people(&mut self) -> anyhow::Result<()> {
        let Some((owner_id, one)) = self.some_person() else { return Ok(()) };
        let other = self.some_person().map_or(one, |(_, id)| id);
        let number = self.random.random_range(0..5);
        let details = PersonDetails {
            name: self.random.random_bool(0.5).then(|| format!("Name {number}")),
            birth_date: self.random.random_bool(0.2).then(|| "1990-05-01".parse().ok()),
            hidden: self.random.random_bool(0.3).then(|| self.random.random()),
            favorite: self.random.random_bool(0.3).then(|| self.random.random()),
            color: self.random.random_bool(0.2).then(|| Some("#aabbcc".to_owned())),
        };
        let ctx = self.context(Some(owner_id));
        let changes = [(one, details.clone()), (other, details.clone()), (one, details)];
        accept(self.commands.change_people(&ctx, owner_id, &changes).await).map(drop)
    }

    async fn draw_face(&mut self) -> anyhow::Result<()> {
        let Some((photo, person_id)) = self.photo_with_somebody() else { return Ok(()) };
        let area = if self.random.random_bool(0.8) { self.area() } else { None };
        let drawing = Drawing { area, size: SIZE, person_id };
        let ctx = self.context(Some(photo.owner_id));
        let drawn = self.commands.draw_face(&ctx, photo.owner_id, photo.id, drawing).await;
        accept(drawn).map(drop)
    }

    async fn detect_faces(&mut self) -> anyhow::Result<()> {
        let Some(photo) = self.assets.choose(&mut self.random).cloned() else { return Ok(()) };
        let mut found = Vec::new();
        for _ in 0..self.random.random_range(0..4) {
            let fresh_id = FaceId::new(self.commands.ids().v4());
            found.extend(self.area().map(|area| Found { fresh_id, area, score: 0.9 }));
        }
        let detection = Detection {
            model: self.model(),
            input_blake3: photo.blake3.clone(),
            size: SIZE,
            found,
            vectors_blake3: None,
            dims: None,
        };
        let ctx = self.context(None);
        accept(self.commands.record_faces(&ctx, photo.id, detection, None).await).map(drop)
    }

    async fn guess_faces(&mut self) -> anyhow::Result<()> {
        let mut guesses: Vec<(AssetId, Guesses)> = Vec::new();
        for _ in 0..3 {
            let Some((photo, person_id)) = self.photo_with_somebody() else { continue };
            let Some(face_id) = self.some_face(photo.id).await? else { continue };
            if guesses.iter().any(|(asset_id, _)| *asset_id == photo.id) {
                continue;
            }
            let faces = vec![FaceAssignment { face_id, person_id }];
            let run_id = self.commands.ids().v7();
            let nobodys = if self.random.random_bool(0.2) { vec![face_id] } else { vec![] };
            guesses.push((photo.id, Guesses { model: self.model(), run_id, faces, nobodys }));
        }
        let ctx = self.context(None);
        accept(self.commands.assign_faces(&ctx, &guesses).await).map(drop)
    }

    pub(super) fn model(&mut self) -> ModelRef {
        let revision = self.random.random_range(0..50).to_string();
        ModelRef { name: "walk".into(), revision, sha256: "0".repeat(64) }
    }

    async fn decide_face(&mut self) -> anyhow::Result<()> {
        let Some((photo, person_id)) = self.photo_with_somebody() else { return Ok(()) };
        let Some(face_id) = self.some_face(photo.id).await? else { return Ok(()) };
        // A stranger's wish now and then.
        let by = if self.random.random_bool(0.1) { self.anybody() } else { photo.owner_id };
        let ctx = self.context(Some(by));
        let outcome = match self.random.random_range(0..4) {
            0 => self.commands.remove_face(&ctx, by, photo.id, face_id).await,
            1 => self.commands.reject_face(&ctx, by, photo.id, face_id, person_id).await,
            _ => {
                let faces = [(photo.id, face_id)];
                self.commands.confirm_faces(&ctx, by, person_id, &faces).await
            }
        };
        accept(outcome).map(drop)
    }

    async fn merge_people(&mut self) -> anyhow::Result<()> {
        let Some((by, into_id)) = self.some_person() else { return Ok(()) };
        let Some((_, person_id)) = self.some_person() else { return Ok(()) };
        let ctx = self.context(Some(by));
        accept(self.commands.merge_person(&ctx, by, into_id, person_id).await).map(drop)
    }

    async fn delete_person(&mut self) -> anyhow::Result<()> {
        let Some((by, person_id)) = self.some_person() else { return Ok(()) };
        let ctx = self.context(Some(by));
        accept(self.commands.delete_people(&ctx, by, &[person_id]).await).map(drop)
    }

    async fn picture_person(&mut self) -> anyhow::Result<()> {
        let Some((photo, person_id)) = self.photo_with_somebody() else { return Ok(()) };
        let by = photo.owner_id;
        let ctx = self.context(Some(by));
        let chosen = self.commands.choose_feature_face(&ctx, by, person_id, photo.id).await;
        accept(chosen)?;
        let Some(face_id) = self.some_face(photo.id).await? else { return Ok(()) };
        let processor = ProcessorRef { name: "people".into(), version: 1 };
        let ctx = self.context(None);
        if self.random.random_bool(0.3) {
            let (code, reason) = ("corrupt".to_owned(), "the preview ends early".to_owned());
            let failed = PersonThumbnailFailed { processor, face_id, code, reason };
            let recorded =
                self.commands.record_person_thumbnail_failure(&ctx, person_id, failed).await;
            return accept(recorded).map(drop);
        }
        let made = PersonThumbnailRecorded {
            processor,
            face_id: Some(face_id),
            input_blake3: photo.blake3.clone(),
            image: DerivedImage {
                key: format!("thumbs/{person_id}.jpeg"),
                size_bytes: 1_000,
                width: 250,
                height: 250,
            },
        };
        accept(self.commands.record_person_thumbnail(&ctx, person_id, made).await).map(drop)
    }
}
