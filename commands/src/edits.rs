//! Editing photos without touching their files, and the files that are made of them.

use calotype_domain::asset::{AssetCommand, AssetEdit, AssetError, DerivedFile, EditAction};
use calotype_domain::{AssetId, EditId, UserId};

use crate::context::CommandContext;
use crate::dispatch::{Commands, Outcome};
use crate::error::CommandError;

impl Commands {
    /// Shows a photo edited so, and in no other way. The same edits once more change nothing.
    ///
    /// # Errors
    /// See [`CommandError`] and [`calotype_domain::asset::EditRefusal`].
    pub async fn edit_asset(
        &self,
        ctx: &CommandContext,
        by: UserId,
        asset_id: AssetId,
        actions: &[EditAction],
    ) -> Result<Outcome, CommandError<AssetError>> {
        let edit =
            |does: &EditAction| AssetEdit { edit_id: EditId::new(self.ids.v4()), does: *does };
        let edits = actions.iter().map(edit).collect();
        self.bulk(ctx, &[asset_id], &[AssetCommand::Edit { by, edits }]).await
    }

    /// Shows a photo as its file has it.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn remove_edits(
        &self,
        ctx: &CommandContext,
        by: UserId,
        asset_id: AssetId,
    ) -> Result<Outcome, CommandError<AssetError>> {
        self.bulk(ctx, &[asset_id], &[AssetCommand::RemoveEdits { by }]).await
    }

    /// Deletes one of the files beside an original; one that is not there stays away.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn delete_asset_file(
        &self,
        ctx: &CommandContext,
        by: UserId,
        asset_id: AssetId,
        file: DerivedFile,
    ) -> Result<Outcome, CommandError<AssetError>> {
        self.bulk(ctx, &[asset_id], &[AssetCommand::DeleteFile { by, file }]).await
    }
}
