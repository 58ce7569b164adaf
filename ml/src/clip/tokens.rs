//! From token ids to the inputs that a text model takes.

use crate::session::{Input, Port, Tokens};

/// A text as a model's vocabulary has it, filled up to the model's length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Encoded {
    pub(super) ids: Vec<i64>,
    /// 1 for words, 0 for what fills up.
    pub(super) mask: Vec<i64>,
}

/// Ids for a model with one input, ids and mask for one with two.
pub(super) fn inputs(ports: &[Port], encoded: Encoded) -> Vec<Input> {
    let shape = vec![1, encoded.ids.len()];
    let Encoded { ids, mask } = encoded;
    let whole = |values| Input::Whole(Tokens { shape: shape.clone(), values });
    match ports {
        [_only] => vec![whole(ids)],
        [first, ..] if first.name.contains("mask") => vec![whole(mask), whole(ids)],
        _ => vec![whole(ids), whole(mask)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Numbers;

    #[test]
    fn mask_goes_where_the_model_names_it() {
        let port = |name: &str| Port {
            name: name.into(),
            numbers: Some(Numbers::I32),
            shape: vec![-1, 2],
        };
        let encoded = Encoded { ids: vec![7, 8], mask: vec![1, 0] };
        let first = |ports: &[Port]| match inputs(ports, encoded.clone()).swap_remove(0) {
            Input::Whole(tokens) => tokens.values,
            Input::Real(_) => Vec::new(),
        };
        assert_eq!(first(&[port("text")]), [7, 8]);
        assert_eq!(first(&[port("input_ids"), port("attention_mask")]), [7, 8]);
        assert_eq!(first(&[port("attention_mask"), port("input_ids")]), [1, 0]);
    }
}
