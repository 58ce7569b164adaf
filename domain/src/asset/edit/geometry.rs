//! Where things of a picture lie in its edited picture, and back.

use super::{AssetEdit, Crop, EditAction, MirrorAxis};
use crate::faces::Area;

/// How much of a box must be left for it to count as seen in the edited picture.
const LEFT_MIN: f64 = 0.5;

/// Turns and mirrors in one: first the axes change places, then each may be reversed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    swaps: bool,
    flips_x: bool,
    flips_y: bool,
}

impl Turn {
    /// This turn, then a quarter turn clockwise.
    const fn then_quarter(self) -> Self {
        Self { swaps: !self.swaps, flips_x: !self.flips_y, flips_y: self.flips_x }
    }

    const fn then_mirror(self, axis: MirrorAxis) -> Self {
        match axis {
            MirrorAxis::Horizontal => Self { flips_x: !self.flips_x, ..self },
            MirrorAxis::Vertical => Self { flips_y: !self.flips_y, ..self },
        }
    }

    /// Whether width and height change places.
    #[must_use]
    pub const fn swaps_sides(self) -> bool {
        self.swaps
    }

    /// The EXIF orientation (1 to 8) that asks for this turn.
    #[must_use]
    pub const fn exif(self) -> u16 {
        match (self.swaps, self.flips_x, self.flips_y) {
            (false, false, false) => 1,
            (false, true, false) => 2,
            (false, true, true) => 3,
            (false, false, true) => 4,
            (true, false, false) => 5,
            (true, true, false) => 6,
            (true, true, true) => 7,
            (true, false, true) => 8,
        }
    }
}

/// What a list of edits makes of a picture of a known size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Width and height in pixels of the upright picture without edits.
    pub size: (u32, u32),
    /// The part that is kept; the whole picture where nothing is cut off.
    pub crop: Crop,
    /// How the kept part is turned.
    pub turn: Turn,
}

impl Geometry {
    /// Of edits in order, for a picture of this width and height as shown without them.
    #[must_use]
    pub fn of(edits: &[AssetEdit], (width, height): (u32, u32)) -> Self {
        let whole = Crop { x: 0, y: 0, width, height };
        let mut geometry = Self { size: (width, height), crop: whole, turn: Turn::default() };
        for edit in edits {
            match edit.does {
                EditAction::Crop(crop) => geometry.crop = crop,
                EditAction::Rotate(rotate) => {
                    for _ in 0..rotate.angle / 90 % 4 {
                        geometry.turn = geometry.turn.then_quarter();
                    }
                }
                EditAction::Mirror(mirror) => {
                    geometry.turn = geometry.turn.then_mirror(mirror.axis);
                }
            }
        }
        geometry
    }

    /// Whether anything is cut off.
    #[must_use]
    pub fn crops(&self) -> bool {
        let (width, height) = self.size;
        self.crop != Crop { x: 0, y: 0, width, height }
    }

    /// Width and height in pixels of the edited picture.
    #[must_use]
    pub const fn edited_size(&self) -> (u32, u32) {
        let Crop { width, height, .. } = self.crop;
        if self.turn.swaps { (height, width) } else { (width, height) }
    }

    /// Where a box of the picture lies in the edited one; `None` when less than half of it is left there.
    #[must_use]
    pub fn seen(&self, area: Area) -> Option<Area> {
        let [left, top, right, bottom] = self.kept()?;
        let (across, down) = (right - left, bottom - top);
        let inside = Area {
            left: ((area.left - left) / across).clamp(0.0, 1.0),
            top: ((area.top - top) / down).clamp(0.0, 1.0),
            right: ((area.right - left) / across).clamp(0.0, 1.0),
            bottom: ((area.bottom - top) / down).clamp(0.0, 1.0),
        };
        let surface = |area: &Area| (area.right - area.left) * (area.bottom - area.top);
        let is_seen = surface(&inside) * across * down >= surface(&area) * LEFT_MIN;
        is_seen.then(|| self.turned(inside)).filter(Area::is_valid)
    }

