//! Two processes of each role, over one database, a cluster of three NATS servers and a bucket: while photos come in
//! one of each dies, the one that leads where one leads, and the others do its work.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use calotype_eventstore::RelayOptions;
use calotype_eventstore::testing::{TestDatabase, empty_database};
use calotype_tests::bucket::Bucket;
use calotype_tests::nats::NatsCluster;
use calotype_tests::server::Victim;
use calotype_tests::waiting::until;
use calotype_tests::{Client, TestServer, import};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::divided::options;

/// Who dies, in this order.
const ROLES: [&str; 4] = ["relay", "processors", "projections", "api"];
/// Photos that come in before each death and after it.
const PHOTOS: usize = 4;
/// How long a state is waited for. What it took is told; on an idle machine it is a second or two.
const LIMIT: Duration = Duration::from_secs(120);
/// What the process that relays says of itself.
const RELAYS: &str = "this process relays to JetStream";

/// Photos that come in one after the other, as many as are wanted.
#[derive(Default)]
struct Load {
    wanted: AtomicUsize,
    taken: AtomicUsize,
    is_over: AtomicBool,
}

impl Load {
    /// Uploads to one or the other until it is over; the ids of what was acknowledged.
    async fn run(&self, clients: &[Client; 2]) -> anyhow::Result<Vec<String>> {
        let pictures = import::pictures()?;
        let mut random = StdRng::seed_from_u64(11);
        let mut ids = Vec::new();
        while !self.is_over.load(Ordering::Relaxed) {
            if ids.len() >= self.wanted.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
            let file = import::new_file(&pictures, &mut random, &format!("{}", ids.len()))?;
            // Whoever is dead answers nothing, and a client goes to the other, with the same file.
            let id = until("somebody to take a photo", LIMIT, async || {
                for client in clients {
                    if let Ok(id) = client.upload(&file).await {
                        return Ok(Some(id));
                    }
                }
                Ok(None)
            })
            .await?;
            ids.push(id);
            self.taken.store(ids.len(), Ordering::Relaxed);
        }
        Ok(ids)
    }

    /// Waits until some more photos came in.
    async fn more(&self) -> anyhow::Result<()> {
        let wanted = self.wanted.fetch_add(PHOTOS, Ordering::Relaxed) + PHOTOS;
        until("photos to come in", LIMIT, async || {
            Ok((self.taken.load(Ordering::Relaxed) >= wanted).then_some(()))
        })
        .await
    }
}

/// Waits until the checkpoint of a role has passed everything that is in the log now.
async fn wait_passed(database: &TestDatabase, role: &str) -> anyhow::Result<()> {
    let head: i64 =
        sqlx::query_scalar("select position from log.head").fetch_one(&database.pool).await?;
    let passed = match role {
        "relay" => {
            "select exists (select from work.checkpoints where name = 'relay' and position >= $1)"
        }
        _ => "select not exists (select from work.checkpoints where position < $1)",
    };
    until(&format!("the {role} to go on"), LIMIT, async || {
        let passed: bool = sqlx::query_scalar(passed).bind(head).fetch_one(&database.pool).await?;
        Ok(passed.then_some(()))
    })
    .await
}

/// One of each role dies, and before them the NATS server that leads the stream.
#[expect(clippy::print_stderr, reason = "how long it took is for who reads the test's output")]
async fn kill_each(
    load: &Load,
    database: &TestDatabase,
    nats: &mut NatsCluster,
    processes: &mut [(usize, TestServer)],
) -> anyhow::Result<()> {
    load.more().await?;
    nats.stop_leader(&RelayOptions::default().stream).await?;
    let died = Instant::now();
    load.more().await?;
    wait_passed(database, "relay").await.context("two of three NATS servers")?;
    eprintln!("{} ms after a NATS server died the others have the log", died.elapsed().as_millis());
    for (number, role) in ROLES.into_iter().enumerate() {
        load.more().await.context(role)?;
        let of_role = || processes.iter().enumerate().filter(|(_, (of, _))| *of == number);
        let leader = of_role().find(|(_, (_, process))| process.log().contains(RELAYS));
        let (index, _) = match role {
            "relay" => leader.context("nobody relays")?,
            _ => of_role().next().context("nobody has this role")?,
        };
        processes[index].1.kill(Victim::Server).await?;
        let died = Instant::now();

        load.more().await.context(role)?;
        wait_passed(database, role).await?;
        eprintln!("{} ms after a {role} died the other does its work", died.elapsed().as_millis());
        if role == "relay" {
            let leads = processes.iter().enumerate().any(|(other, (of, process))| {
                other != index && *of == number && process.log().contains(RELAYS)
            });
            ensure!(leads, "the checkpoint moved and nobody says that it relays");
        }
    }
    load.is_over.store(true, Ordering::Relaxed);
    Ok(())
}

async fn tell(
    database: &TestDatabase,
    nats: &mut NatsCluster,
    processes: &mut [(usize, TestServer)],
) -> anyhow::Result<()> {
    let answering = ROLES.len() - 1;
    let urls = |processes: &[(usize, TestServer)]| -> Vec<Client> {
        let those = processes.iter().filter(|(of, _)| *of == answering);
        those.map(|(_, process)| process.client()).collect()
    };
    let [one, two] = <[Client; 2]>::try_from(urls(processes)).ok().context("two answer")?;
    let one = one.sign_up().await?;
    let two = two.login(calotype_tests::client::ADMIN_EMAIL).await?;
    let load = Load::default();
    let clients = [one, two.clone()];

    let (mut ids, ()) =
        tokio::try_join!(load.run(&clients), kill_each(&load, database, nats, processes))?;

    for id in &ids {
        two.wait_for_thumbnail(id).await?;
    }
    let mut shown = two.timeline("").await?;
    ids.sort_unstable();
    shown.sort_unstable();
    ensure!(shown == ids, "acknowledged are {ids:?}, and there are {shown:?}");
    Ok(())
}

#[tokio::test]
async fn who_dies_under_load_is_taken_over() -> anyhow::Result<()> {
    let database = empty_database().await;
    let mut nats = NatsCluster::start().await?;
    let bucket = Bucket::start().await?;
    let mut processes: Vec<(usize, TestServer)> = Vec::new();
    for (number, role) in ROLES.into_iter().enumerate().cycle().take(2 * ROLES.len()) {
        let mut options = options(role, &database, &nats.urls());
        options.arguments.extend(["--nats-replicas".to_owned(), "3".to_owned()]);
        options.arguments.extend(bucket.arguments());
        options.environment.extend(bucket.environment());
        let process = match processes.first() {
            None => TestServer::start(options).await?,
            Some((_, first)) => first.beside(options).await?,
        };
        processes.push((number, process));
    }
    let told = tell(&database, &mut nats, &mut processes).await;
    for (_, process) in &mut processes {
        if told.is_err() {
            process.tell_log();
        }
        process.terminate().await?;
    }
    told
}
