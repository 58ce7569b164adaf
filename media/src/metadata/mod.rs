//! What a file says about itself: size, camera, date, position, words.
//!
//! Reading runs inside decoder children; the types and [`resolve_dates`] are for everybody.

mod blocks;
mod canon;
mod ciff;
mod date;
mod embedded;
mod exif;
mod facts;
mod flir;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
mod gather;
mod iptc;
mod maker;
mod motion;
mod number;
mod panorama;
mod picture_info;
mod position;
mod regions;
mod resolve;
mod text;
mod tiff;
mod xmp;

pub(crate) use blocks::{Blocks, boxes};
pub(crate) use date::parse as parse_date;
pub use facts::{Face, Facts, Position, Taken};
pub(crate) use gather::{gather, read_sidecar, read_xmp_of_film, size as block_size};
pub(crate) use number::exposure as exposure_text;
pub(crate) use panorama::PanoramaWords;
pub(crate) use position::{checked as checked_position, iso6709};
pub use resolve::{ResolvedDates, resolve_dates};
pub(crate) use text::clean as clean_text;
pub(crate) use xmp::decode as decode_xmp;
