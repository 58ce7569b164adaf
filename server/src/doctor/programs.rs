//! The programs that the server starts, and the files that come with it.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use calotype_media::decoder::{DecoderPool, Job, Want};
use calotype_media::gazetteer::Gazetteer;
use calotype_media::image::ImageWish;

use super::findings::Findings;
use crate::config::Config;
use crate::confinement::{self, Verdict};
use crate::embedded::{find_nats_server, find_places, find_postgres};
use crate::wiring::decoder_config;

/// A picture of one pixel, to try the decoder with.
const PICTURE: &[u8] =
    b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

pub(super) async fn look(config: &Config, findings: &mut Findings) {
    if config.database_url.is_none() {
        match find_postgres(&config.data, None) {
            Ok(found) => findings.good(&format!("PostgreSQL {} is installed", found.major)),
            Err(error) => findings.problem(&format!("PostgreSQL's programs are missing: {error}")),
        }
    }
    if config.nats_url.is_none() {
        match find_nats_server(&config.data) {
            Ok(_) => findings.good("nats-server is installed"),
            Err(error) => findings.problem(&format!("nats-server is missing: {error}")),
        }
    }
    decoder(findings).await;
    match confinement::verdict().await {
        Verdict::Whole(words) => findings.good(&words),
        Verdict::Open(words) => findings.note(&words),
        Verdict::Unknown(words) => findings.problem(&words),
    }
    for name in ["ffmpeg", "ffprobe"] {
        let Some(version) = version_of(name) else {
            findings.problem(&format!(
                "{name} does not run: films get no pictures; on Debian: apt-get install ffmpeg"
            ));
            continue;
        };
        if confinement::launcher().is_ok_and(|mut it| runs(it.args([name, "-version"]))) {
            findings.good(&format!("{name} {version} is installed"));
        } else {
            findings.problem(&format!(
                "{name} does not run when it is locked in: its libraries lie apart from it; \
                 name their folder in LD_LIBRARY_PATH"
            ));
        }
    }
    // Without arguments it tells how it is used, and ends as if that were an error.
    let dcraw = Command::new("dcraw_emu").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if dcraw.is_ok() {
        findings.good("dcraw_emu is installed");
    } else {
        findings.note(
            "dcraw_emu is missing: camera RAW without a picture inside gets none; \
             on Debian: apt-get install libraw-bin",
        );
    }
    places(config, findings);
}

fn runs(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// The third word of what ffmpeg and ffprobe say first.
fn version_of(name: &str) -> Option<String> {
    let said = Command::new(name).arg("-version").stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&said.stdout);
    let version = text.split_whitespace().nth(2).unwrap_or_default().to_owned();
    said.status.success().then_some(version)
}

/// Opens a picture in a child with all its limits, as the server does with every photo.
async fn decoder(findings: &mut Findings) {
    match try_decoder().await {
        Ok(()) => findings.good("the decoder opens a picture in its locked room"),
        Err(reason) => findings.problem(&format!("the decoder opens no pictures: {reason}")),
    }
}

async fn try_decoder() -> Result<(), String> {
    let told = |error: &dyn std::error::Error| error.to_string();
    let config = decoder_config().map_err(|error| error.to_string())?;
    let picture =
        Tried::new().map_err(|error| format!("cannot write a picture to try: {error}"))?;
    let want = Want { metadata: false, images: Some(ImageWish::default()) };
    let job = Job { source: picture.0.clone(), sidecar: None, want };
    let report = DecoderPool::new(config).run(&job).await.map_err(|error| told(&error))?;
    match report.images {
        Some(Ok(_)) => Ok(()),
        Some(Err(error)) => Err(told(&error)),
        None => Err("it made none".to_owned()),
    }
}

/// The picture as a file, for as long as the value lives.
struct Tried(PathBuf);

impl Tried {
    fn new() -> std::io::Result<Self> {
        use std::io::Write as _;
        let path = std::env::temp_dir().join(format!("calotype-doctor-{}", std::process::id()));
        let mut file = std::fs::File::create_new(&path)?;
        let tried = Self(path);
        file.write_all(PICTURE)?;
        Ok(tried)
    }
}

impl Drop for Tried {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).ok();
    }
}

fn places(config: &Config, findings: &mut Findings) {
    let Some(path) = find_places(&config.data) else {
        findings.note("the names of places are not installed: photos get no city");
        return;
    };
    match Gazetteer::open(&path) {
        Ok(found) => findings.good(&format!(
            "the names of places are {} {}",
            found.dataset(),
            found.version()
        )),
        Err(error) => findings.problem(&format!(
            "the names of places in {} cannot be read, so photos get no city: {error}",
            path.display()
        )),
    }
}
