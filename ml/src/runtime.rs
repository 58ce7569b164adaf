//! ONNX Runtime, loaded once in the life of a process, when the first model is.
//!
//! It is a shared library that is not part of this program: without it everything but models works.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ort::environment::Environment;

use crate::error::MlError;
use crate::folders::list;

/// What was loaded, kept to the end of the process: the library cannot be loaded twice.
static LOADED: Mutex<Option<Environment>> = Mutex::new(None);

/// ONNX Runtime from the first of these files that is there. A failure is forgotten, so that an administrator
/// can install it while the server runs.
pub(crate) fn environment(libraries: &[PathBuf]) -> Result<Environment, MlError> {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = &*loaded {
        return Ok(environment.clone());
    }
    let library = libraries
        .iter()
        .find(|library| library.is_file())
        .ok_or_else(|| MlError::RuntimeMissing { looked_in: list(libraries) })?;
    let environment = load(library)?;
    *loaded = Some(environment.clone());
    Ok(environment)
}

fn load(library: &Path) -> Result<Environment, MlError> {
    let unusable =
        |reason: String| MlError::RuntimeUnusable { library: library.to_owned(), reason };
    // Loaded from another folder, a library's own path is that of the link's target.
    let library = library.canonicalize().map_err(|error| unusable(error.to_string()))?;
    ort::init_from(&library)
        .map_err(|error| unusable(error.to_string()))?
        .with_name("calotype")
        .with_telemetry(false)
        .with_logger(Arc::new(|level, category, _, place, message| {
            tracing::debug!(?level, category, place, "onnxruntime: {message}");
        }))
        .build()
        .map_err(|error| unusable(error.to_string()))
}
