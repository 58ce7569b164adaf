//! One model in memory: what it takes, what it gives, and running it.

use std::any::Any;
use std::sync::Arc;

use ort::session::builder::GraphOptimizationLevel;
use ort::session::{Session, SessionInputValue};
use ort::value::{Outlet, TensorElementType, ValueType};

use crate::config::MlConfig;
use crate::error::MlError;
use crate::folders::ModelFile;
use crate::provider;

/// Numbers that one output may hold.
const OUTPUT_VALUES_MAX: usize = 64 << 20;
/// Inputs and outputs that a model may have.
const PORTS_MAX: usize = 32;

/// Numbers in rows, the last dimension fastest.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tensor {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

/// Whole numbers that a model takes, at the width that it wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<i64>,
}

/// What goes into one input.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Input {
    Real(Tensor),
    Whole(Tokens),
}

/// The kinds of numbers that models here take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    F32,
    I32,
    I64,
}

/// An input or an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Port {
    pub(crate) name: String,
    /// `None` for kinds of numbers that are not known here.
    pub(crate) numbers: Option<Numbers>,
    /// -1 where any length goes.
    pub(crate) shape: Vec<i64>,
}

/// A model in memory.
#[derive(Debug)]
pub(crate) struct Loaded {
    name: String,
    session: Session,
    pub(crate) inputs: Vec<Port>,
    pub(crate) outputs: Vec<Port>,
    /// What goes out of memory with it.
    kept: Option<Arc<dyn Any + Send + Sync>>,
}

/// What a model must look like: says what is wrong with one.
pub(crate) type Check = fn(&Loaded) -> Result<(), String>;

impl Loaded {
    /// Makes a session of a model's bytes. It may name no files beside itself, because it is not told where it
    /// lies.
    pub(crate) fn new(
        environment: &ort::environment::Environment,
        file: &ModelFile,
        bytes: &[u8],
        config: &MlConfig,
        check: Check,
    ) -> Result<Self, MlError> {
        let refuse = |reason: String| MlError::BadModel { path: file.path.clone(), reason };
        let session = open(environment, bytes, config)
            .map_err(|error| refuse(format!("ONNX Runtime says: {error}")))?;
        let loaded = Self {
            name: name_of(file),
            inputs: session.inputs().iter().map(port).collect(),
            outputs: session.outputs().iter().map(port).collect(),
            session,
            kept: None,
        };
        if loaded.inputs.len().max(loaded.outputs.len()) > PORTS_MAX {
            return Err(refuse(format!("it has more than {PORTS_MAX} inputs or outputs")));
        }
        check(&loaded).map_err(refuse)?;
        Ok(loaded)
    }

    /// Keeps something for as long as it is in memory, in the place of what it kept before.
    pub(crate) fn keep(&mut self, what: Arc<dyn Any + Send + Sync>) {
        self.kept = Some(what);
    }

    /// A text in the model's file.
    pub(crate) fn note(&self, key: &str) -> Option<String> {
        self.session.metadata().ok()?.custom(key)
    }

    /// Runs the model; the outputs come in its order.
    pub(crate) fn run(&mut self, inputs: Vec<Input>) -> Result<Vec<Tensor>, MlError> {
        let name = self.name.clone();
        self.try_run(inputs).map_err(|reason| MlError::Failed { model: name, reason })
    }

    /// Says that the answer makes no sense.
    pub(crate) fn failed(&self, reason: impl Into<String>) -> MlError {
        MlError::Failed { model: self.name.clone(), reason: reason.into() }
    }

    fn try_run(&mut self, inputs: Vec<Input>) -> Result<Vec<Tensor>, String> {
        if inputs.len() != self.inputs.len() {
            return Err(format!("it takes {} inputs, not {}", self.inputs.len(), inputs.len()));
        }
        let mut named = Vec::with_capacity(inputs.len());
        for (port, input) in self.inputs.iter().zip(inputs) {
            named.push((port.name.clone(), value(port, input)?));
        }
        let outputs = self.session.run(named).map_err(|error| error.to_string())?;
        let mut tensors = Vec::with_capacity(outputs.len());
        for (name, output) in &outputs {
            let (shape, values) = output
                .try_extract_tensor::<f32>()
                .map_err(|error| format!("its output {name} is not what it should be: {error}"))?;
            if values.len() > OUTPUT_VALUES_MAX {
                return Err(format!("its output {name} holds more than {OUTPUT_VALUES_MAX}"));
            }
            let shape = shape.iter().map(|side| usize::try_from(*side).unwrap_or(0)).collect();
            tensors.push(Tensor { shape, values: values.to_vec() });
        }
        Ok(tensors)
    }
}

fn open(
    environment: &ort::environment::Environment,
    bytes: &[u8],
    config: &MlConfig,
) -> ort::Result<Session> {
    provider::registered(Session::builder(environment)?, &config.providers)
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(config.threads.max(1))?
        // Threads that wait for work by spinning take the processor from everybody else.
        .with_intra_op_spinning(false)?
        // Pictures of words have many sizes, and a plan for each would be kept.
        .with_memory_pattern(false)?
        .commit_from_memory(bytes)
}

fn port(outlet: &Outlet) -> Port {
    let (numbers, shape) = match outlet.dtype() {
        ValueType::Tensor { ty, shape, .. } => (numbers(*ty), shape.to_vec()),
        _ => (None, Vec::new()),
    };
    Port { name: outlet.name().to_owned(), numbers, shape }
}

fn numbers(kind: TensorElementType) -> Option<Numbers> {
    match kind {
        TensorElementType::Float32 => Some(Numbers::F32),
        TensorElementType::Int32 => Some(Numbers::I32),
        TensorElementType::Int64 => Some(Numbers::I64),
        _ => None,
    }
}

fn value(port: &Port, input: Input) -> Result<SessionInputValue<'static>, String> {
    let made = match (port.numbers, input) {
        (Some(Numbers::F32), Input::Real(it)) => {
            ort::value::Tensor::from_array((it.shape, it.values)).map(Into::into)
        }
        (Some(Numbers::I64), Input::Whole(it)) => {
            ort::value::Tensor::from_array((it.shape, it.values)).map(Into::into)
        }
        (Some(Numbers::I32), Input::Whole(it)) => {
            let narrow: Result<Vec<i32>, _> = it.values.into_iter().map(i32::try_from).collect();
            let narrow = narrow.map_err(|_| format!("{} takes smaller numbers", port.name))?;
            ort::value::Tensor::from_array((it.shape, narrow)).map(Into::into)
        }
        (_, _) => return Err(format!("its input {} takes other numbers", port.name)),
    };
    made.map_err(|error| error.to_string())
}

/// `NAME/visual/model.onnx` of a file's path.
fn name_of(file: &ModelFile) -> String {
    let parts: Vec<_> = file.path.iter().rev().take(3).collect();
    let parts: Vec<String> = parts.iter().rev().map(|it| it.to_string_lossy().into()).collect();
    parts.join("/")
}

/// A port that takes or gives real numbers with so many dimensions.
pub(crate) fn is_real(port: &Port, rank: usize) -> bool {
    port.numbers == Some(Numbers::F32) && port.shape.len() == rank
}

/// The one input, if it takes pictures as `[batch, 3, height, width]`.
pub(crate) fn takes_a_picture(loaded: &Loaded) -> Result<(), String> {
    match loaded.inputs.as_slice() {
        [port] if is_real(port, 4) && matches!(port.shape[1], 3 | -1) => Ok(()),
        ports => Err(format!("it does not take one picture [batch, 3, height, width]: {ports:?}")),
    }
}
