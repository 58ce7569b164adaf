//! A request that needs no credentials: what is known about it all the same.

use axum::extract::FromRequestParts;
use axum::http::request::Parts as RequestParts;
use calotype_commands::CommandContext;
use calotype_commands::context::{Actor, ActorKind};
use calotype_domain::session::Device;
use calotype_domain::{CommandId, UserId};
use uuid::Uuid;

use crate::clients;
use crate::peer::Peer;
use crate::problem::Problem;
use crate::state::Api;
use crate::trace::Trace;

/// A visitor who has not said yet who they are.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    /// From where.
    pub(crate) peer: Peer,
    /// With which device.
    pub(crate) device: Device,
    client: Option<String>,
    trace: Trace,
}

impl Visit {
    /// A context for a command of this visitor, who turned out to be this user.
    pub(crate) fn context_of(&self, api: &Api, user_id: UserId) -> CommandContext {
        self.trace.note_user(user_id);
        CommandContext {
            actor: Actor {
                kind: ActorKind::User,
                id: user_id.to_string(),
                user_id: Some(user_id.uuid()),
            },
            ..self.context(api)
        }
    }

    /// A context for a command of a visitor who is nobody yet.
    pub(crate) fn context(&self, api: &Api) -> CommandContext {
        CommandContext {
            client: self.client.clone(),
            command_id: CommandId::new(api.commands.ids().v7()),
            correlation_id: self.trace.correlation_id(),
            ..api.system_context()
        }
    }
}

impl FromRequestParts<Api> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut RequestParts, api: &Api) -> Result<Self, Problem> {
        let Ok(peer) = Peer::from_request_parts(parts, api).await;
        let trace =
            parts.extensions.get::<Trace>().cloned().unwrap_or_else(|| Trace::new(Uuid::nil()));
        Ok(Self {
            peer,
            device: clients::device(&parts.headers),
            client: clients::name(&parts.headers),
            trace,
        })
    }
}
