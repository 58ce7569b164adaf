//! An Immich server without batches: files are sent one by one, and what is said of them by the endpoints that every
//! such server has. The journal remembers how far each file is.

use std::collections::{BTreeMap, HashMap};

use futures::{StreamExt as _, TryStreamExt as _};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::people::People;
use crate::digest::Digests;
use crate::entry::{File, said};
use crate::group::{Read, Work};
use crate::journal::Step;
use crate::progress::Became;
use crate::server::{Server, Trouble};

/// Fields of a commit that an upload does not take.
const DETAILS: [&str; 5] = ["description", "dateTimeOriginal", "latitude", "longitude", "rating"];

/// What is known of the server.
#[derive(Default)]
pub(crate) struct Plain {
    /// Albums that this import made, by name.
    albums: Mutex<HashMap<String, String>>,
    /// Ids of tags, by path.
    tags: Mutex<HashMap<String, String>>,
    people: People,
}

/// What the server says of a file.
#[derive(Clone)]
struct There {
    asset_id: String,
    is_trashed: bool,
}

/// An entry that the server has.
struct Arrived {
    one: Read,
    asset_id: String,
    /// It came with this import.
    is_new: bool,
}

type Refusals = HashMap<String, String>;

impl Plain {
    /// Takes in a group; what fails in it is told and left.
    ///
    /// # Errors
    /// Only where nothing further can be done.
    pub(crate) async fn take_in(&self, work: &Work, read: Vec<Read>) -> anyhow::Result<()> {
        let there = there(&work.server, &read).await.map_err(Trouble::into_error)?;
        let arrived: Vec<Option<Arrived>> = futures::stream::iter(read)
            .map(|one| self.send(work, one, &there))
            .buffer_unordered(usize::from(work.args.at_once))
            .try_collect()
            .await?;
        let arrived: Vec<Arrived> = arrived.into_iter().flatten().collect();
        let mut refused = Refusals::new();
        self.put_into_albums(work, &arrived, &mut refused).await?;
        self.tag(work, &arrived, &mut refused).await?;
        stack(work, &arrived, &mut refused).await?;
        for Arrived { one, asset_id, is_new } in arrived {
            if let Some(why) = refused.get(&asset_id) {
                work.report.entry(&one.entry, Became::Failed, Some(why));
                continue;
            }
            if is_new {
                work.journal.reached(&one.digests.sha1, Step::Done)?;
            }
            let became = if is_new { Became::Created } else { Became::Duplicate };
            work.report.entry(&one.entry, became, None);
        }
        Ok(())
    }

    /// Sends an entry and says what is said of it alone. Nothing where it failed or is in the trash.
    async fn send(
        &self,
        work: &Work,
        one: Read,
        there: &HashMap<String, There>,
    ) -> anyhow::Result<Option<Arrived>> {
        let known = there.get(&one.digests.sha1);
        if known.is_some_and(|there| there.is_trashed) {
            work.report.entry(&one.entry, Became::Duplicate, None);
            return Ok(None);
        }
        let is_new = match known {
            Some(_) => work.journal.step(&one.digests.sha1) == Some(Step::Begun),
            None => true,
        };
        match self.sent(work, &one, known, is_new, there).await {
            Ok(asset_id) => Ok(Some(Arrived { one, asset_id, is_new })),
            Err(Trouble::Fatal(error)) => Err(error),
            Err(trouble) => {
                let why = format!("{:#}", trouble.into_error());
                work.report.entry(&one.entry, Became::Failed, Some(&why));
                Ok(None)
            }
        }
    }

