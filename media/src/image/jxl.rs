//! JPEG XL through `jxl-oxide`, which is Rust alone. Turning is in the file's header and is done by
//! the decoder; the EXIF orientation beside it must not be applied again. Of animations the first
//! frame.

use jxl_oxide::{
    AllocTracker, AuxBoxData, EnumColourEncoding, JxlImage, JxlThreadPool, PixelFormat,
    RenderingIntent,
};

use super::{
    Decoded, Orientation, check_size,
    raster::{Layout, Raster},
};
use crate::{
    decoder::DecodeError,
    limits::{EXIF_BYTES_MAX, JXL_BYTES_MAX, XMP_BYTES_MAX},
};

/// Bytes that the decoder needs a pixel: three channels of 32-bit floats.
const BYTES_PER_PIXEL: u32 = 12;

/// An opened file whose header is read and whose pixels are not.
pub(crate) struct JxlFile {
    image: JxlImage,
}

impl JxlFile {
    pub(crate) fn open(bytes: &[u8]) -> Result<Self, DecodeError> {
        // Children run side by side, one a core; threads inside one only cost address space.
        let image = JxlImage::builder()
            .pool(JxlThreadPool::none())
            .alloc_tracker(AllocTracker::with_limit(JXL_BYTES_MAX))
            .read(bytes)
            .map_err(|error| refused(&*error))?;
        Ok(Self { image })
    }

    /// Size of the upright picture.
    pub(crate) fn display_size(&self) -> (u32, u32) {
        (self.image.width(), self.image.height())
    }

    /// Size of the picture as coded, before it is turned.
    pub(crate) fn stored_size(&self) -> (u32, u32) {
        let size = &self.image.image_header().size;
        (size.width, size.height)
    }

    /// EXIF, as a TIFF structure.
    pub(crate) fn exif(&self) -> Option<Vec<u8>> {
        let AuxBoxData::Data(exif) = self.image.aux_boxes().first_exif().ok()? else {
            return None;
        };
        let start = usize::try_from(exif.tiff_header_offset()).ok()?;
        let tiff = exif.payload().get(start..)?;
        (tiff.len() <= EXIF_BYTES_MAX).then(|| tiff.to_vec())
    }

    /// The first XMP packet.
    pub(crate) fn xmp(&self) -> Option<Vec<u8>> {
        match self.image.aux_boxes().first_xml() {
            AuxBoxData::Data(xmp) if xmp.len() <= XMP_BYTES_MAX => Some(xmp.to_vec()),
            _ => None,
        }
    }
}

pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    let JxlFile { mut image } = JxlFile::open(bytes)?;
    check_size(image.width(), image.height(), BYTES_PER_PIXEL)?;
    // Enumerated spaces, HDR among them, are brought to sRGB by the decoder, which knows their
    // luminance; those that are described by a profile stay, and the profile goes along.
    if image.original_icc().is_none() {
        image.request_color_encoding(EnumColourEncoding::srgb(RenderingIntent::Relative));
    }
    let render = image.render_frame(0).map_err(|error| refused(&*error))?;
    let format = image.pixel_format();
    let mut stream = match format {
        PixelFormat::Cmyka => render.stream_no_alpha(),
        _ => render.stream(),
    };
    let (width, height) = (stream.width(), stream.height());
    check_size(width, height, BYTES_PER_PIXEL)?;
    let channels = u64::from(stream.channels());
    let length = u64::from(width) * u64::from(height) * channels;
    let mut samples = vec![0_u8; usize::try_from(length).map_err(|_| DecodeError::OutOfMemory)?];
    let written = stream.write_to_buffer(&mut samples);
    if written != samples.len() {
        return Err(DecodeError::corrupt("JPEG XL: decoder gave too few pixels"));
    }
    let (layout, data) = match format {
        PixelFormat::Gray => (Layout::Rgb, samples.iter().flat_map(|it| [*it; 3]).collect()),
        PixelFormat::Graya => {
            let pixels = samples.chunks_exact(2);
            (Layout::Rgba, pixels.flat_map(|it| [it[0], it[0], it[0], it[1]]).collect())
        }
        PixelFormat::Rgb => (Layout::Rgb, samples),
        PixelFormat::Rgba => (Layout::Rgba, samples),
        // Full ink is 0 here as in Adobe's JPEG.
        PixelFormat::Cmyk | PixelFormat::Cmyka => (Layout::CmykInverted, samples),
    };
    let is_grey = matches!(format, PixelFormat::Gray | PixelFormat::Graya);
    let icc = image.original_icc().filter(|_| !is_grey).map(|_| image.rendered_icc());
    let raster = Raster::from_data(width, height, layout, data)?;
    Ok(Decoded { raster, orientation: Orientation::Upright, icc })
}

fn refused(error: &(dyn std::error::Error + Send + Sync + 'static)) -> DecodeError {
    let message = error.to_string();
    let lower = message.to_lowercase();
    if lower.contains("out of memory") || lower.contains("allocat") {
        DecodeError::TooLarge { what: "JPEG XL picture".to_owned() }
    } else if lower.contains("not supported") || lower.contains("unsupported") {
        DecodeError::Unsupported { what: format!("JPEG XL: {message}") }
    } else {
        DecodeError::corrupt(&format!("JPEG XL: {message}"))
    }
}
