//! One folder of an export, put together from all its parts.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::json::Photo;
use super::{Album, names};
use crate::args::ImportArgs;
use crate::entry::Entry;
use crate::notes::StackPlace;
use crate::scan::Scan;
use crate::walk::Found;

/// Folders of a year, by what stands before it. Their description is no album, though some exports have one.
const YEAR_FOLDERS: [&str; 21] = [
    "Photos from",
    "Fotos von",
    "Fotos aus",
    "Photos de",
    "Photos du",
    "Fotos de",
    "Fotos del",
    "Foto dal",
    "Foto del",
    "Foto's uit",
    "Bilder från",
    "Foton från",
    "Bilder fra",
    "Billeder fra",
    "Kuvat vuodelta",
    "Zdjęcia z",
    "Fotky z",
    "Fotografii din",
    "Фотографии",
    "Фото за",
    "Photos",
];

/// One folder.
#[derive(Default)]
pub(super) struct Folder {
    pub(super) media: Vec<Found>,
    pub(super) sidecars: Vec<Found>,
    pub(super) album: Option<Album>,
    said: Vec<(Found, Photo)>,
    /// By the name it belongs to and the number.
    by_name: HashMap<(String, u32), usize>,
    /// By the beginning of the title and of its own name, for names that were cut.
    by_beginning: HashMap<String, Vec<usize>>,
}

/// Which JSON file a photo has, and of which photo it was made.
#[derive(Clone, Default)]
struct Match {
    json: Option<usize>,
    /// The original's name with its number.
    original: Option<(String, u32)>,
}

impl Folder {
    /// Takes in what is said of one of its photos.
    pub(super) fn add(&mut self, found: Found, photo: Photo) {
        let place = self.said.len();
        let name = found.name();
        let (stem, number) = names::of_json(&name);
        for target in names::targets(stem) {
            let told = self.by_name.entry((target.to_owned(), number)).or_insert(place);
            // Different photos of one name, as of two people's exports: none is guessed.
            if self.said.get(*told).is_some_and(|(_, other)| other.taken != photo.taken) {
                *told = usize::MAX;
            }
        }
        let beginnings = [names::beginning(stem), names::beginning(&names::replaced(&photo.title))];
        for beginning in BTreeSet::from(beginnings) {
            self.by_beginning.entry(beginning).or_default().push(place);
        }
        self.said.push((found, photo));
    }

    /// Makes entries of what lies in it.
    pub(super) fn entries(self, name: &str, args: &ImportArgs, scan: &mut Scan) {
        let album = self.album_of(name);
        let matches: Vec<Match> = self.media.iter().map(|one| self.find(&one.name())).collect();
        let films = self.films(&matches);
        let are_films: BTreeSet<usize> = films.values().copied().collect();
        let originals: BTreeMap<(String, u32), usize> = self
            .media
            .iter()
            .enumerate()
            .map(|(place, one)| (names::numbered(&one.name()), place))
            .collect();
        let mut is_used = vec![false; self.said.len()];
        let mut edited_first: BTreeSet<usize> = BTreeSet::new();
        let mut entries: BTreeMap<usize, Entry> = BTreeMap::new();
        for (place, (one, found)) in self.media.iter().zip(&matches).enumerate() {
            let photo = found.json.and_then(|json| self.said.get(json)).map(|(_, photo)| photo);
            if let Some(used) = found.json.and_then(|json| is_used.get_mut(json)) {
                *used = true;
            }
            let film = films.get(&place).and_then(|film| self.media.get(*film));
            if photo.is_some_and(|photo| photo.is_trashed) {
                pass_over(scan, one, film, "it is in Google's trash");
                continue;
            }
            if args.without_partner && photo.is_some_and(|photo| photo.is_partners) {
                pass_over(scan, one, film, "a partner's photo");
                continue;
            }
            if are_films.contains(&place) {
                continue;
            }
            let mut entry = Entry::new(one.file());
            entry.notes = photo.map(|photo| Box::new(photo.notes()));
            entry.file.title = photo.and_then(|photo| full_name(&one.name(), &photo.title));
            entry.film = film.map(|film| Box::new(film.file()));
            entry.albums.extend(album.clone());
            entries.insert(place, entry);
        }
        for (place, found) in matches.iter().enumerate() {
            let original = found.original.as_ref().and_then(|name| originals.get(name)).copied();
            let Some(original) = original.filter(|it| entries.contains_key(it)) else { continue };
            if !entries.contains_key(&place) {
                continue;
            }
            let key = self.stack_key(original, found.json);
            let is_primary = edited_first.insert(original);
            stack(&mut entries, place, &key, is_primary);
            stack(&mut entries, original, &key, false);
        }
        scan.entries.extend(entries.into_values());
        for ((found, _), _) in self.said.iter().zip(&is_used).filter(|(_, is_used)| !**is_used) {
            scan.pass_over(&found.path, "describes a photo that is not here");
        }
        for one in &self.sidecars {
            scan.pass_over(&one.path, "not a part of Google's exports");
        }
    }

