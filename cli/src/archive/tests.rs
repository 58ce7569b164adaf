//! Archives that are whole, cut off, odd or hostile.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;
use crate::digest::Hashing;

/// Files of all archives here: two of which one is longer than a chunk.
fn files() -> [(&'static str, Vec<u8>); 3] {
    let long: Vec<u8> = (0..400_000_u32).map(|it| u8::try_from(it % 251).unwrap()).collect();
    [("a/one.jpg", b"one".to_vec()), ("a/two.jpg", long), ("b/one.jpg.xmp", b"<x/>".to_vec())]
}

fn zip(path: &Path, files: &[(&str, Vec<u8>)], method: CompressionMethod) {
    let mut zip = ZipWriter::new(File::create(path).unwrap());
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

fn tar(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut head = tar::Header::new_gnu();
        head.set_size(bytes.len().try_into().unwrap());
        head.set_mtime(1_600_000_000);
        head.set_mode(0o644);
        tar.append_data(&mut head, name, bytes.as_slice()).unwrap();
    }
    tar.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn read(archive: &Archive, place: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    archive.read(place, &mut |chunk| {
        bytes.extend_from_slice(chunk);
        true
    })?;
    Ok(bytes)
}

/// One archive of each kind, with the same files.
fn all_kinds(folder: &Path) -> Vec<PathBuf> {
    let paths: Vec<PathBuf> =
        ["a.zip", "b.zip", "c.tar", "d.tar.gz", "e.tgz"].map(|name| folder.join(name)).to_vec();
    zip(&paths[0], &files(), CompressionMethod::Stored);
    zip(&paths[1], &files(), CompressionMethod::Deflated);
    std::fs::write(&paths[2], tar(&files())).unwrap();
    for path in &paths[3..] {
        std::fs::write(path, gzip(&tar(&files()))).unwrap();
    }
    paths
}

#[test]
fn files_are_read_where_they_lie_in_any_order_and_again() {
    let folder = tempfile::tempdir().unwrap();
    for path in all_kinds(folder.path()) {
        let (archive, listing) = open(&path).unwrap();
        assert!(listing.unreadable.is_empty(), "{listing:?}");
        let names: Vec<_> =
            listing.members.iter().map(|it| it.name.display().to_string()).collect();
        assert_eq!(names, files().map(|(name, _)| name), "{}", path.display());
        for place in [2, 0, 1, 1, 0, 2] {
            let (member, (_, bytes)) = (&listing.members[place], &files()[place]);
            assert_eq!(member.size_bytes, u64::try_from(bytes.len()).unwrap());
            assert_eq!(&read(&archive, member.place).unwrap(), bytes, "{}", path.display());
            let mut hashing = Hashing::default();
            hashing.update(bytes);
            if let Some(digests) = &member.digests {
                assert_eq!(*digests, hashing.finish());
            }
        }
        let is_read = listing.members.iter().filter(|it| it.digests.is_some()).count();
        assert_eq!(is_read, if path.to_string_lossy().contains("gz") { 2 } else { 0 });
    }
}

#[test]
fn archives_that_were_cut_off_are_told() {
    let folder = tempfile::tempdir().unwrap();
    for path in all_kinds(folder.path()) {
        let bytes = std::fs::read(&path).unwrap();
        let is_zip = path.extension().unwrap() == "zip";
        for length in [0, 1, 300, 700, bytes.len() / 2] {
            std::fs::write(&path, bytes.get(..length).unwrap_or(&bytes)).unwrap();
            let told = match open(&path) {
                Err(_) => true,
                Ok((archive, listing)) => {
                    assert!(!is_zip);
                    let whole = &listing.members;
                    assert!(whole.iter().all(|it| read(&archive, it.place).is_ok()), "{length}");
                    // An archive without any byte is an empty one.
                    length == 0 || listing.unreadable.iter().any(|it| it.is_failure)
                }
            };
            assert!(told, "{} of {length} bytes", path.display());
        }
    }
}

#[test]
fn damaged_bytes_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    zip(&path, &files(), CompressionMethod::Stored);
    let mut bytes = std::fs::read(&path).unwrap();
    let place = bytes.windows(3).position(|it| it == b"one").unwrap();
    // The first place is the name's; the bytes lie behind it.
    let place = place + 3 + bytes[place + 3..].windows(3).position(|it| it == b"one").unwrap();
    bytes[place] = b'X';
    std::fs::write(&path, bytes).unwrap();
    let (archive, listing) = open(&path).unwrap();
    assert!(read(&archive, listing.members[0].place).is_err());
    assert!(read(&archive, listing.members[1].place).is_ok());
}

#[test]
fn names_that_lead_out_and_links_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    let odd = ["../out.jpg", "/root.jpg", "a\\b.jpg", "a/../../c.jpg", "ok.jpg"];
    zip(&path, &odd.map(|name| (name, b"x".to_vec())), CompressionMethod::Stored);
    let (_, listing) = open(&path).unwrap();
    let names: Vec<_> = listing.members.iter().map(|it| it.name.display().to_string()).collect();
    assert_eq!(names, ["root.jpg", "a/b.jpg", "ok.jpg"]);
    assert_eq!(listing.unreadable.iter().filter(|it| it.is_failure).count(), 2);

    let path = folder.path().join("b.tar");
    let mut tar = tar::Builder::new(File::create(&path).unwrap());
    for (kind, name) in [(tar::EntryType::Symlink, "link.jpg"), (tar::EntryType::Fifo, "fifo.jpg")]
    {
        let mut head = tar::Header::new_gnu();
        head.set_entry_type(kind);
        head.set_size(0);
        tar.append_link(&mut head, name, "/etc/passwd").unwrap();
    }
    tar.finish().unwrap();
    drop(tar);
    let (_, listing) = open(&path).unwrap();
    assert!(listing.members.is_empty());
    assert_eq!(listing.unreadable.len(), 2);
    assert!(listing.unreadable.iter().all(|it| !it.is_failure));
}

