//! The map: where assets were taken, and what a position lies in.

pub(crate) mod cache;
mod finished;
mod get_map_markers;
mod reverse_geocode;
mod routes;

pub(crate) use routes::routes;
