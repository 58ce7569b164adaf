//! Pixels for models, through the pool of decoders.

use calotype_media::image::PixelsWish;

use crate::support::{media_folder, pool};

/// 910 by 1,137 pixels.
const PORTRAIT: &str = "faces/obama_1.jpg";

#[tokio::test]
async fn picture_that_is_made_small_anyway_is_decoded_at_a_fraction() {
    let (decoders, path) = (pool(), media_folder().join(PORTRAIT));
    for (side_px_max, short_px, expected) in [
        (1_440, None, (910, 1_137)),
        (1_000, None, (800, 1_000)),
        // Half of it has twice as many as are wanted, a quarter has not.
        (1_440, Some(224), (455, 569)),
        (1_440, Some(100), (228, 285)),
        // What is wanted is nearly all of it.
        (1_440, Some(500), (910, 1_137)),
        (300, Some(224), (240, 300)),
    ] {
        let wish = PixelsWish { side_px_max, short_px };
        let pixels = decoders.pixels(path.clone(), wish).await.unwrap();
        assert_eq!((pixels.width, pixels.height), expected, "{wish:?}");
    }
}

#[tokio::test]
async fn half_looks_like_the_whole() {
    let (decoders, path) = (pool(), media_folder().join(PORTRAIT));
    let whole = decoders.pixels(path.clone(), PixelsWish::whole(280)).await.unwrap();
    let wish = PixelsWish { side_px_max: 280, short_px: Some(224) };
    let part = decoders.pixels(path, wish).await.unwrap();
    assert_eq!((part.width, part.height), (whole.width, whole.height));
    let far = part.rgb.iter().zip(&whole.rgb).map(|(one, other)| u64::from(one.abs_diff(*other)));
    let mean = far.sum::<u64>() / u64::try_from(whole.rgb.len()).unwrap();
    assert!(mean <= 1, "{mean} levels apart");
}
