//! The file of settings, Immich's `IMMICH_CONFIG_FILE`: what administrators would set, set from outside.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use calotype_domain::config;
use serde_json::Value;

/// The largest file; Immich's whole configuration has 8 KiB.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Reads the settings of a file, by their path.
///
/// # Errors
/// When the file cannot be read, is neither JSON nor, by its name, YAML, or says something that is no setting or that this server cannot do.
pub fn read(path: &Path) -> anyhow::Result<BTreeMap<String, Value>> {
    let of = || format!("the file of settings {} is not right", path.display());
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text))
        .with_context(|| format!("failed to read the file of settings {}", path.display()))?;
    anyhow::ensure!(
        u64::try_from(text.len()).is_ok_and(|size| size <= FILE_BYTES_MAX),
        "the file of settings {} is larger than {FILE_BYTES_MAX} bytes",
        path.display()
    );
    let is_yaml = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
    let document = if is_yaml {
        yaml(&text).with_context(of)?
    } else {
        serde_json::from_str(&text).context("it is no JSON").with_context(of)?
    };
    let settings = config::of_file(&document).with_context(of)?;
    if let Some(name) = calotype_api::wanted_but_missing(&document) {
        anyhow::bail!("{}: {name} is not available on this server", of());
    }
    Ok(settings)
}

/// A YAML document by the rules of YAML 1.2, as Immich reads it: `no` is a text. An error tells the place and not
/// what stands there, which may be a password.
fn yaml(text: &str) -> anyhow::Result<Value> {
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| match error.location() {
        Some(place) => {
            anyhow::anyhow!("it is no YAML, at line {} column {}", place.line(), place.column())
        }
        None => anyhow::anyhow!("it is no YAML"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn file_says_what_is_wrong_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let read_as = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            read(&path).map_err(|error| format!("{error:#}"))
        };
        assert_eq!(read_as("a.json", r#"{"trash":{"days":3}}"#).unwrap().len(), 1);
        for (name, text, words) in [
            ("a.json", "trash", "no JSON"),
            ("a.json", "trash:\n  days: 3", "no JSON"),
            ("a.yaml", "trash:\n  days: '3'", "trash.days cannot be"),
            ("a.yml", "trash:\n  enabled: no", "trash.enabled cannot be this text"),
            ("a.yaml", "trash:\n  days: 3\n  days: 4", "no YAML, at line 3"),
            ("a.yaml", "- trash", "no object"),
            ("a.json", r#"{"trash":{"days":"3"}}"#, "trash.days cannot be"),
            ("a.json", r#"{"oauth":{"enabled":true}}"#, "OAuth is not available"),
        ] {
            let refused = read_as(name, text).unwrap_err();
            assert!(refused.contains(words) && refused.contains(name), "{refused}");
        }
        assert!(read(Path::new("/nowhere")).is_err());
    }

    #[test]
    fn yaml_says_the_same_as_json() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("immich.yaml");
        let text = "# As Immich's documentation writes it.\ntrash: &kept\n  enabled: true\n  days: 3\n\
                    server:\n  loginPageMessage: |\n    Hello,\n    who are you?\n\
                    storageTemplate: { template: '{{y}}/{{y}}-{{MM}}/{{filename}}' }\n\
                    logging:\n  level: \"warn\"\n";
        std::fs::write(&path, text).unwrap();
        let set = read(&path).unwrap();
        let said: Vec<(&str, Value)> =
            set.iter().map(|(path, value)| (path.as_str(), value.clone())).collect();
        let wanted = [
            ("logging.level", json!("warn")),
            ("server.loginPageMessage", json!("Hello,\nwho are you?\n")),
            ("storageTemplate.template", json!("{{y}}/{{y}}-{{MM}}/{{filename}}")),
            ("trash.days", json!(3)),
            ("trash.enabled", json!(true)),
        ];
        assert_eq!(said, wanted);
    }

    #[test]
    fn a_yaml_file_that_is_wrong_or_a_bomb_is_refused_without_its_words() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("immich.yaml");
        let mut bomb = "a0: &a0 [hunter2, hunter2]\n".to_owned();
        for level in 1..40 {
            let below = level - 1;
            bomb.push_str(&format!("a{level}: &a{level} [*a{below}, *a{below}]\n"));
        }
        for text in ["password: [hunter2", "password: hunter2: hunter2", bomb.as_str()] {
            std::fs::write(&path, text).unwrap();
            let refused = format!("{:#}", read(&path).unwrap_err());
            assert!(refused.contains("it is no YAML"), "{refused}");
            assert!(!refused.contains("hunter2"), "{refused}");
        }
    }
}
