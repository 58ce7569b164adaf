//! A library like the recorded one, and the recorded requests turned into requests for it.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use calotype_tests::answer::sha1_hex;
use calotype_tests::media::{fixture, fixture_names, manifest, media};
use calotype_tests::spec::{self, Operation};
use calotype_tests::{Answer, Client, TestServer, Upload};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::Value;

use crate::coverage::Served;

/// The recorded first administrator and second person.
const ADMIN: &str = "78013aee-9bc1-47c8-918f-da50df335899";
const SECOND: &str = "f119a524-637e-4898-9de5-0e9e3f3a05f0";
/// The picture most requests are about is not among the test media; this one stands in.
const CYCLAMEN: &str = "91da1ac8-0dfd-45f4-9efc-16416a8dea30";
const STAND_IN: &str = "956c4848-2ac9-4cc4-a83e-41f3b5db9fa8";
/// The recorded photo with a film in its file, and that film.
const MOTION_PHOTO: &str = "2a405fe5-c41c-4207-9b8c-83323f5c52ac";
const MOTION_FILM: &str = "00f29f28-d0a0-4959-9fc0-2d99e8ad6f64";
/// The recorded album.
const ALBUM: &str = "85db6be3-a746-4280-9781-c5eeda04949c";
/// Ids that nobody has, on purpose.
const NOBODYS: [&str; 1] = ["9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"];

/// Our people and assets, by the ids that were recorded.
pub(super) struct Library {
    nobody: Client,
    admin: Client,
    second: Client,
    leaving: Client,
    key: String,
    ids: BTreeMap<String, String>,
    /// Recorded asset id to the file it was made of.
    files: BTreeMap<String, Upload>,
    /// What was answered while the library was set up, which cannot be asked twice.
    once: BTreeMap<String, Answer>,
    served: Served,
}

/// What became of a recorded request.
pub(super) enum Replayed {
    /// Our answer.
    Answered(Answer),
    /// It could not be asked, and why.
    Skipped(String),
}

impl Library {
    /// Two people, an API key, and those recorded files that are among the test media.
    pub(super) async fn set_up(server: &TestServer) -> anyhow::Result<Self> {
        let nobody = server.client();
        let admin = nobody.sign_up().await?;
        let second_user = &fixture("admin_user_create")?["request"]["body"];
        let made = admin.post("/api/admin/users", second_user).await?.expect(201)?;
        let mut once = BTreeMap::from([(SECOND.to_owned(), made)]);
        let email = second_user["email"].as_str().context("no e-mail")?;
        let second = nobody.login(email).await?;
        let mut ids = BTreeMap::from([
            (ADMIN.to_owned(), admin.my_id().await?),
            (SECOND.to_owned(), second.my_id().await?),
        ]);
        let files = recorded_files()?;
        for (id, upload) in &files {
            let answer = admin.send_upload(upload).await?.expect(201)?;
            ids.insert(id.clone(), answer.json()?["id"].as_str().context("no id")?.to_owned());
            once.insert(id.clone(), answer);
        }
        let stand_in = ids.get(STAND_IN).context("the stand-in is not among the media")?.clone();
        ids.insert(CYCLAMEN.to_owned(), stand_in);
        admin.wait_until_idle().await?;
        if let Some(id) = ids.get(MOTION_PHOTO) {
            let still = admin.get_json(&format!("/api/assets/{id}")).await?;
            let film = still["livePhotoVideoId"].as_str().context("no film was inside")?;
            ids.insert(MOTION_FILM.to_owned(), film.to_owned());
        }
        let body = fixture("album_create")?["request"]["body"].to_string();
        let body: Value = serde_json::from_str(
            &ids.iter().fold(body, |body, (recorded, ours)| body.replace(recorded, ours)),
        )?;
        let made = admin.post("/api/albums", &body).await?.expect(201)?;
        ids.insert(ALBUM.to_owned(), made.json()?["id"].as_str().context("no id")?.to_owned());
        once.insert(ALBUM.to_owned(), made);
        let tags = fixture("tags_upsert")?;
        let made = admin.put("/api/tags", &tags["request"]["body"]).await?.expect(200)?.json()?;
        let recorded = tags["response"]["body"].as_array().into_iter().flatten();
        for (recorded, ours) in recorded.zip(made.as_array().into_iter().flatten()) {
            let id = |tag: &Value| tag["id"].as_str().map(str::to_owned).context("no id");
            ids.insert(id(recorded)?, id(ours)?);
        }
        let leaving = nobody.login("admin@example.com").await?;
        let key = admin.create_secret(&["asset.read"]).await?;
        let served = Served::by(&nobody).await?;
        let mut library = Self { nobody, admin, second, leaving, key, ids, files, once, served };
        library.share("shared_link_create_individual_pw").await?;
        Ok(library)
    }

