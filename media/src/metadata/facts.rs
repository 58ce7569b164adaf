//! The facts themselves.

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

/// Everything that was found out about one file. What is not known is `None`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// MIME type by content, which may differ from what the file name promises.
    pub true_mime: Option<String>,
    /// Stored width in pixels, before turning (Immich's `exifImageWidth`).
    pub width: Option<u32>,
    /// Stored height in pixels, before turning (Immich's `exifImageHeight`).
    pub height: Option<u32>,
    /// Width of the upright picture in pixels.
    pub display_width: Option<u32>,
    /// Height of the upright picture in pixels.
    pub display_height: Option<u32>,
    /// EXIF orientation as stated, 1 to 8. For HEIF it is information only: do not turn again.
    pub orientation: Option<u16>,
    /// Maker of the camera.
    pub make: Option<String>,
    /// Model of the camera.
    pub model: Option<String>,
    /// Model of the lens.
    pub lens_model: Option<String>,
    /// Aperture as f-number.
    pub f_number: Option<f64>,
    /// Focal length in millimetres.
    pub focal_length_mm: Option<f64>,
    /// Sensitivity.
    pub iso: Option<u32>,
    /// Exposure time as people write it: `1/400`, or seconds like `2.5`.
    pub exposure_time: Option<String>,
    /// When it was taken.
    pub taken: Option<Taken>,
    /// When the file was last changed by a program, as stated inside it.
    pub modify_date: Option<NaiveDateTime>,
    /// UTC time of the position, as the receiver gave it; tells the zone of [`Facts::taken`].
    pub gps_time: Option<NaiveDateTime>,
    /// Where it was taken.
    pub position: Option<Position>,
    /// Caption.
    pub description: Option<String>,
    /// Rating: 1 to 5, or -1 for rejected. Unrated (0) is `None`.
    pub rating: Option<i8>,
    /// Keywords; hierarchical ones have `/` between their levels.
    pub keywords: Vec<String>,
    /// Faces that people marked and named in other programs.
    pub faces: Vec<Face>,
    /// Length of a film in milliseconds.
    pub duration_ms: Option<u64>,
    /// Frames a second.
    pub fps: Option<f64>,
    /// Projection of a panorama, such as `EQUIRECTANGULAR`.
    pub projection_type: Option<String>,
    /// Apple's identifier that the still and the film of a live photo share.
    pub content_id: Option<String>,
    /// A film inside the picture file (motion photo): where it starts, in bytes.
    pub embedded_video_offset: Option<u64>,
    /// Length of that film in bytes.
    pub embedded_video_bytes: Option<u64>,
    /// Video codec by ffmpeg's name, such as `hevc`.
    pub video_codec: Option<String>,
    /// Audio codec by ffmpeg's name, such as `aac`.
    pub audio_codec: Option<String>,
    /// Transfer characteristics by ffmpeg's name; `smpte2084` and `arib-std-b67` are HDR.
    pub color_transfer: Option<String>,
    /// Degrees by which a player turns the film clockwise: 0, 90, 180 or 270.
    pub rotation: Option<u16>,
}

/// A time of taking, as the clock of the camera showed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Local time with the fraction that was given.
    pub local: NaiveDateTime,
    /// Minutes east of UTC, if the file says so.
    pub offset_minutes: Option<i32>,
    /// The tag it came from, by ExifTool's name, such as `SubSecDateTimeOriginal`.
    pub source_tag: String,
}

/// A marked face, in fractions (0 to 1) of the picture as it is shown, from the top left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Face {
    /// Whose.
    pub name: String,
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Right edge.
    pub right: f64,
    /// Lower edge.
    pub bottom: f64,
}

/// A place on earth. Always in range and never 0/0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Metres above sea level.
    pub altitude_m: Option<f64>,
}
