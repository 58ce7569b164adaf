//! The folders of external libraries: whether they are there.

use std::path::Path;

use calotype_media::external::check_root;
use calotype_projections::ProjectionError;
use calotype_projections::libraries::folders;
use sqlx::PgPool;

use super::findings::{Findings, counted};

/// What is to be said of one folder; nothing of one that can be read and holds something. Blocks.
fn fault(path: &str, data: &Path) -> Option<String> {
    match check_root(path, data) {
        Ok(root) if !root.is_empty => None,
        Ok(_) => Some("is empty: if a disk belongs there, it is not mounted".to_owned()),
        Err(refusal) => Some(format!("cannot be read: {refusal}")),
    }
}

pub(super) async fn look(pool: &PgPool, data: &Path, findings: &mut Findings) {
    if let Err(error) = look_at_each(pool, data, findings).await {
        findings.problem(&format!("cannot see the external libraries: {error}"));
    }
}

async fn look_at_each(
    pool: &PgPool,
    data: &Path,
    findings: &mut Findings,
) -> Result<(), ProjectionError> {
    let (mut there, mut away) = (0, 0);
    for (library_id, import_paths) in folders(pool).await? {
        for (index, path) in import_paths.into_iter().enumerate() {
            let data = data.to_owned();
            // A disk that does not answer is waited for, as the server waits for it.
            let looked = tokio::task::spawn_blocking(move || fault(&path, &data)).await;
            match looked.unwrap_or_else(|error| Some(format!("cannot be looked at: {error}"))) {
                None => there += 1,
                Some(fault) => {
                    away += 1;
                    findings.problem(&format!(
                        "folder {} of library {library_id} {fault}; nothing under it is taken for \
                         deleted until it is back",
                        index + 1
                    ));
                }
            }
        }
    }
    if there > 0 && away == 0 {
        let folders = counted(there, "folder", "folders");
        findings.good(&format!("{folders} of external libraries can be read"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_that_is_away_or_empty_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let photos = folder.path().join("photos");
        std::fs::create_dir(&photos).unwrap();
        let told = |path: &Path| fault(path.to_str().unwrap(), &data);
        assert!(told(&photos).unwrap().contains("empty"));
        std::fs::write(photos.join("a.jpg"), b"a").unwrap();
        assert_eq!(told(&photos), None);
        assert!(told(&folder.path().join("away")).unwrap().contains("does not exist"));
    }
}
