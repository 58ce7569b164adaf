//! `calotype doctor`: says in plain words what is wrong with an installation. Repairs nothing.
//!
//! It looks at the programs, the data folder, the database, the log in it and the NATS server, wherever these
//! are, at the bucket that originals lie in where one is configured, at the folders of external libraries, and at the running server where there is one. A folder's own PostgreSQL is started for it where nobody
//! has it open.

mod clock;
mod database;
mod findings;
mod folder;
mod keys;
mod libraries;
mod nats;
mod programs;
mod running;
mod storage;
mod tables;
mod work;

use crate::config::Config;
use crate::operator::say;
use crate::settings_file;
use database::Database;
use findings::Findings;
use folder::Folder;

/// Looks at everything; `true` when nothing is wrong.
pub async fn doctor(config: &Config) -> bool {
    let mut findings = Findings::default();
    programs::look(config, &mut findings).await;
    if let Some(path) = &config.settings {
        match settings_file::read(path) {
            Ok(_) => findings.good("the file of settings can be read"),
            Err(error) => findings.problem(&format!("{error:#}")),
        }
    }
    let folder = folder::look(config, &mut findings);
    let is_running = matches!(folder, Folder::Open);
    if let Some(database) = Box::pin(Database::open(config, &folder, &mut findings)).await {
        let is_readable = database.look(is_running, &mut findings).await;
        clock::look(database.pool(), &mut findings).await;
        if is_readable {
            keys::look_at_master_key(config, database.pool(), &mut findings).await;
            keys::look_at_proof_key(config, database.pool(), &mut findings).await;
            work::look(database.pool(), is_running, &mut findings).await;
            libraries::look(database.pool(), &config.data, &mut findings).await;
        }
        database.close().await;
    }
    nats::look(config, &mut findings).await;
    storage::look(config, &mut findings).await;
    if is_running {
        running::look(config, &mut findings).await;
    } else {
        running::look_at_port(config, &mut findings);
    }
    match findings.problems() {
        0 => say("Nothing is wrong."),
        1 => say("One thing is wrong."),
        problems => say(&format!("{problems} things are wrong.")),
    }
    findings.problems() == 0
}
