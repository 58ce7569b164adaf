//! The limits that the document tells of are those that the server holds clients to: one below, one above,
//! one too many and a word that is none are refused, by the name of the field.

use anyhow::{Context as _, ensure};
use calotype_tests::media::{media, read_json, workspace};
use calotype_tests::samples::{NO_ID, Wrong, sample, wrong_values};
use calotype_tests::{Client, Options, database, story};
use reqwest::Method;
use serde_json::{Value, json};

/// Operations that end the session that asks, or wait for something else than an answer.
const NOT_ASKED: [&str; 2] = ["logout", "logoutOAuth"];
/// The fewest wrong values that the document must give, so that the test does not pass by asking nothing.
const WRONG_MIN: usize = 250;

struct Asked<'a> {
    client: &'a Client,
    method: Method,
    path: String,
}

impl Asked<'_> {
    /// What is amiss with the answer to a wrong request; nothing when it is refused by name.
    async fn amiss(
        &self,
        query: &str,
        body: Option<&Value>,
        wrong: &Wrong,
    ) -> anyhow::Result<Option<String>> {
        let mut request =
            self.client.request(self.method.clone(), &format!("{}{query}", self.path));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = self.client.send(request).await?;
        let told = answer.json().unwrap_or_default();
        let named = told["errors"]
            .as_array()
            .is_some_and(|issues| issues.iter().any(|issue| issue["path"] == json!(wrong.path)));
        let place = json!(wrong.path);
        let right = answer.status == 400 && named;
        Ok((!right).then(|| {
            let (method, path) = (&self.method, &self.path);
            format!("{method} {path} {place} {}: {} {}", wrong.what, answer.status, answer.shown())
        }))
    }
}

/// The parameters of a query that must be there, and one more.
fn query(document: &Value, parameters: &[Value], more: Option<(&str, &Value)>) -> String {
    let mut query = String::from("?");
    for parameter in parameters.iter().filter(|it| it["in"] == "query") {
        let name = parameter["name"].as_str().unwrap_or_default();
        let value = match more {
            Some((wrong, value)) if wrong == name => value.clone(),
            _ if parameter["required"] == true => sample(document, &parameter["schema"]),
            _ => continue,
        };
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        query.push_str(&format!("{name}={text}&"));
    }
    query
}

async fn ask_all(client: &Client, document: &Value) -> anyhow::Result<(usize, Vec<String>)> {
    let (mut count, mut amiss) = (0, Vec::new());
    for (path, methods) in document["paths"].as_object().context("no paths")? {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let id = operation["operationId"].as_str().unwrap_or_default();
            if NOT_ASKED.contains(&id) {
                continue;
            }
            let mut filled = format!("/api{path}");
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            for parameter in parameters.iter().filter(|it| it["in"] == "path") {
                let name = parameter["name"].as_str().unwrap_or_default();
                let value = sample(document, &parameter["schema"]);
                // A word in a path is an id, too.
                let value =
                    value.as_str().filter(|text| text.len() > 1).unwrap_or(NO_ID).to_owned();
                filled = filled.replace(&format!("{{{name}}}"), &value);
            }
            let method: Method = method.to_uppercase().parse()?;
            let asked = Asked { client, method, path: filled };
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            let whole = body.is_object().then(|| sample(document, body));
            for parameter in parameters.iter().filter(|it| it["in"] == "query") {
                let name = parameter["name"].as_str().unwrap_or_default();
                for wrong in wrong_values(document, &parameter["schema"]) {
                    if !wrong.path.is_empty() {
                        continue;
                    }
                    let query = query(document, &parameters, Some((name, &wrong.value)));
                    let wrong = Wrong { path: vec![json!(name)], ..wrong };
                    count += 1;
                    amiss.extend(asked.amiss(&query, whole.as_ref(), &wrong).await?);
                }
            }
            if body.is_object() {
                let query = query(document, &parameters, None);
                for wrong in wrong_values(document, body) {
                    count += 1;
                    amiss.extend(asked.amiss(&query, Some(&wrong.value), &wrong).await?);
                }
            }
        }
    }
    Ok((count, amiss))
}

#[tokio::test]
async fn limits_of_the_document_are_those_of_the_server() -> anyhow::Result<()> {
    let document = read_json(&workspace().join("schemas/openapi.json"))?;
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let (count, amiss) = ask_all(&admin, &document).await?;
        ensure!(count >= WRONG_MIN, "only {count} wrong values were asked");
        ensure!(
            amiss.is_empty(),
            "{} of {count} are let through:\n{}",
            amiss.len(),
            amiss.join("\n")
        );
        Ok(())
    })
    .await
}

/// How long many removals may take to show: the read models stand still for so long.
const STANDING_STILL: std::time::Duration = std::time::Duration::from_millis(3_500);

#[tokio::test]
async fn many_removals_are_waited_for_longer_than_one() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let owner = server.client().sign_up().await?;
        let asset = owner.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
        owner.wait_until_idle().await?;
        let album = json!({ "albumName": "A", "assetIds": [asset] });
        let album = owner.post("/api/albums", &album).await?.expect(201)?.json()?;
        let path = format!("/api/albums/{}/assets", album["id"].as_str().context("no id")?);
        // Those that are not there are looked for like the one that is.
        let mut ids = vec![asset];
        ids.extend(
            (1..=4_000u32).map(|number| format!("{number:08x}-0000-4000-8000-000000000000")),
        );
        let pool = database::connect(&server.data()).await?;
        let mut held = pool.begin().await?;
        sqlx::query("select from work.checkpoints for update").execute(&mut *held).await?;

        let body = json!({ "ids": ids });
        let mut removed = std::pin::pin!(owner.delete(&path, &body));
        let early = tokio::time::timeout(STANDING_STILL, &mut removed).await;

        held.rollback().await?;
        pool.close().await;
        ensure!(early.is_err(), "it was answered before it showed: {early:?}");
        let answer = removed.await?.expect(200)?.json()?;
        ensure!(answer[0]["success"] == true && answer[1]["error"] == "not_found", "{}", answer[0]);
        Ok(())
    })
    .await
}
