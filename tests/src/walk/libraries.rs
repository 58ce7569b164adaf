//! Steps of a walk that make libraries and find files in them. They draw from a source of their own, so that
//! what seeds say about the rest of a walk stays true.

use calotype_commands::assets::Doomed;
use calotype_commands::libraries::{FileMove, NewFile};
use calotype_domain::asset::Purging;
use calotype_domain::asset::{FileContent, FileFound, MediaKind};
use calotype_domain::library::{LibraryCommand, LibraryScanned, LibrarySettings, ScanCounts};
use calotype_domain::{AssetId, LibraryId, UserId};
use rand::Rng as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;

use super::step::accept;
use super::world::World;

/// How often a step of a walk is followed by one of a library.
const OFTEN: f64 = 0.08;

/// What a walk knows of libraries.
pub(super) struct Libraries {
    pub(super) random: StdRng,
    made: Vec<(UserId, LibraryId)>,
    files: Vec<File>,
}

/// A file that is an asset.
#[derive(Clone)]
struct File {
    owner_id: UserId,
    library_id: LibraryId,
    asset_id: AssetId,
    path: String,
}

impl Libraries {
    pub(super) const fn new(random: StdRng) -> Self {
        Self { random, made: Vec::new(), files: Vec::new() }
    }

    fn path(&mut self) -> String {
        format!("/photos/{}/{}.jpg", self.random.random_range(0..3), self.random.random_range(0..9))
    }

    fn content(&mut self) -> FileContent {
        let number: u32 = self.random.random_range(0..20);
        let modified_at = chrono::DateTime::from_timestamp(1_700_000_000 + i64::from(number), 0);
        FileContent {
            size_bytes: u64::from(number) + 1,
            blake3: format!("{number:064x}"),
            modified_at: modified_at.unwrap_or_default(),
        }
    }
}

impl World {
    /// Now and then, something about a library.
    pub(super) async fn library_step(&mut self) -> anyhow::Result<()> {
        if self.users.is_empty() || !self.libraries.random.random_bool(OFTEN) {
            return Ok(());
        }
        let Some((owner_id, library_id)) = self.libraries.made.choose(&mut self.libraries.random)
        else {
            return self.make_library().await;
        };
        let (owner_id, library_id) = (*owner_id, *library_id);
        match self.libraries.random.random_range(0..20) {
            0 => self.make_library().await,
            1 => self.change_library(library_id).await,
            2..9 => self.import(owner_id, library_id).await,
            _ => self.find_file().await,
        }
    }

    async fn make_library(&mut self) -> anyhow::Result<()> {
        let Some(owner_id) = self.users.choose(&mut self.libraries.random).copied() else {
            return Ok(());
        };
        let settings = LibrarySettings {
            name: "Attic".into(),
            import_paths: vec!["/photos".into()],
            exclusion_patterns: vec![],
        };
        let made = self.commands.create_library(&self.context(None), owner_id, settings).await;
        if let Some((library_id, _)) = accept(made)? {
            self.libraries.made.push((owner_id, library_id));
        }
        Ok(())
    }

    async fn change_library(&mut self, library_id: LibraryId) -> anyhow::Result<()> {
        let roots = vec![].into();
        let scanned = LibraryScanned { scan: 1, counts: ScanCounts::default(), roots };
        let command = match self.libraries.random.random_range(0..4) {
            0 => LibraryCommand::Delete,
            1 => LibraryCommand::RecordScan(Box::new(scanned)),
            2 => LibraryCommand::Change(LibrarySettings::default()),
            _ => LibraryCommand::RequestScan,
        };
        let ctx = self.context(None);
        let done = self.commands.command_library(&ctx, library_id, &command).await;
        accept(done).map(drop)
    }

    async fn import(&mut self, owner_id: UserId, library_id: LibraryId) -> anyhow::Result<()> {
        let mut files = Vec::new();
        for _ in 0..self.libraries.random.random_range(1..4) {
            let path = self.libraries.path();
            if files.iter().all(|file: &NewFile| file.path != path) {
                files.push(NewFile {
                    asset_id: AssetId::new(self.commands.ids().v4()),
                    path,
                    kind: MediaKind::Image,
                    content: self.libraries.content(),
                });
            }
        }
        let ctx = self.context(None);
        accept(self.commands.import_files(&ctx, owner_id, library_id, &files).await)?;
        for NewFile { asset_id, path, .. } in files {
            self.libraries.files.push(File { owner_id, library_id, asset_id, path });
        }
        Ok(())
    }

    async fn find_file(&mut self) -> anyhow::Result<()> {
        let libraries = &mut self.libraries;
        let Some(file) = libraries.files.choose(&mut libraries.random).cloned() else {
            return Ok(());
        };
        let (to, content) = (libraries.path(), libraries.content());
        let File { owner_id, library_id, asset_id, path } = file;
        let ctx = self.context(None);
        let found = match self.libraries.random.random_range(0..10) {
            0 => {
                let doomed = Doomed { why: Purging::Library, owner_id, asset_id, sha1: "" };
                let purged = self.commands.purge_assets(&ctx, &[doomed]).await;
                return accept(purged).map(drop);
            }
            1..4 => {
                let at = content.modified_at;
                let file = FileMove { asset_id, from: path, to: to.clone(), modified_at: at };
                let moved = self.commands.relocate_files(&ctx, library_id, &[file]).await;
                if accept(moved)?.is_some_and(|went| went == [true]) {
                    let known = self.libraries.files.iter_mut();
                    known
                        .filter(|file| file.asset_id == asset_id)
                        .for_each(|file| file.path.clone_from(&to));
                }
                return Ok(());
            }
            4..7 => FileFound::Missing { path },
            7..9 => FileFound::There { path },
            _ => FileFound::Holds { path, content },
        };
        accept(self.commands.record_files(&ctx, vec![(asset_id, found)]).await).map(drop)
    }
}
