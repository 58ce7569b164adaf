//! File names as clients send them: out of the part's header, without folders, without what harms.

use calotype_media::kind::{FileType, by_name};

/// The longest name kept, in bytes, as file systems have it; longer ones lose the end of their stem.
const FILE_NAME_BYTES_MAX: usize = 255;

/// The type that a name promises by its last extension. A name that is only an extension promises nothing.
pub(crate) fn file_type(file_name: &str) -> Option<&'static FileType> {
    let (stem, _) = file_name.rsplit_once('.')?;
    if stem.is_empty() { None } else { by_name(file_name) }
}

/// A name without folders of either kind of slash and without control characters, and not too long.
pub(crate) fn clean(name: &str) -> String {
    let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let base: String = base.chars().filter(|letter| !letter.is_control()).collect();
    if base == "." || base == ".." {
        return String::new();
    }
    shorten(base)
}

fn shorten(name: String) -> String {
    if name.len() <= FILE_NAME_BYTES_MAX {
        return name;
    }
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if extension.len() < 32 => (stem, format!(".{extension}")),
        _ => (name.as_str(), String::new()),
    };
    let mut end = FILE_NAME_BYTES_MAX - extension.len();
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{extension}", stem.get(..end).unwrap_or_default())
}

/// The file name in a part's `Content-Disposition`, as Express and busboy read it: `\"` and `\\` are
/// escapes and nothing else is, bytes are UTF-8 or else Latin-1, and `filename*` counts before `filename`.
pub(super) fn of_part(content_disposition: &[u8]) -> Option<String> {
    let mut plain = None;
    let mut rest = content_disposition;
    while let Some((name, value, after)) = next_parameter(rest) {
        match name.to_ascii_lowercase().as_slice() {
            b"filename*" => {
                if let Some(text) = extended(&value) {
                    return Some(text);
                }
            }
            b"filename" => plain = Some(decode(&value)),
            _ => {}
        }
        rest = after;
    }
    plain
}

/// The next `; name=value`, and what follows it.
fn next_parameter(bytes: &[u8]) -> Option<(&[u8], Vec<u8>, &[u8])> {
    let start = bytes.iter().position(|byte| *byte == b';')? + 1;
    let bytes = bytes.get(start..)?.trim_ascii_start();
    let equals = bytes.iter().position(|byte| *byte == b'=')?;
    let (name, value) = (bytes.get(..equals)?.trim_ascii(), bytes.get(equals + 1..)?);
    let value = value.trim_ascii_start();
    if value.first() != Some(&b'"') {
        let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
        return Some((name, value.get(..end)?.trim_ascii().to_vec(), value.get(end..)?));
    }
    let mut text = Vec::new();
    let mut at = 1;
    loop {
        match (value.get(at).copied(), value.get(at + 1).copied()) {
            (None, _) => return Some((name, text, &[])),
            (Some(b'\\'), Some(escaped @ (b'"' | b'\\'))) => {
                text.push(escaped);
                at += 2;
            }
            (Some(b'"'), _) => return Some((name, text, value.get(at + 1..)?)),
            (Some(byte), _) => {
                text.push(byte);
                at += 1;
            }
        }
    }
}

/// `UTF-8''percent-encoded` of RFC 5987.
fn extended(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?;
    let mut parts = text.splitn(3, '\'');
    let charset = parts.next()?;
    let encoded = parts.nth(1)?;
    let bytes: Vec<u8> = percent_encoding::percent_decode_str(encoded).collect();
    if charset.eq_ignore_ascii_case("utf-8") {
        Some(String::from_utf8_lossy(&bytes).into_owned())
    } else {
        Some(decode(&bytes))
    }
}

fn decode(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_a_path_survives() {
        for (hostile, kept) in [
            ("../../etc/passwd.jpg", "passwd.jpg"),
            ("..\\..\\windows\\win.ini.jpg", "win.ini.jpg"),
            ("C:\\Users\\x.jpg", "x.jpg"),
            ("....//....//x.jpg", "x.jpg"),
            ("%2e%2e%2fx.jpg", "%2e%2e%2fx.jpg"),
            ("name\0.jpg", "name.jpg"),
            ("line\nbreak.jpg", "linebreak.jpg"),
            ("..", ""),
            ("trailing dot..jpg", "trailing dot..jpg"),
            ("'; DROP TABLE asset;--.jpg", "'; DROP TABLE asset;--.jpg"),
        ] {
            assert_eq!(clean(hostile), kept);
        }
    }

    #[test]
    fn long_name_keeps_its_extension_and_whole_letters() {
        let short = clean(&format!("{}.jpg", "日".repeat(100)));
        assert!(short.len() <= FILE_NAME_BYTES_MAX && short.ends_with("日.jpg"), "{short}");
        assert_eq!(clean(&format!("{}.jpg", "x".repeat(251))).len(), 255);
        assert_eq!(clean(&"x".repeat(5_000)).len(), 255);
    }

    #[test]
    fn type_comes_from_the_last_extension() {
        assert_eq!(file_type("picture.jpg;.mp4").map(|it| it.mime), Some("video/mp4"));
        assert_eq!(file_type("UPPER.JPG").map(|it| it.mime), Some("image/jpeg"));
        assert_eq!(file_type(".hidden.jpg").map(|it| it.mime), Some("image/jpeg"));
        for refused in [".jpg", "noextension", "double.jpg.php", "photo\u{202e}gpj.exe", ""] {
            assert_eq!(file_type(refused), None, "{refused}");
        }
    }

    #[test]
    fn name_is_read_out_of_the_header() {
        let header = |text: &str| of_part(text.as_bytes());
        assert_eq!(
            header("form-data; name=\"assetData\"; filename=\"a;b \\\"c\\\".jpg\""),
            Some("a;b \"c\".jpg".into())
        );
        assert_eq!(header("form-data; filename=\"..\\win.jpg\""), Some("..\\win.jpg".into()));
        assert_eq!(header("form-data; filename=a.jpg; name=x"), Some("a.jpg".into()));
        assert_eq!(
            header("form-data; filename=\"e.jpg\"; filename*=UTF-8''%C3%A9.jpg"),
            Some("é.jpg".into())
        );
        assert_eq!(of_part(b"form-data; filename=\"\xe9.jpg\""), Some("é.jpg".into()));
        assert_eq!(header("form-data; filename=\"é.jpg\""), Some("é.jpg".into()));
        assert_eq!(header("form-data; name=\"x\""), None);
        assert_eq!(header("form-data; filename=\"unclosed"), Some("unclosed".into()));
    }
}
