//! `calotype serve --roles ml`: models for other machines, over Immich's machine-learning protocol.
//!
//! It needs no database and no NATS server, and keeps nothing: what is sent is looked at and forgotten. Like
//! Immich's service it asks nobody who they are, so it listens to this machine alone unless told otherwise.

mod entries;
mod form;
mod refusal;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart, Request, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use calotype_media::decoder::DecoderPool;
use calotype_media::image::PixelsWish;
use calotype_ml::{Ml, Pixels, Predicted, STAND_INS_HEADER};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::entries::Task;
use self::form::Form;
use self::refusal::Refusal;
use crate::config::Config;
use crate::listener::{self, Doors, Patience};
use crate::wiring;

/// Requests whose pictures are read or wait to be looked at; others wait before they are read.
const READERS_MAX: usize = 64;
/// Requests that are looked at together.
const REQUESTS_MAX: usize = 8;
/// The longer side of a picture that models look at, in pixels; larger ones are made smaller.
const SIDE_PX_MAX: u32 = 4_096;
/// How long a request may take to arrive whole.
const BODY_WAIT: Duration = Duration::from_secs(60);
/// How long requests may take to end after a stop was asked for.
const STOP_WAIT: Duration = Duration::from_secs(20);

/// What requests need.
#[derive(Clone)]
struct Service {
    ml: Ml,
    decoders: DecoderPool,
    /// Where pictures lie while they are looked at.
    tmp: Arc<PathBuf>,
    readers: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

/// Answers until it is asked to stop.
///
/// # Errors
/// When it cannot listen, or not write into its data folder.
pub async fn serve(
    config: &Config,
    started: Instant,
    soft: &CancellationToken,
) -> anyhow::Result<()> {
    let tmp = config.data.join("tmp").join("ml");
    // Pictures of a process that was killed.
    std::fs::remove_dir_all(&tmp).ok();
    std::fs::create_dir_all(&tmp)
        .with_context(|| format!("failed to make the folder {}", tmp.display()))?;
    let service = Service {
        ml: Ml::new(wiring::ml_config_of(config))?,
        decoders: DecoderPool::new(wiring::decoder_config()?),
        tmp: Arc::new(tmp),
        readers: Arc::new(Semaphore::new(READERS_MAX)),
        turns: Arc::new(Semaphore::new(REQUESTS_MAX)),
    };
    if service.ml.installed().is_empty() {
        warn!("no models are installed; `calotype models install` puts them there");
    }
    let address = SocketAddr::new(config.host, config.port);
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .with_context(|| format!("failed to listen on {address}; is another server there?"))?;
    let address = listener.local_addr()?;
    info!("ready in {} ms: http://{address}", started.elapsed().as_millis());
    let doors = Doors::of_machine(config.trusted_proxies.clone());
    let serving =
        listener::serve(listener, router(service), doors, Patience::default(), soft.clone());
    let bounded = async {
        soft.cancelled().await;
        tokio::time::sleep(STOP_WAIT).await;
    };
    tokio::select! {
        () = serving => {}
        () = bounded => warn!("some requests did not finish in time"),
    }
    info!("stopped");
    Ok(())
}

fn router(service: Service) -> Router {
    Router::new()
        .route("/", get(async || Json(json!({ "message": "Calotype ML" }))))
        .route("/ping", get(async || "pong"))
        .route("/health", get(async || "pong"))
        .route("/predict", post(predict))
        // The form counts for itself, part by part.
        .layer(DefaultBodyLimit::disable())
        .with_state(service)
}

async fn predict(
    State(mut service): State<Service>,
    request: Request,
) -> Result<Json<Value>, Refusal> {
    if request.headers().contains_key(STAND_INS_HEADER) {
        service.ml = service.ml.with_stand_ins();
    }
    let _reader = service.readers.acquire().await.map_err(|_closed| Refusal::stopping())?;
    let form = Multipart::from_request(request, &())
        .await
        .map_err(|refused| Refusal::unreadable(&refused.body_text()))?;
    let form = tokio::time::timeout(BODY_WAIT, Form::read(form, &service.tmp))
        .await
        .map_err(|_late| Refusal::too_slow())??;
    let _turn = service.turns.acquire().await.map_err(|_closed| Refusal::stopping())?;
    let tasks = entries::parse(form.entries.as_deref().unwrap_or_default())?;
    let pixels = match &form.image {
        Some(file) => Some(service.pixels(file.path().to_owned()).await?),
        None => None,
    };
    let mut answer = serde_json::Map::new();
    for task in tasks {
        let found = service.find(task, pixels.as_ref(), form.text.as_deref()).await?;
        if let Value::Object(found) = found.to_json(pixels.as_ref()) {
            merge(&mut answer, found);
        }
    }
    Ok(Json(answer.into()))
}

impl Service {
    /// The pixels of a foreign picture, from a child that is locked in.
    async fn pixels(&self, path: PathBuf) -> Result<Pixels, Refusal> {
        let picture = self.decoders.pixels(path, PixelsWish::whole(SIDE_PX_MAX)).await?;
        Ok(Pixels::new(picture.width, picture.height, picture.rgb)?)
    }

    async fn find(
        &self,
        task: Task,
        pixels: Option<&Pixels>,
        text: Option<&str>,
    ) -> Result<Predicted, Refusal> {
        let picture = || pixels.cloned().ok_or_else(Refusal::nothing_to_look_at);
        Ok(match task {
            Task::Visual { model } => {
                Predicted::Embedding(self.ml.embed_image(&model, picture()?).await?)
            }
            Task::Textual { model, language } => {
                let text = text.ok_or_else(Refusal::nothing_to_look_at)?;
                let found = self.ml.embed_text(&model, text, language.as_deref()).await?;
                Predicted::Embedding(found)
            }
            Task::Faces { model, min_score } => {
                Predicted::Faces(self.ml.faces(&model, picture()?, min_score).await?)
            }
            Task::Words { model, limits } => {
                Predicted::Words(self.ml.words(&model, picture()?, limits).await?)
            }
        })
    }
}

/// Answers of several tasks in one; objects of the same name become one.
fn merge(all: &mut serde_json::Map<String, Value>, more: serde_json::Map<String, Value>) {
    for (key, value) in more {
        match (all.get_mut(&key), value) {
            (Some(Value::Object(known)), Value::Object(value)) => known.extend(value),
            (_, value) => {
                all.insert(key, value);
            }
        }
    }
}
