//! Pictures and words in one space: models laid out as OpenCLIP exports, `visual/` and `textual/`.

mod preprocess;
mod scale;
mod text;
mod tokens;

use std::sync::Arc;

use self::preprocess::Steps;
use crate::error::MlError;
use crate::folders::{BESIDE_BYTES_MAX, Folders, read};
use crate::model::ModelKind;
use crate::pixels::Pixels;
use crate::pool::Pool;
use crate::session::{Input, Loaded, Numbers, Tensor, is_real, takes_a_picture};

pub(crate) use scale::{Filter, scale};
pub(crate) use text::Texts;

/// The most numbers that one embedding may have.
pub(crate) const DIMENSIONS_MAX: usize = 4_096;

/// Where a picture lies: unit length.
pub(crate) fn image(
    pool: &Pool,
    folders: &Folders,
    model: &str,
    pixels: &Pixels,
) -> Result<Vec<f32>, MlError> {
    let input = steps(folders, model)?.apply(pixels)?;
    let file = folders.file(ModelKind::Clip, model, "visual/model.onnx")?;
    pool.with(&file, is_visual, |loaded| {
        let wanted = &loaded.inputs[0].shape;
        if (2..4).any(|at| wanted[at] >= 0 && usize::try_from(wanted[at]) != Ok(input.shape[at])) {
            return Err(loaded.failed("it wants pictures of another size than its settings say"));
        }
        let answer = loaded.run(vec![Input::Real(input)])?;
        embedding(loaded, answer)
    })
}

/// The longer side of what a model looks at, in pixels.
pub(crate) fn picture_px(folders: &Folders, model: &str) -> Result<u32, MlError> {
    Ok(steps(folders, model)?.side_px())
}

fn steps(folders: &Folders, model: &str) -> Result<Steps, MlError> {
    let folder = folders.find(ModelKind::Clip, model)?;
    let settings = folder.join("visual/preprocess_cfg.json");
    Steps::parse(&read(&settings, BESIDE_BYTES_MAX)?)
        .map_err(|reason| MlError::BadModel { path: settings, reason })
}

/// Where words lie: unit length.
pub(crate) fn text(
    pool: &Pool,
    folders: &Folders,
    texts: &Texts,
    model: &str,
    words: &str,
    language: Option<&str>,
) -> Result<Vec<f32>, MlError> {
    let encoder: Arc<text::Encoder> = texts.encoder(folders, model)?;
    let tokens = encoder.encode(model, words, language)?;
    let file = folders.file(ModelKind::Clip, model, "textual/model.onnx")?;
    pool.with(&file, is_textual, |loaded| {
        loaded.keep(encoder);
        let inputs = tokens::inputs(&loaded.inputs, tokens);
        let answer = loaded.run(inputs)?;
        embedding(loaded, answer)
    })
}

/// Loads both halves and reads all files.
pub(crate) fn check(
    pool: &Pool,
    folders: &Folders,
    texts: &Texts,
    model: &str,
) -> Result<(), MlError> {
    image(pool, folders, model, &Pixels::filled(8, 8, 128))?;
    text(pool, folders, texts, model, "", None).map(drop)
}

fn is_visual(loaded: &Loaded) -> Result<(), String> {
    takes_a_picture(loaded)?;
    gives_an_embedding(loaded)
}

fn is_textual(loaded: &Loaded) -> Result<(), String> {
    let takes_tokens = loaded.inputs.iter().all(|port| {
        matches!(port.numbers, Some(Numbers::I32 | Numbers::I64)) && port.shape.len() == 2
    });
    if !takes_tokens || !matches!(loaded.inputs.len(), 1 | 2) {
        return Err(format!("it does not take tokens [batch, length]: {:?}", loaded.inputs));
    }
    gives_an_embedding(loaded)
}

fn gives_an_embedding(loaded: &Loaded) -> Result<(), String> {
    match loaded.outputs.first() {
        Some(port) if is_real(port, 2) => Ok(()),
        _ => Err(format!("it does not give one embedding [batch, n]: {:?}", loaded.outputs)),
    }
}

fn embedding(loaded: &Loaded, answer: Vec<Tensor>) -> Result<Vec<f32>, MlError> {
    let Some(first) = answer.into_iter().next() else {
        return Err(loaded.failed("it gave nothing"));
    };
    if first.shape.first() != Some(&1) {
        return Err(loaded.failed(format!("it gave {:?} for one", first.shape)));
    }
    unit(first.values).map_err(|reason| loaded.failed(reason))
}

/// Numbers made one long. Refuses what has no direction.
pub(crate) fn unit(mut values: Vec<f32>) -> Result<Vec<f32>, &'static str> {
    if values.is_empty() || values.len() > DIMENSIONS_MAX {
        return Err("an embedding has 1 to 4096 numbers");
    }
    // In two steps, because numbers of a service may be so large that their squares are not finite.
    let largest = values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    if !values.iter().all(|value| value.is_finite()) || largest <= 0.0 {
        return Err("an embedding has numbers without a direction");
    }
    values.iter_mut().for_each(|value| *value /= largest);
    let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
    values.iter_mut().for_each(|value| *value /= length);
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embeddings_are_one_long_or_refused() {
        assert_eq!(unit(vec![3.0, 4.0]).unwrap(), [0.6, 0.8]);
        let huge = unit(vec![f32::MAX, 0.0, f32::MAX]).unwrap();
        assert!((huge[0] - 0.5_f32.sqrt()).abs() < 1e-6, "{huge:?}");
        for values in [vec![], vec![0.0; 3], vec![1.0, f32::NAN], vec![1.0, f32::INFINITY]] {
            assert!(unit(values.clone()).is_err(), "{values:?}");
        }
        assert!(unit(vec![1.0; DIMENSIONS_MAX + 1]).is_err());
    }
}
