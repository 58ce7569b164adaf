//! The trash: emptying it and taking things out.

mod empty_trash;
mod restore_assets;
mod restore_trash;
mod routes;

pub(crate) use routes::routes;
