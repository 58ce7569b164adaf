//! Configuration: flags, then environment, then a TOML file, then defaults. One struct; unknown keys are refused.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use calotype_ml::Provider;
use clap::Args;
use clap::builder::FalseyValueParser;
use ipnet::IpNet;
use serde::Deserialize;

use crate::size::Size;
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
    /// Runs models. Alone, it answers Immich's machine-learning protocol to other machines.
    Ml,
}

/// What becomes of the groups when administrators have all faces compared anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reclustering {
    /// They count at once, as Immich's clients expect.
    #[default]
    Apply,
    /// They are proposed, and count when somebody agrees.
    Propose,
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
    /// A port of its own for `/health`, `/ready` and `/metrics`, open from the beginning of the start on; needed
    /// where a process does not answer requests (`--roles`), or where only the machines that watch may see these.
    #[arg(long, env = "CALOTYPE_WATCH_PORT", value_name = "PORT")]
    pub watch_port: Option<u16>,
    /// Which parts to run, separated by commas.
    #[arg(long, env = "CALOTYPE_ROLES", value_enum, value_delimiter = ',')]
    pub roles: Option<Vec<Role>>,
    /// Use this PostgreSQL instead of an own one.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// Keep the event log in this KurrentDB, such as `kurrentdb://USER:PASSWORD@HOST:2113?tls=true`, and in
    /// PostgreSQL a copy of it, keys and read models. Only for a log that is new or began there.
    #[arg(long, env = "CALOTYPE_EVENT_STORE", hide_env_values = true, value_name = "URL")]
    pub event_store: Option<String>,
    /// Use this NATS server instead of an own one.
    #[arg(long, env = "NATS_URL", hide_env_values = true, value_name = "URL")]
    pub nats_url: Option<String>,
    /// How many servers of a NATS cluster keep each message; 3 lets one of three go away. Default: 1.
    #[arg(long, env = "CALOTYPE_NATS_REPLICAS", value_name = "N", value_parser = clap::value_parser!(u8).range(1..=5))]
    pub nats_replicas: Option<u8>,
    /// Serve this folder's single-page client instead of the built-in page.
    #[arg(long, env = "CALOTYPE_WEB", value_name = "DIR")]
    pub web: Option<PathBuf>,
    /// Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed, beside this machine: addresses and
    /// networks, such as 10.0.0.2,172.16.0.0/12. Immich's `IMMICH_TRUSTED_PROXIES` is read too.
    #[arg(long, env = "CALOTYPE_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Option<Vec<String>>,
    /// Whether the first account may still be made; `false` closes the door of a server that nobody set up.
    /// Immich's `IMMICH_ALLOW_SETUP` is read too.
    #[arg(long, env = "CALOTYPE_ALLOW_SETUP", value_name = "BOOL", action = clap::ArgAction::Set)]
    pub allow_setup: Option<bool>,
    /// A JSON or YAML file with settings that administrators would set else; they cannot be changed then. Immich's
    /// `IMMICH_CONFIG_FILE` is this.
    #[arg(long, env = "IMMICH_CONFIG_FILE", value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// Space on the disk that uploads leave free, for instance `5G`. Default: 256 MiB, or a twentieth of a
    /// smaller disk.
    #[arg(long, env = "CALOTYPE_MIN_FREE", value_name = "SIZE")]
    pub min_free: Option<Size>,
    /// Keep originals and what is made of them in a bucket of an S3-compatible store instead of the data folder:
    /// `s3://BUCKET` or `s3://BUCKET/FOLDER`. Its access key is in `CALOTYPE_S3_KEY_ID` and `CALOTYPE_S3_SECRET`.
    #[arg(long, env = "CALOTYPE_STORAGE", value_name = "ADDRESS")]
    pub storage: Option<String>,
    /// The address of the store, such as `https://s3.example.com`. Default: Amazon's.
    #[arg(long, env = "CALOTYPE_S3_ENDPOINT", value_name = "URL")]
    pub s3_endpoint: Option<String>,
    /// The region of the bucket. Default: us-east-1, which most stores other than Amazon's take.
    #[arg(long, env = "CALOTYPE_S3_REGION", value_name = "REGION")]
    pub s3_region: Option<String>,
    /// How much of a bucket is fetched to the data folder at once, for programs that need files. Default: 8 GiB.
    #[arg(long, env = "CALOTYPE_SCRATCH", value_name = "SIZE")]
    pub scratch: Option<Size>,
    /// What becomes of the groups when the queue `facialRecognition` is started with force: they count at once, or
    /// wait for `calotype people apply`. Said to the process that has the role `processors`. Default: apply.
    #[arg(long, env = "CALOTYPE_RECLUSTERING", value_enum)]
    pub reclustering: Option<Reclustering>,
    /// What runs models beside the processor, where the ONNX Runtime that is installed was built with it: `cuda`,
    /// `openvino`, `coreml`, separated by commas, the first that is there before the others. Default: none.
    #[arg(long, env = "CALOTYPE_EXECUTION_PROVIDERS", value_delimiter = ',')]
    pub execution_providers: Option<Vec<Provider>>,
    /// Add the routes that black-box test suites need. Only in a folder first opened this way.
    #[arg(long, env = "CALOTYPE_TESTING", value_parser = FalseyValueParser::new())]
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
    watch_port: Option<u16>,
    roles: Option<Vec<Role>>,
    database_url: Option<String>,
    event_store: Option<String>,
    nats_url: Option<String>,
    nats_replicas: Option<u8>,
    web: Option<PathBuf>,
    trusted_proxies: Option<Vec<String>>,
    allow_setup: Option<bool>,
    settings: Option<PathBuf>,
    min_free: Option<Size>,
    storage: Option<String>,
    s3_endpoint: Option<String>,
    s3_region: Option<String>,
    scratch: Option<Size>,
    reclustering: Option<Reclustering>,
    execution_providers: Option<Vec<Provider>>,
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
    /// A port for the machines that watch.
    pub watch_port: Option<u16>,
    /// Which parts to run.
    pub roles: Vec<Role>,
    /// A PostgreSQL to use instead of an own one.
    pub database_url: Option<String>,
    /// The KurrentDB that has the event log; none where that is the database.
    pub event_store: Option<String>,
    /// A NATS server to use instead of an own one.
    pub nats_url: Option<String>,
    /// How many servers of a NATS cluster keep each message.
    pub nats_replicas: u8,
    /// A folder with a single-page client.
    pub web: Option<PathBuf>,
    /// Networks of proxies that are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether the first account may still be made.
    pub allow_setup: bool,
    /// A file with settings that administrators would set else.
    pub settings: Option<PathBuf>,
    /// Space that uploads leave free, where somebody said how much.
    pub min_free: Option<Size>,
    /// The address of the bucket that originals lie in; none where that is the data folder.
    pub storage: Option<String>,
    /// The address of the store that has the bucket.
    pub s3_endpoint: Option<String>,
    /// The region of the bucket.
    pub s3_region: Option<String>,
    /// How much is fetched from the bucket at once.
    pub scratch: Option<Size>,
    /// What becomes of groups of faces that were compared anew.
    pub reclustering: Reclustering,
    /// What runs models beside the processor.
    pub execution_providers: Vec<Provider>,
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
        let replicas = file.nats_replicas.unwrap_or(1);
        anyhow::ensure!(
            (1..=5).contains(&replicas),
            "nats_replicas in the configuration is not 1 to 5"
        );
        Ok(Self {
            host: args.host.or(file.host).unwrap_or(IpAddr::from([127, 0, 0, 1])),
            port: args.port.or(file.port).unwrap_or(PORT),
            watch_port: args.watch_port.or(file.watch_port),
            roles: args.roles.or(file.roles).unwrap_or_else(|| ALL_ROLES.to_vec()),
            database_url: args.database_url.or_else(|| named("DATABASE_URL")).or(file.database_url),
            event_store: args
                .event_store
                .or_else(|| named("EVENT_STORE"))
                .or(file.event_store)
                .filter(|address| !address.trim().is_empty()),
            nats_url: args.nats_url.or_else(|| named("NATS_URL")).or(file.nats_url),
            nats_replicas: args.nats_replicas.unwrap_or(replicas),
            web: args.web.or(file.web),
            trusted_proxies: match args.trusted_proxies.filter(|words| !are_blank(words)) {
                Some(words) => networks(&words).context("CALOTYPE_TRUSTED_PROXIES is not right")?,
                None => match immich_trusts() {
                    Some(words) => {
                        networks(&words).context("IMMICH_TRUSTED_PROXIES is not right")?
                    }
                    None => networks(&file.trusted_proxies.unwrap_or_default())
                        .context("trusted_proxies in the configuration is not right")?,
                },
            },
            allow_setup: args
                .allow_setup
                .or(immich_allows_setup()?)
                .or(file.allow_setup)
                .unwrap_or(true),
            settings: args.settings.or_else(immich_settings).or(file.settings),
            min_free: args.min_free.or(file.min_free),
            storage: args.storage.or(file.storage).filter(|it| !it.trim().is_empty()),
            s3_endpoint: args.s3_endpoint.or(file.s3_endpoint).filter(|it| !it.is_empty()),
            s3_region: args.s3_region.or(file.s3_region).filter(|it| !it.is_empty()),
            scratch: args.scratch.or(file.scratch),
            reclustering: args.reclustering.or(file.reclustering).unwrap_or_default(),
            execution_providers: args
                .execution_providers
                .or(file.execution_providers)
                .unwrap_or_default(),
            testing: args.testing,
            log: args.log.or(file.log).unwrap_or_else(|| "info".to_owned()),
            log_format: args.log_format.or(file.log_format).unwrap_or_default(),
            data,
        })
    }

    /// Whether other processes may divide the work with this one: nothing that it needs is its own.
    #[must_use]
    pub fn is_divided(&self) -> bool {
        let needs_nats = self.has(Role::Relay) || self.has(Role::Processors);
        let has_all = self.database_url.is_some() && (self.nats_url.is_some() || !needs_nats);
        has_all && !self.testing
    }

    /// Whether it only runs models for others: it needs no database and no NATS server then.
    #[must_use]
    pub fn is_only_ml(&self) -> bool {
        self.roles == [Role::Ml]
    }

    /// Whether this process plays a role.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

