//! External libraries: files that stay where they are, and the assets that go with them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, TestServer, story};
use reqwest::Method;
use serde_json::{Value, json};

use crate::organizing::text;

/// How long a watched change may take to show on a busy machine.
const SEEN_MAX: Duration = Duration::from_secs(90);

/// An administrator, somebody who has a library, and the folder of its files.
struct House {
    admin: Client,
    anna: Client,
    folder: PathBuf,
    library: String,
}

impl House {
    /// A folder with `a.jpg` and `b.jpg` that is a library of Anna's, scanned.
    async fn new(server: &TestServer) -> anyhow::Result<Self> {
        let admin = server.client().sign_up().await?;
        let anna = admin.create_user("anna@example.com").await?;
        let folder = server.scratch().join("photos");
        fs::create_dir(&folder)?;
        fs::copy(media("photos/edge/rating_1.jpg")?, folder.join("a.jpg"))?;
        fs::copy(media("photos/edge/colour_grey.jpg")?, folder.join("b.jpg"))?;
        let body = json!({ "ownerId": anna.my_id().await?, "name": "Attic",
            "importPaths": [folder] });
        let made = admin.post("/api/libraries", &body).await?.expect(201)?.json()?;
        let house = Self { admin, anna, folder, library: text(&made, "id")? };
        house.scan().await?;
        Ok(house)
    }

    fn url(&self, rest: &str) -> String {
        format!("/api/libraries/{}{rest}", self.library)
    }

    async fn scan(&self) -> anyhow::Result<()> {
        self.admin.post(&self.url("/scan"), &json!({})).await?.expect(204)?;
        self.admin.wait_until_idle().await
    }

    /// Anna's assets of the library by the part of their path under its folder, the trash included.
    async fn assets(&self) -> anyhow::Result<BTreeMap<String, Value>> {
        let body = json!({ "libraryId": self.library, "withDeleted": true, "withExif": true });
        let found = self.anna.post("/api/search/metadata", &body).await?.expect(200)?.json()?;
        let items = found["assets"]["items"].as_array().context("no items")?;
        let mut assets = BTreeMap::new();
        for item in items {
            let path = text(item, "originalPath")?;
            let rest = Path::new(&path).strip_prefix(&self.folder)?.display().to_string();
            ensure!(item["libraryId"] == json!(self.library), "no library: {item}");
            assets.insert(rest, item.clone());
        }
        Ok(assets)
    }

    async fn id(&self, name: &str) -> anyhow::Result<String> {
        text(self.assets().await?.get(name).with_context(|| format!("no {name}"))?, "id")
    }

    async fn asset(&self, id: &str) -> anyhow::Result<Value> {
        self.anna.get_json(&format!("/api/assets/{id}")).await
    }

    async fn original(&self, id: &str) -> anyhow::Result<Vec<u8>> {
        let answer = self.anna.get(&format!("/api/assets/{id}/original")).await?;
        Ok(answer.expect(200)?.body.to_vec())
    }

    /// Every file under the folder with its bytes and time.
    fn files(&self) -> anyhow::Result<BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)>> {
        let mut all = BTreeMap::new();
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let time = fs::metadata(&path)?.modified()?;
                    all.insert(path.clone(), (fs::read(&path)?, time));
                }
            }
        }
        Ok(all)
    }
}

fn is_missing(asset: &Value) -> bool {
    asset["isOffline"] == true && asset["isTrashed"] == true
}

fn is_there(asset: &Value) -> bool {
    asset["isOffline"] == false && asset["isTrashed"] == false
}

