//! Which JSON file belongs to which photo: Google cuts names, moves numbers, and replaces letters.
//!
//! A photo's name has at most 47 characters with its ending, and that of its JSON file at most 46 before `.json`. Of two
//! files of one name the second is `IMG(1).jpg`, and its JSON file `IMG.jpg(1).json`. New exports write
//! `IMG.jpg.supplemental-metadata.json`, cut anywhere.

/// What new exports put behind a name.
const SUPPLEMENT: &str = "supplemental-metadata";
/// Names of at least so many characters may have been cut.
const CUT_CHARS_MIN: usize = 45;
/// What Google puts behind the name of an edited photo, by its language.
const EDITED: [&str; 27] = [
    "-edited",
    "-effects",
    "-smile",
    "-mix",
    "-bearbeitet",
    "-modifié",
    "-modifie",
    "-editado",
    "-editada",
    "-modificato",
    "-bewerkt",
    "-redigerad",
    "-redigeret",
    "-redigert",
    "-muokattu",
    "-edytowane",
    "-upraveno",
    "-upravené",
    "-szerkesztett",
    "-editat",
    "-düzenlendi",
    "-изменено",
    "-змінено",
    "-編集済み",
    "-수정됨",
    "-已修改",
    "-edytowana",
];

/// A name without its number: `IMG(1).jpg` is `IMG.jpg`, 1.
pub(super) fn numbered(name: &str) -> (String, u32) {
    let (stem, ending) = split(name);
    match number_behind(stem) {
        Some((stem, number)) => (format!("{stem}{ending}"), number),
        None => (name.to_owned(), 0),
    }
}

/// A JSON file's name without `.json` and without its number: `IMG.jpg(1).json` is `IMG.jpg`, 1.
pub(super) fn of_json(name: &str) -> (&str, u32) {
    let stem = name.get(..name.len().saturating_sub(".json".len())).unwrap_or(name);
    number_behind(stem).unwrap_or((stem, 0))
}

/// The names that a JSON file may belong to: its own, and that before what new exports put behind it.
pub(super) fn targets(stem: &str) -> impl Iterator<Item = &str> {
    let before = stem.rsplit_once('.').filter(|(_, behind)| SUPPLEMENT.starts_with(behind));
    [Some(stem), before.map(|(name, _)| name)].into_iter().flatten()
}

/// Whether a photo may be the one of that title: the same name, or the beginning of it where names are cut.
pub(super) fn is_titled(name: &str, title: &str) -> bool {
    let title = replaced(title);
    if name == title {
        return true;
    }
    let ((stem, ending), (whole, of_title)) = (split(name), split(&title));
    let is_cut = name.chars().count() >= CUT_CHARS_MIN;
    is_cut && whole.starts_with(stem) && ending.eq_ignore_ascii_case(of_title)
}

/// Whether a JSON file's name is the beginning of a photo's.
pub(super) fn is_cut_of(stem: &str, name: &str) -> bool {
    stem.chars().count() >= CUT_CHARS_MIN && name.starts_with(stem)
}

/// By what names are looked up that may have been cut: cut ones have these characters in common.
pub(super) fn beginning(name: &str) -> String {
    name.chars().take(CUT_CHARS_MIN - 8).collect()
}

/// The name of what an edited photo was made of.
pub(super) fn unedited(name: &str) -> Option<String> {
    let (stem, ending) = split(name);
    let is_cut = name.chars().count() >= CUT_CHARS_MIN;
    let (place, _) = stem.rmatch_indices('-').next()?;
    let (before, behind) = stem.split_at_checked(place)?;
    let is_edited = EDITED.iter().any(|it| {
        *it == behind || (is_cut && behind.chars().count() >= 3 && it.starts_with(behind))
    });
    (is_edited && !before.is_empty()).then(|| format!("{before}{ending}"))
}

/// The name that a title becomes.
pub(super) fn replaced(title: &str) -> String {
    let is_replaced = |it: char| it.is_control() || "&<>:\"|?*/\\%'".contains(it);
    title.chars().map(|it| if is_replaced(it) { '_' } else { it }).collect()
}

/// A name before and from its last dot on.
pub(super) fn split(name: &str) -> (&str, &str) {
    let place = name.rfind('.').filter(|place| *place > 0).unwrap_or(name.len());
    name.split_at_checked(place).unwrap_or((name, ""))
}

fn number_behind(stem: &str) -> Option<(&str, u32)> {
    let (before, digits) = stem.strip_suffix(')')?.rsplit_once('(')?;
    let is_number = (1..=4).contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_digit());
    if !is_number || before.is_empty() {
        return None;
    }
    Some((before, digits.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_in_both_places() {
        assert_eq!(numbered("IMG(1).jpg"), ("IMG.jpg".into(), 1));
        assert_eq!(numbered("IMG(a).jpg"), ("IMG(a).jpg".into(), 0));
        assert_eq!(numbered("(1).jpg"), ("(1).jpg".into(), 0));
        assert_eq!(of_json("IMG.jpg(1).json"), ("IMG.jpg", 1));
        assert_eq!(
            of_json("IMG.jpg.supplemental-metadata(2).json"),
            ("IMG.jpg.supplemental-metadata", 2)
        );
    }

    #[test]
    fn supplement_may_be_cut_anywhere() {
        for stem in ["a.jpg.supplemental-metadata", "a.jpg.sup", "a.jpg.s", "a.jpg."] {
            assert!(targets(stem).any(|it| it == "a.jpg"), "{stem}");
        }
        assert_eq!(targets("a.jpg").collect::<Vec<_>>(), ["a.jpg"]);
    }

    #[test]
    fn titles_are_found_in_names_that_were_cut_and_replaced() {
        assert!(is_titled("what_.jpg", "what?.jpg"));
        let title = "this_is_a_very_long_file_name_from_a_camera_app_2023_10_06.jpg";
        assert!(is_titled("this_is_a_very_long_file_name_from_a_camera.jpg", title));
        assert!(!is_titled("this.jpg", title));
        assert!(!is_titled("this_is_a_very_long_file_name_from_a_camera.png", title));
        assert!(is_cut_of(
            "another_long_name_for_the_supplemental_namely",
            "another_long_name_for_the_supplemental_namely.jpg"
        ));
    }

    #[test]
    fn edited_photos_are_told_in_many_languages() {
        assert_eq!(unedited("IMG-edited.jpg").as_deref(), Some("IMG.jpg"));
        assert_eq!(unedited("IMG-1-bearbeitet.jpg").as_deref(), Some("IMG-1.jpg"));
        assert_eq!(unedited("IMG-modifié.jpg").as_deref(), Some("IMG.jpg"));
        assert_eq!(unedited("IMG-1.jpg"), None);
        assert_eq!(unedited("-edited.jpg"), None);
        let cut = format!("{}-edi.jpg", "x".repeat(39));
        assert_eq!(unedited(&cut), Some(format!("{}.jpg", "x".repeat(39))));
    }
}
