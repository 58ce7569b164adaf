//! Faces that people marked in other programs, as XMP holds them.
//!
//! - MWG's regions (Guidelines for Handling Image Metadata 2.0, 5.9): the middle and the size of each area.
//! - Microsoft's (People Tagging): left, top, width, height.
//!
//! Both are fractions of the picture as it is stored; faces are told as it is shown.

use super::{facts::Face, number, xmp::Xmp};

/// What one region says, as texts.
#[derive(Debug, Default)]
pub(super) struct Region {
    is_mwg: bool,
    name: Option<String>,
    kind: Option<String>,
    centre: [Option<f64>; 2],
    size: [Option<f64>; 2],
    rectangle: Option<String>,
}

impl Region {
    /// Takes in a property; others than a region's are passed over.
    pub(super) fn add(&mut self, name: &str, value: &str) {
        let number = || number::parse(value);
        match name {
            "mwg-rs:Name" => (self.is_mwg, self.name) = (true, Some(value.to_owned())),
            "mwg-rs:Type" => self.kind = Some(value.to_owned()),
            "stArea:x" => self.centre[0] = number(),
            "stArea:y" => self.centre[1] = number(),
            "stArea:w" => self.size[0] = number(),
            "stArea:h" => self.size[1] = number(),
            "MPReg:PersonDisplayName" => self.name = Some(value.to_owned()),
            "MPReg:Rectangle" => self.rectangle = Some(value.to_owned()),
            _ => {}
        }
    }

    fn face(&self) -> Option<Face> {
        let name = self.name.as_deref().map(str::trim).filter(|name| !name.is_empty())?;
        if self.kind.as_deref().is_some_and(|kind| kind != "Face") {
            return None;
        }
        let (left, top, width, height) = match &self.rectangle {
            Some(rectangle) => {
                let numbers: Option<Vec<f64>> = rectangle.split(',').map(number::parse).collect();
                let numbers = numbers?;
                let [left, top, width, height] = *numbers.as_slice() else { return None };
                (left, top, width, height)
            }
            None => {
                let (width, height) = (self.size[0]?, self.size[1]?);
                (self.centre[0]? - width / 2.0, self.centre[1]? - height / 2.0, width, height)
            }
        };
        let edges = [left, top, left + width, top + height].map(|edge| edge.clamp(0.0, 1.0));
        let [left, top, right, bottom] = edges;
        let face = Face { name: name.to_owned(), left, top, right, bottom };
        // Comparisons are false for what is no number.
        (left < right && top < bottom).then_some(face)
    }
}

/// The named faces of a packet on the picture as it is shown, by its EXIF orientation. Programs that write
/// both kinds write the same faces twice: MWG's count.
pub(super) fn faces(packet: &Xmp, orientation: u16) -> Vec<Face> {
    let has_mwg = packet.regions.iter().any(|region| region.is_mwg);
    let counts = |region: &&Region| region.is_mwg == has_mwg;
    let faces = packet.regions.iter().filter(counts).filter_map(Region::face);
    faces.map(|face| shown(face, orientation)).collect()
}

fn shown(face: Face, orientation: u16) -> Face {
    let Face { name, left, top, right, bottom } = face;
    let (left, top, right, bottom) = match orientation {
        2 => (1.0 - right, top, 1.0 - left, bottom),
        3 => (1.0 - right, 1.0 - bottom, 1.0 - left, 1.0 - top),
        4 => (left, 1.0 - bottom, right, 1.0 - top),
        5 => (top, left, bottom, right),
        6 => (1.0 - bottom, left, 1.0 - top, right),
        7 => (1.0 - bottom, 1.0 - right, 1.0 - top, 1.0 - left),
        8 => (top, 1.0 - right, bottom, 1.0 - left),
        _ => (left, top, right, bottom),
    };
    Face { name, left, top, right, bottom }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(inner: &str) -> Xmp {
        let text = format!(
            r#"<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
            xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
            xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"
            xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#"
            xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#"><rdf:Description>{inner}
            </rdf:Description></rdf:RDF>"#
        );
        Xmp::read(text.as_bytes())
    }

    const MICROSOFT: &str = r#"<MPRI:Regions><rdf:Bag>
        <rdf:li MPReg:PersonDisplayName="Ada" MPReg:Rectangle="0.25, 0.5, 0.25, 0.25"/>
        <rdf:li MPReg:PersonDisplayName="Nowhere"/></rdf:Bag></MPRI:Regions>"#;
    const MWG: &str = r#"<mwg-rs:RegionList><rdf:Bag><rdf:li><rdf:Description mwg-rs:Name="Ada"
        mwg-rs:Type="Face"><mwg-rs:Area stArea:x="0.375" stArea:y="0.625" stArea:w="0.25"
        stArea:h="0.25"/></rdf:Description></rdf:li><rdf:li rdf:parseType="Resource">
        <mwg-rs:Name>Rex</mwg-rs:Name><mwg-rs:Type>Pet</mwg-rs:Type></rdf:li></rdf:Bag>
        </mwg-rs:RegionList>"#;

    fn ada(left: f64, top: f64, right: f64, bottom: f64) -> Vec<Face> {
        vec![Face { name: "Ada".into(), left, top, right, bottom }]
    }

    #[test]
    fn both_kinds_say_the_same_and_are_counted_once() {
        for inner in [MICROSOFT.to_owned(), MWG.to_owned(), format!("{MICROSOFT}{MWG}")] {
            assert_eq!(faces(&read(&inner), 1), ada(0.25, 0.5, 0.5, 0.75), "{inner}");
        }
    }

    #[test]
    fn faces_turn_with_their_picture() {
        let turned = |orientation| faces(&read(MICROSOFT), orientation);
        assert_eq!(turned(3), ada(0.5, 0.25, 0.75, 0.5));
        assert_eq!(turned(6), ada(0.25, 0.25, 0.5, 0.5));
        assert_eq!(turned(8), ada(0.5, 0.5, 0.75, 0.75));
    }

    #[test]
    fn nonsense_is_no_face() {
        let bad = MICROSOFT.replace("0.25, 0.5, 0.25, 0.25", "NaN, 2, 0.25");
        assert!(faces(&read(&bad), 1).is_empty());
    }
}
