//! Who did what, when, from where, and what was before: for owners of theirs, for auditors of all, as pages, lines and
//! tables; and that looking is written down, too.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use calotype_tests::binary::{run, with_data};
use calotype_tests::media::media;
use calotype_tests::{Client, Options, TestServer, story};
use reqwest::Method;
use serde_json::{Value, json};

use crate::organizing::text;

const PICTURE: &str = "photos/edge/rating_1.jpg";

/// What somebody did with a picture, an album and a link.
struct Did {
    user: String,
    asset: String,
    album: String,
    link: String,
}

async fn did(client: &Client, admin: &Client) -> anyhow::Result<Did> {
    let friend = admin.my_id().await?;
    let asset = client.upload_file(&media(PICTURE)?).await?;
    for words in ["a lake", "a sea"] {
        let body = json!({ "description": words });
        client.put(&format!("/api/assets/{asset}"), &body).await?.expect(200)?;
    }
    client
        .put(&format!("/api/assets/{asset}"), &json!({ "isFavorite": true }))
        .await?
        .expect(200)?;
    let body = json!({ "albumName": "Lake", "assetIds": [asset] });
    let album = client.post("/api/albums", &body).await?.expect(201)?.json()?;
    let album = text(&album, "id")?;
    let path = format!("/api/albums/{album}");
    let body = json!({ "albumName": "Sea" });
    client.call(Method::PATCH, &path, &body).await?.expect(200)?;
    for role in ["viewer", "editor"] {
        if role == "viewer" {
            let body = json!({ "albumUsers": [{ "userId": friend, "role": role }] });
            client.put(&format!("{path}/users"), &body).await?.expect(200)?;
        } else {
            let body = json!({ "role": role });
            client.put(&format!("{path}/user/{friend}"), &body).await?.expect(204)?;
        }
    }
    let body = json!({ "type": "ALBUM", "albumId": album, "password": "open sesame", "slug": "zq-way-in" });
    let link = client.post("/api/shared-links", &body).await?.expect(201)?.json()?;
    admin.wait_until_idle().await?;
    Ok(Did { user: client.my_id().await?, asset, album, link: text(&link, "id")? })
}

fn events(page: &Value) -> anyhow::Result<&Vec<Value>> {
    page["events"].as_array().with_context(|| format!("no events in {page}"))
}

fn of_type<'a>(events: &'a [Value], name: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["type"] == name).collect()
}

#[tokio::test]
async fn histories_tell_who_did_what_and_what_was_before() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let admin = server.client().sign_up().await?;
        let anna = admin.create_user("anna@example.com").await?;
        let friend = admin.my_id().await?;
        let did = did(&anna, &admin).await?;

        let page = anna.get_json(&format!("/api/calotype/assets/{}/history", did.asset)).await?;
        let told = of_type(events(&page)?, "AssetDescriptionChanged");
        ensure!(told.len() == 2, "{page}");
        ensure!(told[1]["before"] == json!({ "description": "a lake" }), "{}", told[1]);
        ensure!(told[1]["after"] == json!({ "description": "a sea" }), "{}", told[1]);
        ensure!(told[1]["actor"]["kind"] == "user", "{}", told[1]);
        ensure!(told[1]["actor"]["userId"] == did.user.as_str(), "{}", told[1]);
        ensure!(told[1]["client"].as_str().is_some_and(|it| it.contains("calotype-tests")));
        let page = anna.get_json(&format!("/api/calotype/albums/{}/history", did.album)).await?;
        let renamed = of_type(events(&page)?, "AlbumRenamed");
        ensure!(renamed[0]["before"] == json!({ "name": "Lake" }), "{page}");
        let role = of_type(events(&page)?, "AlbumUserRoleChanged");
        let field = format!("users.{friend}");
        ensure!(role[0]["before"] == json!({ &field: "viewer" }), "{page}");
        ensure!(role[0]["after"] == json!({ &field: "editor" }), "{page}");
        let page = anna.get_json(&format!("/api/calotype/links/{}/history", did.link)).await?;
        ensure!(events(&page)?.len() == 1 && page["views"] == json!([]), "{page}");
        ensure!(!page.to_string().contains("argon2"), "a hash of a password: {page}");
        let page = anna.get_json(&format!("/api/calotype/users/{}/history", did.user)).await?;
        ensure!(events(&page)?[0]["after"]["email"] == "anna@example.com", "{page}");
        ensure_in_pages(&anna, &did).await?;
        ensure_auditors_read(server, &admin, &anna, &did).await?;
        ensure_imports_are_told(&anna, &admin).await?;
        ensure_operators_read(server, &admin, &did).await
    })
    .await
}

