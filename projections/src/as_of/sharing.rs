//! Who shared their timeline with whom.

use std::collections::HashMap;

use calotype_eventstore::GlobalPosition;
use uuid::Uuid;

use super::reading::{Reading, row_of};
use crate::error::ProjectionError;
use crate::partners::{PartnerRow, Partners};
use crate::query::Queries;

impl Queries {
    /// Those of some sharings that there were at a moment.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn partners_then(
        &self,
        partner_ids: &[Uuid],
        position: GlobalPosition,
    ) -> Result<HashMap<Uuid, PartnerRow>, ProjectionError> {
        self.folded(partner_ids, Reading::whole("partner", position), row_of::<Partners>).await
    }
}
