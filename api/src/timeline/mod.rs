//! The timeline: months with their counts, and the assets of a month as columns.

pub(crate) mod cache;
mod columns;
mod filter;
mod get_time_bucket;
mod get_time_buckets;
mod months;
mod routes;

pub(crate) use routes::routes;
