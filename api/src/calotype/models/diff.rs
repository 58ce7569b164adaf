//! `POST /calotype/models/diff`: what would change with a model that was tried.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use calotype_domain::ModelTask;
use calotype_domain::permission::Permission;
use calotype_projections::models::{FacesDiff, PersonDiff, ProposedFace, SearchDiff, TextsDiff};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::dto::ModelIdentityDto;
use super::trials::{conflict, missing};
use super::{NAME_CHARS_MAX, best_trial, identity, task};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::search::texts::{EmbedTextError, TextEmbedder};
use crate::state::Api;
use crate::validate::Fields;

/// Searches that are compared at once.
const WORDS_MAX: usize = 50;
/// Searches that are compared where none are given.
const WORDS: [&str; 10] = [
    "a person",
    "a child",
    "a dog",
    "a cat",
    "food on a table",
    "a beach",
    "mountains",
    "a car",
    "a birthday",
    "a document",
];
/// Examples of each kind where no number is given, and at most.
pub(in crate::calotype) const EXAMPLES: i64 = 50;
pub(in crate::calotype) const EXAMPLES_MAX: i64 = 1_000;

/// What is to be compared.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct CompareModelsDto {
    /// `smartSearch`, `facialRecognition` or `ocr`.
    task: String,
    /// The model that was tried; the one that was tried last when left out.
    name: Option<String>,
    /// Searches whose first twenty are compared, at most fifty.
    words: Option<Vec<String>>,
    /// How many examples of each kind are told.
    examples: Option<i64>,
}

/// What would change.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ModelDiffDto {
    /// `smartSearch`, `facialRecognition` or `ocr`.
    task: String,
    trial_id: Uuid,
    /// `open`, `finished` or `cancelled`.
    state: String,
    /// The model in use.
    used: ModelIdentityDto,
    /// The model that was tried.
    tried: ModelIdentityDto,
    /// Assets with pictures that it has said nothing of.
    missing: i64,
    /// Of `smartSearch`.
    searches: Option<Vec<SearchDiffDto>>,
    /// Of `facialRecognition`.
    faces: Option<FacesDiffDto>,
    /// Of `ocr`.
    texts: Option<TextsDiffDto>,
}

/// A search in one library.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SearchDiffDto {
    words: String,
    owner_id: Uuid,
    /// How many of the first twenty are the same.
    kept: usize,
    /// Assets that would be new among them, the nearest first.
    entered: Vec<Uuid>,
    /// Assets that would be among them no more, the nearest first.
    left: Vec<Uuid>,
}

/// Texts of the assets that the model was shown.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TextsDiffDto {
    compared: i64,
    /// Assets with other words than before.
    changed: i64,
    /// Assets with words that had none.
    appeared: i64,
    /// Assets without words that had some.
    vanished: i64,
    /// Some of those that differ.
    asset_ids: Vec<Uuid>,
}

/// Faces and people.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FacesDiffDto {
    /// Faces that were compared: found before, by the model, or by both.
    compared: i64,
    /// Faces that would be somebody else's.
    moved: i64,
    /// Nobody's faces that would be somebody's.
    joined: i64,
    /// Somebody's faces that would be nobody's.
    left: i64,
    /// Faces that the model does not find.
    gone: i64,
    /// Faces that nobody has found before.
    found: i64,
    /// People that would be made of new groups.
    new_people: i64,
    /// People who would have no face any more.
    vanished_person_ids: Vec<Uuid>,
    /// People who lose or gain photos, most first.
    people: Vec<PersonDiffDto>,
    /// Faces whose person changes.
    faces: Vec<FaceDiffDto>,
}

/// One person.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PersonDiffDto {
    id: Uuid,
    owner_id: Uuid,
    is_named: bool,
    /// Photos that they would be on no more.
    lost: i64,
    /// Photos that they would be on.
    gained: i64,
    lost_asset_ids: Vec<Uuid>,
    gained_asset_ids: Vec<Uuid>,
}

/// One face.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FaceDiffDto {
    id: Uuid,
    asset_id: Uuid,
    /// Whose it is.
    #[schema(required)]
    before_person_id: Option<Uuid>,
    /// Whose it would be, of those who are there.
    #[schema(required)]
    after_person_id: Option<Uuid>,
    /// The number of somebody new whose it would be.
    #[schema(required)]
    new_person: Option<i32>,
    /// Whether the model finds it.
    is_found: bool,
    /// Whether nobody has found it before.
    is_new: bool,
}

