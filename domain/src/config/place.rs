//! From a rendered template to a key that any file system takes: no part leads elsewhere, none is a name that
//! some system keeps for itself, and all are short enough.

use unicode_normalization::UnicodeNormalization as _;

use super::template::{Facts, Template};
use crate::asset::TEMPLATED_ROOT;

/// The most folders a template may make; with the lengths below a key stays under 1,000 bytes.
pub(super) const FOLDERS_MAX: usize = 8;
/// Longest name of a folder, in bytes.
const FOLDER_BYTES_MAX: usize = 80;
/// Longest name of a file, in bytes, without number and ending: file systems take 255 with those.
const NAME_BYTES_MAX: usize = 200;
/// Longest ending, in bytes, its dot included.
const ENDING_BYTES_MAX: usize = 24;
/// Characters that some file system gives a meaning of its own.
const FORBIDDEN: [char; 9] = ['/', '\\', '<', '>', ':', '"', '|', '?', '*'];
/// Names that Windows keeps for devices, whatever their ending.
const RESERVED: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8",
    "com9", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// Where a file is to lie. Several files may be to lie in one place; a number tells them apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedPlace {
    stem: String,
    ending: String,
}

impl WantedPlace {
    /// What the template says of a file, in the folder of its owner: the storage label, or else the id.
    /// `ending` is what the key ends with, such as `.jpg`. Where the template names no file for it, its id
    /// does.
    #[must_use]
    pub fn new(template: &Template, facts: &Facts, owner: &str, ending: &str) -> Self {
        let path = template.render(&cleaned(facts)).unwrap_or_else(|_| facts.asset_id.clone());
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let mut stem = format!("{TEMPLATED_ROOT}{}/", part(owner, FOLDER_BYTES_MAX));
        for folder in folders.split('/').filter(|it| !it.is_empty()).take(FOLDERS_MAX) {
            stem.push_str(&part(folder, FOLDER_BYTES_MAX));
            stem.push('/');
        }
        stem.push_str(&part(name, NAME_BYTES_MAX));
        Self { stem, ending: shortened(ending, ENDING_BYTES_MAX).to_owned() }
    }

    /// Beside a file that lies where the template put it, under the same name with another ending.
    #[must_use]
    pub fn beside(key: &str, ending: &str) -> Self {
        let name_at = key.rfind('/').map_or(0, |slash| slash + 1);
        let stem_end = key.rfind('.').filter(|dot| *dot > name_at).unwrap_or(key.len());
        let stem = key.get(..stem_end).unwrap_or(key).to_owned();
        Self { stem, ending: shortened(ending, ENDING_BYTES_MAX).to_owned() }
    }

    /// The key for the file that comes so many others later: `name.jpg`, `name+1.jpg`, `name+2.jpg`.
    #[must_use]
    pub fn key(&self, others: u32) -> String {
        match others {
            0 => format!("{}{}", self.stem, self.ending),
            others => format!("{}+{others}{}", self.stem, self.ending),
        }
    }

    /// The key where all numbers are taken: no other file has this id.
    #[must_use]
    pub fn key_by_id(&self, asset_id: &str) -> String {
        format!("{}+{asset_id}{}", self.stem, self.ending)
    }
}

/// What is the same for all keys that some file system takes for one: it may tell apart neither case nor
/// compatible or invisible characters.
#[must_use]
pub fn folded(key: &str) -> String {
    let seen = key.nfkc().filter(|it| !is_ignorable(*it));
    seen.flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfkc().collect()
}