    /// The album that the folder is, if it is one.
    fn album_of(&self, name: &str) -> Option<Album> {
        let album = self.album.as_ref()?;
        let is_year = name.rsplit_once(' ').is_some_and(|(before, year)| {
            let is_year = year.len() == 4 && year.bytes().all(|it| it.is_ascii_digit());
            is_year && YEAR_FOLDERS.contains(&before)
        });
        if is_year {
            return None;
        }
        if !album.name.is_empty() {
            return Some(Arc::clone(album));
        }
        // Google numbers those that have no name.
        let (name, description) = (name.to_owned(), album.description.clone());
        (!name.is_empty()).then(|| Arc::new(crate::entry::Album { name, description }))
    }

    fn find(&self, name: &str) -> Match {
        if let Some(json) = self.json_of(name) {
            return Match { json: Some(json), original: None };
        }
        let (plain, number) = names::numbered(name);
        let Some(original) = names::unedited(&plain) else { return Match::default() };
        let whole = with_number(&original, number);
        Match { json: self.json_of(&whole), original: Some((original, number)) }
    }

    fn json_of(&self, name: &str) -> Option<usize> {
        if let Some(json) = self.by_name.get(&(name.to_owned(), 0)) {
            return Some(*json);
        }
        let (plain, number) = names::numbered(name);
        if let Some(json) = self.by_name.get(&(plain.clone(), number)) {
            return Some(*json);
        }
        let candidates = self.by_beginning.get(&names::beginning(&plain)).into_iter().flatten();
        let (mut exact, mut cut) = (None, Vec::new());
        for place in candidates.copied() {
            let Some((found, photo)) = self.said.get(place) else { continue };
            let json = found.name();
            let (stem, of_json) = names::of_json(&json);
            if of_json != number {
                continue;
            }
            if names::is_cut_of(stem, &plain) || names::replaced(&photo.title) == plain {
                exact = exact.or(Some(place));
            } else if names::is_titled(&plain, &photo.title) {
                cut.push((place, photo.taken));
            }
        }
        // Of several that were cut to the same name none is guessed.
        let (first, taken) = cut.first().copied().unzip();
        exact.or(first.filter(|_| cut.iter().all(|(_, other)| Some(*other) == taken)))
    }

    /// Films without a JSON file of their own that are called like a photo, by that photo's place.
    fn films(&self, matches: &[Match]) -> BTreeMap<usize, usize> {
        let stem = |found: &Found| names::split(&found.name()).0.to_owned();
        let mut films: HashMap<String, usize> = HashMap::new();
        for (place, one) in self.media.iter().enumerate() {
            if one.is_film() && matches.get(place).is_some_and(|it| it.json.is_none()) {
                films.insert(stem(one), place);
            }
        }
        let stills = self.media.iter().enumerate().filter(|(_, one)| !one.is_film());
        stills.filter_map(|(place, one)| Some((place, films.remove(&stem(one))?))).collect()
    }

    /// The same in every folder and archive where these photos lie.
    fn stack_key(&self, original: usize, json: Option<usize>) -> String {
        let said = json.and_then(|json| self.said.get(json));
        let at = said.and_then(|(_, photo)| photo.taken).map(|at| at.timestamp());
        let name = self.media.get(original).map(Found::name).unwrap_or_default();
        format!("takeout:{name}:{}", at.unwrap_or_default())
    }
}

fn pass_over(scan: &mut Scan, one: &Found, film: Option<&Found>, why: &str) {
    for one in std::iter::once(one).chain(film) {
        scan.pass_over(&one.path, why);
    }
}

fn stack(entries: &mut BTreeMap<usize, Entry>, place: usize, key: &str, is_primary: bool) {
    if let Some(entry) = entries.get_mut(&place) {
        let notes = entry.notes.get_or_insert_default();
        notes.stack = Some(StackPlace { key: key.to_owned(), is_primary });
    }
}

/// The name under which a file was uploaded, where the export has cut it.
fn full_name(name: &str, title: &str) -> Option<Box<str>> {
    let (plain, _) = names::numbered(name);
    (plain.len() < title.len() && names::is_titled(&plain, title)).then(|| title.into())
}

fn with_number(name: &str, number: u32) -> String {
    let (stem, ending) = names::split(name);
    if number == 0 { name.to_owned() } else { format!("{stem}({number}){ending}") }
}
