//! The mobile app's sync: what it refuses, how it resets, and that a phone that follows nothing else ends
//! with what REST shows.

mod compare;
mod everything;
mod late;
mod lines;
mod organized;
mod shared;
mod shown;
mod stories;
mod walk;
mod wishes;
