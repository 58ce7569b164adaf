//! Putting a model into a folder that Calotype does not bring along: one of Immich's exports, or one laid out like it,
//! by its name, from an address or from a folder.
//!
//! Nobody said beforehand what its files must be, so they count only when the whole of them was loaded and answered.

use std::fs;
use std::io;
use std::path::Path;
use std::str::FromStr;

use crate::config::MlConfig;
use crate::error::MlError;
use crate::folders::check_name;
use crate::install::{Source, bring, lock, put};
use crate::model::{ModelKind, ModelRef};
use crate::room::Ml;

/// Where Immich's exports lie, each under its name.
const HUB: &str = "https://huggingface.co/immich-app";

/// A model by the folder of its kind and its name, such as `clip/ViT-B-32__openai`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    kinds: Vec<ModelKind>,
    name: String,
}

/// The words name no model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not like clip/NAME, facial-recognition/NAME or ocr/NAME")]
pub struct NoModel(String);

impl FromStr for Other {
    type Err = NoModel;

    fn from_str(text: &str) -> Result<Self, NoModel> {
        let refused = || NoModel(text.to_owned());
        let (folder, name) = text.split_once('/').ok_or_else(refused)?;
        let kinds: Vec<ModelKind> =
            ModelKind::ALL.into_iter().filter(|kind| kind.folder() == folder).collect();
        if kinds.is_empty() || check_name(name).is_err() {
            return Err(refused());
        }
        Ok(Self { kinds, name: name.to_owned() })
    }
}

impl Other {
    /// Where Immich's export of this name lies.
    ///
    /// # Errors
    /// `BadUrl`: the name makes no address.
    pub fn hub(&self) -> Result<Source, MlError> {
        Source::parse(&format!("{HUB}/{}/resolve/main", self.name))
    }

    /// Its folder, below the one of models.
    fn folder(&self) -> String {
        let kind = self.kinds.first().map_or("", |kind| kind.folder());
        format!("{kind}/{}", self.name)
    }

    fn files(&self) -> impl Iterator<Item = &'static str> {
        self.kinds.iter().flat_map(|kind| kind.files()).copied()
    }
}

/// Puts a model into a folder of models, from a source that is the model's own folder. Its files are brought beside
/// the others first, and what was cut off is taken up again; they take their place when ONNX Runtime has loaded them
/// and they take and give what a model of their kind must.
///
/// # Errors
/// `Unfetched`, `Unreadable`, `Unwritable`: a file did not come or could not be put down, or a model of this name is
/// there; what came is kept for the next time. `RuntimeMissing`, `RuntimeUnusable`: nobody can say whether it works.
/// `BadModel`, `Failed`: it does not; nothing of it is left.
pub async fn install_other(
    other: &Other,
    source: &Source,
    root: &Path,
    config: &MlConfig,
) -> Result<Vec<ModelRef>, MlError> {
    let _lock = lock(root)?;
    let target = root.join(other.folder());
    let unwritable = |source| MlError::Unwritable { path: target.clone(), source };
    if target.exists() {
        return Err(unwritable(io::Error::from(io::ErrorKind::AlreadyExists)));
    }
    let staging = root.join(format!(".installing-{}", other.folder().replace('/', "-")));
    for file in other.files() {
        let whole = staging.join(other.folder()).join(file);
        if !whole.is_file() {
            let part = bring(source, file, None, &whole).await?;
            put(&part, &whole)?;
        }
    }
    let config = MlConfig { folders: vec![staging.clone()], remotes: vec![], ..config.clone() };
    let (kinds, name) = (other.kinds.clone(), other.name.clone());
    let checking = tokio::task::spawn_blocking(move || {
        let ml = Ml::new(config)?;
        kinds.into_iter().map(|kind| ml.check(kind, &name)).collect()
    });
    let checked: Result<Vec<ModelRef>, MlError> =
        checking.await.map_err(|_ended| MlError::GivenUp)?;
    match checked {
        Ok(models) => {
            fs::create_dir_all(target.parent().unwrap_or(root)).map_err(unwritable)?;
            put(&staging.join(other.folder()), &target)?;
            fs::remove_dir_all(&staging).map_err(unwritable)?;
            Ok(models)
        }
        Err(error @ (MlError::BadModel { .. } | MlError::Failed { .. })) => {
            // Nothing of it can be used the next time.
            fs::remove_dir_all(&staging).map_err(unwritable)?;
            Err(error)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_named_by_kind_and_name() {
        let other: Other = "facial-recognition/buffalo_l".parse().unwrap();
        let files: Vec<&str> = other.files().collect();
        assert_eq!(files, ["detection/model.onnx", "recognition/model.onnx"]);
        let expected = "https://huggingface.co/immich-app/buffalo_l/resolve/main/";
        assert_eq!(other.hub().unwrap(), Source::Url(expected.parse().unwrap()));
        for words in ["buffalo_l", "faces/buffalo_l", "clip/", "clip/..", "clip/a/b", "ocr/../a"] {
            assert!(words.parse::<Other>().is_err(), "{words}");
        }
    }
}
