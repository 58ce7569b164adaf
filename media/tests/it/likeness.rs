//! What thumbnails look like beside those of other programs, from afar: twelve by twelve cells of grey.
//!
//! `media/examples/ssim.py` makes the list with libvips, libheif, libraw and ffmpeg, and measures how alike both
//! are pixel by pixel; those figures stand in the list, too. This test needs none of these programs, and sees
//! what is turned, black, cut, of other colours or another picture.

use std::collections::{BTreeMap, HashMap};

use image::GenericImageView as _;

/// Path, program, SSIM of ours, SSIM of the reference as WebP, and the reference's cells.
const LIST: &str = include_str!("likeness.csv");

/// Cells along each side.
const CELLS: u32 = 12;

/// Mean difference of the cells, of 255, up to which two pictures are alike.
const MEAN_MAX: f64 = 3.0;

/// SSIM that is good by itself, and how far below the reference's own WebP ours may be.
const SSIM_GOAL: f64 = 0.97;
const SSIM_SLACK: f64 = 0.01;

/// One line of the list.
pub(crate) struct Reference {
    pub(crate) by: &'static str,
    ssim: Option<f64>,
    ssim_of_reference: Option<f64>,
    cells: Vec<u8>,
}

/// The list by path.
pub(crate) fn references() -> HashMap<&'static str, Reference> {
    LIST.lines().skip(1).filter_map(line).collect()
}

fn line(line: &'static str) -> Option<(&'static str, Reference)> {
    let mut values = line.rsplitn(5, ',');
    let digits = values.next()?;
    let cells = (0..digits.len() / 2)
        .map(|at| u8::from_str_radix(&digits[at * 2..at * 2 + 2], 16).expect("two digits"))
        .collect();
    let ssim_of_reference = values.next()?.parse().ok();
    let (ssim, by) = (values.next()?.parse().ok(), values.next()?);
    let path = values.next()?.trim_matches('"');
    Some((path, Reference { by, ssim, ssim_of_reference, cells }))
}

impl Reference {
    /// How far apart the two are, of 255.
    pub(crate) fn distance(&self, thumbnail: &[u8]) -> f64 {
        let cells = cells(thumbnail);
        assert_eq!(cells.len(), self.cells.len());
        let sum: f64 =
            cells.iter().zip(&self.cells).map(|(ours, its)| (ours - f64::from(*its)).abs()).sum();
        sum / f64::from(CELLS * CELLS)
    }
}

/// Notes what does not look like its reference.
pub(crate) fn compare(
    path: &str,
    thumbnail: &[u8],
    reference: &Reference,
    unlike: &mut BTreeMap<String, String>,
) {
    let distance = reference.distance(thumbnail);
    if distance > MEAN_MAX {
        let text = format!("{distance:.1} away from that of {}", reference.by);
        unlike.insert(format!("{path} from afar"), text);
    }
    if let (Some(ssim), Some(own)) = (reference.ssim, reference.ssim_of_reference)
        && ssim < SSIM_GOAL
        && ssim < own - SSIM_SLACK
    {
        let text = format!("SSIM {ssim} beside {}, its own as WebP {own}", reference.by);
        unlike.insert(format!("{path} pixel by pixel"), text);
    }
}

/// Means of the luminance over a grid, translucent pixels over white.
fn cells(thumbnail: &[u8]) -> Vec<f64> {
    let picture = image::load_from_memory(thumbnail).expect("own pictures can be read");
    let (width, height) = picture.dimensions();
    let picture = picture.into_rgba8();
    let grey = |x: u32, y: u32| {
        let [red, green, blue, alpha] = picture.get_pixel(x, y).0.map(f64::from);
        let over_white = |value: f64| value.mul_add(alpha, 255.0 * (255.0 - alpha)) / 255.0;
        0.0722f64.mul_add(
            over_white(blue),
            0.2126f64.mul_add(over_white(red), 0.7152 * over_white(green)),
        )
    };
    let bounds = |cell: u32, side: u32| {
        let first = (cell * side / CELLS).min(side - 1);
        (first, ((cell + 1) * side / CELLS).max(first + 1))
    };
    let mut cells = Vec::new();
    for row in 0..CELLS {
        let (top, bottom) = bounds(row, height);
        for column in 0..CELLS {
            let (left, right) = bounds(column, width);
            let sum: f64 = (top..bottom)
                .flat_map(|y| (left..right).map(move |x| (x, y)))
                .map(|(x, y)| grey(x, y))
                .sum();
            cells.push(sum / f64::from((bottom - top) * (right - left)));
        }
    }
    cells
}

#[test]
fn a_picture_that_is_turned_is_another_one() {
    use image::{DynamicImage, ImageFormat, RgbImage};

    let picture = RgbImage::from_fn(60, 60, |x, _| {
        let value = u8::try_from(x * 4).expect("a byte");
        image::Rgb([value, value, value])
    });
    let packed = |picture: DynamicImage| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png).expect("memory");
        bytes.into_inner()
    };
    let upright = DynamicImage::from(picture);
    let bytes = packed(upright.clone());
    let cells =
        cells(&bytes).iter().map(|it| format!("{it:.0}").parse().expect("a byte")).collect();
    let reference = Reference { by: "itself", ssim: None, ssim_of_reference: None, cells };
    assert!(reference.distance(&bytes) < 0.5);
    assert!(reference.distance(&packed(upright.rotate90())) > MEAN_MAX * 4.0);
    let mut unlike = BTreeMap::new();
    compare("a", &bytes, &reference, &mut unlike);
    assert!(unlike.is_empty(), "{unlike:?}");
}
