//! Blobs in a bucket instead of the data folder: the same behind the same door, and servers that live on one.

mod away;
mod contract;
mod story;
