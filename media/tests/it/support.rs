//! What the tests of this room share: the test set, its list, and a pool with the real decoder.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
};

use calotype_media::decoder::{DecoderPool, PoolConfig};

/// One line of `manifest.csv`.
pub(crate) struct Row {
    pub(crate) path: String,
    columns: HashMap<String, String>,
}

impl Row {
    pub(crate) fn get(&self, column: &str) -> &str {
        self.columns.get(column).map(String::as_str).unwrap_or_default()
    }

    pub(crate) fn number(&self, column: &str) -> Option<f64> {
        self.get(column).parse().ok()
    }
}

pub(crate) fn media_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/media")
}

pub(crate) fn pool_config() -> PoolConfig {
    PoolConfig::new(env!("CARGO_BIN_EXE_calotype-decoder"), [])
}

pub(crate) fn pool() -> DecoderPool {
    DecoderPool::new(pool_config())
}

pub(crate) fn rows() -> Vec<Row> {
    let text = std::fs::read_to_string(media_folder().join("manifest.csv")).expect("manifest.csv");
    let mut records = csv(&text).into_iter();
    let header = records.next().expect("a header line");
    records
        .filter(|it| it.len() == header.len())
        .map(|record| {
            let columns: HashMap<String, String> = header.iter().cloned().zip(record).collect();
            Row { path: columns["path"].clone(), columns }
        })
        .collect()
}

/// Compares differences with the committed list: new ones and vanished ones both fail.
pub(crate) fn judge(differences: &BTreeMap<String, String>, known: &str, sections: &[&str]) {
    let known: Vec<&str> = sections.iter().flat_map(|it| lines_of(known, it)).collect();
    let new: Vec<String> = differences
        .iter()
        .filter(|(name, _)| !known.iter().any(|it| covers(it, name)))
        .map(|(name, text)| format!("{}: {name}  # {text}", sections[0]))
        .collect();
    let vanished: Vec<&&str> =
        known.iter().filter(|it| !differences.keys().any(|name| covers(it, name))).collect();
    assert!(
        new.is_empty() && vanished.is_empty(),
        "new differences:\n{}\nno longer differences: {vanished:#?}",
        new.join("\n")
    );
}

/// Whether a difference stands in a section of the list.
pub(crate) fn is_known(name: &str, known: &str, section: &str) -> bool {
    lines_of(known, section).any(|it| covers(it, name))
}

fn lines_of<'a>(known: &'a str, section: &str) -> impl Iterator<Item = &'a str> {
    let start = format!("{section}: ");
    let lines = known.lines().filter_map(|it| it.split('#').next());
    lines.filter_map(move |it| it.trim().strip_prefix(&start))
}

/// A line of the list ends in `*` where it stands for several.
fn covers(known: &str, name: &str) -> bool {
    known.strip_suffix('*').map_or(known == name, |start| name.starts_with(start))
}

/// Comma-separated values with quotes, as RFC 4180 has them.
fn csv(text: &str) -> Vec<Vec<String>> {
    let mut records = Vec::new();
    let mut record = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(it) = characters.next() {
        match it {
            '"' if quoted && characters.peek() == Some(&'"') => {
                field.push('"');
                characters.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            other => field.push(other),
        }
    }
    records
}
