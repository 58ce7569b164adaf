//! Models that are not brought along, put there by their names: from folders and addresses, cut off, and hostile.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use calotype_ml::{
    DEFAULT_CLIP, DEFAULT_FACES, Ml, MlConfig, MlError, Other, Source, install_other,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{config, models, picture};

fn over(root: &Path) -> Ml {
    Ml::new(MlConfig { folders: vec![root.to_owned()], ..config() }).unwrap()
}

/// What is in a folder of models but for the lock.
fn left_in(root: &Path) -> Vec<String> {
    let names = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name());
    names.map(|it| it.into_string().unwrap()).filter(|name| name != ".installing").collect()
}

#[tokio::test]
async fn model_of_a_folder_gets_the_name_that_is_wanted() {
    let root = tempfile::tempdir().unwrap();
    let source = Source::Folder(models().join("clip").join(DEFAULT_CLIP));
    let other: Other = "clip/another".parse().unwrap();

    let found = install_other(&other, &source, root.path(), &config()).await.unwrap();

    assert_eq!(found.len(), 1);
    assert_eq!(left_in(root.path()), ["clip"]);
    let ml = over(root.path());
    let said = ml.embed_image("another", picture("photos/scenes/coffee.png")).await.unwrap();
    assert_eq!(said.model, found[0]);
    let again = install_other(&other, &source, root.path(), &config()).await.unwrap_err();
    assert!(matches!(again, MlError::Unwritable { .. }), "{again}");
}

#[tokio::test]
async fn model_of_an_address_goes_on_where_it_was_cut_off() {
    let root = tempfile::tempdir().unwrap();
    let (url, resumed) = serve(models().join("facial-recognition").join(DEFAULT_FACES)).await;
    let source = Source::parse(&url).unwrap();
    let other: Other = "facial-recognition/another".parse().unwrap();

    // Each of the two files is cut off once.
    for _ in 0..2 {
        let cut = install_other(&other, &source, root.path(), &config()).await.unwrap_err();
        assert!(cut.may_pass(), "{cut}");
        assert!(over(root.path()).installed().is_empty(), "a part counts");
    }
    let found = install_other(&other, &source, root.path(), &config()).await.unwrap();

    assert_eq!(found.len(), 2);
    assert_eq!(resumed.load(Ordering::Relaxed), 2);
    let ml = over(root.path());
    let found = ml.faces("another", picture("faces/obama_1.jpg"), 0.7).await.unwrap();
    assert_eq!(found.faces.len(), 1);
}

#[tokio::test]
async fn files_that_are_no_model_are_refused_and_leave_nothing() {
    let whole = models().join("clip").join(DEFAULT_CLIP);
    for (file, bytes) in [
        ("visual/model.onnx", b"\x08\x07\x12\x04evil".as_slice()),
        ("visual/preprocess_cfg.json", b"{\"size\": 100000000}"),
        ("textual/tokenizer.json", b"<html>please log in</html>"),
    ] {
        let (from, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for name in calotype_ml::ModelKind::Clip.files() {
            let to = from.path().join(name);
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(whole.join(name), to).unwrap();
        }
        std::fs::write(from.path().join(file), bytes).unwrap();
        let source = Source::Folder(from.path().to_owned());
        let other: Other = "clip/another".parse().unwrap();

        let refused = install_other(&other, &source, root.path(), &config()).await.unwrap_err();

        assert!(matches!(refused, MlError::BadModel { .. }), "{file}: {refused}");
        assert!(left_in(root.path()).is_empty(), "{file}: {:?}", left_in(root.path()));
    }
}

/// Serves a folder; of each file it gives half, and the rest to whoever asks for that. Counts those.
async fn serve(folder: std::path::PathBuf) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let resumed = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&resumed);
    #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
    drop(tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            answer(connection, &folder, &counter).await;
        }
    }));
    (format!("http://{address}"), resumed)
}

async fn answer(mut connection: TcpStream, folder: &Path, resumed: &AtomicUsize) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let path = head.split(' ').nth(1).unwrap().trim_start_matches('/').to_owned();
    let bytes = std::fs::read(folder.join(path)).unwrap();
    let range = head.split("range: bytes=").nth(1).and_then(|rest| rest.split('-').next());
    let start: usize = range.map_or(0, |start| start.parse().unwrap());
    let (status, end) = if start == 0 {
        ("200 OK", bytes.len() / 2)
    } else {
        resumed.fetch_add(1, Ordering::Relaxed);
        ("206 Partial Content", bytes.len())
    };
    let length = bytes.len() - start;
    let told =
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    connection.write_all(told.as_bytes()).await.unwrap();
    connection.write_all(&bytes[start..end]).await.unwrap();
    connection.shutdown().await.unwrap();
}
