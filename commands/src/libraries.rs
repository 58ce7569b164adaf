//! Wishes about external libraries, and what scans find in them.
//!
//! One path of a library is one asset: the reservation of the path and the asset's first events are written
//! in one transaction, so a file is imported once, whoever scans.

use std::collections::{BTreeMap, BTreeSet};

use calotype_domain::asset::{
    Asset, AssetCommand, AssetError, AssetImported, AssetUploaded, Blob, FileContent, FileFound,
    MediaKind, UploadedFile, Visibility,
};
use calotype_domain::event::Aggregate as _;
use calotype_domain::library::{
    Library, LibraryCommand, LibraryError, LibraryScanned, LibrarySettings,
};
use calotype_domain::reservation::{Reservation, ReservationCommand, ReservationError};
use calotype_domain::{AssetId, LibraryId, UserId};
use calotype_eventstore::StreamId;

use crate::assets::{stream as asset_stream, subject as asset_subject};
use crate::context::CommandContext;
use crate::dispatch::{ATTEMPTS_MAX, Commands, Outcome};
use crate::error::CommandError;

/// Files imported in one transaction; each is three events.
pub const IMPORT_FILES_MAX: usize = 300;

/// A file that a scan found and nobody knows.
#[derive(Clone, Debug, PartialEq)]
pub struct NewFile {
    /// The new asset's id.
    pub asset_id: AssetId,
    /// Where it lies, absolute.
    pub path: String,
    /// Picture or film, by extension.
    pub kind: MediaKind,
    /// What it holds.
    pub content: FileContent,
}

/// Files whose assets go along in one transaction; each is up to five events.
pub const MOVES_MAX: usize = 200;

/// A file that lies elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileMove {
    /// The asset.
    pub asset_id: AssetId,
    /// Where it was thought to lie.
    pub from: String,
    /// Where it lies.
    pub to: String,
    /// When the file there was last changed.
    pub modified_at: chrono::DateTime<chrono::Utc>,
}

fn stream(library_id: LibraryId) -> StreamId {
    StreamId::new("library", library_id)
}

/// The subject whose key seals what a library's events say.
fn subject(library_id: LibraryId) -> String {
    format!("library-{library_id}")
}

/// The last part of a path.
fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

impl Commands {
    /// The stream that holds who a path of a library is.
    pub(crate) fn path_stream(&self, library_id: LibraryId, path: &str) -> StreamId {
        let value = format!("{library_id}/{path}");
        StreamId::new("reservation", self.keyring.hmac("library-path", &value))
    }

