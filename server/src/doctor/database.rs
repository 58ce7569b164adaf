//! The database: whether it answers, who we are there, and whether it keeps what it was given.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgConnection, PgPool, Row as _};

use super::findings::Findings;
use super::folder::Folder;
use super::tables;
use crate::config::Config;
use crate::embedded::{Embedded, Needs, owner_elsewhere, running_postgres};

/// How long the database may take to answer.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// The major version that the tests run with.
const TESTED_MAJOR: i32 = 18;
/// The oldest version whose SQL is understood.
const MAJOR_MIN: i32 = 16;
/// What must be on for an answer to be kept through a power cut.
const DURABLE: [&str; 3] = ["fsync", "full_page_writes", "synchronous_commit"];

/// The database as its owner sees it.
pub(super) struct Database {
    pool: PgPool,
    /// The folder's own PostgreSQL, where it was started for this.
    embedded: Option<Embedded>,
}

impl Database {
    /// Reaches the database, wherever it is; starts the folder's own where nobody has that open.
    pub(super) async fn open(
        config: &Config,
        folder: &Folder,
        findings: &mut Findings,
    ) -> Option<Self> {
        if let Some(url) = &config.database_url {
            let pool = reach(url, findings).await?;
            return Some(Self { pool, embedded: None });
        }
        match folder {
            Folder::None => None,
            Folder::Open => match running_postgres(&config.data) {
                Ok(url) => Some(Self { pool: reach(&url, findings).await?, embedded: None }),
                Err(error) => {
                    findings.problem(&format!(
                        "cannot read how to reach the server's PostgreSQL: {error}"
                    ));
                    None
                }
            },
            Folder::Ours(folder) => {
                if !folder.postgres().exists() {
                    findings.note("there is no database yet; `calotype serve` makes it");
                    return None;
                }
                match owner_elsewhere(folder.root()) {
                    Ok(None) => {}
                    Ok(Some(owner)) => {
                        let data = config.data.display();
                        findings.problem(&format!(
                            "the server of this folder runs as the user {owner}; root would take the \
                             database away from it, so it is not started: run the doctor as its \
                             owner, `sudo -u {owner} calotype doctor --data {data}`"
                        ));
                        return None;
                    }
                    Err(error) => {
                        findings.problem(&format!("cannot tell whose the folder is: {error}"));
                        return None;
                    }
                }
                let needs = Needs { postgres: true, nats: false };
                match Box::pin(Embedded::start(folder, needs)).await {
                    Ok(embedded) => {
                        let url = embedded.postgres().map(|access| access.owner_url.clone());
                        let pool = match url {
                            Some(url) => reach(&url, findings).await,
                            None => None,
                        };
                        if let Some(pool) = pool {
                            return Some(Self { pool, embedded: Some(embedded) });
                        }
                        embedded.stop().await;
                    }
                    Err(error) => {
                        findings
                            .problem(&format!("the folder's PostgreSQL does not start: {error}"));
                    }
                }
                None
            }
        }
    }

    pub(super) fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(super) async fn close(self) {
        self.pool.close().await;
        if let Some(embedded) = self.embedded {
            embedded.stop().await;
        }
    }

    /// Looks at version, rights and tables; says whether the log can be read.
    pub(super) async fn look(&self, is_running: bool, findings: &mut Findings) -> bool {
        let looked = async {
            version(&self.pool, findings).await?;
            durability(&self.pool, findings).await?;
            rights(&self.pool, findings).await?;
            tables::look(&self.pool, is_running, findings).await
        };
        match looked.await {
            Ok(is_readable) => is_readable,
            Err(error) => {
                findings.problem(&format!("the database refuses to tell how it is: {error}"));
                false
            }
        }
    }
}

