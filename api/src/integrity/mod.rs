//! Tag `Maintenance (admin)`: what checks of the stored files found.

mod delete_integrity_report;
mod dto;
mod get_integrity_report;
mod get_integrity_report_csv;
mod get_integrity_report_file;
pub(crate) mod heal;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get_integrity_report::get_integrity_report_summary))
        .routes(routes!(get_integrity_report::get_integrity_report))
        .routes(routes!(delete_integrity_report::delete_integrity_report))
        .routes(routes!(get_integrity_report_file::get_integrity_report_file))
        .routes(routes!(get_integrity_report_csv::get_integrity_report_csv))
}
