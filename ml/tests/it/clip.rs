//! Pictures and words in one space.

use calotype_ml::{DEFAULT_CLIP, Ml, MlConfig, ModelKind, Pixels, Provider};

use crate::support::{config, cosine, expected, farthest, ml, numbers, picture};

/// Pictures, and words that are true of one of them.
const SCENES: [(&str, &str); 6] = [
    ("photos/scenes/cat_chelsea.png", "a ginger cat"),
    ("photos/scenes/coffee.png", "a cup of espresso"),
    ("photos/scenes/rocket.jpg", "a rocket on its launch pad"),
    ("photos/scenes/puppies.jpg", "golden retriever puppies"),
    ("photos/scenes/innsbruck.jpg", "a train on a viaduct"),
    ("photos/nature/prairie_falcon.jpg", "bird of prey"),
];

#[tokio::test]
async fn prepared_picture_lies_where_the_reference_has_it() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expected/cat.png");
    let decoded = image::open(path).unwrap().into_rgb8();
    let pixels = Pixels::new(decoded.width(), decoded.height(), decoded.into_raw()).unwrap();
    let found = ml().embed_image(DEFAULT_CLIP, pixels).await.unwrap();
    let expected = numbers(&expected("clip.json")["images"]["photos/scenes/cat_chelsea.png"]);
    let far = farthest(&found.values, &expected);
    assert!(far < 1e-3, "{far}");
}

/// The network is sharp: one level of grey in a hundredth of the pixels moves its numbers by 0.001, and our
/// filter rounds otherwise than Pillow's.
#[tokio::test]
async fn pictures_of_any_size_lie_where_the_reference_has_them() {
    let ml = ml();
    for (name, expected) in expected("clip.json")["images"].as_object().unwrap() {
        let found = ml.embed_image(DEFAULT_CLIP, picture(name)).await.unwrap();
        assert_eq!(found.values.len(), 512);
        let alike = cosine(&found.values, &numbers(expected));
        assert!(alike > 0.99, "{name}: {alike}");
        assert!((cosine(&found.values, &found.values) - 1.0).abs() < 1e-5);
    }
}

#[tokio::test]
async fn words_lie_where_the_reference_has_them() {
    let ml = ml();
    for (text, expected) in expected("clip.json")["texts"].as_object().unwrap() {
        let found = ml.embed_text(DEFAULT_CLIP, text, Some("de")).await.unwrap();
        let expected = numbers(&expected["embedding"]);
        assert!(farthest(&found.values, &expected) < 1e-3, "{text:?}");
    }
}

#[tokio::test]
async fn words_find_their_picture_first() {
    let ml = ml();
    let mut pictures = Vec::new();
    for (name, _) in SCENES {
        pictures.push(ml.embed_image(DEFAULT_CLIP, picture(name)).await.unwrap());
    }
    for (at, (name, words)) in SCENES.into_iter().enumerate() {
        let words_at = ml.embed_text(DEFAULT_CLIP, words, None).await.unwrap();
        let alike: Vec<f32> =
            pictures.iter().map(|it| cosine(&it.values, &words_at.values)).collect();
        let best = alike.iter().enumerate().max_by(|one, other| one.1.total_cmp(other.1));
        assert_eq!(best.map(|it| it.0), Some(at), "{words} is {name}: {alike:?}");
    }
}

#[tokio::test]
async fn pictures_and_words_are_of_one_model() {
    let ml = ml();
    let image = ml.embed_image(DEFAULT_CLIP, picture(SCENES[1].0)).await.unwrap();
    let text = ml.embed_text(DEFAULT_CLIP, SCENES[1].1, None).await.unwrap();
    assert_eq!(image.model, text.model);
    assert_eq!(image.model, ml.model_ref(ModelKind::Clip, DEFAULT_CLIP).unwrap());
    assert_eq!(image.model.name, DEFAULT_CLIP);
}

#[tokio::test]
async fn what_the_library_cannot_compute_with_is_passed_over() {
    let providers = vec![Provider::CoreMl, Provider::OpenVino, Provider::Cuda, Provider::Cpu];
    let with_providers = Ml::new(MlConfig { providers, ..config() }).unwrap();
    let (picture, text) = (picture("photos/scenes/coffee.png"), "a cup of espresso");
    let one = with_providers.embed_image(DEFAULT_CLIP, picture.clone()).await.unwrap();
    let other = ml().embed_image(DEFAULT_CLIP, picture).await.unwrap();
    assert!(farthest(&one.values, &other.values) < 1e-3);
    assert_eq!(one.model, other.model);
    let words = with_providers.embed_text(DEFAULT_CLIP, text, None).await.unwrap();
    assert_eq!(words.model, one.model);
}

#[test]
fn side_of_what_a_model_looks_at_is_told() {
    assert_eq!(ml().picture_px(DEFAULT_CLIP), Some(224));
    assert_eq!(ml().picture_px("nobody's"), None);
}
