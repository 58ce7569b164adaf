//! SVG through `resvg`. Nothing is fetched and nothing runs: scripts are not part of it, pictures
//! that are named are left out, and pictures inside the file are drawn if their size is sane.

use std::sync::{Arc, OnceLock};

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{
        Error, ImageHrefResolver, ImageKind, Options, Tree,
        fontdb::Database,
        roxmltree::{self, Document, ParsingOptions},
    },
};

use super::{
    Decoded, ImageWish, Orientation, check_size,
    crop::whole,
    formats::check_pixels,
    raster::{Layout, Raster},
    resize::fit_inside,
};
use crate::{
    decoder::DecodeError,
    kind::{Sniffed, sniff},
    limits::{SVG_BYTES_MAX, SVG_INNER_PIXELS_MAX, SVG_NODES_MAX},
    metadata::block_size,
};

/// The font for words that name none, where the machine has it.
const FONT: &str = "DejaVu Sans";

/// Size in pixels as the file states it, at 96 pixels an inch (CSS Values 3, 6.2).
pub(crate) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    parse(bytes).ok().map(|tree| whole_size(&tree))
}

/// Draws at the size that the file states, or at that of the preview if this is smaller.
pub(super) fn decode(bytes: &[u8], wish: ImageWish) -> Result<Decoded, DecodeError> {
    let tree = parse(bytes)?;
    let (stated_width, stated_height) = whole_size(&tree);
    check_pixels(stated_width, stated_height)?;
    let (width, height) = fit_inside(stated_width, stated_height, wish.decoded_px());
    check_size(width, height, 4)?;
    let side = |pixels: u32| u16::try_from(pixels).map_or(f32::from(u16::MAX), f32::from);
    let scale = Transform::from_scale(
        side(width) / tree.size().width(),
        side(height) / tree.size().height(),
    );
    let mut pixmap = Pixmap::new(width, height).ok_or(DecodeError::OutOfMemory)?;
    resvg::render(&tree, scale, &mut pixmap.as_mut());
    let raster = Raster::from_data(width, height, Layout::Rgba, pixmap.take_demultiplied())?;
    Ok(Decoded { raster, orientation: Orientation::Upright, icc: None })
}

fn parse(bytes: &[u8]) -> Result<Tree, DecodeError> {
    if bytes.len() > SVG_BYTES_MAX {
        return Err(DecodeError::TooLarge { what: format!("SVG of {} bytes", bytes.len()) });
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|_| DecodeError::Unsupported { what: "SVG that is not UTF-8".to_owned() })?;
    // Declared entities are common (Illustrator); roxmltree bounds how far they unfold.
    let parsing =
        ParsingOptions { allow_dtd: true, nodes_limit: SVG_NODES_MAX, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, parsing).map_err(|error| match error {
        roxmltree::Error::NodesLimitReached => {
            DecodeError::TooLarge { what: format!("SVG of more than {SVG_NODES_MAX} elements") }
        }
        // The message of the parser may quote the file.
        _ => DecodeError::corrupt("SVG: not well-formed"),
    })?;
    let options = Options {
        image_href_resolver: ImageHrefResolver {
            resolve_data: Box::new(|_, data, _| inner(data)),
            resolve_string: Box::new(|_, _| None),
        },
        fontdb: fonts(),
        ..Options::default()
    };
    Tree::from_xmltree(&document, &options).map_err(|error| match error {
        Error::ElementsLimitReached => {
            DecodeError::TooLarge { what: "SVG with too many elements".to_owned() }
        }
        Error::InvalidSize => DecodeError::corrupt("SVG: no size"),
        _ => DecodeError::corrupt("SVG: not a drawing"),
    })
}

/// A picture inside the drawing, by its bytes. No SVG in SVG: it nests without end.
fn inner(data: Arc<Vec<u8>>) -> Option<ImageKind> {
    let kind = sniff(&data)?;
    let (width, height) = block_size(&data, kind)?;
    if u64::from(width) * u64::from(height) > SVG_INNER_PIXELS_MAX {
        return None;
    }
    match kind {
        Sniffed::Jpeg => Some(ImageKind::JPEG(data)),
        Sniffed::Png => Some(ImageKind::PNG(data)),
        Sniffed::Gif => Some(ImageKind::GIF(data)),
        Sniffed::Webp => Some(ImageKind::WEBP(data)),
        _ => None,
    }
}

/// The machine's fonts, looked for once in the life of a child. Without any, words are left out.
fn fonts() -> Arc<Database> {
    static FONTS: OnceLock<Arc<Database>> = OnceLock::new();
    let load = || {
        let mut fonts = Database::new();
        fonts.load_system_fonts();
        // Generic families are one font here, the usual one or the first there is.
        let names: Vec<String> =
            fonts.faces().filter_map(|it| Some(it.families.first()?.0.clone())).collect();
        let usual = names.iter().find(|it| *it == FONT).or(names.first());
        if let Some(name) = usual.cloned() {
            fonts.set_serif_family(name.clone());
            fonts.set_sans_serif_family(name.clone());
            fonts.set_cursive_family(name.clone());
            fonts.set_fantasy_family(name.clone());
            fonts.set_monospace_family(name);
        }
        Arc::new(fonts)
    };
    Arc::clone(FONTS.get_or_init(load))
}

/// In whole pixels, at least one a side.
fn whole_size(tree: &Tree) -> (u32, u32) {
    let side = |length: f32| whole(f64::from(length).ceil()).max(1);
    (side(tree.size().width()), side(tree.size().height()))
}