/// Says in numbers and by examples what would change with a model that was tried.
#[utoipa::path(
    post,
    path = "/calotype/models/diff",
    operation_id = "compareModels",
    tag = "Calotype",
    request_body = CompareModelsDto,
    responses((status = 200, body = ModelDiffDto)),
)]
pub(super) async fn compare_models(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<ModelDiffDto>, Problem> {
    caller.require_admin(Permission::All)?;
    let mut fields = Fields::json(&body)?;
    let task = task(&mut fields);
    let name = fields.string_up_to("name", NAME_CHARS_MAX);
    let words = fields.has("words").then(|| fields.required_strings("words", WORDS_MAX));
    let examples = fields.integer("examples", 1, EXAMPLES_MAX).unwrap_or(EXAMPLES);
    fields.finish()?;
    let trial = best_trial(&api, task, name.as_deref()).await?;
    let settings = api.queries.settings().await?;
    let used_name = settings.text(task.setting()).to_owned();
    let Some(used) = identity(&api, task, &used_name).await else {
        return Err(conflict(format!("The model in use, {used_name:?}, is not there")));
    };
    let mut diff = ModelDiffDto {
        task: task.as_str().to_owned(),
        trial_id: trial.trial_id,
        state: trial.state.clone(),
        tried: ModelIdentityDto {
            name: trial.model_name.clone(),
            revision: trial.model_revision.clone(),
            sha256: trial.model_sha256.clone(),
        },
        missing: missing(&api, &trial).await?,
        searches: None,
        faces: None,
        texts: None,
        used: used.into(),
    };
    match task {
        ModelTask::SmartSearch => {
            let words = words.unwrap_or_else(|| WORDS.map(str::to_owned).to_vec());
            diff.searches = Some(searches(&api, &used_name, &trial.name, &words).await?);
        }
        ModelTask::FacialRecognition => {
            if !trial.is_finished() {
                return Err(conflict("The groups of faces are made at the end of the trial"));
            }
            diff.faces = Some(api.queries.faces_diff(trial.trial_id, examples).await?.into());
        }
        ModelTask::Ocr => {
            diff.texts = Some(api.queries.texts_diff(trial.model_id, examples).await?.into());
        }
    }
    Ok(Json(diff))
}

async fn searches(
    api: &Api,
    used: &str,
    tried: &str,
    words: &[String],
) -> Result<Vec<SearchDiffDto>, Problem> {
    let Some(embedder) = &api.embedder else {
        return Err(conflict("No model is there to read the words"));
    };
    let used = vectors(&**embedder, used, words).await?;
    let tried = vectors(&**embedder, tried, words).await?;
    let diffs = api.queries.searches_diff((used.0, &used.1), (tried.0, &tried.1)).await?;
    Ok(diffs.into_iter().filter_map(|diff| told(diff, words)).collect())
}

fn told(diff: SearchDiff, words: &[String]) -> Option<SearchDiffDto> {
    let SearchDiff { words: place, owner_id, kept, entered, left } = diff;
    Some(SearchDiffDto { words: words.get(place)?.clone(), owner_id, kept, entered, left })
}

/// The words as vectors of one model, and its id.
async fn vectors(
    embedder: &dyn TextEmbedder,
    name: &str,
    words: &[String],
) -> Result<(Uuid, Vec<Vec<f32>>), Problem> {
    let mut model_id = Uuid::nil();
    let mut vectors = Vec::with_capacity(words.len());
    for text in words {
        let said = embedder.embed(name, text, None).await.map_err(|error| match error {
            EmbedTextError::Unavailable(_) => {
                conflict(format!("The model {name:?} is not there to read the words"))
            }
            EmbedTextError::Failed(_) => Problem::internal(&error),
        })?;
        model_id = said.0.id();
        vectors.push(said.1);
    }
    Ok((model_id, vectors))
}

impl From<TextsDiff> for TextsDiffDto {
    fn from(diff: TextsDiff) -> Self {
        let TextsDiff { compared, changed, appeared, vanished, asset_ids } = diff;
        Self { compared, changed, appeared, vanished, asset_ids }
    }
}

impl From<FacesDiff> for FacesDiffDto {
    fn from(diff: FacesDiff) -> Self {
        Self {
            compared: diff.compared,
            moved: diff.moved,
            joined: diff.joined,
            left: diff.left,
            gone: diff.gone,
            found: diff.found,
            new_people: diff.new_people,
            vanished_person_ids: diff.vanished,
            people: diff.people.into_iter().map(Into::into).collect(),
            faces: diff.faces.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<PersonDiff> for PersonDiffDto {
    fn from(person: PersonDiff) -> Self {
        Self {
            id: person.person_id,
            owner_id: person.owner_id,
            is_named: person.is_named,
            lost: person.lost,
            gained: person.gained,
            lost_asset_ids: person.lost_ids,
            gained_asset_ids: person.gained_ids,
        }
    }
}

impl From<ProposedFace> for FaceDiffDto {
    fn from(face: ProposedFace) -> Self {
        Self {
            id: face.face_id,
            asset_id: face.asset_id,
            before_person_id: face.before_id,
            after_person_id: face.after_id,
            new_person: face.fresh,
            is_found: face.is_found,
            is_new: face.is_new,
        }
    }
}
