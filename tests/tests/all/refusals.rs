//! Every served operation refuses what it should: a shared link that it is not for, a key that names nothing
//! of it, a body of the wrong types in the words of Zod; and each undocumented `PATCH` refuses as its `PUT`.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use calotype_tests::media::{media, read_json, workspace};
use calotype_tests::spec::{self, Operation};
use calotype_tests::{Answer, Client, Options, story};
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::coverage::{NOBODYS_ID, Served, concrete};

/// Operations whose path has a part called `key`, which is not a link's.
const KEY_IN_PATH: [&str; 2] = ["deleteAssetMetadata", "getAssetMetadataByKey"];
/// Operations for whoever holds a link that need no query to say so.
const FOR_LINKS_ALONE: [&str; 2] = ["getMySharedLink", "sharedLinkLogin"];
/// Operations of no permission that a key may use, whatever it names.
const OPEN_TO_KEYS: [&str; 2] = ["getMyApiKey", "validateAccessToken"];
/// Undocumented twins that there are at least, or hardly anything was looked at.
const TWINS_MIN: usize = 12;
/// Properties that are refused at least, over all bodies, or hardly anything was looked at.
const PROPERTIES_MIN: usize = 200;

fn document() -> anyhow::Result<Value> {
    read_json(&workspace().join("schemas/immich/openapi.json"))
}

/// Operations of the reference that say they take a shared link's key.
fn for_links() -> anyhow::Result<BTreeSet<String>> {
    let document = document()?;
    let paths = document["paths"].as_object().context("no paths")?;
    let operations = paths.values().filter_map(Value::as_object).flat_map(Map::values);
    let with_key = operations.filter(|operation| {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        parameters.into_iter().any(|it| it["name"] == "key" && it["in"] == "query")
    });
    let named = with_key.filter_map(|operation| operation["operationId"].as_str());
    Ok(named.map(str::to_owned).collect())
}

/// Somebody's link to one photo, and another photo of theirs that it does not show.
struct Linked {
    owner: Client,
    hidden: String,
    key: String,
}

impl Linked {
    async fn make(client: &Client) -> anyhow::Result<Self> {
        let owner = client.sign_up().await?;
        let shown = owner.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
        let hidden = owner.upload_file(&media("photos/edge/date_subsec.jpg")?).await?;
        owner.wait_until_idle().await?;
        let link = json!({ "type": "INDIVIDUAL", "assetIds": [shown], "allowUpload": true });
        let link = owner.post("/api/shared-links", &link).await?.expect(201)?.json()?;
        let key = link["key"].as_str().context("no key")?.to_owned();
        Ok(Self { owner, hidden, key })
    }
}

#[tokio::test]
async fn a_shared_link_opens_no_operation_but_its_own() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let linked = Linked::make(&server.client()).await?;
        let served = Served::by(&linked.owner).await?;
        let visitor = server.client();
        let mut for_links = for_links()?;
        for id in KEY_IN_PATH {
            ensure!(!for_links.contains(id), "{id} takes a link's key");
        }
        for_links.extend(FOR_LINKS_ALONE.map(str::to_owned));
        ensure!(for_links.len() > 15, "only {for_links:?} take links");
        let wish = |operation: &Operation| {
            let path = format!("{}?key={}", concrete(operation, &linked.hidden), linked.key);
            let body = json!({ "assetIds": [linked.hidden], "ids": [linked.hidden] });
            (!operation.is_public).then_some((path, body))
        };
        let is_refused = |operation: &Operation, answer: &Answer| {
            if for_links.contains(&operation.id) {
                // What it does not show it does not tell of either.
                !answer.shows(&linked.hidden)
            } else {
                answer.status == 403
            }
        };
        served.ensure_each(&visitor, "a link opens these", wish, is_refused).await?;
        let asset = linked.owner.get_json(&format!("/api/assets/{}", linked.hidden)).await?;
        ensure!(asset["isTrashed"] == false, "a link deleted something: {asset}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_no_permission_stands_for_is_for_keys_that_may_do_everything() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let key = admin.create_key(&["serverLicense.update"]).await?;
        let wish = |operation: &Operation| {
            let is_asked = operation.permission.is_none()
                && !operation.is_public
                && !OPEN_TO_KEYS.contains(&operation.id.as_str())
                && !FOR_LINKS_ALONE.contains(&operation.id.as_str());
            is_asked.then(|| (concrete(operation, NOBODYS_ID), json!({})))
        };
        let is_refused = |_: &Operation, answer: &Answer| {
            let refusal = answer.message().unwrap_or_default();
            answer.status == 403 && refusal.starts_with("Missing required permission: ")
        };
        let served = Served::by(&admin).await?;
        served.ensure_each(&key, "any key may use these", wish, is_refused).await
    })
    .await
}

