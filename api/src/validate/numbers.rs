//! Numbers and their bounds.

use serde_json::{Value, json};

use super::Fields;
use super::issues::wrong_type;

impl Fields {
    /// A whole number within bounds, when it is there.
    pub fn integer(&mut self, name: &str, minimum: i64, maximum: i64) -> Option<i64> {
        let number = match self.values.get(name) {
            None => return None,
            Some(Value::Number(number)) => number.clone(),
            Some(Value::String(text)) if self.from_text => {
                match text.trim().parse::<f64>().ok().and_then(serde_json::Number::from_f64) {
                    Some(_) if text.trim().parse::<i64>().is_ok() => {
                        serde_json::Number::from(text.trim().parse::<i64>().unwrap_or_default())
                    }
                    Some(number) => number,
                    None => {
                        self.issue(json!({
                            "expected": "number", "code": "invalid_type", "received": "NaN",
                            "path": [name], "message": "Invalid input: expected number, received NaN"
                        }));
                        return None;
                    }
                }
            }
            Some(other) => {
                self.issue(wrong_type("number", Some(other), &[name]));
                return None;
            }
        };
        let Some(value) = number.as_i64() else {
            self.issue(json!({
                "expected": "int", "format": "safeint", "code": "invalid_type",
                "path": [name], "message": "Invalid input: expected int, received number"
            }));
            return None;
        };
        self.bounds(name, value, minimum, maximum)
    }

    fn bounds(&mut self, name: &str, value: i64, minimum: i64, maximum: i64) -> Option<i64> {
        if value > maximum {
            self.issue(json!({
                "origin": "number", "code": "too_big", "maximum": maximum, "inclusive": true,
                "path": [name], "message": format!("Too big: expected number to be <={maximum}")
            }));
            return None;
        }
        if value < minimum {
            self.issue(json!({
                "origin": "number", "code": "too_small", "minimum": minimum, "inclusive": true,
                "path": [name], "message": format!("Too small: expected number to be >={minimum}")
            }));
            return None;
        }
        Some(value)
    }

    /// A number within bounds, when it is there.
    pub fn number(&mut self, name: &str, minimum: f64, maximum: f64) -> Option<f64> {
        let value = match self.values.get(name) {
            None => return None,
            Some(Value::Number(number)) => number.as_f64(),
            Some(Value::String(text)) if self.from_text => text.trim().parse().ok(),
            Some(_) => None,
        };
        let Some(value) = value else {
            let issue = wrong_type("number", self.values.get(name), &[name]);
            self.issue(issue);
            return None;
        };
        if value > maximum {
            self.issue(json!({
                "origin": "number", "code": "too_big", "maximum": maximum, "inclusive": true,
                "path": [name], "message": format!("Too big: expected number to be <={maximum}")
            }));
            return None;
        }
        if value < minimum {
            self.issue(json!({
                "origin": "number", "code": "too_small", "minimum": minimum, "inclusive": true,
                "path": [name], "message": format!("Too small: expected number to be >={minimum}")
            }));
            return None;
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use axum::body::Bytes;

    #[test]
    fn issues_are_worded_as_zod_words_them() {
        let mut fields = Fields::json(&Bytes::from_static(b"{\"rating\":9}")).unwrap();
        assert_eq!(fields.integer("rating", -1, 5), None);
        assert_eq!(
            fields.issues,
            vec![json!({
                "origin": "number", "code": "too_big", "maximum": 5, "inclusive": true,
                "path": ["rating"], "message": "Too big: expected number to be <=5"
            })]
        );
    }
}
