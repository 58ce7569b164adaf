//! Who is calling: shared link, session, API key, or nobody; looked up once and cached until something changes.
//!
//! The first credential present decides; there is no falling back to the next when it is wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts as RequestParts;
use axum::http::{HeaderMap, header};
use calotype_commands::CommandContext;
use calotype_commands::context::{Actor, ActorKind};
use calotype_commands::session_uses::USE_KEPT_EVERY;
use calotype_commands::token;
use calotype_domain::access::{Grant, Object, Viewer, check};
use calotype_domain::album::AlbumEvent;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::permission::Permission;
use calotype_domain::session::SessionCommand;
use calotype_domain::{CommandId, SessionId, SharedLinkId, UserId};
use calotype_projections::Event;
use calotype_projections::api_keys::ApiKeyRow;
use calotype_projections::sessions::SessionRow;
use calotype_projections::shared_links::SharedLinkRow;
use calotype_projections::users::UserRow;
use chrono::{DateTime, TimeDelta, Utc};
use moka::sync::Cache;

use crate::clients;
use crate::links;
use crate::peer::Peer;
use crate::problem::Problem;
use crate::state::Api;
use crate::trace::Trace;

/// Callers remembered at once.
const CALLERS_CACHED_MAX: u64 = 10_000;
/// A remembered caller is looked up anew after this, so that a missed change cannot last.
const CALLER_CACHED_FOR: Duration = Duration::from_secs(5);
/// A session that is used in the last minutes before it is locked stays unlocked for this long.
const UNLOCK_EXTENDED_FOR: TimeDelta = TimeDelta::minutes(5);
/// How much it must gain, so that not every request is written down.
const UNLOCK_EXTENDED_EVERY: TimeDelta = TimeDelta::minutes(1);
/// The longest token looked at; ours have 43 characters.
const TOKEN_CHARS_MAX: usize = 512;

/// By what somebody is known.
#[derive(Clone, Debug)]
pub enum Via {
    /// A login.
    Session(SessionRow),
    /// A key.
    ApiKey(ApiKeyRow),
    /// A shared link: the person is who shares.
    SharedLink(SharedLinkRow),
}

/// Somebody known.
#[derive(Clone, Debug)]
pub struct Known {
    /// The person.
    pub user: UserRow,
    /// By what they are known.
    pub via: Via,
    /// What the rules need to know of them.
    pub viewer: Viewer,
    /// The same, with all that the person behind a key may do.
    person: Viewer,
}

impl Known {
    fn new(user: UserRow, via: Via, viewer: Viewer) -> Arc<Self> {
        let grant = match &viewer.grant {
            Grant::ApiKey { .. } => Grant::Session { elevated: false },
            other => other.clone(),
        };
        let person = Viewer { grant, ..viewer.clone() };
        Arc::new(Self { user, via, viewer, person })
    }
}

/// Remembers callers by the digest of what they showed.
#[derive(Clone)]
pub struct Callers {
    known: Cache<String, Arc<Known>>,
    /// Counts how often everybody was forgotten.
    generation: Arc<AtomicU64>,
}

impl Default for Callers {
    fn default() -> Self {
        Self {
            known: Cache::builder()
                .max_capacity(CALLERS_CACHED_MAX)
                .time_to_live(CALLER_CACHED_FOR)
                .build(),
            generation: Arc::default(),
        }
    }
}

impl Callers {
    /// Forgets everybody when something about accounts, sessions or keys changed.
    /// Called before anybody is told that the change shows.
    pub fn on_applied(&self, events: &[Event]) {
        if events.iter().any(|event| {
            matches!(
                event.what,
                AnyEvent::User(_)
                    | AnyEvent::Session(_)
                    | AnyEvent::ApiKey(_)
                    | AnyEvent::SharedLink(_)
                    | AnyEvent::Album(AlbumEvent::Deleted(_))
            )
        }) {
            self.forget_all();
        }
    }

    /// Forgets everybody.
    pub fn forget_all(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.known.invalidate_all();
    }

    /// What to hand to [`Callers::remember`] after looking somebody up.
    fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Remembers somebody, unless everybody was forgotten since the look-up began: what was read then
    /// may be what has just been taken away.
    fn remember(&self, key: &str, known: &Arc<Known>, generation: u64) {
        self.known.insert(key.to_owned(), Arc::clone(known));
        if self.generation() != generation {
            self.known.invalidate(key);
        }
    }
}