/// Connects, and says in words why that cannot be. Never tells the address: it may hold a password.
async fn reach(url: &str, findings: &mut Findings) -> Option<PgPool> {
    let options: PgConnectOptions = match url.parse() {
        Ok(options) => options,
        Err(_) => {
            findings.problem(
                "DATABASE_URL is no address of a database; it looks like \
                 postgres://user:password@host:5432/database",
            );
            return None;
        }
    };
    let place = match options.get_socket() {
        Some(folder) => folder.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    let name = options.get_database().unwrap_or(options.get_username()).to_owned();
    let user = options.get_username().to_owned();
    let options = options.application_name("calotype doctor");
    // A pool tries again until its time is over; one connection says at once what is wrong.
    let connecting = async {
        PgConnection::connect_with(&options).await?.close().await?;
        let pool = PgPoolOptions::new().max_connections(2).acquire_timeout(ANSWER_WAIT);
        pool.connect_with(options.clone()).await
    };
    let error = match tokio::time::timeout(ANSWER_WAIT, connecting).await {
        Ok(Ok(pool)) => {
            findings.good(&format!("the database {name} at {place} answers"));
            return Some(pool);
        }
        Ok(Err(error)) => error,
        Err(_) => sqlx::Error::PoolTimedOut,
    };
    let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default();
    let line = match (&error, code.as_ref()) {
        (_, "28P01" | "28000") => {
            format!("the database at {place} refuses the user {user}: {error}")
        }
        (_, "3D000") => format!("there is no database {name} at {place}: createdb it"),
        (sqlx::Error::PoolTimedOut, _) => {
            format!("the database at {place} does not answer within {} s", ANSWER_WAIT.as_secs())
        }
        _ => format!("the database at {place} cannot be reached: {error}"),
    };
    findings.problem(&line);
    None
}

async fn version(pool: &PgPool, findings: &mut Findings) -> sqlx::Result<()> {
    let number: i32 = sqlx::query_scalar("select current_setting('server_version_num')::int")
        .fetch_one(pool)
        .await?;
    let major = number / 10_000;
    if major < MAJOR_MIN {
        findings.problem(&format!(
            "the database is PostgreSQL {major}; at least {MAJOR_MIN} is needed, {TESTED_MAJOR} \
             is tested"
        ));
    } else if major == TESTED_MAJOR {
        findings.good(&format!("the database is PostgreSQL {major}"));
    } else {
        findings.note(&format!(
            "the database is PostgreSQL {major}; the tests run with {TESTED_MAJOR}"
        ));
    }
    Ok(())
}

async fn durability(pool: &PgPool, findings: &mut Findings) -> sqlx::Result<()> {
    for setting in DURABLE {
        let value: String =
            sqlx::query_scalar("select current_setting($1)").bind(setting).fetch_one(pool).await?;
        if value == "off" {
            findings.problem(&format!(
                "the database has {setting} = off: a power cut may lose what was answered for"
            ));
        }
    }
    Ok(())
}

async fn rights(pool: &PgPool, findings: &mut Findings) -> sqlx::Result<()> {
    let row = sqlx::query(
        "select has_database_privilege(current_database(), 'create') as may_create,
                coalesce((select pg_has_role(current_user, nspowner, 'usage')
                            from pg_namespace where nspname = 'log'), true) as is_owner,
                exists (select from pg_roles where rolname = 'calotype_app') as has_app,
                coalesce((select bool_or(has_table_privilege(oid, 'log.events', 'update')
                                         or has_table_privilege(oid, 'log.events', 'delete'))
                            from pg_roles
                           where rolname = 'calotype_app'
                             and to_regclass('log.events') is not null), false) as app_may_change,
                coalesce((select has_schema_privilege(oid, nspoid, 'usage')
                            from pg_roles,
                                 (select oid as nspoid from pg_namespace where nspname = 'log') as log
                           where rolname = 'calotype_app'), true) as app_may_serve",
    )
    .fetch_one(pool)
    .await?;
    if !row.try_get::<bool, _>("may_create")? || !row.try_get::<bool, _>("is_owner")? {
        findings.problem(
            "the database's user does not own the database or its tables, so they cannot be brought \
             up to date: alter database … owner to it",
        );
    } else if row.try_get::<bool, _>("app_may_change")? {
        findings.problem("the role calotype_app may change log.events: revoke update, delete");
    } else if row.try_get::<bool, _>("has_app")? && row.try_get::<bool, _>("app_may_serve")? {
        findings.good("the server's role may append to the log and not change it");
    } else {
        findings.note(
            "the role calotype_app is missing or was made after the tables: the server could change \
             the log (see \"Somebody else's PostgreSQL\" in docs/operating.md)",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn address_of_nobody_is_told_without_its_password() {
        let mut findings = Findings::default();
        for url in ["postgres://me:secret@127.0.0.1:1/photos", "no address: secret"] {
            assert!(reach(url, &mut findings).await.is_none());
        }
        let told = findings.told();
        assert_eq!(findings.problems(), 2, "{told:?}");
        assert!(told[0].contains("the database at 127.0.0.1:1 cannot be reached"), "{told:?}");
        assert!(told[1].contains("DATABASE_URL is no address of a database"), "{told:?}");
        assert!(!told.iter().any(|line| line.contains("secret")), "{told:?}");
    }
}
