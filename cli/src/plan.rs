//! Says what an import would do, and changes nothing.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::args::ImportArgs;
use crate::digest;
use crate::entry::Entry;
use crate::progress::say;
use crate::scan::Scan;
use crate::server::{Server, Trouble};

/// Files that the server is asked about at once.
const ASKED_MAX: usize = 1_000;

/// One line of the plan.
struct Line {
    path: String,
    status: &'static str,
    why: Option<String>,
    albums: Vec<String>,
}

/// Reads every file, asks the server which it has, and prints what would be done.
///
/// # Errors
/// When the server cannot be asked.
pub(crate) async fn plan(args: &ImportArgs, server: &Server, scan: Scan) -> anyhow::Result<()> {
    let mut lines: Vec<Line> = scan
        .passed_over
        .iter()
        .map(|it| Line {
            path: it.path.to_string_lossy().into_owned(),
            status: if it.is_failure { "failed" } else { "passedOver" },
            why: Some(it.why.clone()),
            albums: Vec::new(),
        })
        .collect();
    let mut seen: HashSet<String> = HashSet::new();
    let mut entries = scan.entries.into_iter();
    loop {
        let some: Vec<Entry> = entries.by_ref().take(ASKED_MAX).collect();
        if some.is_empty() {
            break;
        }
        lines.extend(group(server, some, &mut seen).await?);
    }
    lines.sort_by(|one, other| one.path.cmp(&other.path));
    show(args.json, &lines);
    Ok(())
}

async fn group(
    server: &Server,
    entries: Vec<Entry>,
    seen: &mut HashSet<String>,
) -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::new();
    let mut asked = Vec::new();
    for entry in entries {
        let path = entry.file.path.to_string_lossy().into_owned();
        let albums = entry.albums.iter().map(|album| album.name.clone()).collect();
        let line = |status, why| Line { path, status, why, albums };
        match digest::of_content(entry.file.content.clone()).await {
            Ok(digests) if !seen.insert(digests.sha1.clone()) => {
                lines.push(line("duplicate", Some("the same bytes as another file here".into())));
            }
            Ok(digests) => asked.push((digests.sha1, line("new", None))),
            Err(error) => lines.push(line("failed", Some(format!("{error:#}")))),
        }
    }
    let assets: Vec<Value> =
        asked.iter().map(|(sha1, _)| json!({ "id": sha1, "checksum": sha1 })).collect();
    let answer = server
        .post("/assets/bulk-upload-check", &json!({ "assets": assets }))
        .await
        .map_err(Trouble::into_error)?;
    let there: HashSet<&str> = answer["results"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|result| result["action"] == "reject")
        .filter_map(|result| result["id"].as_str())
        .collect();
    lines.extend(asked.into_iter().map(|(sha1, line)| {
        if there.contains(sha1.as_str()) {
            Line { status: "duplicate", why: Some("the server has these bytes".into()), ..line }
        } else {
            line
        }
    }));
    Ok(lines)
}

fn show(is_json: bool, lines: &[Line]) {
    for line in lines {
        if is_json {
            let told = json!({
                "type": "file", "path": line.path, "status": line.status, "why": line.why,
                "albums": line.albums,
            });
            say(&told.to_string());
            continue;
        }
        let why = line.why.as_deref().map_or_else(String::new, |why| format!("  ({why})"));
        let path: String =
            line.path.chars().map(|it| if it.is_control() { '?' } else { it }).collect();
        say(&format!("{:<10}  {path}{why}", line.status));
    }
    let count = |status: &str| lines.iter().filter(|line| line.status == status).count();
    let albums: HashSet<&String> = lines.iter().flat_map(|line| &line.albums).collect();
    if is_json {
        let told = json!({
            "type": "plan", "new": count("new"), "duplicates": count("duplicate"),
            "failed": count("failed"), "passedOver": count("passedOver"), "albums": albums.len(),
        });
        return say(&told.to_string());
    }
    say(&format!(
        "{} new, {} there already, {} passed over, {} cannot be read, {} albums. Nothing was changed.",
        count("new"),
        count("duplicate"),
        count("passedOver"),
        count("failed"),
        albums.len()
    ));
}
