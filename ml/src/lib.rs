//! Tensors: pixels and words in, numbers out, through ONNX Runtime.
//!
//! [`Ml`] is the door: it finds models in folders laid out as Immich's, loads them when they are first used,
//! unloads them when they rest, and asks other machines first where it is told of some. Everything that waits,
//! queues or grows has a limit in [`MlConfig`].
//!
//! This room decodes no files: pixels come in as bytes of red, green and blue. It knows no other room.

mod clip;
mod config;
mod error;
mod faces;
mod folders;
mod install;
mod model;
mod num;
mod ocr;
mod others;
mod pixels;
mod pool;
mod provider;
mod remote;
mod room;
mod runtime;
mod services;
mod session;

pub use config::MlConfig;
pub use error::MlError;
pub use faces::{Face, Faces};
pub use folders::Folders;
pub use install::{Found, Pinned, PinnedFile, Source, Verdict, install, pinned, verify};
pub use model::{Installed, ModelKind, ModelRef, NotADigest};
pub use ocr::{OcrLimits, Word, Words};
pub use others::{NoModel, Other, install_other};
pub use pixels::Pixels;
pub use provider::{Provider, UnknownProvider};
pub use remote::{MODELS_KEY, Predicted};
pub use room::{Embedding, Ml};
pub use services::{Checks, STAND_INS_HEADER, Services, stand_in};

/// The model for search that Calotype brings along, in the place of Immich's `ViT-B-32__openai`.
pub const DEFAULT_CLIP: &str = "conse-effnet-lite0-minilm";
/// The model for faces that Calotype brings along, in the place of Immich's `buffalo_l`.
pub const DEFAULT_FACES: &str = "yunet-sface";
/// The model for words in pictures that Calotype brings along, in the place of Immich's `PP-OCRv5_mobile`.
pub const DEFAULT_OCR: &str = "PP-OCRv6_tiny";