    async fn sent(
        &self,
        work: &Work,
        one: &Read,
        known: Option<&There>,
        is_new: bool,
        there: &HashMap<String, There>,
    ) -> Result<String, Trouble> {
        let mut film_id = None;
        if let (Some(film), Some(digests)) = (&one.entry.film, &one.film) {
            let is_own = work.journal.step(&digests.sha1).is_some();
            film_id = match there.get(&digests.sha1) {
                Some(there) if is_own => Some(there.asset_id.clone()),
                // A film that was there before is somebody's choice already.
                Some(_) => None,
                None => {
                    work.journal.reached(&digests.sha1, Step::Begun).map_err(Trouble::Fatal)?;
                    let wish = said(film, digests, None);
                    Some(upload(work, film, digests, &wish, None, None).await?)
                }
            };
        }
        let wish = said(&one.entry.file, &one.digests, one.entry.notes.as_deref());
        let asset_id = match known {
            Some(there) => there.asset_id.clone(),
            None => {
                let reached = work.journal.reached(&one.digests.sha1, Step::Begun);
                reached.map_err(Trouble::Fatal)?;
                let (film_id, sidecar) = (film_id.as_deref(), one.sidecar.as_deref());
                upload(work, &one.entry.file, &one.digests, &wish, film_id, sidecar).await?
            }
        };
        if is_new {
            let mut details = serde_json::Map::new();
            for name in DETAILS {
                if let Some(value) = wish.get(name) {
                    details.insert(name.to_owned(), value.clone());
                }
            }
            if !details.is_empty() {
                let path = format!("/assets/{asset_id}");
                work.server.put(&path, &Value::Object(details)).await?;
            }
            self.people.draw(&work.server, &one.entry, &asset_id).await?;
        }
        Ok(asset_id)
    }

    async fn put_into_albums(
        &self,
        work: &Work,
        arrived: &[Arrived],
        refused: &mut Refusals,
    ) -> anyhow::Result<()> {
        let mut albums: BTreeMap<&str, (Option<&str>, Vec<&str>)> = BTreeMap::new();
        for it in arrived {
            for album in &it.one.entry.albums {
                let (description, ids) = albums.entry(&album.name).or_default();
                *description = description.or(album.description.as_deref());
                ids.push(&it.asset_id);
            }
        }
        for (name, (description, ids)) in albums {
            let put = async {
                let id = self.album(work, name, description).await?;
                let path = format!("/albums/{id}/assets");
                work.server.put(&path, &json!({ "ids": ids })).await
            };
            note(put.await, &ids, "its album", refused)?;
        }
        Ok(())
    }

    /// The id of an album; made where there is none.
    async fn album(
        &self,
        work: &Work,
        name: &str,
        description: Option<&str>,
    ) -> Result<String, Trouble> {
        if let Some(id) = work.albums.get(name) {
            return Ok(id.clone());
        }
        let mut albums = self.albums.lock().await;
        if let Some(id) = albums.get(name) {
            return Ok(id.clone());
        }
        let mut wish = json!({ "albumName": name });
        if let Some(description) = description {
            wish["description"] = json!(description);
        }
        // Those of before the import are in `work.albums`: what is there now is what was asked for.
        let find = async || {
            let albums = work.server.get("/albums").await?;
            let mut albums = albums.as_array().into_iter().flatten();
            Ok(albums.find(|it| it["albumName"] == name).cloned())
        };
        let id = id_of(&work.server.make("/albums", &wish, find).await?)?;
        albums.insert(name.to_owned(), id.clone());
        Ok(id)
    }

    async fn tag(
        &self,
        work: &Work,
        arrived: &[Arrived],
        refused: &mut Refusals,
    ) -> anyhow::Result<()> {
        let mut tags: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for it in arrived {
            for tag in work.tags_of(&it.one.entry) {
                tags.entry(tag).or_default().push(&it.asset_id);
            }
        }
        for (tag, ids) in tags {
            let put = async {
                let id = self.tag_id(&work.server, tag).await?;
                work.server.put(&format!("/tags/{id}/assets"), &json!({ "ids": ids })).await
            };
            note(put.await, &ids, "its tag", refused)?;
        }
        Ok(())
    }

    async fn tag_id(&self, server: &Server, path: &str) -> Result<String, Trouble> {
        let mut tags = self.tags.lock().await;
        if let Some(id) = tags.get(path) {
            return Ok(id.clone());
        }
        let made = server.put("/tags", &json!({ "tags": [path] })).await?;
        let id = id_of(&made[0])?;
        tags.insert(path.to_owned(), id.clone());
        Ok(id)
    }
}

