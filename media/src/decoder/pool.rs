//! The parent's pool of decoder children.

use std::{
    ffi::OsString,
    fs::File,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Semaphore, SemaphorePermit};
use uuid::Uuid;

use super::{
    DecodeError, Job, Outside, Report,
    child::{Decoder, Ended},
    handed,
    protocol::{self, Answer, Request},
};
use crate::{
    image::{CropWish, Picture, Pixels, PixelsWish},
    limits, raw,
    sidecar::SidecarWords,
    strip::Plan,
    video,
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
    /// Whose files are opened; nil for those of nobody.
    group: Uuid,
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
        Self { inner: Arc::new(inner), group: Uuid::nil() }
    }

    /// The same pool for the files of one group, such as those of one owner: a child that opens one of them has
    /// opened, and will open, none of another group. So a file that takes over its child sees nobody else's.
    #[must_use]
    pub fn apart(&self, group: Uuid) -> Self {
        Self { inner: Arc::clone(&self.inner), group }
    }

    /// Waits for a place; children at work never are more than places.
    async fn place(&self) -> Result<SemaphorePermit<'_>, DecodeError> {
        self.inner
            .places
            .acquire()
            .await
            .map_err(|closed| DecodeError::unavailable("decoder pool is closed", &closed))
    }

    /// Does a job: facts, and pictures where they are wanted. Waits for a free child.
    ///
    /// A file whose pictures cannot be made still gives its facts; the reason is then inside
    /// [`Report::images`].
    ///
    /// # Errors
    /// [`DecodeError`]: the file could not be opened at all, or brought its child down.
    pub async fn run(&self, job: &Job) -> Result<Report, DecodeError> {
        let _place = self.place().await?;
        let mut files = vec![handed::open(job.source.clone()).await?];
        files.extend(handed::open_if_there(job.sidecar.clone()).await);
        let request = Request::File { has_sidecar: files.len() > 1, want: job.want };
        match self.ask(&request, &files, &[]).await? {
            (Answer::Report { facts, images }, blob) => {
                let report = report(*facts, images, blob)?;
                self.rescue(job, report).await
            }
            (Answer::Film { mime }, _) => self.film(job, &mime).await,
            (Answer::Cut { .. } | Answer::Written | Answer::Told { .. }, _) => {
                Err(answered_something_else())
            }
            (Answer::Failed(error), _) => Err(error),
        }
    }

    /// Cuts a square out of a picture, as a JPEG.
    ///
    /// # Errors
    /// [`DecodeError`]: the file is no picture, or the box lies outside it.
    pub async fn crop(&self, source: PathBuf, wish: CropWish) -> Result<Picture, DecodeError> {
        let _place = self.place().await?;
        let files = [handed::open(source).await?];
        match self.ask(&Request::Crop { wish }, &files, &[]).await? {
            (Answer::Cut { width, height }, bytes) => Ok(Picture { width, height, bytes }),
            (Answer::Failed(error), _) => Err(error),
            (_, _) => Err(answered_something_else()),
        }
    }

    /// The pixels of a picture, upright, in sRGB: red, green and blue of each, rows from the top, without padding.
    ///
    /// # Errors
    /// [`DecodeError`]: the file is no picture.
    pub async fn pixels(&self, source: PathBuf, wish: PixelsWish) -> Result<Pixels, DecodeError> {
        let _place = self.place().await?;
        let files = [handed::open(source).await?];
        match self.ask(&Request::Pixels { wish }, &files, &[]).await? {
            (Answer::Cut { width, height }, rgb) => {
                Pixels::of(width, height, rgb).ok_or_else(answered_something_else)
            }
            (Answer::Failed(error), _) => Err(error),
            (_, _) => Err(answered_something_else()),
        }
    }

    /// Puts words into a sidecar; the answer is the whole file. Nothing is written here.
    ///
    /// # Errors
    /// [`DecodeError`]: what is there is no sidecar that can be added to.
    pub async fn write_sidecar(
        &self,
        existing: Option<PathBuf>,
        words: SidecarWords,
    ) -> Result<Vec<u8>, DecodeError> {
        let _place = self.place().await?;
        let files = match existing {
            Some(path) => vec![handed::open(path).await?],
            None => Vec::new(),
        };
        let request = Request::Sidecar { has_existing: !files.is_empty(), words: Box::new(words) };
        match self.ask(&request, &files, &[]).await? {
            (Answer::Written, bytes) => Ok(bytes),
            (Answer::Failed(error), _) => Err(error),
            (_, _) => Err(answered_something_else()),
        }
    }

    /// What to send of an open file so that it says nothing about itself; `None` when that cannot be told.
    /// See [`crate::strip`].
    ///
    /// # Errors
    /// [`DecodeError`]: the file could not be read, or brought its child down.
    pub async fn strip(&self, file: &File) -> Result<Option<Plan>, DecodeError> {
        let _place = self.place().await?;
        let handle = file.try_clone().map_err(|error| super::job::unreadable(&error))?;
        match self.ask(&Request::Strip, &[handle], &[]).await? {
            (Answer::Told { has_plan: false }, _) => Ok(None),
            (Answer::Told { has_plan: true }, plan) => Plan::from_bytes(&plan)
                .map(Some)
                .map_err(|error| DecodeError::unavailable("decoder answered with no plan", &error)),
            (Answer::Failed(error), _) => Err(error),
            (_, _) => Err(answered_something_else()),
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
        let is_film = facts.true_mime.as_deref().is_some_and(video::has_more);
        let film = handed::open_if_there(is_film.then(|| job.source.clone())).await;
        let sidecar = handed::open_if_there(job.sidecar.clone()).await;
        let request = Request::Frame {
            facts: Box::new(facts),
            has_film: film.is_some(),
            has_sidecar: sidecar.is_some(),
            want: job.want,
        };
        let files: Vec<File> = film.into_iter().chain(sidecar).collect();
        match self.ask(&request, &files, &frame).await? {
            (Answer::Report { facts, images }, blob) => report(*facts, images, blob),
            (Answer::Film { mime }, _) => Err(DecodeError::Unsupported { what: mime }),
            (Answer::Cut { .. } | Answer::Written | Answer::Told { .. }, _) => {
                Err(answered_something_else())
            }
            (Answer::Failed(error), _) => Err(error),
        }
    }

    /// Other programs know a few stills that no library here does: `LibRaw` develops camera RAW
    /// that has no picture inside, ffmpeg reads rare kinds of some formats.
    async fn rescue(&self, job: &Job, mut report: Report) -> Result<Report, DecodeError> {
        let (Some(wish), Some(images)) = (job.want.images, &report.images) else {
            return Ok(report);
        };
        let mime = report.facts.true_mime.as_deref().unwrap_or_default();
        let is_made = images.is_ok();
        if is_made && !(raw::is_raw(mime) && wish.develops_raw()) {
            return Ok(report);
        }
        let is_unsupported = matches!(images, Err(DecodeError::Unsupported { .. }));
        let is_small_enough = !matches!(images, Err(DecodeError::TooLarge { .. }));
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
            Err(refusal) if raw::is_raw(mime) && !is_made => {
                report.images = Some(Err(refusal));
                Ok(report)
            }
            Err(_) => Ok(report),
        }
    }

    fn outside(&self) -> Outside<'_> {
        Outside::new(&self.inner.config)
    }

    async fn ask(
        &self,
        request: &Request,
        files: &[File],
        blob: &[u8],
    ) -> Result<(Answer, Vec<u8>), DecodeError> {
        let config = &self.inner.config;
        for _ in 0..ATTEMPTS_MAX {
            let mut decoder = self.take().await?;
            match decoder.ask(request, files, blob, config.job_timeout).await {
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

    /// The child of this group that worked last, so that the others become idle and end; or a new one. Where
    /// there are as many as may be, the new one takes the place of that which has waited longest.
    async fn take(&self) -> Result<Decoder, DecodeError> {
        let waiting = {
            let mut idle = self.lock_idle();
            idle.retain_mut(|it| !it.is_gone());
            let own = idle.iter().rposition(|it| it.is_of(self.group));
            if let Some(place) = own {
                Some(idle.remove(place))
            } else {
                // Whoever asks has a place already: what may wait is as many as there are places left.
                let surplus = idle.len().saturating_sub(self.inner.places.available_permits());
                idle.drain(..surplus);
                None
            }
        };
        if let Some(decoder) = waiting {
            return Ok(decoder);
        }
        let decoder = Decoder::start(&self.inner.config, self.group).await?;
        if !decoder.is_locked_in() && !self.inner.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "decoders are not locked in wholly; `calotype doctor` tells what is missing"
            );
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