    /// Makes a library.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn create_library(
        &self,
        ctx: &CommandContext,
        owner_id: UserId,
        settings: LibrarySettings,
    ) -> Result<(LibraryId, Outcome), CommandError<LibraryError>> {
        let library_id = LibraryId::new(self.new_id(ctx, "library"));
        let command = LibraryCommand::Create { owner_id, settings };
        let subject = Some(subject(library_id));
        let outcome = self.dispatch::<Library>(ctx, stream(library_id), subject, &command).await?;
        Ok((library_id, outcome))
    }

    /// Changes, scans or deletes a library. With a deleted one goes what it was called and where its folders
    /// lay.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn command_library(
        &self,
        ctx: &CommandContext,
        library_id: LibraryId,
        command: &LibraryCommand,
    ) -> Result<Outcome, CommandError<LibraryError>> {
        let subject = subject(library_id);
        let outcome = self
            .dispatch::<Library>(ctx, stream(library_id), Some(subject.clone()), command)
            .await?;
        if *command == LibraryCommand::Delete {
            self.store.forget(&subject).await?;
        }
        Ok(outcome)
    }

    /// Records what a scan did.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn record_scan(
        &self,
        ctx: &CommandContext,
        library_id: LibraryId,
        scanned: LibraryScanned,
    ) -> Result<Outcome, CommandError<LibraryError>> {
        let command = LibraryCommand::RecordScan(Box::new(scanned));
        self.command_library(ctx, library_id, &command).await
    }

    /// A library as its rules see it.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn library(
        &self,
        library_id: LibraryId,
    ) -> Result<Library, CommandError<LibraryError>> {
        self.load::<Library>(&stream(library_id)).await.map(|(library, _)| library)
    }

    /// Takes in files that nobody knows, at most [`IMPORT_FILES_MAX`], each path once. A path that became an
    /// asset meanwhile is left as it is. Says how many are new.
    ///
    /// # Errors
    /// See [`CommandError`]; then none is.
    pub async fn import_files(
        &self,
        ctx: &CommandContext,
        owner_id: UserId,
        library_id: LibraryId,
        files: &[NewFile],
    ) -> Result<(usize, Outcome), CommandError<AssetError>> {
        let paths: Vec<StreamId> =
            files.iter().map(|file| self.path_stream(library_id, &file.path)).collect();
        for attempt in 0..=ATTEMPTS_MAX {
            // First as if nobody had these paths, which is almost always so; the append finds out when not.
            let reserved = if attempt == 0 {
                vec![(Reservation::default(), None); files.len()]
            } else {
                let loaded = self.load_each::<Reservation>(&paths).await;
                loaded.map_err(|error| error.map_refusal(|_| AssetError::AlreadyExists))?
            };
            let (mut unit, mut imported) = (self.unit(ctx), 0);
            for ((file, path), (reservation, last)) in files.iter().zip(&paths).zip(reserved) {
                let holder_id = file.asset_id.uuid();
                let reserve = [ReservationCommand::Reserve { holder_id }];
                match unit.decide(&reservation, last, path.clone(), None, &reserve) {
                    Ok(()) => {}
                    Err(CommandError::Refused(ReservationError::Taken { .. })) => continue,
                    Err(error) => {
                        return Err(error.map_refusal(|_| AssetError::AlreadyExists));
                    }
                }
                let (uploaded, found) = self.as_asset(owner_id, library_id, file);
                let asset = Asset::default();
                let commands = [
                    AssetCommand::Upload(Box::new(uploaded)),
                    AssetCommand::File(Box::new(FileFound::Imported(found))),
                ];
                let events =
                    crate::assets::in_a_row(asset, &commands).map_err(CommandError::Refused)?;
                let subject = Some(asset_subject(file.asset_id));
                unit.record(None, asset_stream(file.asset_id), subject, &events)?;
                imported += 1;
            }
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok((imported, outcome));
            }
        }
        Err(CommandError::Contended)
    }

    /// The first events of a file's asset. Its checksum, by which phones know their own files again, is one
    /// that no file has: what lies in a library is no backup of a phone, as with Immich.
    fn as_asset(
        &self,
        owner_id: UserId,
        library_id: LibraryId,
        file: &NewFile,
    ) -> (AssetUploaded, AssetImported) {
        let checksum = self.keyring.hmac("library-asset", &file.asset_id.to_string());
        let content = file.content.clone();
        let uploaded = AssetUploaded {
            owner_id,
            kind: file.kind,
            original: Blob {
                key: format!("external/{}", file.asset_id),
                size_bytes: content.size_bytes,
                sha1: checksum.chars().take(SHA1_HEX_CHARS).collect(),
                blake3: content.blake3.clone(),
            },
            sidecar: None,
            file: UploadedFile { original_file_name: file_name(&file.path).to_owned() }.into(),
            file_created_at: content.modified_at,
            file_modified_at: content.modified_at,
            is_favorite: false,
            visibility: Visibility::Timeline,
            duration_ms: None,
            live_photo_video_id: None,
        };
        let path = file.path.clone().into();
        (uploaded, AssetImported { library_id, path, kind: file.kind, content })
    }

    /// A file that was known at one path lies at another: the asset goes with it.
    ///
    /// # Errors
    /// See [`CommandError`]; [`AssetError::AlreadyExists`] when the new path is an asset already.
    pub async fn relocate_file(
        &self,
        ctx: &CommandContext,
        library_id: LibraryId,
        asset_id: AssetId,
        (from, to): (&str, &str),
        modified_at: chrono::DateTime<chrono::Utc>,
    ) -> Result<Outcome, CommandError<AssetError>> {
        let taken = |error: CommandError<ReservationError>| {
            error.map_refusal(|_| AssetError::AlreadyExists)
        };
        let holder_id = asset_id.uuid();
        for _ in 0..ATTEMPTS_MAX {
            let mut unit = self.unit(ctx);
            let found =
                FileFound::Relocated { from: from.to_owned(), to: to.to_owned(), modified_at };
            let command = AssetCommand::File(Box::new(found));
            let subject = Some(asset_subject(asset_id));
            unit.apply::<Asset>(asset_stream(asset_id), subject, &command).await?;
            if !unit.has_events() {
                return Ok(Outcome::AlreadyTrue);
            }
            let (reserve, release) = (
                ReservationCommand::Reserve { holder_id },
                ReservationCommand::Release { holder_id },
            );
            let (new, old) = (self.path_stream(library_id, to), self.path_stream(library_id, from));
            unit.apply::<Reservation>(new, None, &reserve).await.map_err(taken)?;
            unit.apply::<Reservation>(old, None, &release).await.map_err(taken)?;
            if let Some(outcome) = unit.commit().await.map_err(CommandError::Append)? {
                return Ok(outcome);
            }
        }
        Err(CommandError::Contended)
    }

    /// As [`Commands::relocate_file`], of many, in few transactions. Says of each whether the asset went along;
    /// it did not where the new path is an asset already, or where the file was not known of any more.
    ///
    /// # Errors
    /// See [`CommandError`]; those before stay where they went.
    pub async fn relocate_files(
        &self,
        ctx: &CommandContext,
        library_id: LibraryId,
        moves: &[FileMove],
    ) -> Result<Vec<bool>, CommandError<AssetError>> {
        let mut went = Vec::with_capacity(moves.len());
        for (part, some) in moves.chunks(MOVES_MAX).enumerate() {
            let ctx = self.part_of(ctx, part);
            let paths: BTreeSet<&String> =
                some.iter().flat_map(|file| [&file.from, &file.to]).collect();
            if paths.len() == some.len() * 2 {
                went.extend(self.relocate_part(&ctx, library_id, some).await?);
                continue;
            }
            // One goes where another comes from: in a transaction, a stream is written to once.
            for (place, file) in some.iter().enumerate() {
                let ctx = self.part_of(&ctx, place + 1);
                let paths = (file.from.as_str(), file.to.as_str());
                let (id, at) = (file.asset_id, file.modified_at);
                let moved = self.relocate_file(&ctx, library_id, id, paths, at).await;
                went.push(match moved {
                    Ok(outcome) => outcome != Outcome::AlreadyTrue,
                    Err(CommandError::Refused(AssetError::AlreadyExists)) => false,
                    Err(error) => return Err(error),
                });
            }
        }
        Ok(went)
    }

    async fn relocate_part(
        &self,
        ctx: &CommandContext,
        library_id: LibraryId,
        moves: &[FileMove],
    ) -> Result<Vec<bool>, CommandError<AssetError>> {
        let taken = |error: CommandError<ReservationError>| {
            error.map_refusal(|_| AssetError::AlreadyExists)
        };
        let assets: Vec<StreamId> = moves.iter().map(|file| asset_stream(file.asset_id)).collect();
        let new: Vec<StreamId> =
            moves.iter().map(|file| self.path_stream(library_id, &file.to)).collect();
        let old: Vec<StreamId> =
            moves.iter().map(|file| self.path_stream(library_id, &file.from)).collect();
        for _ in 0..ATTEMPTS_MAX {
            let mut unit = self.unit(ctx);
            let loaded = self.load_each::<Asset>(&assets).await?;
            let reservations = self.load_each::<Reservation>(&new).await.map_err(taken)?;
            let releases = self.load_each::<Reservation>(&old).await.map_err(taken)?;
            let mut went = Vec::with_capacity(moves.len());
            let each = moves.iter().zip(loaded).zip(reservations.into_iter().zip(releases));
            for (place, ((file, (asset, last)), (reserved, released))) in each.enumerate() {
                let holder_id = file.asset_id.uuid();
                let found = FileFound::Relocated {
                    from: file.from.clone(),
                    to: file.to.clone(),
                    modified_at: file.modified_at,
                };
                let command = AssetCommand::File(Box::new(found));
                let events = crate::assets::in_a_row(asset, &[command]);
                let events = events.map_err(CommandError::Refused)?;
                let is_free = reserved.0.holder_id().is_none_or(|holder| holder == holder_id);
                went.push(is_free && !events.is_empty());
                if !is_free || events.is_empty() {
                    continue;
                }
                let subject = Some(asset_subject(file.asset_id));
                unit.record(last, asset_stream(file.asset_id), subject, &events)?;
                let (reserve, release) = (
                    [ReservationCommand::Reserve { holder_id }],
                    [ReservationCommand::Release { holder_id }],
                );
                let (new, old) = (new.get(place).cloned(), old.get(place).cloned());
                if let (Some(new), Some(old)) = (new, old) {
                    unit.decide(&reserved.0, reserved.1, new, None, &reserve).map_err(taken)?;
                    unit.decide(&released.0, released.1, old, None, &release).map_err(taken)?;
                }
            }
            if unit.commit().await.map_err(CommandError::Append)?.is_some() {
                return Ok(went);
            }
        }
        Err(CommandError::Contended)
    }

    /// Files that went where others came from, such as two that swapped their names: their assets go along in one
    /// transaction, all of them or none. At most [`MOVES_MAX`], no path twice as a beginning nor as an end. Says
    /// whether they did; they did not where one of the paths is another asset's, or a file was not known of.
    ///
    /// # Errors
    /// See [`CommandError`]; then none did.
    pub async fn relocate_together(
        &self,
        ctx: &CommandContext,
        library_id: LibraryId,
        moves: &[FileMove],
    ) -> Result<bool, CommandError<AssetError>> {
        let assets: Vec<StreamId> = moves.iter().map(|file| asset_stream(file.asset_id)).collect();
        let mut paths: BTreeMap<StreamId, Vec<ReservationCommand>> = BTreeMap::new();
        // Each path is let go before another has it.
        for file in moves {
            let release = ReservationCommand::Release { holder_id: file.asset_id.uuid() };
            paths.entry(self.path_stream(library_id, &file.from)).or_default().push(release);
        }
        for file in moves {
            let reserve = ReservationCommand::Reserve { holder_id: file.asset_id.uuid() };
            paths.entry(self.path_stream(library_id, &file.to)).or_default().push(reserve);
        }
        let streams: Vec<StreamId> = paths.keys().cloned().collect();
        for _ in 0..ATTEMPTS_MAX {
            let mut unit = self.unit(ctx);
            let loaded = self.load_each::<Asset>(&assets).await?;
            for (file, (asset, last)) in moves.iter().zip(loaded) {
                let found = FileFound::Relocated {
                    from: file.from.clone(),
                    to: file.to.clone(),
                    modified_at: file.modified_at,
                };
                let command = AssetCommand::File(Box::new(found));
                let events = crate::assets::in_a_row(asset, &[command]);
                let events = events.map_err(CommandError::Refused)?;
                if events.is_empty() {
                    return Ok(false);
                }
                let subject = Some(asset_subject(file.asset_id));
                unit.record(last, asset_stream(file.asset_id), subject, &events)?;
            }
            let loaded = self.load_each::<Reservation>(&streams).await;
            let loaded =
                loaded.map_err(|error| error.map_refusal(|_| AssetError::AlreadyExists))?;
            for ((path, commands), (mut reservation, last)) in paths.iter().zip(loaded) {
                let mut events = Vec::new();
                for command in commands {
                    let Ok(decided) = reservation.decide(command) else { return Ok(false) };
                    decided.iter().for_each(|event| reservation.evolve(event));
                    events.extend(decided);
                }
                unit.record(last, path.clone(), None, &events)?;
            }
            if unit.commit().await.map_err(CommandError::Append)?.is_some() {
                return Ok(true);
            }
        }
        Err(CommandError::Contended)
    }

    /// Records what was found of files that are known. What is known already is not recorded again.
    ///
    /// # Errors
    /// See [`CommandError`]; what was recorded stays.
    pub async fn record_files(
        &self,
        ctx: &CommandContext,
        found: Vec<(AssetId, FileFound)>,
    ) -> Result<Outcome, CommandError<AssetError>> {
        let each: Vec<(AssetId, [AssetCommand; 1])> = found
            .into_iter()
            .map(|(asset_id, found)| (asset_id, [AssetCommand::File(Box::new(found))]))
            .collect();
        let mut outcome = Outcome::AlreadyTrue;
        for (part, chunk) in each.chunks(IMPORT_FILES_MAX).enumerate() {
            let ctx = self.part_of(ctx, part);
            outcome = outcome.then(self.bulk_part(&ctx, chunk, None).await?);
        }
        Ok(outcome)
    }
}

/// Length of a SHA-1 in hexadecimal digits.
const SHA1_HEX_CHARS: usize = 40;
