//! Other machines: one that answers, one that hangs, one that lies, one that dies.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use calotype_ml::{Checks, ModelKind, Pixels, Services, Source, Verdict, install};
use calotype_ml::{DEFAULT_CLIP, DEFAULT_FACES, DEFAULT_OCR, Ml, MlConfig, MlError, OcrLimits};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::config;

/// What a machine does with `POST /predict`.
#[derive(Clone, Copy)]
enum Manner {
    /// Answers with a status and a body.
    Says(u16, &'static str),
    /// Takes the request and says nothing.
    Hangs,
    /// Takes a part of the request and goes.
    Dies,
    /// Says more than anybody wants to hear.
    Floods,
    /// Answers once, and never again.
    Tires(&'static str),
    /// Refuses the first picture, and answers of the others.
    Refuses(&'static str),
}

/// A machine of a manner; its address.
async fn machine(manner: Manner) -> String {
    counted(manner).await.0
}

/// A machine of a manner: its address, and how often it was asked.
async fn counted(manner: Manner) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
    drop(tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            drop(tokio::spawn(serve(connection, manner, Arc::clone(&asked))));
        }
    }));
    (format!("http://{address}"), counter)
}

async fn serve(mut connection: TcpStream, manner: Manner, asked: Arc<AtomicUsize>) {
    let Some(request) = read_head(&mut connection).await else { return };
    if request.starts_with("GET /ping ") {
        say(&mut connection, 200, b"pong").await;
        return;
    }
    assert!(request.starts_with("POST /predict "), "{request}");
    let before = asked.fetch_add(1, Ordering::Relaxed);
    match manner {
        Manner::Tires(body) if before == 0 => {
            read_body(&mut connection, &request).await;
            say(&mut connection, 200, body.as_bytes()).await;
        }
        Manner::Refuses(body) => {
            read_body(&mut connection, &request).await;
            say(&mut connection, if before == 0 { 422 } else { 200 }, body.as_bytes()).await;
        }
        Manner::Says(status, body) => {
            read_body(&mut connection, &request).await;
            say(&mut connection, status, body.as_bytes()).await;
        }
        Manner::Hangs => std::future::pending().await,
        Manner::Dies | Manner::Tires(_) => {}
        Manner::Floods => {
            read_body(&mut connection, &request).await;
            say(&mut connection, 200, &vec![b' '; 20 << 20]).await;
        }
    }
}

async fn read_head(connection: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

/// Reads what the head announces, chunked or not, until the client has said all.
async fn read_body(connection: &mut TcpStream, head: &str) {
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let mut body = Vec::new();
    let mut piece = [0; 4_096];
    while length.map_or(!body.ends_with(b"0\r\n\r\n"), |length| body.len() < length) {
        match connection.read(&mut piece).await {
            Ok(read @ 1..) => body.extend_from_slice(&piece[..read]),
            Ok(0) | Err(_) => return,
        }
    }
}

async fn say(connection: &mut TcpStream, status: u16, body: &[u8]) {
    let head = format!(
        "HTTP/1.1 {status} so\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    // Whoever stops listening is not our concern.
    connection.write_all(head.as_bytes()).await.ok();
    connection.write_all(body).await.ok();
    connection.shutdown().await.ok();
}

/// Models on other machines alone.
fn over(remotes: Vec<String>) -> Ml {
    let timeout = Duration::from_millis(500);
    Ml::new(MlConfig { remotes, local: false, remote_timeout: timeout, ..config() }).unwrap()
}

fn grey() -> Pixels {
    Pixels::new(100, 50, vec![128; 15_000]).unwrap()
}

#[tokio::test]
async fn answers_of_immich_s_service_are_read() {
    let ml = over(vec![
        machine(Manner::Says(
            200,
            r#"{"clip": "[3, 0, 4]", "imageHeight": 50, "imageWidth": 100}"#,
        ))
        .await,
    ]);
    let found = ml.embed_image("ViT-B-32__openai", grey()).await.unwrap();
    assert_eq!(found.values, [0.6, 0.0, 0.8]);
    assert_eq!(
        (found.model.name.as_str(), found.model.revision.as_str()),
        ("ViT-B-32__openai", "remote")
    );
    let words = ml.embed_text("ViT-B-32__openai", "a cat", Some("en")).await.unwrap();
    assert_eq!(words.model, found.model);

    let faces = r#"{"facial-recognition": [{"boundingBox": {"x1": 1, "y1": 2, "x2": 30, "y2": 40},
        "embedding": "[1.0, 0.0]", "score": 0.9}], "imageHeight": 50, "imageWidth": 100}"#;
    let ml = over(vec![machine(Manner::Says(200, faces)).await]);
    let found = ml.faces("buffalo_l", grey(), 0.7).await.unwrap();
    assert_eq!((found.faces.len(), found.faces[0].y2), (1, 40.0));

    let words = r#"{"ocr": {"text": ["KIRIN"], "box": [0, 0, 1, 0, 1, 1, 0, 1], "boxScore": [0.9],
        "textScore": [0.95]}, "imageHeight": 50, "imageWidth": 100}"#;
    let ml = over(vec![machine(Manner::Says(200, words)).await]);
    let found = ml.words("PP-OCRv5_mobile", grey(), OcrLimits::default()).await.unwrap();
    assert_eq!(found.words[0].text, "KIRIN");
}