/// The caller of a request; extracting it answers 401 when there is none.
#[derive(Clone, Debug)]
pub struct Caller {
    known: Arc<Known>,
    client: Option<String>,
    command_id: CommandId,
    correlation_id: uuid::Uuid,
    now: DateTime<Utc>,
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

/// What a request shows to be known by.
enum Credential {
    ShareKey(String),
    ShareSlug(String),
    Session(String),
    ApiKey(String),
}

impl FromRequestParts<Api> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut RequestParts, api: &Api) -> Result<Self, Problem> {
        let caller = at_the_door(parts, api).await?;
        if let Some(link) = caller.link() {
            if !links::is_open_to(link, &parts.headers) {
                return Err(Problem::unauthorized("Password required"));
            }
            let Ok(peer) = Peer::from_request_parts(parts, api).await;
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
    if let Some(trace) = parts.extensions.get::<Trace>() {
        caller.correlation_id = trace.correlation_id();
        trace.note_user(caller.user_id());
    }
    Ok(caller)
}

/// Finds out who is calling, by Immich's order of precedence. Whoever holds a link that asks for a password
/// must have given it.
///
/// # Errors
/// 401 in Immich's words.
pub async fn authenticate(
    api: &Api,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Result<Caller, Problem> {
    let caller = known(api, headers, query).await?;
    if caller.link().is_some_and(|link| !links::is_open_to(link, headers)) {
        return Err(Problem::unauthorized("Password required"));
    }
    Ok(caller)
}

async fn known(api: &Api, headers: &HeaderMap, query: Option<&str>) -> Result<Caller, Problem> {
    let credential = credential(headers, query)
        .ok_or_else(|| Problem::unauthorized("Authentication required"))?;
    let known = match credential {
        Credential::ShareKey(text) => {
            let found = links::by_key(api, &text);
            shared_link(api, &format!("l{}", token::digest(&text)), found, "Invalid share key")
                .await?
        }
        Credential::ShareSlug(text) => {
            let found = links::by_slug(api, &text);
            shared_link(api, &format!("g{}", token::digest(&text)), found, "Invalid share slug")
                .await?
        }
        Credential::Session(text) => session(api, &text, headers).await?,
        Credential::ApiKey(text) => api_key(api, &text).await?,
    };
    Ok(Caller {
        known,
        client: clients::name(headers),
        command_id: CommandId::new(api.commands.ids().v7()),
        correlation_id: api.commands.ids().v7(),
        now: api.commands.clock().now(),
    })
}

fn credential(headers: &HeaderMap, query: Option<&str>) -> Option<Credential> {
    let header =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let share_key = header("x-immich-share-key").or_else(|| query_value(query, "key"));
    if let Some(text) = share_key {
        return Some(Credential::ShareKey(text));
    }
    let slug = header("x-immich-share-slug").or_else(|| query_value(query, "slug"));
    if let Some(text) = slug {
        return Some(Credential::ShareSlug(text));
    }
    let session = header("x-immich-user-token")
        .or_else(|| header("x-immich-session-token"))
        .or_else(|| query_value(query, "sessionKey"))
        .or_else(|| bearer(headers))
        .or_else(|| cookie(headers, "immich_access_token"));
    if let Some(text) = session {
        return Some(Credential::Session(text));
    }
    header("x-api-key").or_else(|| query_value(query, "apiKey")).map(Credential::ApiKey)
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// The value of a cookie of the request.
#[must_use]
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).find_map(
        |line| {
            line.split(';').find_map(|pair| {
                let (found, value) = pair.trim().split_once('=')?;
                (found == name && !value.is_empty()).then(|| {
                    percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned()
                })
            })
        },
    )
}

fn query_value(query: Option<&str>, name: &str) -> Option<String> {
    query?.split('&').find_map(|pair| {
        let (found, value) = pair.split_once('=')?;
        (found == name && !value.is_empty())
            .then(|| percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned())
    })
}

async fn session(api: &Api, text: &str, headers: &HeaderMap) -> Result<Arc<Known>, Problem> {
    let refused = || Problem::unauthorized("Invalid user token");
    if text.chars().count() > TOKEN_CHARS_MAX {
        return Err(refused());
    }
    let digest = token::digest(text);
    let now = api.commands.clock().now();
    let key = format!("s{digest}");
    if let Some(known) = api.callers.known.get(&key)
        && let Via::Session(session) = &known.via
        && session.expires_at.is_none_or(|end| end > now)
        && known.viewer.grant == (Grant::Session { elevated: is_unlocked(session, now) })
    {
        extend_unlock(api, session, now).await;
        return Ok(known);
    }
    let generation = api.callers.generation();
    let session = api.queries.session_by_token(&digest, now).await?.ok_or_else(refused)?;
    let user = active_user(api, session.user_id).await?.ok_or_else(refused)?;
    let viewer = Viewer {
        user_id: UserId::new(user.user_id),
        is_admin: user.is_admin,
        grant: Grant::Session { elevated: is_unlocked(&session, now) },
    };
    extend_unlock(api, &session, now).await;
    note_use(api, &session, headers, now).await;
    let known = Known::new(user, Via::Session(session), viewer);
    api.callers.remember(&key, &known, generation);
    Ok(known)
}

/// Keeps that a session is used, once an hour and when its app has another version. A failure costs the note.
async fn note_use(api: &Api, session: &SessionRow, headers: &HeaderMap, now: DateTime<Utc>) {
    let version = clients::device(headers).app_version;
    let is_new = version.is_some() && version != session.app_version;
    if !is_new && now - session.updated_at < USE_KEPT_EVERY {
        return;
    }
    if let Err(error) = api.session_uses.keep(session.session_id, now, version.as_deref()).await {
        tracing::warn!(%error, "a session's use was not kept");
    }
}

/// Whether the PIN was given lately.
fn is_unlocked(session: &SessionRow, now: DateTime<Utc>) -> bool {
    session.elevated_until.is_some_and(|end| end > now)
}

/// Keeps a session unlocked that is used shortly before it would be locked. A failure locks it in time.
async fn extend_unlock(api: &Api, session: &SessionRow, now: DateTime<Utc>) {
    let late = session
        .elevated_until
        .is_some_and(|end| end > now && end - now <= UNLOCK_EXTENDED_FOR - UNLOCK_EXTENDED_EVERY);
    if !late {
        return;
    }
    let command = SessionCommand::ExtendUnlock { now, until: now + UNLOCK_EXTENDED_FOR };
    let session_id = SessionId::new(session.session_id);
    let extended =
        api.commands.lock_or_unlock_session(&api.system_context(), session_id, command).await;
    if let Err(error) = extended {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            session.id = %session_id,
            "a session in use is not kept unlocked"
        );
    }
}

