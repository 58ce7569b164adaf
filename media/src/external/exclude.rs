//! Patterns of paths that a library leaves out, as Immich understands them: `**` spans folders, `*` does not,
//! and case does not matter.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// A pattern that is none.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadPattern(String);

/// What a library leaves out.
#[derive(Clone, Debug)]
pub struct Exclusions {
    files: GlobSet,
    /// Folders whose whole content is left out, so that they need not be walked.
    folders: GlobSet,
}

impl Exclusions {
    /// Reads the patterns.
    ///
    /// # Errors
    /// [`BadPattern`] names the first that is none.
    pub fn new<T: AsRef<str>>(patterns: &[T]) -> Result<Self, BadPattern> {
        let (mut files, mut folders) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        for pattern in patterns {
            let pattern = pattern.as_ref().trim_start_matches('/');
            files.add(glob(pattern)?);
            if let Some(folder) = pattern.strip_suffix("/**") {
                folders.add(glob(folder)?);
            }
        }
        let bad = |error: globset::Error| BadPattern(error.to_string());
        Ok(Self { files: files.build().map_err(bad)?, folders: folders.build().map_err(bad)? })
    }

    /// Whether a file is left out. `path` is absolute.
    #[must_use]
    pub fn has_file(&self, path: &str) -> bool {
        self.files.is_match(path.trim_start_matches('/'))
    }

    /// Whether all that lies in a folder is left out. `path` is absolute.
    #[must_use]
    pub fn has_folder(&self, path: &str) -> bool {
        self.folders.is_match(path.trim_start_matches('/'))
    }
}

fn glob(pattern: &str) -> Result<globset::Glob, BadPattern> {
    GlobBuilder::new(pattern)
        .case_insensitive(true)
        .literal_separator(true)
        .build()
        .map_err(|error| BadPattern(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_leftovers_are_left_out() {
        let patterns = ["**/@eaDir/**", "**/._*", "**/#recycle/**", "/photos/private/**"];
        let out = Exclusions::new(&patterns).unwrap();
        for path in [
            "/photos/@eaDir/a.jpg",
            "/photos/a/@EADIR/b/c.jpg",
            "/photos/._a.jpg",
            "/#recycle/a.jpg",
            "/photos/private/x/a.jpg",
        ] {
            assert!(out.has_file(path), "{path}");
        }
        for path in ["/photos/a._.jpg", "/photos/eaDir/a.jpg", "/other/photos/private/a.jpg"] {
            assert!(!out.has_file(path), "{path}");
        }
        assert!(out.has_folder("/photos/@eaDir") && !out.has_folder("/photos"));
    }

    #[test]
    fn broken_pattern_is_refused() {
        Exclusions::new(&["a[", "b"]).unwrap_err();
    }
}
