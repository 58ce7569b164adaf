//! Every operation of the reference document is served, or stands in `operations.txt` with the reason why
//! not; and every served one refuses who is not known and who is somebody else.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use calotype_tests::media::media;
use calotype_tests::spec::{self, Operation};
use calotype_tests::{Answer, Client, Options, story};
use serde_json::{Value, json};

use crate::document::listed;

/// An id that nobody has.
pub(crate) const NOBODYS_ID: &str = "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d";
/// Operations that are asked at least, or hardly anything was looked at: what needs no permission are eight.
const ASKED_MIN: usize = 8;
/// Reads about others that everybody may do, and things that are a stranger's own whatever the id.
const OPEN_TO_OTHERS: [&str; 3] = ["getUser", "getProfileImage", "deleteDuplicate"];

/// What the server's own document says that it serves.
pub(crate) struct Served {
    operations: Vec<Operation>,
}

impl Served {
    /// Asks the server.
    pub(crate) async fn by(client: &Client) -> anyhow::Result<Self> {
        let document = client.get_json("/api/openapi.json").await?;
        Ok(Self { operations: spec::operations_of(&document)? })
    }

    /// Whether it serves an operation of the reference document.
    pub(crate) fn has(&self, operation: &Operation) -> bool {
        self.operations.iter().any(|served| {
            served.method == operation.method && shape(&served.path) == shape(&operation.path)
        })
    }

    /// Asks every served operation of the reference document for which `wish` has a path and a body, and refuses
    /// those whose answer is not right, with `what` above them.
    pub(crate) async fn ensure_each(
        &self,
        caller: &Client,
        what: &str,
        wish: impl Fn(&Operation) -> Option<(String, Value)>,
        is_right: impl Fn(&Operation, &Answer) -> bool,
    ) -> anyhow::Result<()> {
        let (mut asked, mut wrong) = (0, Vec::new());
        for operation in spec::operations()?.iter().filter(|it| self.has(it)) {
            let Some((path, body)) = wish(operation) else { continue };
            asked += 1;
            let answer = caller.call(operation.method.clone(), &path, &body).await?;
            if !is_right(operation, &answer) {
                wrong.push(format!("{}: {} {}", operation.id, answer.status, answer.shown()));
            }
        }
        ensure!(wrong.is_empty(), "{what}:\n{}", wrong.join("\n"));
        ensure!(asked >= ASKED_MIN, "only {asked} operations were asked");
        Ok(())
    }
}

/// A path without the names of its parameters.
fn shape(path: &str) -> Vec<&str> {
    path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect()
}

/// Whether there is a route for an operation: where there is none, the server says so in Express' words.
async fn has_route(client: &Client, operation: &Operation) -> anyhow::Result<bool> {
    let path = concrete(operation, NOBODYS_ID);
    let answer = client.call(operation.method.clone(), &path, &json!({})).await?;
    let missing = format!("Cannot {} {path}", operation.method);
    Ok(answer.status != 404 || answer.message().ok() != Some(missing))
}

/// A path with an id in the place of each name.
pub(crate) fn concrete(operation: &Operation, id: &str) -> String {
    let parts = operation.path.split('/').map(|part| match part {
        "{id}" | "{assetId}" | "{sessionId}" | "{userId}" => id,
        "{name}"
            if operation.path.starts_with("/jobs") || operation.path.starts_with("/queues") =>
        {
            "thumbnailGeneration"
        }
        part if part.starts_with('{') => "x",
        part => part,
    });
    format!("/api{}", parts.collect::<Vec<_>>().join("/"))
}

#[tokio::test]
async fn every_operation_is_served_or_listed_as_missing() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let client = server.client();
        let listed = listed(include_str!("../operations.txt"))?;
        let by_us = Served::by(&client).await?;
        let mut wrong = Vec::new();
        let mut known = BTreeSet::new();
        for operation in spec::operations()? {
            let served = by_us.has(&operation);
            let id = operation.id.clone();
            match (served, listed.get(id.as_str()).copied()) {
                (true, Some("served")) => {}
                (false, Some(reason)) if reason != "served" => {}
                (served, said) => {
                    wrong.push(format!("{id}: served is {served}, and listed {said:?}"));
                }
            }
            known.insert(id);
        }
        wrong.extend(
            listed
                .keys()
                .filter(|id| !known.contains(**id))
                .map(|id| format!("{id} is listed and no operation")),
        );
        ensure!(wrong.is_empty(), "operations.txt is wrong:\n{}", wrong.join("\n"));
        ensure_document_tells_the_truth(&client, &by_us).await
    })
    .await
}

