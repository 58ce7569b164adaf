//! MP4 and QuickTime (ISO 14496-12): boxes that describe become empty boxes of the same size, so that every
//! offset in the file still holds. Tracks other than picture and sound go the same way where they are known
//! to hold no positions; a film with another kind of track has no plan, because its samples would stay.

use std::io;

use super::malformed;
use super::plan::Plan;
use super::scan::Scan;

/// Boxes looked at in one film.
const BOXES_MAX: u32 = 20_000;
/// Boxes at the top that play the film.
const TOP: [&[u8; 4]; 9] =
    [b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"sidx", b"ssix", b"mfra", b"pdin"];
/// Boxes that say something about the film, or might.
const TALKING: [&[u8; 4]; 6] = [b"udta", b"meta", b"uuid", b"free", b"skip", b"name"];
/// Boxes looked into.
const CONTAINERS: [&[u8; 4]; 8] =
    [b"moov", b"mdia", b"minf", b"dinf", b"stbl", b"edts", b"moof", b"traf"];
/// Samples that are known to hold no position: what a phone notes for its own use, and time codes.
const HARMLESS: [&[u8; 4]; 2] = [b"mebx", b"tmcd"];

/// One box.
#[derive(Clone, Copy)]
struct Atom {
    start: u64,
    header_bytes: u64,
    end: u64,
    kind: [u8; 4],
}

struct Walk<'s, 'f> {
    scan: &'s mut Scan<'f>,
    plan: Plan,
    boxes: u32,
    /// Whether there is something that cannot be told.
    is_unknown: bool,
}

pub(super) fn plan(scan: &mut Scan<'_>) -> io::Result<Option<Plan>> {
    let end = scan.length();
    let mut walk = Walk { scan, plan: Plan::default(), boxes: 0, is_unknown: false };
    walk.level(0, end, true)?;
    Ok((!walk.is_unknown).then_some(walk.plan))
}

impl Walk<'_, '_> {
    fn level(&mut self, first: u64, end: u64, is_top: bool) -> io::Result<()> {
        let mut at = first;
        while at < end {
            // Zeros may end a list of QuickTime.
            if end - at < 8 {
                return self.plan.zeros(end - at);
            }
            let one = self.read(at, end)?;
            let talks = TALKING.contains(&&one.kind) || (is_top && !TOP.contains(&&one.kind));
            if talks {
                self.empty(one)?;
            } else if &one.kind == b"trak" {
                self.track(one)?;
            } else if CONTAINERS.contains(&&one.kind) {
                self.plan.keep(one.start, one.header_bytes)?;
                self.level(one.start + one.header_bytes, one.end, false)?;
            } else {
                self.plan.keep(one.start, one.end - one.start)?;
            }
            at = one.end;
        }
        Ok(())
    }

    fn track(&mut self, track: Atom) -> io::Result<()> {
        let inside = (track.start + track.header_bytes, track.end);
        let media = self.find(inside, *b"mdia")?;
        let handler = self.find(media, *b"hdlr")?;
        self.scan.to(handler.0)?;
        // Version, flags and a predefined word stand before it.
        self.scan.skip(8)?;
        let handler: [u8; 4] = self.scan.array()?;
        if matches!(&handler, b"vide" | b"soun") {
            self.plan.keep(track.start, track.header_bytes)?;
            return self.level(inside.0, inside.1, false);
        }
        let information = self.find(media, *b"minf")?;
        let table = self.find(information, *b"stbl")?;
        let samples = self.find(table, *b"stsd")?;
        self.scan.to(samples.0)?;
        self.scan.skip(4)?;
        let count = u32::from_be_bytes(self.scan.array()?);
        self.scan.skip(4)?;
        let format: [u8; 4] = self.scan.array()?;
        if count != 1 || !HARMLESS.contains(&&format) {
            self.is_unknown = true;
        }
        self.empty(track)
    }

    /// The inside of the first box of a kind.
    fn find(&mut self, (first, end): (u64, u64), kind: [u8; 4]) -> io::Result<(u64, u64)> {
        let mut at = first;
        while end.saturating_sub(at) >= 8 {
            let one = self.read(at, end)?;
            if one.kind == kind {
                return Ok((one.start + one.header_bytes, one.end));
            }
            at = one.end;
        }
        Err(malformed())
    }

    fn read(&mut self, start: u64, end_max: u64) -> io::Result<Atom> {
        self.boxes += 1;
        if self.boxes > BOXES_MAX {
            return Err(malformed());
        }
        self.scan.to(start)?;
        let short = u64::from(u32::from_be_bytes(self.scan.array()?));
        let kind = self.scan.array()?;
        let (header_bytes, length) = match short {
            0 => (8, end_max - start),
            1 => (16, u64::from_be_bytes(self.scan.array()?)),
            length => (8, length),
        };
        let end = start.checked_add(length).filter(|end| *end <= end_max);
        match end {
            Some(end) if length >= header_bytes => Ok(Atom { start, header_bytes, end, kind }),
            _ => Err(malformed()),
        }
    }

    /// An empty box in the place of one.
    fn empty(&mut self, one: Atom) -> io::Result<()> {
        let length = one.end - one.start;
        match u32::try_from(length) {
            Ok(short) => {
                let mut header = short.to_be_bytes().to_vec();
                header.extend(b"free");
                self.plan.put(header)?;
                self.plan.zeros(length - 8)
            }
            Err(_) => {
                let mut header = 1_u32.to_be_bytes().to_vec();
                header.extend(b"free");
                header.extend(length.to_be_bytes());
                self.plan.put(header)?;
                self.plan.zeros(length - 16)
            }
        }
    }
}
