//! Configuration: flags, then environment, then a TOML file, then defaults. One struct; unknown keys are refused.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde::Deserialize;

use crate::telemetry::LogFormat;

/// The port Immich's clients expect.
const PORT: u16 = 2283;

/// A part of the server that may run in a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Answers HTTP.
    Api,
    /// Orders the log and rings JetStream.
    Relay,
    /// Keeps the read models.
    Projections,
    /// Works through new uploads and re-runs.
    Processors,
    /// Runs models. Nothing to do yet.
    Ml,
}

/// Every role.
pub const ALL_ROLES: [Role; 5] =
    [Role::Api, Role::Relay, Role::Projections, Role::Processors, Role::Ml];

/// What may be said on the command line and in the environment. What is left out comes from the file.
#[derive(Clone, Debug, Default, Args)]
pub struct ServeArgs {
    /// The folder everything is kept in.
    #[arg(long, env = "CALOTYPE_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The address to listen on. `0.0.0.0` lets other machines in.
    #[arg(long, env = "CALOTYPE_HOST")]
    pub host: Option<IpAddr>,
    /// The port to listen on.
    #[arg(long, env = "CALOTYPE_PORT")]
    pub port: Option<u16>,
    /// Which parts to run, separated by commas.
    #[arg(long, env = "CALOTYPE_ROLES", value_enum, value_delimiter = ',')]
    pub roles: Option<Vec<Role>>,
    /// Use this PostgreSQL instead of an own one.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// Use this NATS server instead of an own one.
    #[arg(long, env = "NATS_URL", hide_env_values = true, value_name = "URL")]
    pub nats_url: Option<String>,
    /// Serve this folder's single-page client instead of the built-in page.
    #[arg(long, env = "CALOTYPE_WEB", value_name = "DIR")]
    pub web: Option<PathBuf>,
    /// Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed, beside this machine.
    #[arg(long, env = "CALOTYPE_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Option<Vec<IpAddr>>,
    /// Add the routes that black-box test suites need. Only in a folder first opened this way.
    #[arg(long, env = "CALOTYPE_TESTING")]
    pub testing: bool,
    /// What to log, for instance `info` or `warn,calotype_api=debug`.
    #[arg(long, env = "CALOTYPE_LOG", value_name = "FILTER")]
    pub log: Option<String>,
    /// How to write log lines.
    #[arg(long, env = "CALOTYPE_LOG_FORMAT", value_enum)]
    pub log_format: Option<LogFormat>,
    /// A TOML file with any of these, in snake case. Default: calotype.toml in the data folder, if it is there.
    #[arg(long, env = "CALOTYPE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// What the file may say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileConfig {
    host: Option<IpAddr>,
    port: Option<u16>,
    roles: Option<Vec<Role>>,
    database_url: Option<String>,
    nats_url: Option<String>,
    web: Option<PathBuf>,
    trusted_proxies: Option<Vec<IpAddr>>,
    log: Option<String>,
    log_format: Option<LogFormat>,
}

/// The configuration, whole.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder everything is kept in.
    pub data: PathBuf,
    /// The address to listen on.
    pub host: IpAddr,
    /// The port to listen on.
    pub port: u16,
    /// Which parts to run.
    pub roles: Vec<Role>,
    /// A PostgreSQL to use instead of an own one.
    pub database_url: Option<String>,
    /// A NATS server to use instead of an own one.
    pub nats_url: Option<String>,
    /// A folder with a single-page client.
    pub web: Option<PathBuf>,
    /// Proxies that are believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Whether black-box suites may reset everything.
    pub testing: bool,
    /// What to log.
    pub log: String,
    /// How to write log lines.
    pub log_format: LogFormat,
}

impl Config {
    /// Lays flags and environment over the file, and both over the defaults.
    ///
    /// # Errors
    /// When the file cannot be read, or says something unknown.
    pub fn load(args: ServeArgs) -> anyhow::Result<Self> {
        let data = args.data.clone().unwrap_or_else(default_data);
        let file = read(args.config.as_deref(), &data)?;
        Ok(Self {
            host: args.host.or(file.host).unwrap_or(IpAddr::from([127, 0, 0, 1])),
            port: args.port.or(file.port).unwrap_or(PORT),
            roles: args.roles.or(file.roles).unwrap_or_else(|| ALL_ROLES.to_vec()),
            database_url: args.database_url.or(file.database_url),
            nats_url: args.nats_url.or(file.nats_url),
            web: args.web.or(file.web),
            trusted_proxies: args.trusted_proxies.or(file.trusted_proxies).unwrap_or_default(),
            testing: args.testing,
            log: args.log.or(file.log).unwrap_or_else(|| "info".to_owned()),
            log_format: args.log_format.or(file.log_format).unwrap_or_default(),
            data,
        })
    }

    /// Whether this process plays a role.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

/// `calotype-data` in the current folder.
#[must_use]
pub fn default_data() -> PathBuf {
    PathBuf::from("calotype-data")
}

fn read(named: Option<&Path>, data: &Path) -> anyhow::Result<FileConfig> {
    let path = match named {
        Some(path) => path.to_owned(),
        None => {
            let usual = data.join("calotype.toml");
            if !usual.exists() {
                return Ok(FileConfig::default());
            }
            usual
        }
    };
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("failed to read the configuration {}", path.display()))?;
    toml::from_str(&text)
        .with_context(|| format!("the configuration {} is not right", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_key_is_refused() {
        let error = toml::from_str::<FileConfig>("prot = 1").unwrap_err();
        assert!(error.to_string().contains("prot"), "{error}");
    }

    #[test]
    fn flag_stands_above_the_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("calotype.toml"), "port = 1\nhost = \"0.0.0.0\"")
            .unwrap();
        let args = ServeArgs {
            data: Some(folder.path().to_owned()),
            port: Some(2),
            ..ServeArgs::default()
        };
        let config = Config::load(args).unwrap();
        assert_eq!((config.port, config.host), (2, IpAddr::from([0, 0, 0, 0])));
    }
}
