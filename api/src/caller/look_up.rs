//! Looking up who shows a credential.

use std::sync::Arc;

use axum::http::HeaderMap;
use calotype_commands::token;
use calotype_domain::access::{Grant, Viewer};
use calotype_domain::permission::Permission;
use calotype_domain::{CommandId, SharedLinkId, UserId};
use calotype_projections::shared_links::SharedLinkRow;
use calotype_projections::users::UserRow;

use super::credential::{Credential, credential};
use super::in_use::{extend_unlock, is_unlocked, note_use};
use super::known::{Known, Via};
use super::{Caller, key};
use crate::clients;
use crate::links;
use crate::problem::Problem;
use crate::state::Api;

/// The longest token looked at; ours have 43 characters.
const TOKEN_CHARS_MAX: usize = 512;

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

/// Who is calling; a link's password is not asked for.
pub(super) async fn known(
    api: &Api,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Result<Caller, Problem> {
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
        key: key::of(headers),
        address: None,
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
    if let Some(known) = api.callers.get(&key)
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

async fn api_key(api: &Api, text: &str) -> Result<Arc<Known>, Problem> {
    let refused = || Problem::unauthorized("Invalid API key");
    if text.chars().count() > TOKEN_CHARS_MAX {
        return Err(refused());
    }
    let digest = token::digest(text);
    let key = format!("k{digest}");
    if let Some(known) = api.callers.get(&key) {
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
    if let Some(known) = api.callers.get(key)
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
