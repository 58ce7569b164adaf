//! A plan, printed: a line for each file, and what they come to.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Plan, Planned, Status};
use crate::progress::say;

/// Albums that are named at the end.
const ALBUMS_SHOWN_MAX: usize = 50;

/// Prints a plan.
pub(super) fn show(is_json: bool, plan: &Plan) {
    for file in &plan.files {
        say(&if is_json { file.told().to_string() } else { line(file) });
    }
    let count = |status: Status| plan.files.iter().filter(|it| it.status == status).count();
    let conflicts = plan.files.iter().filter(|it| !it.conflicts.is_empty()).count();
    let (mut albums, mut guesses) = (BTreeMap::new(), BTreeMap::new());
    for file in &plan.files {
        for album in &file.albums {
            *albums.entry(album.as_str()).or_insert(0_usize) += 1;
        }
        if let Some(guess) = &file.date_guess {
            *guesses.entry(guess.as_str()).or_insert(0_usize) += 1;
        }
    }
    let (new, duplicates) = (count(Status::New), count(Status::Duplicate));
    let (failed, passed_over) = (count(Status::Failed), count(Status::PassedOver));
    if is_json {
        let told = json!({
            "type": "plan", "new": new, "duplicates": duplicates, "failed": failed,
            "passedOver": passed_over, "albums": albums.len(), "conflicts": conflicts,
            "datesGuessed": guesses, "filesByAlbum": albums, "sources": plan.sources,
        });
        return say(&told.to_string());
    }
    say(&format!(
        "{new} new, {duplicates} there already, {passed_over} passed over, {failed} cannot be read, {conflicts} with \
         conflicts, {} albums. Understood as {}. Nothing was changed.",
        albums.len(),
        plan.sources.join(" and ")
    ));
    for (guess, files) in guesses {
        say(&format!("  {files} files: where the file itself names no date, {guess} counts"));
    }
    for (album, files) in albums.iter().take(ALBUMS_SHOWN_MAX) {
        say(&format!("  {files} files into the album {}", shown(album)));
    }
    if albums.len() > ALBUMS_SHOWN_MAX {
        say(&format!("  and {} further albums", albums.len() - ALBUMS_SHOWN_MAX));
    }
}

fn line(file: &Planned) -> String {
    let status = match file.status {
        Status::New => "new",
        Status::Duplicate => "duplicate",
        Status::Failed => "failed",
        Status::PassedOver => "passedOver",
    };
    let whys: Vec<&str> = file.why.iter().chain(&file.conflicts).map(String::as_str).collect();
    let why = if whys.is_empty() { String::new() } else { format!("  ({})", whys.join("; ")) };
    format!("{status:<10}  {}{}", shown(&file.path), shown(&why))
}

/// Without what would move a terminal's cursor.
fn shown(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { '?' } else { it }).collect()
}
