//! A plan in a file: written once, and done later as far as nothing has changed since.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};

use super::{ASKED_MAX, Plan, Planned, Status, VERSION, key, there};
use crate::args::ImportArgs;
use crate::digest::{Digests, Packed};
use crate::progress::say;
use crate::scan::Scan;
use crate::server::Server;

/// The longest plan that is read, in bytes: about a million files.
const PLAN_BYTES_MAX: u64 = 1 << 30;
/// Paths that are named of each change.
const SHOWN_MAX: usize = 20;

/// What changed since a plan was made.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Since {
    /// Files that are there no more.
    pub(crate) gone: Vec<String>,
    /// Files that were written since.
    pub(crate) changed: Vec<String>,
    /// Files that were not there.
    pub(crate) new: Vec<String>,
    /// Files that the server has got meanwhile.
    pub(crate) on_server: Vec<String>,
}

/// What on the command line decides what is imported, and how.
pub(crate) fn options_of(args: &ImportArgs) -> Value {
    json!({
        "source": args.source, "datesOfSource": args.dates_of_source,
        "withoutPartner": args.without_partner, "albumFromFolder": args.album_from_folder,
        "album": args.album, "tags": args.tags, "liveByName": args.live_by_name,
        "fromServer": args.from_server,
    })
}

/// Writes a plan.
///
/// # Errors
/// When it cannot be written, or a path on the command line is no UTF-8.
pub(super) fn save(mut plan: Plan, args: &ImportArgs, path: &Path) -> anyhow::Result<()> {
    let mut paths = Vec::new();
    for path in &args.paths {
        let spelled = path.to_str().context("a plan cannot keep a path that is no UTF-8")?;
        paths.push(std::path::absolute(spelled)?.to_string_lossy().into_owned());
    }
    plan.paths = paths;
    let told = || format!("failed to write the plan {}", path.display());
    let file = std::fs::File::create(path).with_context(told)?;
    let mut file = std::io::BufWriter::new(file);
    serde_json::to_writer(&mut file, &plan).with_context(told)?;
    std::io::Write::flush(&mut file).with_context(told)
}

/// Reads a plan, and puts what it says into the command line.
///
/// # Errors
/// When it cannot be read, or is none of this version.
pub(crate) fn read(path: &Path, args: &mut ImportArgs) -> anyhow::Result<Plan> {
    let told = || format!("failed to read the plan {}", path.display());
    let length = std::fs::metadata(path).with_context(told)?.len();
    anyhow::ensure!(length <= PLAN_BYTES_MAX, "the plan {} is too long", path.display());
    let file = std::io::BufReader::new(std::fs::File::open(path).with_context(told)?);
    let plan: Plan = serde_json::from_reader(file).with_context(told)?;
    anyhow::ensure!(plan.version == VERSION, "the plan is of another version: make it anew");
    let is = |name: &str| plan.options[name] == true;
    args.source = serde_json::from_value(plan.options["source"].clone()).with_context(told)?;
    args.album = serde_json::from_value(plan.options["album"].clone()).with_context(told)?;
    args.tags = serde_json::from_value(plan.options["tags"].clone()).with_context(told)?;
    args.from_server = plan.options["fromServer"].as_str().map(str::to_owned);
    args.dates_of_source = is("datesOfSource");
    args.without_partner = is("withoutPartner");
    args.album_from_folder = is("albumFromFolder");
    args.live_by_name = is("liveByName");
    args.paths = plan.paths.iter().map(PathBuf::from).collect();
    Ok(plan)
}

/// Leaves of what is found only what was planned and has not changed; says and tells what has.
///
/// # Errors
/// When the server cannot be asked.
pub(crate) async fn apply(
    plan: &Plan,
    server: &Server,
    is_json: bool,
    scan: &mut Scan,
) -> anyhow::Result<Since> {
    let mut since = compare(plan, scan);
    let new: Vec<(&Planned, &Digests)> = plan
        .files
        .iter()
        .filter(|it| it.status == Status::New)
        .filter_map(|it| Some((it, it.digests.as_ref()?)))
        .collect();
    for some in new.chunks(ASKED_MAX) {
        let there = there(server, some.iter().map(|(_, digests)| *digests)).await?;
        let found = some.iter().filter(|(_, digests)| there.contains(&digests.sha1));
        since.on_server.extend(found.map(|(file, _)| file.path.clone()));
    }
    since.tell(is_json);
    Ok(since)
}

/// Compares what is found with what was planned, by path, length and time.
pub(super) fn compare(plan: &Plan, scan: &mut Scan) -> Since {
    let is_planned = |it: &&Planned| matches!(it.status, Status::New | Status::Duplicate);
    let mut planned: HashMap<&str, &Planned> =
        plan.files.iter().filter(is_planned).map(|it| (it.key.as_str(), it)).collect();
    let mut since = Since::default();
    for mut entry in std::mem::take(&mut scan.entries) {
        let path = std::sync::Arc::clone(&entry.file.path);
        let told = path.to_string_lossy().into_owned();
        let Some(known) = planned.remove(key(&path).as_str()) else {
            scan.pass_over(&path, "it is not in the plan");
            since.new.push(told);
            continue;
        };
        let size_bytes = known.digests.as_ref().map(|it| it.size_bytes);
        // Some servers do not tell how long their files are.
        let is_as_long = entry.file.size_bytes.is_none() || size_bytes == entry.file.size_bytes;
        if !is_as_long || known.modified != Some(entry.file.modified) {
            scan.fail(&path, "it was changed since the plan was made");
            since.changed.push(told);
            continue;
        }
        entry.file.digests = known.digests.as_ref().and_then(Packed::of).map(Box::new);
        scan.entries.push(entry);
    }
    let mut gone: Vec<&&Planned> = planned.values().collect();
    gone.sort_by(|one, other| one.path.cmp(&other.path));
    for file in gone {
        scan.fail(Path::new(&file.path), "it is there no more since the plan was made");
        since.gone.push(file.path.clone());
    }
    since
}

impl Since {
    fn tell(&self, is_json: bool) {
        if is_json {
            let told = json!({
                "type": "since", "gone": self.gone, "changed": self.changed, "new": self.new,
                "onServer": self.on_server,
            });
            return say(&told.to_string());
        }
        let kinds = [
            ("there no more", &self.gone),
            ("changed, and left out", &self.changed),
            ("not in the plan, and left out", &self.new),
            ("on the server meanwhile", &self.on_server),
        ];
        for (what, paths) in kinds.into_iter().filter(|(_, paths)| !paths.is_empty()) {
            say(&format!("{} files are {what}:", paths.len()));
            for path in paths.iter().take(SHOWN_MAX) {
                let path: String =
                    path.chars().map(|it| if it.is_control() { '?' } else { it }).collect();
                say(&format!("  {path}"));
            }
        }
    }
}
