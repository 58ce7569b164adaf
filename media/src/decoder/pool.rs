//! The parent's pool of decoder children.

use std::{
    ffi::OsString,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::Semaphore;

use super::{
    DecodeError, Job, Outside, Report,
    child::{Decoder, Ended},
    protocol::{self, Answer, Request},
};
use crate::{
    image::{CropWish, Picture},
    limits, raw, video,
};

/// How often a job is given to another child because the first had just ended from idleness.
const ATTEMPTS_MAX: u32 = 3;

/// Still formats of which ffmpeg reads more kinds than the libraries here.
const RARE_KINDS: [&str; 4] =
    ["image/jxl", "image/jp2", "application/vnd.adobe.photoshop", "image/tiff"];

/// How the pool works.
#[derive(Debug, Clone)]
pub struct PoolConfig {
    /// The program that calls [`super::decoder_main`].
    pub program: PathBuf,
    /// Its arguments up to and including the word that makes it a decoder.
    pub args: Vec<OsString>,
    /// Children at work at the same time.
    pub children_max: usize,
    /// Wall time of one job; the child is ended after it.
    pub job_timeout: Duration,
    /// Processor time of one job in seconds.
    pub cpu_seconds: u64,
    /// Address space of a child in bytes.
    pub memory_bytes: u64,
    /// Jobs after which a child is replaced.
    pub jobs_per_child_max: u32,
    /// Time without work after which a child ends.
    pub idle: Duration,
    /// `ffprobe`, by name or path.
    pub ffprobe: PathBuf,
    /// `ffmpeg`, by name or path.
    pub ffmpeg: PathBuf,
    /// `LibRaw`'s `dcraw_emu`, by name or path.
    pub dcraw: PathBuf,
}

impl PoolConfig {
    /// Defaults for a decoder program: one child a core.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>, args: impl IntoIterator<Item = OsString>) -> Self {
        Self {
            program: program.into(),
            args: args.into_iter().collect(),
            children_max: std::thread::available_parallelism().map_or(1, usize::from),
            job_timeout: limits::DECODER_JOB_TIMEOUT,
            cpu_seconds: limits::DECODER_CPU_SECONDS,
            memory_bytes: limits::DECODER_MEMORY_BYTES,
            jobs_per_child_max: limits::DECODER_JOBS_MAX,
            idle: limits::DECODER_IDLE,
            ffprobe: PathBuf::from("ffprobe"),
            ffmpeg: PathBuf::from("ffmpeg"),
            dcraw: PathBuf::from("dcraw_emu"),
        }
    }
}

/// A pool of decoder children. Cheap to clone; the children end when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct DecoderPool {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: PoolConfig,
    places: Semaphore,
    idle: Mutex<Vec<Decoder>>,
    has_warned: AtomicBool,
}

impl DecoderPool {
    /// A pool without children; they are started when there is work.
    #[must_use]
    pub fn new(config: PoolConfig) -> Self {
        let places = Semaphore::new(config.children_max.max(1));
        let inner =
            Inner { config, places, idle: Mutex::default(), has_warned: AtomicBool::new(false) };
        Self { inner: Arc::new(inner) }
    }

    /// Does a job: facts, and pictures where they are wanted. Waits for a free child.
    ///
    /// A file whose pictures cannot be made still gives its facts; the reason is then inside
    /// [`Report::images`].
    ///
    /// # Errors
    /// [`DecodeError`]: the file could not be opened at all, or brought its child down.
    pub async fn run(&self, job: &Job) -> Result<Report, DecodeError> {
        let _place = self
            .inner
            .places
            .acquire()
            .await
            .map_err(|closed| DecodeError::unavailable("decoder pool is closed", &closed))?;
        let request = Request::File {
            source: job.source.clone(),
            sidecar: job.sidecar.clone(),
            want: job.want,
        };
        match self.ask(&request, &[]).await? {
            (Answer::Report { facts, images }, blob) => {
                let report = report(*facts, images, blob)?;
                self.rescue(job, report).await
            }
            (Answer::Film { mime }, _) => self.film(job, &mime).await,
            (Answer::Cut { .. }, _) => Err(answered_something_else()),
            (Answer::Failed(error), _) => Err(error),
        }
    }

    /// Cuts a square out of a picture, as a JPEG.
    ///
    /// # Errors
    /// [`DecodeError`]: the file is no picture, or the box lies outside it.
    pub async fn crop(&self, source: PathBuf, wish: CropWish) -> Result<Picture, DecodeError> {
        let _place = self
            .inner
            .places
            .acquire()
            .await
            .map_err(|closed| DecodeError::unavailable("decoder pool is closed", &closed))?;
        match self.ask(&Request::Crop { source, wish }, &[]).await? {
            (Answer::Cut { width, height }, bytes) => Ok(Picture { width, height, bytes }),
            (Answer::Failed(error), _) => Err(error),
            (Answer::Report { .. } | Answer::Film { .. }, _) => Err(answered_something_else()),
        }
    }

    /// Children that are started and wait for work.
    #[must_use]
    pub fn idle_children(&self) -> usize {
        let mut idle = self.inner.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain_mut(|it| !it.is_gone());
        idle.len()
    }