async fn api_key(api: &Api, text: &str) -> Result<Arc<Known>, Problem> {
    let refused = || Problem::unauthorized("Invalid API key");
    if text.chars().count() > TOKEN_CHARS_MAX {
        return Err(refused());
    }
    let digest = token::digest(text);
    let key = format!("k{digest}");
    if let Some(known) = api.callers.known.get(&key) {
        return Ok(known);
    }
    let generation = api.callers.generation();
    let api_key = api.queries.api_key_by_secret(&digest).await?.ok_or_else(refused)?;
    let user = active_user(api, api_key.user_id).await?.ok_or_else(refused)?;
    let permissions = api_key
        .permissions
        .iter()
        .filter_map(|word| word.parse().ok())
        .collect::<Vec<Permission>>();
    let viewer = Viewer {
        user_id: UserId::new(user.user_id),
        is_admin: user.is_admin,
        grant: Grant::ApiKey { permissions },
    };
    let known = Known::new(user, Via::ApiKey(api_key), viewer);
    api.callers.remember(&key, &known, generation);
    Ok(known)
}

async fn shared_link(
    api: &Api,
    key: &str,
    find: impl Future<Output = Result<Option<SharedLinkRow>, Problem>>,
    refusal: &str,
) -> Result<Arc<Known>, Problem> {
    let now = api.commands.clock().now();
    if let Some(known) = api.callers.known.get(key)
        && matches!(&known.via, Via::SharedLink(link) if !links::is_over(link, now))
    {
        return Ok(known);
    }
    let refused = || Problem::unauthorized(refusal);
    let generation = api.callers.generation();
    let link = find.await?.ok_or_else(refused)?;
    let user = active_user(api, link.owner_id).await?.ok_or_else(refused)?;
    let viewer = Viewer {
        user_id: UserId::new(user.user_id),
        // Whoever holds a link has nothing of what its owner may beside it.
        is_admin: false,
        grant: Grant::SharedLink {
            link_id: SharedLinkId::new(link.shared_link_id),
            allow_download: link.allow_download,
            allow_upload: link.allow_upload,
            show_metadata: link.show_metadata,
        },
    };
    let known = Known::new(user, Via::SharedLink(link), viewer);
    api.callers.remember(key, &known, generation);
    Ok(known)
}

async fn active_user(api: &Api, user_id: uuid::Uuid) -> Result<Option<UserRow>, Problem> {
    Ok(api.queries.user(user_id).await?.filter(|user| user.deleted_at.is_none()))
}
