//! Walking through what is stored.

use walkdir::WalkDir;

use super::{Area, BlobKey, BlobStore};

impl BlobStore {
    /// Names every blob of an area until `take` says `false`; blocks. What has a name that no key of that area
    /// has, or a hidden one, is not ours. Links are not followed.
    pub fn each(&self, area: Area, mut take: impl FnMut(BlobKey) -> bool) {
        let root = self.root_of(area);
        let files = WalkDir::new(&root).follow_links(false).into_iter().filter_map(Result::ok);
        for entry in files.filter(|entry| entry.file_type().is_file()) {
            let name = entry.path().strip_prefix(&root).ok().and_then(|path| path.to_str());
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            let key = name.filter(|_| !is_hidden).and_then(|name| BlobKey::parse(name).ok());
            let Some(key) = key.filter(|key| key.area() == area) else { continue };
            if !take(key) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_blob_of_an_area_is_named_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobStore::open(folder.path()).await.unwrap();
        for name in [
            "library/upload/u/aa/a.jpg",
            "library/upload/u/aa/a.jpg.xmp",
            "library/upload/.hidden",
            "library/else/b.jpg",
            // A key says which area it lies in: this one would name another file.
            "library/thumbs/c.jpg",
            "derived/thumbs/u/aa/a-preview.jpg",
            "derived/encoded-video/u/aa/a.mp4",
            "derived/upload/d.jpg",
        ] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"x").unwrap();
        }
        for (area, wanted) in [
            (Area::Library, ["upload/u/aa/a.jpg", "upload/u/aa/a.jpg.xmp"]),
            (Area::Derived, ["encoded-video/u/aa/a.mp4", "thumbs/u/aa/a-preview.jpg"]),
        ] {
            let mut keys = Vec::new();
            store.each(area, |key| {
                keys.push(key.to_string());
                true
            });
            keys.sort();
            assert_eq!(keys, wanted);
        }
    }
}
