//! A folder as people have them after years: albums, sidecars, the same photos twice, odd names, links; and what a
//! library has of it. Tests import a thousand of its files, soaks a hundred thousand.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::answer::sha1_hex;
use crate::client::Client;
use crate::jpeg::with_comment;
use crate::media::media;
use crate::server::{TestServer, Victim};
use crate::waiting::until;

/// A small photo of which others are made.
const PICTURE: &str = "photos/edge/rating_1.jpg";
/// Files of one folder, which becomes an album.
const FOLDER_FILES: usize = 50;
/// One file in so many has a sidecar, has a copy elsewhere, has an odd name, is linked to.
const SIDECAR_EVERY: usize = 5;
const COPY_EVERY: usize = 10;
const ODD_EVERY: usize = 7;
const LINK_EVERY: usize = 40;
/// Assets of one page.
const PAGE: usize = 1_000;
/// How long a part of an import may take.
const LIMIT: Duration = Duration::from_secs(3_600);

/// What was put into a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grown {
    /// Photos with bytes of their own.
    pub photos: usize,
    /// Links that lead nowhere: they fail, and nothing else does.
    pub broken: usize,
}

/// Fills a folder with so many different photos.
///
/// # Errors
/// The disk refuses.
pub fn grow(folder: &Path, photos: usize, seed: u64) -> anyhow::Result<Grown> {
    let picture = std::fs::read(media(PICTURE)?)?;
    let mut random = StdRng::seed_from_u64(seed);
    let mut grown = Grown { photos, broken: 0 };
    let mut before: Option<PathBuf> = None;
    for number in 0..photos {
        let place = number / FOLDER_FILES;
        let inner = folder.join(folder_name(place));
        if number % FOLDER_FILES == 0 {
            std::fs::create_dir_all(&inner)?;
            std::os::unix::fs::symlink(folder, inner.join("back"))?;
            std::os::unix::fs::symlink("nowhere", inner.join("lost.jpg"))?;
            grown.broken += 1;
            std::fs::write(inner.join("notes.txt"), "no photo")?;
        }
        let bytes = with_comment(&picture, &format!("{seed} {number} {}", random.random::<u64>()));
        let path = inner.join(file_name(number));
        std::fs::write(&path, &bytes)?;
        if number % SIDECAR_EVERY == 0 {
            let mut beside = path.clone().into_os_string();
            beside.push(".xmp");
            // A name that has no room for four more letters has its sidecar nowhere.
            if Path::new(&beside).file_name().is_some_and(|name| name.len() <= 255) {
                std::fs::write(&beside, sidecar(number))?;
            }
        }
        if let Some(other) = before.filter(|_| number % COPY_EVERY == 0) {
            std::fs::write(other.join(format!("copy {number}.jpg")), &bytes)?;
        }
        if number % LINK_EVERY == 1 {
            std::os::unix::fs::symlink(&path, inner.join(format!("link {number}.jpg")))?;
        }
        before = Some(inner);
    }
    Ok(grown)
}

fn folder_name(place: usize) -> String {
    match place % 4 {
        0 => format!("Urlaub Größe ☀ {place}"),
        1 => format!("two\nlines {place}"),
        2 => format!("{place} {}", "x".repeat(200)),
        _ => format!("Album {place}"),
    }
}

fn file_name(number: usize) -> OsString {
    if !number.is_multiple_of(ODD_EVERY) {
        return format!("IMG_{number:06}.jpg").into();
    }
    match (number / ODD_EVERY) % 4 {
        0 => format!("Été ☀ {number}.jpg").into(),
        1 => format!("a\nb\t{number}.jpg").into(),
        2 => {
            OsString::from_vec([b"no \xff utf8 ", number.to_string().as_bytes(), b".jpg"].concat())
        }
        _ => format!("{number:06}{}.jpg", "x".repeat(245)).into(),
    }
}

fn sidecar(number: usize) -> String {
    format!(
        r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="{}"/></rdf:RDF></x:xmpmeta>"#,
        number % 5 + 1
    )
}

/// What a library has, told by bytes and names instead of by ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The albums of each photo, by its SHA-1 in base64.
    pub photos: BTreeMap<String, BTreeSet<String>>,
    /// How many stored files have these bytes: originals and sidecars, also those that belong to nothing.
    pub files: BTreeMap<String, usize>,
}

