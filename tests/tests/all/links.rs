//! Shared links: what whoever holds one may do and see, and that it ends at once.

use anyhow::{Context as _, ensure};
use calotype_tests::client::WORK_LIMIT;
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, Upload, database, story};
use reqwest::Method;
use serde_json::{Value, json};

use crate::downloads::entries;

/// A photo that says where and with what it was taken.
const TALKING: &str = "photos/edge/gps_south_west.jpg";
const OTHER: &str = "photos/edge/rating_1.jpg";

struct Shared {
    owner: Client,
    visitor: Client,
    asset: String,
    outside: String,
    link: Value,
}

impl Shared {
    async fn new(client: &Client, more: Value) -> anyhow::Result<Self> {
        let owner = client.sign_up().await?;
        let mut upload = Upload::of(&media(TALKING)?)?;
        "Secret place.jpg".clone_into(&mut upload.name);
        let asset = owner.upload(&upload).await?;
        let outside = owner.upload_file(&media(OTHER)?).await?;
        owner.wait_until_idle().await?;
        let mut wish = json!({ "type": "INDIVIDUAL", "assetIds": [asset] });
        for (name, value) in more.as_object().context("no object")? {
            wish[name] = value.clone();
        }
        let link = owner.post("/api/shared-links", &wish).await?.expect(201)?.json()?;
        Ok(Self { visitor: client.anonymous(), owner, asset, outside, link })
    }

    fn key(&self) -> &str {
        self.link["key"].as_str().unwrap_or_default()
    }

    fn link_path(&self) -> String {
        format!("/api/shared-links/{}", self.link["id"].as_str().unwrap_or_default())
    }

    fn with_key(&self, path: &str) -> String {
        let sign = if path.contains('?') { '&' } else { '?' };
        format!("{path}{sign}key={}", self.key())
    }

    async fn get(&self, path: &str) -> anyhow::Result<calotype_tests::Answer> {
        self.visitor.get(&self.with_key(path)).await
    }

    async fn change(&self, change: Value) -> anyhow::Result<Value> {
        let path = self.link_path();
        self.owner.call(Method::PATCH, &path, &change).await?.expect(200)?.json()
    }
}

