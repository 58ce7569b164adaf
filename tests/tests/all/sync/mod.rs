//! The mobile app's sync: what it refuses, how it resets, and that a phone that follows nothing else ends
//! with what REST shows.

mod compare;
mod lines;
mod organized;
mod shared;
mod stories;
mod walk;
mod wishes;
