//! The edits that a client asks for.

use calotype_domain::asset::{Crop, EditAction, Mirror, MirrorAxis, Rotate};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::validate::{Fields, wrong_type};

/// Immich's words for edits, in the order of its schema.
const ACTIONS: &[&str] = &["crop", "rotate", "mirror"];
const AXES: &[&str] = &["horizontal", "vertical"];
/// The largest whole number that JavaScript can tell from its neighbours.
const SAFE_INTEGER_MAX: i64 = 9_007_199_254_740_991;

/// The edits of an asset, in order.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct AssetEditsCreateDto {
    edits: Vec<AssetEditActionItemDto>,
}

/// One edit.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct AssetEditActionItemDto {
    action: String,
    #[schema(inline)]
    parameters: EditParameters,
}

/// What an edit does, by its action.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) enum EditParameters {
    Crop(CropParameters),
    Rotate(RotateParameters),
    Mirror(MirrorParameters),
}

/// The part that is kept, in pixels of the picture without edits.
#[derive(Serialize, ToSchema)]
pub(crate) struct CropParameters {
    height: i64,
    width: i64,
    x: i64,
    y: i64,
}

/// Degrees clockwise.
#[derive(Serialize, ToSchema)]
pub(crate) struct RotateParameters {
    angle: f64,
}

/// Which sides change places.
#[derive(Serialize, ToSchema)]
pub(crate) struct MirrorParameters {
    axis: String,
}

/// The list `edits`, with the issues found in it.
pub(super) fn actions(fields: &mut Fields) -> Vec<EditAction> {
    let values = match fields.take("edits") {
        Some(Value::Array(values)) => values,
        other => {
            fields.issue(wrong_type("array", other.as_ref(), &["edits"]));
            return Vec::new();
        }
    };
    if values.is_empty() {
        fields.issue(json!({
            "origin": "array", "code": "too_small", "minimum": 1, "inclusive": true,
            "path": ["edits"], "message": "Too small: expected array to have >=1 items"
        }));
    }
    let mut actions = Vec::new();
    for (index, value) in values.into_iter().enumerate() {
        if fields.is_full() {
            break;
        }
        let Value::Object(item) = value else {
            let issue = wrong_type("object", Some(&value), &[]);
            fields.issue(under(issue, &[json!("edits"), json!(index)]));
            continue;
        };
        let mut item = Fields::object(item);
        actions.extend(action(&mut item));
        for issue in item.into_issues() {
            fields.issue(under(issue, &[json!("edits"), json!(index)]));
        }
    }
    actions
}

fn action(item: &mut Fields) -> Option<EditAction> {
    let word = item.required_option("action", ACTIONS);
    let parameters = match item.take("parameters") {
        Some(Value::Object(parameters)) => parameters,
        other => {
            item.issue(wrong_type("object", other.as_ref(), &["parameters"]));
            return None;
        }
    };
    let mut parameters = Fields::object(parameters);
    let action = match word.as_str() {
        "crop" => {
            let height = pixels(&mut parameters, "height", 1);
            let width = pixels(&mut parameters, "width", 1);
            let (x, y) = (pixels(&mut parameters, "x", 0), pixels(&mut parameters, "y", 0));
            Some(EditAction::Crop(Crop { x, y, width, height }))
        }
        "rotate" => Some(EditAction::Rotate(Rotate { angle: angle(&mut parameters) })),
        "mirror" => {
            let axis = match parameters.required_option("axis", AXES).as_str() {
                "vertical" => MirrorAxis::Vertical,
                _ => MirrorAxis::Horizontal,
            };
            Some(EditAction::Mirror(Mirror { axis }))
        }
        _ => None,
    };
    for issue in parameters.into_issues() {
        item.issue(under(issue, &[json!("parameters")]));
    }
    action
}

/// A number of pixels; beyond any picture is outside the picture all the same.
fn pixels(fields: &mut Fields, name: &str, minimum: i64) -> u32 {
    if !fields.has(name) {
        fields.missing("number", name);
    }
    let value = fields.integer(name, minimum, SAFE_INTEGER_MAX).unwrap_or_default();
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// What is no whole number of degrees is no angle that is known.
fn angle(fields: &mut Fields) -> u16 {
    if !fields.has("angle") {
        fields.missing("number", "angle");
    }
    let angle = fields.number("angle", f64::MIN, f64::MAX).unwrap_or_default();
    angle.to_string().parse().unwrap_or(u16::MAX)
}

/// The issue of something inside something else.
fn under(mut issue: Value, outer: &[Value]) -> Value {
    let mut path = outer.to_vec();
    path.extend(issue["path"].as_array().into_iter().flatten().cloned());
    if let Some(issue) = issue.as_object_mut() {
        issue.insert("path".into(), Value::Array(path));
    }
    issue
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::*;

    fn read(body: &Value) -> (Vec<EditAction>, Vec<Value>) {
        let mut fields = Fields::json(&Bytes::from(body.to_string())).unwrap();
        let actions = actions(&mut fields);
        (actions, fields.into_issues())
    }

    #[test]
    fn edits_are_read_in_order() {
        let (actions, issues) = read(&json!({ "edits": [
            { "action": "crop", "parameters": { "x": 1, "y": 2, "width": 3, "height": 4 } },
            { "action": "mirror", "parameters": { "axis": "vertical" } },
            { "action": "rotate", "parameters": { "angle": 270 } },
        ] }));
        assert_eq!(issues, Vec::<Value>::new());
        let crop = Crop { x: 1, y: 2, width: 3, height: 4 };
        assert_eq!(
            actions,
            [
                EditAction::Crop(crop),
                EditAction::Mirror(Mirror { axis: MirrorAxis::Vertical }),
                EditAction::Rotate(Rotate { angle: 270 }),
            ]
        );
    }

    #[test]
    fn issues_name_their_place() {
        let (_, issues) = read(&json!({ "edits": [
            { "action": "crop", "parameters": { "x": -1, "y": 0, "width": 3, "height": 4 } },
            { "action": "turn", "parameters": {} },
        ] }));
        assert_eq!(issues[0]["path"], json!(["edits", 0, "parameters", "x"]));
        assert_eq!(issues[0]["message"], "Too small: expected number to be >=0");
        assert_eq!(issues[1]["path"], json!(["edits", 1, "action"]));
        assert_eq!(read(&json!({ "edits": [] })).1[0]["code"], "too_small");
        assert_eq!(read(&json!({})).1[0]["path"], json!(["edits"]));
    }

    #[test]
    fn odd_angles_are_not_taken_for_right_ones() {
        for angle in [json!(45.5), json!(-90), json!(1e300)] {
            let edit = json!({ "action": "rotate", "parameters": { "angle": angle } });
            let (actions, _) = read(&json!({ "edits": [edit] }));
            let EditAction::Rotate(rotate) = actions[0] else { panic!("{actions:?}") };
            assert_eq!(rotate.angle, u16::MAX);
        }
    }
}
