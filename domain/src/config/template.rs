//! Storage templates: where a file would lie, told by when it was taken and what it is called.
//!
//! A template is text with words in double braces, and parts that are there only with an album:
//! `{{y}}/{{#if album}}{{album}}{{else}}Other{{/if}}/{{filename}}`. A word that is none is refused, as is what
//! would lead out of the folder.

use chrono::{Datelike as _, NaiveDateTime, Timelike as _};

use super::place::FOLDERS_MAX;

/// How deep parts may lie within parts.
const DEPTH_MAX: usize = 8;
/// The longest template, in bytes.
const BYTES_MAX: usize = 4_096;
/// What a template may say of a date.
const DATE_WORDS: [&str; 18] = [
    "y", "yy", "M", "MM", "MMM", "MMMM", "W", "WW", "d", "dd", "h", "hh", "H", "HH", "m", "mm",
    "s", "ss",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A brace, an `if` or an `else` without its other half, or too many of them.
    #[error("it is not well formed")]
    Form,
    /// There is no such word.
    #[error("\"{0}\" is not defined")]
    Unknown(String),
    /// It leads out of the folder, or nowhere.
    #[error("it leads to no place for a file")]
    Path,
}

/// What is known of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What the clock on the wall showed when it was taken.
    pub taken: NaiveDateTime,
    /// Its name without the ending.
    pub filename: String,
    /// The ending of its name.
    pub extension: String,
    /// Whether it is a film.
    pub is_video: bool,
    /// Its asset's id.
    pub asset_id: String,
    /// Who made the camera, which model it is, and with which lens; empty where the file does not say.
    pub make: String,
    /// See `make`.
    pub model: String,
    /// See `make`.
    pub lens_model: String,
    /// Name of the album that it is in, and when the first and last of that were taken.
    pub album: Option<(String, NaiveDateTime, NaiveDateTime)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Word(String),
    If { word: String, then: Vec<Part>, otherwise: Vec<Part> },
}

/// A template that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

impl Template {
    /// Reads a template, and renders it for an example in an album and one in none.
    ///
    /// # Errors
    /// [`TemplateError`].
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > BYTES_MAX {
            return Err(TemplateError::Form);
        }
        let mut rest = text;
        let (parts, end) = parts(&mut rest, 0)?;
        if end != End::Text {
            return Err(TemplateError::Form);
        }
        let template = Self(parts);
        let taken = NaiveDateTime::default();
        let mut example = Facts {
            taken,
            filename: "IMG_123".into(),
            extension: "jpg".into(),
            is_video: false,
            asset_id: "d587e44b-f8c0-4832-9ba3-43268bbf5d4e".into(),
            make: "FUJIFILM".into(),
            model: "X-T50".into(),
            lens_model: "XF27mm F2.8 R WR".into(),
            album: None,
        };
        template.render(&example)?;
        example.album = Some(("album".into(), taken, taken));
        template.render(&example)?;
        Ok(template)
    }

    /// Where a file would lie, without its ending.
    ///
    /// # Errors
    /// A word that is none, or a place outside of the folder.
    pub fn render(&self, facts: &Facts) -> Result<String, TemplateError> {
        let mut path = String::new();
        write(&self.0, facts, &mut path)?;
        let is_deep = path.matches('/').count() > FOLDERS_MAX;
        let climbs = path.split('/').any(|part| matches!(part.trim(), "." | ".."));
        let has_name = path.rsplit('/').next().is_some_and(|name| !name.trim().is_empty());
        if climbs || is_deep || !has_name || path.contains(['\0', '\\']) {
            return Err(TemplateError::Path);
        }
        // A folder named after an album is left out for a file in none.
        let parts: Vec<&str> = path.split('/').filter(|part| !part.trim().is_empty()).collect();
        Ok(parts.join("/"))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Text,
    Else,
    If,
}

fn parts(rest: &mut &str, depth: usize) -> Result<(Vec<Part>, End), TemplateError> {
    if depth > DEPTH_MAX {
        return Err(TemplateError::Form);
    }
    let mut parts = Vec::new();
    loop {
        let Some((before, after)) = rest.split_once("{{") else {
            parts.push(Part::Text((*rest).to_owned()));
            *rest = "";
            return Ok((parts, End::Text));
        };
        parts.push(Part::Text(before.to_owned()));
        let (word, after) = after.split_once("}}").ok_or(TemplateError::Form)?;
        *rest = after;
        match word.trim() {
            "else" => return Ok((parts, End::Else)),
            "/if" => return Ok((parts, End::If)),
            word => match word.strip_prefix("#if ") {
                Some(word) => parts.push(condition(word.trim(), rest, depth)?),
                None => parts.push(Part::Word(word.to_owned())),
            },
        }
    }
}

fn condition(word: &str, rest: &mut &str, depth: usize) -> Result<Part, TemplateError> {
    let (then, end) = parts(rest, depth + 1)?;
    let (otherwise, end) =
        if end == End::Else { parts(rest, depth + 1)? } else { (Vec::new(), end) };
    if end != End::If {
        return Err(TemplateError::Form);
    }
    Ok(Part::If { word: word.to_owned(), then, otherwise })
}