/// The same, one event at a time, and only some.
async fn ensure_in_pages(anna: &Client, did: &Did) -> anyhow::Result<()> {
    let path = format!("/api/calotype/assets/{}/history", did.asset);
    let whole = anna.get_json(&path).await?;
    ensure!(whole["next"].is_null(), "{whole}");
    let (mut all, mut after) = (Vec::new(), None::<i64>);
    loop {
        let after_word = after.map(|after| format!("&after={after}")).unwrap_or_default();
        let page = anna.get_json(&format!("{path}?limit=1{after_word}")).await?;
        all.extend(events(&page)?.iter().cloned());
        match page["next"].as_i64() {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    ensure!(Value::Array(all) == whole["events"], "pages are not the whole");
    let some = anna.get_json(&format!("{path}?kind=AssetFavorited")).await?;
    ensure!(events(&some)?.len() == 1, "{some}");
    let time = text(&events(&some)?[0], "recordedAt")?.replace(':', "%3A");
    let before = anna.get_json(&format!("{path}?to={time}")).await?;
    ensure!(of_type(events(&before)?, "AssetFavorited").is_empty(), "{before}");
    ensure!(!events(&before)?.is_empty(), "nothing before");
    let mine = anna.get_json(&format!("{path}?actor={}", did.user)).await?;
    let is_hers = |event: &Value| event["actor"]["userId"] == did.user.as_str();
    ensure!(events(&mine)?.iter().all(is_hers) && !events(&mine)?.is_empty(), "{mine}");
    ensure!(events(&mine)?.len() < events(&whole)?.len(), "processors did nothing");
    anna.get(&format!("{path}?format=xml")).await?.expect(400).map(drop)
}

async fn ensure_auditors_read(
    server: &TestServer,
    admin: &Client,
    anna: &Client,
    did: &Did,
) -> anyhow::Result<()> {
    let auditor = admin.create_key(&["calotype.audit"]).await?;
    let path = format!("/api/calotype/assets/{}/history", did.asset);
    for _ in 0..2 {
        let page = auditor.get_json(&path).await?;
        ensure!(!of_type(events(&page)?, "AssetUploaded").is_empty(), "{page}");
    }
    // No photos, nothing of what they show, and nothing to be done.
    for path in ["/api/users/me", "/api/albums", "/api/admin/users", "/api/calotype/holds"] {
        auditor.get(path).await?.expect(403)?;
    }
    for part in ["", "/thumbnail", "/original"] {
        auditor.get(&format!("/api/assets/{}{part}", did.asset)).await?.expect(403)?;
    }
    // Whoever does not administer gives no such right.
    let hers = anna.create_key(&["calotype.audit", "all"]).await?;
    hers.get("/api/calotype/audit").await?.expect(403)?;
    let friend_of = did.asset.clone();
    let other = admin.create_user("otto@example.com").await?;
    other.get(&format!("/api/calotype/assets/{friend_of}/history")).await?.expect(400)?;
    let keys = admin.get_json("/api/api-keys").await?;
    ensure!(keys.to_string().contains("calotype.audit"), "{keys}");

    admin.get(&format!("/api/admin/users/{}/sessions", did.user)).await?.expect(200)?;
    let views = auditor.get_json("/api/calotype/audit?kind=admin_view").await?;
    let of_hers = |what: &str| {
        let views = events(&views)?.iter();
        let is_it = |event: &&Value| {
            event["data"]["of"] == did.user.as_str() && event["data"]["what"] == what
        };
        anyhow::Ok(views.filter(is_it).collect::<Vec<_>>())
    };
    // Once an hour; an hour may end between two looks.
    let histories = of_hers("history")?;
    let hours: BTreeSet<&str> =
        histories.iter().filter_map(|event| event["data"]["hour"].as_str()).collect();
    ensure!(!hours.is_empty() && histories.len() == hours.len(), "{views}");
    ensure!(of_hers("history")?[0]["actor"]["kind"] == "api_key", "{views}");
    ensure!(!of_hers("sessions")?.is_empty(), "{views}");
    ensure!(of_hers("sessions")?[0]["address"] == "127.0.0.1", "{views}");

    let hers = format!("/api/calotype/audit?actor={}", did.user);
    let page = auditor.get_json(&hers).await?;
    ensure!(page["next"].is_null() && events(&page)?.len() > 6, "{page}");
    let lines = auditor.get(&format!("{hers}&format=jsonl")).await?.expect(200)?;
    let lines = String::from_utf8(lines.body.to_vec())?;
    let read: Vec<Value> = lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    ensure!(Value::Array(read) == page["events"], "lines are not the page:\n{lines}");
    let table = auditor.get(&format!("{hers}&format=csv")).await?.expect(200)?;
    let table = String::from_utf8(table.body.to_vec())?;
    ensure!(table.starts_with("position,recordedAt,kind,id,"), "{table}");
    ensure!(table.lines().count() == events(&page)?.len() + 1, "{table}");
    ensure!(!table.contains("argon2") && !table.contains("token_sha256"), "{table}");
    let (mut count, mut after) = (0, 0);
    loop {
        let page = auditor.get_json(&format!("{hers}&limit=3&after={after}")).await?;
        ensure!(events(&page)?.len() <= 3, "{page}");
        count += events(&page)?.len();
        match page["next"].as_i64() {
            Some(next) => after = next,
            None => break,
        }
    }
    ensure!(count == events(&page)?.len(), "{count} events in pages");
    server.client().get("/api/calotype/audit").await?.expect(401).map(drop)
}

async fn ensure_imports_are_told(anna: &Client, admin: &Client) -> anyhow::Result<()> {
    let batch = anna.post("/api/calotype/batches", &json!({})).await?.json()?;
    let path = format!("/api/calotype/batches/{}", text(&batch, "id")?);
    anna.post(&format!("{path}/close"), &json!({})).await?.expect(200)?;
    for client in [anna, admin] {
        let page = client.get_json(&format!("{path}/history")).await?;
        let sentences: Vec<&Value> = events(&page)?.iter().map(|it| &it["sentence"]).collect();
        ensure!(sentences == ["Import begun", "Import ended"], "{page}");
        ensure!(events(&page)?[1]["before"] == json!({ "closed": false }), "{page}");
    }
    Ok(())
}

async fn ensure_operators_read(
    server: &mut TestServer,
    admin: &Client,
    did: &Did,
) -> anyhow::Result<()> {
    let key = admin.create_secret(&["calotype.audit"]).await?;
    let url = server.url();
    let remote = async |words: &[&str]| {
        let mut all = words.to_vec();
        all.extend(["--server", &url, "--api-key", &key]);
        anyhow::Ok(run(&all, "").await?.success().with_context(|| words.join(" "))?.stdout)
    };
    let album = remote(&["history", "album", &did.album]).await?;
    ensure!(album.contains("Renamed") && album.contains("\"Lake\" became \"Sea\""), "{album}");
    let favorites = remote(&["audit", "--kind", "AssetFavorited"]).await?;
    ensure!(favorites.lines().count() == 2, "{favorites}");
    let table = remote(&["audit", "--actor", &did.user, "--format", "csv"]).await?;
    server.terminate().await?;
    let data = server.data();
    let local = async |words: &[&str]| {
        let done = run(&with_data(words, &data), "").await?;
        anyhow::Ok(done.success().with_context(|| words.join(" "))?.stdout)
    };
    ensure!(local(&["audit", "--actor", &did.user, "--format", "csv"]).await? == table);
    ensure!(local(&["history", "album", &did.album]).await? == album);
    let link = local(&["history", "link", &did.link, "--format", "jsonl"]).await?;
    ensure!(link.lines().count() == 1 && link.contains("SharedLinkCreated"), "{link}");
    Ok(())
}
