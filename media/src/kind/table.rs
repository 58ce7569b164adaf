//! The file types that the library takes, by extension, as Immich 3.1 lists them (F-22).
//!
//! The order is that of `GET /server/media-types`, which clients may show as it is.

use super::{Family, FileType};

pub(super) static IMAGES: &[FileType] = &[
    image("avif", "image/avif"),
    image("bmp", "image/bmp"),
    image("gif", "image/gif"),
    image("jpeg", "image/jpeg"),
    image("jpg", "image/jpeg"),
    image("png", "image/png"),
    image("webp", "image/webp"),
    image("3fr", "image/3fr"),
    image("ari", "image/ari"),
    image("arw", "image/arw"),
    image("cap", "image/cap"),
    image("cin", "image/cin"),
    image("cr2", "image/cr2"),
    image("cr3", "image/cr3"),
    image("crw", "image/crw"),
    image("dcr", "image/dcr"),
    image("dng", "image/dng"),
    image("erf", "image/erf"),
    image("fff", "image/fff"),
    image("iiq", "image/iiq"),
    image("k25", "image/k25"),
    image("kdc", "image/kdc"),
    image("mrw", "image/mrw"),
    image("nef", "image/nef"),
    image("nrw", "image/nrw"),
    image("orf", "image/orf"),
    image("ori", "image/ori"),
    image("pef", "image/pef"),
    image("psd", "image/psd"),
    image("raf", "image/raf"),
    image("raw", "image/raw"),
    image("rw2", "image/rw2"),
    image("rwl", "image/rwl"),
    image("sr2", "image/sr2"),
    image("srf", "image/srf"),
    image("srw", "image/srw"),
    image("x3f", "image/x3f"),
    image("heic", "image/heic"),
    image("heif", "image/heif"),
    image("hif", "image/hif"),
    image("insp", "image/jpeg"),
    image("jp2", "image/jp2"),
    image("jpe", "image/jpeg"),
    image("jxl", "image/jxl"),
    image("mpo", "image/jpeg"),
    image("svg", "image/svg"),
    image("tif", "image/tiff"),
    image("tiff", "image/tiff"),
];

pub(super) static VIDEOS: &[FileType] = &[
    video("3gp", "video/3gpp"),
    video("3gpp", "video/3gpp"),
    video("avi", "video/avi"),
    video("flv", "video/x-flv"),
    video("insv", "video/mp4"),
    video("m2t", "video/mp2t"),
    video("m2ts", "video/mp2t"),
    video("m4v", "video/x-m4v"),
    video("mkv", "video/x-matroska"),
    video("mov", "video/quicktime"),
    video("mp4", "video/mp4"),
    video("mpe", "video/mpeg"),
    video("mpeg", "video/mpeg"),
    video("mpg", "video/mpeg"),
    video("mts", "video/mp2t"),
    video("mxf", "application/mxf"),
    video("ts", "video/mp2t"),
    video("vob", "video/mpeg"),
    video("webm", "video/webm"),
    video("wmv", "video/x-ms-wmv"),
];

pub(super) static SIDECARS: &[FileType] =
    &[FileType { extension: "xmp", mime: "application/xml", family: Family::Sidecar }];

const fn image(extension: &'static str, mime: &'static str) -> FileType {
    FileType { extension, mime, family: Family::Image }
}

const fn video(extension: &'static str, mime: &'static str) -> FileType {
    FileType { extension, mime, family: Family::Video }
}