/// Our own document names nothing that has no route.
async fn ensure_document_tells_the_truth(client: &Client, served: &Served) -> anyhow::Result<()> {
    let operations = &served.operations;
    ensure!(operations.len() > 60, "the document has only {} operations", operations.len());
    for operation in operations {
        ensure!(has_route(client, operation).await?, "{} is documented, not served", operation.id);
    }
    Ok(())
}

#[tokio::test]
async fn every_served_operation_refuses_the_unknown() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        server.client().sign_up().await?;
        let client = server.client();
        let wish = |operation: &Operation| {
            (!operation.is_public).then(|| (concrete(operation, NOBODYS_ID), json!({})))
        };
        let refusal = json!({ "message": "Authentication required" });
        let is_refused = |_: &Operation, answer: &Answer| {
            answer.status == 401 && answer.json().is_ok_and(|said| said == refusal)
        };
        let served = Served::by(&client).await?;
        served.ensure_each(&client, "these answer nobody", wish, is_refused).await
    })
    .await
}

#[tokio::test]
async fn every_served_operation_asks_for_its_permission() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let key = admin.create_key(&["serverLicense.update"]).await?;
        let wish = |operation: &Operation| {
            let permission = operation.permission.as_deref()?;
            let path = concrete(operation, NOBODYS_ID);
            (permission != "serverLicense.update").then(|| (path, json!({})))
        };
        let is_refused = |operation: &Operation, answer: &Answer| {
            let permission = operation.permission.as_deref().unwrap_or_default();
            let refusal = format!("Missing required permission: {permission}");
            answer.status == 403 && answer.message().ok() == Some(refusal)
        };
        let what = "a key without the permission may use these";
        Served::by(&admin).await?.ensure_each(&key, what, wish, is_refused).await
    })
    .await
}

/// Those of our own routes that everybody has for what is theirs.
const OWN_FOR_EVERYBODY: [&str; 2] = ["getBatches", "openBatch"];
/// Those of our own routes that tell the same to everybody.
const OWN_FOR_NOBODY: [&str; 1] = ["getUploadOptions"];

#[tokio::test]
async fn our_own_routes_are_for_administrators() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let stranger = admin.create_user("stranger@example.com").await?;
        let document = admin.get_json("/api/openapi.json").await?;
        let own: Vec<Operation> = spec::operations_of(&document)?
            .into_iter()
            .filter(|operation| operation.path.starts_with("/calotype/"))
            .filter(|operation| !OWN_FOR_NOBODY.contains(&operation.id.as_str()))
            .collect();
        ensure!(own.len() >= 6, "there are only {} routes of our own", own.len());
        let mut wrong = Vec::new();
        for operation in own {
            let path = concrete(&operation, NOBODYS_ID);
            let nobody = server.client().call(operation.method.clone(), &path, &json!({})).await?;
            let other = stranger.call(operation.method.clone(), &path, &json!({})).await?;
            let is_refused = matches!(other.status, 400 | 403 | 404 | 412)
                || OWN_FOR_EVERYBODY.contains(&operation.id.as_str());
            if nobody.status != 401 || !is_refused {
                wrong.push(format!("{}: {} {}", operation.id, nobody.status, other.status));
            }
        }
        ensure!(wrong.is_empty(), "these answer nobody or anybody:\n{}", wrong.join("\n"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn every_served_operation_refuses_somebody_else() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let theirs = Theirs::make(&admin).await?;
        let stranger = admin.create_user("stranger@example.com").await?;
        let wish = |operation: &Operation| {
            if operation.is_public || OPEN_TO_OTHERS.contains(&operation.id.as_str()) {
                return None;
            }
            let body = theirs.body(&operation.id);
            let names_something = operation.path.contains('{') || body.is_some();
            let path = concrete(operation, theirs.id_for(&operation.path));
            let is_asked = operation.is_for_admins || names_something;
            is_asked.then(|| (path, body.unwrap_or_else(|| json!({}))))
        };
        let is_refused = |operation: &Operation, answer: &Answer| {
            if operation.is_for_admins {
                let refusal = json!({ "message": "Forbidden" });
                answer.status == 403 && answer.json().is_ok_and(|said| said == refusal)
            } else {
                matches!(answer.status, 400 | 403 | 404)
            }
        };
        let served = Served::by(&admin).await?;
        served.ensure_each(&stranger, "these answer a stranger", wish, is_refused).await?;
        theirs.ensure_untouched(&admin).await
    })
    .await
}

