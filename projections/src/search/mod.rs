//! Finding assets: by what they are, where and when and with what they were taken; and the map.

mod apply;
mod belongs;
mod condition;
mod fold_words;
mod hit;
mod map;
mod query;
mod row;
mod sheets;
mod sql;
mod suggest;
mod tally;

pub use apply::SearchProjection;
pub use condition::{
    Compare, Condition, DateColumn, Direction, FoundPage, Ids, NumberColumn, OrderColumn, Pattern,
    PatternColumn, Scope, Search, SortKey, WordColumn,
};
pub(crate) use fold_words::fold_words;
pub use hit::Hit;
pub use map::{Marker, MarkerFilter, Sheet};
pub use suggest::{Suggest, SuggestFilter};