#[tokio::test]
async fn files_of_a_library_are_their_owners_assets() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let house = House::new(server).await?;
        let before = house.files()?;
        let assets = house.assets().await?;
        ensure!(assets.keys().eq(["a.jpg", "b.jpg"]), "{:?}", assets.keys());
        let id = house.id("a.jpg").await?;
        house.anna.wait_for_thumbnail(&id).await?;
        let asset = house.asset(&id).await?;
        ensure!(is_there(&asset) && asset["exifInfo"]["rating"] == 1, "{asset}");
        ensure!(house.original(&id).await? == fs::read(house.folder.join("a.jpg"))?);
        ensure!(house.anna.timeline("").await?.contains(&id), "not on the timeline");

        // It takes no room here, and is nobody else's business.
        let me = house.anna.get_json("/api/users/me").await?;
        ensure!(me["quotaUsageInBytes"] == 0, "{me}");
        let stats = house.admin.get_json(&house.url("/statistics")).await?;
        let bytes: usize = before.values().map(|(bytes, _)| bytes.len()).sum();
        ensure!(
            stats == json!({ "photos": 2, "videos": 0, "total": 2, "usage": bytes }),
            "{stats}"
        );
        house.admin.get(&format!("/api/assets/{id}")).await?.expect(400)?;
        house.admin.get(&format!("/api/assets/{id}/original")).await?.expect(404)?;
        // The same bytes from a phone are another asset: what lies in a library is no backup.
        let upload = house.anna.upload_file(&house.folder.join("a.jpg")).await?;
        ensure!(upload != id, "the library stood for an upload");

        // What people say is kept here, not beside the file.
        let said = json!({ "description": "Ankunft am Meer" });
        house.anna.put(&format!("/api/assets/{id}"), &said).await?.expect(200)?;
        until("the sidecar", SEEN_MAX, async || {
            let events = house.anna.history(&id).await?;
            let is_written = events.iter().any(|event| event["type"] == "AssetSidecarWritten");
            Ok(is_written.then_some(()))
        })
        .await?;
        // A storage template moves what is stored here, and none of it.
        let mut config = house.admin.get_json("/api/system-config").await?;
        config["storageTemplate"]["enabled"] = json!(true);
        house.admin.put("/api/system-config", &config).await?.expect(200)?;
        let start = json!({ "command": "start", "force": false });
        house.admin.put("/api/jobs/storageTemplateMigration", &start).await?.expect(200)?;
        until("the upload to be moved", SEEN_MAX, async || {
            let path = text(&house.asset(&upload).await?, "originalPath")?;
            Ok(path.starts_with("/data/library/").then_some(()))
        })
        .await?;
        house.admin.wait_until_idle().await?;
        let path = text(&house.asset(&id).await?, "originalPath")?;
        ensure!(Path::new(&path) == house.folder.join("a.jpg"), "{path}");
        let body = json!({ "ids": [id], "force": true });
        house.anna.delete("/api/assets", &body).await?.expect(204)?;
        house.scan().await?;
        let again = house.id("a.jpg").await?;
        ensure!(again != id, "a deleted asset came back");
        house.admin.call(Method::DELETE, &house.url(""), &json!({})).await?.expect(204)?;
        house.admin.get(&house.url("")).await?.expect(400)?;
        house.admin.wait_until_idle().await?;
        house.anna.get(&format!("/api/assets/{again}")).await?.expect(400)?;
        ensure!(house.files()? == before, "the library's folder was written to");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn asset_goes_with_its_file() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let house = House::new(server).await?;
        let id = house.id("a.jpg").await?;
        let album = json!({ "albumName": "Summer", "assetIds": [id] });
        let album = house.anna.post("/api/albums", &album).await?.expect(201)?.json()?;
        let count = format!("/api/albums/{}", text(&album, "id")?);

        fs::create_dir(house.folder.join("sub"))?;
        fs::rename(house.folder.join("a.jpg"), house.folder.join("sub/c.jpg"))?;
        house.scan().await?;
        ensure!(house.id("sub/c.jpg").await? == id, "a moved file became another asset");
        let asset = house.asset(&id).await?;
        ensure!(asset["originalFileName"] == "c.jpg" && is_there(&asset), "{asset}");
        ensure!(house.anna.get_json(&count).await?["assetCount"] == 1, "it left its album");
        // A copy is an asset of its own.
        fs::copy(house.folder.join("sub/c.jpg"), house.folder.join("copy.jpg"))?;
        house.scan().await?;
        ensure!(house.id("copy.jpg").await? != id && house.id("sub/c.jpg").await? == id);

        // Away, and back.
        let away = server.scratch().join("away.jpg");
        fs::rename(house.folder.join("sub/c.jpg"), &away)?;
        house.scan().await?;
        ensure!(is_missing(&house.asset(&id).await?), "{}", house.asset(&id).await?);
        house.anna.get(&format!("/api/assets/{id}/original")).await?.expect(404)?;
        let restore = json!({ "ids": [id] });
        house.anna.post("/api/trash/restore/assets", &restore).await?;
        house.anna.post("/api/trash/empty", &json!({})).await?.expect(200)?;
        ensure!(is_missing(&house.asset(&id).await?), "trash was emptied of what is only missing");
        fs::rename(&away, house.folder.join("sub/c.jpg"))?;
        house.scan().await?;
        ensure!(is_there(&house.asset(&id).await?), "{}", house.asset(&id).await?);

        // Other content at the same place is another version of the same asset.
        let other = fs::read(media("photos/edge/colour_cmyk.jpg")?)?;
        fs::write(house.folder.join("sub/c.jpg"), &other)?;
        house.scan().await?;
        ensure!(house.original(&id).await? == other, "the old bytes were sent");
        let asset = house.asset(&id).await?;
        ensure!(asset["exifInfo"]["fileSizeInByte"] == other.len(), "{asset}");
        ensure!(asset["exifInfo"]["rating"] == Value::Null, "it was not read again: {asset}");

        // What is left out goes offline, too.
        let out = json!({ "exclusionPatterns": ["**/b.jpg"] });
        house.admin.put(&house.url(""), &out).await?.expect(200)?;
        house.scan().await?;
        ensure!(is_missing(&house.assets().await?["b.jpg"]), "it is still there");
        ensure!(is_there(&house.assets().await?["sub/c.jpg"]), "something else went with it");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn assets_go_along_when_files_swap_names_or_are_renumbered() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let house = House::new(server).await?;
        let (a, b) = (house.id("a.jpg").await?, house.id("b.jpg").await?);
        let file = |name: &str| house.folder.join(name);
        fs::rename(file("a.jpg"), file("x"))?;
        fs::rename(file("b.jpg"), file("a.jpg"))?;
        fs::rename(file("x"), file("b.jpg"))?;
        house.scan().await?;
        ensure!(house.id("b.jpg").await? == a && house.id("a.jpg").await? == b, "no swap");
        ensure!(house.original(&a).await? == fs::read(file("b.jpg"))?, "other bytes were sent");
        for id in [&a, &b] {
            let events = house.anna.history(id).await?;
            ensure!(!events.iter().any(|event| event["type"] == "AssetFileChanged"), "{events:?}");
            ensure!(is_there(&house.asset(id).await?), "one went offline");
        }

        // A row: each takes the name of the next, and the last a new one.
        fs::rename(file("b.jpg"), file("c.jpg"))?;
        fs::rename(file("a.jpg"), file("b.jpg"))?;
        house.scan().await?;
        let assets = house.assets().await?;
        ensure!(assets.keys().eq(["b.jpg", "c.jpg"]), "{:?}", assets.keys());
        ensure!(assets["c.jpg"]["id"] == json!(a) && assets["b.jpg"]["id"] == json!(b), "no row");

        // One is removed and another gets its name: that is its new version, as any other bytes are.
        fs::rename(file("b.jpg"), file("c.jpg"))?;
        house.scan().await?;
        ensure!(is_there(&house.asset(&a).await?) && is_missing(&house.asset(&b).await?));
        ensure!(house.original(&a).await? == fs::read(file("c.jpg"))?, "the old bytes were sent");
        Ok(())
    })
    .await
}