fn write(parts: &[Part], facts: &Facts, path: &mut String) -> Result<(), TemplateError> {
    for part in parts {
        match part {
            Part::Text(text) => path.push_str(text),
            Part::Word(word) => path.push_str(&value(word, facts)?),
            Part::If { word, then, otherwise } => {
                let chosen = if value(word, facts)?.is_empty() { otherwise } else { then };
                write(chosen, facts, path)?;
            }
        }
    }
    Ok(())
}

/// What a word stands for. What is told of a name leads nowhere else.
fn value(word: &str, facts: &Facts) -> Result<String, TemplateError> {
    let one_part = |text: &str| text.replace(['/', '\\', '\0'], "_");
    if let Some(format) = word.strip_prefix("album-startDate-") {
        return date(format, facts.album.as_ref().map(|(_, start, _)| *start), word);
    }
    if let Some(format) = word.strip_prefix("album-endDate-") {
        return date(format, facts.album.as_ref().map(|(_, _, end)| *end), word);
    }
    Ok(match word {
        "filename" => one_part(&facts.filename),
        "ext" => one_part(&facts.extension),
        "filetype" => if facts.is_video { "VID" } else { "IMG" }.to_owned(),
        "filetypefull" => if facts.is_video { "VIDEO" } else { "IMAGE" }.to_owned(),
        "assetId" => facts.asset_id.clone(),
        "assetIdShort" => {
            facts.asset_id.chars().rev().take(12).collect::<Vec<_>>().iter().rev().collect()
        }
        "make" => one_part(&facts.make),
        "model" => one_part(&facts.model),
        "lensModel" => one_part(&facts.lens_model),
        "album" => facts.album.as_ref().map(|(name, ..)| one_part(name)).unwrap_or_default(),
        word => return date(word, Some(facts.taken), word),
    })
}

/// A date as a word of [`DATE_WORDS`] says; nothing without a date.
fn date(format: &str, at: Option<NaiveDateTime>, word: &str) -> Result<String, TemplateError> {
    if !DATE_WORDS.contains(&format) && format != "SSS" {
        return Err(TemplateError::Unknown(word.to_owned()));
    }
    let Some(at) = at else { return Ok(String::new()) };
    let month = usize::try_from(at.month0()).ok().and_then(|month| MONTHS.get(month));
    let month = month.copied().unwrap_or_default();
    let (_, hour) = at.hour12();
    let (plain, padded) = match format {
        "yy" | "y" => (at.year(), at.year().rem_euclid(100)),
        "MMM" => return Ok(month.get(..3).unwrap_or_default().to_owned()),
        "MMMM" => return Ok(month.to_owned()),
        "SSS" => return Ok(format!("{:03}", at.and_utc().timestamp_subsec_millis())),
        _ => {
            let number = match format {
                "M" | "MM" => at.month(),
                "W" | "WW" => at.iso_week().week(),
                "d" | "dd" => at.day(),
                "h" | "hh" => hour,
                "H" | "HH" => at.hour(),
                "m" | "mm" => at.minute(),
                _ => at.second(),
            };
            let number = i32::try_from(number).unwrap_or_default();
            (number, number)
        }
    };
    Ok(if format.len() == 2 { format!("{padded:02}") } else { plain.to_string() })
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    fn facts(album: Option<&str>) -> Facts {
        let taken = NaiveDate::from_ymd_opt(2024, 2, 3).unwrap().and_hms_opt(14, 5, 6).unwrap();
        Facts {
            taken,
            filename: "IMG 1".into(),
            extension: "jpg".into(),
            is_video: false,
            asset_id: "d587e44b-f8c0-4832-9ba3-43268bbf5d4e".into(),
            make: "FUJIFILM".into(),
            model: "X-T50".into(),
            lens_model: "XF27mm F2.8 R WR".into(),
            album: album.map(|name| (name.to_owned(), taken, taken)),
        }
    }

    #[test]
    fn template_is_rendered_with_and_without_an_album() {
        let text = "{{y}}/{{#if album}}{{album-startDate-yy}} {{album}}{{else}}{{MMM}}-{{dd}}{{/if}}/{{filename}}";
        let template = Template::parse(text).unwrap();
        assert_eq!(template.render(&facts(Some("a/b"))).unwrap(), "2024/24 a_b/IMG 1");
        assert_eq!(template.render(&facts(None)).unwrap(), "2024/Feb-03/IMG 1");
        let template = Template::parse("{{make}}/{{model}}/{{lensModel}}/{{filename}}").unwrap();
        assert_eq!(template.render(&facts(None)).unwrap(), "FUJIFILM/X-T50/XF27mm F2.8 R WR/IMG 1");
        let clock = Template::parse("{{hh}}.{{H}}.{{mm}}.{{WW}}.{{assetIdShort}}").unwrap();
        assert_eq!(clock.render(&facts(None)).unwrap(), "02.14.05.05.43268bbf5d4e");
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for (text, error) in [
            ("{{y}}/{{foo}}", TemplateError::Unknown("foo".into())),
            ("{{y", TemplateError::Form),
            ("{{#if album}}x", TemplateError::Form),
            ("{{/if}}", TemplateError::Form),
            ("../{{filename}}", TemplateError::Path),
            ("{{y}}/{{y}}/{{y}}/{{y}}/{{y}}/{{y}}/{{y}}/{{y}}/{{y}}/a", TemplateError::Path),
            ("{{album}}/{{filename}}/", TemplateError::Path),
            ("", TemplateError::Path),
        ] {
            assert_eq!(Template::parse(text), Err(error), "{text}");
        }
    }
}
