//! The data folder: whose it is, and how much room it has.

use std::path::Path;
use std::sync::Arc;

use rustix::fs::Access;

use super::findings::Findings;
use crate::config::Config;
use crate::embedded::{DataFolder, EmbeddedError};
use crate::ready::Room;

/// Fewer free places for files than this are few.
const FREE_FILES_FEW: u64 = 10_000;
/// Folders that the server writes to, where they are.
const WRITTEN: [&str; 6] = ["library", "derived", "keys", "tmp", "run", "."];

/// Who has the data folder.
pub(super) enum Folder {
    /// A server has it open.
    Open,
    /// Nobody but us.
    Ours(Arc<DataFolder>),
    /// It is not there, or cannot be used.
    None,
}

pub(super) fn look(config: &Config, findings: &mut Findings) -> Folder {
    let data = &config.data;
    if !data.is_dir() {
        findings.note(&format!(
            "there is no data folder {} yet; `calotype serve` makes it",
            data.display()
        ));
        return Folder::None;
    }
    rights(data, findings);
    room(config, findings);
    super::keys::look_at_rights(config, findings);
    match DataFolder::open_as_it_is(data) {
        Ok(None) => {
            findings
                .note("no server has had the data folder open yet; `calotype serve` prepares it");
            Folder::None
        }
        Ok(Some(folder)) => {
            findings.good(&format!("the data folder {} can be opened", data.display()));
            Folder::Ours(Arc::new(folder))
        }
        Err(EmbeddedError::AlreadyOpen { pid, .. }) => {
            let by = pid.map(|pid| format!(" (process {pid})")).unwrap_or_default();
            findings.note(&format!("a server has the data folder open{by}"));
            Folder::Open
        }
        Err(error) => {
            findings.problem(&format!("the data folder cannot be opened: {error}"));
            Folder::None
        }
    }
}

fn rights(data: &Path, findings: &mut Findings) {
    let closed: Vec<String> = WRITTEN
        .iter()
        .map(|name| data.join(name))
        .filter(|path| path.exists())
        .filter(|path| {
            rustix::fs::access(path, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).is_err()
        })
        .map(|path| path.display().to_string())
        .collect();
    if closed.is_empty() {
        findings.good("the folders of the data folder can be read and written");
    } else {
        findings.problem(&format!(
            "this user cannot read and write {}: run the doctor as the server's user, or chown \
             them to it",
            closed.join(", ")
        ));
    }
}

fn room(config: &Config, findings: &mut Findings) {
    let data = &config.data;
    let Some(room) = Room::of(data, config.min_free.map(|size| size.bytes)) else {
        findings.problem("cannot see how much room the disk of the data folder has");
        return;
    };
    let told = format!("{:.1} GiB are free where the data folder is", gib(room.free_bytes));
    if room.is_short() {
        findings.problem(&format!(
            "only {told}: uploads are refused when less than {:.2} GiB are left",
            gib(room.reserve_bytes)
        ));
    } else {
        findings.good(&told);
    }
    let files = rustix::fs::statvfs(data).ok().filter(|found| found.f_files > 0);
    if let Some(few) = files.map(|found| found.f_favail).filter(|free| *free < FREE_FILES_FEW) {
        findings.problem(&format!("the disk has places for only {few} more files (inodes)"));
    }
}

fn gib(bytes: u64) -> f64 {
    let mib = u32::try_from(bytes >> 20).unwrap_or(u32::MAX);
    f64::from(mib) / 1_024.0
}
