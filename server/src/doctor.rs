//! `calotype doctor`: says in plain words what is wrong with the installation. Changes nothing.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::config::Config;
use crate::embedded::{DataFolder, find_nats_server, find_places, find_postgres};
use crate::operator::say;

/// Below this the disk is called nearly full.
const FREE_BYTES_MIN: u64 = 2 * 1024 * 1024 * 1024;
/// How long a running server may take to answer.
const ANSWER_WAIT: Duration = Duration::from_secs(3);

struct Findings {
    problems: u32,
}

impl Findings {
    fn good(line: &str) {
        say(&format!("ok       {line}"));
    }

    fn note(line: &str) {
        say(&format!("note     {line}"));
    }

    fn problem(&mut self, line: &str) {
        self.problems += 1;
        say(&format!("PROBLEM  {line}"));
    }
}

/// Looks at everything; `true` when nothing is wrong.
pub async fn doctor(config: &Config) -> bool {
    let mut findings = Findings { problems: 0 };
    programs(config, &mut findings);
    let running = folder(config, &mut findings);
    if running {
        server(config, &mut findings).await;
    } else {
        port(config, &mut findings);
    }
    if findings.problems == 0 {
        say("Nothing is wrong.");
    }
    findings.problems == 0
}

fn programs(config: &Config, findings: &mut Findings) {
    match find_places(&config.data) {
        Some(_) => Findings::good("the names of places are there"),
        None => Findings::note("the names of places are not installed: photos get no city"),
    }
    if config.database_url.is_some() {
        Findings::note("DATABASE_URL is set: PostgreSQL is somebody else's to look after");
    } else {
        match find_postgres(&config.data, None) {
            Ok(_) => Findings::good("PostgreSQL's programs are there"),
            Err(error) => findings.problem(&format!("PostgreSQL's programs are missing: {error}")),
        }
    }
    if config.nats_url.is_some() {
        Findings::note("NATS_URL is set: the NATS server is somebody else's to look after");
    } else {
        match find_nats_server(&config.data) {
            Ok(_) => Findings::good("nats-server is there"),
            Err(error) => findings.problem(&format!("nats-server is missing: {error}")),
        }
    }
    for name in ["ffmpeg", "ffprobe"] {
        let runs = Command::new(name)
            .arg("-version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if runs {
            Findings::good(&format!("{name} is there"));
        } else {
            findings.problem(&format!(
                "{name} does not run: films get no pictures; on Debian: apt-get install ffmpeg"
            ));
        }
    }
    // Without arguments it tells how it is used, and ends as if that were an error.
    let dcraw = Command::new("dcraw_emu").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if dcraw.is_ok() {
        Findings::good("dcraw_emu is there");
    } else {
        Findings::note(
            "dcraw_emu is missing: camera RAW without a picture inside gets none; \
             on Debian: apt-get install libraw-bin",
        );
    }
}

/// Looks at the data folder; says whether a server has it open.
fn folder(config: &Config, findings: &mut Findings) -> bool {
    let data = &config.data;
    if !data.is_dir() {
        Findings::note(&format!(
            "there is no data folder {} yet; `calotype serve` makes it",
            data.display()
        ));
        return false;
    }
    keys(&data.join("keys"), findings);
    match rustix::fs::statvfs(data) {
        Ok(found) => {
            let free = found.f_bavail.saturating_mul(found.f_frsize);
            let gib = free / (1024 * 1024 * 1024);
            if free < FREE_BYTES_MIN {
                findings.problem(&format!("only {gib} GiB are free where the data folder is"));
            } else {
                Findings::good(&format!("{gib} GiB are free where the data folder is"));
            }
        }
        Err(error) => findings.problem(&format!("cannot see how much room the disk has: {error}")),
    }
    match DataFolder::open_exclusive(data) {
        Ok(_) => {
            Findings::good(&format!("the data folder {} can be opened", data.display()));
            false
        }
        Err(crate::embedded::EmbeddedError::AlreadyOpen { pid, .. }) => {
            let by = pid.map(|pid| format!(" (process {pid})")).unwrap_or_default();
            Findings::note(&format!("a server has the data folder open{by}"));
            true
        }
        Err(error) => {
            findings.problem(&format!("the data folder cannot be opened: {error}"));
            false
        }
    }
}

fn keys(folder: &Path, findings: &mut Findings) {
    let master = folder.join("master.key");
    match std::fs::metadata(&master) {
        Ok(found) if found.permissions().mode() & 0o077 != 0 => findings.problem(&format!(
            "others may read {}: chmod 600 it, it opens every personal value",
            master.display()
        )),
        Ok(_) => Findings::good("the master key is there, and only its owner may read it"),
        Err(_) => Findings::note("there is no master key yet; `calotype serve` makes it"),
    }
}

fn port(config: &Config, findings: &mut Findings) {
    match TcpListener::bind((config.host, config.port)) {
        Ok(_) => Findings::good(&format!("port {} is free", config.port)),
        Err(error) => findings.problem(&format!(
            "cannot listen on {}:{}: {error}; another program may have the port",
            config.host, config.port
        )),
    }
}

async fn server(config: &Config, findings: &mut Findings) {
    let address = format!("http://{}:{}/ready", config.host, config.port);
    let client = reqwest::Client::builder().timeout(ANSWER_WAIT).build().unwrap_or_default();
    match client.get(&address).send().await {
        Ok(response) if response.status().is_success() => {
            Findings::good("the running server is ready");
        }
        Ok(response) => findings
            .problem(&format!("the running server is not ready: it answers {}", response.status())),
        Err(_) => findings.problem(&format!("the running server does not answer at {address}")),
    }
}
