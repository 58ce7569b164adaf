//! What the importer is told on the command line.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::local::LocalArgs;

/// Which server, and as whom.
#[derive(Clone, Debug, Args)]
pub struct ServerArgs {
    /// The server's address, such as `https://photos.example.com`.
    #[arg(
        long,
        env = "CALOTYPE_SERVER",
        value_name = "URL",
        default_value = "",
        hide_default_value = true
    )]
    pub server: String,
    /// An API key of the person whose photos they become.
    #[arg(
        long,
        env = "CALOTYPE_API_KEY",
        value_name = "KEY",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true
    )]
    pub api_key: String,
    /// For how many seconds a server that is away is waited for.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub patience: u64,
}

/// How folders and archives are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Layout {
    /// Told from what lies there.
    Auto,
    /// As people keep photos.
    Folders,
    /// Google Takeout.
    Takeout,
    /// Apple Photos, or an iPhone's folders.
    Apple,
    /// PhotoPrism.
    Photoprism,
}

impl Layout {
    /// Its name for people.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Auto | Self::Folders => "folders",
            Self::Takeout => "Google Takeout",
            Self::Apple => "Apple Photos",
            Self::Photoprism => "PhotoPrism",
        }
    }
}

/// `calotype import PATH…`
#[derive(Clone, Debug, Args)]
pub struct ImportArgs {
    /// Folders, files and archives: `.zip`, `.tar`, `.tar.gz`, `.tgz`.
    #[arg(required_unless_present_any = ["apply", "from_server"], value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Another Immich or Calotype server whose photos are imported, such as `https://old.example.com`.
    #[arg(long, value_name = "URL")]
    pub from_server: Option<String>,
    /// An API key of the person whose photos they are there.
    #[arg(long, env = "CALOTYPE_FROM_API_KEY", value_name = "KEY", hide_env_values = true)]
    pub from_key: Option<String>,
    /// Ask only what every Immich server answers. Done by itself where the server knows no batches.
    #[arg(long)]
    pub plain: bool,
    /// Which server, and as whom.
    #[command(flatten)]
    pub server: ServerArgs,
    /// Whose export it is. Told from what lies there, unless it is said.
    #[arg(long, value_name = "KIND", default_value = "auto")]
    pub source: Layout,
    /// Let dates of the source count over those in the files, also where the source does not say what the clock showed.
    #[arg(long)]
    pub dates_of_source: bool,
    /// Leave out what came from a partner's library (Google Takeout).
    #[arg(long)]
    pub without_partner: bool,
    /// Whether that server is on this machine.
    #[command(flatten)]
    pub local: LocalArgs,
    /// Only say what would be done; changes nothing.
    #[arg(long)]
    pub plan: bool,
    /// Keep the plan, to do it later.
    #[arg(long, value_name = "FILE", requires = "plan")]
    pub save: Option<PathBuf>,
    /// Do a plan that was kept, with the paths and options of then, as far as nothing has changed since.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["paths", "plan", "from_server"])]
    pub apply: Option<PathBuf>,
    /// Put each file into an album that is called like its folder.
    #[arg(long)]
    pub album_from_folder: bool,
    /// Put every file into this album.
    #[arg(long, value_name = "NAME")]
    pub album: Option<String>,
    /// Let every file carry this tag; may be given more than once.
    #[arg(long = "tag", value_name = "PATH")]
    pub tags: Vec<String>,
    /// Take a film of the same name in the same folder for the moving part of a photo. Live photos of Apple's devices
    /// name each other, and need no such guess.
    #[arg(long)]
    pub live_by_name: bool,
    /// Files that are sent at once.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub at_once: u8,
    /// Files larger than this are sent in chunks of this length, such as `64M`; a proxy may take no longer bodies.
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = crate::chunks::size)]
    pub chunk: u64,
    /// JSON lines on standard output instead of text.
    #[arg(long)]
    pub json: bool,
    /// Where to write what became of each file, as JSON lines.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Where to keep what an interrupted import needs to go on.
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
}

/// `calotype batches …`
#[derive(Clone, Debug, Subcommand)]
pub enum Batches {
    /// Show the newest imports.
    List {
        /// Which server, and as whom.
        #[command(flatten)]
        server: ServerArgs,
        /// As JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Show one import.
    Show {
        /// Which server, and as whom.
        #[command(flatten)]
        server: ServerArgs,
        /// Its id.
        id: Uuid,
    },
    /// Print what an import did, file by file, as JSON with a digest over it.
    Receipt {
        /// Which server, and as whom.
        #[command(flatten)]
        server: ServerArgs,
        /// Its id.
        id: Uuid,
    },
    /// Take an import back: its files go into the trash, out of albums, and lose its tags. What somebody changed since
    /// stays.
    Rollback {
        /// Which server, and as whom.
        #[command(flatten)]
        server: ServerArgs,
        /// Its id.
        id: Uuid,
        /// Only say what would be done.
        #[arg(long)]
        preview: bool,
        /// Also take back what somebody changed since.
        #[arg(long)]
        force: bool,
        /// Delete the files for good instead of putting them into the trash.
        #[arg(long)]
        for_good: bool,
    },
}
