//! `POST /sync/stream`: what changed since the session's last acks, as JSON lines.

use std::collections::BTreeSet;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use calotype_domain::permission::Permission;
use futures::StreamExt as _;
use utoipa::ToSchema;

use super::acks::{self, Acks};
use super::plan::{Given, Plan};
use super::standings;
use super::stream::Streaming;
use super::words::Request;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Which types, and whether to forget first what the session has.
#[derive(ToSchema)]
pub(crate) struct SyncStreamDto {
    types: Vec<String>,
    reset: Option<bool>,
}

impl SyncStreamDto {
    fn parse(body: &Bytes) -> Result<Self, Problem> {
        let mut fields = Fields::json(body)?;
        let words: Vec<&str> = Request::ALL.iter().map(|request| request.word()).collect();
        let dto = Self {
            types: fields.required_options("types", &words),
            reset: fields.boolean("reset"),
        };
        fields.finish()?;
        Ok(dto)
    }

    fn requests(&self) -> Result<BTreeSet<Request>, Problem> {
        let requests: BTreeSet<Request> =
            self.types.iter().filter_map(|word| Request::parse(word)).collect();
        for request in &requests {
            if let Some(successor) = request.successor() {
                return Err(Problem::bad_request(format!(
                    "SyncRequestType.{} is deprecated, use SyncRequestType.{} instead",
                    request.word(),
                    successor.word()
                )));
            }
        }
        Ok(requests)
    }
}

/// Streams what changed.
#[utoipa::path(
    post,
    path = "/sync/stream",
    operation_id = "getSyncStream",
    tag = "Sync",
    request_body = SyncStreamDto,
    responses((status = 200, content_type = "application/jsonlines+json", body = String)),
)]
pub(super) async fn get_sync_stream(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<Response, Problem> {
    caller.require(Permission::SyncStream)?;
    let dto = SyncStreamDto::parse(&body)?;
    let session_id = acks::session_id(&caller)?;
    let requests = dto.requests()?;
    let is_pending = caller.session().is_some_and(|session| session.is_pending_sync_reset);
    let user_id = caller.user_id().uuid();
    let now = api.commands.clock().now();
    let anew = dto.reset.unwrap_or_default();
    if anew {
        acks::start_anew(&api, &caller).await?;
    }
    let acks = Acks::load(&api, session_id).await?;
    let plan = if is_pending && !anew || acks.are_of_no_use(now) {
        Plan::reset()
    } else {
        let planned =
            |standing: &_| Plan::of(&Given { user_id, acks: &acks, standing, now }, &requests);
        let kept = standings::kept(&api, user_id).map(|standing| planned(&*standing));
        match kept.filter(Plan::is_idle) {
            Some(plan) => plan,
            None => planned(&*standings::read(&api, user_id).await?),
        }
    };
    if !plan.done.is_empty() {
        let done: Vec<(String, String)> =
            plan.done.iter().map(|(entity, ack)| (entity.word().to_owned(), ack.clone())).collect();
        api.sync_acks.keep(session_id, &done).await.map_err(acks::unavailable)?;
    }
    if plan.has_news() {
        api.queries.sync_barrier().await?;
    }
    let mut streaming = Streaming::new(api, caller, now, plan);
    // What goes wrong before the first line is answered like everywhere else.
    let first = streaming.next().await?.unwrap_or_default();
    let body = if streaming.is_over() {
        Body::from(first)
    } else {
        Body::from_stream(futures::stream::once(async { Ok(first) }).chain(streaming.chunks()))
    };
    Ok(([(header::CONTENT_TYPE, "application/jsonlines+json")], body).into_response())
}