    /// Makes a recorded link; its key and id are ours from now on.
    async fn share(&mut self, name: &str) -> anyhow::Result<()> {
        let recorded = fixture(name)?;
        let body = self.ours(&recorded["request"]["body"].to_string());
        let body: Value = serde_json::from_str(&body.context("the link shows what we lack")?)?;
        let made = self.admin.post("/api/shared-links", &body).await?.expect(201)?;
        let (theirs, ours) = (&recorded["response"]["body"], made.json()?);
        for name in ["id", "key"] {
            let text = |link: &Value| link[name].as_str().map(str::to_owned).context("no text");
            self.ids.insert(text(theirs)?, text(&ours)?);
        }
        self.once.insert(theirs["id"].as_str().unwrap_or_default().to_owned(), made);
        Ok(())
    }

    /// Whether our asset behind a recorded id is made of the same file.
    pub(super) fn is_same_file(&self, recorded: &Value) -> bool {
        recorded["id"].as_str().is_some_and(|id| self.files.contains_key(id))
    }

    /// Sends a recorded request to our server.
    pub(super) async fn replay(
        &self,
        operations: &[Operation],
        name: &str,
        recorded: &Value,
    ) -> anyhow::Result<Replayed> {
        let request = &recorded["request"];
        let method: Method = request["method"].as_str().context("no method")?.parse()?;
        let path = request["path"].as_str().context("no path")?;
        if let Some(operation) = spec::find(operations, &method, path)
            && !self.served.has(operation)
        {
            return Ok(Replayed::Skipped("operation is not served".to_owned()));
        }
        let is_by_link = path.contains("key=") || path.contains("slug=");
        let is_known = path.contains("key=nope")
            || path.contains("slug=my-slug")
            || self.ids.keys().any(|theirs| path.contains(&format!("key={theirs}")));
        if is_by_link && !is_known {
            return Ok(Replayed::Skipped("shared link".to_owned()));
        }
        if !is_by_link && let Some(answer) = self.told_before(recorded) {
            return Ok(Replayed::Answered(answer));
        }
        let path = if name == "wellknown" { "/.well-known/immich" } else { path };
        let Some(path) = self.ours(path) else {
            return Ok(Replayed::Skipped("its file is not among the test media".to_owned()));
        };
        let client = self.client_of(name, request);
        let mut asked = client.request(method, &path);
        for (header, value) in request["headers"].as_object().into_iter().flatten() {
            let value = value.as_str().context("a header that is no text")?;
            asked = match header.as_str() {
                "x-api-key" | "x-immich-checksum" => asked,
                _ => asked.header(header, value),
            };
        }
        if request["form"].is_object() {
            let Some((form, sha1)) = self.form(name, request)? else {
                return Ok(Replayed::Skipped("its file is not among the test media".to_owned()));
            };
            asked = asked.multipart(form);
            if request["headers"]["x-immich-checksum"].is_string() {
                asked = asked.header("x-immich-checksum", sha1);
            }
        } else if !request["body"].is_null() {
            let Some(body) = self.ours(&request["body"].to_string()) else {
                return Ok(Replayed::Skipped("its file is not among the test media".to_owned()));
            };
            let body: Value = serde_json::from_str(&body)?;
            asked = asked.json(&body);
        }
        client.send(asked).await.map(Replayed::Answered)
    }

    /// The same text with our ids; none when it names something that we lack.
    fn ours(&self, text: &str) -> Option<String> {
        let mut text = text.to_owned();
        for (recorded, ours) in &self.ids {
            text = text.replace(recorded, ours);
        }
        let cyclamen = STANDARD.encode(decode_hex("f485c10cc8e3f4ead06fed58307a6b649819fd44"));
        if let Some(file) = self.files.get(STAND_IN) {
            text = text.replace("f485c10cc8e3f4ead06fed58307a6b649819fd44", &sha1_hex(&file.bytes));
            let base64 = STANDARD.encode(decode_hex(&sha1_hex(&file.bytes)));
            text = text.replace(&cyclamen, &base64);
        }
        let known = |id: &&str| self.ids.values().any(|ours| ours == id) || NOBODYS.contains(id);
        uuids(&text).iter().all(known).then_some(text)
    }

