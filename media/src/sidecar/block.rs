//! Words as XMP properties: which ones stand for what, and how they are written.
//!
//! Properties and their types are those of ISO 16684-1 and of the Exif 2.32 metadata for XMP (CIPA DC-010);
//! `TagsList` is digiKam's, `hierarchicalSubject` Lightroom's.

use std::fmt::Write as _;

use quick_xml::escape::escape;

use super::SidecarWords;

const DC: (&str, &str) = ("dc", "http://purl.org/dc/elements/1.1/");
const DIGIKAM: (&str, &str) = ("digiKam", "http://www.digikam.org/ns/1.0/");
const EXIF: (&str, &str) = ("exif", "http://ns.adobe.com/exif/1.0/");
const LIGHTROOM: (&str, &str) = ("lr", "http://ns.adobe.com/lightroom/1.0/");
const PHOTOSHOP: (&str, &str) = ("photoshop", "http://ns.adobe.com/photoshop/1.0/");
const TIFF: (&str, &str) = ("tiff", "http://ns.adobe.com/tiff/1.0/");
const XMP: (&str, &str) = ("xmp", "http://ns.adobe.com/xap/1.0/");
/// The namespace of RDF's own words.
pub(super) const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";

/// A property by namespace and name.
type Property = ((&'static str, &'static str), &'static str);

const DESCRIPTION: &[Property] = &[(DC, "description"), (TIFF, "ImageDescription")];
const RATING: &[Property] = &[(XMP, "Rating")];
const TAKEN: &[Property] = &[(EXIF, "DateTimeOriginal"), (PHOTOSHOP, "DateCreated")];
const POSITION: &[Property] = &[(EXIF, "GPSLatitude"), (EXIF, "GPSLongitude")];
const TAGS: &[Property] =
    &[(DIGIKAM, "TagsList"), (LIGHTROOM, "hierarchicalSubject"), (DC, "subject")];

/// Whether the words speak of a property, so that what stands there of it goes.
pub(super) fn replaces(words: &SidecarWords, namespace: &str, name: &str) -> bool {
    // Some programs forget the last slash.
    let plain = |namespace: &str| namespace.trim_end_matches('/').to_owned();
    let namespace = plain(namespace);
    let names = |properties: &[Property]| {
        properties.iter().any(|((_, uri), local)| *local == name && plain(uri) == namespace)
    };
    (words.description.is_some() && names(DESCRIPTION))
        || (words.rating.is_some() && names(RATING))
        || (words.taken.is_some() && names(TAKEN))
        || (words.position.is_some() && names(POSITION))
        || (words.tags.is_some() && names(TAGS))
}

/// A description of its own that says the words; `None` when there is nothing to say. `about` stands as the
/// file's other descriptions have it, escaped.
pub(super) fn of(words: &SidecarWords, about: &str) -> Option<String> {
    let mut block = Block::default();
    if let Some(Some(description)) = &words.description {
        for property in DESCRIPTION {
            let text = format!(r#"<rdf:li xml:lang="x-default">{}</rdf:li>"#, text(description));
            block.add(*property, &format!("<rdf:Alt>{text}</rdf:Alt>"));
        }
    }
    if let Some(Some(stars)) = words.rating {
        block.add((XMP, "Rating"), &stars.to_string());
    }
    if let Some(Some((local, offset_minutes))) = words.taken {
        let sign = if offset_minutes < 0 { '-' } else { '+' };
        let offset = offset_minutes.unsigned_abs();
        let date = local.format("%Y-%m-%dT%H:%M:%S%.f");
        let date = format!("{date}{sign}{:02}:{:02}", offset / 60, offset % 60);
        for property in TAKEN {
            block.add(*property, &date);
        }
    }
    if let Some(Some((latitude, longitude))) = words.position {
        block.add((EXIF, "GPSLatitude"), &coordinate(latitude, 'N', 'S'));
        block.add((EXIF, "GPSLongitude"), &coordinate(longitude, 'E', 'W'));
    }
    if let Some(tags) = words.tags.as_ref().filter(|tags| !tags.is_empty()) {
        let levels = |tag: &String| tag.replace('|', "/").replace('/', "|");
        let last = |tag: &String| tag.rsplit('/').next().unwrap_or(tag).to_owned();
        block.add((DIGIKAM, "TagsList"), &list("Seq", tags.iter().cloned()));
        block.add((LIGHTROOM, "hierarchicalSubject"), &list("Bag", tags.iter().map(levels)));
        block.add((DC, "subject"), &list("Bag", tags.iter().map(last)));
    }
    block.finish(about)
}

#[derive(Default)]
struct Block {
    namespaces: Vec<(&'static str, &'static str)>,
    properties: String,
}

impl Block {
    fn add(&mut self, (namespace, name): Property, inner: &str) {
        if !self.namespaces.contains(&namespace) {
            self.namespaces.push(namespace);
        }
        let prefix = namespace.0;
        self.properties.push_str(&format!("\n   <{prefix}:{name}>{inner}</{prefix}:{name}>"));
    }

    fn finish(self, about: &str) -> Option<String> {
        if self.properties.is_empty() {
            return None;
        }
        let mut block = format!(r#"<rdf:Description xmlns:rdf="{RDF}" rdf:about="{about}""#);
        for (prefix, uri) in self.namespaces {
            block.push_str(&format!("\n    xmlns:{prefix}=\"{uri}\""));
        }
        block.push('>');
        block.push_str(&self.properties);
        block.push_str("\n  </rdf:Description>");
        Some(block)
    }
}

fn list(kind: &str, items: impl Iterator<Item = String>) -> String {
    let items = items.fold(String::new(), |mut all, item| {
        write!(all, "<rdf:li>{}</rdf:li>", text(&item)).unwrap_or_default();
        all
    });
    format!("<rdf:{kind}>{items}</rdf:{kind}>")
}

/// `DDD,MM.mmmmmmmH`, to a few millimetres.
fn coordinate(degrees: f64, positive: char, negative: char) -> String {
    let sign = if degrees < 0.0 { negative } else { positive };
    let whole = degrees.abs().floor();
    let minutes = (degrees.abs() - whole) * 60.0;
    // What rounds up to a whole degree is the next one.
    let (whole, minutes) =
        if minutes >= 59.999_999_95 { (whole + 1.0, 0.0) } else { (whole, minutes) };
    format!("{whole:.0},{minutes:.7}{sign}")
}

/// Escaped, without the characters that XML cannot hold (XML 1.0, 2.2).
fn text(words: &str) -> String {
    let holds = |it: &char| {
        matches!(it, '\t' | '\n' | '\r') || (*it >= ' ' && !matches!(it, '\u{fffe}' | '\u{ffff}'))
    };
    let clean: String = words.chars().filter(holds).collect();
    // A bare carriage return would be read as a line's end.
    escape(&clean).replace('\r', "&#13;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_carry_their_hemisphere() {
        assert_eq!(coordinate(51.5007, 'N', 'S'), "51,30.0420000N");
        assert_eq!(coordinate(-0.1246, 'E', 'W'), "0,7.4760000W");
        assert_eq!(coordinate(9.999_999_999_9, 'N', 'S'), "10,0.0000000N");
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(text("a<b & \u{1}c\r"), "a&lt;b &amp; c&#13;");
    }
}
