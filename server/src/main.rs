//! `calotype`: a photo and video server that never forgets.

use std::process::ExitCode;

use anyhow::Context as _;
use calotype_cli::args::{Batches, ImportArgs};
use calotype_server::backup::{self, Backup};
use calotype_server::config::{Config, ServeArgs};
use calotype_server::models::{self, Models};
use calotype_server::operator::{
    self, Admin, AsOf, Audit, Erase, Erasures, History, Hold, People, Projections, Proof, Release,
    Revert, Target, UndoArgs, Verify,
};
use calotype_server::parked::{self, Parked};
use calotype_server::places::{self, Places};
use calotype_server::restore::{self, Restore};
use calotype_server::{doctor, serve};
use clap::builder::Resettable;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

/// Decoding events and rows makes many small values: glibc's allocator took a seventh of a replay.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A self-hosted photo and video server that never forgets.
///
/// It speaks Immich's API, so Immich's apps and tools work with it.
/// Start with `calotype serve`, then open the address it prints.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve(Box<ServeArgs>),
    /// Bring the database's tables up to date, without serving.
    Migrate {
        #[command(flatten)]
        target: Target,
    },
    /// Look at the read models, or make them anew from the log.
    Projections {
        #[command(flatten)]
        target: Target,
        #[command(subcommand)]
        command: Projections,
    },
    /// Tell what happened to one thing, in order.
    History {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        history: History,
    },
    /// Tell what happened at all, in order.
    Audit {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        audit: Audit,
    },
    /// Forget somebody or something for good, with a signed receipt.
    Erase {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        erase: Erase,
    },
    /// Show what was erased, and the receipts.
    Erasures {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        erasures: Erasures,
    },
    /// Keep something from being deleted for good, whoever wishes it.
    Hold {
        #[command(flatten)]
        target: Target,
        #[command(subcommand)]
        command: Hold,
    },
    /// Release a hold.
    Release {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        release: Release,
    },
    /// Tell what was there at a moment: the timeline, albums, a photo, people, links.
    AsOf {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        as_of: AsOf,
    },
    /// Take back what a request, a session or an API key did.
    Undo {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        undo: UndoArgs,
    },
    /// Bring a photo, an album or a library back to what it was, by new events.
    Revert {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        revert: Revert,
    },
    /// Compare the whole log with its signed heads; name what was changed, removed or inserted.
    Verify {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        verify: Verify,
    },
    /// Prove to others what the log holds, and sign it.
    Proof {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        proof: Proof,
    },
    /// Copy the log, its keys and the files to a folder or a bucket, also while the server runs.
    Backup {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        backup: Box<Backup>,
    },
    /// Make a new data folder of a backup, or try it and compare.
    Restore {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        restore: Box<Restore>,
    },
    /// Look at work that got stuck, try it again or give it up.
    Parked {
        #[command(flatten)]
        target: Target,
        #[command(subcommand)]
        command: Parked,
    },
    /// Look after accounts.
    Admin {
        #[command(flatten)]
        target: Target,
        #[command(subcommand)]
        command: Admin,
    },
    /// Import folders of photos and films.
    Import(Box<ImportArgs>),
    /// Look at imports, or take them back.
    Batches {
        #[command(subcommand)]
        command: Batches,
    },
    /// Look after the names of places that positions are told by.
    Places {
        #[command(subcommand)]
        command: Places,
    },
    /// Look after the models that see what is in pictures.
    Models {
        #[command(flatten)]
        target: Target,
        #[command(subcommand)]
        command: Models,
    },
    /// Compare all faces anew, see what that would change, and agree to it or not.
    People {
        #[command(flatten)]
        target: Target,
        #[command(subcommand)]
        command: People,
    },
    /// Say in plain words what is wrong with the installation.
    Doctor(Box<ServeArgs>),
    /// Print the OpenAPI document.
    Openapi,
    /// Open foreign files, as a child of the server. Not for people.
    #[command(hide = true, disable_help_flag = true)]
    Decoder {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<std::ffi::OsString>,
    },
}