/// A variable that is known by a short name, by the name that goes with its key in the file.
fn named(short: &str) -> Option<String> {
    std::env::var(format!("CALOTYPE_{short}")).ok().filter(|value| !value.is_empty())
}

/// An address, or a network as address and length: `10.0.0.2`, `172.16.0.0/12`, `fd00::/8`.
fn network(text: &str) -> anyhow::Result<IpNet> {
    let text = text.trim();
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address.to_canonical()),
        Err(_) => text
            .parse::<IpNet>()
            .with_context(|| format!("{text:?} is neither an address nor a network"))?,
    };
    Ok(network.trunc())
}

fn networks(words: &[String]) -> anyhow::Result<Vec<IpNet>> {
    words.iter().map(|word| network(word)).collect()
}

/// Whether nothing is said: a variable that is set and empty is one that is not set.
fn are_blank(words: &[String]) -> bool {
    words.iter().all(|word| word.trim().is_empty())
}

/// Proxies that Immich's own variable names.
fn immich_trusts() -> Option<Vec<String>> {
    let text =
        std::env::var("IMMICH_TRUSTED_PROXIES").ok().filter(|text| !text.trim().is_empty())?;
    Some(text.split(',').map(str::to_owned).collect())
}

/// The file of settings, also for commands that have no flag for it.
fn immich_settings() -> Option<PathBuf> {
    std::env::var_os("IMMICH_CONFIG_FILE").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// What Immich's own variable says of the first account, for those who bring their environment along.
fn immich_allows_setup() -> anyhow::Result<Option<bool>> {
    std::env::var("IMMICH_ALLOW_SETUP")
        .ok()
        .map(|text| text.parse().context("IMMICH_ALLOW_SETUP is neither true nor false"))
        .transpose()
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
    fn what_computes_is_named_in_order_or_refused() {
        let read = |text| toml::from_str::<FileConfig>(text).map(|file| file.execution_providers);
        let known = read("execution_providers = [\"openvino\", \"cpu\"]").unwrap();
        assert_eq!(known, Some(vec![Provider::OpenVino, Provider::Cpu]));
        let refused = read("execution_providers = [\"tpu\"]").unwrap_err().to_string();
        assert!(refused.contains("none of cpu, cuda, openvino and coreml"), "{refused}");
    }

    #[test]
    fn groups_count_at_once_unless_the_file_says_otherwise() {
        let read = |text| toml::from_str::<FileConfig>(text).unwrap().reclustering;
        assert_eq!(read("reclustering = \"propose\""), Some(Reclustering::Propose));
        assert_eq!(read("").unwrap_or_default(), Reclustering::Apply);
        assert!(toml::from_str::<FileConfig>("reclustering = \"later\"").is_err());
    }

    #[test]
    fn unknown_key_is_refused() {
        let error = toml::from_str::<FileConfig>("prot = 1").unwrap_err();
        assert!(error.to_string().contains("prot"), "{error}");
    }

    #[test]
    fn work_is_divided_only_where_nothing_is_a_process_s_own() {
        let config = |database: bool, nats: bool, roles: &[Role]| {
            let folder = tempfile::tempdir().unwrap();
            Config::load(ServeArgs {
                data: Some(folder.path().to_owned()),
                database_url: database.then(|| "postgres://there".to_owned()),
                nats_url: nats.then(|| "nats://there".to_owned()),
                roles: Some(roles.to_vec()),
                ..ServeArgs::default()
            })
            .unwrap()
        };
        assert!(config(true, true, &ALL_ROLES).is_divided());
        assert!(config(true, false, &[Role::Api, Role::Projections]).is_divided());
        assert!(!config(true, false, &[Role::Api, Role::Relay]).is_divided());
        assert!(!config(false, true, &[Role::Api]).is_divided());
    }

    #[test]
    fn proxies_are_addresses_and_networks() {
        for (text, read) in [
            ("10.0.0.2", Some("10.0.0.2/32")),
            (" 172.18.0.1/12", Some("172.16.0.0/12")),
            ("::1", Some("::1/128")),
            ("::ffff:10.0.0.2", Some("10.0.0.2/32")),
            ("fd12::1/8", Some("fd00::/8")),
            ("10.0.0.0/33", None),
            ("proxy.example.com", None),
            ("", None),
        ] {
            let network = network(text).ok().map(|network| network.to_string());
            assert_eq!(network.as_deref(), read, "{text:?}");
        }
    }

    #[test]
    fn empty_variable_of_proxies_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let load = |words: &str| {
            let words = words.split(',').map(str::to_owned).collect();
            let data = Some(folder.path().to_owned());
            let args = ServeArgs { data, trusted_proxies: Some(words), ..ServeArgs::default() };
            Config::load(args).map(|config| config.trusted_proxies.len())
        };
        for (words, count) in [("", 0), (" , ", 0), ("10.0.0.2", 1), ("10.0.0.2, fd00::/8", 2)] {
            assert_eq!(load(words).unwrap(), count, "{words:?}");
        }
        assert!(format!("{:#}", load("nobody").unwrap_err()).contains("nobody"));
    }

    #[test]
    fn proxies_in_the_file_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let load = |text: &str| {
            std::fs::write(folder.path().join("calotype.toml"), text).unwrap();
            let data = Some(folder.path().to_owned());
            Config::load(ServeArgs { data, ..ServeArgs::default() })
        };
        let config = load("trusted_proxies = [\"10.0.0.2\", \"fd00::/8\"]").unwrap();
        assert_eq!(config.trusted_proxies.len(), 2);
        let error = load("trusted_proxies = [\"nobody\"]").unwrap_err();
        assert!(format!("{error:#}").contains("nobody"), "{error:#}");
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
