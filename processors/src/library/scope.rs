//! What of the file system belongs to a library, and which of its folders are there at this moment.

use calotype_domain::library::{Library, SeenRoot};
use calotype_domain::{LibraryId, UserId};
use calotype_media::external::{Exclusions, check_root, is_media};
use tracing::warn;

use crate::error::ProcessorError;
use crate::worker::Worker;

/// One import path.
#[derive(Clone, Debug)]
struct Root {
    path: String,
    /// The folder as it is, while it is there; as it was, while it is away.
    seen: Option<SeenRoot>,
    is_there: bool,
}

/// What belongs to a library.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) library_id: LibraryId,
    pub(super) owner_id: UserId,
    pub(super) exclusions: Exclusions,
    roots: Vec<Root>,
}

/// Whether a path belongs to a library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Belongs {
    Yes,
    No,
    /// The folder that it lies in is away: nothing is known of it.
    Unknown,
}

impl Scope {
    pub(super) fn of_path(&self, path: &str) -> Belongs {
        let is_under = |root: &&Root| {
            path.strip_prefix(root.path.as_str()).is_some_and(|rest| {
                rest.starts_with('/') || root.path.ends_with('/') && !rest.is_empty()
            })
        };
        let mut above = self.roots.iter().filter(is_under).peekable();
        if above.peek().is_none() || !is_media(path) || self.exclusions.has_file(path) {
            return Belongs::No;
        }
        if above.any(|root| root.is_there) { Belongs::Yes } else { Belongs::Unknown }
    }

    /// The folders that are there.
    pub(super) fn there(&self) -> Vec<String> {
        let there = self.roots.iter().filter(|root| root.is_there);
        there.map(|root| root.path.clone()).collect()
    }

    /// How many folders are away.
    pub(super) fn away(&self) -> u64 {
        let away = self.roots.iter().filter(|root| !root.is_there).count();
        u64::try_from(away).unwrap_or(u64::MAX)
    }

    /// The folders as they are to be remembered.
    pub(super) fn seen(&self) -> Vec<SeenRoot> {
        self.roots.iter().filter_map(|root| root.seen.clone()).collect()
    }
}

impl Worker {
    /// Looks at the folders of a library; `None` when there is no such library (any more).
    pub(super) async fn scope(
        &self,
        library_id: LibraryId,
        library: &Library,
    ) -> Result<Option<Scope>, ProcessorError> {
        let Some((owner_id, settings)) = library.owner_id().zip(library.settings()) else {
            return Ok(None);
        };
        let exclusions = Exclusions::new(&settings.exclusion_patterns).map_err(|error| {
            // Checked when it was set; another release may have known other patterns.
            warn!(library.id = %library_id, %error, "cannot read what a library leaves out");
            ProcessorError::Command(Box::new(error))
        })?;
        let (paths, known) = (settings.import_paths.clone(), library.clone());
        let data = self.blobs.folder().to_owned();
        let look = move || {
            let looked = paths.into_iter().enumerate().map(|(index, path)| {
                let before = known.seen(&path).cloned();
                let (seen, is_there) = match check_root(&path, &data) {
                    Ok(root) => {
                        let seen = SeenRoot {
                            path: path.clone(),
                            device: root.device,
                            inode: root.inode,
                        };
                        // An empty folder in the place of another is where something is mounted otherwise.
                        let is_there = !root.is_empty || before.as_ref() == Some(&seen);
                        (if is_there { Some(seen) } else { before }, is_there)
                    }
                    Err(error) => {
                        warn!(library.id = %library_id, import_path = index, %error, "cannot read a folder of a library");
                        (before, false)
                    }
                };
                if !is_there {
                    warn!(
                        library.id = %library_id, import_path = index,
                        "a folder of a library is empty or away: nothing under it is taken for deleted"
                    );
                }
                Root { path, seen, is_there }
            });
            looked.collect::<Vec<_>>()
        };
        let roots = tokio::task::spawn_blocking(look)
            .await
            .map_err(|error| ProcessorError::Command(Box::new(error)))?;
        Ok(Some(Scope { library_id, owner_id, exclusions, roots }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(path: &str, is_there: bool) -> Root {
        Root { path: path.into(), seen: None, is_there }
    }

    #[test]
    fn nothing_is_known_of_what_lies_in_a_folder_that_is_away() {
        let scope = Scope {
            library_id: LibraryId::default(),
            owner_id: UserId::default(),
            exclusions: Exclusions::new(&["**/out/**"]).unwrap(),
            roots: vec![root("/a", true), root("/b", false), root("/b/c", true)],
        };
        for (path, belongs) in [
            ("/a/1.jpg", Belongs::Yes),
            ("/a/out/1.jpg", Belongs::No),
            ("/a/1.txt", Belongs::No),
            ("/aa/1.jpg", Belongs::No),
            ("/b/1.jpg", Belongs::Unknown),
            ("/b/c/1.jpg", Belongs::Yes),
        ] {
            assert_eq!(scope.of_path(path), belongs, "{path}");
        }
        assert_eq!((scope.there(), scope.away()), (vec!["/a".to_owned(), "/b/c".to_owned()], 1));
    }
}