#[tokio::test]
async fn undocumented_twins_refuse_as_the_documented_do() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let key = admin.create_key(&["serverLicense.update"]).await?;
        let stranger = admin.create_user("stranger@example.com").await?;
        let callers = [server.client(), key, stranger];
        let mut twins = 0;
        let mut wrong = Vec::new();
        for operation in spec::operations()?.iter().filter(|it| it.method == Method::PUT) {
            let path = concrete(operation, NOBODYS_ID);
            let twin = admin.call(Method::PATCH, &path, &json!({})).await?;
            if twin.status == 404 && twin.message().is_ok_and(|it| it.starts_with("Cannot PATCH")) {
                continue;
            }
            twins += 1;
            for caller in &callers {
                let put = caller.call(Method::PUT, &path, &json!({})).await?;
                let patch = caller.call(Method::PATCH, &path, &json!({})).await?;
                if (put.status, put.message().ok()) != (patch.status, patch.message().ok()) {
                    wrong.push(format!("{}: {} and {}", operation.id, put.shown(), patch.shown()));
                }
            }
        }
        ensure!(wrong.is_empty(), "PATCH answers otherwise than PUT:\n{}", wrong.join("\n"));
        ensure!(twins >= TWINS_MIN, "there are only {twins} twins");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn bodies_of_the_wrong_types_are_refused_in_the_words_of_zod() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let served = Served::by(&admin).await?;
        let document = document()?;
        let exceptions = crate::document::listed(include_str!("../unchecked_bodies.txt"))?;
        let mut wrong = BTreeSet::new();
        let mut properties = 0;
        for operation in spec::operations()?.into_iter().filter(|it| served.has(it)) {
            let Some(body) = wrong_body(&document, &operation) else { continue };
            let path = concrete(&operation, NOBODYS_ID);
            let answer = admin.call(operation.method.clone(), &path, &body).await?;
            let said = answer.json().unwrap_or_default();
            let issues = said["errors"].as_array().cloned().unwrap_or_default();
            if answer.status != 400 || said["message"] != "Validation failed" {
                wrong.insert(format!(
                    "{}: answers {} {}",
                    operation.id,
                    answer.status,
                    answer.shown()
                ));
                continue;
            }
            for name in body.as_object().into_iter().flatten().map(|(name, _)| name) {
                properties += 1;
                let issue = issues.iter().find(|issue| issue["path"][0] == name.as_str());
                let words = issue.and_then(|issue| issue["message"].as_str()).unwrap_or_default();
                if !words.starts_with("Invalid input: ") && !words.starts_with("Invalid option: ") {
                    wrong.insert(format!("{}.{name}: {words:?}", operation.id));
                }
            }
        }
        let is_excepted = |line: &str, place: &str| {
            line.strip_prefix(place).is_some_and(|rest| rest.starts_with(':'))
        };
        let unexpected: Vec<&String> = wrong
            .iter()
            .filter(|line| !exceptions.keys().any(|place| is_excepted(line, place)))
            .collect();
        ensure!(unexpected.is_empty(), "these take what they should not: {unexpected:#?}");
        let needless: Vec<&&str> = exceptions
            .keys()
            .filter(|place| !wrong.iter().any(|line| is_excepted(line, place)))
            .collect();
        ensure!(needless.is_empty(), "these are excepted and refuse rightly: {needless:?}");
        ensure!(properties >= PROPERTIES_MIN, "only {properties} properties were tried");
        Ok(())
    })
    .await
}

/// A body whose every property is of a type that it is not; none where there is no JSON body.
fn wrong_body(document: &Value, operation: &Operation) -> Option<Value> {
    let method = operation.method.as_str().to_lowercase();
    let body = &document["paths"][&operation.path][method]["requestBody"];
    let schema = resolved(document, &body["content"]["application/json"]["schema"]);
    let properties = schema["properties"].as_object()?;
    let wrong = properties.iter().map(|(name, schema)| {
        let is_object = resolved(document, schema)["type"] == "object";
        let value = if is_object { json!("wrong") } else { json!({ "wrong": true }) };
        (name.clone(), value)
    });
    let wrong: Map<String, Value> = wrong.collect();
    (!wrong.is_empty()).then_some(Value::Object(wrong))
}

/// A schema whose references are followed, as far as its type and its properties are meant.
fn resolved(document: &Value, schema: &Value) -> Value {
    let mut schema = schema.clone();
    while let Some(name) = schema["$ref"].as_str().and_then(|it| it.rsplit('/').next()) {
        schema = document["components"]["schemas"][name].clone();
    }
    match schema["allOf"].as_array().map(Vec::as_slice) {
        Some([one]) => resolved(document, one),
        _ => schema,
    }
}
