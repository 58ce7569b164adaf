//! Fields of an account that only administrators set.

use crate::validate::Fields;

/// The largest whole number a JavaScript client can name.
const INTEGER_MAX: i64 = (1 << 53) - 1;

/// A text that may be `null`: `Some(None)` then, `None` when it is not there.
pub(super) fn nullable_text(fields: &mut Fields, name: &str) -> Option<Option<String>> {
    if fields.is_null(name) { Some(None) } else { fields.string(name).map(Some) }
}

/// A storage label: without dots and slashes, because it becomes the name of a folder.
pub(super) fn storage_label(fields: &mut Fields) -> Option<Option<String>> {
    let label = nullable_text(fields, "storageLabel")?;
    Some(label.map(|label| clean(&label)).filter(|label| !label.is_empty()))
}

/// A limit in bytes; `null` for none.
pub(super) fn quota(fields: &mut Fields) -> Option<Option<u64>> {
    const NAME: &str = "quotaSizeInBytes";
    if fields.is_null(NAME) {
        return Some(None);
    }
    fields.integer(NAME, 0, INTEGER_MAX).map(|size_bytes| u64::try_from(size_bytes).ok())
}

fn clean(label: &str) -> String {
    label
        .chars()
        .filter(|c| !c.is_control() && !"./\\?<>:*|\"".contains(*c))
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_names_no_other_folder() {
        assert_eq!(clean("../etc/passwd"), "etcpasswd");
        assert_eq!(clean(" anna "), "anna");
    }
}