    fn client_of(&self, name: &str, request: &Value) -> Client {
        let key = request["headers"]["x-api-key"].as_str();
        match (name, key) {
            (_, Some("nope")) => self.nobody.with_key("nope"),
            (_, Some(_)) => self.nobody.with_key(&self.key),
            ("auth_401_bad_token", _) => self.nobody.with_token("nope"),
            ("auth_logout" | "auth_401_after_logout", _) => self.leaving.clone(),
            ("album_viewer_edit_400", _) => self.second.clone(),
            _ if name.ends_with("_viewer") => self.second.clone(),
            _ if name.ends_with("other_user") || name.ends_with("nonadmin") => self.second.clone(),
            _ if request["auth"].is_null() => self.nobody.clone(),
            _ => self.admin.clone(),
        }
    }

    /// The form of an upload and the SHA-1 of its file.
    fn form(&self, name: &str, request: &Value) -> anyhow::Result<Option<(Form, String)>> {
        let recorded = |id: &str| self.files.get(id).cloned();
        let file = match name.strip_prefix("upload__") {
            Some(of) => {
                let asset = fixture(&format!("asset__{of}"))?;
                let id = asset["response"]["body"]["id"].as_str().unwrap_or_default().to_owned();
                recorded(&id)
            }
            None => match name {
                "upload_400_unsupported_type" => Some(Upload::new("a.txt", b"words".to_vec())),
                "upload_201_corrupt_jpeg" => {
                    Some(Upload::new("corrupt.jpg", b"no picture".to_vec()))
                }
                "upload_200_duplicate" | "upload_200_duplicate_by_checksum_header" => {
                    recorded(STAND_IN)
                }
                _ => Some(Upload::new("x.jpg", b"never stored".to_vec())),
            },
        };
        let Some(file) = file else { return Ok(None) };
        let sha1 = sha1_hex(&file.bytes);
        let mut form = Form::new();
        for (field, value) in request["form"].as_object().into_iter().flatten() {
            form = form.text(field.clone(), value.as_str().unwrap_or_default().to_owned());
        }
        let part = request["files"][0].as_str().context("no file part")?.to_owned();
        Ok(Some((form.part(part, Part::bytes(file.bytes).file_name(file.name)), sha1)))
    }

    /// What made a thing that was recorded while it was made.
    fn told_before(&self, recorded: &Value) -> Option<Answer> {
        if recorded["response"]["status"] != 201 {
            return None;
        }
        self.once.get(recorded["response"]["body"]["id"].as_str()?).cloned()
    }
}

/// Recorded asset id to the file it was made of, for the files that are among the test media.
fn recorded_files() -> anyhow::Result<BTreeMap<String, Upload>> {
    let by_sha1: BTreeMap<String, String> =
        manifest()?.into_iter().map(|(path, facts)| (facts["sha1"].clone(), path)).collect();
    let mut files = BTreeMap::new();
    for name in fixture_names()?.iter().filter(|name| name.starts_with("asset__")) {
        let recorded = fixture(name)?;
        let asset = &recorded["response"]["body"];
        let checksum = STANDARD.decode(asset["checksum"].as_str().context("no checksum")?)?;
        let sha1: String = checksum.iter().map(|byte| format!("{byte:02x}")).collect();
        let Some(path) = by_sha1.get(&sha1) else { continue };
        let mut upload = Upload::of(&media(path)?)?;
        asset["originalFileName"].as_str().context("no name")?.clone_into(&mut upload.name);
        files.insert(asset["id"].as_str().context("no id")?.to_owned(), upload);
    }
    ensure!(files.len() >= 15, "only {} recorded files are among the test media", files.len());
    Ok(files)
}

/// Every UUID in a text.
fn uuids(text: &str) -> Vec<&str> {
    text.split(|sign: char| !(sign.is_ascii_hexdigit() || sign == '-'))
        .filter(|word| word.len() == 36 && uuid::Uuid::try_parse(word).is_ok())
        .collect()
}

fn decode_hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .filter_map(|index| u8::from_str_radix(text.get(index * 2..index * 2 + 2)?, 16).ok())
        .collect()
}
