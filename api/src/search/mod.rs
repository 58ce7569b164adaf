//! Finding assets, places and the words that filters are chosen from.

mod dto;
mod explore;
mod filters;
mod get_assets_by_city;
mod get_search_suggestions;
mod people;
mod routes;
mod search_asset_statistics;
mod search_assets;
mod search_large_assets;
mod search_places;
mod search_random;
mod search_smart;
mod structured;
mod whose;

pub(crate) use routes::routes;
