//! What a panorama says of the sphere it is a part of, kept in its preview, so that a viewer wraps that right.
//!
//! Of Google's Photo Sphere metadata (XMP namespace `GPano`) those properties are kept that tell how to show
//! it; programs and dates are left out. Values are read as numbers and written anew, never copied as text. Those in
//! pixels are of the picture they stand in, so they shrink with it.

use std::fmt::Write as _;

use super::{Derived, Picture, profile};
use crate::metadata::{Blocks, PanoramaWords};

/// The namespace.
const NAMESPACE: &str = "http://ns.google.com/photos/1.0/panorama/";

/// Angles, in degrees.
const DEGREES: [&str; 8] = [
    "PoseHeadingDegrees",
    "PosePitchDegrees",
    "PoseRollDegrees",
    "InitialViewHeadingDegrees",
    "InitialViewPitchDegrees",
    "InitialViewRollDegrees",
    "InitialHorizontalFOVDegrees",
    "InitialVerticalFOVDegrees",
];

/// Lengths along the width and along the height of the picture, in its pixels.
const ACROSS: [&str; 3] =
    ["CroppedAreaImageWidthPixels", "FullPanoWidthPixels", "CroppedAreaLeftPixels"];
const DOWN: [&str; 3] =
    ["CroppedAreaImageHeightPixels", "FullPanoHeightPixels", "CroppedAreaTopPixels"];

/// Longest side of a whole sphere, in pixels; more is a mistake.
const SIDE_PX_MAX: f64 = 1_000_000.0;

/// Writes into preview and full picture, JPEG or WebP, what the file says of its sphere. What says nothing of one
/// stays as it is. `size` is that of the file's picture.
pub(crate) fn keep(derived: &mut Derived, blocks: &Blocks, size: (u32, u32)) {
    let Some(words) = blocks.xmp.iter().find_map(|packet| PanoramaWords::read(packet)) else {
        return;
    };
    let full = derived.full.as_mut();
    for picture in std::iter::once(&mut derived.preview).chain(full) {
        let scale = (ratio(picture.width, size.0), ratio(picture.height, size.1));
        let packet = packet(&words, scale);
        write(picture, &packet);
    }
}

fn ratio(small: u32, whole: u32) -> f64 {
    if whole == 0 { 1.0 } else { f64::from(small) / f64::from(whole) }
}

fn write(picture: &mut Picture, packet: &str) {
    let bytes = std::mem::take(&mut picture.bytes);
    picture.bytes = if bytes.starts_with(b"RIFF") {
        profile::with_xmp(bytes, packet.as_bytes(), (picture.width, picture.height))
    } else {
        let payload = [b"http://ns.adobe.com/xap/1.0/\0", packet.as_bytes()].concat();
        profile::with_segment(bytes, 0xe1, &payload)
    };
}

fn packet(words: &PanoramaWords, (across, down): (f64, f64)) -> String {
    let mut said = String::new();
    let mut say = |name: &str, value: std::fmt::Arguments<'_>| {
        // Writing into a text cannot fail.
        write!(said, " GPano:{name}=\"{value}\"").unwrap_or_default();
    };
    say("ProjectionType", format_args!("{}", words.projection()));
    say("UsePanoramaViewer", format_args!("True"));
    for name in DEGREES {
        if let Some(degrees) = words.number(name).filter(|it| it.abs() <= 360.0) {
            say(name, format_args!("{degrees}"));
        }
    }
    for (names, scale) in [(ACROSS, across), (DOWN, down)] {
        for name in names {
            if let Some(pixels) = words.number(name).filter(|it| (0.0..=SIDE_PX_MAX).contains(it)) {
                say(name, format_args!("{:.0}", pixels * scale));
            }
        }
    }
    format!(
        "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\
         <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
         <rdf:Description rdf:about=\"\" xmlns:GPano=\"{NAMESPACE}\"{said}/>\
         </rdf:RDF></x:xmpmeta>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPHERE: &[u8] = br#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
        xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
        xmlns:GPano="http://ns.google.com/photos/1.0/panorama/"
        GPano:ProjectionType="equirectangular" GPano:CaptureSoftware="&lt;secret&gt;"
        GPano:PoseHeadingDegrees="90.5" GPano:InitialViewPitchDegrees="NaN"
        GPano:CroppedAreaImageWidthPixels="4000" GPano:CroppedAreaImageHeightPixels="1000"
        GPano:FullPanoWidthPixels="4000" GPano:FullPanoHeightPixels="2000"
        GPano:CroppedAreaLeftPixels="0" GPano:CroppedAreaTopPixels="500"/></rdf:RDF></x:xmpmeta>"#;

    #[test]
    fn sphere_shrinks_with_its_picture() {
        let words = PanoramaWords::read(SPHERE).unwrap();
        let packet = packet(&words, (0.25, 0.25));
        let again = PanoramaWords::read(packet.as_bytes()).unwrap();
        assert_eq!(again.projection(), "equirectangular");
        for (name, value) in [
            ("PoseHeadingDegrees", 90.5),
            ("CroppedAreaImageWidthPixels", 1000.0),
            ("FullPanoHeightPixels", 500.0),
            ("CroppedAreaTopPixels", 125.0),
        ] {
            assert_eq!(again.number(name), Some(value), "{name}");
        }
        assert_eq!(again.number("InitialViewPitchDegrees"), None);
        assert!(!packet.contains("secret") && !packet.contains("Software"), "{packet}");
    }

    #[test]
    fn what_is_no_sphere_says_nothing() {
        assert!(PanoramaWords::read(b"<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"/>").is_none());
        let odd = String::from_utf8_lossy(SPHERE).replace("\"equirectangular\"", "\"a b\"");
        assert!(PanoramaWords::read(odd.as_bytes()).is_none());
    }
}
