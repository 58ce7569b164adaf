//! Where a command works: what is said on the command line and in the environment.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, FromArgMatches};

use crate::config::{Config, ServeArgs, default_data};

/// Where to work: a running server, or a data folder.
#[derive(Clone, Debug)]
pub struct Target {
    pub(super) words: TargetArgs,
    /// A folder that is named on the command line stands above a server that only the environment names.
    wants_folder: bool,
}

/// What may be said about where to work.
#[derive(Clone, Debug, Args)]
pub struct TargetArgs {
    /// The running server to ask, for instance <http://127.0.0.1:2283>.
    #[arg(long, global = true, env = "CALOTYPE_SERVER", value_name = "URL")]
    pub server: Option<String>,
    /// An administrator's API key for it.
    #[arg(
        long,
        global = true,
        env = "CALOTYPE_API_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    pub api_key: Option<String>,
    /// A data folder that no server has open.
    #[arg(long, global = true, env = "CALOTYPE_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The folder's PostgreSQL, where it is not an own one.
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
}

impl FromArgMatches for Target {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let is_said = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
        Ok(Self {
            words: TargetArgs::from_arg_matches(matches)?,
            wants_folder: is_said("data") && !is_said("server"),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Target {
    fn augment_args(command: clap::Command) -> clap::Command {
        TargetArgs::augment_args(command)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        TargetArgs::augment_args_for_update(command)
    }
}

impl Target {
    /// The server to ask.
    #[must_use]
    pub fn server(&self) -> Option<&String> {
        self.words.server.as_ref().filter(|_| !self.wants_folder)
    }

    /// The data folder that is named; the default where none is.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.words.data.clone().unwrap_or_else(default_data)
    }

    /// The folder, its database and its bucket, as a server in it would find them: in its configuration file, too.
    pub(crate) fn config(&self) -> anyhow::Result<Config> {
        let scratch = variable("CALOTYPE_SCRATCH").map(|size| size.parse()).transpose();
        Config::load(ServeArgs {
            data: self.words.data.clone(),
            database_url: self.words.database_url.clone(),
            storage: variable("CALOTYPE_STORAGE"),
            s3_endpoint: variable("CALOTYPE_S3_ENDPOINT"),
            s3_region: variable("CALOTYPE_S3_REGION"),
            scratch: scratch.context("CALOTYPE_SCRATCH is not right")?,
            ..ServeArgs::default()
        })
    }
}

/// A variable that says something.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        target: Target,
    }

    fn server(words: &[&str]) -> Option<String> {
        let words = ["calotype"].iter().chain(words);
        Cli::try_parse_from(words).unwrap().target.server().cloned()
    }

    #[test]
    fn server_is_asked_unless_only_a_folder_is_named() {
        let there = Some("http://there".to_owned());
        assert_eq!(server(&["--server", "http://there"]), there);
        assert_eq!(server(&["--server=http://there", "--data", "d"]), there);
        assert_eq!(server(&["--data", "d"]), None);
        assert_eq!(server(&[]), None);
    }
}
