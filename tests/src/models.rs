//! Other models for tests: the ones that are brought along, with some other numbers.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

/// Tensors with fewer bytes are left alone: they are shapes and settings.
const TENSOR_BYTES_MIN: usize = 4_096;
/// ONNX: `ModelProto.graph`.
const GRAPH: u64 = 7;
/// ONNX: `GraphProto.initializer`.
const INITIALIZER: u64 = 5;
/// ONNX: `TensorProto.data_type`.
const DATA_TYPE: u64 = 2;
/// ONNX: `TensorProto.raw_data`.
const RAW_DATA: u64 = 9;
/// ONNX: `FLOAT` and `FLOAT16`.
const FLOAT: u64 = 1;
const FLOAT16: u64 = 10;

/// The folder with the models that are brought along.
#[must_use]
pub fn brought_along() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let tools = std::env::var_os("CALOTYPE_TOOLS").map_or(root.join(".tools"), PathBuf::from);
    let made = tools.join("models");
    let shared = std::env::var_os("CALOTYPE_SHARED");
    let shared = shared.map_or(root.join("../shared"), PathBuf::from);
    if made.is_dir() { made } else { shared.join("models") }
}

/// Puts a copy of a model (`facial-recognition/yunet-sface`) beside it under another name, in the models of a data
/// folder; some weights of the files named are other.
///
/// # Errors
/// The model is not there, or a file cannot be read or written.
pub fn another(data: &Path, model: &str, name: &str, other: &[&str]) -> anyhow::Result<()> {
    let from = brought_along().join(model);
    let to = data.join("models").join(Path::new(model).with_file_name(name));
    copy(&from, &to)?;
    for file in other {
        let path = to.join(file);
        let mut bytes = fs::read(&path).with_context(|| path.display().to_string())?;
        let changed = change(&mut bytes);
        ensure!(changed > 0, "{file} has no weights to change");
        fs::write(&path, bytes)?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// Turns the sign of every eighth number of the large tensors; says how many.
fn change(bytes: &mut [u8]) -> usize {
    let mut changed = 0;
    for (start, end, kind) in weights(bytes) {
        let width = if kind == FLOAT16 { 2 } else { 4 };
        let mut at = start;
        while at + width <= end {
            // Little-endian: the sign is the uppermost bit of the last byte.
            bytes[at + width - 1] ^= 0x80;
            changed += 1;
            at += width * 8;
        }
    }
    changed
}

/// Where the numbers of large tensors lie, and of which type they are.
fn weights(bytes: &[u8]) -> Vec<(usize, usize, u64)> {
    let mut found = Vec::new();
    for (_, graph) in fields(bytes, 0, bytes.len()).into_iter().filter(|it| it.0 == GRAPH) {
        let Field::Bytes(start, end) = graph else { continue };
        for (_, tensor) in fields(bytes, start, end).into_iter().filter(|it| it.0 == INITIALIZER) {
            let Field::Bytes(start, end) = tensor else { continue };
            let parts = fields(bytes, start, end);
            let kind = parts.iter().find_map(|(number, field)| match field {
                Field::Number(kind) if *number == DATA_TYPE => Some(*kind),
                _ => None,
            });
            for (_, raw) in parts.iter().filter(|it| it.0 == RAW_DATA) {
                if let (Field::Bytes(start, end), Some(kind @ (FLOAT | FLOAT16))) = (raw, kind)
                    && end - start >= TENSOR_BYTES_MIN
                {
                    found.push((*start, *end, kind));
                }
            }
        }
    }
    found
}

/// A field of a message: a number, or where its bytes lie.
enum Field {
    Number(u64),
    Bytes(usize, usize),
}

/// The fields of a message of protocol buffers, by their numbers. What is cut off ends the list.
fn fields(bytes: &[u8], mut at: usize, end: usize) -> Vec<(u64, Field)> {
    let mut found = Vec::new();
    while at < end {
        let Some(tag) = number(bytes, &mut at) else { break };
        let field = match tag & 7 {
            0 => number(bytes, &mut at).map(Field::Number),
            1 => Some(Field::Bytes(at, at + 8)),
            2 => number(bytes, &mut at).and_then(|length| {
                let length = usize::try_from(length).ok()?;
                Some(Field::Bytes(at, at.checked_add(length)?))
            }),
            5 => Some(Field::Bytes(at, at + 4)),
            _ => None,
        };
        let Some(field) = field else { break };
        if let Field::Bytes(_, after) = field {
            if after > end {
                break;
            }
            at = after;
        }
        found.push((tag >> 3, field));
    }
    found
}

fn number(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
