//! The limits of this room, in one place, each with the reason for its value.

use std::time::Duration;

/// Largest picture that is decoded, in pixels. Above the largest phone and scanner pictures
/// (200 MP sensors, A3 at 1200 dpi), below what one decoder's memory can hold as 8-bit RGB.
pub const PIXELS_MAX: u64 = 300_000_000;

/// Longest side of a picture that is decoded, in pixels (the JPEG format's own limit).
pub const SIDE_PX_MAX: u32 = 65_535;

/// Largest buffer of decoded pixels, in bytes, checked before it is allocated.
pub const DECODED_BYTES_MAX: u64 = 1 << 30;

/// Largest picture file that is read into memory, in bytes. Videos are not read by the decoder.
pub const PICTURE_FILE_BYTES_MAX: u64 = 400 << 20;

/// Longest side of a thumbnail, in pixels: a panorama 100 times as wide as high would otherwise
/// get a thumbnail of 25,000 pixels, more than WebP can hold (16,383).
pub const THUMBNAIL_SIDE_PX_MAX: u32 = 4_096;

/// Memory that the decoder of JPEG XL may use at one time, in bytes: two pictures of 32 MP in
/// 32-bit floats. Above it the child itself would run out.
pub const JXL_BYTES_MAX: usize = 900 << 20;

/// Largest SVG that is read, in bytes. Maps and diagrams have a few megabytes.
pub const SVG_BYTES_MAX: usize = 32 << 20;

/// Elements and texts of an SVG.
pub const SVG_NODES_MAX: u32 = 500_000;

/// Largest picture inside an SVG, in pixels; the drawing library decodes it without a limit.
pub const SVG_INNER_PIXELS_MAX: u64 = 50_000_000;

/// Beginnings of JPEGs that are looked at inside a RAW file.
pub const EMBEDDED_JPEGS_MAX: usize = 64;

/// Scans of a progressive JPEG that are decoded; a file can repeat them to burn time.
pub const JPEG_SCANS_MAX: u32 = 500;

/// Segments or chunks of a picture file that are looked at.
pub const SEGMENTS_MAX: usize = 4_096;

/// Largest XMP packet or sidecar that is read, in bytes.
pub const XMP_BYTES_MAX: usize = 4 << 20;

/// Deepest nesting of an XMP packet.
pub const XMP_DEPTH_MAX: usize = 64;

/// Properties of an XMP packet that are kept.
pub const XMP_PROPERTIES_MAX: usize = 4_096;

/// Largest EXIF block outside a TIFF file, in bytes.
pub const EXIF_BYTES_MAX: usize = 16 << 20;

/// Largest ICC profile that is used, in bytes.
pub const ICC_BYTES_MAX: usize = 4 << 20;

/// Longest text that a fact may hold, in characters.
pub const TEXT_CHARS_MAX: usize = 32_768;

/// Default address space of a decoder child, in bytes.
pub const DECODER_MEMORY_BYTES: u64 = 1_536 << 20;

/// Default processor time that one job may use, in seconds.
pub const DECODER_CPU_SECONDS: u64 = 60;

/// Default wall time of one job.
pub const DECODER_JOB_TIMEOUT: Duration = Duration::from_secs(90);

/// Default time after which a child without work ends, so that an idle server is small.
pub const DECODER_IDLE: Duration = Duration::from_secs(20);

/// Default number of jobs after which a child is replaced, so that leaks of decoders stay small.
pub const DECODER_JOBS_MAX: u32 = 500;

/// How long a fresh child may take to say that it is ready.
pub const DECODER_HELLO_TIMEOUT: Duration = Duration::from_secs(20);

/// Open files of a decoder child.
pub const DECODER_FILES_MAX: u64 = 64;

/// Largest JSON part of a request or an answer, in bytes.
pub const FRAME_JSON_BYTES_MAX: usize = 4 << 20;

/// Largest bytes behind the JSON part (a raw frame, encoded pictures), in bytes: a RAW file of 60 MP,
/// developed at its full size.
pub const FRAME_BLOB_BYTES_MAX: usize = 192 << 20;

/// Address space of an `ffprobe` or `ffmpeg`, in bytes: 4K HEVC with threads needs about 1 GiB.
pub const FFMPEG_MEMORY_BYTES: u64 = 3 << 30;

/// Processor time of an `ffprobe` or `ffmpeg` that takes a frame, in seconds.
pub const FFMPEG_CPU_SECONDS: u64 = 60;

/// Wall time of an `ffprobe` or `ffmpeg` that takes a frame.
pub const FFMPEG_TIMEOUT: Duration = Duration::from_secs(60);

/// Largest box of a film that is read for what it says, in bytes: an hour's index is 4 MiB.
pub const MOVIE_BOX_BYTES_MAX: u64 = 64 << 20;

/// Beginning of an AVCHD film that is looked through for what the camera wrote, in bytes: it is
/// before the first picture.
pub const AVCHD_BYTES_MAX: u64 = 2 << 20;

/// Largest answer of `ffprobe`, in bytes.
pub const FFPROBE_BYTES_MAX: usize = 4 << 20;

/// Upload bytes gathered before they are hashed and written in one go.
pub const WRITE_CHUNK_BYTES: usize = 512 << 10;

/// First bytes of an upload that are kept for [`crate::kind::sniff`].
pub const HEAD_BYTES: usize = 4_096;

/// Address space of an `ffmpeg` that encodes a film, in bytes: 4K AV1 in software maps 6 GiB.
pub const ENCODE_MEMORY_BYTES: u64 = 8 << 30;

/// Address space of an `ffmpeg` that encodes in hardware, in bytes: drivers map what the cards have.
pub const ENCODE_HARDWARE_MEMORY_BYTES: u64 = 1 << 40;

/// Wall time for encoding a film however short.
pub const ENCODE_TIME_MIN: Duration = Duration::from_secs(600);

/// Wall time for encoding, in lengths of the film: slow presets of AV1 on a small machine take 60.
pub const ENCODE_TIME_LENGTHS: u32 = 100;

/// Longest wall time for encoding one film.
pub const ENCODE_TIME_MAX: Duration = Duration::from_secs(3 * 24 * 3_600);

/// How long an encoder may make no progress before it is ended.
pub const ENCODE_STALL: Duration = Duration::from_secs(300);

/// Cores that the processor time of one encoder is counted for: its limit is this many times the
/// wall time.
pub const ENCODE_CORES_MAX: u32 = 64;

/// How much less urgent than the server an encoder is.
pub const ENCODE_NICE: i32 = 10;