#[tokio::test]
async fn visitor_sees_what_the_link_shows_and_nothing_else() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let shared = Shared::new(&server.client(), json!({ "slug": "my place" })).await?;
        let (asset, outside) = (&shared.asset, &shared.outside);
        ensure!(shared.key().len() == 67, "{}", shared.link);

        let me = shared.get("/api/shared-links/me").await?.expect(200)?.json()?;
        ensure!(me["assets"][0]["id"] == json!(asset), "{me}");
        let by_slug = shared.visitor.get("/api/shared-links/me?slug=my%20place").await?;
        ensure!(by_slug.expect(200)?.json()?["id"] == shared.link["id"], "another link");
        let info = shared.get(&format!("/api/assets/{asset}")).await?.expect(200)?.json()?;
        ensure!(info.get("owner").is_none() && info["people"] == json!([]), "{info}");
        for path in ["thumbnail", "thumbnail?size=preview", "original"] {
            shared.get(&format!("/api/assets/{asset}/{path}")).await?.expect(200)?;
            let refused = shared.get(&format!("/api/assets/{outside}/{path}")).await?;
            ensure!(matches!(refused.status, 400 | 404), "{path}: {}", refused.shown());
        }
        for path in ["/api/users/me", "/api/assets/statistics", "/api/shared-links", "/api/albums"]
        {
            let refused = shared.get(path).await?;
            ensure!(matches!(refused.status, 403 | 404), "{path}: {}", refused.shown());
        }
        let mine = format!("/api/timeline/buckets?userId={}", shared.owner.my_id().await?);
        for path in ["/api/timeline/buckets", &mine] {
            let refused = shared.get(path).await?;
            ensure!(matches!(refused.status, 400 | 403), "{path}: {}", refused.shown());
        }
        let changing = shared.with_key(&format!("/api/assets/{asset}"));
        shared.visitor.put(&changing, &json!({ "isFavorite": true })).await?.expect(403)?;
        let unknown = shared.visitor.get("/api/shared-links/me?key=nope").await?.expect(401)?;
        ensure!(unknown.message()? == "Invalid share key", "{}", unknown.shown());
        // The link comes before a session that is there, too.
        let both = shared.owner.get(&shared.with_key("/api/users/me")).await?;
        both.expect(403)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn switches_hold_on_every_route() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let shared = Shared::new(&server.client(), json!({ "allowUpload": false })).await?;
        let original = format!("/api/assets/{}/original", shared.asset);
        let archive = shared.with_key("/api/download/archive");
        let body = json!({ "assetIds": [shared.asset] });
        shared.get(&original).await?.expect(200)?;
        shared.visitor.post(&archive, &body).await?.expect(200)?;

        shared.change(json!({ "allowDownload": false })).await?;
        let refused = shared.get(&original).await?;
        ensure!(matches!(refused.status, 400 | 404), "{}", refused.shown());
        shared.visitor.post(&archive, &body).await?.expect(400)?;
        let info = shared.with_key("/api/download/info");
        shared.visitor.post(&info, &body).await?.expect(400)?;
        shared.get(&format!("/api/assets/{}/thumbnail", shared.asset)).await?.expect(200)?;

        let upload = async || {
            let form = reqwest::multipart::Form::new()
                .text("fileCreatedAt", "2024-01-02T03:04:05.000Z")
                .text("fileModifiedAt", "2024-01-02T03:04:05.000Z")
                .text("visibility", "locked")
                .part(
                    "assetData",
                    reqwest::multipart::Part::bytes(std::fs::read(media(
                        "photos/png/density_plot.png",
                    )?)?)
                    .file_name("visitor.png"),
                );
            let request = shared.visitor.request(Method::POST, &shared.with_key("/api/assets"));
            shared.visitor.send(request.multipart(form)).await
        };
        let refused = upload().await?;
        ensure!(matches!(refused.status, 400 | 403), "{}", refused.shown());
        shared.change(json!({ "allowUpload": true })).await?;
        let id = upload().await?.expect(201)?.json()?["id"].as_str().context("no id")?.to_owned();
        let seen = shared.owner.get_json(&format!("/api/assets/{id}")).await?;
        ensure!(seen["visibility"] == "timeline", "a visitor said where it shows: {seen}");
        shared.get(&format!("/api/assets/{id}")).await?.expect(200)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn hidden_metadata_is_in_no_answer_and_in_no_file() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let shared = Shared::new(&server.client(), json!({ "showMetadata": false })).await?;
        ensure!(shared.link["allowDownload"] == false, "{}", shared.link);
        shared.change(json!({ "allowDownload": true })).await?;
        let asset = format!("/api/assets/{}", shared.asset);
        let whole = std::fs::read(media(TALKING)?)?;
        let speaks = |bytes: &[u8]| {
            [
                &b"Exif\0\0II"[..],
                b"Exif\0\0MM\0*\0\0\0\x08\0\x02",
                b"http://ns.adobe.com",
                b"Secret place",
            ]
            .iter()
            .any(|word| bytes.windows(word.len()).any(|window| window == *word))
        };
        for path in [asset.clone(), "/api/shared-links/me".to_owned()] {
            let answer = shared.get(&path).await?.expect(200)?;
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            for word in
                ["exifInfo", "latitude", "originalFileName", "originalPath", "Secret", "checksum"]
            {
                ensure!(!text.contains(word), "{path} says {word}: {text}");
            }
        }
        for path in ["/original", "/thumbnail", "/thumbnail?size=preview"] {
            let answer = shared.get(&format!("{asset}{path}")).await?.expect(200)?;
            ensure!(!speaks(&answer.body), "{path} speaks");
            let name = answer.header("content-disposition");
            ensure!(!name.contains("Secret"), "{path}: {name}");
        }
        let original = shared.get(&format!("{asset}/original")).await?.expect(200)?;
        ensure!(
            original.body.len() < whole.len() && original.body.starts_with(&[0xff, 0xd8]),
            "whole"
        );
        let range = shared
            .visitor
            .request(Method::GET, &shared.with_key(&format!("{asset}/original")))
            .header("range", "bytes=100-199");
        let part = shared.visitor.send(range).await?.expect(206)?;
        ensure!(part.body == original.body.slice(100..200), "another part");
        let body = json!({ "assetIds": [shared.asset] });
        let archive = shared.visitor.post(&shared.with_key("/api/download/archive"), &body).await?;
        let found = entries(&archive.expect(200)?.body)?;
        ensure!(
            found == [(format!("{}.jpg", shared.asset), original.body.to_vec())],
            "the archive speaks"
        );

        shared.change(json!({ "showMetadata": true })).await?;
        let open = shared.get(&format!("{asset}/original")).await?.expect(200)?;
        ensure!(open.body == whole, "not the whole file");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn password_is_asked_for_on_every_route_and_a_new_one_locks_out() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let shared = Shared::new(&server.client(), json!({ "password": "secret" })).await?;
        ensure!(shared.link["password"].is_string() && shared.link["password"] != "secret", "told");
        let asset = format!("/api/assets/{}/thumbnail", shared.asset);
        for path in ["/api/shared-links/me", &asset] {
            let refused = shared.get(path).await?.expect(401)?;
            ensure!(refused.message()? == "Password required", "{}", refused.shown());
        }
        let login = shared.with_key("/api/shared-links/login");
        let wrong =
            shared.visitor.post(&login, &json!({ "password": "nope" })).await?.expect(401)?;
        ensure!(wrong.message()? == "Invalid password", "{}", wrong.shown());
        let right =
            shared.visitor.post(&login, &json!({ "password": "secret" })).await?.expect(201)?;
        let cookie = right.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
        let with_cookie = async || {
            let request = shared.visitor.request(Method::GET, &shared.with_key(&asset));
            shared.visitor.send(request.header("cookie", &cookie)).await
        };
        with_cookie().await?.expect(200)?;

        let mask = shared.link["password"].clone();
        shared.change(json!({ "password": mask, "description": "same password" })).await?;
        with_cookie().await?.expect(200)?;
        shared.change(json!({ "password": "another" })).await?;
        with_cookie().await?.expect(401)?;
        shared.change(json!({ "password": null })).await?;
        shared.get(&asset).await?.expect(200)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn link_that_ends_or_is_removed_opens_nothing_at_once() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let shared = Shared::new(&server.client(), json!({ "slug": "short" })).await?;
        let thumbnail = format!("/api/assets/{}/thumbnail", shared.asset);
        let assets = format!("{}/assets", shared.link_path());
        let only = json!({ "assetIds": [shared.asset] });
        shared.get(&thumbnail).await?.expect(200)?;

        let removed = shared.owner.delete(&assets, &only).await?.expect(200)?.json()?;
        ensure!(removed[0]["success"] == true, "{removed}");
        shared.get(&thumbnail).await?.expect(400)?;
        let nothing = shared.owner.delete(&assets, &only).await?.expect(200)?.json()?;
        ensure!(nothing[0]["error"] == "not_found", "{nothing}");
        shared.owner.put(&assets, &only).await?.expect(200)?;
        let twice = shared.owner.put(&assets, &only).await?.expect(200)?.json()?;
        ensure!(twice[0]["error"] == "duplicate", "{twice}");
        shared.get(&thumbnail).await?.expect(200)?;

        let trash = json!({ "ids": [shared.asset] });
        shared.owner.delete("/api/assets", &trash).await?.expect(204)?;
        shared.get(&thumbnail).await?.expect(400)?;
        shared.owner.post("/api/trash/restore/assets", &trash).await?.expect(200)?;
        shared.get(&thumbnail).await?.expect(200)?;

        shared.change(json!({ "expiresAt": "2020-01-01T00:00:00.000Z" })).await?;
        shared.get(&thumbnail).await?.expect(401)?;
        shared.change(json!({ "expiresAt": null })).await?;
        shared.get(&thumbnail).await?.expect(200)?;

        let taken = json!({ "type": "INDIVIDUAL", "assetIds": [shared.asset], "slug": "short" });
        let refused = shared.owner.post("/api/shared-links", &taken).await?.expect(400)?;
        ensure!(refused.message()? == "Shared link with this slug already exists", "taken");
        shared.owner.delete(&shared.link_path(), &json!({})).await?.expect(204)?;
        let gone = shared.get(&thumbnail).await?.expect(401)?;
        ensure!(gone.message()? == "Invalid share key", "{}", gone.shown());
        shared.owner.post("/api/shared-links", &taken).await?.expect(201)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn page_of_a_link_is_previewed_and_its_views_are_told() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let more = json!({ "slug": "place", "description": "<Holidays>" });
        let shared = Shared::new(&server.client(), more).await?;
        for path in [format!("/share/{}", shared.key()), "/s/place".to_owned()] {
            let page = shared.visitor.get(&path).await?.expect(200)?;
            let html = String::from_utf8_lossy(&page.body).into_owned();
            ensure!(html.contains("og:title") && html.contains("&lt;Holidays&gt;"), "{html}");
            ensure!(html.contains(&shared.asset), "no picture in {html}");
        }
        for path in ["/share/nope", "/s/nope"] {
            shared.visitor.get(path).await?.expect(404)?;
        }
        shared.get("/api/shared-links/me").await?.expect(200)?;

        let id = shared.link["id"].as_str().context("no id")?;
        let path = format!("/api/calotype/links/{id}/history");
        let history = until("a view in the history", WORK_LIMIT, async || {
            let history = shared.owner.get_json(&path).await?;
            Ok((history["views"] != json!([])).then_some(history))
        })
        .await?;
        let views = history["views"].as_array().context("no views")?;
        ensure!(views.len() == 1 && views[0]["address"] == "127.0.0.1", "{history}");
        let stranger = shared.owner.create_user("stranger@example.com").await?;
        stranger.get(&path).await?.expect(400)?;

        // What happened to it is told too, without what opens it, and both when the link has ended.
        shared.change(json!({ "password": "secret" })).await?;
        let more = json!({ "assetIds": [shared.outside] });
        let of_assets = format!("{}/assets", shared.link_path());
        shared.owner.put(&of_assets, &more).await?.expect(200)?;
        shared.owner.delete(&shared.link_path(), &json!({})).await?.expect(204)?;
        let history = shared.owner.get_json(&path).await?;
        ensure!(history["views"].as_array().map(Vec::len) == Some(1), "{history}");
        let sentences: Vec<&str> = history["events"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|event| event["sentence"].as_str())
            .collect();
        let wanted = [
            "Link made to 1 asset",
            "Another password is asked for",
            "1 asset added",
            "Link ended",
        ];
        ensure!(sentences == wanted, "{sentences:?}");
        let told = history.to_string();
        ensure!(!told.contains(shared.key()) && !told.contains("argon2"), "{told}");
        stranger.get(&path).await?.expect(400)?;

        // The rows are of the account that they go with.
        let pool = database::connect(&server.data()).await?;
        let id = shared.owner.my_id().await?;
        let owners: Vec<uuid::Uuid> =
            sqlx::query_scalar("select distinct owner_id from read.link_views_v3")
                .fetch_all(&pool)
                .await?;
        ensure!(owners.iter().map(uuid::Uuid::to_string).eq([id]), "{owners:?}");
        pool.close().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn album_link_follows_the_album() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let shared = Shared::new(&server.client(), json!({})).await?;
        let owner = &shared.owner;
        let album = json!({ "albumName": "Holidays", "assetIds": [shared.asset] });
        let album = owner.post("/api/albums", &album).await?.expect(201)?.json()?;
        let album = album["id"].as_str().context("no id")?.to_owned();
        let wish = json!({ "type": "ALBUM", "albumId": album, "allowUpload": true, "slug": "h" });
        let link = owner.post("/api/shared-links", &wish).await?.expect(201)?.json()?;
        let shared = Shared { link, ..shared };
        let owner = &shared.owner;
        let thumbnail = format!("/api/assets/{}/thumbnail", shared.asset);

        let me = shared.get("/api/shared-links/me").await?.expect(200)?.json()?;
        ensure!(me["album"]["albumName"] == "Holidays" && me["album"]["assetCount"] == 1, "{me}");
        let info = shared.get(&format!("/api/albums/{album}")).await?.expect(200)?.json()?;
        ensure!(info["hasSharedLink"] == true, "{info}");
        // The owner is told who put in how much; visitors are not told of people.
        ensure!(info.get("contributorCounts").is_none(), "{info}");
        let mine = owner.get_json(&format!("/api/albums/{album}")).await?;
        ensure!(mine["contributorCounts"][0]["assetCount"] == 1, "{mine}");
        ensure!(!info.to_string().contains("admin@example.com"), "an e-mail is told: {info}");
        shared.get(&thumbnail).await?.expect(200)?;
        let months = format!("/api/timeline/buckets?albumId={album}");
        let months = shared.get(&months).await?.expect(200)?.json()?;
        ensure!(months.as_array().is_some_and(|months| months.len() == 1), "{months}");
        let archives = shared.with_key("/api/download/info");
        let archives = shared.visitor.post(&archives, &json!({ "albumId": album })).await?;
        ensure!(
            archives.expect(201)?.json()?["archives"][0]["assetIds"] == json!([shared.asset]),
            "other"
        );
        shared.get(&format!("/api/assets/{}/thumbnail", shared.outside)).await?.expect(400)?;

        let ids = json!({ "ids": [shared.asset] });
        let inside = format!("/api/albums/{album}/assets");
        owner.delete(&inside, &ids).await?.expect(200)?;
        shared.get(&thumbnail).await?.expect(400)?;
        owner.put(&inside, &ids).await?.expect(200)?;
        shared.get(&thumbnail).await?.expect(200)?;

        owner.delete(&format!("/api/albums/{album}"), &json!({})).await?.expect(204)?;
        shared.get(&thumbnail).await?.expect(401)?;
        let again = json!({ "type": "INDIVIDUAL", "assetIds": [shared.asset], "slug": "h" });
        owner.post("/api/shared-links", &again).await?.expect(201)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn links_are_their_owners() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let shared = Shared::new(&server.client(), json!({})).await?;
        let stranger = shared.owner.create_user("stranger@example.com").await?;
        for (method, body) in [
            (Method::GET, json!({})),
            (Method::PATCH, json!({ "allowUpload": false })),
            (Method::DELETE, json!({})),
        ] {
            let refused = stranger.call(method, &shared.link_path(), &body).await?.expect(400)?;
            ensure!(refused.message()? == "Shared link not found", "{}", refused.shown());
        }
        let theirs = json!({ "type": "INDIVIDUAL", "assetIds": [shared.asset] });
        let refused = stranger.post("/api/shared-links", &theirs).await?.expect(400)?;
        ensure!(refused.message()? == "Not found or no asset.share access", "{}", refused.shown());
        for (body, message) in [
            (json!({ "type": "INDIVIDUAL" }), "Invalid assetIds"),
            (json!({ "type": "ALBUM" }), "Invalid albumId"),
            (json!({ "type": "OTHER" }), "Validation failed"),
        ] {
            let refused = shared.owner.post("/api/shared-links", &body).await?.expect(400)?;
            ensure!(refused.message()? == message, "{}", refused.shown());
        }
        ensure!(stranger.get_json("/api/shared-links").await? == json!([]), "a stranger's list");
        let own = shared.owner.get_json("/api/shared-links").await?;
        ensure!(own[0]["id"] == shared.link["id"], "{own}");
        let key = shared.owner.create_key(&["asset.read"]).await?;
        key.get("/api/shared-links").await?.expect(403)?;
        Ok(())
    })
    .await
}
