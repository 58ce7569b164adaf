//! The timeline: months with their counts, and the assets of a month as columns.

mod answer;
pub(crate) mod cache;
mod columns;
mod filter;
mod get_time_bucket;
mod get_time_buckets;
mod months;
mod routes;

pub(crate) use answer::takes_gzip;
pub(crate) use routes::routes;