/// What the first administrator has and a stranger must not touch.
struct Theirs {
    asset: String,
    session: String,
    api_key: String,
    person: String,
    face: String,
    user: String,
    album: String,
    tag: String,
    stack: String,
    memory: String,
    as_it_was: Value,
}

impl Theirs {
    async fn make(admin: &Client) -> anyhow::Result<Self> {
        let asset = admin.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
        admin.wait_for_thumbnail(&asset).await?;
        let sessions = admin.get_json("/api/sessions").await?;
        let tags =
            admin.put("/api/tags", &json!({ "tags": ["mine"] })).await?.expect(200)?.json()?;
        let other = admin.upload_file(&media("photos/edge/date_subsec.jpg")?).await?;
        let stack = json!({ "assetIds": [other, asset] });
        let stack = admin.post("/api/stacks", &stack).await?.expect(201)?.json()?;
        let memory = json!({
            "type": "on_this_day", "data": { "year": 2020 }, "assetIds": [asset],
            "memoryAt": "2020-01-01T00:00:00.000Z",
        });
        let memory = admin.post("/api/memories", &memory).await?.expect(201)?.json()?;
        let key = json!({ "name": "mine", "permissions": ["all"] });
        let key = admin.post("/api/api-keys", &key).await?.expect(201)?.json()?;
        let album = json!({ "albumName": "Mine", "assetIds": [asset] });
        let album = admin.post("/api/albums", &album).await?.expect(201)?.json()?;
        let text = |value: &Value| value.as_str().map(str::to_owned).context("no id");
        let person = admin.post("/api/people", &json!({ "name": "Anna" })).await?.expect(201)?;
        let person = text(&person.json()?["id"])?;
        let face = json!({
            "assetId": asset, "personId": person, "imageWidth": 100, "imageHeight": 100,
            "x": 10, "y": 10, "width": 20, "height": 20,
        });
        admin.post("/api/faces", &face).await?.expect(201)?;
        let faces = admin.get_json(&format!("/api/faces?id={asset}")).await?;
        Ok(Self {
            face: text(&faces[0]["id"])?,
            person,
            session: text(&sessions[0]["id"])?,
            api_key: text(&key["apiKey"]["id"])?,
            album: text(&album["id"])?,
            user: admin.my_id().await?,
            tag: text(&tags[0]["id"])?,
            stack: text(&stack["id"])?,
            memory: text(&memory["id"])?,
            as_it_was: without_pictures(admin.get_json(&format!("/api/assets/{asset}")).await?),
            asset,
        })
    }

    fn id_for(&self, path: &str) -> &str {
        let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        match first {
            "assets" => &self.asset,
            "sessions" => &self.session,
            "api-keys" => &self.api_key,
            "albums" => &self.album,
            "users" | "admin" => &self.user,
            "people" => &self.person,
            "faces" => &self.face,
            "tags" => &self.tag,
            "stacks" => &self.stack,
            "memories" => &self.memory,
            _ => NOBODYS_ID,
        }
    }

