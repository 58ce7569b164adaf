//! The payload of a recorded event, as text: most readers turn it into one shape, and a tree of values
//! in between would cost more than the shape itself.

use std::fmt::{self, Display};

use serde_json::Value;

/// JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload(Box<str>);

impl Payload {
    /// Takes text that is JSON.
    pub(crate) fn from_json(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        &self.0
    }

    /// The payload as a tree of values.
    ///
    /// # Errors
    /// The text is nested too deeply (128 levels) for a tree.
    pub fn to_value(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_str(&self.0)
    }
}

impl From<&Value> for Payload {
    fn from(value: &Value) -> Self {
        Self(value.to_string().into())
    }
}

impl Display for Payload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