#[test]
fn what_would_become_far_too_long_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let bomb = vec![0; usize::try_from(EXPANSION_FREE_BYTES).unwrap() + 1];
    let path = folder.path().join("a.zip");
    zip(
        &path,
        &[("bomb.jpg", bomb.clone()), ("a.jpg", b"a".to_vec())],
        CompressionMethod::Deflated,
    );
    let (_, listing) = open(&path).unwrap();
    assert_eq!(listing.members.len(), 1);
    assert!(listing.unreadable[0].why.contains("far longer"), "{listing:?}");

    let path = folder.path().join("a.tgz");
    std::fs::write(&path, gzip(&tar(&[("a.jpg", b"a".to_vec()), ("bomb.jpg", bomb)]))).unwrap();
    let (_, listing) = open(&path).unwrap();
    assert_eq!(listing.members.len(), 1);
    assert!(listing.unreadable[0].is_failure, "{listing:?}");
}

#[test]
fn names_without_end_are_not_read_into_memory() {
    let folder = tempfile::tempdir().unwrap();
    let long = |length: usize, kind| {
        let mut tar = tar::Builder::new(Vec::new());
        let mut file = |kind, name: &str, bytes: &[u8]| {
            let mut head = tar::Header::new_gnu();
            head.set_entry_type(kind);
            head.set_size(bytes.len().try_into().unwrap());
            tar.append_data(&mut head, name, bytes).unwrap();
        };
        file(tar::EntryType::Regular, "a.jpg", b"a");
        // What is read over is no name, however long it is.
        file(tar::EntryType::Fifo, "fifo", &vec![0; 3 << 20]);
        file(tar::EntryType::Regular, "b.jpg", b"b");
        file(kind, "long", &vec![b'x'; length]);
        file(tar::EntryType::Regular, "c.jpg", b"c");
        tar.into_inner().unwrap()
    };
    for kind in [tar::EntryType::GNULongName, tar::EntryType::GNULongLink, tar::EntryType::XHeader]
    {
        for (length, members) in [(1_000, 3), (3 << 20, 2)] {
            let bytes = long(length, kind);
            for (name, bytes) in [("a.tar", bytes.clone()), ("a.tgz", gzip(&bytes))] {
                let path = folder.path().join(name);
                std::fs::write(&path, bytes).unwrap();
                let (_, listing) = open(&path).unwrap();
                assert_eq!(listing.members.len(), members, "{kind:?} {length} {name} {listing:?}");
                let is_told = listing.unreadable.iter().any(|it| it.why.contains("too long"));
                assert_eq!(is_told, members == 2, "{listing:?}");
            }
        }
    }
}

#[test]
fn file_that_is_longer_than_the_list_says_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    zip(&path, &[("a.jpg", vec![7; 5_000])], CompressionMethod::Deflated);
    let mut bytes = std::fs::read(&path).unwrap();
    // The length in the list at the end: PKWARE's APPNOTE, 4.3.12, 24 bytes behind the signature.
    let list = bytes.windows(4).rposition(|it| it == [b'P', b'K', 1, 2]).unwrap();
    bytes[list + 24..list + 28].copy_from_slice(&100_u32.to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
    let (archive, listing) = open(&path).unwrap();
    assert!(read(&archive, listing.members[0].place).is_err());
}