    /// A body that names something of theirs, or that passes validation where the path does.
    fn body(&self, operation: &str) -> Option<Value> {
        match operation {
            "updateAssets" => Some(json!({ "ids": [self.asset], "isFavorite": true })),
            "deleteAssets" => Some(json!({ "ids": [self.asset], "force": true })),
            "restoreAssets" => Some(json!({ "ids": [self.asset] })),
            "runAssetJobs" => {
                Some(json!({ "assetIds": [self.asset], "name": "regenerate-thumbnail" }))
            }
            "updateAsset" => Some(json!({ "isFavorite": true })),
            "addAssetsToAlbum" | "removeAssetFromAlbum" => Some(json!({ "ids": [self.asset] })),
            "addUsersToAlbum" => Some(json!({ "albumUsers": [{ "userId": self.user }] })),
            "updateAlbumInfo" => Some(json!({ "albumName": "Yours" })),
            "updateAlbumUser" => Some(json!({ "role": "viewer" })),
            "createActivity" => Some(json!({ "albumId": self.album, "type": "like" })),
            "updatePartner" => Some(json!({ "inTimeline": true })),
            "downloadArchive" => Some(json!({ "assetIds": [self.asset] })),
            "getDownloadInfo" => Some(json!({ "userId": self.user })),
            "createSharedLink" => Some(json!({ "type": "INDIVIDUAL", "assetIds": [self.asset] })),
            "addSharedLinkAssets" | "removeSharedLinkAssets" => {
                Some(json!({ "assetIds": [self.asset] }))
            }
            "updateApiKey" => Some(json!({ "name": "yours", "permissions": ["asset.read"] })),
            "createStack" => Some(json!({ "assetIds": [self.asset, self.asset] })),
            "deleteStacks" => Some(json!({ "ids": [self.stack] })),
            "updateStack" => Some(json!({ "primaryAssetId": self.asset })),
            "createTag" => Some(json!({ "name": "under", "parentId": self.tag })),
            "copyAsset" => Some(json!({ "sourceId": self.asset, "targetId": self.asset })),
            "updateBulkAssetMetadata" => Some(json!({
                "items": [{ "assetId": self.asset, "key": "yours", "value": {} }],
            })),
            "deleteBulkAssetMetadata" => {
                Some(json!({ "items": [{ "assetId": self.asset, "key": "mine" }] }))
            }
            "updateAssetMetadata" => Some(json!({ "items": [{ "key": "yours", "value": {} }] })),
            "updateMemory" => Some(json!({ "isSaved": true })),
            "addMemoryAssets" | "removeMemoryAssets" => Some(json!({ "ids": [self.asset] })),
            "updateTag" => Some(json!({ "color": "#fff" })),
            "tagAssets" | "untagAssets" => Some(json!({ "ids": [self.asset] })),
            "updateSession" => Some(json!({ "isPendingSyncReset": true })),
            "createFace" => Some(json!({
                "assetId": self.asset, "personId": self.person, "imageWidth": 100,
                "imageHeight": 100, "x": 10, "y": 10, "width": 20, "height": 20,
            })),
            "deleteFace" => Some(json!({ "force": true })),
            "reassignFacesById" => Some(json!({ "id": self.face })),
            "deletePeople" | "mergePerson" => Some(json!({ "ids": [self.person] })),
            "updatePerson" => Some(json!({ "name": "Yours" })),
            "reassignFaces" => {
                Some(json!({ "data": [{ "assetId": self.asset, "personId": self.person }] }))
            }
            "createUserAdmin" => Some(json!({
                "email": "more@example.com", "password": "password", "name": "More",
            })),
            "createNotification" => Some(json!({ "title": "x", "userId": self.user })),
            "getNotificationTemplateAdmin" => Some(json!({ "template": "x" })),
            "updateAdminOnboarding" => Some(json!({ "isOnboarded": true })),
            "createJob" => Some(json!({ "name": "user-cleanup" })),
            "runQueueCommandLegacy" => Some(json!({ "command": "pause", "force": false })),
            "updateQueue" => Some(json!({ "isPaused": true })),
            "updateUserAdmin" => Some(json!({ "name": "Renamed" })),
            "deleteUserAdmin" => Some(json!({ "force": true })),
            "updateUserPreferencesAdmin" => Some(json!({ "memories": { "enabled": false } })),
            _ => None,
        }
    }

    async fn ensure_untouched(&self, admin: &Client) -> anyhow::Result<()> {
        let now = without_pictures(admin.get_json(&format!("/api/assets/{}", self.asset)).await?);
        ensure!(now == self.as_it_was, "a stranger changed an asset: {now}");
        let key = admin.get_json(&format!("/api/api-keys/{}", self.api_key)).await?;
        ensure!(key["name"] == "mine", "a stranger changed a key: {key}");
        let album = admin.get_json(&format!("/api/albums/{}", self.album)).await?;
        ensure!(album["albumName"] == "Mine" && album["assetCount"] == 1, "{album}");
        let person = admin.get_json(&format!("/api/people/{}", self.person)).await?;
        ensure!(person["name"] == "Anna", "a stranger renamed a person: {person}");
        let faces = admin.get_json(&format!("/api/faces?id={}", self.asset)).await?;
        ensure!(
            faces[0]["person"]["id"] == self.person.as_str(),
            "a stranger took a face: {faces}"
        );
        let users = admin.get_json("/api/admin/users").await?;
        ensure!(users.as_array().is_some_and(|users| users.len() == 2), "{users}");
        ensure!(users.to_string().contains("\"Admin\""), "a stranger renamed somebody: {users}");
        Ok(())
    }
}

/// An asset without what processors still add to the people on it.
fn without_pictures(mut asset: Value) -> Value {
    for person in asset["people"].as_array_mut().into_iter().flatten() {
        person["thumbnailPath"].take();
        person["updatedAt"].take();
    }
    asset
}
