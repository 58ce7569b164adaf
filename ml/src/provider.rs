//! What computes: the processor, or what ONNX Runtime calls execution providers, where the library that is installed
//! has them.
//!
//! Nothing of a provider is linked or brought along: a library that was built with it, and the drivers, are the
//! administrator's. What a provider cannot compute is done by the processor.

use std::fmt;
use std::str::FromStr;

use ort::ep::{CUDA, CoreML, ExecutionProvider as _, ExecutionProviderDispatch, OpenVINO};
use ort::session::builder::SessionBuilder;
use serde::Deserialize;

/// What computes. Vectors of one model by different providers differ by what rounding differs, so they belong to
/// one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Provider {
    /// The processor, which every library has, and which does what is left.
    Cpu,
    /// NVIDIA's cards.
    Cuda,
    /// Intel's processors and cards.
    OpenVino,
    /// Apple's.
    CoreMl,
}

/// No such provider is known here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of cpu, cuda, openvino and coreml")]
pub struct UnknownProvider(String);

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(text: &str) -> Result<Self, UnknownProvider> {
        [Self::Cpu, Self::Cuda, Self::OpenVino, Self::CoreMl]
            .into_iter()
            .find(|provider| provider.name() == text)
            .ok_or_else(|| UnknownProvider(text.to_owned()))
    }
}

impl TryFrom<String> for Provider {
    type Error = UnknownProvider;

    fn try_from(text: String) -> Result<Self, UnknownProvider> {
        text.parse()
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl Provider {
    const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::OpenVino => "openvino",
            Self::CoreMl => "coreml",
        }
    }

    /// Nothing for the processor, which needs no mention.
    fn dispatch(self) -> Option<(ort::Result<bool>, ExecutionProviderDispatch)> {
        match self {
            Self::Cpu => None,
            Self::Cuda => Some((CUDA::is_available(), CUDA::default().build())),
            Self::OpenVino => Some((OpenVINO::is_available(), OpenVINO::default().build())),
            Self::CoreMl => Some((CoreML::is_available(), CoreML::default().build())),
        }
    }
}

/// Lets a session compute with the first of these that there are, in order. Those that the library does not have, or
/// that do not begin, are passed over with a line in the log: an answer that takes longer is better than none.
pub(crate) fn registered(mut builder: SessionBuilder, wanted: &[Provider]) -> SessionBuilder {
    for provider in wanted {
        let Some((is_there, dispatch)) = provider.dispatch() else { continue };
        if !matches!(is_there, Ok(true)) {
            tracing::warn!(%provider, "this ONNX Runtime was built without what is to compute");
            continue;
        }
        builder = builder.with_execution_providers([dispatch.error_on_failure()]).unwrap_or_else(
            |error| {
                tracing::warn!(%provider, "what is to compute does not begin: {error}");
                error.recover()
            },
        );
    }
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written_and_others_are_refused() {
        for provider in [Provider::Cpu, Provider::Cuda, Provider::OpenVino, Provider::CoreMl] {
            assert_eq!(provider.to_string().parse(), Ok(provider));
        }
        let refused = "tpu".parse::<Provider>().unwrap_err();
        assert_eq!(refused.to_string(), "\"tpu\" is none of cpu, cuda, openvino and coreml");
    }
}
