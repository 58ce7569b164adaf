//! `calotype models`: which models are there, whether they are whole, and putting those there that are brought
//! along.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use calotype_ml::{Found, Ml, Other, Source, Verdict, install, install_other, pinned, verify};
use clap::Subcommand;
use uuid::Uuid;

use crate::embedded::{model_folders, onnxruntime_files};
use crate::operator::models::Wish;
use crate::operator::{self, Target, Task, say};
use crate::wiring::ml_config;

/// `calotype models …`
#[derive(Clone, Debug, Subcommand)]
pub enum Models {
    /// Show the models that can be used, and where ONNX Runtime is that runs them. Of a running server: which are in
    /// use, and of how many assets each has said something.
    List {
        /// As JSON, of a running server.
        #[arg(long)]
        json: bool,
    },
    /// Put the models into the data folder that Calotype brings along, or another one by its name. What is there and
    /// right stays, and what was cut off is taken up again.
    Install {
        /// Another one, such as `clip/ViT-B-32__openai`, `facial-recognition/buffalo_l` or `ocr/PP-OCRv5_mobile`.
        /// It is put there when it was loaded and does what it must.
        #[arg(value_name = "KIND/NAME")]
        model: Option<Other>,
        /// Where they come from: a folder, or the address of one on a server; of another model its own folder.
        /// Default: the folder that is installed beside the program; of another one where Immich keeps its exports.
        #[arg(long, value_name = "DIR|URL")]
        from: Option<String>,
    },
    /// Compare the files of what is brought along with what they should be, and load every model once.
    Verify,
    /// Let a running server try a model: what it says is kept beside what counts.
    Try {
        /// What it is asked for.
        task: Task,
        /// The model's name, as it is installed.
        model: String,
        /// Whose assets it is shown, by the ids of their accounts; everybody's when left out.
        #[arg(long, value_name = "ID", value_delimiter = ',')]
        users: Vec<Uuid>,
        /// How many assets at most.
        #[arg(long, value_name = "N")]
        sample: Option<u32>,
        /// Wait until it is done.
        #[arg(long)]
        wait: bool,
        /// As JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Show the trials and how far they are.
    Trials {
        /// As JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// End a trial before its end.
    Cancel {
        /// Its id; see `trials`.
        id: Uuid,
    },
    /// Say what would change with a model that was tried.
    Diff {
        /// What it is asked for.
        task: Task,
        /// The model; the one that was tried last when left out.
        #[arg(long, value_name = "NAME")]
        model: Option<String>,
        /// A search whose first twenty are compared; may be said several times.
        #[arg(long = "word", value_name = "WORDS")]
        words: Vec<String>,
        /// How many examples of each kind.
        #[arg(long, value_name = "N")]
        examples: Option<u32>,
        /// As JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Let what a model that was tried says count from now on.
    Switch {
        /// What it is asked for.
        task: Task,
        /// The model; the one that was tried last when left out.
        #[arg(long, value_name = "NAME")]
        model: Option<String>,
        /// Also where it has not said something of every asset.
        #[arg(long)]
        incomplete: bool,
    },
    /// Let what the model before the last switch says count again.
    Rollback {
        /// What it is asked for.
        task: Task,
    },
}

/// Does what was asked for. False where something is missing or wrong.
///
/// # Errors
/// When a file cannot be read or put in its place, or is another one.
pub async fn models(target: &Target, command: Models) -> anyhow::Result<bool> {
    let data = &target.folder();
    let (wish, as_json) = match command {
        Models::List { json } if target.server().is_some() => (Wish::List, json),
        Models::Try { task, model: name, users, sample, wait, json } => {
            (Wish::Try { task, name, users, sample, wait }, json)
        }
        Models::Trials { json } => (Wish::Trials, json),
        Models::Cancel { id } => (Wish::Cancel { id }, false),
        Models::Diff { task, model: name, words, examples, json } => {
            (Wish::Diff { task, name, words, examples }, json)
        }
        Models::Switch { task, model: name, incomplete } => {
            (Wish::Switch { task, name, incomplete }, false)
        }
        Models::Rollback { task } => (Wish::Rollback { task }, false),
        local => return here(data, local).await,
    };
    operator::models::models(target, wish, as_json).await.map(|()| true)
}

/// What is done in a folder.
async fn here(data: &Path, command: Models) -> anyhow::Result<bool> {
    match command {
        Models::Install { model: Some(other), from } => {
            let root = data.join("models");
            let source = match from {
                Some(words) => Source::parse(&words)?,
                None => other.hub()?,
            };
            for identity in install_other(&other, &source, &root, &ml_config(data)).await? {
                say(&format!("{}: {identity}", root.display()));
            }
            Ok(true)
        }
        Models::Install { model: None, from } => {
            let root = data.join("models");
            let source = match from {
                Some(words) => Source::parse(&words)?,
                None => Source::Folder(beside(data).context(
                    "no models are installed beside the program; name a folder or an address with --from",
                )?),
            };
            let found = install(&source, &root).await?;
            tell(&found);
            say(&format!("{}: {} files are right", root.display(), found.len()));
            Ok(true)
        }
        Models::Verify => tokio::task::block_in_place(|| check(data)),
        _ => Ok(list(data)),
    }
}

fn list(data: &Path) -> bool {
    let files = onnxruntime_files(data);
    let runtime = files.iter().find(|file| file.is_file());
    match runtime {
        Some(file) => say(&format!("ONNX Runtime: {}", file.display())),
        None => say("ONNX Runtime: not installed; no model can run"),
    }
    let ml = Ml::new(ml_config(data));
    let installed = ml.map(|ml| ml.installed()).unwrap_or_default();
    for model in &installed {
        let megabytes = model.bytes.div_ceil(1 << 20);
        let folder = model.folder.display();
        say(&format!("{:<8} {:<40} {megabytes:>5} MB  {folder}", model.kind, model.name));
    }
    if installed.is_empty() {
        say("no models are installed; `calotype models install` puts them there");
    }
    runtime.is_some() && !installed.is_empty()
}

/// Files first, because they are what an operator can mend; then every model once.
fn check(data: &Path) -> anyhow::Result<bool> {
    let root = Some(data.join("models")).filter(|own| own.is_dir()).or_else(|| beside(data));
    let mut all_good = true;
    if let Some(root) = root {
        let found = verify(&root);
        say(&format!("{}:", root.display()));
        tell(&found);
        all_good = found.iter().all(|it| it.verdict == Verdict::Good);
    }
    let ml = Ml::new(ml_config(data))?;
    let installed = ml.installed();
    for model in &installed {
        match ml.check(model.kind, &model.name) {
            Ok(identity) => say(&format!("{:<8} {identity}", model.kind)),
            Err(error) => {
                all_good = false;
                say(&format!("{:<8} {}: {:#}", model.kind, model.name, anyhow::Error::new(error)));
            }
        }
    }
    Ok(all_good && !installed.is_empty())
}

fn tell(found: &[Found]) {
    for Found { path, verdict } in found {
        match verdict {
            Verdict::Good => say(&format!("  {path}: right")),
            Verdict::Placed => say(&format!("  {path}: put there")),
            Verdict::Missing => say(&format!("  {path}: missing")),
            Verdict::Wrong(reason) => say(&format!("  {path}: {reason}")),
        }
    }
}

/// The first folder outside of the data folder's own that holds a model which is brought along.
fn beside(data: &Path) -> Option<PathBuf> {
    let list = pinned();
    model_folders(data)
        .into_iter()
        .skip(1)
        .find(|folder| list.iter().any(|model| folder.join(&model.folder).is_dir()))
}