/// What of some entries the server has, by SHA-1.
async fn there(server: &Server, read: &[Read]) -> Result<HashMap<String, There>, Trouble> {
    let files = read.iter().flat_map(Read::files);
    let asked: Vec<Value> =
        files.map(|(_, digests)| json!({ "id": digests.sha1, "checksum": digests.sha1 })).collect();
    let answer = server.post("/assets/bulk-upload-check", &json!({ "assets": asked })).await?;
    let told = answer["results"].as_array().into_iter().flatten();
    let there = told.filter(|it| it["action"] == "reject").filter_map(|it| {
        let asset_id = it["assetId"].as_str()?.to_owned();
        let there = There { asset_id, is_trashed: it["isTrashed"] == true };
        Some((it["id"].as_str()?.to_owned(), there))
    });
    Ok(there.collect())
}

/// Sends a file; says the asset that it is.
async fn upload(
    work: &Work,
    file: &File,
    digests: &Digests,
    wish: &Value,
    film_id: Option<&str>,
    sidecar: Option<&str>,
) -> Result<String, Trouble> {
    work.report.progress.at(&file.name());
    let name = file.name();
    let text = |field: &str| wish[field].as_str().unwrap_or_default().to_owned();
    let form = |part: Part| {
        let mut form = Form::new()
            .text("fileCreatedAt", text("fileCreatedAt"))
            .text("fileModifiedAt", text("fileModifiedAt"))
            // Servers of before version 3 want these.
            .text("deviceAssetId", digests.sha1.clone())
            .text("deviceId", "calotype-import")
            .text("filename", name.clone());
        if wish["isFavorite"] == true {
            form = form.text("isFavorite", "true");
        }
        if wish["visibility"].is_string() {
            form = form.text("visibility", text("visibility"));
        }
        if let Some(film_id) = film_id {
            form = form.text("livePhotoVideoId", film_id.to_owned());
        }
        if let Some(sidecar) = sidecar {
            let sidecar = Part::text(sidecar.to_owned()).file_name(format!("{name}.xmp"));
            form = form.part("sidecarData", sidecar);
        }
        form.part("assetData", part.file_name(name.clone()))
    };
    let bytes = (digests.sha1.as_str(), &file.content, digests.size_bytes);
    id_of(&work.server.post_form("/assets", bytes, form).await?)
}

/// Stacks what belongs together, where something of it is new.
async fn stack(work: &Work, arrived: &[Arrived], refused: &mut Refusals) -> anyhow::Result<()> {
    let mut stacks: BTreeMap<&str, (Vec<&str>, bool)> = BTreeMap::new();
    for it in arrived {
        let Some(stack) = it.one.stack() else { continue };
        let (ids, has_new) = stacks.entry(&stack.key).or_default();
        *has_new |= it.is_new;
        if stack.is_primary {
            // The first stands for it.
            ids.insert(0, &it.asset_id);
        } else {
            ids.push(&it.asset_id);
        }
    }
    for (ids, _) in stacks.into_values().filter(|(ids, has_new)| *has_new && ids.len() > 1) {
        let made = work.server.post("/stacks", &json!({ "assetIds": ids })).await;
        note(made, &ids, "its stack", refused)?;
    }
    Ok(())
}

/// Keeps whose wish was refused.
fn note(
    answer: Result<Value, Trouble>,
    ids: &[&str],
    what: &str,
    refused: &mut Refusals,
) -> anyhow::Result<()> {
    match answer {
        Ok(_) => Ok(()),
        Err(Trouble::Fatal(error)) => Err(error),
        Err(trouble) => {
            let why = format!("{what}: {:#}", trouble.into_error());
            refused.extend(ids.iter().map(|id| ((*id).to_owned(), why.clone())));
            Ok(())
        }
    }
}

/// The id in an answer.
pub(super) fn id_of(answer: &Value) -> Result<String, Trouble> {
    let id = answer["id"].as_str().map(str::to_owned);
    id.ok_or_else(|| Trouble::Refused("the server told no id".into()))
}
