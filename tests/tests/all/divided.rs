//! One server in five processes, over one database and one NATS server: work goes from one to the other, and
//! what is taken away at one is gone at all of them.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use calotype_eventstore::RelayOptions;
use calotype_eventstore::testing::{TestDatabase, empty_database, nats};
use calotype_tests::client::PASSWORD;
use calotype_tests::media::media;
use calotype_tests::server::Victim;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, TestServer};
use serde_json::json;

/// How often the same is given and taken away.
const ROUNDS: usize = 5;
/// Within which somebody who died is waited for no longer: the lease, and what a busy machine adds.
const LEASE_MAX: Duration = Duration::from_secs(12);

/// The address of the shared NATS server. What an earlier run left there is about another database.
pub(crate) async fn empty_nats() -> String {
    let nats = nats().await;
    nats.jetstream().await.delete_stream(RelayOptions::default().stream).await.ok();
    nats.url.clone()
}

/// A process with some roles over a database and a NATS server.
pub(crate) fn options(roles: &str, database: &TestDatabase, nats_url: &str) -> Options {
    Options {
        testing: false,
        arguments: [
            ["--roles", roles],
            ["--database-url", &database.url],
            ["--nats-url", nats_url],
            ["--watch-port", "0"],
        ]
        .as_flattened()
        .iter()
        .map(|word| (*word).to_owned())
        .collect(),
        ..Options::default()
    }
}

/// The processes; two of them answer.
struct Divided {
    database: TestDatabase,
    one: TestServer,
    two: TestServer,
    others: Vec<TestServer>,
}

impl Divided {
    async fn start() -> anyhow::Result<Self> {
        let database = empty_database().await;
        let nats_url = empty_nats().await;
        let options = |roles: &str| options(roles, &database, &nats_url);
        let projections = TestServer::start(options("projections")).await?;
        let relay = projections.beside(options("relay")).await?;
        let processors = projections.beside(options("processors")).await?;
        let one = projections.beside(options("api")).await?;
        let two = projections.beside(options("api")).await?;
        Ok(Self { database, one, two, others: vec![processors, relay, projections] })
    }

    async fn stop(mut self) -> anyhow::Result<()> {
        self.two.terminate().await?;
        self.one.terminate().await?;
        for mut other in self.others {
            other.terminate().await?;
        }
        Ok(())
    }

    fn tell_logs(&self) {
        for server in [&self.one, &self.two].into_iter().chain(&self.others) {
            server.tell_log();
        }
    }
}

async fn token(client: &Client, email: &str) -> anyhow::Result<String> {
    let body = json!({ "email": email, "password": PASSWORD });
    let login = client.post("/api/auth/login", &body).await?.expect(201)?.json()?;
    login["accessToken"].as_str().map(str::to_owned).context("no token")
}

/// The same is there at both until it is taken away at one.
async fn ensure_taken_away(divided: &Divided) -> anyhow::Result<()> {
    let admin = divided.one.client().sign_up().await?;
    let friend = admin.create_user("friend@example.com").await?;
    let friend_id = friend.my_id().await?;
    let asset = admin.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
    let there =
        divided.two.client().with_token(&token(&divided.two.client(), "friend@example.com").await?);
    // Made by another process, told by a third.
    admin.wait_for_thumbnail(&asset).await?;
    let album = json!({ "albumName": "Summer", "assetIds": [asset] });
    let album = admin.post("/api/albums", &album).await?.expect(201)?.json()?;
    let album = album["id"].as_str().context("no id")?;
    let photo = format!("/api/assets/{asset}");
    for _ in 0..ROUNDS {
        let share = json!({ "albumUsers": [{ "userId": friend_id, "role": "viewer" }] });
        admin.put(&format!("/api/albums/{album}/users"), &share).await?.expect(200)?;
        let shared = format!("/api/albums/{album}");
        // What is given may take a moment elsewhere; what is taken away may not.
        for path in [&shared, &photo] {
            until("the album at the other", LEASE_MAX, async || {
                Ok((there.get(path).await?.status == 200).then_some(()))
            })
            .await?;
        }

        let member = format!("/api/albums/{album}/user/{friend_id}");
        admin.delete(&member, &json!({})).await?.expect(204)?;

        there.get(&photo).await?.expect(400)?;
        there.get(&shared).await?.expect(400)?;
    }
    for _ in 0..ROUNDS {
        let made = json!({ "name": "k", "permissions": ["all"] });
        let made = admin.post("/api/api-keys", &made).await?.expect(201)?.json()?;
        let secret = made["secret"].as_str().context("no secret")?;
        let id = made["apiKey"]["id"].as_str().context("no id")?;
        let key = divided.two.client().with_key(secret);
        until("the key at the other", LEASE_MAX, async || {
            Ok((key.get(&photo).await?.status == 200).then_some(()))
        })
        .await?;

        admin.delete(&format!("/api/api-keys/{id}"), &json!({})).await?.expect(204)?;

        key.get(&photo).await?.expect(401)?;
    }
    there.get("/api/users/me").await?.expect(200)?;
    admin.delete(&format!("/api/admin/users/{friend_id}"), &json!({})).await?.expect(200)?;
    there.get("/api/users/me").await?.expect(401)?;
    Ok(())
}

