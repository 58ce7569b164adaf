//! `calotype places`: makes the file with the names of places, and looks a position up in it.

use std::path::PathBuf;

use anyhow::Context as _;
use calotype_media::gazetteer::Gazetteer;
use calotype_media::gazetteer::build::{Named, Sources, build};
use clap::Subcommand;

use crate::operator::say;

/// What the data set is called in events.
const DATASET: &str = "geonames-cities500";

/// `calotype places …`
#[derive(Clone, Debug, Subcommand)]
pub enum Places {
    /// Make the file from the packages of `ops/tools/places.txt`, unpacked in a folder.
    Build {
        /// The folder with the unpacked packages.
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
        /// The file to make; the server looks for `places/places.bin` in its folders of tools.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        /// What the packages' versions are; recorded with each place that is found.
        #[arg(long)]
        edition: String,
    },
    /// Say what a position lies in.
    Locate {
        /// The file.
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        /// Degrees north.
        #[arg(allow_negative_numbers = true)]
        latitude: f64,
        /// Degrees east.
        #[arg(allow_negative_numbers = true)]
        longitude: f64,
    },
}

/// Does what was asked for.
///
/// # Errors
/// When a file cannot be read or made.
pub fn places(command: &Places) -> anyhow::Result<()> {
    match command {
        Places::Build { from, to, edition } => {
            let named = Named { dataset: DATASET.to_owned(), version: edition.clone() };
            let built = build(&Sources::unpacked_in(from), &named, to)
                .context("failed to make the names of places")?;
            say(&format!("{}: {} places, {} bounds", to.display(), built.places, built.rings));
        }
        Places::Locate { file, latitude, longitude } => {
            let gazetteer = Gazetteer::open(file)?;
            let found = gazetteer.locate(*latitude, *longitude)?;
            let zone = gazetteer.zone_at(*latitude, *longitude)?;
            let words = [found.city, found.state, found.country, zone.map(|zone| zone.to_string())];
            say(&words.map(|word| word.unwrap_or_else(|| "-".into())).join(", "));
        }
    }
    Ok(())
}
