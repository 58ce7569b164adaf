//! XMP packets and sidecars: a flat list of properties, read with limits and without entities.
//!
//! Names are `prefix:Local` with the usual prefixes, whatever the packet calls them. Entities other
//! than the five of XML stay as they are, so that none can be expanded into gigabytes.

use std::collections::HashMap;

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

use super::{
    date::{self, Stamp},
    facts::Position,
    number, position,
    regions::Region,
    text,
};
use crate::limits::{TEXT_CHARS_MAX, XMP_BYTES_MAX, XMP_DEPTH_MAX, XMP_PROPERTIES_MAX};

/// Namespaces by their usual prefixes. Compared without a last slash, which some programs forget.
const NAMESPACES: [(&str, &str); 18] = [
    ("http://www.metadataworkinggroup.com/schemas/regions", "mwg-rs"),
    ("http://ns.adobe.com/xmp/sType/Area#", "stArea"),
    ("http://ns.microsoft.com/photo/1.2/t/RegionInfo#", "MPRI"),
    ("http://ns.microsoft.com/photo/1.2/t/Region#", "MPReg"),
    ("http://ns.adobe.com/xap/1.0", "xmp"),
    ("http://ns.adobe.com/exif/1.0", "exif"),
    ("http://cipa.jp/exif/1.0", "exifEX"),
    ("http://ns.adobe.com/exif/1.0/aux", "aux"),
    ("http://ns.adobe.com/tiff/1.0", "tiff"),
    ("http://purl.org/dc/elements/1.1", "dc"),
    ("http://ns.adobe.com/photoshop/1.0", "photoshop"),
    ("http://ns.google.com/photos/1.0/panorama", "GPano"),
    ("http://www.digikam.org/ns/1.0", "digiKam"),
    ("http://ns.adobe.com/lightroom/1.0", "lr"),
    ("http://ns.adobe.com/pdf/1.3", "pdf"),
    ("http://ns.google.com/photos/1.0/camera", "GCamera"),
    ("http://ns.google.com/photos/1.0/container/item", "Item"),
    ("http://www.w3.org/1999/02/22-rdf-syntax-ns#", "rdf"),
];

/// Regions of one picture that are looked at.
const REGIONS_MAX: usize = 256;
/// Files that a container may list; cameras list two or three.
const ITEMS_MAX: usize = 64;

/// One file of Google's container of several (Ultra HDR and Motion Photo formats 1.0).
#[derive(Debug, Default)]
pub(super) struct ContainerItem {
    pub(super) semantic: String,
    /// In bytes.
    pub(super) length: usize,
    /// Bytes that fill up behind it.
    pub(super) padding: usize,
    /// Which of these were stated.
    stated: Vec<String>,
}

/// The lists whose items are regions.
const REGION_LISTS: [&str; 2] = ["mwg-rs:RegionList", "MPRI:Regions"];

/// Properties of a packet. Lists have several values.
#[derive(Debug, Default)]
pub(crate) struct Xmp {
    properties: HashMap<String, Vec<String>>,
    /// What Google's container says that follows the picture in the file, in order.
    pub(super) items: Vec<ContainerItem>,
    /// Faces and other things that were marked on the picture.
    pub(super) regions: Vec<Region>,
    count: usize,
}

