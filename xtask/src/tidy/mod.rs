//! House rules that no compiler knows: a list of the rules' modules.

mod attributes;
mod documents;
mod layout;
mod lexer;
mod routes;
mod walk;

pub(crate) use walk::run;
