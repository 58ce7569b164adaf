//! Puts words into a sidecar. The file is read event by event and written again as it was, but for the
//! properties that the words speak of; these go, and a description with the words comes at the end.

use quick_xml::NsReader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{QName, ResolveResult};

use super::{SidecarWords, block};
use crate::decoder::DecodeError;
use crate::limits::{XMP_BYTES_MAX, XMP_DEPTH_MAX};
use crate::metadata::decode_xmp;

/// A sidecar that says nothing yet.
const EMPTY: &str = concat!(
    "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n",
    "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n",
    " <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n",
    " </rdf:RDF>\n",
    "</x:xmpmeta>\n",
    "<?xpacket end=\"w\"?>\n"
);

/// The sidecar with the words in it, as UTF-8. Doing it again changes nothing.
///
/// # Errors
/// [`DecodeError::TooLarge`], and [`DecodeError::Corrupt`] for what is no XMP that can be added to: rather
/// than lose what somebody wrote there, nothing is written.
pub(crate) fn merge(existing: Option<&[u8]>, words: &SidecarWords) -> Result<Vec<u8>, DecodeError> {
    let existing = existing.unwrap_or_default();
    if existing.len() > XMP_BYTES_MAX {
        return Err(DecodeError::TooLarge { what: format!("XMP of {} bytes", existing.len()) });
    }
    let text = decode_xmp(existing);
    let text = text.trim_start_matches('\u{feff}').trim_matches('\0');
    let text = if text.trim().is_empty() { EMPTY } else { text };
    let mut merge = Merge { words, out: Vec::new(), about: None, open: Vec::new(), found: false };
    merge.read(text)?;
    if !merge.found {
        return Err(DecodeError::corrupt("sidecar is no XMP"));
    }
    Ok(merge.out.concat().into_bytes())
}

/// What an open element is to the merge.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Around RDF.
    Outside,
    /// RDF itself.
    Rdf,
    /// A description: where it begins in the output, and whether something was taken out of it.
    Description { start: usize, is_changed: bool, is_bare: bool },
    /// Somewhere in a property.
    Property,
    /// Goes.
    Dropped,
}

struct Merge<'a> {
    words: &'a SidecarWords,
    /// The output in pieces; white space is a piece of its own.
    out: Vec<String>,
    about: Option<String>,
    open: Vec<Place>,
    found: bool,
}