impl Xmp {
    /// Reads a packet; what stands before a damage counts. Bytes may be UTF-8 or UTF-16.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let mut found = Self::default();
        if bytes.len() <= XMP_BYTES_MAX {
            let text = decode(bytes);
            found.read_text(&text);
        }
        found
    }

    fn read_text(&mut self, text: &str) {
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_end_names = false;
        let mut prefixes: HashMap<String, String> = HashMap::new();
        let mut path: Vec<String> = Vec::new();
        let mut value = String::new();
        loop {
            match reader.read_event() {
                Ok(Event::Start(start)) => {
                    value.clear();
                    let name = self.open(&start, &mut prefixes, &path);
                    path.push(name);
                    if path.len() > XMP_DEPTH_MAX {
                        return;
                    }
                }
                Ok(Event::Empty(start)) => {
                    self.open(&start, &mut prefixes, &path);
                }
                Ok(Event::Text(part)) => {
                    push(&mut value, &String::from_utf8_lossy(&part));
                }
                Ok(Event::CData(part)) => push(&mut value, &String::from_utf8_lossy(&part)),
                Ok(Event::GeneralRef(reference)) => {
                    let character = match reference.resolve_char_ref() {
                        Ok(Some(character)) => Some(character),
                        _ => match &*reference {
                            b"amp" => Some('&'),
                            b"lt" => Some('<'),
                            b"gt" => Some('>'),
                            b"quot" => Some('"'),
                            b"apos" => Some('\''),
                            _ => None,
                        },
                    };
                    value.extend(character);
                }
                Ok(Event::End(_)) => {
                    self.close(&path, &value);
                    value.clear();
                    path.pop();
                }
                Ok(Event::Eof) | Err(_) => return,
                Ok(Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::DocType(_)) => {}
            }
        }
    }

    /// Takes attributes as properties and gives the element's name with its usual prefix.
    fn open(
        &mut self,
        start: &BytesStart<'_>,
        prefixes: &mut HashMap<String, String>,
        path: &[String],
    ) -> String {
        let attributes: Vec<(String, String)> = start
            .attributes()
            .with_checks(false)
            .flatten()
            .take(XMP_PROPERTIES_MAX)
            .map(|it| {
                let raw = String::from_utf8_lossy(&it.value).into_owned();
                let value =
                    quick_xml::escape::unescape(&raw).map(Into::into).unwrap_or(raw.clone());
                (String::from_utf8_lossy(it.key.as_ref()).into_owned(), value)
            })
            .collect();
        for (name, uri) in &attributes {
            if let Some(prefix) = name.strip_prefix("xmlns:") {
                let uri = uri.strip_suffix('/').unwrap_or(uri);
                if let Some((_, usual)) = NAMESPACES.iter().find(|(known, _)| *known == uri)
                    && prefixes.len() < 64
                {
                    prefixes.insert(prefix.to_owned(), (*usual).to_owned());
                }
            }
        }
        let element = usual(prefixes, &String::from_utf8_lossy(start.name().as_ref()));
        let property = path.iter().rev().find(|it| !it.starts_with("rdf:"));
        let is_region = property.is_some_and(|it| REGION_LISTS.contains(&it.as_str()));
        if element == "rdf:li" && is_region && self.regions.len() < REGIONS_MAX {
            self.regions.push(Region::default());
        }
        if element.ends_with(":Item") && self.items.len() < ITEMS_MAX {
            self.items.push(ContainerItem::default());
        }
        for (name, value) in attributes {
            let name = usual(prefixes, &name);
            let is_language = path.len() > 1 && name == "xml:lang";
            if !name.starts_with("xmlns") && !is_language {
                self.add(name, &value);
            }
        }
        element
    }

    fn close(&mut self, path: &[String], value: &str) {
        if value.trim().is_empty() {
            return;
        }
        // The property is the nearest element that is not part of RDF's own list syntax.
        if let Some(name) = path.iter().rev().find(|it| !it.starts_with("rdf:")) {
            self.add(name.clone(), value);
        }
    }

    fn add(&mut self, name: String, value: &str) {
        if self.count < XMP_PROPERTIES_MAX
            && let Some(value) = text::clean(value)
        {
            self.count += 1;
            if let Some(region) = self.regions.last_mut() {
                region.add(&name, &value);
            }
            if let Some(field) = name.strip_prefix("Item:") {
                self.add_to_item(field, &value);
            }
            self.properties.entry(name).or_default().push(value);
        }
    }

    /// Stated as attributes of an item, or as elements inside it.
    fn add_to_item(&mut self, field: &str, value: &str) {
        let is_stated = |item: &ContainerItem| item.stated.iter().any(|it| it == field);
        if self.items.last().is_none_or(is_stated) && self.items.len() < ITEMS_MAX {
            self.items.push(ContainerItem::default());
        }
        let Some(item) = self.items.last_mut() else { return };
        item.stated.push(field.to_owned());
        let number = || value.trim().parse().unwrap_or(0);
        match field {
            "Semantic" => value.clone_into(&mut item.semantic),
            "Length" => item.length = number(),
            "Padding" => item.padding = number(),
            _ => {}
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.properties.get(name).and_then(|it| it.first()).map(String::as_str)
    }

    fn all(&self, name: &str) -> &[String] {
        self.properties.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn date(&self, name: &str) -> Option<Stamp> {
        self.get(name).and_then(date::parse)
    }

    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.get(name).and_then(number::parse)
    }

    pub(super) fn position(&self) -> Option<Position> {
        let latitude = position::xmp_coordinate(self.get("exif:GPSLatitude")?)?;
        let longitude = position::xmp_coordinate(self.get("exif:GPSLongitude")?)?;
        let below = self.get("exif:GPSAltitudeRef") == Some("1");
        let altitude = self.number("exif:GPSAltitude").map(|it| if below { -it } else { it });
        position::checked(latitude, longitude, altitude)
    }

    /// Keywords by the list that says most: with all their levels, else each by itself. Programs that write
    /// the first write the others too, with less in them.
    pub(super) fn keywords(&self) -> Vec<String> {
        // A level that holds the sign between levels would be two.
        let level = |text: &str| text.replace('/', "|");
        let path = |text: &String| text.split('|').map(level).collect::<Vec<_>>().join("/");
        let tags = self.all("digiKam:TagsList");
        let subjects = self.all("lr:hierarchicalSubject");
        match (tags, subjects) {
            ([], []) => self.all("dc:subject").to_vec(),
            ([], subjects) => subjects.iter().map(path).collect(),
            (tags, _) => tags.to_vec(),
        }
    }
}

