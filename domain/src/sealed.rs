//! Values that can be forgotten: names, e-mail, free text, positions, hashes of passwords.
//!
//! The domain only marks them.
//! A known value is written as `{"$seal": value}`; the event store encrypts every such mark under the
//! key of the event's subject before it is stored, and puts it back when it is read.
//! Once the subject's key is destroyed the mark reads `{"$forgotten": true}`.

use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A personal value in an event: known, or forgotten because its key was destroyed.
#[derive(Clone, Debug, PartialEq)]
pub enum Sealed<T> {
    /// The value, readable.
    Known(T),
    /// The key is gone, and the value with it.
    Forgotten,
}

impl<T> Sealed<T> {
    /// The value, if it is still known.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Forgotten => None,
        }
    }

    /// Takes the value out, if it is still known.
    pub fn into_known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Forgotten => None,
        }
    }
}

impl<T> From<T> for Sealed<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

#[derive(Serialize)]
struct Mark<'a, T> {
    #[serde(rename = "$seal")]
    value: &'a T,
}

impl<T: Serialize> Serialize for Sealed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(value) => Mark { value }.serialize(serializer),
            Self::Forgotten => serde_json::json!({ "$forgotten": true }).serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Sealed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MarkVisitor(PhantomData))
    }
}

#[derive(Deserialize)]
enum Name {
    #[serde(rename = "$seal")]
    Seal,
    #[serde(rename = "$forgotten")]
    Forgotten,
}

/// Reads a mark as it comes: a derived `untagged` enum would keep a copy of the value to try again.
struct MarkVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for MarkVisitor<T> {
    type Value = Sealed<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("`{\"$seal\": ..}` or `{\"$forgotten\": true}`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let sealed = match map.next_key()? {
            Some(Name::Seal) => Sealed::Known(map.next_value()?),
            Some(Name::Forgotten) => {
                map.next_value::<bool>()?;
                Sealed::Forgotten
            }
            None => return Err(de::Error::invalid_length(0, &self)),
        };
        match map.next_key::<Name>()? {
            None => Ok(sealed),
            Some(_) => Err(de::Error::invalid_length(2, &self)),
        }
    }
}

impl<T: JsonSchema> JsonSchema for Sealed<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Sealed_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let value = generator.subschema_for::<T>();
        schemars::json_schema!({
            "oneOf": [
                { "type": "object", "properties": { "$seal": value }, "required": ["$seal"] },
                { "type": "object", "properties": { "$forgotten": { "const": true } }, "required": ["$forgotten"] }
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_value_carries_the_mark_both_ways() {
        let json = serde_json::to_value(Sealed::Known("x".to_owned())).unwrap();
        assert_eq!(json, serde_json::json!({ "$seal": "x" }));
        let back: Sealed<String> = serde_json::from_value(json).unwrap();
        assert_eq!(back, Sealed::Known("x".to_owned()));
    }

    #[test]
    fn sealed_nothing_is_not_forgotten() {
        let json = serde_json::to_value(Sealed::<Option<u8>>::Known(None)).unwrap();
        let back: Sealed<Option<u8>> = serde_json::from_value(json).unwrap();
        assert_eq!(back, Sealed::Known(None));
    }

    #[test]
    fn forgotten_value_reads_as_forgotten() {
        let back: Sealed<u8> = serde_json::from_str(r#"{"$forgotten":true}"#).unwrap();
        assert_eq!(back, Sealed::Forgotten);
    }
}