    /// Where four corners of the picture lie in the edited one, from the upper left one on and clockwise as it shows;
    /// `None` when less than half of the box round them is left there.
    #[must_use]
    pub fn seen_corners(&self, corners: [[f64; 2]; 4]) -> Option<[[f64; 2]; 4]> {
        let reach = |axis: usize| {
            let along = corners.map(|corner| corner[axis]);
            let least = along.into_iter().fold(f64::INFINITY, f64::min);
            (least, along.into_iter().fold(f64::NEG_INFINITY, f64::max))
        };
        let ((left, right), (top, bottom)) = (reach(0), reach(1));
        self.seen(Area { left, top, right, bottom })?;
        let [left, top, right, bottom] = self.kept()?;
        let mut seen = corners.map(|[x, y]| {
            let x = ((x - left) / (right - left)).clamp(0.0, 1.0);
            let y = ((y - top) / (bottom - top)).clamp(0.0, 1.0);
            let (x, y) = if self.turn.swaps { (y, x) } else { (x, y) };
            let x = if self.turn.flips_x { 1.0 - x } else { x };
            [x, if self.turn.flips_y { 1.0 - y } else { y }]
        });
        if self.turn != Turn::default() {
            // Of the two corners to the left the upper one first, as models tell them.
            seen.sort_by(|one, other| one[0].total_cmp(&other[0]));
            let [mut left, mut right] = [[seen[0], seen[1]], [seen[2], seen[3]]];
            left.sort_by(|one, other| one[1].total_cmp(&other[1]));
            right.sort_by(|one, other| one[1].total_cmp(&other[1]));
            seen = [left[0], right[0], right[1], left[1]];
        }
        Some(seen)
    }

    /// Where a box of the edited picture lies in the picture without edits.
    #[must_use]
    pub fn unseen(&self, area: Area) -> Option<Area> {
        let [left, top, right, bottom] = self.kept()?;
        let (across, down) = (right - left, bottom - top);
        let inside = self.turned_back(area);
        Some(Area {
            left: left + inside.left * across,
            top: top + inside.top * down,
            right: left + inside.right * across,
            bottom: top + inside.bottom * down,
        })
        .filter(Area::is_valid)
    }

    /// Edges of the part that is kept, as fractions of the sides.
    fn kept(&self) -> Option<[f64; 4]> {
        let (width, height) = (f64::from(self.size.0), f64::from(self.size.1));
        let Crop { x, y, width: across, height: down } = self.crop;
        let is_there = width > 0.0 && height > 0.0 && across > 0 && down > 0;
        let (x, y) = (f64::from(x), f64::from(y));
        let edges = [
            x / width,
            y / height,
            ((x + f64::from(across)) / width).min(1.0),
            ((y + f64::from(down)) / height).min(1.0),
        ];
        is_there.then_some(edges)
    }

    fn turned(&self, area: Area) -> Area {
        self.reversed(if self.turn.swaps { swapped(area) } else { area })
    }

    fn turned_back(&self, area: Area) -> Area {
        let area = self.reversed(area);
        if self.turn.swaps { swapped(area) } else { area }
    }

    fn reversed(&self, area: Area) -> Area {
        let Area { left, top, right, bottom } = area;
        let (left, right) =
            if self.turn.flips_x { (1.0 - right, 1.0 - left) } else { (left, right) };
        let (top, bottom) =
            if self.turn.flips_y { (1.0 - bottom, 1.0 - top) } else { (top, bottom) };
        Area { left, top, right, bottom }
    }
}

const fn swapped(area: Area) -> Area {
    Area { left: area.top, top: area.left, right: area.bottom, bottom: area.right }
}

#[cfg(test)]
mod tests {
    use super::super::{Mirror, Rotate};
    use super::*;
    use crate::id::EditId;

    fn geometry(actions: &[EditAction], size: (u32, u32)) -> Geometry {
        let edit = |does: &EditAction| AssetEdit { edit_id: EditId::default(), does: *does };
        Geometry::of(&actions.iter().map(edit).collect::<Vec<_>>(), size)
    }

    fn rotate(angle: u16) -> EditAction {
        EditAction::Rotate(Rotate { angle })
    }

    fn mirror(axis: MirrorAxis) -> EditAction {
        EditAction::Mirror(Mirror { axis })
    }

    const CROP: EditAction = EditAction::Crop(Crop { x: 100, y: 50, width: 200, height: 100 });

    fn near(one: Area, other: Area) -> bool {
        [
            one.left - other.left,
            one.top - other.top,
            one.right - other.right,
            one.bottom - other.bottom,
        ]
        .iter()
        .all(|difference| difference.abs() < 1e-9)
    }