impl Kept {
    /// Looks at a library.
    ///
    /// # Errors
    /// The server does not answer, or tells a photo twice.
    pub async fn by(client: &Client, data: &Path) -> anyhow::Result<Self> {
        let mut kept = Self { files: files(&data.join("library"))?, ..Self::default() };
        for sha1 in found(client, &json!({})).await? {
            ensure!(kept.photos.insert(sha1.clone(), BTreeSet::new()).is_none(), "{sha1} twice");
        }
        for album in client.get_json("/api/albums").await?.as_array().into_iter().flatten() {
            let name = album["albumName"].as_str().context("an album without a name")?;
            let found = found(client, &json!({ "albumIds": [album["id"]] })).await?;
            ensure!(album["assetCount"] == found.len(), "{album} has {}", found.len());
            for sha1 in found {
                let albums =
                    kept.photos.get_mut(&sha1).context("an album with an unknown photo")?;
                ensure!(albums.insert(name.to_owned()), "two albums are called {name}");
            }
        }
        Ok(kept)
    }

    /// Refuses a library that is not the same.
    ///
    /// # Errors
    /// It is not; the message says how much differs.
    pub fn ensure_is(&self, other: &Self) -> anyhow::Result<()> {
        let differ = |(sha1, albums): &(&String, &BTreeSet<String>)| {
            other.photos.get(*sha1) != Some(*albums)
        };
        let first: Vec<_> = self.photos.iter().filter(differ).take(3).collect();
        ensure!(
            self.photos == other.photos,
            "{} photos, not {}; the first that differ: {first:?}",
            self.photos.len(),
            other.photos.len()
        );
        let (here, there) =
            (self.files.values().sum::<usize>(), other.files.values().sum::<usize>());
        ensure!(self.files == other.files, "{here} stored files, not {there}, or other bytes");
        Ok(())
    }
}

/// The SHA-1 of every asset that a search finds, in base64.
async fn found(client: &Client, wish: &Value) -> anyhow::Result<Vec<String>> {
    let (mut found, mut page) = (Vec::new(), json!(1));
    loop {
        let mut wish = wish.clone();
        wish["page"] = page;
        wish["size"] = json!(PAGE);
        let answer = client.post("/api/search/metadata", &wish).await?.expect(200)?.json()?;
        for item in answer["assets"]["items"].as_array().context("no items")? {
            found.push(item["checksum"].as_str().context("no checksum")?.to_owned());
        }
        match answer["assets"]["nextPage"].as_str() {
            Some(next) => page = json!(next.parse::<usize>()?),
            None => return Ok(found),
        }
    }
}

fn files(folder: &Path) -> anyhow::Result<BTreeMap<String, usize>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                *files.entry(sha1_hex(&std::fs::read(entry.path())?)).or_default() += 1;
            }
        }
    }
    Ok(files)
}

/// How an import is disturbed.
#[derive(Clone, Copy, Debug)]
pub struct Disturbance {
    /// Chooses the moments.
    pub seed: u64,
    /// How often the importer is killed.
    pub importer: usize,
    /// How often the server is killed.
    pub server: usize,
}

/// Imports until the importer ends by itself, while it and the server are killed at moments that a seed chooses: when
/// so many photos are there. Says how the last importer ended.
///
/// # Errors
/// Something does not come back, or the import does not go on.
pub async fn import_disturbed(
    server: &mut TestServer,
    admin: &Client,
    photos: usize,
    wanted: Disturbance,
    start: impl Fn(&TestServer) -> anyhow::Result<Command>,
) -> anyhow::Result<std::process::ExitStatus> {
    let mut random = StdRng::seed_from_u64(wanted.seed);
    let mut kills: Vec<(u64, bool)> = (0..wanted.importer + wanted.server)
        .map(|kill| {
            (random.random_range(0..u64::try_from(photos).unwrap_or(1)), kill < wanted.importer)
        })
        .collect();
    kills.sort_unstable();
    let run = |server: &TestServer| -> anyhow::Result<Child> {
        let mut command = start(server)?;
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        command.kill_on_drop(true).spawn().context("failed to start the importer")
    };
    let mut importer = run(server)?;
    for (reached, is_importer) in kills {
        until("a part of the import", LIMIT, async || {
            // Where the last part came at once, there is nothing left to wait for.
            let is_over = importer.try_wait()?.is_some();
            Ok((is_over || count(admin).await? >= reached).then_some(()))
        })
        .await?;
        if is_importer {
            importer.kill().await?;
            importer = run(server)?;
        } else {
            server.kill(Victim::Server).await?;
            server.go_on().await?;
        }
    }
    tokio::time::timeout(LIMIT, importer.wait())
        .await
        .context("the importer does not end")?
        .context("it is lost")
}

async fn count(client: &Client) -> anyhow::Result<u64> {
    let told = client.get_json("/api/assets/statistics?isTrashed=false").await?;
    told["total"].as_u64().with_context(|| format!("no count: {told}"))
}