impl Merge<'_> {
    fn read(&mut self, text: &str) -> Result<(), DecodeError> {
        let mut reader = NsReader::from_str(text);
        loop {
            let (resolved, event) = reader
                .read_resolved_event()
                .map_err(|_| DecodeError::corrupt("sidecar is damaged"))?;
            let namespace = namespace(&resolved);
            let place = self.open.last().copied().unwrap_or(Place::Outside);
            match event {
                Event::Start(start) => {
                    if self.open.len() >= XMP_DEPTH_MAX {
                        return Err(DecodeError::TooLarge { what: "nesting of a sidecar".into() });
                    }
                    let opened = self.start(&reader, &namespace, &start, place, false)?;
                    self.open.push(opened);
                }
                Event::Empty(start) => {
                    let opened = self.start(&reader, &namespace, &start, place, true)?;
                    self.close(opened, None);
                }
                Event::End(end) => {
                    self.open.pop();
                    self.close(place, Some(format!("</{}>", utf8(&end))));
                }
                Event::Eof if self.open.is_empty() => return Ok(()),
                Event::Eof => return Err(DecodeError::corrupt("sidecar ends early")),
                // Its entities could mean anything.
                Event::DocType(_) => {
                    return Err(DecodeError::corrupt("sidecar has a document type"));
                }
                // It is UTF-8 from now on.
                Event::Decl(_) => {
                    self.keep(place, r#"<?xml version="1.0" encoding="UTF-8"?>"#.into());
                }
                Event::Text(text) => self.keep(place, utf8(&text)),
                Event::CData(text) => self.keep(place, format!("<![CDATA[{}]]>", utf8(&text))),
                Event::Comment(text) => self.keep(place, format!("<!--{}-->", utf8(&text))),
                Event::PI(text) => self.keep(place, format!("<?{}?>", utf8(&text))),
                Event::GeneralRef(name) => self.keep(place, format!("&{};", utf8(&name))),
            }
        }
    }

    fn keep(&mut self, place: Place, piece: String) {
        if place != Place::Dropped {
            if !piece.trim().is_empty() {
                self.fill();
            }
            self.out.push(piece);
        }
    }

    /// The description that is open holds something.
    fn fill(&mut self) {
        if let Some(Place::Description { is_bare, .. }) = self.open.last_mut() {
            *is_bare = false;
        }
    }

    fn start(
        &mut self,
        reader: &NsReader<&[u8]>,
        namespace: &str,
        start: &BytesStart<'_>,
        place: Place,
        is_empty: bool,
    ) -> Result<Place, DecodeError> {
        let end = if is_empty { "/>" } else { ">" };
        let local = utf8(start.local_name().as_ref());
        match place {
            Place::Dropped => return Ok(Place::Dropped),
            Place::Outside if namespace == block::RDF && local == "RDF" && !self.found => {
                self.found = true;
                self.out.push(format!("<{}>", utf8(start)));
                if is_empty {
                    // So that something can stand in it.
                    self.open.push(Place::Rdf);
                    self.close(Place::Rdf, Some(format!("</{}>", utf8(start.name().as_ref()))));
                    self.open.pop();
                    return Ok(Place::Property);
                }
                return Ok(Place::Rdf);
            }
            Place::Rdf => {
                let at = self.out.len();
                let (piece, is_changed, is_bare) = self.description(reader, start)?;
                self.out.push(format!("<{piece}{end}"));
                let is_bare = is_bare && namespace == block::RDF && local == "Description";
                return Ok(Place::Description { start: at, is_changed, is_bare });
            }
            Place::Description { .. } => {
                if block::replaces(self.words, namespace, &local) {
                    if let Some(Place::Description { is_changed, .. }) = self.open.last_mut() {
                        *is_changed = true;
                    }
                    self.drop_space();
                    return Ok(Place::Dropped);
                }
                self.fill();
            }
            Place::Outside | Place::Property => {}
        }
        self.out.push(format!("<{}{end}", utf8(start)));
        Ok(if place == Place::Outside { Place::Outside } else { Place::Property })
    }

    /// Ends an element; `end` is nothing for one that was empty.
    fn close(&mut self, place: Place, end: Option<String>) {
        match place {
            Place::Dropped => {}
            Place::Rdf => {
                let about = self.about.clone().unwrap_or_default();
                if let Some(block) = block::of(self.words, &about) {
                    let space = self.out.pop_if(|last| last.trim().is_empty());
                    self.out.extend(["\n  ".to_owned(), block]);
                    self.out.push(space.unwrap_or_else(|| "\n ".to_owned()));
                }
                self.out.extend(end);
            }
            // Nothing is left in it, and nobody else's words were.
            Place::Description { start, is_changed: true, is_bare: true } => {
                self.out.truncate(start);
                self.drop_space();
            }
            Place::Description { .. } | Place::Outside | Place::Property => self.out.extend(end),
        }
    }

    fn drop_space(&mut self) {
        self.out.pop_if(|last| last.trim().is_empty());
    }

    /// The inside of a description's tag without the attributes that go; whether any went; whether nothing
    /// but namespaces and what it is about is left.
    fn description(
        &mut self,
        reader: &NsReader<&[u8]>,
        start: &BytesStart<'_>,
    ) -> Result<(String, bool, bool), DecodeError> {
        let mut kept = utf8(start.name().as_ref());
        let (mut is_changed, mut is_bare) = (false, true);
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| DecodeError::corrupt("sidecar is damaged"))?;
            let (resolved, local) = reader.resolve_attribute(attribute.key);
            let (namespace, local) = (namespace(&resolved), utf8(local.as_ref()));
            if block::replaces(self.words, &namespace, &local) {
                is_changed = true;
                continue;
            }
            let value = utf8(&attribute.value).replace('"', "&quot;");
            if namespace == block::RDF && local == "about" {
                self.about.get_or_insert(value.clone());
            } else if !is_declaration(attribute.key) {
                is_bare = false;
            }
            kept.push_str(&format!("\n    {}=\"{value}\"", utf8(attribute.key.as_ref())));
        }
        // Untouched it stays to the letter.
        Ok((if is_changed { kept } else { utf8(start) }, is_changed, is_bare))
    }
}

fn is_declaration(name: QName<'_>) -> bool {
    name.as_namespace_binding().is_some()
}

fn namespace(resolved: &ResolveResult<'_>) -> String {
    match resolved {
        ResolveResult::Bound(namespace) => utf8(namespace.as_ref()),
        ResolveResult::Unbound | ResolveResult::Unknown(_) => String::new(),
    }
}

/// Pieces of a text that is UTF-8.
fn utf8(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests;
