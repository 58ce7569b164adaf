//! What the importer is told on the command line.

use std::path::PathBuf;

use clap::{Args, Subcommand};
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

/// `calotype import PATH…`
#[derive(Clone, Debug, Args)]
pub struct ImportArgs {
    /// Folders and files.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Which server, and as whom.
    #[command(flatten)]
    pub server: ServerArgs,
    /// Whether that server is on this machine.
    #[command(flatten)]
    pub local: LocalArgs,
    /// Only say what would be done; changes nothing.
    #[arg(long)]
    pub plan: bool,
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
