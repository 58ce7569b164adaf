//! Tensors: model identity and, later, inference.