/// Assets of a library that is deleted in a test.
const MANY: usize = 450;

#[tokio::test]
async fn large_library_is_deleted_in_few_transactions() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let house = House::new(server).await?;
        let kept = house.anna.upload_file(&house.folder.join("a.jpg")).await?;
        let picture = fs::read(media("photos/edge/one_pixel.png")?)?;
        for number in 0..MANY {
            // What follows the end of a picture is passed over.
            let bytes = [picture.as_slice(), number.to_string().as_bytes()].concat();
            fs::write(house.folder.join(format!("{number}.png")), bytes)?;
        }
        house.scan().await?;
        let stats = house.admin.get_json(&house.url("/statistics")).await?;
        ensure!(stats["total"] == MANY + 2, "{stats}");
        house.admin.call(Method::DELETE, &house.url(""), &json!({})).await?.expect(204)?;
        house.admin.wait_until_idle().await?;
        let all = house.anna.get_json("/api/assets/statistics").await?;
        ensure!(all["total"] == 1, "{all}");
        house.original(&kept).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn folder_that_is_away_takes_nothing_with_it() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let house = House::new(server).await?;
        let id = house.id("a.jpg").await?;
        let mounted = server.scratch().join("mounted");
        fs::rename(&house.folder, &mounted)?;
        house.scan().await?;
        ensure!(is_there(&house.asset(&id).await?), "gone with its folder");
        // The place where a disk is mounted otherwise is empty.
        fs::create_dir(&house.folder)?;
        let paths = json!({ "importPaths": [house.folder] });
        let told = house.admin.post(&house.url("/validate"), &paths).await?.expect(200)?.json()?;
        let told = &told["importPaths"][0];
        ensure!(told["isValid"] == false && text(told, "message")?.contains("away"), "{told}");
        house.scan().await?;
        ensure!(is_there(&house.asset(&id).await?), "gone with what is mounted");
        // Found elsewhere, everything goes along.
        let paths = json!({ "importPaths": [mounted] });
        house.admin.put(&house.url(""), &paths).await?.expect(200)?;
        house.scan().await?;
        let asset = house.asset(&id).await?;
        ensure!(
            asset["originalPath"] == json!(mounted.join("a.jpg")) && is_there(&asset),
            "{asset}"
        );
        // The same folder, emptied, is believed.
        fs::remove_file(mounted.join("a.jpg"))?;
        fs::remove_file(mounted.join("b.jpg"))?;
        house.scan().await?;
        ensure!(is_missing(&house.asset(&id).await?), "an emptied folder was not believed");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn watched_folder_needs_no_scan() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let house = House::new(server).await?;
        let mut config = house.admin.get_json("/api/system-config").await?;
        config["library"]["watch"]["enabled"] = json!(true);
        house.admin.put("/api/system-config", &config).await?.expect(200)?;
        until("the watch", SEEN_MAX, async || {
            Ok(server.log().contains("watching a folder of a library").then_some(()))
        })
        .await?;
        let id = house.id("a.jpg").await?;
        fs::copy(media("photos/edge/colour_cmyk.jpg")?, house.folder.join("new.jpg"))?;
        fs::rename(house.folder.join("a.jpg"), house.folder.join("moved.jpg"))?;
        fs::remove_file(house.folder.join("b.jpg"))?;
        let assets = until("what changed", SEEN_MAX, async || {
            let assets = house.assets().await?;
            let all = assets.contains_key("new.jpg")
                && assets.contains_key("moved.jpg")
                && assets.get("b.jpg").is_some_and(is_missing);
            Ok(all.then_some(assets))
        })
        .await?;
        ensure!(assets["moved.jpg"]["id"] == json!(id), "a moved file became another asset");
        ensure!(assets.len() == 3, "{:?}", assets.keys());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn libraries_are_for_administrators_and_read_no_data_folder() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let house = House::new(server).await?;
        for (method, rest) in [
            (Method::GET, ""),
            (Method::PUT, ""),
            (Method::DELETE, ""),
            (Method::GET, "/statistics"),
            (Method::POST, "/scan"),
            (Method::POST, "/validate"),
        ] {
            house.anna.call(method, &house.url(rest), &json!({})).await?.expect(403)?;
        }
        house.anna.get("/api/libraries").await?.expect(403)?;
        let listed = house.admin.get_json("/api/libraries").await?;
        ensure!(listed[0]["assetCount"] == 2 && listed[0]["name"] == "Attic", "{listed}");
        ensure!(listed[0]["refreshedAt"].is_string(), "{listed}");

        let data = server.data();
        let missing = house.folder.join("no");
        let paths = json!({ "importPaths": [house.folder, data, missing, "photos"] });
        let told = house.admin.post(&house.url("/validate"), &paths).await?.expect(200)?.json()?;
        let told = &told["importPaths"];
        ensure!(told[0] == json!({ "importPath": house.folder, "isValid": true }), "{told}");
        for (index, message) in [
            (1, "Cannot use media upload folder for external libraries"),
            (2, "Path does not exist (ENOENT)"),
            (3, "Import path must be absolute, try /photos"),
        ] {
            ensure!(told[index]["isValid"] == false && told[index]["message"] == message, "{told}");
        }
        let refused = house
            .admin
            .put(&house.url(""), &json!({ "importPaths": [data] }))
            .await?
            .expect(400)?;
        ensure!(
            refused.message()?
                == "Invalid import path: Cannot use media upload folder for external libraries"
        );
        let twice = json!({ "importPaths": [house.folder, house.folder] });
        house.admin.put(&house.url(""), &twice).await?.expect(400)?;
        house.admin.put(&house.url(""), &json!({ "name": "" })).await?.expect(400)?;
        house.admin.post("/api/libraries", &json!({})).await?.expect(400)?;
        house.admin.put(&house.url(""), &json!({ "name": "Loft" })).await?.expect(200)?;
        ensure!(house.admin.get_json(&house.url("")).await?["name"] == "Loft");
        Ok(())
    })
    .await
}
