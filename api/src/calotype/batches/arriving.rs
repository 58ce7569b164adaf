//! A file of a batch on its way: what must hold before its bytes come, and what becomes of them.

use calotype_commands::CommandContext;
use calotype_commands::batches::{NewEntry, asset_id_in};
use calotype_domain::permission::Permission;
use calotype_domain::{BatchId, UserId};
use calotype_media::blob::{BlobError, BlobKey, StagedBlob};
use calotype_projections::ProjectionError;
use uuid::Uuid;

use super::wish::{FileName, named_file};
use crate::assets::dto::hex;
use crate::assets::receive;
use crate::assets::wish::owned;
use crate::caller::Caller;
use crate::integrity::heal;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// A file that its batch takes.
pub(in crate::calotype) struct Arriving {
    batch_id: BatchId,
    owner_id: UserId,
    file: FileName,
    /// Whether its bytes count against a quota.
    is_counted: bool,
    /// Whether it may take the place of the same bytes of its owner's that are lost or damaged.
    mends: bool,
}

impl Arriving {
    /// Whether a batch of the caller's takes a file of this name.
    ///
    /// # Errors
    /// 400 for names that are none, for a batch that is not theirs, and for one that is closed.
    pub(in crate::calotype) async fn expect(
        api: &Api,
        caller: &Caller,
        batch_id: Uuid,
        sha1: &str,
        mut fields: Fields,
    ) -> Result<Self, Problem> {
        let file = named_file(&mut fields, sha1);
        let mends = fields.boolean("mends").unwrap_or_default();
        fields.finish()?;
        let (batch_id, owner_id) = (BatchId::new(batch_id), caller.user_id());
        require_open(api, caller, batch_id).await?;
        let is_counted = caller.user().quota_size_bytes.is_some();
        Ok(Self { batch_id, owner_id, file, is_counted, mends })
    }

    /// The key that the file's asset will have; none where its client does not know its BLAKE3.
    pub(in crate::calotype) fn key(&self) -> Option<BlobKey> {
        self.file.blake3.as_ref().map(|blake3| self.key_of(blake3))
    }

    /// The key is made of the batch and of the file's digests: the same file sent again is the same file.
    fn key_of(&self, blake3: &str) -> BlobKey {
        let asset_id = asset_id_in(self.batch_id, &self.file.sha1, blake3);
        BlobKey::original(self.owner_id.uuid(), asset_id.uuid(), self.file.extension)
    }

    /// Whether its client said its BLAKE3.
    pub(in crate::calotype) const fn has_blake3(&self) -> bool {
        self.file.blake3.is_some()
    }

    /// Its batch.
    pub(in crate::calotype) const fn batch_id(&self) -> BatchId {
        self.batch_id
    }

    /// Puts the bytes where a commit finds them, durably; or in the place of the same bytes that are lost. Says their
    /// BLAKE3.
    ///
    /// # Errors
    /// 400 for other bytes than those that were named, 500, 503 and 507 when they cannot be kept.
    pub(in crate::calotype) async fn keep(
        self,
        api: &Api,
        context: &CommandContext,
        staged: StagedBlob,
    ) -> Result<String, Problem> {
        let blake3 = hex(&staged.blake3);
        let is_another = self.file.blake3.as_ref().is_some_and(|said| *said != blake3);
        if hex(&staged.sha1) != self.file.sha1 || is_another {
            return Err(Problem::bad_request("The body has other digests"));
        }
        if self.mends
            && let Some(asset_id) = owned(api, self.owner_id, self.file.sha1.clone()).await?
        {
            heal::heal(api, context, self.owner_id, asset_id, staged).await?;
            return Ok(blake3);
        }
        let key = self.key_of(&blake3);
        if !self.has_blake3() {
            // No check could say where it would lie.
            let keys = [key.as_str().to_owned()];
            let noted =
                api.incoming.expected(self.batch_id, self.owner_id, &keys, context.now).await;
            noted.map_err(|error| Problem::from(ProjectionError::from(error)))?;
        }
        let size_bytes = i64::try_from(staged.size_bytes).unwrap_or(i64::MAX);
        match staged.commit(&key).await {
            Ok(()) => {}
            // Sent twice: under this key lie these bytes and no others.
            Err(BlobError::Exists { .. }) => return Ok(blake3),
            Err(error) => return Err(receive::storage(&error)),
        }
        if self.is_counted {
            let files = [(key.as_str().to_owned(), size_bytes)];
            let noted = api.incoming.arrived(self.batch_id, self.owner_id, &files, context.now);
            noted.await.map_err(|error| Problem::from(ProjectionError::from(error)))?;
        }
        Ok(blake3)
    }
}

/// Whether the caller may send files of a batch.
///
/// # Errors
/// As [`Caller::require_owned`], and 400 where it takes nothing more.
pub(super) async fn require_open(
    api: &Api,
    caller: &Caller,
    batch_id: BatchId,
) -> Result<(), Problem> {
    // The read model has it in one row; the log is asked when files are committed.
    let row = api.queries.batch(batch_id.uuid()).await?;
    caller.require_owned(Permission::AssetUpload, row.as_ref().map(|row| row.owner_id))?;
    if row.is_none_or(|row| row.closed_at.is_some()) {
        return Err(Problem::bad_request("batch is closed"));
    }
    Ok(())
}

/// Notes that committed files are waited for no more. Where that fails it does no harm: the log speaks for them.
pub(super) async fn settle(api: &Api, batch_id: BatchId, entries: &[NewEntry]) {
    let stored = entries.iter().filter(|entry| entry.is_stored);
    let keys: Vec<String> = stored.map(|entry| entry.uploaded.original.key.clone()).collect();
    if let Err(error) = api.incoming.settled(batch_id, &keys).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "files go on being waited for");
    }
}
