//! What a source has: its owner's photos and films with the albums and stacks they are in. What else is said of them is
//! asked for when their turn comes.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use calotype_media::kind::{Family, by_name};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::file::FileThere;
use super::source::Source;
use crate::args::ImportArgs;
use crate::content::Content;
use crate::entry::{Album, Entry, File};
use crate::notes::{Notes, StackPlace};
use crate::scan::Scan;
use crate::walk::PassedOver;

/// Where assets show that are taken over. Films of live photos are hidden, and come with their photo.
const VISIBILITIES: [&str; 2] = ["timeline", "archive"];

/// What a source has.
pub(crate) struct Listed {
    pub(crate) scan: Scan,
    /// Names of albums that show the oldest first.
    pub(crate) oldest_first: Vec<String>,
}

/// Asks for everything that the owner of the key has.
///
/// # Errors
/// When the source cannot be asked.
pub(crate) async fn scan(args: &ImportArgs, from: &str) -> anyhow::Result<Listed> {
    let source = Source::try_new(args, from)?;
    let me = source.get("/users/me").await?;
    let me = me["id"].as_str().context("the other server does not say whose the key is")?;
    let mut listing = Listing {
        source,
        me: me.to_owned(),
        found: Vec::new(),
        films: HashSet::new(),
        places: HashMap::new(),
        oldest_first: Vec::new(),
        passed_over: Vec::new(),
    };
    for visibility in VISIBILITIES {
        listing.assets(visibility).await?;
    }
    listing.albums(args).await?;
    listing.stacks().await?;
    Ok(listing.into_listed())
}

struct Listing {
    source: Arc<Source>,
    me: String,
    found: Vec<Entry>,
    /// Films of live photos, by id.
    films: HashSet<String>,
    /// Places in `found`, by id.
    places: HashMap<String, usize>,
    oldest_first: Vec<String>,
    passed_over: Vec<PassedOver>,
}

impl Listing {
    async fn assets(&mut self, visibility: &str) -> anyhow::Result<()> {
        let source = Arc::clone(&self.source);
        let wish = json!({ "visibility": visibility, "withExif": true });
        source.search(&wish, |asset| self.asset(asset)).await
    }

    fn asset(&mut self, asset: &Value) {
        let Some(id) = asset["id"].as_str() else { return };
        // Partners' photos are found, too.
        if asset["ownerId"].as_str() != Some(self.me.as_str()) || self.places.contains_key(id) {
            return;
        }
        self.films.extend(asset["livePhotoVideoId"].as_str().map(str::to_owned));
        let path = place_of(asset, id);
        if asset["isOffline"] == true {
            return self.pass_over(path, "the other server cannot find its file", true);
        }
        match file(&self.source, asset, id) {
            Some(file) => {
                self.places.insert(id.to_owned(), self.found.len());
                self.found.push(Entry::new(file));
            }
            None => self.pass_over(path, "not a photo or film", false),
        }
    }

    async fn albums(&mut self, args: &ImportArgs) -> anyhow::Result<()> {
        let albums = self.source.get("/albums").await?;
        for album in albums.as_array().into_iter().flatten() {
            let (Some(id), Some(name)) = (album["id"].as_str(), album["albumName"].as_str()) else {
                continue;
            };
            let users = album["albumUsers"].as_array().into_iter().flatten();
            let mut owners = users.filter(|user| user["role"] == "owner");
            let owner = owners.find_map(|user| user["user"]["id"].as_str());
            // Servers of before say it beside the users.
            let owner = owner.or_else(|| album["ownerId"].as_str());
            let path = Path::new("albums").join(name);
            if owner != Some(self.me.as_str()) {
                self.pass_over(path, "an album of somebody else", false);
                continue;
            }
            if album["order"] == "asc" {
                self.oldest_first.push(name.to_owned());
            }
            let description = album["description"].as_str().filter(|text| !text.is_empty());
            let album = Arc::new(Album {
                name: name.to_owned(),
                description: description.map(str::to_owned),
            });
            let source = Arc::clone(&self.source);
            let mut foreign = 0_u64;
            source
                .search(&json!({ "albumIds": [id] }), |asset| {
                    let place = asset["id"].as_str().and_then(|id| self.places.get(id));
                    if let Some(entry) = place.and_then(|place| self.found.get_mut(*place)) {
                        entry.join(Arc::clone(&album));
                    } else if asset["ownerId"].as_str() != Some(self.me.as_str()) {
                        foreign += 1;
                    }
                })
                .await?;
            if foreign > 0 {
                let why = format!("{foreign} photos in this album are somebody else's");
                self.pass_over(path, &why, false);
            }
        }
        if let Some(name) = &args.album {
            let album = Arc::new(Album { name: name.clone(), description: None });
            self.found.iter_mut().for_each(|entry| entry.join(Arc::clone(&album)));
        }
        Ok(())
    }