    async fn film(&self, job: &Job, mime: &str) -> Result<Report, DecodeError> {
        let outside = self.outside();
        let facts = video::probe(&outside, &job.source, mime).await?;
        let Some(wish) = job.want.images else {
            return self.frame(job, facts, Vec::new()).await;
        };
        match video::frame(&outside, &job.source, &facts, wish).await {
            Ok(frame) => self.frame(job, facts, frame).await,
            Err(error) => {
                let facts_only =
                    Job { want: super::Want { images: None, ..job.want }, ..job.clone() };
                let report = self.frame(&facts_only, facts, Vec::new()).await?;
                Ok(Report { images: Some(Err(error)), ..report })
            }
        }
    }

    async fn frame(
        &self,
        job: &Job,
        facts: crate::metadata::Facts,
        frame: Vec<u8>,
    ) -> Result<Report, DecodeError> {
        let in_boxes = ["video/mp4", "video/quicktime", "video/x-m4v", "video/3gpp"];
        let is_film = facts.true_mime.as_deref().is_some_and(|it| in_boxes.contains(&it));
        let request = Request::Frame {
            facts: Box::new(facts),
            film: is_film.then(|| job.source.clone()),
            sidecar: job.sidecar.clone(),
            want: job.want,
        };
        match self.ask(&request, &frame).await? {
            (Answer::Report { facts, images }, blob) => report(*facts, images, blob),
            (Answer::Film { mime }, _) => Err(DecodeError::Unsupported { what: mime }),
            (Answer::Cut { .. }, _) => Err(answered_something_else()),
            (Answer::Failed(error), _) => Err(error),
        }
    }

    /// Other programs know a few stills that no library here does: `LibRaw` develops camera RAW
    /// that has no picture inside, ffmpeg reads rare kinds of some formats.
    async fn rescue(&self, job: &Job, mut report: Report) -> Result<Report, DecodeError> {
        let (Some(wish), Some(Err(error))) = (job.want.images, &report.images) else {
            return Ok(report);
        };
        let is_unsupported = matches!(error, DecodeError::Unsupported { .. });
        let is_small_enough = !matches!(error, DecodeError::TooLarge { .. });
        let mime = report.facts.true_mime.as_deref().unwrap_or_default();
        let outside = self.outside();
        let picture = if raw::is_raw(mime) && is_small_enough {
            raw::develop(&outside, &job.source, &report.facts, wish).await
        } else if RARE_KINDS.contains(&mime) && is_unsupported {
            video::frame(&outside, &job.source, &report.facts, wish).await
        } else {
            return Ok(report);
        };
        match picture {
            Ok(picture) => {
                let without_sidecar = Job { sidecar: None, ..job.clone() };
                self.frame(&without_sidecar, report.facts, picture).await
            }
            Err(refusal) if raw::is_raw(mime) => {
                report.images = Some(Err(refusal));
                Ok(report)
            }
            Err(_) => Ok(report),
        }
    }

    fn outside(&self) -> Outside<'_> {
        Outside::new(&self.inner.config)
    }

    async fn ask(&self, request: &Request, blob: &[u8]) -> Result<(Answer, Vec<u8>), DecodeError> {
        let config = &self.inner.config;
        for _ in 0..ATTEMPTS_MAX {
            let mut decoder = self.take().await?;
            match decoder.ask(request, blob, config.job_timeout).await {
                Ended::Answered(answer, pictures) => {
                    if !decoder.is_spent(config) {
                        self.lock_idle().push(decoder);
                    }
                    return Ok((answer, pictures));
                }
                Ended::WasGone => {}
                Ended::Failed(error) => return Err(error),
            }
        }
        Err(DecodeError::Unavailable { reason: "decoders end before they begin".to_owned() })
    }

    /// The child that worked last, so that the others become idle and end; or a new one.
    async fn take(&self) -> Result<Decoder, DecodeError> {
        let waiting = {
            let mut idle = self.lock_idle();
            idle.retain_mut(|it| !it.is_gone());
            idle.pop()
        };
        if let Some(decoder) = waiting {
            return Ok(decoder);
        }
        let decoder = Decoder::start(&self.inner.config).await?;
        if !decoder.is_filtered() && !self.inner.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!("the kernel refuses seccomp filters: decoders run with limits only");
        }
        Ok(decoder)
    }

    fn lock_idle(&self) -> std::sync::MutexGuard<'_, Vec<Decoder>> {
        self.inner.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answered_something_else() -> DecodeError {
    DecodeError::Unavailable { reason: "decoder answered something else".to_owned() }
}

fn report(
    facts: crate::metadata::Facts,
    images: Option<Result<protocol::Pictures, DecodeError>>,
    blob: Vec<u8>,
) -> Result<Report, DecodeError> {
    let images = match images {
        None => None,
        Some(Err(error)) => Some(Err(error)),
        Some(Ok(pictures)) => Some(Ok(protocol::unpack(pictures, blob).ok_or_else(|| {
            DecodeError::Unavailable { reason: "decoder answered with broken lengths".to_owned() }
        })?)),
    };
    Ok(Report { facts, images })
}
