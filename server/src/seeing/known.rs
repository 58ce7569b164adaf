//! Which models there are, for whoever tries another one.

use std::collections::BTreeSet;

use async_trait::async_trait;
use calotype_api::Models;
use calotype_domain::ModelTask;
use calotype_domain::model::ModelRef;
use calotype_ml::ModelKind;
use calotype_processors::faces::FaceFinder;

use super::Seeing;

#[async_trait]
impl Models for Seeing {
    async fn installed(&self, task: ModelTask) -> Vec<String> {
        let ml = self.here.clone();
        let looking = tokio::task::spawn_blocking(move || {
            let of_it = ml
                .installed()
                .into_iter()
                .filter(|model| model.kind.folder() == kind(task).folder());
            let names: BTreeSet<String> = of_it.map(|model| model.name).collect();
            names.into_iter().collect()
        });
        // The program ends.
        looking.await.unwrap_or_default()
    }

    async fn identity(&self, task: ModelTask, name: &str) -> Option<ModelRef> {
        match task {
            ModelTask::FacialRecognition => FaceFinder::model(self, name).await.ok(),
            ModelTask::SmartSearch | ModelTask::Ocr => self.model_of(kind(task), name).await.ok(),
        }
    }
}

const fn kind(task: ModelTask) -> ModelKind {
    match task {
        ModelTask::SmartSearch => ModelKind::Clip,
        ModelTask::FacialRecognition => ModelKind::FaceRecognition,
        ModelTask::Ocr => ModelKind::Ocr,
    }
}