    async fn stacks(&mut self) -> anyhow::Result<()> {
        let stacks = self.source.get("/stacks").await?;
        for stack in stacks.as_array().into_iter().flatten() {
            let Some(key) = stack["id"].as_str() else { continue };
            for asset in stack["assets"].as_array().into_iter().flatten() {
                let place = asset["id"].as_str().and_then(|id| self.places.get(id));
                let Some(entry) = place.and_then(|place| self.found.get_mut(*place)) else {
                    continue;
                };
                let is_primary = asset["id"] == stack["primaryAssetId"];
                let stack = Some(StackPlace { key: key.to_owned(), is_primary });
                entry.notes = Some(Box::new(Notes { stack, ..Notes::default() }));
            }
        }
        Ok(())
    }

    fn pass_over(&mut self, path: PathBuf, why: &str, is_failure: bool) {
        self.passed_over.push(PassedOver { path, why: why.to_owned(), is_failure });
    }

    fn into_listed(self) -> Listed {
        let Self { mut found, films, places, oldest_first, passed_over, .. } = self;
        // A film that shows by itself on the source comes once: with its photo.
        let mut is_film = vec![false; found.len()];
        for place in films.iter().filter_map(|id| places.get(id)) {
            if let Some(is_film) = is_film.get_mut(*place) {
                *is_film = true;
            }
        }
        let mut is_film = is_film.into_iter();
        found.retain(|_| is_film.next() != Some(true));
        Listed { scan: Scan { entries: found, passed_over, ..Scan::default() }, oldest_first }
    }
}

/// What people are told of an asset.
fn place_of(asset: &Value, id: &str) -> PathBuf {
    Path::new(id).join(asset["originalFileName"].as_str().unwrap_or("without a name"))
}

/// The original of an asset; nothing for what is no photo or film by its name.
pub(super) fn file(source: &Arc<Source>, asset: &Value, id: &str) -> Option<File> {
    let name = asset["originalFileName"].as_str()?;
    let file_type = by_name(name).filter(|it| it.family != Family::Sidecar)?;
    let size_bytes = asset["exifInfo"]["fileSizeInByte"].as_u64();
    // Of files in external libraries some servers tell a checksum of the path.
    let is_own = asset["libraryId"].is_null();
    let sha1 = asset["checksum"].as_str().filter(|_| is_own).and_then(sha1_of);
    let file = FileThere {
        source: Arc::clone(source),
        path: format!("/assets/{id}/original"),
        asset_id: Some(id.to_owned()),
        sha1,
        size_bytes,
    };
    Some(File {
        path: place_of(asset, id).into(),
        title: Some(name.into()),
        content: Content::Elsewhere(Arc::new(file)),
        size_bytes,
        modified: date(&asset["fileModifiedAt"]).unwrap_or(DateTime::UNIX_EPOCH),
        extension: file_type.extension,
        digests: None,
    })
}

/// An instant as servers write it.
pub(super) fn date(value: &Value) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(value.as_str()?).ok().map(|at| at.to_utc())
}

/// Lower-case hex of 20 bytes in base64.
fn sha1_of(base64: &str) -> Option<String> {
    let digit = |letter: u8| -> Option<u32> {
        Some(u32::from(match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        }))
    };
    let letters = base64.strip_suffix('=')?.as_bytes();
    let (mut hex, mut bits, mut count) = (String::with_capacity(40), 0_u32, 0_u32);
    for letter in letters {
        bits = (bits << 6) | digit(*letter)?;
        count += 6;
        while count >= 4 {
            count -= 4;
            hex.push(char::from_digit((bits >> count) & 15, 16)?);
        }
    }
    hex.truncate(40);
    (letters.len() == 27).then_some(hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_in_base64_become_hex() {
        // SHA-1 of "abc", FIPS 180-1, appendix A.
        let hex = "a9993e364706816aba3e25717850c26c9cd0d89d";
        assert_eq!(sha1_of("qZk+NkcGgWq6PiVxeFDCbJzQ2J0=").as_deref(), Some(hex));
        for wrong in ["", "qZk+NkcGgWq6PiVxeFDCbJzQ2J0", "qZk-NkcGgWq6PiVxeFDCbJzQ2J0=", "qZk+="] {
            assert_eq!(sha1_of(wrong), None, "{wrong}");
        }
    }
}