fn push(value: &mut String, part: &str) {
    if value.len() < TEXT_CHARS_MAX * 4 {
        value.push_str(part);
    }
}

fn usual(prefixes: &HashMap<String, String>, name: &str) -> String {
    match name.split_once(':') {
        Some((prefix, local)) => match prefixes.get(prefix) {
            Some(usual) => format!("{usual}:{local}"),
            None => name.to_owned(),
        },
        None => name.to_owned(),
    }
}

/// The text of a packet, whose bytes may be UTF-8 or UTF-16.
pub(crate) fn decode(bytes: &[u8]) -> String {
    let units = |bytes: &[u8], read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|it| read([it[0], it[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => units(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => units(rest, u16::from_be_bytes),
        [b'<', 0, ..] => units(bytes, u16::from_le_bytes),
        [0, b'<', ..] => units(bytes, u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: &str = r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
        xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
        xmlns:x1="http://ns.adobe.com/xap/1.0" xmlns:dc="http://purl.org/dc/elements/1.1/"
        xmlns:exif="http://ns.adobe.com/exif/1.0/" x1:Rating="4">
        <exif:DateTimeOriginal>2021-06-15T10:20:30+02:00</exif:DateTimeOriginal>
        <exif:GPSLatitude>51,30.042N</exif:GPSLatitude><exif:GPSLongitude>0,7.476W</exif:GPSLongitude>
        <dc:description><rdf:Alt><rdf:li xml:lang="x-default">a &amp; b</rdf:li></rdf:Alt></dc:description>
        <dc:subject><rdf:Bag><rdf:li>one</rdf:li><rdf:li>two</rdf:li></rdf:Bag></dc:subject>
        </rdf:Description></rdf:RDF></x:xmpmeta>"#;

    #[test]
    fn attributes_elements_and_lists_are_read() {
        let xmp = Xmp::read(PACKET.as_bytes());
        assert_eq!(xmp.get("xmp:Rating"), Some("4"));
        assert_eq!(xmp.get("dc:description"), Some("a & b"));
        assert_eq!(xmp.keywords(), ["one", "two"]);
        assert_eq!(xmp.date("exif:DateTimeOriginal").and_then(|it| it.1), Some(120));
        assert!(xmp.position().is_some());
    }

    #[test]
    fn keywords_are_those_of_the_list_that_says_most() {
        let with = |name: &str, values: &[&str]| {
            let mut xmp = Xmp::default();
            for value in values {
                xmp.add(name.to_owned(), value);
            }
            xmp
        };
        let mut both = with("lr:hierarchicalSubject", &["animals|birds", "a/b"]);
        both.add("dc:subject".into(), "birds");
        assert_eq!(both.keywords(), ["animals/birds", "a|b"]);
        both.add("digiKam:TagsList".into(), "animals/birds/owl");
        assert_eq!(both.keywords(), ["animals/birds/owl"]);
    }

    #[test]
    fn utf16_is_read() {
        let mut bytes = vec![0xff, 0xfe];
        bytes.extend(PACKET.encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(Xmp::read(&bytes).get("xmp:Rating"), Some("4"));
    }

    #[test]
    fn entities_are_not_expanded() {
        let bomb = r#"<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
            <rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>&b;x</dc:title></rdf:Description>"#;
        assert_eq!(Xmp::read(bomb.as_bytes()).get("dc:title"), Some("x"));
    }
}