fn main() -> ExitCode {
    // A decoder child must not start threads before it has locked itself in.
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|word| word == "decoder") {
        return calotype_media::decoder::decoder_main(words);
    }
    let matches = without_empty_variables(Cli::command()).get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match run(cli.command) {
        Ok(code) => code,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// A variable that is set and empty is one that is not set: compose files and units write them so.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    command
        .mut_args(|arg| match arg.get_env().and_then(std::env::var_os) {
            Some(value) if value.is_empty() => arg.env(Resettable::Reset),
            _ => arg,
        })
        .mut_subcommands(without_empty_variables)
}

/// How long a program that is done waits for threads that compute what nobody will hear.
const STRAGGLERS_MAX: std::time::Duration = std::time::Duration::from_secs(2);

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("failed to start the runtime")?;
    let done = runtime.block_on(Box::pin(dispatch(command)));
    // Comparing a library goes on in a thread of its own; it is begun anew at the next start.
    runtime.shutdown_timeout(STRAGGLERS_MAX);
    done
}

async fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(args) => Box::pin(serve::serve(Config::load(*args)?)).await?,
        Command::Migrate { target } => Box::pin(operator::migrate(&target)).await?,
        Command::Projections { target, command } => {
            Box::pin(operator::projections(&target, command)).await?;
        }
        Command::History { target, history } => {
            Box::pin(operator::history(&target, history)).await?;
        }
        Command::Audit { target, audit } => Box::pin(operator::audit(&target, audit)).await?,
        Command::Erase { target, erase } => Box::pin(operator::erase(&target, erase)).await?,
        Command::Erasures { target, erasures } => {
            Box::pin(operator::erasures(&target, erasures)).await?;
        }
        Command::Hold { target, command } => Box::pin(operator::hold(&target, command)).await?,
        Command::Release { target, release } => {
            Box::pin(operator::release(&target, release)).await?;
        }
        Command::AsOf { target, as_of } => Box::pin(operator::as_of(&target, as_of)).await?,
        Command::Undo { target, undo } => Box::pin(operator::undo(&target, undo)).await?,
        Command::Revert { target, revert } => {
            Box::pin(operator::revert(&target, revert)).await?;
        }
        Command::Verify { target, verify } => {
            return exit(Box::pin(operator::verify(&target, verify)).await?);
        }
        Command::Proof { target, proof } => Box::pin(operator::proof(&target, proof)).await?,
        Command::Backup { target, backup } => {
            return exit(Box::pin(backup::backup(&target, *backup)).await?);
        }
        Command::Restore { target, restore } => {
            return exit(Box::pin(restore::restore(&target, *restore)).await?);
        }
        Command::Parked { target, command } => {
            Box::pin(parked::parked(&target, command)).await?;
        }
        Command::Admin { target, command } => Box::pin(operator::admin(&target, command)).await?,
        Command::Import(args) => return Box::pin(operator::import(*args)).await,
        Command::Batches { command } => {
            Box::pin(calotype_cli::batches::batches(command)).await?;
        }
        Command::Places { command } => places::places(&command)?,
        Command::Models { target, command } => {
            return exit(Box::pin(models::models(&target, command)).await?);
        }
        Command::People { target, command } => {
            Box::pin(operator::people(&target, command)).await?;
        }
        Command::Doctor(args) => {
            return exit(doctor::doctor(&Config::load(*args)?).await);
        }
        Command::Openapi => print_document()?,
        Command::Decoder { .. } => anyhow::bail!("a decoder is started by the server"),
    }
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::unnecessary_wraps, reason = "the last word of a command")]
fn exit(is_good: bool) -> anyhow::Result<ExitCode> {
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[expect(clippy::print_stdout, reason = "the document goes to standard output")]
fn print_document() -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(&calotype_api::openapi())?);
    Ok(())
}

#[expect(clippy::print_stderr, reason = "the last word of a failed command")]
fn complain(error: &anyhow::Error) {
    eprintln!("calotype: {error:#}");
}
