//! Finding assets, places and the words that filters are chosen from.

mod dto;
mod explore;
mod filters;
mod get_assets_by_city;
mod get_search_suggestions;
mod near;
mod page;
mod people;
mod routes;
mod search_asset_statistics;
mod search_assets;
mod search_large_assets;
mod search_places;
mod search_random;
mod search_smart;
mod structured;
pub(crate) mod texts;
mod whose;

pub(crate) use routes::routes;

/// Reads `filter`, `orderBy` and `cursor`, for [`crate::fuzz`].
#[cfg(any(test, feature = "fuzz"))]
pub(crate) fn read_structured(fields: &mut crate::validate::Fields) {
    drop(structured::read(fields));
}

/// Reads a cursor of every order, for [`crate::fuzz`].
#[cfg(any(test, feature = "fuzz"))]
pub(crate) fn read_cursor(text: &str) {
    structured::read_cursor(text);
}
