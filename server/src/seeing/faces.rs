//! Whose faces are on pictures.

use async_trait::async_trait;
use calotype_api::FaceModels;
use calotype_domain::model::ModelRef;
use calotype_media::image::Pixels;
use calotype_ml::ModelKind;
use calotype_processors::embed::ModelError;
use calotype_processors::faces::{FaceFinder, SeenFace};
use sha2::{Digest as _, Sha256};

use super::{Seeing, failed, pixels, told};

/// Side, in pixels, and brightness of a picture that is shown to ask which model looks at it.
const BLANK_PX: usize = 64;
const GREY: u8 = 127;

#[async_trait]
impl FaceFinder for Seeing {
    async fn model(&self, name: &str) -> Result<ModelRef, ModelError> {
        let detection = self.model_of(ModelKind::FaceDetection, name).await?;
        Ok(both(&detection, &self.model_of(ModelKind::FaceRecognition, name).await?))
    }

    async fn model_asked(&self, name: &str) -> Result<Option<ModelRef>, ModelError> {
        let ml = self.ml().await;
        let is_known = ml.was_told(ModelKind::FaceRecognition, name);
        if is_known || !ml.has_services() {
            return Ok(self.model(name).await.ok());
        }
        // No face is on it; the answer says which models looked.
        let grey = vec![GREY; BLANK_PX * BLANK_PX * 3];
        let side = u32::try_from(BLANK_PX).unwrap_or(u32::MAX);
        let blank = calotype_ml::Pixels::new(side, side, grey).map_err(failed)?;
        let said = ml.faces(name, blank, 1.0).await.map_err(failed)?;
        Ok(Some(both(&told(&said.model), &told(&said.recognition))))
    }

    async fn find(
        &self,
        name: &str,
        picture: Pixels,
        score_min: f32,
    ) -> Result<(ModelRef, Vec<SeenFace>), ModelError> {
        let said = self.ml().await.faces(name, pixels(picture)?, score_min).await;
        let said = said.map_err(failed)?;
        let faces = said.faces.into_iter().map(|face| SeenFace {
            sides: [face.x1, face.y1, face.x2, face.y2],
            score: face.score,
            vector: face.embedding,
        });
        Ok((both(&told(&said.model), &told(&said.recognition)), faces.collect()))
    }
}

#[async_trait]
impl FaceModels for Seeing {
    async fn finds_with(&self, model: &str) -> bool {
        self.has(ModelKind::FaceDetection, model).await
            && self.has(ModelKind::FaceRecognition, model).await
    }
}

/// Two models find faces and tell them apart, and the numbers are of both: so they are known by one name and one
/// digest, over both digests.
fn both(detection: &ModelRef, recognition: &ModelRef) -> ModelRef {
    let digest = Sha256::new().chain_update(&detection.sha256).chain_update(&recognition.sha256);
    let revision = format!("{}+{}", detection.revision, recognition.revision);
    let sha256 = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    ModelRef { name: recognition.name.clone(), revision, sha256 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_model_makes_another_of_both() {
        let model = |digest: &str| ModelRef {
            name: "m".to_owned(),
            revision: "1".to_owned(),
            sha256: digest.to_owned(),
        };
        let usual = both(&model("a"), &model("b"));
        assert_eq!(usual, both(&model("a"), &model("b")));
        assert_ne!(usual.sha256, both(&model("a"), &model("c")).sha256);
        assert_ne!(usual.sha256, both(&model("c"), &model("b")).sha256);
    }
}
