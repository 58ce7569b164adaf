//! HEIC, HEIF and AVIF through libheif. Turning and mirroring are in the file (`irot`, `imir`)
//! and are done by libheif; the EXIF orientation beside them must not be applied again.

use libheif_rs::{
    ColorPrimaries, ColorSpace, DecodingOptions, HeifContext, HeifError, HeifErrorCode,
    ImageHandle, LibHeif, RgbChroma, TransferCharacteristics,
};

use super::{
    Decoded, ImageWish, Orientation, check_size,
    hdr::{self, Transfer},
    raster::{Layout, Raster, pitch},
};
use crate::{
    decoder::DecodeError,
    limits::{DECODED_BYTES_MAX, EXIF_BYTES_MAX, ICC_BYTES_MAX, PIXELS_MAX, XMP_BYTES_MAX},
};

/// What an item of a HEIF file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Item {
    /// EXIF, as a TIFF structure.
    Exif,
    /// An XMP packet.
    Xmp,
}

/// An opened HEIF file whose boxes are read and whose pixels are not.
pub(crate) struct HeifFile<'a> {
    // Declared before the context, so that it is dropped first.
    handle: ImageHandle,
    _context: HeifContext<'a>,
}

impl<'a> HeifFile<'a> {
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut context = HeifContext::new().map_err(|_| DecodeError::OutOfMemory)?;
        let mut limits = context.security_limits();
        limits.set_max_image_size_pixels(PIXELS_MAX);
        limits.set_max_memory_block_size(DECODED_BYTES_MAX);
        context.set_security_limits(&limits).map_err(|error| refused(&error))?;
        // Children run side by side, one a core; threads inside one only cost address space.
        context.set_max_decoding_threads(0);
        context.read_bytes(bytes).map_err(|error| refused(&error))?;
        let handle = context.primary_image_handle().map_err(|error| refused(&error))?;
        Ok(Self { handle, _context: context })
    }

    /// Size of the upright picture.
    pub(crate) fn display_size(&self) -> (u32, u32) {
        (self.handle.width(), self.handle.height())
    }

    /// Size of the picture as coded, before it is turned.
    pub(crate) fn stored_size(&self) -> (u32, u32) {
        let (width, height) = self.display_size();
        let stored = (
            u32::try_from(self.handle.ispe_width()).unwrap_or(0),
            u32::try_from(self.handle.ispe_height()).unwrap_or(0),
        );
        // `ispe` may be larger than what a clean aperture leaves; only the turning matters here.
        if stored.0 != stored.1 && (stored.0 > stored.1) != (width > height) {
            (height, width)
        } else {
            (width, height)
        }
    }

    /// The first item of a kind.
    pub(crate) fn item(&self, wanted: Item) -> Option<Vec<u8>> {
        let count = usize::try_from(self.handle.number_of_metadata_blocks(0)).ok()?.min(64);
        let mut ids = vec![0; count];
        let count = self.handle.metadata_block_ids(&mut ids, 0);
        let limit = match wanted {
            Item::Exif => EXIF_BYTES_MAX,
            Item::Xmp => XMP_BYTES_MAX,
        };
        for id in ids.into_iter().take(count) {
            let kind = self.handle.metadata_type(id).unwrap_or_default();
            let content = self.handle.metadata_content_type(id).unwrap_or_default();
            let found = match wanted {
                Item::Exif => kind == "Exif",
                Item::Xmp => kind == "mime" && content == "application/rdf+xml",
            };
            if !found || self.handle.metadata_size(id) > limit {
                continue;
            }
            let data = self.handle.metadata(id).ok()?;
            return match wanted {
                Item::Exif => after_offset(&data).map(<[u8]>::to_vec),
                Item::Xmp => Some(data),
            };
        }
        None
    }
}

/// EXIF items begin with how many bytes to skip to the TIFF header (ISO 23008-12, A.2.1).
fn after_offset(data: &[u8]) -> Option<&[u8]> {
    let skip = u32::from_be_bytes(data.get(..4)?.try_into().ok()?);
    let tiff = data.get(4..)?.get(usize::try_from(skip).ok()?..)?;
    tiff.strip_prefix(b"Exif\0\0").or(Some(tiff))
}

pub(super) fn decode(bytes: &[u8], _wish: ImageWish) -> Result<Decoded, DecodeError> {
    let file = HeifFile::open(bytes)?;
    let handle = &file.handle;
    let (width, height) = file.display_size();
    let alpha = handle.has_alpha_channel();
    let (layout, chroma) =
        if alpha { (Layout::Rgba, RgbChroma::Rgba) } else { (Layout::Rgb, RgbChroma::Rgb) };
    check_size(width, height, layout.bytes_per_pixel())?;
    let mut options = DecodingOptions::new();
    if let Some(options) = options.as_mut() {
        options.set_convert_hdr_to_8bit(true);
    }
    let image = LibHeif::new()
        .decode(handle, ColorSpace::Rgb(chroma), options)
        .map_err(|error| refused(&error))?;
    let plane = image
        .planes()
        .interleaved
        .ok_or_else(|| DecodeError::corrupt("HEIF: decoder gave no interleaved pixels"))?;
    check_size(plane.width, plane.height, layout.bytes_per_pixel())?;
    let row = pitch(plane.width, layout);
    let mut raster = Raster::new(plane.width, plane.height, layout)?;
    for (to, from) in raster.data.chunks_exact_mut(row).zip(plane.data.chunks(plane.stride)) {
        let from =
            from.get(..row).ok_or_else(|| DecodeError::corrupt("HEIF: decoder gave short rows"))?;
        to.copy_from_slice(from);
    }
    let icc = handle.color_profile_raw().map(|it| it.data).filter(|it| it.len() <= ICC_BYTES_MAX);
    let icc = icc.or_else(|| by_code_points(handle, &mut raster));
    Ok(Decoded { raster, orientation: Orientation::Upright, icc })
}

/// Without a profile, code points tell the colours. HDR is brought to sRGB here and now; other wide
/// colours get a profile.
fn by_code_points(handle: &ImageHandle, raster: &mut Raster) -> Option<Vec<u8>> {
    let nclx = handle.color_profile_nclx()?;
    let is_bt2020 = nclx.color_primaries() == ColorPrimaries::ITU_R_BT_2020_2_and_2100_0;
    let is_p3 = nclx.color_primaries() == ColorPrimaries::SMPTE_EG_432_1;
    let transfer = match nclx.transfer_characteristics() {
        TransferCharacteristics::ITU_R_BT_2100_0_PQ => Some(Transfer::Pq),
        TransferCharacteristics::ITU_R_BT_2100_0_HLG => Some(Transfer::Hlg),
        _ => None,
    };
    if let Some(transfer) = transfer {
        hdr::to_srgb(raster, transfer, is_bt2020);
        return None;
    }
    let is_srgb_curve = nclx.transfer_characteristics() == TransferCharacteristics::IEC_61966_2_1;
    (is_p3 || is_bt2020).then(|| hdr::wide_profile(is_p3, is_srgb_curve)).flatten()
}

fn refused(error: &HeifError) -> DecodeError {
    let message = format!("HEIF: {}", error.message);
    match error.code {
        HeifErrorCode::UnsupportedFileType | HeifErrorCode::UnsupportedFeature => {
            DecodeError::Unsupported { what: message }
        }
        HeifErrorCode::MemoryAllocationError => {
            if message.contains("limit") {
                DecodeError::TooLarge { what: message }
            } else {
                DecodeError::OutOfMemory
            }
        }
        _ => DecodeError::corrupt(&message),
    }
}
