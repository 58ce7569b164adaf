//! What is written in assets: the lines that models read, and the words that assets are found by.

mod apply;
mod query;
mod row;

pub use apply::TextsProjection;
pub use row::{TextLine, line_id};
