//! Taking note of what administrators and auditors look at that is somebody else's.

use calotype_domain::admin_view::{AdminLook, AdminViewError, AdminViewed, RecordAdminView};
use calotype_eventstore::StreamId;
use uuid::Uuid;

use crate::context::CommandContext;
use crate::dispatch::{Commands, Outcome};
use crate::error::CommandError;
use crate::users::subject as user_subject;

impl Commands {
    /// Records that somebody looked, unless that is recorded of this hour. The address is forgotten with the account
    /// of who looked.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn record_admin_view(
        &self,
        ctx: &CommandContext,
        viewed: AdminViewed,
    ) -> Result<Outcome, CommandError<AdminViewError>> {
        let address = viewed.visitor.known().and_then(|visitor| visitor.address.as_deref());
        let of = viewed.of.map(|of| of.to_string()).unwrap_or_default();
        let name = format!(
            "{}/{of}/{}/{}",
            viewed.hour,
            viewed.what.as_str(),
            address.unwrap_or_default()
        );
        let name = self.keyring.hmac("admin-view", &name);
        let view_id = Uuid::new_v5(&viewed.admin_id.uuid(), name.as_bytes());
        let subject = Some(user_subject(viewed.admin_id));
        let stream_id = StreamId::new("admin_view", view_id);
        self.dispatch::<AdminLook>(ctx, stream_id, subject, &RecordAdminView(viewed)).await
    }
}