/// Characters that are not seen and that some file systems leave out when they compare names: the most common of
/// Unicode's `Default_Ignorable_Code_Point`.
const fn is_ignorable(it: char) -> bool {
    matches!(
        it,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Facts whose words lead nowhere.
fn cleaned(facts: &Facts) -> Facts {
    let word = |text: &str| {
        if text.trim().is_empty() { String::new() } else { part(text, NAME_BYTES_MAX) }
    };
    let filename = word(&facts.filename);
    Facts {
        taken: facts.taken,
        filename: if filename.is_empty() { facts.asset_id.clone() } else { filename },
        extension: word(&facts.extension),
        is_video: facts.is_video,
        asset_id: facts.asset_id.clone(),
        make: word(&facts.make),
        model: word(&facts.model),
        lens_model: word(&facts.lens_model),
        album: facts.album.as_ref().map(|(name, start, end)| (word(name), *start, *end)),
    }
}

/// One part of a path that every file system takes: composed characters, none that is forbidden, no space or
/// dot at its end, no reserved name, at most so many bytes.
fn part(text: &str, bytes_max: usize) -> String {
    let clean: String = text
        .nfc()
        .map(|it| if it.is_control() || FORBIDDEN.contains(&it) { '_' } else { it })
        .collect();
    let clean = shortened(clean.trim_start(), bytes_max).trim_end_matches(['.', ' ']);
    let device = clean.split('.').next().unwrap_or_default().trim_end();
    if clean.is_empty() {
        "_".to_owned()
    } else if RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(device)) {
        format!("_{clean}")
    } else {
        clean.to_owned()
    }
}

/// The beginning of a text, at most so many bytes, cut between characters.
fn shortened(text: &str, bytes_max: usize) -> &str {
    if text.len() <= bytes_max {
        return text;
    }
    let mut end = bytes_max;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    fn facts(filename: &str, album: Option<&str>) -> Facts {
        let taken = NaiveDate::from_ymd_opt(2024, 2, 3).unwrap().and_hms_opt(14, 5, 6).unwrap();
        Facts {
            taken,
            filename: filename.into(),
            extension: "jpg".into(),
            is_video: false,
            asset_id: "d587e44b-f8c0-4832-9ba3-43268bbf5d4e".into(),
            make: String::new(),
            model: String::new(),
            lens_model: String::new(),
            album: album.map(|name| (name.to_owned(), taken, taken)),
        }
    }

    fn key(template: &str, filename: &str, album: Option<&str>) -> String {
        let template = Template::parse(template).unwrap();
        WantedPlace::new(&template, &facts(filename, album), "anna", ".jpg").key(0)
    }

    #[test]
    fn file_lies_where_the_template_says() {
        let place = key("{{y}}/{{y}}-{{MM}}-{{dd}}/{{filename}}", "IMG 1", None);
        assert_eq!(place, "library/anna/2024/2024-02-03/IMG 1.jpg");
        let place = key("{{album}}/{{filename}}", "IMG", None);
        assert_eq!(place, "library/anna/IMG.jpg");
    }

    #[test]
    fn words_lead_nowhere_else() {
        for (filename, album, wanted) in [
            ("..", Some("../../etc"), "library/anna/.._.._etc/_.jpg"),
            ("/etc/passwd", Some("."), "library/anna/_/_etc_passwd.jpg"),
            ("a\0b\n", Some(" . "), "library/anna/_/a_b_.jpg"),
            ("con", Some("LPT1.old"), "library/anna/_LPT1.old/_con.jpg"),
            ("c:\\x", Some("what?"), "library/anna/what_/c__x.jpg"),
            ("", None, "library/anna/d587e44b-f8c0-4832-9ba3-43268bbf5d4e.jpg"),
        ] {
            assert_eq!(key("{{album}}/{{filename}}", filename, album), wanted, "{filename:?}");
        }
    }

    #[test]
    fn names_are_composed_and_short_enough() {
        assert_eq!(key("{{filename}}", "u\u{308}ber", None), "library/anna/\u{fc}ber.jpg");
        let album = "\u{1f305}".repeat(200);
        let place = key("{{album}}/{{filename}}", &"\u{fc}".repeat(300), Some(&album));
        let parts: Vec<usize> = place.split('/').map(str::len).collect();
        assert_eq!(parts, [7, 4, 80, 204]);
        let deep = ["{{album}}"; FOLDERS_MAX].join("/") + "/{{filename}}";
        assert!(key(&deep, &"x".repeat(300), Some(&album)).len() < 1_000);
    }

    #[test]
    fn keys_that_some_file_system_takes_for_one_are_folded_to_one() {
        for (one, other) in [
            ("library/anna/Meer.JPG", "library/Anna/meer.jpg"),
            ("library/a/Stra\u{df}e", "library/a/STRASSE"),
            ("library/a/u\u{308}", "library/a/\u{dc}"),
            ("library/a/\u{2764}\u{fe0f}", "library/a/\u{2764}"),
            ("library/a/\u{3c3}\u{3c2}", "library/a/\u{3a3}\u{3a3}"),
        ] {
            assert_eq!(folded(one), folded(other));
        }
        assert_ne!(folded("library/a/1.jpg"), folded("library/a/2.jpg"));
    }

    #[test]
    fn template_without_a_name_for_a_file_takes_its_id() {
        let place = key("{{y}}/{{make}}", "IMG", None);
        assert_eq!(place, "library/anna/d587e44b-f8c0-4832-9ba3-43268bbf5d4e.jpg");
    }

    #[test]
    fn number_tells_files_of_one_name_apart() {
        let template = Template::parse("{{filename}}").unwrap();
        let place = WantedPlace::new(&template, &facts("a", None), "anna", ".jpg");
        assert_eq!(
            (place.key(0), place.key(2)),
            ("library/anna/a.jpg".into(), "library/anna/a+2.jpg".into())
        );
        let film = WantedPlace::beside("library/an.na/2024/a+1.heic", "-MP.mp4");
        assert_eq!(film.key(0), "library/an.na/2024/a+1-MP.mp4");
        assert_eq!(WantedPlace::beside("library/an.na/.a", ".mov").key(0), "library/an.na/.a.mov");
    }
}