#[tokio::test]
async fn machines_are_asked_in_order_until_one_answers_rightly() {
    let good = machine(Manner::Says(200, r#"{"clip": "[0, 1]"}"#)).await;
    for bad in [
        Manner::Says(500, "no"),
        Manner::Says(404, "{}"),
        Manner::Says(200, "<html>"),
        Manner::Says(200, "{}"),
        Manner::Says(200, r#"{"clip": "[0, 0]"}"#),
        Manner::Says(302, ""),
        Manner::Hangs,
        Manner::Dies,
        Manner::Floods,
    ] {
        let ml = over(vec![machine(bad).await, good.clone()]);
        let found = ml.embed_image("a", grey()).await.unwrap();
        assert_eq!(found.values, [0.0, 1.0]);
        let again = ml.embed_text("a", "b", None).await.unwrap();
        assert_eq!(again.values, [0.0, 1.0]);
    }
}

#[tokio::test]
async fn what_each_machine_did_is_said_when_none_answers() {
    let (hangs, lies) = (machine(Manner::Hangs).await, machine(Manner::Says(200, "{}")).await);
    let nobody = "http://127.0.0.1:9".to_owned();
    let secret = nobody.replace("http://", "http://me:secret@");
    let error = over(vec![hangs, lies, secret]).embed_text("a", "b", None).await.unwrap_err();
    let MlError::NoService { tried, .. } = &error else { panic!("{error:?}") };
    assert!(tried[0].contains("in time"), "{tried:?}");
    assert!(tried[1].contains("without an embedding"), "{tried:?}");
    assert!(tried[2].contains("cannot be reached"), "{tried:?}");
    assert!(error.may_pass() && !error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn this_machine_does_the_work_when_no_other_does() {
    let here =
        Ml::new(MlConfig { remotes: vec![machine(Manner::Dies).await], ..config() }).unwrap();
    let found = here.embed_text(DEFAULT_CLIP, "a cat", None).await.unwrap();
    assert_eq!(found.model, here.model_ref(ModelKind::Clip, DEFAULT_CLIP).unwrap());
    assert_eq!(here.faces(DEFAULT_FACES, grey(), 0.7).await.unwrap().faces, []);
    let words = here.words(DEFAULT_OCR, grey(), OcrLimits::default()).await.unwrap();
    assert_eq!(words.words, []);
}

/// This machine, behind such services.
fn behind(urls: &[String], checks: Option<Checks>) -> Ml {
    let services = Services { urls: urls.to_vec(), checks };
    Ml::new(config()).unwrap().with_stand_ins().with_services(&services).unwrap()
}

const CHECKS: Checks =
    Checks { timeout: Duration::from_millis(500), interval: Duration::from_secs(3_600) };

#[tokio::test]
async fn what_immich_names_is_answered_by_what_is_brought_along() {
    let ml = Ml::new(config()).unwrap();
    assert!(ml.embed_text("ViT-B-32__openai", "a cat", None).await.is_err());
    let found = ml.with_stand_ins().embed_text("ViT-B-32__openai", "a cat", None).await.unwrap();
    assert_eq!(found.model, ml.model_ref(ModelKind::Clip, DEFAULT_CLIP).unwrap());
}

#[tokio::test]
async fn service_that_failed_is_left_alone_where_this_machine_does_the_work() {
    for manner in [Manner::Says(500, "no"), Manner::Says(429, "later"), Manner::Dies] {
        let (ill, asked) = counted(manner).await;
        let ml = behind(std::slice::from_ref(&ill), Some(CHECKS));
        for _ in 0..2 {
            let found = ml.embed_text(DEFAULT_CLIP, "a cat", None).await.unwrap();
            assert_eq!(found.model, ml.model_ref(ModelKind::Clip, DEFAULT_CLIP).unwrap());
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1, "it was not left alone");
        // Unwatched services are asked each time.
        let good = machine(Manner::Says(200, r#"{"clip": "[0, 1]"}"#)).await;
        let ml = behind(&[ill, "no address".to_owned(), good], None);
        let found = ml.embed_text(DEFAULT_CLIP, "a cat", None).await.unwrap();
        assert_eq!(found.values, [0.0, 1.0]);
        assert_eq!(asked.load(Ordering::Relaxed), 2, "it was left alone");
    }
}

#[tokio::test]
async fn service_that_cannot_take_a_picture_is_asked_for_the_next() {
    let wrong = [
        Manner::Says(422, "no picture"),
        Manner::Says(200, "<html>"),
        Manner::Says(200, r#"{"clip": "[0, 0]"}"#),
    ];
    for manner in wrong {
        let ((bad, asked), good) =
            (counted(manner).await, machine(Manner::Says(200, r#"{"clip": "[0, 1]"}"#)).await);
        let ml = behind(&[bad, good], Some(CHECKS));
        for times in 1..=2 {
            let found = ml.embed_image("a", grey()).await.unwrap();
            assert_eq!(found.values, [0.0, 1.0], "the next service was not asked");
            assert_eq!(asked.load(Ordering::Relaxed), times, "it was left alone");
        }
    }
    let picky = machine(Manner::Refuses(r#"{"clip": "[0, 1]"}"#)).await;
    let ml = behind(&[picky], Some(CHECKS));
    let found = ml.embed_text(DEFAULT_CLIP, "a cat", None).await.unwrap();
    assert_eq!(found.model, ml.model_ref(ModelKind::Clip, DEFAULT_CLIP).unwrap(), "not done here");
    let found = ml.embed_text(DEFAULT_CLIP, "a dog", None).await.unwrap();
    assert_eq!(found.values, [0.0, 1.0], "the service was left alone for the other text");
}

#[tokio::test]
async fn numbers_of_another_model_do_not_stand_in_and_words_do() {
    let service = machine(Manner::Tires(r#"{"clip": "[0, 1]"}"#)).await;
    let ml = behind(&[service], Some(CHECKS));
    let told = ml.embed_text("ViT-B-32__openai", "a cat", None).await.unwrap().model;
    assert_eq!(told, ml.told(ModelKind::Clip, "ViT-B-32__openai"));
    for _ in 0..2 {
        let error = ml.embed_image("ViT-B-32__openai", grey()).await.unwrap_err();
        assert!(matches!(error, MlError::NoService { .. }), "{error:?}");
    }
    let words = ml.words("PP-OCRv5_mobile", grey(), OcrLimits::default()).await.unwrap();
    assert_eq!(words.model, ml.model_ref(ModelKind::Ocr, DEFAULT_OCR).unwrap());
}

#[tokio::test]
async fn words_that_a_service_is_not_sure_of_are_left_out() {
    let words = r#"{"ocr": {"text": ["SURE", "UNSURE", "BLURRED", " "],
        "box": [0,0,1,0,1,1,0,1, 0,0,1,0,1,1,0,1, 0,0,1,0,1,1,0,1, 0,0,1,0,1,1,0,1],
        "boxScore": [0.9, 0.9, 0.2, 0.9], "textScore": [0.9, 0.2, 0.9, 0.9]}}"#;
    let ml = over(vec![machine(Manner::Says(200, words)).await]);
    let found = ml.words("any", grey(), OcrLimits::default()).await.unwrap();
    let texts: Vec<&str> = found.words.iter().map(|word| word.text.as_str()).collect();
    assert_eq!(texts, ["SURE"]);
}

#[tokio::test]
async fn server_without_the_files_installs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let source = Source::parse("http://127.0.0.1:9/models").unwrap();
    let error = install(&source, folder.path()).await.unwrap_err();
    assert!(matches!(error, MlError::Unfetched { .. }) && error.may_pass(), "{error}");
    let found = calotype_ml::verify(folder.path());
    assert!(found.iter().all(|it| it.verdict == Verdict::Missing), "{found:?}");
}