/// A process that cannot renew its lease answers nothing, and goes on when it can.
async fn ensure_out_without_lease(divided: &Divided) -> anyhow::Result<()> {
    let (one, two) = (divided.one.client(), divided.two.client());
    let mut lock = divided.database.pool.begin().await?;
    sqlx::query("lock table work.api_nodes in exclusive mode").execute(&mut *lock).await?;
    for client in [&one, &two] {
        until("an answer that says no", LEASE_MAX, async || {
            Ok((client.get("/api/server/ping").await?.status == 503).then_some(()))
        })
        .await?;
        client.get("/health").await?.expect(200)?;
        client.get("/ready").await?.expect(503)?;
    }
    lock.rollback().await?;
    for client in [&one, &two] {
        until("an answer", LEASE_MAX, async || {
            Ok((client.get("/api/server/ping").await?.status == 200).then_some(()))
        })
        .await?;
    }
    Ok(())
}

/// Every process tells the machines that watch how it is, whether it answers requests or not.
async fn ensure_watched(divided: &Divided) -> anyhow::Result<()> {
    for server in divided.others.iter().chain([&divided.one]) {
        let watched = Client::new(&server.watched_url()?);
        watched.get("/health").await?.expect(200)?;
        let ready = watched.get_json("/ready").await?;
        ensure!(ready["parts"]["server"]["state"] == "ok", "{ready}");
        watched.get("/api/server/ping").await?.expect(404)?;
        let metrics = watched.get("/metrics").await?.expect(200)?;
        let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
        let has = |begins: &str| metrics.lines().any(|line| line.starts_with(begins));
        for line in [
            "calotype_parked_assets 0",
            "calotype_parked_streams 0",
            "calotype_relay_lag_events ",
            "calotype_relay_lag_seconds ",
            "calotype_unordered_events ",
        ] {
            ensure!(has(line), "no {line:?} in {metrics}");
        }
    }
    // What one process does is measured there.
    let [processors, ..] = divided.others.as_slice() else { anyhow::bail!("no processors") };
    let measured = Client::new(&processors.watched_url()?).get("/metrics").await?.expect(200)?;
    let measured = String::from_utf8_lossy(&measured.body).into_owned();
    ensure!(measured.contains("calotype_develop_seconds"), "{measured}");
    Ok(())
}

/// Nobody waits for the dead longer than their lease lasts.
async fn ensure_dead_are_not_waited_for(divided: &mut Divided) -> anyhow::Result<()> {
    let email = calotype_tests::client::ADMIN_EMAIL;
    let admin = divided.one.client().with_token(&token(&divided.one.client(), email).await?);
    let made = json!({ "name": "k", "permissions": ["all"] });
    let made = admin.post("/api/api-keys", &made).await?.expect(201)?.json()?;
    let id = made["apiKey"]["id"].as_str().context("no id")?;
    divided.two.kill(Victim::Server).await?;
    let begun = Instant::now();
    admin.delete(&format!("/api/api-keys/{id}"), &json!({})).await?.expect(204)?;
    ensure!(begun.elapsed() < LEASE_MAX, "it took {} ms", begun.elapsed().as_millis());
    Ok(())
}

#[tokio::test]
async fn processes_that_divide_the_work_are_one_server() -> anyhow::Result<()> {
    let mut divided = Divided::start().await?;
    let told = async {
        ensure_taken_away(&divided).await.context("taken away")?;
        ensure_watched(&divided).await.context("watched")?;
        ensure_out_without_lease(&divided).await.context("without a lease")?;
        ensure_dead_are_not_waited_for(&mut divided).await.context("a dead process")
    }
    .await;
    if told.is_err() {
        divided.tell_logs();
    }
    let stopped = divided.stop().await;
    told.and(stopped)
}
