//! Who is calling: shared link, session, API key, or nobody; looked up once and cached until something changes.
//!
//! The first credential present decides; there is no falling back to the next when it is wrong.

mod credential;
mod in_use;
mod key;
mod known;
mod look_up;

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts as RequestParts;
use axum::http::{HeaderMap, HeaderValue};
use calotype_commands::CommandContext;
use calotype_commands::context::{Actor, ActorKind};
use calotype_domain::access::{Grant, Object, Viewer, check};
use calotype_domain::permission::Permission;
use calotype_domain::{CommandId, UserId};
use calotype_projections::api_keys::ApiKeyRow;
use calotype_projections::sessions::SessionRow;
use calotype_projections::shared_links::SharedLinkRow;
use calotype_projections::users::UserRow;
use chrono::{DateTime, Utc};

use crate::links;
use crate::peer;
use crate::problem::Problem;
use crate::state::Api;
use crate::trace::Trace;

pub use credential::cookie;
pub use known::{Callers, Known, Via};
pub use look_up::authenticate;
use look_up::known;

/// The caller of a request; extracting it answers 401 when there is none.
#[derive(Clone, Debug)]
pub struct Caller {
    known: Arc<Known>,
    client: Option<String>,
    command_id: CommandId,
    correlation_id: uuid::Uuid,
    now: DateTime<Utc>,
    key: Option<HeaderValue>,
    address: Option<IpAddr>,
}

impl Caller {
    /// The person.
    #[must_use]
    pub fn user(&self) -> &UserRow {
        &self.known.user
    }

    /// The person's id.
    #[must_use]
    pub fn user_id(&self) -> UserId {
        self.known.viewer.user_id
    }

    /// From which address the request came, where that is known.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// The session, when it is one.
    #[must_use]
    pub fn session(&self) -> Option<&SessionRow> {
        match &self.known.via {
            Via::Session(session) => Some(session),
            Via::ApiKey(_) | Via::SharedLink(_) => None,
        }
    }

    /// The key, when it is one.
    #[must_use]
    pub fn api_key(&self) -> Option<&ApiKeyRow> {
        match &self.known.via {
            Via::ApiKey(api_key) => Some(api_key),
            Via::Session(_) | Via::SharedLink(_) => None,
        }
    }

    /// The shared link, when it is one.
    #[must_use]
    pub fn link(&self) -> Option<&SharedLinkRow> {
        match &self.known.via {
            Via::SharedLink(link) => Some(link),
            Via::Session(_) | Via::ApiKey(_) => None,
        }
    }

    /// Whether what files say about themselves is shown: always but by links that hide it.
    #[must_use]
    pub fn shows_metadata(&self) -> bool {
        self.link().is_none_or(|link| link.show_metadata)
    }

    /// The caller of a request that goes on for long, looked up once more.
    ///
    /// # Errors
    /// 401 when they are nobody any more.
    pub(crate) async fn again(
        api: &Api,
        headers: &HeaderMap,
        query: Option<&str>,
    ) -> Result<Self, Problem> {
        authenticate(api, headers, query).await
    }

    /// Whether it is a session that gave the PIN lately.
    #[must_use]
    pub fn is_elevated(&self) -> bool {
        matches!(self.known.viewer.grant, Grant::Session { elevated: true })
    }

    /// Whether what is behind the PIN is open.
    ///
    /// # Errors
    /// 401 in Immich's words.
    pub fn require_elevated(&self) -> Result<(), Problem> {
        if self.is_elevated() {
            return Ok(());
        }
        Err(Problem::unauthorized("Elevated permission is required"))
    }

    /// What the rules need to know of the caller.
    #[must_use]
    pub fn viewer(&self) -> &Viewer {
        &self.known.viewer
    }

    /// What the rules need to know of the person behind a key, where the route has asked the key already:
    /// a key for putting assets into albums need not name the sharing of assets, too.
    #[must_use]
    pub fn person(&self) -> &Viewer {
        &self.known.person
    }

    /// Whether this route may be used at all.
    ///
    /// # Errors
    /// 403 in Immich's words.
    pub fn require(&self, permission: Permission) -> Result<(), Problem> {
        check(&self.known.viewer, permission, Object::Route { admin: false })
            .map_err(|denied| Problem::denied(denied, permission))
    }

    /// Whether this administrators' route may be used.
    ///
    /// # Errors
    /// 403 in Immich's words.
    pub fn require_admin(&self, permission: Permission) -> Result<(), Problem> {
        check(&self.known.viewer, permission, Object::Route { admin: true })
            .map_err(|denied| Problem::denied(denied, permission))
    }

    /// Whether this route may be used at all, where shared links may use it too.
    ///
    /// # Errors
    /// 403 in Immich's words.
    pub fn require_shared(&self, permission: Permission) -> Result<(), Problem> {
        check(&self.known.viewer, permission, Object::SharedRoute)
            .map_err(|denied| Problem::denied(denied, permission))
    }

    /// The caller, with a key that may do one thing more: where the route's own permission stands for it.
    #[must_use]
    pub fn granted(&self, permission: Permission) -> Self {
        let mut caller = self.clone();
        if let Grant::ApiKey { permissions } = &mut Arc::make_mut(&mut caller.known).viewer.grant {
            permissions.push(permission);
        }
        caller
    }

    /// The context of this request's command. One request is one command; a handler that dispatches
    /// several takes [`Caller::next_context`] for each further one.
    #[must_use]
    pub fn context(&self) -> CommandContext {
        let (kind, id) = match &self.known.via {
            Via::Session(session) => (ActorKind::User, session.session_id),
            Via::ApiKey(api_key) => (ActorKind::ApiKey, api_key.api_key_id),
            Via::SharedLink(link) => (ActorKind::SharedLink, link.shared_link_id),
        };
        CommandContext {
            actor: Actor { kind, id: id.to_string(), user_id: Some(self.user_id().uuid()) },
            client: self.client.clone(),
            command_id: self.command_id,
            correlation_id: self.correlation_id,
            causation_id: None,
            now: self.now,
        }
    }

    /// A context for a further command of the same request.
    #[must_use]
    pub fn next_context(&self, api: &Api) -> CommandContext {
        CommandContext { command_id: CommandId::new(api.commands.ids().v7()), ..self.context() }
    }
}

impl FromRequestParts<Api> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut RequestParts, api: &Api) -> Result<Self, Problem> {
        let caller = at_the_door(parts, api).await?;
        if let Some(link) = caller.link() {
            if !links::is_open_to(link, &parts.headers) {
                return Err(Problem::unauthorized("Password required"));
            }
            let peer = peer::of(parts, api);
            links::note(api, link, peer, &parts.headers).await;
        }
        Ok(caller)
    }
}

/// The caller of a request, who may hold a shared link without having given its password yet.
pub(crate) struct AtTheDoor(pub(crate) Caller);

impl FromRequestParts<Api> for AtTheDoor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut RequestParts, api: &Api) -> Result<Self, Problem> {
        at_the_door(parts, api).await.map(Self)
    }
}

async fn at_the_door(parts: &RequestParts, api: &Api) -> Result<Caller, Problem> {
    let mut caller = known(api, &parts.headers, parts.uri.query()).await?;
    caller.address = peer::of(parts, api).address;
    if let Some(trace) = parts.extensions.get::<Trace>() {
        caller.correlation_id = trace.correlation_id();
        trace.note_user(caller.user_id());
    }
    Ok(caller)
}
