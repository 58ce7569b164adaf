//! What a line says: the model gives for each column how likely each letter is, and columns become letters
//! (connectionist temporal classification, Graves 2006).

use super::detect::blues_first;
use crate::error::MlError;
use crate::faces::bilinear;
use crate::num;
use crate::pixels::Pixels;
use crate::session::{Input, Loaded, Tensor, is_real, takes_a_picture};

/// Height of a line, in pixels.
const HEIGHT_PX: u32 = 48;
/// The least width: shorter lines are filled up.
const WIDTH_PX_MIN: u32 = 320;
/// The most; longer lines are pressed together.
const WIDTH_PX_MAX: u32 = 3_200;
/// Letters that a model may know.
const CHARACTERS_MAX: usize = 100_000;

/// The letters that a model knows, by the number that it gives them; the first is nothing.
pub(super) fn characters(loaded: &Loaded) -> Result<Vec<String>, MlError> {
    let list = loaded
        .note("character")
        .ok_or_else(|| loaded.failed("its file does not say which letters it knows"))?;
    let mut characters = vec![String::new()];
    characters.extend(list.split('\n').map(|it| it.trim_end_matches('\r').to_owned()));
    if characters.last().is_none_or(|last| last != " ") {
        characters.push(" ".to_owned());
    }
    let classes = loaded.outputs[0].shape.last().copied().unwrap_or(-1);
    if characters.len() > CHARACTERS_MAX
        || (classes >= 0 && usize::try_from(classes) != Ok(characters.len()))
    {
        let count = characters.len();
        return Err(loaded.failed(format!("it names {count} letters and tells {classes} apart")));
    }
    Ok(characters)
}

/// The text, and how sure the model is of its letters on average.
pub(super) fn read(
    loaded: &mut Loaded,
    line: &Pixels,
    characters: &[String],
) -> Result<(String, f32), MlError> {
    let outputs = loaded.run(vec![Input::Real(input(line))])?;
    let answer = outputs.first().filter(|it| it.shape.last() == Some(&characters.len()));
    let Some(answer) = answer else { return Err(loaded.failed("it gave no letters")) };
    Ok(letters(&answer.values, characters))
}

/// `[1, 3, 48, width]`; what fills a short line up is 0, a middle grey.
fn input(line: &Pixels) -> Tensor {
    let natural = u64::from(HEIGHT_PX) * u64::from(line.width());
    let natural = natural.div_ceil(u64::from(line.height()));
    let width = u32::try_from(natural).unwrap_or(u32::MAX).clamp(1, WIDTH_PX_MAX);
    let scaled = blues_first(&bilinear(line, width, HEIGHT_PX));
    if width >= WIDTH_PX_MIN {
        return scaled;
    }
    let (from, to) = (num::index(width), num::index(WIDTH_PX_MIN));
    let mut values = vec![0.0; 3 * num::index(HEIGHT_PX) * to];
    for (to, from) in values.chunks_exact_mut(to).zip(scaled.values.chunks_exact(from)) {
        to[..from.len()].copy_from_slice(from);
    }
    Tensor { shape: vec![1, 3, num::index(HEIGHT_PX), to], values }
}

/// The likeliest letter of each column, without nothing and without what only goes on.
fn letters(values: &[f32], characters: &[String]) -> (String, f32) {
    let (mut text, mut sum, mut count) = (String::new(), 0.0, 0_usize);
    let mut before = 0;
    for column in values.chunks_exact(characters.len()) {
        let best = column.iter().enumerate().max_by(|one, other| one.1.total_cmp(other.1));
        let Some((at, score)) = best else { continue };
        if at != 0 && at != before {
            text.push_str(&characters[at]);
            sum += *score;
            count += 1;
        }
        before = at;
    }
    let score = if count == 0 { 0.0 } else { sum / num::real(count) };
    (text, if score.is_finite() { score.clamp(0.0, 1.0) } else { 0.0 })
}

pub(super) fn check(loaded: &Loaded) -> Result<(), String> {
    takes_a_picture(loaded)?;
    let shape = &loaded.inputs[0].shape;
    let is_line = matches!(shape[2], 48 | -1) && shape[3] < 0;
    match loaded.outputs.as_slice() {
        [port] if is_line && is_real(port, 3) => Ok(()),
        ports => Err(format!("it does not read lines of 48 pixels: {shape:?}, {ports:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_go_on_are_one_and_nothing_divides_them() {
        let characters: Vec<String> = ["", "a", "b", " "].map(str::to_owned).to_vec();
        let column = |at: usize| {
            let mut column = [0.0; 4];
            column[at] = 0.5;
            column
        };
        let values = [1, 1, 0, 1, 2, 2, 3, 0, 2].map(column).concat();
        let (text, score) = letters(&values, &characters);
        assert_eq!(text, "aab b");
        assert!((score - 0.5).abs() < 1e-6);
        assert_eq!(letters(&[], &characters), (String::new(), 0.0));
    }

    #[test]
    fn lines_have_the_model_s_height_and_a_least_and_a_most_width() {
        let shape = |width, height| input(&Pixels::filled(width, height, 0)).shape;
        assert_eq!(shape(20, 10), [1, 3, 48, 320]);
        assert_eq!(shape(1_000, 48), [1, 3, 48, 1_000]);
        assert_eq!(shape(8_000, 2), [1, 3, 48, 3_200]);
        let short = input(&Pixels::filled(1, 48, 255));
        assert_eq!(short.values[..2], [1.0, 0.0]);
    }
}
