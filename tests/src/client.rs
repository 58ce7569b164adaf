//! A small HTTP client that speaks Immich's API as its apps do, and reads every answer whole.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, redirect};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::waiting::until;

/// How long an answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// How long all work of a story may take; reconciling after a crash waits a minute by itself.
pub const WORK_LIMIT: Duration = Duration::from_secs(180);
/// The first administrator of a story.
pub const ADMIN_EMAIL: &str = "admin@example.com";
/// Everybody's password.
pub const PASSWORD: &str = "password";
/// How the client names itself; histories show it.
pub const USER_AGENT: &str = "calotype-tests/1";

/// By what the client is known.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Credential {
    Nobody,
    Token(String),
    ApiKey(String),
}

/// A client with or without credentials. Redirects are answers, not orders.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    credential: Credential,
}

/// One file to upload.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The name in the form's file part.
    pub name: String,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Other fields, in order, before the file.
    pub fields: Vec<(String, String)>,
    /// More headers.
    pub headers: Vec<(String, String)>,
}

impl Upload {
    /// A file with the dates that clients always send.
    #[must_use]
    pub fn new(name: &str, bytes: Vec<u8>) -> Self {
        let fields = [
            ("deviceAssetId", name),
            ("deviceId", "calotype-tests"),
            ("fileCreatedAt", "2024-01-02T03:04:05.000Z"),
            ("fileModifiedAt", "2024-01-02T03:04:05.000Z"),
        ];
        let fields = fields.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
        Self { name: name.to_owned(), bytes, fields, headers: Vec::new() }
    }

    /// A file from disk under its own name.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of(path: &Path) -> anyhow::Result<Self> {
        let bytes =
            std::fs::read(path).with_context(|| format!("failed to read {}", path.display()))?;
        let name = path.file_name().context("a path without a name")?.to_string_lossy();
        Ok(Self::new(&name, bytes))
    }

    /// With one more field.
    #[must_use]
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

impl Client {
    /// A client without credentials for a server at `http://HOST:PORT`.
    #[must_use]
    pub fn new(base: &str) -> Self {
        let http = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .user_agent(USER_AGENT)
            .timeout(ANSWER_LIMIT)
            .build()
            .unwrap_or_default();
        Self { http, base: base.to_owned(), credential: Credential::Nobody }
    }

