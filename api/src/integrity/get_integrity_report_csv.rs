//! `GET /admin/integrity/report/{type}/csv`.

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use calotype_commands::integrity::Finding;
use calotype_domain::admin_view::AdminView;
use calotype_domain::integrity::Check;
use calotype_domain::permission::Permission;
use futures::stream;
use uuid::Uuid;

use super::dto::{check, shown_path};
use crate::admin_views;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Findings read at once.
const PAGE: i64 = 1_000;
const HEADER: &str = "id,type,assetId,path\n";

/// Everything that a check found, as a table. Read page by page while it is sent.
#[utoipa::path(
    get, path = "/admin/integrity/report/{type}/csv", tag = "Maintenance (admin)",
    operation_id = "getIntegrityReportCsv", params(("type" = String, Path)),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>))
)]
pub(super) async fn get_integrity_report_csv(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    caller.require_admin(Permission::Maintenance)?;
    let check = check(&name)?;
    // Keys of files may hold people's words.
    admin_views::note(&api, &caller, None, AdminView::File).await?;
    let now = api.commands.clock().now().timestamp_millis();
    let disposition = format!("attachment; filename=\"{now}-{name}.csv\"");
    let lines = stream::try_unfold((api, Some(Uuid::nil())), move |state| next(check, state));
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, Body::from_stream(lines)).into_response())
}

/// The next page, and after which finding the one behind it begins.
async fn next(
    check: Check,
    (api, after): (Api, Option<Uuid>),
) -> Result<Option<(Bytes, (Api, Option<Uuid>))>, std::io::Error> {
    let Some(after) = after else { return Ok(None) };
    let page = api.findings.after(check, after, PAGE).await.map_err(std::io::Error::other)?;
    let mut text = String::new();
    if after.is_nil() {
        text.push_str(HEADER);
    }
    for finding in &page {
        text.push_str(&line(finding));
    }
    let last = page.last().map(|finding| finding.id);
    Ok(Some((Bytes::from(text), (api, last))))
}

fn line(finding: &Finding) -> String {
    let asset_id = finding.asset_id.map(|id| id.to_string()).unwrap_or_default();
    let path = shown_path(&finding.key).replace('"', "\"\"");
    format!("{},{},{asset_id},\"{path}\"\n", finding.id, finding.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_is_one_cell() {
        let finding = Finding {
            id: Uuid::nil(),
            name: "untracked_file".into(),
            asset_id: None,
            key: "upload/a,\"b\".jpg".into(),
        };
        let line = line(&finding);
        assert_eq!(line.split_once(",,").unwrap().1, "\"/data/upload/a,\"\"b\"\".jpg\"\n");
    }
}