    #[test]
    fn edits_apply_in_the_order_of_the_list() {
        let turn = |actions: &[EditAction]| geometry(actions, (4, 2)).turn.exif();
        assert_eq!(turn(&[rotate(90)]), 6);
        assert_eq!(turn(&[rotate(180)]), 3);
        assert_eq!(turn(&[rotate(270)]), 8);
        assert_eq!(turn(&[mirror(MirrorAxis::Horizontal)]), 2);
        assert_eq!(turn(&[mirror(MirrorAxis::Vertical)]), 4);
        assert_eq!(turn(&[mirror(MirrorAxis::Horizontal), rotate(90)]), 7);
        assert_eq!(turn(&[rotate(90), mirror(MirrorAxis::Horizontal)]), 5);
        let both = [mirror(MirrorAxis::Horizontal), mirror(MirrorAxis::Vertical)];
        assert_eq!(turn(&both), turn(&[rotate(180)]));
    }

    #[test]
    fn size_is_that_of_what_is_kept_and_turned() {
        assert_eq!(geometry(&[CROP, rotate(90)], (400, 300)).edited_size(), (100, 200));
        assert_eq!(geometry(&[rotate(180)], (400, 300)).edited_size(), (400, 300));
        assert_eq!(geometry(&[CROP], (400, 300)).edited_size(), (200, 100));
    }

    #[test]
    fn box_goes_with_the_picture() {
        // The left quarter of the top half, turned clockwise, is the top quarter of the right half.
        let area = Area { left: 0.0, top: 0.0, right: 0.25, bottom: 0.5 };
        let turned = geometry(&[rotate(90)], (400, 300)).seen(area).unwrap();
        assert!(near(turned, Area { left: 0.5, top: 0.0, right: 1.0, bottom: 0.25 }), "{turned:?}");
    }

    #[test]
    fn box_that_is_cut_off_by_half_is_seen_and_by_more_is_not() {
        let cut = geometry(&[CROP], (400, 300));
        let half = Area { left: 0.125, top: 0.2, right: 0.375, bottom: 0.4 };
        assert!(cut.seen(half).is_some());
        assert!(cut.seen(Area { left: 0.1, ..half }).is_none());
        assert!(cut.seen(Area { left: 0.9, top: 0.9, right: 1.0, bottom: 1.0 }).is_none());
    }

    #[test]
    fn corners_go_with_the_picture_and_begin_at_its_upper_left() {
        let close = |one: [[f64; 2]; 4], other: [[f64; 2]; 4]| {
            let pairs = one.as_flattened().iter().zip(other.as_flattened());
            pairs.into_iter().all(|(one, other)| (one - other).abs() < 1e-9)
        };
        let line = [[0.25, 0.25], [0.5, 0.3], [0.5, 0.4], [0.25, 0.35]];
        let seen = |actions: &[EditAction]| geometry(actions, (400, 300)).seen_corners(line);
        assert!(close(seen(&[]).unwrap(), line));
        let turned = [[0.65, 0.25], [0.75, 0.25], [0.7, 0.5], [0.6, 0.5]];
        let mirrored = [[0.5, 0.3], [0.75, 0.25], [0.75, 0.35], [0.5, 0.4]];
        assert!(close(seen(&[mirror(MirrorAxis::Horizontal)]).unwrap(), mirrored));
        assert!(close(seen(&[rotate(90)]).unwrap(), turned));
        let cut = seen(&[CROP]).unwrap();
        assert!((cut[0][0] - 0.0).abs() < 1e-9 && (cut[0][1] - 0.25).abs() < 1e-9, "{cut:?}");
        let elsewhere = EditAction::Crop(Crop { x: 300, y: 200, width: 50, height: 50 });
        assert_eq!(seen(&[elsewhere]), None);
    }

    #[test]
    fn box_comes_back_from_every_edited_picture() {
        let area = Area { left: 0.3, top: 0.2, right: 0.5, bottom: 0.4 };
        let mirrors =
            [vec![], vec![mirror(MirrorAxis::Horizontal)], vec![mirror(MirrorAxis::Vertical)]];
        for angle in [0, 90, 180, 270] {
            for mirrors in &mirrors {
                let actions = [vec![CROP, rotate(angle)], mirrors.clone()].concat();
                let geometry = geometry(&actions, (400, 300));
                let back = geometry.seen(area).and_then(|seen| geometry.unseen(seen)).unwrap();
                assert!(near(back, area), "{actions:?}: {back:?}");
            }
        }
    }
}
