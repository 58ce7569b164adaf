//! Names in an archive: each once. The second `a.jpg` is `a+1.jpg`, as Immich names it.

use std::collections::{HashMap, HashSet};

/// The names given so far.
#[derive(Default)]
pub(super) struct Names {
    given: HashSet<String>,
    /// How often a name was asked for.
    asked: HashMap<String, u32>,
}

impl Names {
    /// A name that was not given before.
    pub(super) fn unique(&mut self, name: &str) -> String {
        let asked = self.asked.entry(name.to_owned()).or_default();
        loop {
            let candidate = numbered(name, *asked);
            *asked += 1;
            if self.given.insert(candidate.clone()) {
                return candidate;
            }
        }
    }
}

fn numbered(name: &str, number: u32) -> String {
    if number == 0 {
        return name.to_owned();
    }
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => format!("{stem}+{number}.{extension}"),
        _ => format!("{name}+{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_given_once() {
        let mut names = Names::default();
        let asked = ["a.jpg", "a.jpg", "a+1.jpg", "a.jpg", "README", "README", ".jpg", ".jpg"];
        assert_eq!(
            asked.map(|name| names.unique(name)),
            ["a.jpg", "a+1.jpg", "a+1+1.jpg", "a+2.jpg", "README", "README+1", ".jpg", ".jpg+1"]
        );
    }
}