    /// The same client with a session's token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { credential: Credential::Token(token.to_owned()), ..self.clone() }
    }

    /// The same client with an API key.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Self {
        Self { credential: Credential::ApiKey(key.to_owned()), ..self.clone() }
    }

    /// The same client without credentials.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        Self { credential: Credential::Nobody, ..self.clone() }
    }

    /// A request with this client's credentials. `path` begins with a slash and holds `/api`.
    #[must_use]
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.credential {
            Credential::Nobody => request,
            Credential::Token(token) => request.bearer_auth(token),
            Credential::ApiKey(key) => request.header("x-api-key", key),
        }
    }

    /// Sends a request and reads the answer.
    ///
    /// # Errors
    /// The server cannot be reached or breaks off.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Answer> {
        let request = request.build()?;
        let told = format!("{} {}", request.method(), request.url().path());
        let response =
            self.http.execute(request).await.with_context(|| format!("{told} got no answer"))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.with_context(|| format!("{told} broke off"))?;
        Ok(Answer { request: told, status, headers, body })
    }

    /// GET.
    ///
    /// # Errors
    /// See [`Client::send`].
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(self.request(Method::GET, path)).await
    }

    /// GET that has to answer 200 with JSON.
    ///
    /// # Errors
    /// It answers something else.
    pub async fn get_json(&self, path: &str) -> anyhow::Result<Value> {
        self.get(path).await?.expect(200)?.json()
    }

    /// Any method with a JSON body.
    ///
    /// # Errors
    /// See [`Client::send`].
    pub async fn call(&self, method: Method, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.send(self.request(method, path).json(body)).await
    }

    /// POST with a JSON body.
    ///
    /// # Errors
    /// See [`Client::send`].
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.call(Method::POST, path, body).await
    }

    /// PUT with a JSON body.
    ///
    /// # Errors
    /// See [`Client::send`].
    pub async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.call(Method::PUT, path, body).await
    }

    /// DELETE with a JSON body.
    ///
    /// # Errors
    /// See [`Client::send`].
    pub async fn delete(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.call(Method::DELETE, path, body).await
    }

    /// Makes the first administrator and logs in as them.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn sign_up(&self) -> anyhow::Result<Self> {
        let body = json!({ "email": ADMIN_EMAIL, "password": PASSWORD, "name": "Admin" });
        self.post("/api/auth/admin-sign-up", &body).await?.expect(201)?;
        self.login(ADMIN_EMAIL).await
    }

    /// Logs in; returns the client of the new session.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn login(&self, email: &str) -> anyhow::Result<Self> {
        let body = json!({ "email": email, "password": PASSWORD });
        let answer = self.anonymous().post("/api/auth/login", &body).await?.expect(201)?.json()?;
        let token = answer["accessToken"].as_str().context("a login without a token")?;
        Ok(self.with_token(token))
    }

    /// As an administrator, makes another account and logs in as it.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn create_user(&self, email: &str) -> anyhow::Result<Self> {
        let body = json!({ "email": email, "password": PASSWORD, "name": email });
        self.post("/api/admin/users", &body).await?.expect(201)?;
        self.login(email).await
    }

    /// Makes an API key; returns the client that shows it.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn create_key(&self, permissions: &[&str]) -> anyhow::Result<Self> {
        Ok(self.with_key(&self.create_secret(permissions).await?))
    }

    /// Makes an API key; returns its secret.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn create_secret(&self, permissions: &[&str]) -> anyhow::Result<String> {
        let body = json!({ "name": "a key", "permissions": permissions });
        let answer = self.post("/api/api-keys", &body).await?.expect(201)?.json()?;
        let secret = answer["secret"].as_str().context("a key without a secret")?;
        Ok(secret.to_owned())
    }

    /// The caller's own id.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn my_id(&self) -> anyhow::Result<String> {
        let me = self.get_json("/api/users/me").await?;
        Ok(me["id"].as_str().context("a user without an id")?.to_owned())
    }

    /// Sends a file, whatever comes back.
    ///
    /// # Errors
    /// See [`Client::send`].
    pub async fn send_upload(&self, upload: &Upload) -> anyhow::Result<Answer> {
        let mut form = Form::new();
        for (name, value) in &upload.fields {
            form = form.text(name.clone(), value.clone());
        }
        let part = Part::bytes(upload.bytes.clone()).file_name(upload.name.clone());
        let mut request =
            self.request(Method::POST, "/api/assets").multipart(form.part("assetData", part));
        for (name, value) in &upload.headers {
            request = request.header(name, value);
        }
        self.send(request).await
    }

    /// Uploads a new file; returns its id.
    ///
    /// # Errors
    /// The server refuses or has it already.
    pub async fn upload(&self, upload: &Upload) -> anyhow::Result<String> {
        let answer = self.send_upload(upload).await?.expect(201)?.json()?;
        ensure!(answer["status"] == "created", "an upload answered {answer}");
        Ok(answer["id"].as_str().context("an upload without an id")?.to_owned())
    }

    /// Uploads a new file from disk; returns its id.
    ///
    /// # Errors
    /// It cannot be read, or the server refuses or has it already.
    pub async fn upload_file(&self, path: &Path) -> anyhow::Result<String> {
        self.upload(&Upload::of(path)?).await
    }

    /// As an administrator, waits until no queue has work.
    ///
    /// # Errors
    /// Work is left after [`WORK_LIMIT`].
    pub async fn wait_until_idle(&self) -> anyhow::Result<()> {
        until("the queues to be empty", WORK_LIMIT, async || {
            let queues = self.get_json("/api/jobs").await?;
            Ok((work_left(&queues) == 0).then_some(()))
        })
        .await
    }

    /// Waits until an asset's thumbnail is there.
    ///
    /// # Errors
    /// It is not there after [`WORK_LIMIT`].
    pub async fn wait_for_thumbnail(&self, asset_id: &str) -> anyhow::Result<Answer> {
        let path = format!("/api/assets/{asset_id}/thumbnail");
        until(&format!("the thumbnail of {asset_id}"), WORK_LIMIT, async || {
            let answer = self.get(&path).await?;
            Ok((answer.status == 200).then_some(answer))
        })
        .await
    }

    /// Every asset of the caller's timeline, bucket by bucket.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn timeline(&self, filter: &str) -> anyhow::Result<Vec<String>> {
        let mut ids = Vec::new();
        let buckets = self.get_json(&format!("/api/timeline/buckets?{filter}")).await?;
        for bucket in buckets.as_array().context("no list of buckets")? {
            let name = bucket["timeBucket"].as_str().context("a bucket without a name")?;
            let path = format!("/api/timeline/bucket?timeBucket={name}&{filter}");
            let columns = self.get_json(&path).await?;
            let found = columns["id"].as_array().context("a bucket without ids")?;
            ensure!(
                bucket["count"] == json!(found.len()),
                "bucket {name} has {} assets and is said to have {}",
                found.len(),
                bucket["count"]
            );
            ids.extend(found.iter().filter_map(Value::as_str).map(str::to_owned));
        }
        Ok(ids)
    }

    /// Every event of an asset, as the history shows them.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn history(&self, asset_id: &str) -> anyhow::Result<Vec<Value>> {
        let path = format!("/api/calotype/assets/{asset_id}/history");
        let history = self.get_json(&path).await?;
        Ok(history["events"].as_array().context("a history without events")?.clone())
    }
}

/// Jobs that wait or run, over all queues.
fn work_left(queues: &Value) -> u64 {
    let counts = queues.as_object().into_iter().flat_map(|queues| queues.values());
    counts
        .flat_map(|queue| ["active", "waiting", "delayed"].map(|state| &queue["jobCounts"][state]))
        .filter_map(Value::as_u64)
        .sum()
}
